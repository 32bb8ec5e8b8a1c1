"""Tests a real tunnel: two EasyTier nodes carry HTTP and TCP over loopback."""

from contextlib import AsyncExitStack

import pytest

from .checks import mesh
from .checks.mesh import Mesh
from .checks.rows import OK
from .checks.servers import Handler, http_handler, listening, sends_banner
from .common import MINUTE, World

pytestmark = mesh.needs_nodes


def _reachable(world: World) -> str:
    return world.value("binary_sensor", "check:1", "reachable")


@pytest.mark.parametrize(
    "protocol, handler",
    [("http", http_handler(OK, body=b"hello")), ("tcp", sends_banner(b"SSH-2.0-home\r\n"))],
)
async def test_the_local_node_stops_and_starts(
    world: World, protocol: str, handler: Handler
) -> None:
    tunnel = world.service.state.tunnels["1"]
    world.service.state.nodes[tunnel.node].domain = "127.0.0.1"
    tunnel.proxy_type = protocol
    async with listening(handler) as local:
        tunnel_through = Mesh(local.port)
        tunnel.remote_port = tunnel_through.port if protocol == "tcp" else None
        tunnel.domain = "" if protocol == "tcp" else f"127.0.0.1:{tunnel_through.port}"
        async with mesh.running(tunnel_through.public()):
            at_home = AsyncExitStack()
            await at_home.enter_async_context(mesh.running(tunnel_through.home()))
            await world.set_up()
            await world.live(12 * MINUTE)
            assert _reachable(world) == "on"

            await at_home.aclose()
            await world.live(12 * MINUTE)
            assert _reachable(world) == "off"
            assert world.value("sensor", "check:1", "verdict") == "no_local_service"

            async with mesh.running(tunnel_through.home()):
                await world.live(12 * MINUTE)
                assert _reachable(world) == "on"
