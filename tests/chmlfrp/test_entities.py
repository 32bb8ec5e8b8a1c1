"""What devices and entities show of an account at ChmlFrp."""

from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import snapshot_platform
from syrupy.assertion import SnapshotAssertion

from simulator.chmlfrp import ChmlFrpService

from ..common import World

SMALL = pytest.mark.parametrize("simulator", [{"tunnels": 1, "nodes": 1}], indirect=True)


@SMALL
@pytest.mark.parametrize(
    "only_platform",
    [
        Platform.BINARY_SENSOR,
        Platform.BUTTON,
        Platform.EVENT,
        Platform.SENSOR,
        Platform.SWITCH,
    ],
    indirect=True,
)
async def test_all(
    only_platform: Platform, world: World[ChmlFrpService], snapshot: SnapshotAssertion
) -> None:
    await world.set_up(node_details=True)
    await world.enable_all()

    await snapshot_platform(world.hass, er.async_get(world.hass), snapshot, world.entry.entry_id)
