"""Tests the traffic history of frps in the long-term statistics."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.tunnel_hub.history import statistic_id
from custom_components.tunnel_hub.ids import DeviceKey
from simulator.frp import FrpService

from ..common import DAY, HOUR, World, on_account, refused
from ..long_term_statistics import NO_STATES, rows

GIB = 1024**3
NOON = datetime(2026, 10, 20, 12, 30, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("recorder_mock")

type Home = World[FrpService]


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: only the imported statistics are tested."""
    return NO_STATES


def use(world: Home, *gibibytes: float) -> str:
    """Set the incoming traffic of the last seven days, today last; return the statistics."""
    name = next(iter(world.service.state.server.proxies))
    proxy = world.service.state.server.proxies[name]
    proxy.traffic_in, proxy.traffic_out = [n * GIB for n in reversed(gibibytes)], [0.0] * 7
    proxy.rate = 0
    return name


async def incoming(world: Home, name: str) -> list[tuple[int, float, float]]:
    """Return day, amount and sum of each row."""
    id_ = statistic_id(world.entry.entry_id, DeviceKey("tunnel", name), "traffic_in")
    found = await rows(world.hass, id_)
    return [(start.day, row["state"] or 0, row["sum"] or 0) for start, row in found.items()]


async def test_days_of_a_server_without_a_time_zone(world: Home) -> None:
    """They are imported when the day has ended everywhere: an older server returns no time zone."""
    world.freezer.move_to(NOON.replace(hour=11))
    world.service.state.server.settings.version = "0.69.0"
    name = use(world, 1, 2, 3, 4, 5, 6, 7)
    await world.set_up()
    assert await incoming(world, name) == []
    error = await refused(world, None, "import_history")
    assert error.translation_placeholders == {"minutes": "30"}

    await world.live(2 * HOUR, HOUR)

    sums = (1, 3, 6, 10, 15, 21)
    assert await incoming(world, name) == list(zip(range(14, 20), range(1, 7), sums, strict=True))


async def test_days_of_a_server_with_a_time_zone(world: Home) -> None:
    """The server's day began eight hours earlier, at 16:00 UTC."""
    world.freezer.move_to(NOON.replace(hour=16, minute=30))
    world.service.state.server.settings.ahead = 8 * HOUR
    world.service.catch_up()
    name = use(world, 1, 2, 3, 4, 5, 6, 7)

    await world.set_up()

    sums = (1, 3, 6, 10, 15, 21)
    assert await incoming(world, name) == list(zip(range(14, 20), range(1, 7), sums, strict=True))


async def test_a_restarted_server(world: Home) -> None:
    """The server has lost its history. Imported days stay, and new ones are added."""
    world.freezer.move_to(NOON)
    name = use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()

    use(world, 0, 0, 0, 0, 0, 0, 2)
    await on_account(world, "import_history")
    assert [total for _, _, total in await incoming(world, name)] == [1, 2, 3, 4, 5, 6]

    await world.live(DAY, 6 * HOUR)
    assert [total for _, _, total in await incoming(world, name)] == [1, 2, 3, 4, 5, 6, 8]
