"""Where the token of a request comes from, and what becomes of it when it is refused."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import override

from .errors import AuthenticationError, Reason, TunnelHubError, UnavailableError


class Tokens(ABC):
    """Gives requests their token.

    documented_style: whether the service may want the token where its document says.
    renewals: how often a token was replaced.
    changes: how often we changed what signs in, which may have ended every token before it.
    """

    documented_style = True

    def __init__(self) -> None:
        self.renewals = 0
        self.changes = 0

    async def use[T](self, request: Callable[[str], Awaitable[T]]) -> T:
        """Send a request with a token, a second time with a new one if it is refused."""
        changes = self.changes
        token = await self._current()
        try:
            return await request(token)
        except AuthenticationError:
            if (another := await self._renewed(token)) is None:
                raise
        try:
            return await request(another)
        except AuthenticationError as err:
            if not await self._changed_since(changes):
                raise self._refused_anew(err) from err
        return await self.use(request)

    async def change[T](self, request: Callable[[str], Awaitable[T]]) -> T:
        """Send a request that changes what signs in, and that stores the new credentials."""
        return await self.use(request)

    async def renew(self) -> None:
        """Get another token in place of one that is still good, where that is possible."""
        await self._renewed(await self._current())

    async def _changed_since(self, changes: int) -> bool:
        """Tell whether we have changed what signs in since there were so many changes."""
        return self.changes != changes

    def _refused_anew(self, err: AuthenticationError) -> TunnelHubError:
        """Return what it means that a token was refused which had just been issued."""
        return err

    @abstractmethod
    async def _current(self) -> str:
        """Return a token that should be valid."""

    async def _renewed(self, refused: str) -> str | None:
        """Return another token than the refused one, None if there is no other."""
        return None


class NoToken(Tokens):
    """Before there is a sign-in, or where there will be none. error: what a request gets for it."""

    def __init__(self, error: type[TunnelHubError] = AuthenticationError) -> None:
        super().__init__()
        self._error = error

    @override
    async def _current(self) -> str:
        raise self._error


class PastedToken(Tokens):
    """A token that the user has copied: there is no other."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    @override
    async def _current(self) -> str:
        return self._token


class Login:
    """Logs in with a password. One that was refused is not sent again until it is another one.

    Services count failures, and only the user can help.
    settled: set unless the credentials are being changed.
    """

    def __init__(
        self, credentials: Callable[[], object], log_in: Callable[[], Awaitable[str]]
    ) -> None:
        """Log in with nothing yet.

        credentials: what log_in would send now. log_in: sends it and returns the token.
        """
        self._credentials = credentials
        self._log_in = log_in
        self._refused: object = None
        self._refusal = AuthenticationError()
        self._changing = 0
        self.settled = asyncio.Event()
        self.settled.set()

    async def __call__(self) -> str:
        """Return the token of a new login.

        What is refused while the credentials are changed waits for the new ones, and uses them.
        """
        while (sent := self._credentials()) != self._refused:
            try:
                return await self._log_in()
            except AuthenticationError as err:
                await self.settled.wait()
                if self._credentials() == sent:
                    self._refused, self._refusal = sent, err
                    raise
        raise AuthenticationError(self._refusal.message, self._refusal.key)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let refused logins wait while the service has other credentials than we."""
        self._changing += 1
        self.settled.clear()
        try:
            yield
        finally:
            self._changing -= 1
            if not self._changing:
                self.settled.set()


class RenewableTokens(Tokens):
    """A token that is replaced by another one when it is refused."""

    def __init__(self, token: str | None, on_renewed: Callable[[str], Awaitable[None]]) -> None:
        """Begin with a stored token, if there is one.

        on_renewed: stores a new token; awaited before its first use.
        """
        super().__init__()
        self._token = token
        self._on_renewed = on_renewed
        self._lock = asyncio.Lock()

    @abstractmethod
    async def _new(self, refused: str | None) -> str:
        """Return a new token, in place of the refused one if there was one."""

    @override
    async def _current(self) -> str:
        return self._token or await self._after(None)

    @override
    async def _renewed(self, refused: str) -> str:
        return await self._after(refused)

    async def _after(self, refused: str | None) -> str:
        """Get a new token, unless another request has done so in the meantime."""
        async with self._lock:
            if self._token is None or self._token == refused:
                token = await self._new(refused)
                self.renewals += 1
                await self._on_renewed(token)
                self._token = token
            return self._token


class LoginTokens(RenewableTokens):
    """The token that a login with the password tells. It lasts; a login ends no other.

    Some services tell the same token again: the request is tried once more with it all the same,
    because it was the login that could have been refused, and was not.
    """

    def __init__(
        self, token: str | None, login: Login, on_renewed: Callable[[str], Awaitable[None]]
    ) -> None:
        """Begin with a stored token, if there is one."""
        super().__init__(token, on_renewed)
        self._login = login

    @override
    async def _new(self, refused: str | None) -> str:
        return await self._login()

    @override
    async def change[T](self, request: Callable[[str], Awaitable[T]]) -> T:
        async def _change(token: str) -> T:
            with self._login.changing():
                answer = await request(token)
                self.changes += 1
                return answer

        return await self.use(_change)

    @override
    def _refused_anew(self, err: AuthenticationError) -> TunnelHubError:
        """Ask nobody for a password that was accepted a moment ago: the session ended early."""
        return UnavailableError(Reason.SERVER_ERROR, err.message)

    @override
    async def _changed_since(self, changes: int) -> bool:
        await self._login.settled.wait()
        return await super()._changed_since(changes)

    async def adopt(self, token: str) -> None:
        """Store another token and then use it."""
        async with self._lock:
            await self._on_renewed(token)
            self._token = token
