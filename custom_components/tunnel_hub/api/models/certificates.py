"""TLS certificates: resources and payloads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A TLS certificate.

    domains: as in the certificate. status: in the service's words.
    id: the id at the service, if commands need it.
    """

    domains: str
    status: str | None
    expires: datetime | None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates(Resource):
    """The certificates of an account, sorted by expiry date."""

    kind: ClassVar[str] = "certificates"
    part_of: ClassVar[str | None] = "account"

    certificates: tuple[Certificate, ...] = ()

    @property
    def first_expiry(self) -> datetime | None:
        """The next expiry date, or the first one if all have expired."""
        return next((c.expires for c in self.certificates if c.expires), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A self-signed certificate, or a certificate authority, to create.

    days: its validity; None: chosen by the node.
    """

    id: str
    domains: Sequence[str]
    name: str | None = None
    days: int | None = None
    is_ca: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCertificate:
    """A certificate to create that an authority of the node signs.

    authority: its id. days: as above.
    """

    id: str
    authority: str
    host: str
    name: str | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateImport:
    """A certificate to import: as PEM, or from files of the node."""

    id: str
    name: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    key_path: str | None = None
