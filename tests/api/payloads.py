"""Generates damaged answers, and checks the types of results."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from random import Random
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_DIGITS = "0123456789+-.eE% _"
_WORDS = (
    *("", " ", "true", "False", "null", "None", "95.65%", "-1", "253402300799", "NaN", "1e400"),
    *("0001-01-01", "9999-12-31 23:59:59", "2026-02-30", "<b>", "../..", "{{ 1 }}", "%2F", "\0"),
    *(None, True, False, 0, -1, 2**63, 2**64 - 1, -(2**63), 1e300, -0.0, 5e-324),
)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.text(_DIGITS, max_size=24)
    | st.sampled_from(_WORDS)
)
JSON_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
"""All values that a JSON decoder may return. Its integers have at most 64 bits."""


def damage(payload: Any, random: Random) -> Any:
    """Change a few values or branches of a real answer, or delete them, and return it.

    Without hypothesis, which would take many times as long for thousands of examples.
    """
    root = [payload]
    for _ in range(random.randint(1, 4)):
        places = list(_places(root))
        container, key = random.choice(places)
        if container is not root and random.random() < 0.4:
            del container[key]
        elif random.random() < 0.2:
            # A valid value in the wrong place.
            other, other_key = random.choice(places)
            container[key] = deepcopy(other[other_key])
        else:
            container[key] = _any_value(random)
    return root[0]


def _any_value(random: Random) -> Any:
    return random.choice(_KINDS)(random)


def _text(random: Random) -> str:
    # Below the surrogates, which texts do not contain alone.
    return "".join(chr(random.randrange(0xD800)) for _ in range(random.randrange(12)))


_KINDS: tuple[Callable[[Random], Any], ...] = (
    lambda random: random.choice(_WORDS),
    lambda random: random.choice(_WORDS),
    lambda random: random.getrandbits(random.randint(1, 63)) * random.choice((1, -1)),
    lambda random: random.gauss(0, 1) * 10 ** random.randint(-20, 20),
    lambda random: "".join(random.choices(_DIGITS, k=random.randrange(24))),
    _text,
    lambda random: [_any_value(random) for _ in range(random.randrange(3))],
    lambda random: {_text(random): _any_value(random) for _ in range(random.randrange(3))},
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in nested lists and objects."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def check_answer(answer: object) -> None:
    """Fail for a value in a provider's answer whose type is not the declared one."""
    for thing in _things_in(answer):
        if is_dataclass(thing):
            check_types(thing)
        else:
            assert thing is None or type(thing) in (str, bool)


def _things_in(answer: object) -> Iterator[object]:
    """Yield the values in an answer of the provider."""
    if isinstance(answer, dict | tuple):
        for inner in answer.values() if isinstance(answer, dict) else answer:
            yield from _things_in(inner)
    else:
        yield answer


def check_types(thing: Any) -> None:
    """Fail for a value whose type is not that of its field."""
    hints = get_type_hints(type(thing))
    for field in fields(thing):
        hint = hints[field.name]
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        types = [get_origin(each) or each for each in kinds]
        value = getattr(thing, field.name)
        assert type(value) in types, f"{field.name}: {value!r}"
