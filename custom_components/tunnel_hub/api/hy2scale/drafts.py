"""From what a person says to the node's rows, in the names of both generations.

The node ignores names that it does not know; each function returns only what was said.
"""

from datetime import date

from .. import coerce
from ..models.certificates import CertificateImport
from ..models.mesh import (
    ClientDraft,
    ExitDraft,
    ProxyDraft,
    RuleDraft,
    UserDraft,
    WireGuardPeerDraft,
)
from ..rows import Row


def _said(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def client_fields(draft: ClientDraft) -> Row:
    """Return a client's row."""
    addresses = draft.addresses
    return _said(
        name=draft.name,
        addr=addresses and addresses[0],
        addrs=addresses and list(addresses),
        password=draft.password,
        sni=draft.server_name,
        insecure=draft.insecure,
        ca=draft.ca,
        max_tx=draft.max_rate_out,
        max_rx=draft.max_rate_in,
    )


def exit_fields(draft: ExitDraft) -> Row:
    """Return the part of a row that names an exit.

    One path has no way to choose unless it is said: the exit may have several addresses.
    """
    paths, mode = draft.exit_paths, draft.exit_mode
    if paths is None:
        return _said(exit_mode=mode)
    if not paths or (mode is None and len(paths) == 1):
        mode = ""
    return _said(exit_via=paths[0] if paths else "", exit_paths=list(paths), exit_mode=mode)


def user_fields(draft: UserDraft) -> Row:
    """Return a user's row; the documented generation counts in units of 1024**3 bytes."""
    limit, day = draft.traffic_limit, _day(draft.expires)
    return {
        **_said(
            username=draft.name,
            password=draft.password,
            enabled=draft.enabled,
            traffic_limit=limit,
            traffic_limit_gb=None if limit is None else limit / coerce.GIGABYTE,
            expiry_date=day,
            expiry=day and f"{day}T00:00:00Z",
        ),
        **({"expiry": ""} if day == "" else {}),
        **exit_fields(draft),
    }


def _day(day: date | None) -> str | None:
    """Return a date as the node writes it, "" for never."""
    if day is None:
        return None
    return "" if day == date.max else day.isoformat()


def rule_fields(draft: RuleDraft) -> Row:
    """Return a rule's row."""
    return {
        **_said(
            id=draft.id,
            name=draft.name,
            type=draft.type,
            targets=None if draft.targets is None else list(draft.targets),
            enabled=draft.enabled,
            priority=draft.priority,
            use_tun=draft.use_tun,
        ),
        **exit_fields(draft),
    }


def proxy_fields(draft: ProxyDraft) -> Row:
    """Return a proxy's row."""
    return {
        **_said(
            id=draft.id,
            protocol=draft.protocol,
            listen=draft.listen,
            enabled=draft.enabled,
            method=draft.method,
            tls_cert=draft.certificate,
        ),
        **exit_fields(draft),
    }


def wireguard_peer_fields(draft: WireGuardPeerDraft) -> Row:
    """Return a WireGuard peer's row."""
    return {
        **_said(
            name=draft.name,
            allowed_ips=draft.address,
            keepalive=draft.keepalive,
            public_key=draft.public_key,
            private_key=draft.private_key,
        ),
        **exit_fields(draft),
    }


def import_fields(certificate: CertificateImport) -> Row:
    """Return what takes a certificate over, as text or from files."""
    return _said(
        id=certificate.id,
        name=certificate.name,
        cert=certificate.certificate,
        key=certificate.key,
        cert_path=certificate.certificate_path,
        key_path=certificate.key_path,
    )
