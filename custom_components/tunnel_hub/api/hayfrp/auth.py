"""Keeps one csrf token valid without ending the user's session in the web console.

Every login ends all other sessions of the account, so there is only one when the csrf token is
rejected. If the new session is ended within minutes, another program does the same: then there is
no login for a while, longer each time.
"""

from collections.abc import Awaitable, Callable
import time
from typing import override

from ..age import Stamp
from ..errors import AuthenticationError, Reason, UnavailableError
from ..tokens import RenewableTokens

_CONTEST_WINDOW = 600.0
"""Seconds. A session that ends earlier was ended by another program."""
_FIRST_PAUSE = 900.0
_LONGEST_PAUSE = 4 * 3600.0


class Session(RenewableTokens):
    """The csrf token of one account.

    log_in: returns a new one; None if only a csrf token was entered.
    """

    def __init__(
        self,
        csrf: str | None,
        log_in: Callable[[], Awaitable[str]] | None,
        on_renewed: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(csrf, on_renewed)
        self._log_in = log_in
        self._renewed_at: Stamp | None = None
        """When we last logged in because a session had been ended."""
        self._pause = 0.0
        self._paused_until = 0.0

    def forget(self) -> None:
        """Discard a csrf token that was ended by a request of ours."""
        self._token = None
        self._renewed_at = None
        self._pause = 0.0

    @property
    def contested(self) -> bool:
        """Whether another program ended our sessions, and none has lasted since."""
        if not self._pause:
            return False
        return self._renewed_at is None or self._renewed_at.age <= _CONTEST_WINDOW

    @override
    async def _new(self, refused: str | None) -> str:
        self._token = None
        if self._log_in is None:
            raise AuthenticationError
        self._stand_back_if_contested()
        csrf = await self._log_in()
        if refused is not None or self._pause:
            self._renewed_at = Stamp.now()
        return csrf

    def _stand_back_if_contested(self) -> None:
        """Raise UnavailableError while the other program may use the account."""
        now = time.monotonic()
        if now < self._paused_until:
            raise UnavailableError(Reason.CONTESTED, retry_after=self._paused_until - now)
        if self._renewed_at is None:
            return
        if self._renewed_at.age > _CONTEST_WINDOW:
            self._pause = 0.0
            return
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._paused_until = now + self._pause
        self._renewed_at = None
        raise UnavailableError(Reason.CONTESTED, retry_after=self._pause)
