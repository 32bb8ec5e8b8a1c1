"""Commands for an account at a node manager: registration and session token."""

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
"""The message for registrations if the database was created manually: there is no administrator,
but the server reports that it is initialized.
"""


class AccountCommands(Provider, CanRegister, CanResetToken):
    """The commands of an account."""

    _client: EasyTierClient
    _login_tokens: LoginTokens

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        """Create an account; return whether its address must be confirmed before use.

        A server that cannot send email returns the token that would be in it.
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
        """Send another email; return whether the address must still be confirmed.

        Registering again has the same effect on servers that do not support this.
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
        """Confirm the address.

        code: the token in the email, or the whole link.
        """
        with suppress(ValueError):
            code = URL(code.strip()).query.get("token", code)
        await self._client.verify(code.strip())

    @override
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the session token; some servers return the same one again."""
        await self._login_tokens.adopt(expected(await self._client.reset_token(), "token"))
        return None

    async def lacks_administrator(self) -> bool:
        """Try to register without an address, which no server accepts, to read the message."""
        try:
            await self._client.register("", "")
        except RejectedError as err:
            return _NOT_INITIALIZED in err.message
        except TunnelHubError:
            pass
        return False
