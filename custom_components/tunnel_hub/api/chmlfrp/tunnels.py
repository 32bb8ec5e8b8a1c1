"""Validates the fields of tunnels, and sends their commands."""

from collections.abc import Mapping
from contextlib import suppress
import re
from typing import override

from .. import coerce, days
from ..capabilities.account import CanGetTrafficHistory
from ..capabilities.tunnels import CanForceDown, CanInspectTunnels
from ..days import SHANGHAI
from ..errors import InvalidInputError, Reason, RejectedError, UnavailableError
from ..models.account import DayTraffic
from ..models.tunnels import Tunnel, TunnelUpdate
from ..ports import check_port
from ..rows import Row
from .client import ChmlFrpClient, GoneError
from .feeds import Feeds
from .models import (
    FREE_GROUP,
    LISTED_NODE,
    VIP,
    WEB_PROTOCOLS,
    node_ports,
    public_domain,
    public_port,
)
from .traffic import account_days, tunnel_days

PROTOCOLS = ("tcp", "udp", *WEB_PROTOCOLS)
_NAME = re.compile(r"[A-Za-z0-9_]+")
ANY_PORT = 0
"""The service selects one of the node's ports."""


def tunnel_fields(payload: TunnelUpdate, row: Row, node: str) -> dict[str, object]:
    """Return all fields of a tunnel in the service's words: the payload's, otherwise the row's.

    Raises InvalidInputError for invalid fields. An update deletes fields that are not sent.

    row: the current tunnel, empty for a new one.
    node: the name of the node.
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
    """Raise InvalidInputError if a node does not accept such a tunnel.

    node: its row in the list, or its details.
    group: of the account.
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
    """Return either a domain or a port, never both."""
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


class TunnelCommands(CanForceDown, CanGetTrafficHistory, CanInspectTunnels):
    """The commands for tunnels, and the data that they remember."""

    _client: ChmlFrpClient
    _feeds: Feeds

    @override
    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        if tunnel_id is None:
            return account_days(await self._client.flow_last_7_days())
        while True:
            day = days.today(SHANGHAI)
            row = await self._feeds.on_tunnel(
                tunnel_id, lambda t: self._client.tunnel_last7days(t.id)
            )
            # The days have no dates, and midnight during the request makes them ambiguous.
            if day == days.today(SHANGHAI):
                return tunnel_days(row)

    @override
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        return await self._feeds.on_tunnel(tunnel_id, self._feeds.refreshed_tunnel)

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        await self._feeds.on_tunnel(tunnel_id, lambda t: self._client.offline_tunnel(t.name or ""))

    async def create_tunnel(self, payload: TunnelUpdate) -> str:
        """Create a tunnel and return its id, which the answer often does not contain."""
        fields = tunnel_fields(payload, {}, await self._feeds.node_name(payload.node or ""))
        await self._check_node(fields)
        if (created := await self._client.create_tunnel(fields)) is not None:
            return created
        for tunnel in (await self._feeds.tunnels()).values():
            if tunnel.name == fields["tunnelname"]:
                return tunnel.id
        raise UnavailableError(Reason.MALFORMED, "the new tunnel is not listed")

    async def update_tunnel(self, tunnel_id: str, payload: TunnelUpdate) -> None:
        """Change the values in the payload. An update replaces the row, so all fields are sent."""
        row = await self._feeds.tunnel_row(tunnel_id)
        node = coerce.text(row.get("node")) or ""
        if payload.node:
            node = await self._feeds.node_name(payload.node)
        fields = tunnel_fields(payload, row, node)
        if (payload.node, payload.protocol, payload.remote_port) != (None, None, None):
            await self._check_node(fields)
        await self._feeds.on_tunnel(tunnel_id, lambda t: self._client.update_tunnel(t.id, fields))

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; succeeds if it does not exist."""
        with suppress(GoneError):
            await self._client.deletetunnel(tunnel_id)

    @override
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the INI file for one tunnel or a node; it contains the API token."""
        if file_format not in (None, "ini"):
            raise InvalidInputError("unknown_format", format=str(file_format), known="ini")
        if tunnel_id is not None:
            return await self._feeds.on_tunnel(
                tunnel_id, lambda t: self._client.tunnel_config(t.node_name or "", t.name or "")
            )
        return await self._client.tunnel_config(await self._feeds.node_name(node_id or ""))

    async def _check_node(self, fields: Mapping[str, object]) -> None:
        """Raise InvalidInputError if the node does not accept such a tunnel.

        The public row is checked first, because some accounts may not read the details.
        """
        name = str(fields["node"])
        rows = await self._client.node()
        listed: Row = next((row for row in rows if coerce.text(row.get("name")) == name), {})
        group = None
        if coerce.text(listed.get("nodegroup")) == VIP:
            group = coerce.text((await self._client.userinfo()).get("usergroup"))
        check_node(fields, listed, group)
        with suppress(RejectedError):
            check_node(fields, await self._client.nodeinfo(name), group)
