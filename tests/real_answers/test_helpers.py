"""Tests the recordings, and the helpers that replay and compare them."""

from collections.abc import Callable
from dataclasses import dataclass
import json
import re

from aiohttp import ClientSession
import pytest

from . import field_types
from .comparison import NOT_RECORDED, Difference, Reply, assert_same_shape, mismatches
from .field_types import check_field_types
from .recordings import DATA, SHARED, Recording, load
from .replay import Replay
from .server import RecordedServer

NAMES = sorted(path.stem for path in DATA.glob("*.jsonl"))
JSON = "application/json"


def reply(answer: object, status: int = 200, content_type: str | None = JSON) -> Reply:
    return Reply(status, content_type, answer)


def places(recorded: Reply, simulated: Reply, *, values: bool = False) -> set[str]:
    return {found.place for found in mismatches(recorded, simulated, values=values)}


def test_data_equals_shared_recordings() -> None:
    shared = {path.name: path.read_bytes() for path in SHARED.glob("*.jsonl")}
    if not shared:
        pytest.skip("there are no shared recordings beside this checkout")
    assert {path.name: path.read_bytes() for path in DATA.glob("*.jsonl")} == shared


def test_every_recording_can_be_read() -> None:
    counts = {name: len(load(name, DATA)) for name in NAMES}

    assert counts == {
        "easytier-worker": 61,
        "frpc-0.70.1": 33,
        "frps-0.70.1": 42,
        "hy2scale-1.3.4": 113,
        "hy2scale-mesh-1.3.4": 124,
    }


def test_equal_structures() -> None:
    recorded = reply({"nodes": [{"id": 1, "name": "a", "at": None}], "token": "<session>"})

    assert_same_shape(
        recorded, reply({"token": "x", "nodes": [{"at": None, "id": 2.5, "name": "b"}]})
    )
    assert_same_shape(
        reply({}, content_type=NOT_RECORDED), reply({}, content_type="application/problem+json")
    )
    assert_same_shape(
        reply("no\n", content_type="text/plain; charset=UTF-8"),
        reply("no\n", content_type="text/plain;charset=utf-8"),
    )


@pytest.mark.parametrize(
    "recorded, simulated, place",
    [
        ({"a": []}, {"a": None}, "answer.a"),
        ({"a": None}, {"a": []}, "answer.a"),
        ({"a": 1}, {"a": "1"}, "answer.a"),
        ({"a": 1}, {"a": True}, "answer.a"),
        ({"a": 1}, {}, "answer.a"),
        ({}, {"a": 1}, "answer.a"),
        ({"a": [{"b": 1}]}, {"a": [{"b": ""}]}, "answer.a[0].b"),
        ({"a": [1]}, {"a": []}, "answer.a.length"),
        ([], {}, "answer"),
        ({"error": "no"}, {"error": "never"}, "answer.error"),
        ("no\n", "no", "answer"),
        ({"error": "<token> is bad"}, {"error": "x is good"}, "answer.error"),
    ],
)
def test_differing_answers(recorded: object, simulated: object, place: str) -> None:
    assert places(reply(recorded), reply(simulated)) == {place}
    with pytest.raises(AssertionError, match="recorded"):
        assert_same_shape(reply(recorded), reply(simulated))


def test_status_content_type_and_redirect_are_compared() -> None:
    assert places(reply({}), reply({}, status=201)) == {"status"}
    assert places(reply({}), reply({}, content_type=None)) == {"content_type"}
    assert places(reply({}), reply({}, content_type="application/json; charset=utf-8")) == {
        "content_type"
    }
    assert places(Reply(302, None, "", "/login"), Reply(302, None, "", "/")) == {"location"}


def test_values_are_compared_if_requested() -> None:
    recorded, simulated = reply({"a": 1, "b": ["x"]}), reply({"a": 2, "b": ["y"]})

    assert places(recorded, simulated) == set()
    assert places(recorded, simulated, values=True) == {"answer.a", "answer.b[0]"}


