"""Tests the simulated HY2 SCALE node beyond the recordings."""

from collections.abc import AsyncIterator
from hashlib import sha256
import subprocess
import sys
from typing import Any

import aiohttp
from multidict import CIMultiDict
import pytest
from yarl import URL

from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService, User
from simulator.hy2scale.endpoints.mesh import get_topology
from simulator.service import Call

from .conftest import DAY, HOUR, NOON, Clock, content_of


class Api:
    """Calls the node, with its token once signed in."""

    def __init__(self, session: aiohttp.ClientSession, service: Hy2ScaleService) -> None:
        self.session = session
        self.service = service
        self.token = ""

    async def sign_in(self, username: str = "admin", password: str = "hub-password") -> Any:
        """Sign in."""
        answer = await self.post(
            "/login", {"username": username, "password": sha256(password.encode()).hexdigest()}
        )
        self.token = answer["token"]
        return answer

    async def ask(
        self, method: str, path: str, json: object = None, *, status: int = 200, **options: Any
    ) -> Any:
        """Return the JSON, text or bytes of an answer with this status."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        if json is not None:
            options["json"] = json
        url = URL(self.service.api_url + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            return await content_of(response, status)

    async def get(self, path: str, **options: Any) -> Any:
        """Send a GET."""
        return await self.ask("GET", path, **options)

    async def put(self, path: str, json: object = None, **options: Any) -> Any:
        """Send a PUT."""
        return await self.ask("PUT", path, json, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Any:
        """Send a POST."""
        return await self.ask("POST", path, json, **options)

    async def peer(self, path: str) -> Any:
        """Return a peer's row in the topology, None if it does not exist."""
        rows = await self.get("/topology")
        rows += rows[0].get("children", [])
        row = None
        for name in path.split("/"):
            row = next((row for row in rows if row["name"] == name), None)
            rows = row.get("children", []) if row else []
        return row


@pytest.fixture
async def visitor(hy2scale: Hy2ScaleService) -> AsyncIterator[Api]:
    """A client that is not signed in."""
    async with aiohttp.ClientSession() as session:
        yield Api(session, hy2scale)


@pytest.fixture
async def api(visitor: Api) -> Api:
    """A client that is signed in."""
    await visitor.sign_in()
    return visitor


CLIENT = {"name": "fr", "addr": "fr.example.com:5565", "password": "let-me-in"}


def count_peers(rows: Any) -> int:
    """Return the number of peers in a tree, without the node itself."""
    return sum((not row.get("is_self")) + count_peers(row.get("children", [])) for row in rows)


@pytest.mark.parametrize(
    "tunnels, nodes, peers, inbound",
    [(5, 8, 8, 1), (5, 3, 5, 0), (0, 4, 4, 4), (0, 0, 0, 0), (12, 60, 60, 16)],
)
def test_world_has_requested_size(tunnels: int, nodes: int, peers: int, inbound: int) -> None:
    simulator = Simulator(["hy2scale"], tunnels=tunnels, nodes=nodes, clock=Clock())
    hy2scale = simulator.get(Hy2ScaleService)
    rows: Any = get_topology(hy2scale, Call("GET", "", {}, CIMultiDict(), None, NOON))

    assert len(hy2scale.state.clients) == len(rows) - 1 == tunnels
    assert count_peers(rows) == peers
    assert count_peers(rows[0].get("children", [])) == inbound


