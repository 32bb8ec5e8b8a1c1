"""What stands between Home Assistant and a simulated service, and what is done meanwhile."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from homeassistant.exceptions import HomeAssistantError
import orjson

from ..reliability.providers import Act
from ..reliability.world import BadWorld
from .catalogue import Spoil
from .liar import Asked, Raw, Reply, forwarding, spoilt

_MOST_WORDS = 900
"""Characters of a message that are looked at, or nearly."""


class Spoiler:
    """Stands between Home Assistant and the simulator.

    spoil: what correct answers are changed to. refusal: what is sent instead of them.
    passed: all that went to and fro, as long as nothing was refused.
    """

    def __init__(self, port: int) -> None:
        self.spoil: Spoil | None = None
        self.refusal: Reply | None = None
        self.passed: list[str] = []
        self._forward = forwarding(port)

    async def answer(self, asked: Asked) -> Raw:
        """Answer a request."""
        if self.refusal is not None:
            return self.refusal.raw()
        reply = await self._forward(asked)
        self.passed += (repr(asked.headers), asked.target, asked.body.decode())
        self.passed.append(reply.body.decode(errors="replace"))
        return (reply if self.spoil is None else spoilt(reply, self.spoil)).raw()

    def spoken(self, secrets: Iterable[str | None]) -> list[str]:
        """Return those of the secrets that went to or fro."""
        passed = "\n".join(self.passed)
        return [secret for secret in secrets if secret and secret in passed]


def refusals(repeated: Iterable[str]) -> Iterator[Reply]:
    """Return refusals, in all ways in which services refuse, that repeat something."""
    words = ""
    for each in repeated:
        if len(words) + len(each) > _MOST_WORDS:
            yield from _refusals(words)
            words = ""
        words = f"{words} {each}"
    yield from _refusals(words)


def _refusals(words: str) -> Iterator[Reply]:
    for code in (200, 400, 403, 404, 409, 500):
        texts = dict.fromkeys(("message", "msg", "error"), words)
        body = orjson.dumps({"status": code, "code": code, **texts})
        yield Reply(200, "application/json", body)
        if code >= HTTPStatus.BAD_REQUEST:
            yield Reply(code, "application/json", body)
            yield Reply(code, "text/plain", words.encode())


async def read_all(world: BadWorld) -> None:
    """Read every feed now."""
    for coordinator in world.entry.runtime_data.coordinators.values():
        await coordinator.async_refresh()
    await world.settle()


async def respond(world: BadWorld, act: Act) -> object:
    """Do something; return the answer of Home Assistant."""
    response: object = None
    supports = world.hass.services.supports_response(act.domain, act.action)
    try:
        target = {**world.target(act), **act.data}
        response = await world.hass.services.async_call(
            act.domain, act.action, target, blocking=True, return_response=supports != "none"
        )
    except HomeAssistantError as err:
        response = str(err)
    await world.settle()
    return response
