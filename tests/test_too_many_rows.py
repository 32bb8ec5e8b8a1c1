"""Tests lists with too many rows: they are shortened, and a repair issue reports it."""

from typing import Any

from homeassistant.helpers import device_registry as dr, entity_platform
import pytest

from custom_components.tunnel_hub import coordinator
from custom_components.tunnel_hub.ids import id_prefix
from simulator.hayfrp.state import Tunnel

from .common import MINUTE, World

TWELVE = pytest.mark.parametrize("simulator", [{"tunnels": 12, "nodes": 2}], indirect=True)
FIRST = ["1", "2", "3", "4"]


@pytest.fixture
def at_most_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the limit to four rows."""
    monkeypatch.setattr(coordinator, "MAX_RESOURCES", 4)


def shown(world: World[Any], kind: str = "tunnel") -> list[str]:
    """Return the ids of the rows that have a device, in order."""
    ids = [
        name.removeprefix(f"{id_prefix(world.entry)}:{kind}:")
        for device in dr.async_entries_for_config_entry(
            dr.async_get(world.hass), world.entry.entry_id
        )
        for _, name in device.identifiers
        if name.startswith(f"{id_prefix(world.entry)}:{kind}:")
    ]
    return sorted(ids, key=int)


def repair(world: World[Any]) -> dict[str, str] | None:
    """Return the text of the repair issue, if there is one."""
    issue = world.issue("too_many_things")
    return issue.translation_placeholders if issue else None


@TWELVE
@pytest.mark.usefixtures("at_most_four")
async def test_the_first_rows_are_shown_and_stay(world: World) -> None:
    await world.set_up()
    assert shown(world) == FIRST
    assert repair(world) == {
        "account": "HayFrp demo",
        "lists": "tunnels: 12",
        "maximum": "4",
    }

    # The service's order does not matter.
    tunnels = world.service.state.tunnels
    world.service.state.tunnels = dict(reversed(tunnels.items()))
    await world.live(3 * MINUTE)
    await world.restart()
    await world.live(3 * MINUTE)
    assert shown(world) == FIRST
    assert "unavailable" not in {world.value("switch", f"tunnel:{n}", "enabled") for n in FIRST}

    # When a row is removed, the next one is shown.
    del world.service.state.tunnels["2"]
    await world.elapse(MINUTE)
    assert shown(world) == FIRST
    await world.live(2 * MINUTE)
    assert shown(world) == ["1", "3", "4", "12"]
    assert repair(world)

    for number in map(str, range(5, 12)):
        del world.service.state.tunnels[number]
    await world.live(2 * MINUTE)
    assert shown(world) == ["1", "3", "4", "12"]
    assert repair(world) is None


@TWELVE
async def test_existing_devices_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version may have added them. No more are added."""
    await world.set_up()
    numbers = shown(world)
    monkeypatch.setattr(coordinator, "MAX_RESOURCES", 4)
    world.service.state.tunnels["99"] = Tunnel(
        id="99", username="demo", proxy_name="late", proxy_type="tcp", node="1", remote_port=99
    )

    await world.restart()
    await world.live(3 * MINUTE)

    assert numbers == [str(number) for number in range(1, 13)]
    assert shown(world) == numbers
    assert repair(world) == {"account": "HayFrp demo", "lists": "tunnels: 13", "maximum": "4"}


@pytest.mark.parametrize("simulator", [{"tunnels": 9, "nodes": 8}], indirect=True)
@pytest.mark.usefixtures("at_most_four")
async def test_several_lists(world: World) -> None:
    await world.set_up()

    placeholders = repair(world)
    assert placeholders
    assert placeholders["lists"] == "tunnels: 9, nodes: 8"
    assert len(shown(world, "node")) == 4


@pytest.mark.platforms("switch")
@pytest.mark.parametrize("simulator", [{"tunnels": 0, "nodes": 0}], indirect=True)
async def test_entities_are_added_when_others_are_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant limits the enabled entities of an entry."""
    await world.set_up()
    enabled = len([entity for entity in world.registered() if not entity.disabled])
    monkeypatch.setattr(entity_platform, "MAX_ENABLED_ENTITIES_PER_CONFIG_ENTRY", enabled + 4)
    tunnels = world.service.state.tunnels
    for number in map(str, range(1, 6)):
        tunnels[number] = Tunnel(
            id=number, username="demo", proxy_name=number, proxy_type="tcp", node="1"
        )
    await world.live(2 * MINUTE)
    assert shown(world) == ["1", "2", "3", "4", "5"]

    for left in (2, 2, 1):
        found = with_switches(world)
        assert len(found) == left
        for number in found:
            del tunnels[number]
        await world.live(3 * MINUTE)
    assert with_switches(world) == []


def with_switches(world: World[Any]) -> list[str]:
    """Return the ids of the tunnels that have both switches."""
    numbers = map(str, range(1, 6))
    return [number for number in numbers if len(world.registered(f"tunnel:{number}:")) == 2]


@pytest.mark.platforms("button")
async def test_a_service_that_returns_too_many_rows(
    world: World, pytestconfig: pytest.Config
) -> None:
    """It returns 50,000 rows; in the quick form a few more than are shown."""
    extended = pytestconfig.getoption("extended")
    number = 50_000 if extended else coordinator.MAX_RESOURCES + 1
    await world.set_up()
    rows = [{"id": n, "proxy_name": f"t{n}", "status": False} for n in range(100, 100 + number)]
    world.service.fault(
        "/proxy",
        "body",
        match={"type": "list"},
        times=None,
        body={"status": 200, "proxies": rows},
    )
    await world.live(3 * MINUTE)

    assert len(shown(world)) == coordinator.MAX_RESOURCES
    placeholders = repair(world)
    assert placeholders
    assert placeholders["lists"] == f"tunnels: {number}"
    assert len(world.registered("tunnel:")) == coordinator.MAX_RESOURCES
