"""Free subdomains: conversion and commands."""

from contextlib import suppress

from .. import coerce
from ..errors import InvalidInputError
from ..models.subdomains import Subdomain
from ..rows import Row
from ..time_slices import iterate
from .client import ChmlFrpClient, GoneError

TTLS = {
    "1m": "1分钟",
    "2m": "2分钟",
    "5m": "5分钟",
    "10m": "10分钟",
    "15m": "15分钟",
    "30m": "30分钟",
    "1h": "1小时",
    "2h": "2小时",
    "5h": "5小时",
    "12h": "12小时",
    "1d": "1天",
}
"""The lifetimes of a record, and the service's words for them."""

_OURS = {theirs: ours for ours, theirs in TTLS.items()}
_DEFAULT_TTL = "10m"
_TYPES = ("A", "AAAA", "CNAME", "SRV")


def subdomain(row: Row) -> Subdomain:
    """Parse a subdomain."""
    ttl = coerce.text(row.get("ttl")) or ""
    return Subdomain(
        domain=coerce.text(row.get("domain")) or "",
        record=coerce.text(row.get("record")) or "",
        type=coerce.text(row.get("type")),
        target=coerce.text(row.get("target")),
        ttl=_OURS.get(ttl, ttl) or None,
        remarks=coerce.text(row.get("remarks")),
    )


def new_fields(new: Subdomain) -> dict[str, str]:
    """Return all fields of a new subdomain; raises InvalidInputError."""
    type_ = (new.type or "").upper()
    if type_ not in _TYPES:
        raise InvalidInputError("unknown_record_type", type=type_, known=", ".join(_TYPES))
    return {**_fields(new), "type": type_}


def changed_fields(old: Subdomain, changes: Subdomain) -> dict[str, str]:
    """Return all fields of an update: the changes, otherwise the current values."""
    return _fields(
        Subdomain(
            domain=old.domain,
            record=old.record,
            target=changes.target or old.target,
            ttl=changes.ttl or old.ttl,
            remarks=changes.remarks or old.remarks,
        )
    )


def _fields(subdomain: Subdomain) -> dict[str, str]:
    ttl = subdomain.ttl or _DEFAULT_TTL
    if ttl not in TTLS:
        raise InvalidInputError("unknown_ttl", ttl=ttl, known=", ".join(TTLS))
    return {
        "domain": subdomain.domain,
        "record": subdomain.record,
        "target": subdomain.target or "",
        "ttl": TTLS[ttl],
        "remarks": subdomain.remarks or "",
    }


class SubdomainCommands:
    """The free subdomains of an account."""

    _client: ChmlFrpClient

    async def domains(self) -> tuple[str, ...]:
        """Return the domains for subdomains."""
        rows = await self._client.list_available_domains()
        named = [coerce.text(row.get("domain")) async for row in iterate(rows)]
        return tuple(filter(None, named))

    async def subdomains(self) -> tuple[Subdomain, ...]:
        """Return the subdomains of the account."""
        rows = await self._client.get_user_free_subdomains()
        return tuple([subdomain(row) async for row in iterate(rows)])

    async def create_subdomain(self, subdomain: Subdomain) -> str:
        """Create a subdomain and return its id."""
        await self._client.create_free_subdomain(new_fields(subdomain))
        return subdomain.id

    async def update_subdomain(self, subdomain_id: str, changes: Subdomain) -> None:
        """Change target, ttl or remarks, which is all that the service allows."""
        for old in await self.subdomains():
            if old.id == subdomain_id:
                fields = changed_fields(old, changes)
                return await self._client.update_free_subdomain(fields)
        raise InvalidInputError("unknown_subdomain", name=f"{changes.record}.{changes.domain}")

    async def delete_subdomain(self, subdomain_id: str) -> None:
        """Delete a subdomain; succeeds if it does not exist."""
        with suppress(GoneError):
            record, _, domain = subdomain_id.partition("/")
            await self._client.delete_free_subdomain(domain, record)
