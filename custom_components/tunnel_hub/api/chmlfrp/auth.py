"""The tokens of an approved sign-in.

Refresh tokens of an approved sign-in work once, and a refresh ends the previous access token.
Therefore all providers in this process with the same sign-in share one Grant: they wait for the
same refresh, and the new tokens are stored before any of them is used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import random
import time
from typing import Self, override
from weakref import WeakSet, WeakValueDictionary

from .. import coerce
from ..errors import AuthenticationError
from ..tokens import Tokens

_EARLY = (60.0, 90.0)
"""The range of random seconds before an access token expires when it is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The tokens of the account center.

    refresh_token: "" if there is none.
    expires_at: of the access token, in seconds since 1970.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float

    @classmethod
    def stored_in(cls, credentials: Mapping[str, str]) -> Self:
        """Return the tokens in credentials."""
        return cls(
            access_token=credentials["access_token"],
            refresh_token=credentials.get("refresh_token", ""),
            expires_at=coerce.amount(credentials.get("expires_at")) or 0,
        )

    def to_store(self) -> dict[str, str]:
        """Return the tokens as credentials."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": str(self.expires_at),
        }


class Grant:
    """One approved sign-in.

    holders: store its tokens.
    ended: whether it cannot be renewed.
    """

    def __init__(self, pair: TokenPair) -> None:
        self.lock = asyncio.Lock()
        self.holders: WeakSet[GrantTokens] = WeakSet()
        self.ended = not pair.refresh_token
        self.adopt(pair)

    def adopt(self, pair: TokenPair) -> None:
        """Replace the tokens."""
        self.pair = pair
        self._renew_at = pair.expires_at - random.uniform(*_EARLY)

    @property
    def due(self) -> bool:
        """Whether the access token expires soon and can be renewed."""
        return time.time() >= self._renew_at and not self.ended


_GRANTS: WeakValueDictionary[tuple[str, str], Grant] = WeakValueDictionary()
"""Grants in use, by account center and current or former refresh token."""

_RENEWALS: set[asyncio.Task[str | None]] = set()
"""Running renewals: the event loop itself only keeps weak references."""


def _forget(renewal: asyncio.Task[str | None]) -> None:
    _RENEWALS.discard(renewal)
    if not renewal.cancelled():
        # If nothing waits for it any more, a failure need not be logged.
        renewal.exception()


class GrantTokens(Tokens):
    """The access tokens of an approved sign-in."""

    documented_style = False

    def __init__(
        self,
        center: str,
        pair: TokenPair,
        refresh: Callable[[str], Awaitable[TokenPair]],
        on_renewed: Callable[[TokenPair], Awaitable[None]],
    ) -> None:
        """Use the shared grant of a sign-in.

        center: the address of the account center.
        refresh: requests new tokens.
        on_renewed: stores new tokens; awaited before their first use.
        """
        super().__init__()
        self._center = center
        self._refresh = refresh
        self.on_renewed = on_renewed
        key = center, pair.refresh_token or pair.access_token
        grant = _GRANTS.get(key)
        if grant is None or grant.ended:
            # The reason for its end may be solved, and its holders may still exist.
            grant = _GRANTS[key] = Grant(pair)
        self._grant = grant
        self._grant.holders.add(self)

    @override
    async def _current(self) -> str:
        token = self._grant.pair.access_token
        return (await self._renewed(token) if self._grant.due else None) or token

    @override
    async def _renewed(self, refused: str) -> str | None:
        # The waiting request can be cancelled, but the answer must be stored.
        renewal = asyncio.create_task(self._renew(refused))
        _RENEWALS.add(renewal)
        renewal.add_done_callback(_forget)
        await asyncio.wait((renewal,))
        return renewal.result()

    async def _renew(self, refused: str) -> str | None:
        """Renew the tokens, unless another request has done so in the meantime."""
        grant = self._grant
        async with grant.lock:
            if grant.pair.access_token == refused:
                if grant.ended:
                    return None
                pair = await self._refreshed(grant)
                _GRANTS[self._center, pair.refresh_token] = grant
                for holder in tuple(grant.holders):
                    await holder.on_renewed(pair)
                grant.adopt(pair)
                self.renewals += 1
            return grant.pair.access_token

    async def _refreshed(self, grant: Grant) -> TokenPair:
        """Request new tokens. A rejected refresh token is not sent again."""
        try:
            return await self._refresh(grant.pair.refresh_token)
        except AuthenticationError:
            grant.ended = True
            raise
