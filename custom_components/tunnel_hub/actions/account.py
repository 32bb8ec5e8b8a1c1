"""Actions for an account."""

from dataclasses import asdict
from typing import Any

from homeassistant.const import CONF_CODE, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.account import (
    CanGetTrafficHistory,
    CanResetToken,
    CanSendCode,
    CanSignIn,
    CanSignInWithCaptcha,
    CanUpdateAccount,
)
from ..api.capabilities.mesh import MeshNode
from ..api.capabilities.nodes import CanAskNodes
from ..api.capabilities.service import CanGetAppVersion, CanListDownloads
from ..api.errors import InvalidInputError, UnsupportedError
from ..api.models.account import Account, AccountChanges, Captcha, SignInStatistics
from ..api.models.tunnels import Tunnel
from ..const import CONF_CONTACT
from ..sign_in import SignIn
from .base import Action, ActionTarget, payload_of

_CAPTCHA = tuple(Captcha.__dataclass_fields__)
_CHANGES: dict[vol.Marker, Any] = {
    vol.Optional(CONF_USERNAME): cv.string,
    vol.Optional(CONF_CONTACT): cv.string,
    vol.Optional("picture"): cv.url,
    vol.Optional(CONF_PASSWORD): cv.string,
    vol.Optional("current_password"): cv.string,
}


async def _sign_in(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    if isinstance(target.data.provider, CanSignIn):
        return asdict(await capable(target.data.sign_in, SignIn).async_sign_in())
    service = target.capable(CanSignInWithCaptcha)
    if not all(data.get(name) for name in _CAPTCHA):
        raise InvalidInputError("captcha_needed")
    return asdict(await service.sign_in_with_captcha(payload_of(Captcha, data)))


async def _send_code(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanSendCode).send_code()
    return None


async def _retoken(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    token = await target.capable(CanResetToken).reset_token(data.get(CONF_CODE))
    return {"link_token": token}


async def _update_account(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanUpdateAccount).update_account(payload_of(AccountChanges, data))
    return None


async def _list_downloads(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    downloads = await target.capable(CanListDownloads).downloads()
    return {"downloads": [{**asdict(file), "urls": list(file.urls)} for file in downloads]}


async def _get_app_version(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    service = target.capable(CanGetAppVersion)
    return dict(await service.app_version(data["loader"], data["minecraft"], data["kind"]))


async def _get_traffic_history(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    tunnel_id = target.key.id if target.key.kind == Tunnel.kind else None
    days = await target.capable(CanGetTrafficHistory).traffic_history(tunnel_id)
    return {"days": [asdict(day) for day in days]}


async def _import_history(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    if not isinstance(target.data.provider, CanAskNodes | CanGetTrafficHistory | MeshNode):
        raise UnsupportedError
    return {"rows": await target.data.history.async_import()}


ACCOUNT_ACTIONS: dict[str, Action] = {
    "get_app_version": Action(
        run=_get_app_version,
        fields={
            vol.Required("loader"): cv.string,
            vol.Required("minecraft"): cv.string,
            vol.Required("kind"): cv.string,
        },
        response=SupportsResponse.ONLY,
    ),
    "get_traffic_history": Action(
        run=_get_traffic_history,
        kinds=(Account.kind, Tunnel.kind),
        response=SupportsResponse.ONLY,
    ),
    "import_history": Action(run=_import_history, admin=True, response=SupportsResponse.OPTIONAL),
    "list_downloads": Action(run=_list_downloads, response=SupportsResponse.ONLY),
    # The session ends with the token, so the next request signs in again.
    "retoken": Action(
        run=_retoken,
        fields={vol.Optional(CONF_CODE): cv.string},
        admin=True,
        changes=(Account,),
        response=SupportsResponse.OPTIONAL,
    ),
    "send_code": Action(run=_send_code, admin=True),
    "sign_in": Action(
        run=_sign_in,
        fields={vol.Optional(name): cv.string for name in _CAPTCHA},
        changes=(Account, SignInStatistics),
        response=SupportsResponse.OPTIONAL,
    ),
    "update_account": Action(run=_update_account, fields=_CHANGES, admin=True, changes=(Account,)),
}
