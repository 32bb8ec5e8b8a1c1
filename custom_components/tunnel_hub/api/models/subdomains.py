"""Subdomains of a service's domains."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subdomain:
    """A subdomain: record.domain.

    type: A, AAAA, CNAME or SRV. target: an address or a name. ttl: as the service offers it.
    """

    domain: str
    record: str
    type: str | None = None
    target: str | None = None
    ttl: str | None = None
    remarks: str | None = None

    @property
    def id(self) -> str:
        """The full name."""
        return f"{self.record}/{self.domain}"
