"""Compares a recorded answer with a simulated one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
import re
from typing import Any, override

NOT_RECORDED = "not recorded"
"""The content type of a recording without one."""
WORDS = frozenset({"details", "error", "error_code", "message", "reason", "warning"})
"""Keys whose text is compared word by word; the text of other keys may differ."""
_SECRET = re.compile(r"<[^<>]+>")
"""The replacement of a secret in a recording."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a server. answer: decoded JSON, or the text."""

    status: int
    content_type: str | None
    answer: object
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A place where a simulated answer differs: `status`, `answer.nodes[0].tags`."""

    place: str
    recorded: object
    simulated: object

    @override
    def __str__(self) -> str:
        """Return a description of the difference."""
        return f"{self.place}: recorded {self.recorded!r}, simulated {self.simulated!r}"


@dataclass(frozen=True, slots=True)
class Difference:
    """An expected difference, and its reason.

    request: such as "GET /api/stats", place: such as "answer.nodes[*].tags"; both may contain `*`.
    """

    request: str
    place: str
    reason: str

    def covers(self, request: str, place: str) -> bool:
        """Return whether this covers a place of an answer."""
        return fnmatchcase(request, _literal_brackets(self.request)) and fnmatchcase(
            place, _literal_brackets(self.place)
        )


def _literal_brackets(pattern: str) -> str:
    return pattern.replace("[", "[[]")


def assert_same_shape(recorded: Reply, simulated: Reply, *, values: bool = False) -> None:
    """Fail unless two answers have the same structure.

    values: whether all values must be equal, not only the types and the messages of errors.
    """
    found = list(mismatches(recorded, simulated, values=values))
    assert not found, "\n".join(map(str, found))


def mismatches(recorded: Reply, simulated: Reply, *, values: bool = False) -> Iterator[Mismatch]:
    if recorded.status != simulated.status:
        yield Mismatch("status", recorded.status, simulated.status)
    types = [_content_type(reply.content_type) for reply in (recorded, simulated)]
    if recorded.content_type != NOT_RECORDED and types[0] != types[1]:
        yield Mismatch("content_type", recorded.content_type, simulated.content_type)
    if recorded.location != simulated.location:
        yield Mismatch("location", recorded.location, simulated.location)
    # A text that is not JSON is a message.
    exact = values or isinstance(recorded.answer, str)
    yield from _differing("answer", recorded.answer, simulated.answer, exact=exact)


def _differing(
    place: str, recorded: object, simulated: object, *, exact: bool
) -> Iterator[Mismatch]:
    if _type_of(recorded) != _type_of(simulated):
        yield Mismatch(place, recorded, simulated)
    elif isinstance(recorded, dict) and isinstance(simulated, dict):
        yield from _differing_objects(place, recorded, simulated, exact=exact)
    elif isinstance(recorded, list) and isinstance(simulated, list):
        if len(recorded) != len(simulated):
            yield Mismatch(f"{place}.length", len(recorded), len(simulated))
        for index, (one, other) in enumerate(zip(recorded, simulated, strict=False)):
            yield from _differing(f"{place}[{index}]", one, other, exact=exact)
    elif isinstance(recorded, str) and isinstance(simulated, str):
        if exact and not _pattern(recorded).fullmatch(simulated):
            yield Mismatch(place, recorded, simulated)
    elif exact and recorded != simulated:
        yield Mismatch(place, recorded, simulated)


def _differing_objects(
    place: str, recorded: dict[str, object], simulated: dict[str, object], *, exact: bool
) -> Iterator[Mismatch]:
    for key in recorded.keys() | simulated.keys():
        inner = f"{place}.{key}"
        if key not in simulated:
            yield Mismatch(inner, recorded[key], NOT_THERE)
        elif key not in recorded:
            yield Mismatch(inner, NOT_THERE, simulated[key])
        else:
            words = exact or key in WORDS
            yield from _differing(inner, recorded[key], simulated[key], exact=words)


class _NotThere:
    @override
    def __repr__(self) -> str:
        return "nothing"


NOT_THERE = _NotThere()
_JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}


def _type_of(value: object) -> str:
    return _JSON_TYPES[type(value)]


def _content_type(value: str | None) -> str | None:
    return None if value is None else value.lower().replace(" ", "")


def _pattern(recorded: str) -> re.Pattern[str]:
    """Return a pattern for a recorded text; secrets in it match any text."""
    return re.compile(".+".join(map(re.escape, _SECRET.split(recorded))), re.DOTALL)


def secrets_in(recorded: object, simulated: object) -> Iterator[tuple[str, str]]:
    """Yield the secrets of a recorded answer, and the values in their place in a simulated one."""
    if isinstance(recorded, str) and isinstance(simulated, str):
        if _SECRET.fullmatch(recorded):
            yield recorded, simulated
    elif isinstance(recorded, dict) and isinstance(simulated, dict):
        for key in recorded.keys() & simulated.keys():
            yield from secrets_in(recorded[key], simulated[key])
    elif isinstance(recorded, list) and isinstance(simulated, list):
        for one, other in zip(recorded, simulated, strict=False):
            yield from secrets_in(one, other)


def with_secrets(recorded: Any, secrets: Mapping[str, str]) -> Any:
    """Replace the `<words>` of a request by secrets; raises KeyError for unknown ones."""
    if isinstance(recorded, str):
        return _SECRET.sub(lambda found: secrets[found[0]], recorded)
    if isinstance(recorded, dict):
        return {key: with_secrets(value, secrets) for key, value in recorded.items()}
    if isinstance(recorded, list):
        return [with_secrets(value, secrets) for value in recorded]
    return recorded


def unlisted(
    request: str,
    found: Iterable[Mismatch],
    differences: Iterable[Difference],
    seen: set[Difference],
) -> Iterator[Mismatch]:
    """Yield the unexpected differences; add the expected ones to `seen`."""
    for mismatch in found:
        meant = {known for known in differences if known.covers(request, mismatch.place)}
        seen |= meant
        if not meant:
            yield mismatch
