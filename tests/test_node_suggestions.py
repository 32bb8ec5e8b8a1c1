"""Which node is the best one where a service tells little: at HayFrp."""

from collections.abc import Sequence
from typing import Any

import pytest

from custom_components.tunnel_hub import reachability
from custom_components.tunnel_hub.checks.addresses import SocketAddress, resolve

from .checks.servers import Incoming, listening, silent
from .common import World, on_account, refused


async def suggested(world: World, **data: Any) -> dict[str, dict[str, Any]]:
    """Return the suitable nodes in order, by id."""
    found = await on_account(world, "suggest_node", **data)
    return {row["node_id"]: row for row in found["nodes"]}


async def test_only_a_node_in_use_has_an_address(world: World) -> None:
    """Its tunnels tell its host, and its figures its port, which is seldom the usual one."""
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


async def test_a_node_without_figures_comes_last(world: World) -> None:
    """The service lists it, but may not know that it is down."""
    nodes = world.service.state.nodes
    for node in nodes.values():
        node.bind_port, node.cpu = 0, 70.0
    await world.set_up()
    silent_ones = {id_ for id_, node in nodes.items() if not (node.online and node.probed)}
    assert set(list(await suggested(world))[-len(silent_ones) :]) == silent_ones


async def test_the_nodes_that_are_not_shown(world: World) -> None:
    """What the user does not want to see can be the best one all the same."""
    await world.set_up(nodes="used")
    nodes = world.service.state.nodes
    used = {tunnel.node for tunnel in world.service.state.tunnels.values()}
    found = await suggested(world)
    assert found.keys() == nodes.keys()
    assert world.device(f"node:{min(found.keys() - used)}") is None
    assert world.device(f"node:{min(used)}") is not None


async def test_a_node_that_is_said_to_be_at_home(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service on the internet cannot lead a connection into the house."""
    connections = 0

    async def _count(reader: Incoming, _: object) -> None:
        nonlocal connections
        connections += 1
        await reader.rest()

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
