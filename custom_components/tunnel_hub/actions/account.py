"""Actions for an account."""

from dataclasses import asdict
from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse

from ..api.errors import UnsupportedError
from ..api.provider import CanListDownloads, CanResetToken
from ..api.resource import Account
from .base import Action, Target


async def _sign_in(target: Target, _: dict[str, Any]) -> ServiceResponse:
    if target.data.sign_in is None:
        raise UnsupportedError
    return asdict(await target.data.sign_in.async_sign_in())


async def _retoken(target: Target, _: dict[str, Any]) -> ServiceResponse:
    token = await target.capable(CanResetToken).reset_token()
    return {"link_token": token}


async def _list_downloads(target: Target, _: dict[str, Any]) -> ServiceResponse:
    downloads = await target.capable(CanListDownloads).downloads()
    return {"downloads": [{**asdict(file), "urls": list(file.urls)} for file in downloads]}


ACCOUNT_ACTIONS: dict[str, Action] = {
    "list_downloads": Action(run=_list_downloads, response=SupportsResponse.ONLY),
    # The session ends with the token: reading the account back signs in again.
    "retoken": Action(
        run=_retoken, admin=True, changes=(Account,), response=SupportsResponse.OPTIONAL
    ),
    "sign_in": Action(run=_sign_in, response=SupportsResponse.OPTIONAL),
}