async def test_replay_reports_unlisted_differences_and_listed_ones_that_do_not_exist(
    session: ClientSession,
) -> None:
    listed = Difference("GET /a?*", "answer.rows[*].new", "a newer version")
    vain = Difference("GET /b", "status", "another reason")
    replay = Replay(session, "http://localhost", differences=(listed, vain))
    recording = Recording(7, "GET", "/a?b=c", None, reply({"rows": [{}], "x": 1}), "a note")

    replay.compare(recording, reply({"rows": [{"new": 1}], "x": None}))

    with pytest.raises(AssertionError) as failed:
        replay.check()
    assert str(failed.value).splitlines()[1:3] == [
        "line 7: GET /a?b=c (a note): answer.x: recorded 1, simulated None",
        f"no longer different: {vain}",
    ]
    assert replay.replayed == {7}


# Types of fields


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource that is read from a row."""

    size: object = None
    name: object = None


ROW = {"size": "1.5", "name": "a"}
MEANINGS = {"size": field_types.amount("size", 10), "name": field_types.text("name")}


def test_correct_or_unknown_values_pass() -> None:
    def _read(row: field_types.Row) -> Thing | None:
        size = field_types.as_number(row.get("size"))
        if size is None or size < 0:
            return None
        return Thing(size * 10, row["name"] if row.get("name") == "a" else None)

    assert check_field_types(_read, ROW, MEANINGS) > 30


def _without_validation(row: field_types.Row) -> Thing:
    """Read numbers without a check of their range."""
    number = field_types.as_number(row.get("size"))
    return Thing(None if number is None else number * 10, row.get("name"))


@pytest.mark.parametrize(
    "read, message",
    [
        (lambda row: Thing(15, "b"), "name is 'b', recorded as 'a'"),
        (lambda row: Thing(1.5, "a"), "size is 1.5, recorded as 15.0"),
        (lambda row: Thing(15, "a"), "size is missing: size is 15, right is None"),
        (_without_validation, "size is negative: -1: size is -10.0, right is None"),
    ],
)
def test_wrong_values_fail(read: Callable[[field_types.Row], Thing], message: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        check_field_types(read, ROW, MEANINGS)


def test_a_field_without_meaning_fails() -> None:
    with pytest.raises(AssertionError, match="no meaning of"):
        check_field_types(lambda row: Thing(15, "a"), ROW, {"size": MEANINGS["size"]})


def test_rows_of_all_types() -> None:
    rows = dict(field_types.rows_of_all_types({"a": 1}))

    assert rows["a is missing"] == {}
    assert {type(row["a"]) for row in rows.values() if row} == {
        *(int, float, str, bool, list, dict, type(None)),
    }


# The server


async def test_recorded_server(session: ClientSession, recorded: RecordedServer) -> None:
    for recording in (
        Recording(1, "GET", "/a?b=c d", None, reply({"x": [1]}, 201), ""),
        Recording(2, "POST", "/t", {}, reply("no\n", 418, "text/plain; charset=UTF-8"), ""),
        Recording(3, "GET", "/", None, Reply(302, None, "", "/login"), ""),
        Recording(4, "GET", "/old", None, reply({"x": 1}, content_type=NOT_RECORDED), ""),
    ):
        recorded.add(recording, path="/new" if recording.line == 4 else None)
        path = "/new" if recording.line == 4 else recording.path
        async with session.request(
            recording.method, recorded.url + path, allow_redirects=False
        ) as response:
            assert response.status == recording.reply.status
            assert response.headers.get("Location") == recording.reply.location
            text = await response.text()
        expected = recording.reply.answer
        assert (text if isinstance(expected, str) else json.loads(text)) == expected
    assert recorded.unanswered == []

    async with session.get(f"{recorded.url}/a") as response:
        assert response.status == 404
    assert recorded.unanswered == ["GET /a"]
