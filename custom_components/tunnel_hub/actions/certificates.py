"""Actions for the TLS certificates that a service keeps."""

from typing import Any

from homeassistant.const import CONF_HOST, CONF_ID, CONF_NAME
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities.certificates import CanManageCertificates
from ..api.models.certificates import CertificateImport, Certificates
from .base import Action, Target

_CERTIFICATE: dict[vol.Marker, Any] = {vol.Required(CONF_ID): cv.string}
_NEW_CERTIFICATE: dict[vol.Marker, Any] = {
    **_CERTIFICATE,
    vol.Optional(CONF_NAME): cv.string,
    vol.Optional("days"): cv.positive_int,
}


async def _import_certificate(target: Target, data: dict[str, Any]) -> ServiceResponse:
    fields = {name: data[name] for name in CertificateImport.__dataclass_fields__ if name in data}
    await target.capable(CanManageCertificates).import_certificate(CertificateImport(**fields))
    return None


async def _generate_certificate(target: Target, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanManageCertificates).generate_certificate(
        data[CONF_ID],
        data["domains"],
        name=data.get(CONF_NAME),
        days=data.get("days"),
        is_ca=data["is_ca"],
    )
    return None


async def _sign_certificate(target: Target, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanManageCertificates).sign_certificate(
        data[CONF_ID],
        data["authority"],
        data[CONF_HOST],
        name=data.get(CONF_NAME),
        days=data.get("days"),
    )
    return None


async def _delete_certificate(target: Target, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanManageCertificates).delete_certificate(data[CONF_ID])
    return None


async def _get_certificate(target: Target, data: dict[str, Any]) -> ServiceResponse:
    return {
        "certificate": await target.capable(CanManageCertificates).certificate_pem(data[CONF_ID])
    }


CERTIFICATE_ACTIONS: dict[str, Action] = {
    "delete_certificate": Action(
        run=_delete_certificate, fields=_CERTIFICATE, admin=True, changes=(Certificates,)
    ),
    "generate_certificate": Action(
        run=_generate_certificate,
        fields={
            **_NEW_CERTIFICATE,
            vol.Required("domains"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("is_ca", default=False): cv.boolean,
        },
        admin=True,
        changes=(Certificates,),
    ),
    "get_certificate": Action(
        run=_get_certificate, fields=_CERTIFICATE, response=SupportsResponse.ONLY
    ),
    "import_certificate": Action(
        run=_import_certificate,
        fields={
            **_CERTIFICATE,
            vol.Optional(CONF_NAME): cv.string,
            vol.Optional("certificate"): cv.string,
            vol.Optional("key"): cv.string,
            vol.Optional("certificate_path"): cv.string,
            vol.Optional("key_path"): cv.string,
        },
        admin=True,
        changes=(Certificates,),
    ),
    "sign_certificate": Action(
        run=_sign_certificate,
        fields={
            **_NEW_CERTIFICATE,
            vol.Required("authority"): cv.string,
            vol.Required(CONF_HOST): cv.string,
        },
        admin=True,
        changes=(Certificates,),
    ),
}
