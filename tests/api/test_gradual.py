"""Long lists, decoded a row at a time."""

import asyncio
from random import Random
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.tunnel_hub.api import pace
from custom_components.tunnel_hub.api.gradual import decode

from .payloads import JSON_VALUES

_ROWS = st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=3), max_size=4)
_ANSWERS = st.one_of(
    JSON_VALUES,
    _ROWS,
    st.builds(
        lambda before, name, rows, after: {**before, name: rows, **after},
        st.dictionaries(st.text(), JSON_VALUES, max_size=2),
        st.text(),
        _ROWS,
        st.dictionaries(st.text(), JSON_VALUES, max_size=2),
    ),
)
_LAYOUTS = st.sampled_from([0, orjson.OPT_INDENT_2, orjson.OPT_SORT_KEYS])
_LIST = [{"id": number, "ways": [{"ip": "}]"}, {}], "name": "},{"} for number in range(9)]
_SIGNS = (b"{", b"}", b"[", b"]", b",", b'"')
_STAND_IN = "\0"


async def turns_of_others(body: bytes) -> int:
    """Decode; return how often somebody else had the loop meanwhile."""
    turns = 0

    async def _other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(_other())
    await asyncio.sleep(0)
    assert await decode(body) == orjson.loads(body)
    other.cancel()
    return turns


def outcome(body: bytes) -> object:
    """Return what comes of decoding, an error included."""
    try:
        return asyncio.run(decode(body))
    except orjson.JSONDecodeError as err:
        return str(err)


def outcome_in_one_go(body: bytes) -> object:
    """Return what comes of orjson alone."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as err:
        return str(err)


@pytest.mark.parametrize(
    "answer",
    [
        _LIST,
        {"nodes": _LIST},
        {"code": 200, "msg": "[]", "data": _LIST, "stats": {"lists": [[], [{}]]}},
        {"empty": [], "numbers": [1, 2], "data": _LIST, "rest": [_LIST]},
        {"code": 200, "data": {"node": {"name": "}"}, "list": _LIST}, "state": "[{}]"},
    ],
)
@pytest.mark.parametrize("layout", [0, orjson.OPT_INDENT_2])
async def test_each_row_is_a_turn(
    monkeypatch: pytest.MonkeyPatch, answer: Any, layout: int
) -> None:
    monkeypatch.setattr(pace, "_TURN", 0.0)

    assert await turns_of_others(orjson.dumps(answer, option=layout)) == len(_LIST) - 1


async def test_nothing_is_decoded_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows one by one, then what stands around them: never all of it."""
    body = orjson.dumps({"code": 200, "data": {"list": _LIST}})
    decoded: list[int] = []
    loads = orjson.loads

    def _loads(text: bytes) -> object:
        decoded.append(len(text))
        return loads(text)

    monkeypatch.setattr(orjson, "loads", _loads)

    await decode(body)

    assert max(decoded) < len(body) / 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"[]",
        b"[{}",
        b"[{},]",
        b"[{} {}]",
        b"[{},{]",
        b"[{},1]",
        b"[1,[{}]]",
        b"[[{}]]",
        b'"[{}]"',
        b'{"a":"[{}]","b":[]}',
        b'{"[{}]":[]}',
        b'{"a":{"b":[{}]},"c":[]}',
        b'{"a":[{"b":[]}],"a":1}',
        b'{"a":1,"a":[{}]}',
        b'{"a":[{}]}}',
        b'{"a":[{}],}',
        b'{"a":[{}]',
        b'\xef\xbb\xbf{"a":[{}]}',
        b'[{"a":"\xff"}]',
        orjson.dumps({"a": _STAND_IN, "b": [{"c": 1}]}),
        orjson.dumps({"b": [{"c": 1}], "a": _STAND_IN}),
        b'{"a":' * 1000 + b"[{}]" + b"}" * 1000,
        orjson.dumps({"a": {"b": _STAND_IN}, "b": [{"c": 1}]}),
        orjson.dumps({"a": [_STAND_IN], "b": [{"c": _STAND_IN}]}),
        orjson.dumps([{"words": "}" * 1000}, {"words": "}"}]),
    ],
)
def test_anything_else_is_decoded_as_ever(body: bytes) -> None:
    assert outcome(body) == outcome_in_one_go(body)


@given(answer=_ANSWERS, layout=_LAYOUTS, random=st.randoms(use_true_random=False))
def test_it_makes_no_difference(answer: Any, layout: int, random: Random) -> None:
    """Whole or spoilt, it decodes to the same or fails in the same words."""
    body = orjson.dumps(answer, option=layout)
    assert outcome(body) == answer

    spoilt = bytearray(body)
    place = random.randrange(len(spoilt))
    spoilt[place : place + random.randint(0, 2)] = random.choice(
        [b"", b"{", b"}", b"[", b",", b'"']
    )
    assert outcome(bytes(spoilt)) == outcome_in_one_go(bytes(spoilt))
