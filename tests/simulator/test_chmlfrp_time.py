"""What time does to the simulated ChmlFrp, and how its world begins."""

import pytest

from simulator import Simulator
from simulator.chmlfrp import ChmlFrpService

from .conftest import DAY, HOUR, Clock, Panel


async def test_traffic_of_what_is_online_grows(chmlfrp: ChmlFrpService) -> None:
    tunnel, node, account = chmlfrp.state.tunnels["1"], chmlfrp.state.nodes["1"], chmlfrp.account
    total = account.total_in or 0
    before = tunnel.days[-1].traffic_in, node.traffic_out, account.days[-1].traffic_in, total

    chmlfrp.advance(100)

    after = (
        *(tunnel.days[-1].traffic_in, node.traffic_out),
        *(account.days[-1].traffic_in, account.total_in or 0),
    )
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx(
        [tunnel.rate_in * 100, node.rate_out * 100, tunnel.rate_in * 100, tunnel.rate_in * 100]
    )


async def test_what_is_not_online_stands_still(chmlfrp: ChmlFrpService) -> None:
    def counters() -> list[float]:
        still = [tunnel for tunnel in chmlfrp.state.tunnels.values() if not chmlfrp.online(tunnel)]
        nodes = [node for node in chmlfrp.state.nodes.values() if node.state != "online"]
        return [
            *(tunnel.days[-1].traffic_in for tunnel in still),
            *(node.traffic_in for node in nodes),
        ]

    before = counters()
    assert len(before) == 6
    chmlfrp.advance(HOUR)
    assert counters() == before


async def test_a_day_ends_at_midnight_in_shanghai(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    tunnel, node = chmlfrp.state.tunnels["1"], chmlfrp.state.nodes["1"]
    whole_day = tunnel.rate_in * DAY

    chmlfrp.advance(13 * HOUR)

    assert tunnel.days[-1].traffic_in == pytest.approx(tunnel.rate_in * HOUR)
    assert tunnel.days[-2].traffic_in == pytest.approx(whole_day)
    assert node.traffic_in == pytest.approx(node.rate_in * HOUR)
    assert len(tunnel.days) == 7
    flow = (await panel.get("/flow_last_7_days"))["data"]
    assert [row["time"] for row in flow][-2:] == ["11-20", "11-21"]
    assert flow[-1]["traffic_in"] == round(tunnel.rate_in * HOUR)
    assert (await panel.get("/qiandao_info"))["data"]["count_of_matching_records"] == 0


@pytest.mark.parametrize("nodes", [0, 1, 2, 3, 20])
async def test_worlds_of_any_size(clock: Clock, nodes: int) -> None:
    async with Simulator(["chmlfrp"], tunnels=12, nodes=nodes, clock=clock) as simulator:
        chmlfrp = simulator.get(ChmlFrpService)

        states = [node.state for node in chmlfrp.state.nodes.values()]
        assert len(states) == nodes
        assert len({node.name for node in chmlfrp.state.nodes.values()}) == nodes
        tunnels = chmlfrp.state.tunnels.values()
        assert len({tunnel.name for tunnel in tunnels}) == 12
        conditions = {chmlfrp.condition(tunnel) for tunnel in tunnels}
        assert "node_removed" in conditions
        assert ("online" in conditions) == (nodes > 0)
        assert (states[-2:] == ["maintenance", "offline"]) == (nodes >= 3)
        assert ({"node_offline", "node_maintenance"} <= conditions) == (nodes >= 3)


async def test_a_seed_is_a_world(clock: Clock) -> None:
    def world(seed: int) -> object:
        return Simulator(["chmlfrp"], clock=clock, seed=seed).get(ChmlFrpService).state

    assert world(1) == world(1)
    assert world(1) != world(2)


async def test_an_outage_keeps_state_and_both_addresses(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    addresses = chmlfrp.url, chmlfrp.oauth_url
    await chmlfrp.stop()
    await chmlfrp.start()

    assert (chmlfrp.url, chmlfrp.oauth_url) == addresses
    assert (await panel.get("/userinfo"))["data"]["username"] == "demo"


def test_what_signs_in(clock: Clock) -> None:
    chmlfrp = Simulator(["chmlfrp"], clock=clock).get(ChmlFrpService)

    assert chmlfrp.credentials == {
        "username": "demo",
        "password": "demo-password",
        "token": chmlfrp.account.usertoken,
        "client_id": "demo-client",
        "oauth_url": chmlfrp.oauth_url,
    }
