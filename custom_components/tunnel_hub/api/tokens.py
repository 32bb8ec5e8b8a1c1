"""Where the token of a request comes from, and what becomes of it when it is refused."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
from typing import override

from .errors import AuthenticationError, TunnelHubError


class Tokens(ABC):
    """Gives requests their token.

    documented_style: whether the service may want the token where its document says.
    renewals: how often a token was replaced.
    """

    documented_style = True

    def __init__(self) -> None:
        """Begin to count."""
        self.renewals = 0

    async def use[T](self, request: Callable[[str], Awaitable[T]]) -> T:
        """Send a request with a token, a second time with a new one if it is refused."""
        token = await self._current()
        try:
            return await request(token)
        except AuthenticationError:
            if (another := await self._renewed(token)) is None:
                raise
        return await request(another)

    @abstractmethod
    async def _current(self) -> str:
        """Return a token that should be good."""

    async def _renewed(self, refused: str) -> str | None:
        """Return another token than the refused one, None if there is no other."""
        return None


class NoToken(Tokens):
    """Before there is a sign-in, or where there will be none. error: what a request gets for it."""

    def __init__(self, error: type[TunnelHubError] = AuthenticationError) -> None:
        """Keep the error."""
        super().__init__()
        self._error = error

    @override
    async def _current(self) -> str:
        raise self._error


class PastedToken(Tokens):
    """A token that the user has copied: there is no other."""

    def __init__(self, token: str) -> None:
        """Keep it."""
        super().__init__()
        self._token = token

    @override
    async def _current(self) -> str:
        return self._token


class LoginTokens(Tokens):
    """The token that a login with the password tells. It lasts; a login ends no other.

    Some services tell the same token again: the request is tried once more with it all the same,
    because it was the login that could have been refused, and was not.
    A refused password is not sent again: services count failures, and only the user can help.
    """

    def __init__(
        self,
        token: str | None,
        log_in: Callable[[], Awaitable[str]],
        on_renewed: Callable[[str], Awaitable[None]],
    ) -> None:
        """Begin with a stored token, if there is one.

        on_renewed: stores a new token; awaited before its first use.
        """
        super().__init__()
        self._token = token
        self._log_in = log_in
        self._on_renewed = on_renewed
        self._refusal: AuthenticationError | None = None
        self._lock = asyncio.Lock()

    @override
    async def _current(self) -> str:
        return self._token or await self._after(None)

    @override
    async def _renewed(self, refused: str) -> str:
        return await self._after(refused)

    async def _after(self, refused: str | None) -> str:
        """Log in, unless another request has done so in the meantime."""
        async with self._lock:
            if self._token is None or self._token == refused:
                token = await self._logged_in()
                self.renewals += 1
                await self._on_renewed(token)
                self._token = token
            return self._token

    async def _logged_in(self) -> str:
        if self._refusal is not None:
            raise AuthenticationError(self._refusal.message, self._refusal.key)
        try:
            return await self._log_in()
        except AuthenticationError as err:
            self._refusal = err
            raise

    async def adopt(self, token: str) -> None:
        """Use another token from now on; stored first."""
        async with self._lock:
            await self._on_renewed(token)
            self._token = token
