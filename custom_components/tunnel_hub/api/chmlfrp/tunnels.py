"""What a tunnel may be at ChmlFrp: a payload made whole, and checked before the service sees it."""

from collections.abc import Mapping
import re

from .. import coerce
from ..errors import InvalidInputError
from ..models.tunnels import TunnelUpdate
from ..ports import check_port
from ..rows import Row
from .models import (
    FREE_GROUP,
    LISTED_NODE,
    VIP,
    WEB_PROTOCOLS,
    node_ports,
    public_domain,
    public_port,
)

PROTOCOLS = ("tcp", "udp", *WEB_PROTOCOLS)
_NAME = re.compile(r"[A-Za-z0-9_]+")
ANY_PORT = 0
"""The service chooses one of the node's."""


def tunnel_fields(payload: TunnelUpdate, row: Row, node: str) -> dict[str, object]:
    """All fields of a tunnel in the service's words: the payload's, else the row's.

    row: the tunnel as it is, empty for a new one; an update loses what is not sent.
    node: the name of the node. Raises InvalidInputError for what cannot be.
    """
    name = _chosen(payload.name, row, "name")
    if not _NAME.fullmatch(name):
        raise InvalidInputError("tunnel_name_characters", name=name)
    protocol = _chosen(payload.protocol, row, "type").lower()
    if protocol not in PROTOCOLS:
        raise InvalidInputError("unknown_protocol", protocol=protocol, known=", ".join(PROTOCOLS))
    return {
        "tunnelname": name,
        "node": node,
        "localip": _chosen(payload.local_host, row, "localip") or "127.0.0.1",
        "porttype": protocol,
        "localport": _local_port(payload, row),
        **_public(payload, row, protocol),
        "encryption": _flag(payload.encryption, row, "encryption"),
        "compression": _flag(payload.compression, row, "compression"),
        "extraparams": _chosen(payload.extra_parameters, row, "ap"),
    }


def check_node(fields: Mapping[str, object], node: Row, group: str | None) -> None:
    """Raise InvalidInputError where a node does not take such a tunnel.

    node: its row in the list, or its details. group: the account's.
    """
    name, protocol = str(fields["node"]), str(fields["porttype"])
    if coerce.text(node.get("nodegroup")) == VIP and group == FREE_GROUP:
        raise InvalidInputError("vip_node", node=name)
    listed = LISTED_NODE.one(node)
    if listed and listed.protocols and protocol not in listed.protocols:
        raise InvalidInputError("protocol_not_at_node", node=name, protocol=protocol)
    possible = node_ports(node)
    if possible and fields.get("remoteport") not in (None, ANY_PORT):
        check_port(fields["remoteport"], possible)


def _chosen(value: str | None, row: Row, name: str) -> str:
    return value if value is not None else coerce.verbatim(row.get(name)) or ""


def _flag(value: bool | None, row: Row, name: str) -> bool:
    return value if value is not None else bool(coerce.boolean(row.get(name)))


def _local_port(payload: TunnelUpdate, row: Row) -> int | None:
    port = payload.local_port if payload.local_port is not None else coerce.count(row.get("nport"))
    check_port(port)
    return port


def _public(payload: TunnelUpdate, row: Row, protocol: str) -> dict[str, object]:
    """Either a domain or a port, never both."""
    if protocol in WEB_PROTOCOLS:
        if payload.remote_port is not None:
            raise InvalidInputError("no_remote_port", protocol=protocol)
        if (domain := payload.domain or public_domain(row)) is None:
            raise InvalidInputError("domain_needed", protocol=protocol)
        return {"banddomain": domain}
    if payload.domain:
        raise InvalidInputError("no_domain", protocol=protocol)
    port = payload.remote_port if payload.remote_port is not None else public_port(row)
    if port is None:
        raise InvalidInputError("remote_port_needed", protocol=protocol)
    if port != ANY_PORT:
        check_port(port)
    return {"remoteport": port}
