"""Tests ChmlFrp's daily values around the service's midnight."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulator.chmlfrp import ChmlFrpService

from ..clocks import fire_timers
from ..common import MINUTE, World
from ..test_daily_values import of_today

MIDNIGHT = datetime(2026, 10, 21, tzinfo=ZoneInfo("Asia/Shanghai"))

pytestmark = pytest.mark.parametrize("simulator", [{"tunnels": 2, "nodes": 2}], indirect=True)


@pytest.fixture
async def evening(world: World[ChmlFrpService]) -> World[ChmlFrpService]:
    """Return a world half a minute before the service's midnight, in which no daily value is 0."""
    world.freezer.move_to(MIDNIGHT - timedelta(hours=2))
    world.service.account.last_sign_in = (MIDNIGHT - timedelta(hours=1)).timestamp()
    await world.set_up_enabled(node_details=True)
    world.freezer.move_to(MIDNIGHT - timedelta(minutes=6))
    await world.live(5.5 * MINUTE, MINUTE / 2)
    shown = of_today(world)
    assert len(shown) >= 11
    assert not {"unknown", "unavailable", "off"} & set(shown.values())
    return world


async def test_the_service_is_down_at_midnight(evening: World[ChmlFrpService]) -> None:
    evening.service.fault("*", "status", status=503, times=None)

    await evening.elapse(30)

    assert set(of_today(evening).values()) == {"unknown"}


async def test_node_details_after_midnight(evening: World[ChmlFrpService]) -> None:
    """The details are added to values that were read before midnight."""
    gate = evening.service.gate("/nodeinfo")
    nodes = evening.entry.runtime_data.coordinators["nodes"]
    await nodes.async_refresh()
    await gate.reached()
    evening.freezer.move_to(MIDNIGHT + timedelta(seconds=1))
    fire_timers(evening.hass)
    for node in evening.service.state.nodes.values():
        node.version = "9.9.9"

    gate.open()
    await evening.settle()

    shown = of_today(evening)
    assert {shown[key] for key in shown if key.startswith("node:")} == {"unknown"}
    assert "9.9.9" in {node.version for node in nodes.data.values()}
