"""Keeps one csrf valid without ending the user's session in the web console.

Every login ends all earlier sessions of the account, so one is made only when the csrf is
refused. When the session made in its place is ended within minutes too, another program is
doing the same: then no login is made for a while, longer each time.
"""

from collections.abc import Awaitable, Callable
import time
from typing import override

from ..age import Stamp
from ..errors import AuthenticationError, SessionContestedError
from ..tokens import RenewableTokens

_CONTEST_WINDOW = 600.0
"""A session that lives shorter than these seconds was ended by someone else."""
_FIRST_PAUSE = 900.0
_LONGEST_PAUSE = 4 * 3600.0


class Session(RenewableTokens):
    """One account's csrf. log_in: makes a new one, None where only a csrf was pasted."""

    def __init__(
        self,
        csrf: str | None,
        log_in: Callable[[], Awaitable[str]] | None,
        on_renewed: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(csrf, on_renewed)
        self._log_in = log_in
        self._renewed_at: Stamp | None = None
        """When we last logged in because a session was ended, which may be ended in turn."""
        self._pause = 0.0
        self._paused_until = 0.0

    def forget(self) -> None:
        """Drop a csrf that our own request has ended."""
        self._token = None
        self._renewed_at = None
        self._pause = 0.0

    @property
    def contested(self) -> bool:
        """Whether another program was seen ending our sessions and none has outlived it yet."""
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
        """Raise SessionContestedError while we leave the account to the other program."""
        now = time.monotonic()
        if now < self._paused_until:
            raise SessionContestedError(self._paused_until - now)
        if self._renewed_at is None:
            return
        if self._renewed_at.age > _CONTEST_WINDOW:
            self._pause = 0.0
            return
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._paused_until = now + self._pause
        self._renewed_at = None
        raise SessionContestedError(self._pause)
