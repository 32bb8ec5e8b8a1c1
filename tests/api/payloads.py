"""Strategies for what a service may send, and what must come of it."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_NEARLY_NUMBERS = st.text("0123456789+-.eE% _", max_size=24)
_WORDS = st.sampled_from(
    ["", " ", "true", "False", "null", "None", "95.65%", "-1", "253402300799", "NaN", "1e400"]
)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | _NEARLY_NUMBERS
    | _WORDS
)
JSON_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
"""Whatever a JSON decoder may return: its whole numbers have 64 bits at most."""


@st.composite
def damaged(draw: st.DrawFn, payload: Any) -> Any:
    """Draw a real answer in which a few values, or whole branches, are others or missing."""
    spoilt = [deepcopy(payload)]
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(list(_places(spoilt))))
        if container is not spoilt and draw(st.booleans()):
            del container[key]
        else:
            container[key] = draw(JSON_VALUES)
    return spoilt[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested lists and objects where a value stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def check_answer(answer: object) -> None:
    """Fail on a value in a provider's answer that is not of a type that it announces."""
    for thing in _things_in(answer):
        if is_dataclass(thing):
            check_types(thing)
        else:
            assert thing is None or type(thing) in (str, bool)


def _things_in(answer: object) -> Iterable[object]:
    """Return what there is to look at in an answer of the provider."""
    if isinstance(answer, dict):
        return answer.values()
    return answer if isinstance(answer, tuple) else [answer]


def check_types(thing: Any) -> None:
    """Fail on a value of a type that its field does not announce."""
    hints = get_type_hints(type(thing))
    for field in fields(thing):
        hint = hints[field.name]
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        types = [get_origin(each) or each for each in kinds]
        value = getattr(thing, field.name)
        assert type(value) in types, f"{field.name}: {value!r}"