async def test_traffic_grows_and_restarts_with_the_node(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    before = await api.get("/stats")
    hy2scale.advance(100)
    after = await api.get("/stats")

    assert after["tx_bytes"] - before["tx_bytes"] == 100 * before["tx_rate"] > 0
    assert after["rx_bytes"] - before["rx_bytes"] == 100 * before["rx_rate"] > 0
    assert (after["conns"], after["exit_clients"]) == (4, 1)

    await hy2scale.restart()
    hy2scale.advance(1)
    await api.sign_in()
    again = await api.get("/stats")
    assert again["tx_bytes"] == again["tx_rate"], "inbound peers are not connected yet"
    hy2scale.advance(20)
    assert (await api.get("/stats"))["tx_rate"] == before["tx_rate"] > again["tx_rate"]


async def test_node(api: Api, hy2scale: Hy2ScaleService) -> None:
    node = await api.get("/node")
    assert (node["name"], node["version"], node["limited"]) == ("sg-home", "1.3.4", False)
    assert node["active_paths"] == {"us": "us"}

    await api.put("/node", {"node_id": "feedbeef", "exit_node": False})
    node = await api.get("/node")
    assert (node["node_id"], node["name"], node["exit_node"]) == ("feedbeef", "feedbeef", False)
    assert node["server"]["listen"] == "0.0.0.0:5565"

    await api.put("/node", {"name": "cellar", "server": {"listen": "", "password": ""}})
    node = await api.get("/node")
    assert (node["node_id"], node["name"], node["server"]) == ("feedbeef", "cellar", None)

    hy2scale.state.settings.kernel_right = False
    assert (await api.get("/node"))["limited"] is True


async def test_password_of_a_node_is_checked(api: Api, hy2scale: Hy2ScaleService) -> None:
    alice = next(iter(hy2scale.state.users.values()))
    for password, reason in (
        ("short", "too short"),
        (alice.password, 'user "alice" has the same'),
    ):
        server = {"listen": "0.0.0.0:5565", "password": password}
        assert reason in await api.put("/node", {"server": server}, status=400)


async def test_two_clients_for_one_node(api: Api, hy2scale: Hy2ScaleService) -> None:
    """The second one is rejected, and both are blocked."""
    hy2scale.state.remotes["fr.example.com:5565"] = "us"
    await api.post("/clients", CLIENT)
    hy2scale.advance(2)

    assert not (await api.peer("fr"))["connected"]
    assert (await api.peer("us"))["conflict"] is True


def user(hy2scale: Hy2ScaleService, username: str) -> User:
    """Return the user of that name."""
    return next(user for user in hy2scale.state.users.values() if user.username == username)


async def test_expiry_begins_with_its_day(hy2scale: Hy2ScaleService) -> None:
    bob = user(hy2scale, "bob")
    bob.expiry_date = "2026-11-21"

    hy2scale.advance(20 * 3600 - 1)
    assert hy2scale.connect("bob", "203.0.113.99")
    hy2scale.advance(1)
    assert hy2scale.now() % DAY == 0
    assert hy2scale.connect("bob", "203.0.113.99") is None


@pytest.mark.parametrize("change", [{"enabled": False}, {"traffic_limit": 1, "traffic_used": 1}])
def test_users_that_may_not_connect(hy2scale: Hy2ScaleService, change: dict[str, Any]) -> None:
    alice = user(hy2scale, "alice")
    for name, value in change.items():
        setattr(alice, name, value)

    assert hy2scale.connect("alice", "203.0.113.99") is None
    assert hy2scale.connect("unknown", "203.0.113.99") is None


async def test_invalid_backup_is_refused(api: Api, hy2scale: Hy2ScaleService) -> None:
    assert "invalid tar" in await api.post("/restore", data=b"nonsense", status=400)
    await api.get("/node")

    await api.post("/restore", data=await api.get("/backup"))
    assert hy2scale.state.clients
    await api.get("/node", status=401)


@pytest.mark.parametrize("generation", ["1.3", "documented"])
async def test_every_route_answers(api: Api, hy2scale: Hy2ScaleService, generation: str) -> None:
    hy2scale.state.settings.generation = generation
    routes = [route for route in hy2scale.ROUTES if "stream" not in route.path]
    for route in routes:
        path = route.path.replace("{name}", "us").replace("{id}", "video")
        url = hy2scale.url + hy2scale.base_path + path
        headers = {"Authorization": f"Bearer {api.token}"}
        async with api.session.request(route.method, url, json={}, headers=headers) as response:
            await response.read()
        if response.status == 401 and route.path != "/api/login":
            pytest.fail(f"{route} lost the token")
        if not hy2scale.state.tokens:
            await api.sign_in()

    assert {call.route for call in hy2scale.calls} >= set(routes)
    assert {call.status for call in hy2scale.calls} <= {200, 400, 401, 403, 404, 405}


async def test_use_extends_token(api: Api, hy2scale: Hy2ScaleService) -> None:
    for _ in range(3):
        hy2scale.advance(11 * HOUR)
        await api.get("/node")

    hy2scale.advance(12 * HOUR)
    await api.get("/node", status=401)


@pytest.mark.parametrize(
    "path, status, location",
    [
        ("/scale", 301, "/scale/"),
        ("/scale/no-page", 302, "/scale/login"),
        ("/scale/apinode", 302, "/scale/login"),
        ("/scale/nodes", 200, None),
        ("/scalenode", 404, None),
        ("/api/node", 404, None),
        ("/", 404, None),
    ],
)
async def test_paths_outside_the_api(
    api: Api, hy2scale: Hy2ScaleService, path: str, status: int, location: str | None
) -> None:
    async with api.session.get(hy2scale.url + path, allow_redirects=False) as response:
        assert (response.status, response.headers.get("Location")) == (status, location)


async def test_content_type_is_ignored(api: Api, hy2scale: Hy2ScaleService) -> None:
    await api.put("/rules/video/toggle", data=b'{"enabled": false}')

    assert not hy2scale.state.rules["video"].enabled


def test_worlds_in_frozen_time_and_afterwards() -> None:
    # A separate process, because the first world of a process matters.
    script = """
from freezegun import freeze_time
from simulator import Simulator
with freeze_time("2026-11-20"):
    Simulator(["hy2scale"])
Simulator(["hy2scale"])
"""
    subprocess.run([sys.executable, "-c", script], check=True)


# Refusals

USER = {"username": "erin", "password": "secret"}
RULE = {"id": "music", "type": "domain", "targets": ["music.example.com"], "exit_via": "us"}
REFUSALS: dict[str, tuple[dict[str, Any], tuple[tuple[dict[str, Any], str], ...]]] = {
    "clients": (
        CLIENT,
        (
            ({"name": ""}, "name, addr, password required"),
            ({"password": ""}, "name, addr, password required"),
            ({"addr": ""}, "name, addr, password required"),
            ({"addr": "fr.example.com"}, "invalid address format"),
            ({"addrs": ["fr.example.com:1,2-3", "fr.example.com:x"]}, "invalid address format"),
            ({"max_tx": "fast"}, "field max_tx of type int"),
            ({"max_tx": True}, "field max_tx of type int"),
            ({"insecure": 1}, "field insecure of type bool"),
            ({"addrs": [5]}, "field addrs of type str"),
        ),
    ),
    "users": (
        USER,
        (
            ({"username": ""}, "username and password required"),
            ({"password": ""}, "username and password required"),
            ({"exit_mode": "direct"}, "invalid exit_mode"),
            ({"traffic_limit": 1.5}, "traffic_limit"),
        ),
    ),
    "rules": (
        RULE,
        (
            ({"id": ""}, "id, exit_via, targets required"),
            ({"targets": []}, "id, exit_via, targets required"),
            ({"exit_via": ""}, "id, exit_via, targets required"),
            ({"type": "port"}, "unknown type"),
            ({"exit_mode": "fastest"}, "invalid exit_mode"),
        ),
    ),
}


@pytest.mark.parametrize("path", REFUSALS)
async def test_invalid_rows_are_refused(api: Api, path: str) -> None:
    good, refusals = REFUSALS[path]
    for change, reason in refusals:
        assert reason in await api.post(f"/{path}", {**good, **change}, status=400)


async def test_invalid_body_is_refused(api: Api) -> None:
    for body, reason in (
        (b"", "EOF"),
        (b"{", "invalid JSON"),
        (b"[]", "cannot unmarshal"),
        (b'{"enabled": 1}', "field enabled of type bool"),
    ):
        answer = await api.ask("PUT", "/rules/video/toggle", status=400, data=body)
        assert reason in answer


# As documented


@pytest.fixture
def documented(api: Api) -> Api:
    """The client of a node with the documented generation."""
    api.service.state.settings.generation = "documented"
    return api


async def test_fields_as_documented(documented: Api) -> None:
    this, *others = await documented.get("/topology")
    us = next(row for row in others if row["name"] == "us")
    client, *_ = await documented.get("/clients")

    assert us["children"][0]["children"][0]["name"] == "us-r1-r1"
    for row, fields in (
        (
            await documented.get("/node"),
            "node_id name exit_node hy2_user_auth compat limited server version",
        ),
        (await documented.get("/stats"), "tx_bytes rx_bytes"),
        (await documented.get("/settings/ui"), "listen base_path dns session_timeout_h"),
        (this, "name direction latency_ms is_self children"),
        (this["children"][0], "name direction latency_ms nested"),
        (us, "name direction connected latency_ms nested version tx_rate rx_rate children"),
        (
            client,
            "name addr addrs password sni insecure ca max_tx max_rx disabled connected",
        ),
    ):
        assert set(row) == set(fields.split())


async def test_users_as_documented(documented: Api) -> None:
    """Limits are in GB, and an expiry is a time."""
    users = documented.service.state.users
    alice, bob, *_ = await documented.get("/users")
    assert (alice["traffic_limit_gb"], alice["expiry"]) == (500, "")
    assert bob["expiry"] == "2026-12-20T00:00:00Z"
    assert not {"traffic_limit", "expiry_date"} & set(alice)

    changes = {"traffic_limit_gb": 1.5, "expiry": "2026-12-31T00:00:00Z", "traffic_limit": 7}
    await documented.put(f"/users/{alice['id']}", {**alice, **changes})

    changed = users[alice["id"]]
    assert (changed.traffic_limit, changed.expiry_date) == (3 * 1024**3 // 2, "2026-12-31")


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/clients/us", 405),
        ("GET", "/diag/peer-latency", 404),
        ("GET", "/peers", 404),
        ("PUT", "/peers/us/disable", 404),
        ("GET", "/ss", 404),
        ("GET", "/system/arch", 404),
        ("GET", "/upgrade/check", 404),
        ("GET", "/upgrade/status", 404),
        ("GET", "/users/conflicts", 405),
    ],
)
async def test_routes_of_1_3_are_missing(
    documented: Api, method: str, path: str, status: int
) -> None:
    await documented.ask(method, path, {} if method == "PUT" else None, status=status)
