"""A proxy that corrupts or refuses, and helpers that read and run everything through it."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from homeassistant.exceptions import HomeAssistantError
import orjson

from ..reliability.faulty_world import FaultyWorld
from ..reliability.providers import UserAction
from .payloads import Corruption
from .raw_server import Raw, ReceivedRequest, Reply, corrupted, forwarding

_MAX_MESSAGE_LENGTH = 900
"""Characters of a message, below the limit at which the integration truncates it."""


class CorruptingProxy:
    """A proxy between Home Assistant and the simulator.

    corrupt: changes valid answers. refusal: replaces them.
    passed: the texts of all requests and answers, except refusals.
    """

    def __init__(self, port: int) -> None:
        self.corrupt: Corruption | None = None
        self.refusal: Reply | None = None
        self.passed: list[str] = []
        self._forward = forwarding(port)

    async def answer(self, asked: ReceivedRequest) -> Raw:
        """Answers a request."""
        if self.refusal is not None:
            return self.refusal.raw()
        reply = await self._forward(asked)
        self.passed += (repr(asked.headers), asked.target, asked.body.decode())
        self.passed.append(reply.body.decode(errors="replace"))
        return (reply if self.corrupt is None else corrupted(reply, self.corrupt)).raw()

    def transmitted(self, secrets: Iterable[str | None]) -> list[str]:
        """Returns the secrets that requests or answers contained."""
        passed = "\n".join(self.passed)
        return [secret for secret in secrets if secret and secret in passed]


def refusals(repeated: Iterable[str]) -> Iterator[Reply]:
    """Returns refusals of all forms that services use, which repeat some texts."""
    words = ""
    for each in repeated:
        if len(words) + len(each) > _MAX_MESSAGE_LENGTH:
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


async def read_all(world: FaultyWorld) -> None:
    """Refreshes all coordinators."""
    for coordinator in world.entry.runtime_data.coordinators.values():
        await coordinator.async_refresh()
    await world.settle()


async def respond(world: FaultyWorld, act: UserAction) -> object:
    """Runs an action and returns its response or error."""
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
