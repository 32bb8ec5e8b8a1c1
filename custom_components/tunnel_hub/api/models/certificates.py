"""TLS certificates that a service keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A TLS certificate. domains: as they stand in it. status: in the service's words.

    id: what the service knows it by, where commands need that.
    """

    domains: str
    status: str | None
    expires: datetime | None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates(Resource):
    """The certificates of an account, the next to expire first."""

    kind: ClassVar[str] = "certificates"
    part_of: ClassVar[str | None] = "account"

    certificates: tuple[Certificate, ...] = ()

    @property
    def first_expiry(self) -> datetime | None:
        """When the next of them expires, or the first did if all have."""
        return next((c.expires for c in self.certificates if c.expires), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A certificate to make, which signs itself, or an authority.

    days: how long it lasts; None leaves it to the node.
    """

    id: str
    domains: Sequence[str]
    name: str | None = None
    days: int | None = None
    is_ca: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCertificate:
    """A certificate to make for a host, signed by an authority that the node has.

    authority: its id. days: as above.
    """

    id: str
    authority: str
    host: str
    name: str | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateImport:
    """A certificate to take over: as PEM, or from files on the node's disk."""

    id: str
    name: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    key_path: str | None = None
