"""Tests the suggestion of nodes for HayFrp, which returns few values."""

from collections.abc import Sequence
from typing import Any

import pytest

from custom_components.tunnel_hub import reachability
from custom_components.tunnel_hub.checks.addresses import SocketAddress, resolve

from .checks.servers import Incoming, listening, silent
from .common import World, on_account, refused


async def suggested(world: World, **data: Any) -> dict[str, dict[str, Any]]:
    """Return the ids of the suitable nodes, in order."""
    found = await on_account(world, "suggest_node", **data)
    return {row["node_id"]: row for row in found["nodes"]}


async def test_only_a_used_node_has_an_address(world: World) -> None:
    """Tunnels contain the host, and the node list the port, which is seldom the usual one."""
    tunnels, nodes = world.service.state.tunnels, world.service.state.nodes
    used = {tunnel.node for tunnel in tunnels.values()}
    async with listening(silent) as server:
        for id_ in used:
            nodes[id_].domain, nodes[id_].bind_port = "127.0.0.1", server.port
        await world.set_up()
        found = await suggested(world)
    assert found.keys() == nodes.keys()
    for id_, row in found.items():
        has_address = id_ in used and nodes[id_].probed
        assert (row["connect_time"] is not None) is has_address
        assert ("address_unknown" in row["reasons"]) is not has_address
        assert "uptime_unknown" in row["reasons"]
    assert (await suggested(world, protocol="XTCP")).keys() == nodes.keys()
    err = await refused(world, None, "suggest_node", protocol="tcpmux")
    assert err.translation_key == "unknown_protocol"


async def test_a_node_without_values_comes_last(world: World) -> None:
    """The service lists it, but may not know whether it is online."""
    nodes = world.service.state.nodes
    for node in nodes.values():
        node.bind_port, node.cpu = 0, 70.0
    await world.set_up()
    silent_ones = {id_ for id_, node in nodes.items() if not (node.online and node.probed)}
    assert set(list(await suggested(world))[-len(silent_ones) :]) == silent_ones


async def test_nodes_that_are_not_shown(world: World) -> None:
    """A node that the user has hidden can be the best one."""
    await world.set_up(nodes="used")
    nodes = world.service.state.nodes
    used = {tunnel.node for tunnel in world.service.state.tunnels.values()}
    found = await suggested(world)
    assert found.keys() == nodes.keys()
    assert world.device(f"node:{min(found.keys() - used)}") is None
    assert world.device(f"node:{min(used)}") is not None


async def test_a_node_with_a_local_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public service must not make Home Assistant connect to local addresses."""
    connections = 0

    async def _count(reader: Incoming, _: object) -> None:
        nonlocal connections
        connections += 1
        await reader.read_rest()

    async def _look_up(host: str, port: int) -> Sequence[SocketAddress]:
        return await resolve("8.8.8.8" if port == 0 else host, port)

    monkeypatch.setattr(reachability, "resolve", _look_up)
    async with listening(_count) as server:
        for node in world.service.state.nodes.values():
            node.domain, node.bind_port = "127.0.0.1", server.port
        await world.set_up(checks="off")
        found = await suggested(world)
    assert found["1"]["connect_time"] is None
    assert "address_not_public" in found["1"]["reasons"]
    assert connections == 0
