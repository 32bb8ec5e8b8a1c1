"""Actions for TLS certificates."""

from typing import Any

from homeassistant.const import CONF_HOST, CONF_ID, CONF_NAME
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.collections import CertificateCollection
from ..api.models.certificates import (
    CertificateImport,
    Certificates,
    NewCertificate,
    SignedCertificate,
)
from .base import Action, ActionTarget, payload_of

_CERTIFICATE: dict[vol.Marker, Any] = {vol.Required(CONF_ID): cv.string}
_NEW_CERTIFICATE: dict[vol.Marker, Any] = {
    **_CERTIFICATE,
    vol.Optional(CONF_NAME): cv.string,
    vol.Optional("days"): cv.positive_int,
}


def _creating(payload: type[Any], fields: dict[vol.Marker, Any]) -> Action:
    async def _create(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
        await target.collection(payload).create(payload_of(payload, data))
        return None

    return Action(run=_create, edits=payload, fields=fields, admin=True, changes=(Certificates,))


async def _delete_certificate(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.collection(CertificateImport).delete(data[CONF_ID])
    return None


async def _get_certificate(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    certificates = capable(target.collection(CertificateImport), CertificateCollection)
    return {"certificate": await certificates.pem(data[CONF_ID])}


CERTIFICATE_ACTIONS: dict[str, Action] = {
    "delete_certificate": Action(
        run=_delete_certificate,
        edits=CertificateImport,
        fields=_CERTIFICATE,
        admin=True,
        changes=(Certificates,),
    ),
    "generate_certificate": _creating(
        NewCertificate,
        {
            **_NEW_CERTIFICATE,
            vol.Required("domains"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("is_ca", default=False): cv.boolean,
        },
    ),
    "get_certificate": Action(
        run=_get_certificate,
        edits=CertificateImport,
        fields=_CERTIFICATE,
        response=SupportsResponse.ONLY,
    ),
    "import_certificate": _creating(
        CertificateImport,
        {
            **_CERTIFICATE,
            vol.Optional(CONF_NAME): cv.string,
            vol.Optional("certificate"): cv.string,
            vol.Optional("key"): cv.string,
            vol.Optional("certificate_path"): cv.string,
            vol.Optional("key_path"): cv.string,
        },
    ),
    "sign_certificate": _creating(
        SignedCertificate,
        {
            **_NEW_CERTIFICATE,
            vol.Required("authority"): cv.string,
            vol.Required(CONF_HOST): cv.string,
        },
    ),
}
