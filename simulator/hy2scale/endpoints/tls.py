"""The endpoints for certificates."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from simulator.hy2scale.keys import describe, is_authority, issue, read
from simulator.hy2scale.state import Certificate
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, decode, refuse
from simulator.service import Answer, Call, as_response

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService


@dataclass(slots=True)
class ImportPath:
    """The paths of a certificate's files."""

    id: str = ""
    name: str = ""
    cert_path: str = ""
    key_path: str = ""


@dataclass(slots=True)
class Generate:
    """A certificate to generate."""

    id: str = ""
    name: str = ""
    domains: list[str] = field(default_factory=list)
    days: int = 0
    is_ca: bool = False


@dataclass(slots=True)
class Sign:
    """A certificate to generate for the host `cn`."""

    ca_id: str = ""
    id: str = ""
    name: str = ""
    cn: str = ""
    days: int = 0


@ROUTES.on("GET", "/api/tls")
def get_certificates(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the certificates, null for none."""
    certificates = service.state.certificates
    if not certificates:
        return web.json_response(None)
    return [describe(certificates[identifier]) for identifier in sorted(certificates)]


@ROUTES.on("POST", "/api/tls/import")
def import_certificate(service: Hy2ScaleService, call: Call) -> Answer:
    """Import a certificate, with or without its key."""
    return _import(service, decode(Certificate, call))


@ROUTES.on("POST", "/api/tls/import-path")
def import_certificate_path(service: Hy2ScaleService, call: Call) -> Answer:
    """Import a certificate from the node's disk."""
    form = decode(ImportPath, call)
    if not (form.id and form.cert_path):
        raise refuse(400, "id, cert_path required")
    cert = _file(service, form.cert_path, "cert")
    key = _file(service, form.key_path, "key") if form.key_path else ""
    return _import(service, Certificate(form.id, form.name, cert, key))


@ROUTES.on("POST", "/api/tls/generate")
def generate_certificate(service: Hy2ScaleService, call: Call) -> Answer:
    """Generate a self-signed certificate, in the documented generation optionally of a CA."""
    form = decode(Generate, call)
    if not (form.id and form.domains):
        raise refuse(400, "id and domains required")
    service.state.certificates[form.id] = issue(
        service.random,
        service.now(),
        form.id,
        name=form.name,
        domains=form.domains,
        days=form.days or 365,
        is_ca=form.is_ca and service.documented,
    )
    return OK


@ROUTES.on("POST", "/api/tls/sign")
def sign_certificate(service: Hy2ScaleService, call: Call) -> Answer:
    """Generate a certificate signed by a CA of the list."""
    form = decode(Sign, call)
    if not (form.ca_id and form.id and form.cn):
        raise refuse(400, "ca_id, id, and cn required")
    authority = service.state.certificates.get(form.ca_id)
    if authority is None or not authority.key:
        raise refuse(500, f"CA cert not found: open /data/tls/{form.ca_id}.crt: no such file")
    if not is_authority(authority):
        raise refuse(500, "selected certificate is not a CA")
    service.state.certificates[form.id] = issue(
        service.random,
        service.now(),
        form.id,
        name=form.name or form.cn,
        domains=[form.cn],
        days=form.days or 7300,
        issuer=authority,
    )
    service.state.certificates[form.id].ca_parent_id = authority.id
    return OK


@ROUTES.on("GET", "/api/tls/{id}/pem")
def get_pem(service: Hy2ScaleService, call: Call) -> Answer:
    """Return a certificate and its private key, both empty if it does not exist."""
    certificate = service.state.certificates.get(call.params["id"], Certificate())
    if service.documented:
        return web.Response(text=certificate.cert)
    return as_response({"cert": certificate.cert, "key": certificate.key})


@ROUTES.on("DELETE", "/api/tls/{id}")
def delete_certificate(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a certificate; an unknown one is ignored."""
    service.state.certificates.pop(call.params["id"], None)
    return OK


def _file(service: Hy2ScaleService, path: str, kind: str) -> str:
    if path not in service.state.files:
        raise refuse(400, f"cannot read the {kind}: no file {path}")
    return service.state.files[path]


def _import(service: Hy2ScaleService, certificate: Certificate) -> Answer:
    if not (certificate.id and certificate.cert):
        raise refuse(400, "id, cert required")
    try:
        read(certificate.cert)
    except ValueError as error:
        raise refuse(400, "invalid certificate PEM") from error
    certificate.name = certificate.name or certificate.id
    service.state.certificates[certificate.id] = certificate
    return OK
