"""Tests ChmlFrp's history in the long-term statistics."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.components.recorder import Recorder
import pytest

from custom_components.tunnel_hub.api.capabilities.account import CanGetTrafficHistory
from simulator.chmlfrp import ChmlFrpService

from ..common import DAY, HOUR, MINUTE, SMALL, World, as_older, on_account, refused
from ..long_term_statistics import NO_STATES, rows, series

GIB = 1024**3
SHANGHAI = ZoneInfo("Asia/Shanghai")
OF_ACCOUNT = "tunnel_hub:entry_demo_account_account"
OF_TUNNEL = "tunnel_hub:entry_demo_tunnel_1"
OF_NODE = "tunnel_hub:entry_demo_node_1"

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]

REFUSAL = {"code": 400, "msg": "隧道维护中", "state": "fail"}

type Home = World[ChmlFrpService]


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: only the imported statistics are tested."""
    return NO_STATES


def day(number: int) -> datetime:
    """Return when a day of October begins at the service."""
    return datetime(2026, 10, number, tzinfo=SHANGHAI).astimezone(ZoneInfo("UTC"))


def use(world: Home, *gibibytes: float) -> None:
    """Set the incoming traffic of the last seven days, today last."""
    for past, amount in zip(world.service.account.days, gibibytes, strict=True):
        past.traffic_in, past.traffic_out = amount * GIB, 0


async def incoming(
    world: Home, statistic: str = f"{OF_ACCOUNT}_traffic_in"
) -> dict[str, tuple[float, float]]:
    """Return the amounts and sums in the statistics, by the service's day."""
    return {
        f"{start.astimezone(SHANGHAI):%m-%d}": (row["state"] or 0, row["sum"] or 0)
        for start, row in (await rows(world.hass, statistic)).items()
    }


async def test_days_before_the_account_was_added(world: Home) -> None:
    """Each past day is one row at the service's midnight. Today is not imported yet."""
    use(world, 1, 2, 0, 4, 5, 6, 7)

    await world.set_up()

    found = await rows(world.hass, f"{OF_ACCOUNT}_traffic_in")
    assert list(found) == [day(number) for number in range(14, 20)]
    assert [row["state"] for row in found.values()] == [1, 2, 0, 4, 5, 6]
    assert [row["sum"] for row in found.values()] == [1, 3, 3, 7, 12, 18]


async def test_metadata(world: Home) -> None:
    await world.set_up()

    known = await series(world.hass)

    described = known[f"{OF_ACCOUNT}_traffic_in"]
    assert described["name"] == "ChmlFrp demo: traffic in, daily"
    assert (described["unit_class"], described["statistics_unit_of_measurement"]) == (
        "information",
        "GiB",
    )
    assert (described["mean_type"], described["has_sum"]) == (0, True)
    uptime = known[f"{OF_NODE}_uptime"]
    assert (uptime["mean_type"], uptime["has_sum"]) == (1, False)
    assert (uptime["unit_class"], uptime["statistics_unit_of_measurement"]) == ("unitless", "%")


async def test_names_are_in_the_system_language(world: Home) -> None:
    world.hass.config.language = "zh-Hans"
    await world.set_up()

    assert (await series(world.hass))[f"{OF_ACCOUNT}_traffic_in"]["name"] == (
        "ChmlFrp demo：每日入站流量"
    )


async def test_each_day_is_added_once(world: Home) -> None:
    """Three days later each day is there once, and the sum has continued."""
    use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()
    for tunnel in world.service.state.tunnels.values():
        tunnel.rate_in = tunnel.rate_out = 0

    for _ in range(3):
        world.service.account.days[-1].traffic_in = 2 * GIB
        await world.live(DAY, 6 * HOUR)

    found = await incoming(world)
    assert list(found) == [f"10-{number}" for number in range(14, 23)]
    assert [amount for amount, _ in found.values()] == [1] * 6 + [2] * 3
    assert [total for _, total in found.values()] == [*range(1, 7), *range(8, 14, 2)]


async def test_statistics_continue_after_an_upgrade(world: Home) -> None:
    """Identifiers change, but no statistics are lost or start at 0."""
    use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()
    before, known = await incoming(world), await series(world.hass)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world)
    await world.set_up()
    assert await on_account(world, "import_history") == {"rows": 0}
    assert await incoming(world) == before
    for tunnel in world.service.state.tunnels.values():
        tunnel.rate_in = tunnel.rate_out = 0

    world.service.account.days[-1].traffic_in = 2 * GIB
    await world.live(DAY, 6 * HOUR)

    assert await series(world.hass) == known
    found = await incoming(world)
    assert found == before | {"10-20": (2, 8)}


async def test_a_corrected_day(world: Home) -> None:
    """Its row and all later sums are updated."""
    use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()

    use(world, 1, 1, 3, 1, 1, 1, 0)
    written = await on_account(world, "import_history")

    found = await incoming(world)
    assert [amount for amount, _ in found.values()] == [1, 1, 3, 1, 1, 1]
    assert [total for _, total in found.values()] == [1, 2, 5, 6, 7, 8]
    assert written == {"rows": 4}


