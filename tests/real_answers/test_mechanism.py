"""The recordings themselves, and what compares them."""

from aiohttp import ClientSession
import pytest

from .comparison import NOT_RECORDED, Difference, Reply, assert_same_shape, mismatches
from .recordings import KEPT, SHARED, Recording, load
from .replay import Replay

NAMES = sorted(path.stem for path in KEPT.glob("*.jsonl"))
JSON = "application/json"


def reply(answer: object, status: int = 200, content_type: str | None = JSON) -> Reply:
    return Reply(status, content_type, answer)


def places(recorded: Reply, simulated: Reply, *, values: bool = False) -> set[str]:
    return {found.place for found in mismatches(recorded, simulated, values=values)}


def test_the_kept_recordings_are_the_shared_ones() -> None:
    shared = {path.name: path.read_bytes() for path in SHARED.glob("*.jsonl")}
    if not shared:
        pytest.skip("there are no shared recordings beside this checkout")
    assert {path.name: path.read_bytes() for path in KEPT.glob("*.jsonl")} == shared


def test_every_recording_can_be_read() -> None:
    counts = {name: len(load(name, KEPT)) for name in NAMES}

    assert counts == {
        "easytier-worker": 61,
        "frpc-0.70.1": 33,
        "frps-0.70.1": 42,
        "hy2scale-1.3.4": 113,
        "hy2scale-mesh-1.3.4": 124,
    }


def test_alike_answers() -> None:
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
def test_an_answer_that_differs(recorded: object, simulated: object, place: str) -> None:
    assert places(reply(recorded), reply(simulated)) == {place}
    with pytest.raises(AssertionError, match="recorded"):
        assert_same_shape(reply(recorded), reply(simulated))


def test_what_is_around_an_answer_differs() -> None:
    assert places(reply({}), reply({}, status=201)) == {"status"}
    assert places(reply({}), reply({}, content_type=None)) == {"content_type"}
    assert places(reply({}), reply({}, content_type="application/json; charset=utf-8")) == {
        "content_type"
    }
    assert places(Reply(302, None, "", "/login"), Reply(302, None, "", "/")) == {"location"}


def test_values_are_compared_on_demand() -> None:
    recorded, simulated = reply({"a": 1, "b": ["x"]}), reply({"a": 2, "b": ["y"]})

    assert places(recorded, simulated) == set()
    assert places(recorded, simulated, values=True) == {"answer.a", "answer.b[0]"}


async def test_a_replay_tells_what_is_not_listed_and_what_is_listed_in_vain(
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
    assert replay.replayed == 1
