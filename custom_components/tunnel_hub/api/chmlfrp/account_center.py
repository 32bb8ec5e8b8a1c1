"""ChmlFrp's account center: device sign-in (RFC 8628) and renewal of tokens (OAuth 2.0)."""

from asyncio import sleep
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
import time
from urllib.parse import quote_plus

from .. import coerce
from ..errors import AuthenticationError, InvalidInputError, RejectedError, UnavailableError
from ..http import Answer, Transport
from ..models.account import DeviceCode
from ..rows import Row, expected
from .auth import TokenPair

_SCOPE = "profile email offline_access chmlfrp_api"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_INTERVAL = 5.0
_ENDED = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
"""Errors after which a sign-in can never be renewed."""
_SLOWER = 5.0
"""Seconds to add to the interval when the server requests to slow down, by RFC 8628."""
_LONGEST_INTERVAL = 60.0
_DEFAULT_EXPIRES_IN = 300.0
_LONGEST_EXPIRES_IN = 3600.0
_DEFAULT_TOKEN_SECONDS = 600.0


class OAuthError(RejectedError):
    """The account center refuses a request.

    code: OAuth's error code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization(DeviceCode):
    """A sign-in that waits for the user's approval.

    interval: seconds.
    """

    device_code: str = field(repr=False)
    interval: float


class AccountCenter:
    """Sends requests to the account center for a registered program."""

    def __init__(self, transport: Transport, client_id: str, client_secret: str = "") -> None:
        """Set up with the program's id and secret; many programs have no secret."""
        self._transport = transport
        self._headers = _basic(client_id, client_secret) if client_secret else None
        self._client_id = client_id

    async def device_authorization(self) -> DeviceAuthorization:
        """/oauth2/device_authorization: start a sign-in.

        Raises InvalidInputError if the program is unknown or may not use this flow.
        """
        row = await self._ask_as_device("/oauth2/device_authorization", {"scope": _SCOPE})
        url = coerce.web_address(row.get("verification_uri_complete"))
        return DeviceAuthorization(
            device_code=expected(coerce.token(row.get("device_code")), "device code"),
            user_code=expected(coerce.text(row.get("user_code")), "user code"),
            url=expected(url or coerce.web_address(row.get("verification_uri")), "address"),
            interval=min(
                coerce.amount(row.get("interval")) or _DEFAULT_INTERVAL, _LONGEST_INTERVAL
            ),
            expires_in=min(
                coerce.amount(row.get("expires_in")) or _DEFAULT_EXPIRES_IN, _LONGEST_EXPIRES_IN
            ),
        )

    async def wait(self, authorization: DeviceAuthorization) -> TokenPair:
        """Request the tokens until the user has decided.

        Raises InvalidInputError if the user denies the sign-in, or it expires.
        """
        form = {"grant_type": _DEVICE_GRANT, "device_code": authorization.device_code}
        end = time.monotonic() + authorization.expires_in
        interval = authorization.interval
        while time.monotonic() + interval < end:
            await sleep(interval)
            try:
                return _pair(await self._ask_as_device("/oauth2/token", form))
            except OAuthError as err:
                match err.code:
                    case "authorization_pending":
                        pass
                    case "slow_down":
                        interval += _SLOWER
                    case "access_denied":
                        raise InvalidInputError("device_denied") from None
                    case "expired_token":
                        break
                    case _:
                        raise
            except UnavailableError as err:
                interval = max(min(interval * 2, _LONGEST_INTERVAL), err.retry_after or 0)
        raise InvalidInputError("device_expired")

    async def refresh(self, refresh_token: str) -> TokenPair:
        """/oauth2/token: new tokens for a refresh token, which then no longer works.

        Raises AuthenticationError for a refresh token that was already used, and if the program is
        not registered any more: the user must sign in again.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            return _pair(self._row(await self._send("/oauth2/token", form)), refresh_token)
        except OAuthError as err:
            if err.code in _ENDED:
                raise AuthenticationError(err.message) from None
            raise

    async def _send(self, path: str, form: Mapping[str, str]) -> Answer:
        form = {"client_id": self._client_id, **form}
        return await self._transport.request(
            "POST", path, form=form, headers=self._headers, read=False
        )

    async def _ask_as_device(self, path: str, form: Mapping[str, str]) -> Row:
        """Send a request that only programs with this flow may send; others get a web page."""
        answer = await self._send(path, form)
        if answer.is_html:
            raise InvalidInputError("no_device_grant")
        try:
            return self._row(answer)
        except OAuthError as err:
            match err.code:
                case "invalid_client":
                    raise InvalidInputError("unknown_client") from None
                case "unauthorized_client":
                    raise InvalidInputError("no_device_grant") from None
            raise

    def _row(self, answer: Answer) -> Row:
        row = answer.mapping()
        if (code := self._transport.redact(row.get("error"))) != "":
            raise OAuthError(code, self._transport.redact(row.get("error_description")) or code)
        return row


def _basic(client_id: str, client_secret: str) -> dict[str, str]:
    """Return the authorization header of a program with a secret (RFC 6749, 2.3.1)."""
    words = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return {"Authorization": f"Basic {b64encode(words.encode()).decode()}"}


def _pair(row: Row, refresh_token: str = "") -> TokenPair:
    """Parse new tokens.

    refresh_token: used if the answer contains no new one.
    """
    return TokenPair(
        access_token=expected(coerce.token(row.get("access_token")), "access token"),
        refresh_token=coerce.token(row.get("refresh_token")) or refresh_token,
        expires_at=time.time() + (coerce.amount(row.get("expires_in")) or _DEFAULT_TOKEN_SECONDS),
    )
