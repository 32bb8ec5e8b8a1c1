"""Actions for subdomains."""

from dataclasses import asdict
from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.collections import SubdomainCollection
from ..api.models.subdomains import Subdomain
from .base import Action, ActionTarget, payload_of

_NAME: dict[vol.Marker, Any] = {
    vol.Required("domain"): cv.string,
    vol.Required("record"): cv.string,
}


async def _list_domains(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    names = capable(target.collection(Subdomain), SubdomainCollection)
    return {
        "domains": list(await names.domains()),
        "subdomains": [asdict(subdomain) for subdomain in await names.list()],
    }


async def _create_subdomain(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.collection(Subdomain).create(payload_of(Subdomain, data))
    return None


async def _update_subdomain(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    changes = payload_of(Subdomain, data)
    await target.collection(Subdomain).update(changes.id, changes)
    return None


async def _delete_subdomain(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.collection(Subdomain).delete(payload_of(Subdomain, data).id)
    return None


SUBDOMAIN_ACTIONS: dict[str, Action] = {
    "create_subdomain": Action(
        run=_create_subdomain,
        edits=Subdomain,
        fields={
            **_NAME,
            vol.Required("type"): cv.string,
            vol.Required("target"): cv.string,
            vol.Optional("ttl"): cv.string,
            vol.Optional("remarks"): cv.string,
        },
        admin=True,
    ),
    "delete_subdomain": Action(run=_delete_subdomain, edits=Subdomain, fields=_NAME, admin=True),
    "list_domains": Action(
        run=_list_domains, edits=Subdomain, admin=True, response=SupportsResponse.ONLY
    ),
    "update_subdomain": Action(
        run=_update_subdomain,
        edits=Subdomain,
        fields={
            **_NAME,
            vol.Optional("target"): cv.string,
            vol.Optional("ttl"): cv.string,
            vol.Optional("remarks"): cv.string,
        },
        admin=True,
    ),
}
