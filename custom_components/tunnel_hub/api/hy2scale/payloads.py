"""Converts payloads to the node's rows, with the names of both generations.

The node ignores names that it does not know. Each function returns only the given values.
"""

from datetime import date

from .. import coerce
from ..models.certificates import CertificateImport
from ..models.mesh import (
    ClientUpdate,
    ExitUpdate,
    ProxyUpdate,
    RuleUpdate,
    UserUpdate,
    WireGuardPeerUpdate,
)
from ..rows import Row


def _said(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def client_fields(payload: ClientUpdate) -> Row:
    """Return a client's row."""
    addresses = payload.addresses
    return _said(
        name=payload.name,
        addr=addresses and addresses[0],
        addrs=addresses and list(addresses),
        password=payload.password,
        sni=payload.server_name,
        insecure=payload.insecure,
        ca=payload.ca,
        max_tx=payload.max_rate_out,
        max_rx=payload.max_rate_in,
    )


def exit_fields(payload: ExitUpdate) -> Row:
    """Return the exit fields of a row.

    A single path keeps its mode if none is given, because the exit may have several addresses.
    """
    paths, mode = payload.exit_paths, payload.exit_mode
    if paths is None:
        return _said(exit_mode=mode)
    if not paths or (mode is None and len(paths) == 1):
        mode = ""
    return _said(exit_via=paths[0] if paths else "", exit_paths=list(paths), exit_mode=mode)


def user_fields(payload: UserUpdate) -> Row:
    """Return a user's row; the documented generation counts in units of 1024**3 bytes."""
    limit, day = payload.traffic_limit, _day(payload.expires)
    return {
        **_said(
            username=payload.name,
            password=payload.password,
            enabled=payload.enabled,
            traffic_limit=limit,
            traffic_limit_gb=None if limit is None else limit / coerce.GIGABYTE,
            expiry_date=day,
            expiry=day and f"{day}T00:00:00Z",
        ),
        **({"expiry": ""} if day == "" else {}),
        **exit_fields(payload),
    }


def _day(day: date | None) -> str | None:
    """Return a date in the node's format, "" for never."""
    if day is None:
        return None
    return "" if day == date.max else day.isoformat()


def rule_fields(payload: RuleUpdate) -> Row:
    """Return a rule's row."""
    return {
        **_said(
            id=payload.id,
            name=payload.name,
            type=payload.type,
            targets=None if payload.targets is None else list(payload.targets),
            enabled=payload.enabled,
            priority=payload.priority,
            use_tun=payload.use_tun,
        ),
        **exit_fields(payload),
    }


def proxy_fields(payload: ProxyUpdate) -> Row:
    """Return a proxy's row."""
    return {
        **_said(
            id=payload.id,
            protocol=payload.protocol,
            listen=payload.listen,
            enabled=payload.enabled,
            method=payload.method,
            tls_cert=payload.certificate,
        ),
        **exit_fields(payload),
    }


def wireguard_peer_fields(payload: WireGuardPeerUpdate) -> Row:
    """Return a WireGuard peer's row."""
    return {
        **_said(
            name=payload.name,
            allowed_ips=payload.address,
            keepalive=payload.keepalive,
            public_key=payload.public_key,
            private_key=payload.private_key,
        ),
        **exit_fields(payload),
    }


def import_fields(certificate: CertificateImport) -> Row:
    """Return the fields to import a certificate, as text or from files."""
    return _said(
        id=certificate.id,
        name=certificate.name,
        cert=certificate.certificate,
        key=certificate.key,
        cert_path=certificate.certificate_path,
        key_path=certificate.key_path,
    )