async def test_unchanged_days_are_not_written_again(world: Home) -> None:
    await world.set_up()
    before = await rows(world.hass, f"{OF_ACCOUNT}_traffic_in")

    written = await on_account(world, "import_history")

    assert written == {"rows": 0}
    assert await rows(world.hass, f"{OF_ACCOUNT}_traffic_in") == before


async def test_days_that_are_no_longer_listed_stay(world: Home) -> None:
    use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()

    world.service.fault("/flow_last_7_days", "patch", patch={"data.2.traffic_in": None})
    await on_account(world, "import_history")

    assert [total for _, total in (await incoming(world)).values()] == [1, 2, 3, 4, 5, 6]


async def test_home_assistant_was_off_for_weeks(world: Home) -> None:
    """The sum continues with its last value, regardless of the gap."""
    use(world, 1, 1, 1, 1, 1, 1, 0)
    await world.set_up()
    await world.hass.config_entries.async_unload(world.entry.entry_id)
    world.freezer.tick(20 * DAY)
    world.service.catch_up()
    use(world, 2, 2, 2, 2, 2, 2, 0)

    await world.set_up()

    found = await incoming(world)
    assert list(found) == [f"10-{n}" for n in range(14, 20)] + [f"11-0{n}" for n in range(3, 9)]
    assert [total for _, total in found.values()] == [*range(1, 7), *range(8, 19, 2)]


async def test_tunnels_and_nodes(world: Home) -> None:
    tunnel, node = world.service.state.tunnels["1"], world.service.state.nodes["1"]
    for ago, past in enumerate(reversed(tunnel.days)):
        past.traffic_in, past.traffic_out = ago * GIB, 2 * ago * GIB
    node.uptimes = [float(number % 100) for number in range(90)]

    await world.set_up()

    assert [
        amount for amount, _ in (await incoming(world, f"{OF_TUNNEL}_traffic_out")).values()
    ] == [*(12, 10, 8, 6, 4, 2)]
    uptime = await rows(world.hass, f"{OF_NODE}_uptime")
    assert len(uptime) == 89, "today is not imported"
    assert [row["mean"] for row in uptime.values()] == [float(number) for number in range(89)]
    assert max(uptime) == day(19)


async def test_number_of_requests(world: Home) -> None:
    """One request a day for the account, one for all nodes, and one for each tunnel."""
    await world.set_up()
    await world.elapse(HOUR)

    def asked() -> tuple[int, int, int]:
        """Count the requests for tunnels, for all days of nodes and for their last days."""
        return (
            len(world.service.calls_to("/tunnel/last7days")),
            len(world.service.calls_to("/node_uptime", time="90")),
            len(world.service.calls_to("/node_uptime", time="8")),
        )

    assert asked() == (2, 1, 0)
    await world.restart()
    assert asked() == (2, 1, 0), "a restart causes no request"

    await world.live(DAY, 6 * HOUR)

    assert asked() == (4, 1, 1)


async def test_only_shown_entities_are_requested(world: Home) -> None:
    await world.set_up()
    world.disable("tunnel:2:")
    await world.restart()
    before = len(world.service.calls_to("/tunnel/last7days", tunnel_id="2"))

    await world.live(2 * DAY, 6 * HOUR)

    assert len(world.service.calls_to("/tunnel/last7days", tunnel_id="2")) == before
    assert len(world.service.calls_to("/tunnel/last7days", tunnel_id="1")) == 3


async def test_a_failed_request_is_retried(world: Home) -> None:
    world.service.fault("/tunnel/last7days", "status", status=503, times=None)
    await world.set_up()
    assert f"{OF_TUNNEL}_traffic_in" not in await series(world.hass)
    world.service.clear_faults()

    await world.live(2 * HOUR, HOUR)

    assert f"{OF_TUNNEL}_traffic_in" in await series(world.hass)


async def test_a_refused_tunnel_does_not_stop_the_others(world: Home) -> None:
    world.service.fault("/tunnel/last7days", "body", match={"tunnel_id": "1"}, body=REFUSAL)

    await world.set_up()

    assert "tunnel_hub:entry_demo_tunnel_2_traffic_in" in await series(world.hass)


async def test_not_in_the_first_minutes_of_a_day(world: Home) -> None:
    """Tunnel rows have no dates, and the service's clock may be slow."""
    world.freezer.move_to(day(21) + timedelta(minutes=5))
    await world.set_up()
    assert not await series(world.hass)

    error = await refused(world, None, "import_history")
    assert error.translation_key == "history_not_settled"
    await world.live(15 * MINUTE)

    assert max(await rows(world.hass, f"{OF_TUNNEL}_traffic_in")) == day(20)


async def test_removed_with_the_account(world: Home) -> None:
    """Users cannot delete them, and an account that is added again gets new ones."""
    await world.set_up()
    assert await series(world.hass)

    await world.hass.config_entries.async_remove(world.entry.entry_id)

    assert not await series(world.hass)


async def test_no_requests_without_the_recorder(world: Home, recorder_mock: Recorder) -> None:
    world.hass.config.components.remove("recorder")

    await world.set_up()

    assert not world.service.calls_to("/tunnel/last7days")
    assert isinstance(world.entry.runtime_data.provider, CanGetTrafficHistory)
    error = await refused(world, None, "import_history")
    assert error.translation_key == "unsupported"
