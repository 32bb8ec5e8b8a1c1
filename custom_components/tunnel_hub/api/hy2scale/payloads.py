"""Converts payloads to the node's rows, with the names of both generations.

The node ignores names that it does not know.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from .. import coerce
from ..models.certificates import CertificateImport
from ..models.mesh import (
    ClientUpdate,
    ExitUpdate,
    MeshUpdate,
    ProxyUpdate,
    UserUpdate,
    WireGuardPeerUpdate,
)
from ..rows import Row

_NAMES: Mapping[type, Mapping[str, str]] = {
    CertificateImport: {"certificate": "cert", "certificate_path": "cert_path"},
    ClientUpdate: {"server_name": "sni", "max_rate_in": "max_rx", "max_rate_out": "max_tx"},
    ProxyUpdate: {"certificate": "tls_cert"},
    UserUpdate: {"name": "username"},
    WireGuardPeerUpdate: {"address": "allowed_ips"},
}
"""The names of the node that differ from those of a payload."""


def _addresses(addresses: tuple[str, ...]) -> Row:
    return {"addr": addresses and addresses[0], "addrs": list(addresses)}


def _expires(day: date) -> Row:
    """Return a date in the formats of the node, "" for never."""
    known = "" if day == date.max else day.isoformat()
    return {"expiry_date": known, "expiry": known and f"{known}T00:00:00Z"}


def _traffic_limit(limit: int) -> Row:
    """Return bytes; the documented generation counts in units of 1024**3."""
    return {"traffic_limit": limit, "traffic_limit_gb": limit / coerce.GIGABYTE}


def _exit_paths(paths: tuple[str, ...]) -> Row:
    """Return the exit paths; a mode only applies to several, or to one with several addresses.

    If a mode is given, it is the next field and replaces the empty one.
    """
    known = {"exit_via": paths[0] if paths else "", "exit_paths": list(paths)}
    return known if len(paths) > 1 else {**known, "exit_mode": ""}


_SEVERAL: Mapping[str, Callable[[Any], Row]] = {
    "addresses": _addresses,
    "exit_paths": _exit_paths,
    "expires": _expires,
    "targets": lambda targets: {"targets": list(targets)},
    "traffic_limit": _traffic_limit,
}
"""Values that are not sent as they are, or in several fields."""


def row_fields(payload: CertificateImport | ExitUpdate | MeshUpdate) -> Row:
    """Return the given values of a payload as fields of a row."""
    names = _NAMES.get(type(payload), {})
    row: dict[str, object] = {}
    for name in (field.name for field in fields(payload)):
        if (value := getattr(payload, name)) is not None:
            convert = _SEVERAL.get(name)
            row |= convert(value) if convert else {names.get(name, name): value}
    if row.get("exit_paths") == []:
        # Without a path, there is no mode either.
        row["exit_mode"] = ""
    return row
