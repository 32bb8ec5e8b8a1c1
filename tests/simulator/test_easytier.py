"""Tests the simulated EasyTier node manager in both dialects."""

from collections.abc import AsyncIterator
import re
from typing import Any

import aiohttp
import pytest

from simulator import Simulator
from simulator.easytier import EasyTierService

from .conftest import Clock, content_of

DAY = 86400
TEN_MINUTES = 600
DOCUMENTED_ROW = {
    *("id", "node_name", "region_type", "region_detail", "connections", "tags", "status"),
    *("current_bandwidth", "tier_bandwidth", "max_bandwidth", "used_traffic", "max_traffic"),
    *("connection_count", "max_connections"),
}
EXTRA_FIELDS = {
    *("user_email", "correction_traffic", "reset_cycle", "reset_date", "created_at"),
    *("valid_until", "recent_status", "notes", "last_report_at", "allow_relay"),
    *("report_token", "network_name", "network_token"),
}
NEW_NODE: dict[str, Any] = {
    "node_name": "节点1",
    "region_type": "domestic",
    "region_detail": "北京",
    "connections": [{"type": "TCP", "ip": "1.2.3.4", "port": 8080}],
    "tier_bandwidth": 100,
    "max_bandwidth": 1000,
    "max_traffic": 1000,
    "reset_cycle": 30,
    "max_connections": 100,
    "tags": "高速,稳定",
    "valid_until": "2027-11-04",
    "allow_relay": 1,
}


