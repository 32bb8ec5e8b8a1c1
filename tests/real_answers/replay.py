"""Sends recorded requests to a simulated service."""

from collections.abc import Mapping, Sequence
import json

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from .comparison import Difference, Reply, mismatches, secrets_in, unlisted, with_secrets
from .recordings import Recording


class Replay:
    """Replays recordings to a simulated service and collects the differences.

    secrets: the values for the `<words>` of the recordings.
    replayed: the lines of the recordings that were sent.
    """

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        differences: Sequence[Difference] = (),
        values: bool = False,
    ) -> None:
        """Set up without a request.

        url: the base URL of the recorded paths.
        values: whether all values must be equal, not only types and the messages of errors.
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
        """Send a recorded request, compare the answers, and return the simulator's answer."""
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
        """Fail for unexpected differences, and for listed differences that do not exist."""
        gone = [f"no longer different: {d}" for d in self._differences if d not in self._seen]
        differing = [*self._found, *gone]
        assert not differing, "\n".join(["", *differing])

    async def _send(self, recording: Recording, headers: Mapping[str, str]) -> Reply:
        path = with_secrets(recording.path, self.secrets)
        sent = with_secrets(recording.sent, self.secrets)
        is_text = isinstance(sent, str)
        async with self._session.request(
            recording.method,
            # Encoded as recorded: a `%2F` in a path is not a separator.
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
