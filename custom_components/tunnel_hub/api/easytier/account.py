"""What can be done with an account at a node manager: register it, replace its token."""

from contextlib import suppress
from typing import override

from yarl import URL

from .. import coerce
from ..capabilities.account import CanRegister, CanResetToken
from ..errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..models.account import NewAccount
from ..provider import Provider
from ..rows import expected
from ..tokens import LoginTokens
from .client import EasyTierClient

_NOT_INITIALIZED = "尚未初始化"
"""What a server says to new accounts whose tables were made by hand: it has no administrator, but
says that it is initialized."""


class AccountCommands(Provider, CanRegister, CanResetToken):
    """The commands of an account."""

    _client: EasyTierClient
    _login_tokens: LoginTokens

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        """Make an account; whether its address must be proved before it can be used.

        A server that can send no mail tells the token that would have been in it.
        """
        self._transport.secrets.add(new.password)
        try:
            row = await self._client.register(new.mail, new.password)
        except RejectedError as err:
            if _NOT_INITIALIZED in err.message:
                raise InvalidInputError("no_administrator") from None
            raise
        if "warning" in row and (token := coerce.token(row.get("verification_token"))):
            self._transport.secrets.add(token)
            await self._client.verify(token)
        return not await self._can_sign_in(new)

    @override
    async def resend_registration_code(self, new: NewAccount) -> bool:
        """Have another mail sent; whether the address must still be proved.

        To make the account again does the same, for servers that cannot do it otherwise or that
        can send no mail.
        """
        self._transport.secrets.add(new.password)
        if await self._can_sign_in(new):
            return False
        try:
            await self._client.resend_verification(new.mail)
        except RejectedError, UnavailableError, UnsupportedError:
            return await self.begin_registration(new)
        return True

    async def _can_sign_in(self, new: NewAccount) -> bool:
        try:
            await self._client.login(new.mail, new.password)
        except AuthenticationError:
            return False
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Prove the address. code: the mailed token, or the whole link with it."""
        with suppress(ValueError):
            code = URL(code.strip()).query.get("token", code)
        await self._client.verify(code.strip())

    @override
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the session token, which nobody else needs; some servers give the same again."""
        await self._login_tokens.adopt(expected(await self._client.reset_token(), "token"))
        return None

    async def lacks_administrator(self) -> bool:
        """Ask for an account without an address, which no server makes, to hear why not."""
        try:
            await self._client.register("", "")
        except RejectedError as err:
            return _NOT_INITIALIZED in err.message
        except TunnelHubError:
            pass
        return False
