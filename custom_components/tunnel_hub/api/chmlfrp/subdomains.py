"""Free subdomains, in the service's words and in ours."""

from .. import coerce
from ..errors import InvalidInputError
from ..models.subdomains import Subdomain
from ..rows import Row

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
"""How long a record may live: our word, the service's."""

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
    """All fields of a new name; raises InvalidInputError for what cannot be."""
    type_ = (new.type or "").upper()
    if type_ not in _TYPES:
        raise InvalidInputError("unknown_record_type", type=type_, known=", ".join(_TYPES))
    return {**_fields(new), "type": type_}


def changed_fields(old: Subdomain, changes: Subdomain) -> dict[str, str]:
    """All fields that an update takes: the changes, else what is there."""
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
