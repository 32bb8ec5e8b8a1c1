"""Tests sensors."""

from homeassistant.helpers import entity_registry as er

from .common import HOUR, MINUTE, World


async def test_unused_nodes_are_disabled_by_default(world: World) -> None:
    """Five tunnels use the nodes 1 to 5 of 8."""
    await world.set_up()

    def disabled(thing: str) -> set[str]:
        return {
            entity.unique_id.rsplit(":", 1)[1]
            for entity in world.registered(thing)
            if entity.disabled
        }

    assert disabled("node:1:") == {"description"}
    assert disabled("node:6:") == {
        entity.unique_id.rsplit(":", 1)[1] for entity in world.registered("node:6:")
    }
    assert disabled("tunnel:1:") == {"checked_at"}
    assert {entity.disabled_by for entity in world.registered("node:6:")} == {
        er.RegistryEntryDisabler.INTEGRATION
    }


async def test_traffic_is_shown_in_gibibytes(world: World) -> None:
    world.service.account.traffic = 2048

    await world.set_up()

    state = world.state("sensor", "account:account", "traffic_left")
    assert float(state.state) == 2
    assert state.attributes["unit_of_measurement"] == "GiB"


async def test_tunnel_states(world: World) -> None:
    """Tunnel 4 has no client, tunnel 5 is disabled, and node 2 goes offline."""
    world.service.state.nodes["2"].online = False

    await world.set_up()

    states = {number: world.value("sensor", f"tunnel:{number}", "state") for number in "12345"}
    assert states == {
        "1": "online",
        "2": "node_offline",
        "3": "online",
        "4": "offline",
        "5": "disabled",
    }


async def test_long_notices_are_shortened_in_the_state_only(world: World) -> None:
    world.service.state.notice = f"<p>{'x' * 300}1</p>"
    await world.set_up()
    state = world.state("sensor", "notice:service", "text")
    assert state.state == "x" * 255
    assert state.attributes["text"] == "x" * 300 + "1"

    world.service.state.notice = f"<p>{'x' * 300}2</p>"
    await world.elapse(HOUR)

    state = world.state("sensor", "notice:service", "text")
    assert state.attributes["text"] == "x" * 300 + "2", "though the state itself looks the same"


async def test_a_notice_of_several_lines(
    world: World,
) -> None:
    """The state is its first line. An attribute contains the rest."""
    world.service.state.notice = "<p>first</p><p>second</p>"

    await world.set_up()

    state = world.state("sensor", "notice:service", "text")
    assert state.state == "first"
    assert state.attributes["text"].split() == ["first", "second"]
    assert "\n" in state.attributes["text"]


async def test_values_follow_the_service(world: World) -> None:
    await world.set_up()
    before = float(world.value("sensor", "account:account", "traffic_today"))
    assert world.value("sensor", "service:service", "runs") == "114842262"

    world.service.state.total_runs += 10
    await world.live(5 * MINUTE)

    assert float(world.value("sensor", "account:account", "traffic_today")) > before
    assert world.value("sensor", "service:service", "runs") == "114842272"
