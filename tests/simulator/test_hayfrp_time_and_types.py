"""How HayFrp's numbers grow, and in which types they come."""

import pytest

from simulator import Simulator
from simulator.hayfrp import HayFrpService
from simulator.hayfrp.wander import forms, wander

from .conftest import DAY, HOUR, Client, Clock


async def test_traffic_grows_with_time(hayfrp: HayFrpService) -> None:
    node, account = hayfrp.state.nodes["1"], hayfrp.account
    node_before, today, left = node.traffic_in, account.today_bytes, account.traffic
    online = [tunnel for tunnel in hayfrp.state.tunnels.values() if hayfrp.online(tunnel)]
    used = sum(tunnel.rate for tunnel in online) * HOUR

    hayfrp.advance(HOUR)

    assert node.traffic_in == pytest.approx(node_before + node.rate_in * HOUR)
    assert account.today_bytes == pytest.approx(today + used)
    assert account.traffic == pytest.approx(left - used / 1024**2)


async def test_what_is_offline_does_not_grow(hayfrp: HayFrpService) -> None:
    for tunnel in hayfrp.state.tunnels.values():
        tunnel.enabled = False
    today, node = hayfrp.account.today_bytes, hayfrp.state.nodes["8"].traffic_in

    hayfrp.advance(HOUR)

    assert hayfrp.account.today_bytes == today
    assert hayfrp.state.nodes["8"].traffic_in == node


async def test_the_day_starts_over_at_midnight(hayfrp: HayFrpService) -> None:
    node = hayfrp.state.nodes["1"]
    total = hayfrp.state.total_in

    hayfrp.advance(36 * HOUR + 60)

    assert node.traffic_in == pytest.approx(node.rate_in * 60)
    assert hayfrp.account.today_bytes < 60 * 5 * 16_384
    assert hayfrp.state.today_runs == 0
    assert hayfrp.state.total_in > total


async def test_traffic_left_never_falls_below_nothing(hayfrp: HayFrpService) -> None:
    hayfrp.account.traffic = 0.001
    hayfrp.advance(DAY)
    assert hayfrp.account.traffic == 0


async def test_the_state_lives_on_with_the_clock_alone(
    hayfrp: HayFrpService, client: Client, clock: Clock
) -> None:
    before = hayfrp.account.today_bytes
    clock.time += HOUR
    await client.get("/version")
    assert hayfrp.account.today_bytes > before


@pytest.mark.parametrize(
    "value, expected",
    [
        (True, ("true", True, 1, "1")),
        (False, ("false", False, 0, "0")),
        (7, ("7", 7)),
        (1.5, ("1.5", 1.5)),
        (None, (None, "")),
        ("95.65%", ("95.65%", "95.65", 95.65)),
        ("name", ("name",)),
    ],
)
def test_a_field_wanders_through_its_forms(value: object, expected: tuple[object, ...]) -> None:
    seen = {repr(wander({"field": value}, f"place {number}")["field"]) for number in range(60)}

    assert forms(value) == expected
    assert seen == {repr(form) for form in expected}


async def test_types_wander_between_rows_and_seeds_but_not_in_time(client: Client) -> None:
    first, second = await client.get("/node"), await client.get("/node")
    assert first == second
    for field in ("bind_port", "total_traffic_in", "cpu_usage"):
        assert len({type(row[field]) for row in first["servers"]}) > 1

    seen: dict[str, set[str]] = {}
    for seed in range(1, 13):
        async with Simulator(seed=seed) as simulator:
            asker = Client(client.session, simulator.get(HayFrpService).url)
            login = await asker.ask("/user", "login", user="demo", passwd="demo-password")
            for name, value in (await asker.ask("/user", "info", csrf=login["token"])).items():
                seen.setdefault(name, set()).add(type(value).__name__)
    assert seen["status"] == {"bool", "str"}
    assert seen["realname"] == {"bool", "str", "int"}
    assert seen["traffic"] == {"int", "str"}
    assert seen["signdate"] == {"NoneType", "str"}
    assert seen["id"] == {"str"}
