"""Asks a simulated service what a real one was asked."""

from collections.abc import Mapping, Sequence
import json

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from .comparison import Difference, Reply, mismatches, secrets_in, unlisted, with_secrets
from .recordings import Recording


class Replay:
    """Replays recordings to a simulated service and collects what it answers otherwise.

    secrets: what stands for each `<words>` of the recordings.
    replayed: the lines of the recordings that were asked.
    """

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        differences: Sequence[Difference] = (),
        values: bool = False,
    ) -> None:
        """Take where the service is, and what is meant to differ.

        url: what the recorded paths are below.
        values: whether everything is to be the same, not only types and the words of refusals.
        """
        self._session = session
        self._url = url
        self._differences = differences
        self._values = values
        self._seen: set[Difference] = set()
        self._found: list[str] = []
        self.secrets: dict[str, str] = {}
        self.replayed: set[int] = set()

    async def ask(self, recording: Recording, *, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask as the real server was asked, and compare; the simulator's answer."""
        reply = await self._send(recording, headers or {})
        self.compare(recording, reply)
        return reply

    def compare(self, recording: Recording, reply: Reply) -> None:
        """Compare an answer with the recorded one."""
        self.replayed.add(recording.line)
        self.secrets.update(secrets_in(recording.reply.answer, reply.answer))
        found = mismatches(recording.reply, reply, values=self._values)
        request = f"{recording.method} {recording.path}"
        self._found += (
            f"{recording}: {mismatch}"
            for mismatch in unlisted(request, found, self._differences, self._seen)
        )

    def check(self) -> None:
        """Fail with all that differs, and with what is listed as different but is not."""
        gone = [f"no longer different: {d}" for d in self._differences if d not in self._seen]
        differing = [*self._found, *gone]
        assert not differing, "\n".join(["", *differing])

    async def _send(self, recording: Recording, headers: Mapping[str, str]) -> Reply:
        path = with_secrets(recording.path, self.secrets)
        sent = with_secrets(recording.sent, self.secrets)
        is_text = isinstance(sent, str)
        async with self._session.request(
            recording.method,
            # As it was sent: a `%2F` in a path is none of its slashes.
            URL(self._url + path, encoded=True),
            headers=headers,
            allow_redirects=False,
            data=sent if is_text else None,
            json=None if is_text else sent,
        ) as response:
            return await _reply(response)


async def _reply(response: ClientResponse) -> Reply:
    text = await response.text()
    is_json = response.content_type == "application/json"
    return Reply(
        status=response.status,
        content_type=response.headers.get("Content-Type"),
        answer=json.loads(text) if is_json else text,
        location=response.headers.get("Location"),
    )
