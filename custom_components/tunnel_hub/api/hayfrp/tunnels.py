"""Completes and validates the fields of a tunnel before they are sent."""

from collections.abc import Mapping

from .. import coerce
from ..errors import InvalidInputError
from ..models.tunnels import TunnelUpdate
from ..ports import check_port
from ..rows import Row

PROTOCOLS = ("tcp", "udp", "http", "https", "stcp", "xtcp")
_PORTLESS = frozenset({"http", "https", "stcp", "xtcp"})
"""Protocols without a port at the node."""
_NAME_LENGTH = range(3, 16)
_PORTS = range(1, 65501)


def tunnel_fields(payload: TunnelUpdate, row: Row, node: str | None) -> dict[str, object]:
    """Return all fields of a tunnel in the service's words: the payload's, otherwise the row's.

    Raises InvalidInputError for invalid fields.

    row: the current tunnel, empty for a new one.
    node: the id of the node in the payload, if any.
    """

    def chosen(value: str | None, name: str, default: str = "") -> str:
        return value if value is not None else coerce.verbatim(row.get(name)) or default

    def port(value: int | None, name: str) -> int | None:
        return value if value is not None else coerce.count(row.get(name))

    def word(value: bool | None, name: str) -> str:
        flag = value if value is not None else coerce.boolean(row.get(name))
        return "true" if flag else "false"

    fields: dict[str, object] = {
        "proxy_name": chosen(payload.name, "proxy_name"),
        "proxy_type": chosen(payload.protocol, "proxy_type"),
        "local_ip": chosen(payload.local_host, "local_ip", "127.0.0.1"),
        "local_port": port(payload.local_port, "local_port"),
        "remote_port": port(payload.remote_port, "remote_port"),
        "use_encryption": word(payload.encryption, "use_encryption"),
        "use_compression": word(payload.compression, "use_compression"),
        "sk": chosen(payload.secret_key, "sk"),
        "node": chosen(node, "node"),
        "domain": chosen(payload.domain, "domain"),
        "locations": chosen(None, "locations"),
        "header_X_From_Where": chosen(None, "header_X-From-Where")
        or chosen(None, "header_X_From_Where"),
        "host_header_rewrite": chosen(None, "host_header_rewrite"),
    }
    _check_tunnel_fields(fields)
    return {name: "" if value is None else value for name, value in fields.items()}


def _check_tunnel_fields(fields: Mapping[str, object]) -> None:
    """Raise InvalidInputError for fields that the service would refuse or store unchecked."""
    name, protocol = str(fields["proxy_name"]), str(fields["proxy_type"])
    if len(name) not in _NAME_LENGTH:
        raise InvalidInputError(
            "tunnel_name_length",
            name=name,
            minimum=f"{_NAME_LENGTH[0]}",
            maximum=f"{_NAME_LENGTH[-1]}",
        )
    if protocol not in PROTOCOLS:
        raise InvalidInputError("unknown_protocol", protocol=protocol, known=", ".join(PROTOCOLS))
    needed = ("local_port",) if protocol in _PORTLESS else ("local_port", "remote_port")
    for field in needed:
        check_port(fields[field], _PORTS)
    if protocol in ("http", "https") and not fields["domain"]:
        raise InvalidInputError("domain_needed", protocol=protocol)
