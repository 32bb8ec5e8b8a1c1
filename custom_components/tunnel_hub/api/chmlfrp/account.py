"""Commands for a ChmlFrp account: sign-in, registration and changes."""

from contextlib import suppress
from functools import partial
import re
from typing import override

from .. import coerce
from ..capabilities.account import (
    CanRegister,
    CanResetToken,
    CanSendCode,
    CanSignInByDevice,
    CanSignInWithCaptcha,
    CanUpdateAccount,
)
from ..errors import AuthenticationError, InvalidInputError, UnsupportedError
from ..models.account import AccountChanges, Captcha, DeviceCode, NewAccount, SignInResult
from ..provider import Credentials, Provider
from .account_center import AccountCenter, DeviceAuthorization
from .client import AlreadySignedInError, ChmlFrpClient, CodeWantedError

_POINTS = re.compile(r"\d+")


class AccountCommands(
    Provider,
    CanRegister,
    CanResetToken,
    CanSendCode,
    CanSignInByDevice,
    CanSignInWithCaptcha,
    CanUpdateAccount,
):
    """The commands of an account."""

    _authorization: DeviceAuthorization | None = None
    _center: AccountCenter
    _client: ChmlFrpClient

    @override
    async def begin_device_sign_in(self) -> DeviceCode:
        self._authorization = await self._center.device_authorization()
        return self._authorization

    @override
    async def finish_device_sign_in(self) -> Credentials:
        if self._authorization is None:
            raise UnsupportedError
        pair = await self._center.wait(self._authorization)
        return {**self.credentials, **pair.to_store()}

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        await self._client.sendmailcode("register", new.mail)
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        self._transport.secrets.add(new.password)
        await self._client.register(new.username, new.password, new.mail, new.contact or "", code)

    @override
    async def send_code(self) -> None:
        mail = coerce.identifier((await self._client.userinfo()).get("email"))
        if mail is None:
            raise InvalidInputError("no_mail_address")
        await self._client.sendmailcode("retoken", mail)

    @override
    async def reset_token(self, code: str | None = None) -> str | None:
        try:
            await self._client.retoken(code)
        except CodeWantedError:
            raise InvalidInputError("code_needed") from None
        with suppress(AuthenticationError):
            return coerce.token((await self._client.userinfo()).get("usertoken"))
        return None

    @override
    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        try:
            message = await self._client.qiandao(captcha)
        except AlreadySignedInError as err:
            return SignInResult(already=True, message=err.message)
        points = _POINTS.search(message)
        return SignInResult(
            already=False, message=message, points=coerce.count(points[0]) if points else None
        )

    @override
    async def update_account(self, changes: AccountChanges) -> None:
        """Change username, QQ number, picture and password, in this order."""
        if changes.password and not changes.current_password:
            raise InvalidInputError("current_password_needed")
        if changes.username:
            await self._client.update_username(
                changes.username, partial(self._keep_if_stored, "username", changes.username)
            )
        if changes.contact:
            await self._client.update_qq(changes.contact)
        if changes.picture:
            await self._client.update_userimg(changes.picture)
        if changes.password and changes.current_password:
            self._transport.secrets.add(changes.password, changes.current_password)
            await self._client.reset_password(
                changes.current_password,
                changes.password,
                partial(self._keep_if_stored, "password", changes.password),
            )

    async def _keep_if_stored(self, name: str, value: str) -> None:
        if name in self.credentials:
            await self.keep({name: value})
