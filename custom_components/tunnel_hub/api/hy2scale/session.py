"""The session token of one node: made once, used until it is refused.

Tokens slide and live in the node's memory: they end with a restart and with another password.
Nobody else's sign-in ends ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from ..errors import AuthenticationError
from ..http import Answer


class Session:
    """Signs in when needed, for all requests that wait.

    sign_ins: how often that was.
    """

    def __init__(
        self, sign_in: Callable[[], Awaitable[str]], words_of: Callable[[Answer], str]
    ) -> None:
        """Take what returns a new token, and what of an answer may be told."""
        self._sign_in = sign_in
        self._words_of = words_of
        self._token: str | None = None
        self._signing_in = asyncio.Lock()
        self.sign_ins = 0

    async def send(self, request: Callable[[str], Awaitable[Answer]]) -> Answer:
        """Send a request with a token; once more with a new one if that was refused."""
        token = await self._other_than(None)
        answer = await request(token)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = await request(await self._other_than(token))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise AuthenticationError(self._words_of(answer))
        return answer

    async def _other_than(self, refused: str | None) -> str:
        """Return a token that was not refused yet."""
        async with self._signing_in:
            if self._token is None or self._token == refused:
                self.sign_ins += 1
                self._token = None
                self._token = await self._sign_in()
            return self._token
