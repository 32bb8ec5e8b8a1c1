"""Tests triggers and blueprints with a HY2 SCALE node."""

from ..automations import Automate, armed, of
from ..common import DAY, MINUTE
from .common import SLOW_POLL, Hub

GIBIBYTE = 2**30


async def test_traffic_of_a_user_runs_low(world: Hub) -> None:
    """The trigger uses the percentage. A user without a limit never triggers it."""
    alice, bob = world.user("alice"), world.user("bob")
    alice.traffic_limit, alice.traffic_used = 100 * GIBIBYTE, 0
    bob.traffic_limit = 0
    await world.set_up()
    target = of(world, world.user_thing("alice"), world.user_thing("bob"))
    low = await armed(world.hass, "traffic_low", target, below=20, unit_of_measurement="%")

    for used in (79, 81, 90):
        alice.traffic_used = used * GIBIBYTE
        bob.traffic_used = used * GIBIBYTE
        await world.elapse(SLOW_POLL)

    assert low == [world.entity_id("sensor", world.user_thing("alice"), "traffic_usage")]


async def test_a_user_is_about_to_expire(world: Hub) -> None:
    world.user("alice").expiry_date = "2026-11-10"
    world.user("bob").expiry_date = ""
    await world.set_up()
    target = of(world, world.user_thing("alice"), world.user_thing("bob"))
    ending = await armed(world.hass, "validity_ending", target, before={"days": 5})

    await world.live(15 * DAY, DAY)
    assert ending == []
    await world.live(2 * DAY, DAY)

    assert ending == [world.entity_id("sensor", world.user_thing("alice"), "expires")]


async def test_everything_is_forced_down(world: Hub, automate: Automate) -> None:
    """Released connections are as before: a disabled one stays disabled."""
    await world.set_up()
    clients = world.service.state.clients
    before = {name: client.disabled for name, client in clients.items()}
    assert set(before.values()) == {False, True}
    await automate("force_down_everything", helper="input_boolean.panic")

    world.hass.states.async_set("input_boolean.panic", "off")
    world.hass.states.async_set("input_boolean.panic", "on")
    await world.settle()
    assert all(client.disabled for client in clients.values())

    world.hass.states.async_set("input_boolean.panic", "off")
    await world.settle()
    assert {name: client.disabled for name, client in clients.items()} == before


async def test_a_peer_is_not_a_tunnel(world: Hub) -> None:
    """Its connection can go offline too."""
    await world.set_up()
    target = of(world, "peer:us/us-r1")
    gone = await armed(world.hass, "tunnel_went_offline", target)

    world.service.state.peers["us/us-r1"].online = False
    await world.elapse(MINUTE)

    assert world.value("binary_sensor", "peer:us/us-r1", "connected") == "off"
    assert gone == []
