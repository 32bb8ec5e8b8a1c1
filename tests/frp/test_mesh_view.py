"""Tests the data of the graph of a server and its clients."""

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from simulator.frp import FrpService, Proxy
from simulator.frp.frps import add, go_offline

from ..common import MINUTE, World
from ..hy2scale.test_mesh_view import event, nodes, subscribe
from .common import client_entry

# Home Assistant itself causes this warning.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")


async def test_graph(world: World[FrpService], hass_ws_client: WebSocketGenerator) -> None:
    """Tunnels are below the client that runs them, or ran them last."""
    server = world.service.state.server
    add(server, Proxy("of-nobody", "tcp", "", "", remote_port=22))
    await world.set_up()
    client = await hass_ws_client(world.hass)
    assert (await subscribe(client, world.device_id("account:account")))["success"]
    picture = await event(client)

    assert picture["available"]
    assert (picture["layout"], picture["exits"]) == (None, [])
    assert picture["self"]["device"] == world.device_id("account:account")
    found = nodes(picture)
    ha, nas = found["client:alice.ha"], found["tunnel:alice.nas"]
    assert (ha["above"], ha["connected"], ha["device"]) == (
        None,
        True,
        world.device_id("client:alice.ha"),
    )
    assert (nas["above"], nas["connected"], nas["name"]) == ("client:alice.ha", True, "alice.nas")
    assert found["tunnel:alice.backup"]["connected"] is False
    assert found["tunnel:of-nobody"]["above"] is None

    go_offline(server, "alice.ha", world.service.now())
    await world.live(MINUTE, step=10)
    after = found
    while after["client:alice.ha"]["connected"] or after["tunnel:alice.nas"]["connected"]:
        after = nodes(await event(client))
    assert after.keys() == found.keys()
    assert after["tunnel:alice.nas"]["above"] == "client:alice.ha"


async def test_a_client_has_no_graph(
    world: World[FrpService], hass_ws_client: WebSocketGenerator
) -> None:
    """The client only knows its own tunnels, whose paths show everything already."""
    home = World(world.hass, world.freezer, world.service, client_entry(world.service))
    home.entry.add_to_hass(home.hass)
    await home.set_up()
    client = await hass_ws_client(world.hass)
    answer = await subscribe(client, home.device_id("account:account"))
    assert answer["error"]["code"] == "home_assistant_error"