class Client:
    """Calls the node manager, with `token` if there is one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.token = ""

    async def ask(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Return the JSON or the text of an answer with this status."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, self.url + path, json=json, headers={**sent, **(headers or {})}
        ) as response:
            return await content_of(response, status)

    async def get(self, path: str, **options: Any) -> Any:
        """Send a GET."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Any:
        """Send a POST."""
        return await self.ask("POST", path, json, **options)

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in."""
        answer = await self.post("/api/auth/login", {"email": email, "password": password})
        self.token = answer["token"]


@pytest.fixture
def easytier(simulator: Simulator) -> EasyTierService:
    """A server with the real dialect, unless a test requests both."""
    return simulator.get(EasyTierService)


@pytest.fixture(params=["real", "documented"])
def dialect(request: pytest.FixtureRequest, easytier: EasyTierService) -> str:
    """Run the test in both dialects."""
    easytier.state.settings.dialect = request.param
    return str(request.param)


@pytest.fixture
async def client(easytier: EasyTierService) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, easytier.url)


@pytest.fixture
async def demo(client: Client) -> Client:
    """The client, signed in to the demo account."""
    await client.sign_in("demo@example.com", "demo-password")
    return client


def documented(easytier: EasyTierService) -> None:
    easytier.state.settings.dialect = "documented"


def checks(easytier: EasyTierService, *numbers: int) -> list[dict[str, object]]:
    """Return checks of the first connections of nodes."""
    nodes = [easytier.state.nodes[str(number)] for number in numbers]
    return [
        {
            "server": f"tcp://{node.connections[0].ip}:{node.connections[0].port}",
            "network_name": node.network_name,
            "network_secret": node.network_token,
        }
        for node in nodes
    ]


# The whole state


@pytest.mark.parametrize("nodes", [0, 1, 8, 20])
async def test_demo_account_has_as_many_nodes_as_requested(nodes: int) -> None:
    async with (
        Simulator(["easytier"], nodes=nodes) as simulator,
        aiohttp.ClientSession() as session,
    ):
        easytier = simulator.get(EasyTierService)
        client = Client(session, easytier.url)
        await client.sign_in(*easytier.credentials.values())
        rows = (await client.get("/api/nodes/my"))["nodes"]

    assert [row["id"] for row in rows] == list(range(nodes, 0, -1)), "newest first"
    assert len({row["node_name"] for row in rows}) == nodes
    assert len(easytier.state.nodes) == nodes + 3


async def test_same_seed_makes_the_same_world(clock: Clock) -> None:
    worlds = []
    for seed in (1, 1, 2):
        async with Simulator(["easytier"], seed=seed, clock=clock) as simulator:
            simulator.advance(3600)
            worlds.append(simulator.get(EasyTierService).state)

    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register", "/api/report"])
async def test_invalid_body_is_a_server_error(client: Client, path: str) -> None:
    assert set(await client.post(path, status=500)) == {"error"}
    assert set(await client.post(path, ["list"], status=400)) == {"error"}


# Nodes


async def test_fields_of_a_row(demo: Client, dialect: str) -> None:
    rows = (await demo.get("/api/nodes/my"))["nodes"]

    wanted = DOCUMENTED_ROW if dialect == "documented" else DOCUMENTED_ROW | EXTRA_FIELDS
    assert {frozenset(row) for row in rows} == {frozenset(wanted)}
    assert set(rows[0]["connections"][0]) == {"type", "ip", "port"}


@pytest.mark.parametrize("name", ["valid_until", "allow_relay"])
async def test_values_that_the_real_server_cannot_store_are_errors(
    easytier: EasyTierService, demo: Client, name: str
) -> None:
    body = {key: value for key, value in NEW_NODE.items() if key != name}

    await demo.post("/api/nodes", body, status=500)
    documented(easytier)
    await demo.post("/api/nodes/", body, status=400)
    assert len(easytier.state.nodes) == 11


@pytest.mark.parametrize(
    "bad",
    [
        {"reset_cycle": 32},
        {"reset_cycle": 40},
        {"valid_until": "2026-11-19"},
        {"region_type": "moon"},
        {"allow_relay": 2},
    ],
)
async def test_values_out_of_range_are_refused_in_documented_dialect_only(
    easytier: EasyTierService, demo: Client, bad: dict[str, object]
) -> None:
    await demo.post("/api/nodes", {**NEW_NODE, **bad}, status=201)
    await demo.ask("PUT", "/api/nodes/1", bad)
    documented(easytier)
    assert await demo.post("/api/nodes/", {**NEW_NODE, **bad}, status=400) == {
        "error": "请求参数错误"
    }
    await demo.ask("PUT", "/api/nodes/2", bad, status=400)


@pytest.mark.parametrize(
    "cycle, day",
    [(21, "2026-11-21"), (20, "2026-12-20"), (1, "2026-12-01"), (0, "2026-11-30")],
)
async def test_changed_reset_cycle_moves_reset_date(
    easytier: EasyTierService, demo: Client, cycle: int, day: str
) -> None:
    await demo.ask("PUT", "/api/nodes/2", {"reset_cycle": cycle})

    assert easytier.state.nodes["2"].reset_date == f"{day}T00:00:00.000Z"


# Reports


def report(easytier: EasyTierService, number: int, **fields: object) -> dict[str, object]:
    node = easytier.state.nodes[str(number)]
    return {
        "node_name": node.node_name,
        "email": node.user_email,
        "token": node.report_token,
        "current_bandwidth": 50.5,
        "reported_traffic": 0.5,
        "connection_count": 5,
        "status": "online",
        **fields,
    }


async def test_report_puts_node_online_for_ten_minutes(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    easytier.advance(60)
    answer = await client.post("/api/report", report(easytier, 6, reported_traffic=12.5))

    node = easytier.state.nodes["6"]
    assert answer == {
        "message": "上报成功",
        "used_traffic": 12.5,
        "max_traffic": node.max_traffic,
        "reset_date": node.reset_date,
    }
    assert (node.status, node.current_bandwidth, node.connection_count) == ("online", 50.5, 5)
    assert node.last_report_at == "2026-11-20T04:01:00.000Z"
    assert node.recent_status > "1"
    easytier.advance(TEN_MINUTES)
    assert (node.status, len(node.recent_status)) == ("online", 1)
    easytier.advance(TEN_MINUTES)
    assert (node.status, node.current_bandwidth, node.connection_count) == ("offline", 0, 0)
    assert len(node.recent_status) == 1, "no report since"


async def test_report_after_reset_date_begins_new_period(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False
    easytier.advance(11 * DAY)
    answer = await client.post("/api/report", report(easytier, 1))

    assert (answer["used_traffic"], answer["reset_date"]) == (0.5, "2027-01-31T00:00:00.000Z")


# Time


async def test_recent_status_grows_by_a_digit_every_ten_minutes(
    easytier: EasyTierService,
) -> None:
    node = easytier.state.nodes["1"]
    before = node.recent_status

    easytier.advance(TEN_MINUTES - 1)
    assert node.recent_status == before
    easytier.advance(1)
    assert node.recent_status[:-1] == before[1:], "at most thirty days"
    easytier.advance(6 * TEN_MINUTES)
    assert node.recent_status[:-7] == before[7:]
    assert re.fullmatch("[2-9]{7}", node.recent_status[-7:])


async def test_silent_node_gets_no_digits(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False
    before = node.recent_status

    easytier.advance(3 * DAY)
    assert node.recent_status == before


async def test_agents_use_traffic_until_reset_date(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    before = node.used_traffic

    easytier.advance(TEN_MINUTES)
    used = node.current_bandwidth * TEN_MINUTES / 8 / 1000
    assert node.used_traffic == pytest.approx(before + used)
    easytier.advance(9 * DAY)
    assert node.used_traffic > before + 100
    easytier.advance(DAY)
    assert node.used_traffic < 100, "four hours after the reset"
    assert node.reset_date == "2026-12-31T00:00:00.000Z", "the month after that of the report"


async def test_node_without_agent_goes_offline(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False

    easytier.advance(2 * TEN_MINUTES)
    assert node.status == "offline"
    node.reporting = True
    easytier.advance(TEN_MINUTES)
    assert (node.status, node.recent_status[-1] > "1") == ("online", True)


@pytest.mark.parametrize("bandwidth, digit", [(0, "2"), (70, "3"), (101, "4"), (900, "9")])
async def test_digit_is_the_load_of_a_node(
    easytier: EasyTierService, client: Client, bandwidth: float, digit: str
) -> None:
    node = easytier.state.nodes["6"]
    node.max_traffic, node.max_connections, node.tier_bandwidth = 1000, 100, 100
    body = report(easytier, 6, reported_traffic=0, connection_count=0)
    await client.post("/api/report", {**body, "current_bandwidth": bandwidth})

    assert node.recent_status == digit


# Public endpoints


async def test_public_nodes_are_online_and_valid(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    answer = await client.get("/api/public")

    assert [row["id"] for row in answer["nodes"]] == [11, 10, 9, 7, 5, 3, 2, 1]
    fields = DOCUMENTED_ROW - {"connections"} | {"allow_relay"}
    extra = {"connections", "notes", "recent_status", "reset_date"}
    assert set(answer["nodes"][0]) == (fields if dialect == "documented" else fields | extra)
    assert ("stats" in answer) == (dialect == "real")


async def test_statistics(easytier: EasyTierService, client: Client, dialect: str) -> None:
    answer = await client.get("/api/stats")

    nodes = easytier.state.nodes.values()
    bandwidth = pytest.approx(sum(node.current_bandwidth for node in nodes), abs=0.01)
    counted = {"total_nodes": 11, "online_nodes": 8, "domestic_nodes": 7, "overseas_nodes": 4}
    if dialect == "documented":
        assert answer == {**counted, "total_bandwidth": bandwidth}
        return
    history = answer.pop("history")
    assert answer == {
        **counted,
        "current_bandwidth_total": bandwidth,
        "tier_bandwidth_total": sum(node.tier_bandwidth for node in nodes),
        "max_bandwidth_total": sum(node.max_bandwidth for node in nodes),
        "connection_count_total": sum(node.connection_count for node in nodes),
        "max_connections_total": sum(node.max_connections for node in nodes),
    }
    assert {name: len(points) for name, points in history.items()} == dict.fromkeys(
        ("online_nodes", "connections", "bandwidth", "tierband"), 144
    )
    assert history["online_nodes"][-1] == {"value": 8, "timestamp": "2026-11-20T04:00:00.000Z"}
    assert history["bandwidth"][-1]["value"] == bandwidth
    assert history["bandwidth"][-2]["timestamp"] == "2026-11-20T03:50:00.000Z"


async def test_query_uses_its_criteria(easytier: EasyTierService, client: Client) -> None:
    async def ask(**wishes: object) -> list[int]:
        return [row["id"] for row in (await client.post("/api/query", wishes))["nodes"]]

    nodes = easytier.state.nodes
    assert set(await ask(region="overseas", priority="")) == {2, 7, 10}
    assert set(await ask(region="domestic")) < {1, 3, 5, 9, 11}
    assert {number % 2 for number in await ask(relay_only=True, region="all")} == {1}
    nodes["3"].tier_bandwidth = 1_000_000
    assert (await ask(priority="bandwidth"))[0] == 3
    nodes["7"].max_connections = 1_000_000
    assert (await ask(priority="latency"))[0] == 7
    for number in ("1", "5"):
        nodes[number].max_traffic, nodes[number].used_traffic = 1_000_000, 0
        nodes[number].reset_date = "2026-12-01T00:00:00.000Z"
    nodes["1"].connection_count, nodes["5"].connection_count = 2, 1
    assert (await ask(priority="traffic"))[:2] == [5, 1], "for each user"
    nodes["5"].reset_date = "2027-01-01T00:00:00.000Z"
    assert (await ask(priority="traffic"))[:2] == [1, 5], "for each remaining day"
    for node in nodes.values():
        node.status = "offline"
    assert await ask() == []


# The EdgeOne checks


async def test_check_one_node(easytier: EasyTierService, client: Client) -> None:
    documented(easytier)
    node = easytier.state.nodes["1"]
    way = node.connections[0]
    (query,) = checks(easytier, 1)

    async def check(**changes: object) -> Any:
        params = {name: str(value) for name, value in {**query, **changes}.items()}
        async with client.session.get(f"{client.url}/api/edgeone/check", params=params) as response:
            assert response.status == 200
            return await response.json()

    assert await check() == {
        "is_online": True,
        "connection_count": node.connection_count,
        "latency_ms": way.latency_ms,
        "check_time": "2026-11-20T04:00:00.000Z",
    }
    offline = {
        "is_online": False,
        "connection_count": 0,
        "latency_ms": -1,
        "check_time": "2026-11-20T04:00:00.000Z",
    }
    wrong_secret = await check(network_secret="guess")
    assert wrong_secret == {**offline, "error": "网络名称或密码错误"}
    assert await check(server="tcp://192.0.2.1:1") == {**offline, "error": "连接超时"}
    udp = await check(server=str(query["server"]).replace("tcp", "udp"))
    assert udp == {**offline, "error": "不支持的连接地址"}
    way.reachable = False
    assert await check() == {**offline, "error": "连接超时"}
    way.reachable, node.status = True, "offline"
    assert await check() == {**offline, "error": "连接超时"}


@pytest.mark.parametrize("name", ["server", "network_name", "network_secret"])
async def test_check_with_missing_fields(
    easytier: EasyTierService, client: Client, name: str
) -> None:
    documented(easytier)
    (query,) = checks(easytier, 1)
    del query[name]

    path = "/api/edgeone/check?" + "&".join(f"{key}={value}" for key, value in query.items())
    assert await client.get(path, status=400) == {"error": "缺少必填参数"}
    body = {"nodes": [*checks(easytier, 2), query]}
    answer = await client.post("/api/edgeone/batch-check", body, status=400)
    assert answer == {"error": "缺少必填字段"}
