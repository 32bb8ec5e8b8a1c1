"""The tokens of an approved sign-in.

Refresh tokens of an approved sign-in work once, and a refresh ends the access token before it.
So all who hold the same sign-in in this process share one Grant: they wait for the same
refresh, and the new pair is stored before anyone uses it.
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
"""Seconds before its end at which an access token is replaced, at random between these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What the account center gives.

    refresh_token: "" where it gave none. expires_at: end of the access token, seconds since 1970.
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
    """One approved sign-in. holders: who stores its tokens. ended: it gives no more of them."""

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
        """Whether the access token is about to end, and there can be another."""
        return time.time() >= self._renew_at and not self.ended


_GRANTS: WeakValueDictionary[tuple[str, str], Grant] = WeakValueDictionary()
"""Those in use, by account center and refresh token, also by those that are used up."""

_RENEWALS: set[asyncio.Task[str | None]] = set()
"""Those under way: the event loop itself would let them be forgotten."""


def _forget(renewal: asyncio.Task[str | None]) -> None:
    _RENEWALS.discard(renewal)
    if not renewal.cancelled():
        # If nobody waits any more, nobody needs to hear of a failure.
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
        """Share the sign-in with those that hold it already.

        center: the account center's address. refresh: asks it for a new pair.
        on_renewed: stores a new pair; awaited before its first use.
        """
        super().__init__()
        self._center = center
        self._refresh = refresh
        self.on_renewed = on_renewed
        key = center, pair.refresh_token or pair.access_token
        grant = _GRANTS.get(key)
        if grant is None or grant.ended:
            # Whatever ended it may have been mended, and who had it may still be there.
            grant = _GRANTS[key] = Grant(pair)
        self._grant = grant
        self._grant.holders.add(self)

    @override
    async def _current(self) -> str:
        token = self._grant.pair.access_token
        return (await self._renewed(token) if self._grant.due else None) or token

    @override
    async def _renewed(self, refused: str) -> str | None:
        # Whoever waits may be cancelled; the answer must be stored all the same.
        renewal = asyncio.create_task(self._renew(refused))
        _RENEWALS.add(renewal)
        renewal.add_done_callback(_forget)
        await asyncio.wait((renewal,))
        return renewal.result()

    async def _renew(self, refused: str) -> str | None:
        """Refresh, unless another request has done so in the meantime."""
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
        """Ask for a new pair; one that is refused is not asked for again."""
        try:
            return await self._refresh(grant.pair.refresh_token)
        except AuthenticationError:
            grant.ended = True
            raise
