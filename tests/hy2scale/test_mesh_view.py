"""Tests the data of the graph of the mesh."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.tunnel_hub.api.models.mesh import Position

from ..common import MINUTE
from .common import OLD, Hub

# Home Assistant itself causes this warning.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")


async def subscribe(client: MockHAClientWebSocket, device_id: str) -> dict[str, Any]:
    """Subscribe, and return the answer."""
    await client.send_json_auto_id({"type": "tunnel_hub/subscribe_mesh", "device_id": device_id})
    answer: dict[str, Any] = await client.receive_json()
    return answer


async def event(client: MockHAClientWebSocket) -> Any:
    """Return the next event."""
    return (await client.receive_json())["event"]


def nodes(picture: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes of an event by their ids."""
    return {node["id"]: node for node in picture["nodes"]}


@pytest.fixture
async def client(world: Hub, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    """Return a browser's connection, for a node that is set up."""
    await world.set_up()
    return await hass_ws_client(world.hass)


STREAM = "/api/graph-layout/stream"


async def test_layout_follows_the_console(world: Hub, client: MockHAClientWebSocket) -> None:
    """All browsers share one connection, which is closed with the last browser."""
    for _ in range(2):
        await subscribe(client, world.device_id("account:account"))
        await event(client)
    await world.until(lambda: bool(world.service.layout_watchers))

    positions = {"us": Position(x=3.0, y=4.0)}
    await world.entry.runtime_data.provider.set_graph_layout(positions)
    moved = {"us": {"x": 3.0, "y": 4.0}}
    layout = world.entry.runtime_data.layout
    seen_by_node: list[Any] = []
    stop = layout.async_follow(seen_by_node.append)
    await world.until(lambda: seen_by_node[-1:] == [positions])
    stop()
    await world.elapse(1)
    seen = [picture["layout"] for picture in [await event(client), await event(client)]]

    assert seen == [moved, moved]
    assert len(world.service.calls_to(STREAM)) == 1
    for number in (1, 2):
        await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": number})
        assert (await client.receive_json())["success"]
    await world.until(lambda: not world.service.layout_watchers)


async def test_layout_of_an_account_that_is_unloaded(
    world: Hub, client: MockHAClientWebSocket
) -> None:
    await subscribe(client, world.device_id("account:account"))
    await event(client)
    await world.until(lambda: bool(world.service.layout_watchers))

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)

    await world.until(lambda: not world.service.layout_watchers)


@OLD
async def test_a_version_without_the_stream(world: Hub, client: MockHAClientWebSocket) -> None:
    """It is not requested again, and its layout stays as it was."""
    world.service.fault(STREAM, "status", status=404, body="404 page not found\n", times=None)
    await subscribe(client, world.device_id("account:account"))

    assert (await event(client))["available"]
    await world.until(lambda: bool(world.service.calls_to(STREAM)))
    await world.live(10 * MINUTE)

    assert len(world.service.calls_to(STREAM)) == 1


async def test_graph(world: Hub, client: MockHAClientWebSocket) -> None:
    """It contains nodes below the one that lists them, exits, and the console's layout."""
    world.service.state.layout = {"us": {"x": 1.0, "y": 2.0}}
    assert (await subscribe(client, world.device_id("account:account")))["success"]
    picture = await event(client)

    assert picture["available"]
    assert picture["entry"] == world.entry.entry_id
    assert picture["layout"] == {"us": {"x": 1.0, "y": 2.0}}
    assert picture["self"]["key"] == world.service.state.node_id
    assert picture["self"]["device"] == world.device_id("account:account")
    us, below, inbound = (
        nodes(picture)[id_] for id_ in ("link:us", "peer:us/us-r1", "peer:office")
    )
    assert (us["above"], us["connected"], us["device"]) == (
        None,
        True,
        world.device_id("tunnel:us"),
    )
    assert (below["above"], below["exit_path"]) == ("link:us", "us/us-r1")
    assert inbound["exit_path"].endswith("/office")
    assert nodes(picture)["link:de"]["enabled"] is False
    alice = next(one for one in picture["exits"] if one["name"] == "alice")
    assert alice["device"] == world.device_id(f"user:{world.user('alice').id}")
    assert alice["exit_path"] == world.service.state.users[world.user("alice").id].exit_via


async def test_changes_are_sent(world: Hub, client: MockHAClientWebSocket) -> None:
    """A broken link keeps its place, and so do the nodes behind it."""
    await subscribe(client, world.device_id("account:account"))
    before = nodes(await event(client))
    world.service.state.peers["us"].online = False
    await world.live(MINUTE, step=10)
    after = before
    while after["link:us"]["connected"]:
        after = nodes(await event(client))

    assert after.keys() == before.keys()
    assert after["peer:us/us-r1"]["connected"] is False
    assert after["peer:us/us-r1"]["above"] == "link:us"


async def test_nothing_is_sent_twice(world: Hub, client: MockHAClientWebSocket) -> None:
    """Polls without changes send nothing: the next event is that of the unload."""
    await subscribe(client, world.device_id("account:account"))
    await event(client)
    await world.live(MINUTE, step=10)
    await world.hass.config_entries.async_unload(world.entry.entry_id)

    assert await event(client) is None


async def test_unsubscribe(world: Hub, client: MockHAClientWebSocket) -> None:
    """Later changes are not sent: the next message answers a ping."""
    answer = await subscribe(client, world.device_id("account:account"))
    await event(client)
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": answer["id"]})
    assert (await client.receive_json())["success"]
    world.service.state.peers["us"].online = False
    await world.live(MINUTE, step=10)
    await client.send_json_auto_id({"type": "ping"})

    assert (await client.receive_json())["type"] == "pong"


async def test_a_node_without_a_layout(world: Hub, client: MockHAClientWebSocket) -> None:
    world.service.state.settings.missing_routes = ["/api/graph-layout"]
    await subscribe(client, world.device_id("account:account"))

    assert (await event(client))["layout"] == {}


async def test_refused(
    hass: HomeAssistant,
    hass_admin_user: MockUser,
    world: Hub,
    client: MockHAClientWebSocket,
) -> None:
    """Users without permission are refused, and so are devices that are not a node."""
    assert (await subscribe(client, "nothing"))["error"]["code"] == "home_assistant_error"
    hass_admin_user.mock_policy({"entities": {}})
    answer = await subscribe(client, world.device_id("account:account"))
    assert answer["error"]["code"] == "unauthorized"
