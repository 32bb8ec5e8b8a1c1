"""Provides the token of a request, and renews it when it is rejected."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import override

from .errors import AuthenticationError, Reason, TunnelHubError, UnavailableError


class Tokens(ABC):
    """Provides requests with a token.

    documented_style: whether the service may expect the token where its documentation says.
    renewals: how often a token was replaced.
    changes: how often the credentials were changed, which may have ended all earlier tokens.
    """

    documented_style = True

    def __init__(self) -> None:
        self.renewals = 0
        self.changes = 0

    async def use[T](self, request: Callable[[str], Awaitable[T]]) -> T:
        """Send a request with a token, and again with a new one if it is rejected."""
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
        """Send a request that changes the credentials, and store the new ones."""
        return await self.use(request)

    async def renew(self) -> None:
        """Replace a token that is still valid, if possible."""
        await self._renewed(await self._current())

    async def _changed_since(self, changes: int) -> bool:
        """Return whether the credentials changed after a number of changes."""
        return self.changes != changes

    def _refused_anew(self, err: AuthenticationError) -> TunnelHubError:
        """Return the error for a new token that was rejected."""
        return err

    @abstractmethod
    async def _current(self) -> str:
        """Return a token that should be valid."""

    async def _renewed(self, refused: str) -> str | None:
        """Return a different token than the rejected one, or None."""
        return None


class FixedToken(Tokens):
    """A token that cannot be renewed; None before there is a sign-in, or for a service without one.

    error: returns the error for a request without a token.
    """

    def __init__(
        self, token: str | None = None, error: Callable[[], TunnelHubError] = AuthenticationError
    ) -> None:
        super().__init__()
        self._token = token
        self._error = error

    @override
    async def _current(self) -> str:
        if self._token is None:
            raise self._error()
        return self._token


class Login:
    """Logs in with a password. Rejected credentials are not sent again until they change.

    Services count failures, and only the user can help.

    settled: set unless the credentials are being changed.
    """

    def __init__(
        self, credentials: Callable[[], object], log_in: Callable[[], Awaitable[str]]
    ) -> None:
        """Set up without a login.

        credentials: returns the credentials that log_in would send.
        log_in: sends them and returns the token.
        """
        self._credentials = credentials
        self._log_in = log_in
        self._refused: object = None
        self._refusal = AuthenticationError()
        self._changing = 0
        self.settled = asyncio.Event()
        self.settled.set()

    async def __call__(self) -> str:
        """Log in and return the token.

        If the login is rejected while the credentials are being changed, the new ones are used.
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
        """Make rejected logins wait while the service already has other credentials."""
        self._changing += 1
        self.settled.clear()
        try:
            yield
        finally:
            self._changing -= 1
            if not self._changing:
                self.settled.set()


class RenewableTokens(Tokens):
    """A token that is renewed when it is rejected."""

    def __init__(self, token: str | None, on_renewed: Callable[[str], Awaitable[None]]) -> None:
        """Start with a stored token, if any.

        on_renewed: stores a new token; awaited before its first use.
        """
        super().__init__()
        self._token = token
        self._on_renewed = on_renewed
        self._lock = asyncio.Lock()

    @abstractmethod
    async def _new(self, refused: str | None) -> str:
        """Return a new token, which replaces the rejected one, if any."""

    @override
    async def _current(self) -> str:
        return self._token or await self._after(None)

    @override
    async def _renewed(self, refused: str) -> str:
        return await self._after(refused)

    async def _after(self, refused: str | None) -> str:
        """Renew the token, unless another request has done so in the meantime."""
        async with self._lock:
            if self._token is None or self._token == refused:
                token = await self._new(refused)
                self.renewals += 1
                await self._on_renewed(token)
                self._token = token
            return self._token


class LoginTokens(RenewableTokens):
    """The token of a login with a password. It does not expire, and a login ends no other.

    Some services return the same token again. The request is then repeated, because the login was
    accepted.
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
        """Return an error that does not start reauthentication: the password was just accepted."""
        return UnavailableError(Reason.SERVER_ERROR, err.message)

    @override
    async def _changed_since(self, changes: int) -> bool:
        await self._login.settled.wait()
        return await super()._changed_since(changes)

    async def adopt(self, token: str) -> None:
        """Store another token and use it from now on."""
        async with self._lock:
            await self._on_renewed(token)
            self._token = token
