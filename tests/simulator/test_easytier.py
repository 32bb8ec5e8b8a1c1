"""The EasyTier node manager, simulated: what both dialects share and where they differ."""

from collections.abc import AsyncIterator
import re
from typing import Any

import aiohttp
import jwt
import pytest

from simulator import Simulator
from simulator.easytier import EasyTierService
from simulator.service import Route

from .conftest import NOON, Clock

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
    """Asks the node manager; `token` goes along once there is one."""

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
        """Return the JSON of an answer that must have this status, or its text if it is none."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, self.url + path, json=json, headers={**sent, **(headers or {})}
        ) as response:
            assert response.status == status, await response.text()
            if response.content_type == "application/json":
                return await response.json()
            return await response.text()

    async def get(self, path: str, **options: Any) -> Any:
        """Ask without a body."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Any:
        """Ask with a body."""
        return await self.ask("POST", path, json, **options)

    async def sign_in(self, email: str, password: str) -> None:
        """Take a session token."""
        answer = await self.post("/api/auth/login", {"email": email, "password": password})
        self.token = answer["token"]


@pytest.fixture
def easytier(simulator: Simulator) -> EasyTierService:
    """In the dialect of the real server, unless a test asks for both."""
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
    """Return the client, signed in to the demo account."""
    await client.sign_in("demo@example.com", "demo-password")
    return client


@pytest.fixture
async def admin(easytier: EasyTierService, client: Client) -> Client:
    """Return the client, signed in as the administrator."""
    await client.sign_in(easytier.admin.email, easytier.admin.password)
    return client


def documented(easytier: EasyTierService) -> None:
    easytier.state.settings.dialect = "documented"


def checks(easytier: EasyTierService, *numbers: int) -> list[dict[str, object]]:
    """Return the checks of the first connections of nodes."""
    nodes = [easytier.state.nodes[str(number)] for number in numbers]
    return [
        {
            "server": f"tcp://{node.connections[0].ip}:{node.connections[0].port}",
            "network_name": node.network_name,
            "network_secret": node.network_token,
        }
        for node in nodes
    ]


# The whole


async def test_there_is_everything_the_document_names_and_six_more() -> None:
    paths = {(route.method, route.path) for route in EasyTierService.ROUTES}

    assert paths == {
        ("POST", "/api/auth/register"),
        ("POST", "/api/auth/login"),
        ("GET", "/api/auth/verify"),
        ("GET", "/api/nodes/my"),
        ("POST", "/api/nodes"),
        ("POST", "/api/nodes/"),
        ("PUT", "/api/nodes/{id}"),
        ("DELETE", "/api/nodes/{id}"),
        ("POST", "/api/report"),
        ("POST", "/api/query"),
        ("GET", "/api/public"),
        ("GET", "/api/stats"),
        ("GET", "/api/edgeone/check"),
        ("POST", "/api/edgeone/batch-check"),
        ("GET", "/api/edgeone/health"),
        ("GET", "/api/system/check-init"),
        ("POST", "/api/system/initialize"),
        ("GET", "/api/auth/me"),
        ("POST", "/api/auth/resend-verification"),
        ("POST", "/api/auth/reset-token"),
        ("GET", "/api/nodes/all"),
        ("GET", "/api/nodes/{id}"),
        ("POST", "/api/nodes/{id}/regenerate-token"),
    }


@pytest.mark.parametrize("nodes", [0, 1, 8, 20])
async def test_the_demo_account_has_as_many_nodes_as_asked_for(nodes: int) -> None:
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


async def test_a_seed_makes_the_same_world_again(clock: Clock) -> None:
    worlds = []
    for seed in (1, 1, 2):
        async with Simulator(["easytier"], seed=seed, clock=clock) as simulator:
            simulator.advance(3600)
            worlds.append(simulator.get(EasyTierService).state)

    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register", "/api/report"])
async def test_a_body_that_makes_no_sense_is_a_server_error(client: Client, path: str) -> None:
    assert set(await client.post(path, status=500)) == {"error"}
    assert set(await client.post(path, ["list"], status=400)) == {"error"}


async def test_its_own_failure_is_an_error_in_json(
    easytier: EasyTierService, client: Client
) -> None:
    easytier.fault("/api/public", "error")

    assert await client.get("/api/public", status=500) == {"error": "获取节点失败"}


# Accounts


async def test_signing_in(client: Client, dialect: str) -> None:
    body = {"email": "demo@example.com", "password": "demo-password"}
    answer = await client.post("/api/auth/login", body)

    super_admin = {"is_super_admin": False} if dialect == "real" else {}
    assert answer["user"] == {"email": "demo@example.com", "is_admin": False, **super_admin}
    client.token = answer["token"]
    assert (await client.get("/api/auth/me")) == {
        "email": "demo@example.com",
        "is_admin": 0,
        "is_super_admin": 0,
        "is_verified": 1,
    }


async def test_an_account_is_opened_with_a_mailed_token(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    body = {"email": "new@example.com", "password": "secret-1"}
    answer = await client.post("/api/auth/register", body, status=201)

    (mail,) = easytier.state.mailbox
    assert (mail.to, mail.at) == ("new@example.com", NOON)
    assert mail.link == f"{client.url}/verify?token={mail.token}"
    assert answer.get("verification_token") == (mail.token if dialect == "documented" else None)

    await client.post("/api/auth/login", body, status=403)
    guessed = await client.get("/api/auth/verify?token=guess", status=400)
    assert guessed == {"error": "无效的验证令牌"}
    assert await client.get("/api/auth/verify", status=400) == {"error": "缺少验证令牌"}
    verified = await client.get(f"/api/auth/verify?token={mail.token}")
    assert verified == {"message": "邮箱验证成功"}
    assert easytier.state.mailbox == []
    await client.get(f"/api/auth/verify?token={mail.token}", status=400)
    await client.sign_in("new@example.com", "secret-1")
    assert await client.get("/api/nodes/my") == {"nodes": []}


async def test_an_unverified_account_may_be_opened_again_with_another_password(
    easytier: EasyTierService, client: Client
) -> None:
    body = {"email": "new@example.com", "password": "secret-1"}
    await client.post("/api/auth/register", body, status=201)
    body["password"] = "secret-2"
    await client.post("/api/auth/register", body, status=201)
    first, second = easytier.state.mailbox

    await client.get(f"/api/auth/verify?token={first.token}", status=400)
    await client.get(f"/api/auth/verify?token={second.token}")
    await client.sign_in("new@example.com", "secret-2")
    again = await client.post("/api/auth/register", body, status=400)
    assert again == {"error": "该邮箱已被注册并激活"}


async def test_a_server_without_mail_tells_the_token(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    easytier.state.settings.mail = False

    body = {"email": "new@example.com", "password": "secret-1"}
    answer = await client.post("/api/auth/register", body, status=201)
    assert set(answer) == {"message", "verification_token", "warning"}
    await client.get(f"/api/auth/verify?token={answer['verification_token']}")
    await client.sign_in("new@example.com", "secret-1")
    assert easytier.state.mailbox == []


async def test_a_token_is_mailed_again(easytier: EasyTierService, client: Client) -> None:
    async def resend(email: object, status: int = 200) -> Any:
        return await client.post("/api/auth/resend-verification", {"email": email}, status=status)

    for email, status in ((None, 400), ("nonsense", 400), ("nobody@example.com", 404)):
        assert set(await resend(email, status)) == {"error"}
    assert set(await resend("demo@example.com", 400)) == {"error"}
    first = easytier.state.accounts["4"].verification_token

    assert set(await resend("unverified@example.com")) == {"message", "details"}
    (mail,) = easytier.state.mailbox
    assert mail.token != first
    await client.get(f"/api/auth/verify?token={first}", status=400)

    easytier.state.settings.mail = False
    assert await resend("unverified@example.com", 500) == {"error": "邮件服务未配置"}
    await client.get(f"/api/auth/verify?token={mail.token}", status=400)


async def test_a_server_whose_tables_were_made_by_hand_lets_nobody_in(
    easytier: EasyTierService, client: Client
) -> None:
    easytier.state.accounts.clear()
    easytier.state.settings.without_administrator = True

    assert await client.get("/api/system/check-init") == {"initialized": True}
    body = {"email": "boss@example.com", "password": "admin123456"}
    fields = {**body, "jwt_secret": easytier.state.jwt_secret}
    await client.post("/api/system/initialize", fields, status=400)
    closed = await client.post("/api/auth/register", body, status=400)
    assert closed == {"error": "系统尚未初始化，请先完成初始化"}
    await client.post("/api/auth/login", body, status=401)


async def test_where_mail_is_off_an_account_works_at_once(
    easytier: EasyTierService, client: Client
) -> None:
    easytier.state.settings.email_verification = False

    body = {"email": "new@example.com", "password": "secret-1"}
    await client.post("/api/auth/register", body, status=201)
    await client.sign_in("new@example.com", "secret-1")
    await client.sign_in("unverified@example.com", "unverified-password")
    assert easytier.state.mailbox == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "new@example.com"},
        {"password": "secret-1"},
        {"email": "new@example.com", "password": "short"},
    ],
)
async def test_a_registration_that_is_incomplete_is_refused(
    easytier: EasyTierService, client: Client, body: dict[str, str]
) -> None:
    assert set(await client.post("/api/auth/register", body, status=400)) == {"error"}
    assert len(easytier.state.accounts) == 4


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/api/auth/me"),
        ("POST", "/api/auth/reset-token"),
        ("GET", "/api/nodes/my"),
        ("GET", "/api/nodes/all"),
        ("GET", "/api/nodes/1"),
        ("PUT", "/api/nodes/1"),
        ("DELETE", "/api/nodes/1"),
        ("POST", "/api/nodes"),
        ("POST", "/api/nodes/1/regenerate-token"),
    ],
)
async def test_a_session_is_needed(
    easytier: EasyTierService, demo: Client, method: str, path: str
) -> None:
    good = demo.token
    forged = jwt.encode({"email": "demo@example.com"}, "x" * 32, "HS256")
    missing = "未授权" if path.startswith("/api/auth/") else "访问未授权"
    for header in ("", good, f"Basic {good}"):
        answer = await demo.ask(method, path, {}, headers={"Authorization": header}, status=401)
        assert answer == {"error": missing}
    for header in ("Bearer nonsense", f"Bearer {forged}"):
        answer = await demo.ask(method, path, {}, headers={"Authorization": header}, status=401)
        assert answer == {"error": "无效的令牌"}
    assert "1" in easytier.state.nodes


async def test_all_tokens_can_be_refused(
    easytier: EasyTierService, demo: Client, dialect: str
) -> None:
    easytier.refuse_tokens()

    assert await demo.get("/api/nodes/my", status=401) == {"error": "无效的令牌"}
    await demo.sign_in("demo@example.com", "demo-password")
    await demo.get("/api/nodes/my")


async def test_a_token_says_who_is_an_administrator(
    easytier: EasyTierService, demo: Client
) -> None:
    easytier.account.is_admin = True

    assert (await demo.get("/api/auth/me"))["is_admin"] == 1
    await demo.get("/api/nodes/all", status=403)
    demo.token = (await demo.post("/api/auth/reset-token"))["token"]
    await demo.get("/api/nodes/all")


async def test_an_account_that_is_no_longer_verified(
    easytier: EasyTierService, demo: Client
) -> None:
    easytier.account.is_verified = False

    assert await demo.get("/api/auth/me", status=403) == {"error": "邮箱未验证"}
    await demo.get("/api/nodes/my")


async def test_a_token_can_have_an_end(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    easytier.state.settings.token_lifetime = 3600
    await client.sign_in("demo@example.com", "demo-password")

    easytier.advance(3599)
    await client.get("/api/nodes/my")
    easytier.advance(1)
    await client.get("/api/nodes/my", status=401)


async def test_another_token_is_another_one_in_the_document_only(
    demo: Client, dialect: str
) -> None:
    old = demo.token
    answer = await demo.post("/api/auth/reset-token")

    assert answer["user"]["email"] == "demo@example.com"
    assert (answer["token"] != old) == (dialect == "documented")
    await demo.get("/api/nodes/my")
    demo.token = answer["token"]
    await demo.get("/api/nodes/my")


# A server that nobody has initialized


async def test_a_fresh_server_can_only_be_initialized(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    assert await client.get("/api/system/check-init") == {"initialized": True}
    easytier.state.settings.initialized = False

    assert await client.get("/api/system/check-init") == {"initialized": False}
    login = {"email": "demo@example.com", "password": "demo-password"}
    assert set(await client.post("/api/auth/login", login, status=500)) == {"error"}
    await client.get("/api/public", status=500)
    body = {"email": "boss@example.com", "password": "admin123456"}
    wrong = {**body, "jwt_secret": "guess"}
    assert "JWT" in (await client.post("/api/system/initialize", wrong, status=401))["error"]
    body["jwt_secret"] = easytier.state.jwt_secret
    await client.post("/api/system/initialize", {**body, "password": "short"}, status=400)
    assert await client.post("/api/system/initialize", body, status=201) == {
        "message": "系统初始化成功",
        "admin_email": "boss@example.com",
    }

    assert await client.get("/api/system/check-init") == {"initialized": True}
    again = await client.post("/api/system/initialize", body, status=400)
    assert again == {"error": "系统已经初始化"}
    await client.post("/api/auth/login", login, status=401)
    await client.sign_in("boss@example.com", "admin123456")
    assert await client.get("/api/nodes/all") == {"nodes": []}
    assert (await client.get("/api/stats"))["total_nodes"] == 0
    assert (await client.get("/api/public"))["nodes"] == []


# Nodes


async def test_the_fields_of_a_row(demo: Client, dialect: str) -> None:
    rows = (await demo.get("/api/nodes/my"))["nodes"]

    wanted = DOCUMENTED_ROW if dialect == "documented" else DOCUMENTED_ROW | EXTRA_FIELDS
    assert {frozenset(row) for row in rows} == {frozenset(wanted)}
    assert set(rows[0]["connections"][0]) == {"type", "ip", "port"}


async def test_the_demo_nodes_are_of_all_sorts(demo: Client) -> None:
    rows = {row["id"]: row for row in (await demo.get("/api/nodes/my"))["nodes"]}

    assert rows[2]["valid_until"] == "2999-12-31"
    assert rows[3]["used_traffic"] / rows[3]["max_traffic"] > 0.95
    assert (rows[4]["status"], rows[4]["last_report_at"]) == ("offline", "2026-11-20T02:00:00.000Z")
    assert len(rows[4]["recent_status"]) == 4320, "nothing is added while it is silent"
    assert rows[5]["valid_until"] == "2026-11-25"
    assert (rows[6]["last_report_at"], rows[6]["recent_status"]) == (None, "")
    assert (rows[7]["network_name"], rows[7]["network_token"]) == ("", "")
    assert rows[8]["valid_until"] == "2026-11-10"
    assert {number for number, row in rows.items() if row["status"] == "online"} == {1, 2, 3, 5, 7}


async def test_creating_a_node_by_the_path_of_the_dialect(
    easytier: EasyTierService, demo: Client, dialect: str
) -> None:
    right, wrong = "/api/nodes", "/api/nodes/"
    if dialect == "documented":
        right, wrong = wrong, right

    assert await demo.post(wrong, NEW_NODE, status=404) == "404 Not Found"
    answer = await demo.post(right, NEW_NODE, status=201)

    assert answer == {"message": "节点创建成功", "node_id": 12}
    row = (await demo.get("/api/nodes/my"))["nodes"][0]
    stored = 100 if dialect == "documented" else 0
    wanted = {**NEW_NODE, "tier_bandwidth": stored}
    assert {name: row[name] for name in wanted if name in row} == {
        name: value for name, value in wanted.items() if name in row
    }
    node = easytier.state.nodes["12"]
    assert (node.status, node.recent_status, node.user_email) == ("offline", "", "demo@example.com")
    assert (node.created_at, node.reset_date) == (
        "2026-11-20 04:00:00",
        "2026-11-30T00:00:00.000Z",
    )
    easytier.advance(DAY)
    assert easytier.state.nodes["12"].recent_status == "", "no digit before the first report"


@pytest.mark.parametrize("name", ["valid_until", "allow_relay"])
async def test_what_the_real_server_cannot_store_is_an_error(
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
async def test_values_out_of_range_are_refused_in_the_document_only(
    easytier: EasyTierService, demo: Client, bad: dict[str, object]
) -> None:
    await demo.post("/api/nodes", {**NEW_NODE, **bad}, status=201)
    await demo.ask("PUT", "/api/nodes/1", bad)
    documented(easytier)
    assert await demo.post("/api/nodes/", {**NEW_NODE, **bad}, status=400) == {
        "error": "请求参数错误"
    }
    await demo.ask("PUT", "/api/nodes/2", bad, status=400)


@pytest.mark.parametrize("cycle", [0, 31])
async def test_the_reset_cycle_goes_from_0_to_31(
    easytier: EasyTierService, demo: Client, cycle: int
) -> None:
    documented(easytier)
    await demo.ask("PUT", "/api/nodes/2", {"reset_cycle": cycle})

    assert easytier.state.nodes["2"].reset_date == "2026-11-30T00:00:00.000Z"


@pytest.mark.parametrize(
    "bad",
    [
        {"valid_until": None},
        {"connections": [{"type": "TCP"}]},
        {"connections": [{"type": "TCP", "ip": "1.2.3.4", "port": "http"}]},
        {"connections": "tcp"},
        {"reset_cycle": "often"},
        {"reset_cycle": -1},
    ],
)
async def test_what_cannot_be_read_is_refused(
    easytier: EasyTierService, demo: Client, bad: dict[str, object]
) -> None:
    failed = await demo.ask("PUT", "/api/nodes/1", bad, status=500)
    assert failed == {"error": "更新节点失败"}
    documented(easytier)
    refused = await demo.ask("PUT", "/api/nodes/1", bad, status=400)
    assert refused == {"error": "请求参数错误"}


async def test_a_damaged_row_spoils_every_list_until_it_is_mended(
    easytier: EasyTierService, demo: Client
) -> None:
    easytier.state.nodes["1"].is_damaged = True

    assert await demo.get("/api/nodes/my", status=500) == {"error": "获取节点失败"}
    assert await demo.get("/api/nodes/1", status=500) == {"error": "获取节点详情失败"}
    assert await demo.get("/api/public", status=500) == {"error": "获取节点失败"}
    assert await demo.post("/api/query", {}, status=500) == {"error": "查询失败"}
    await demo.get("/api/nodes/2")
    await demo.get("/api/stats")
    await demo.ask("PUT", "/api/nodes/1", {"tags": "a"})
    await demo.get("/api/nodes/1", status=500)
    await demo.ask("PUT", "/api/nodes/1", {"connections": NEW_NODE["connections"]})
    await demo.get("/api/nodes/1")
    await demo.get("/api/nodes/my")


async def test_an_update_changes_what_it_brings(
    easytier: EasyTierService, demo: Client, dialect: str
) -> None:
    before = (await demo.get("/api/nodes/2"))["node"]
    answer = await demo.ask("PUT", "/api/nodes/2", {"tier_bandwidth": 200, "tags": "a,b", "id": 9})

    assert answer == {"message": "节点更新成功"}
    after = (await demo.get("/api/nodes/2"))["node"]
    assert after == {**before, "tier_bandwidth": 200, "tags": "a,b"}
    await demo.ask("PUT", "/api/nodes/2", {"allow_relay": 1})
    assert easytier.state.nodes["2"].allow_relay == 1


async def test_an_update_that_brings_nothing_is_refused(demo: Client, dialect: str) -> None:
    assert set(await demo.ask("PUT", "/api/nodes/2", {"id": 9}, status=400)) == {"error"}


@pytest.mark.parametrize(
    "cycle, day",
    [(21, "2026-11-21"), (20, "2026-12-20"), (1, "2026-12-01"), (0, "2026-11-30")],
)
async def test_a_changed_reset_cycle_moves_the_reset_date(
    easytier: EasyTierService, demo: Client, cycle: int, day: str
) -> None:
    await demo.ask("PUT", "/api/nodes/2", {"reset_cycle": cycle})

    assert easytier.state.nodes["2"].reset_date == f"{day}T00:00:00.000Z"


@pytest.mark.parametrize("seconds, month", [(0, 11), (1, 12)])
async def test_a_reset_that_begins_now_is_the_next(
    easytier: EasyTierService, demo: Client, seconds: int, month: int
) -> None:
    easytier.advance(20 * 3600 + seconds)
    await demo.ask("PUT", "/api/nodes/2", {"reset_cycle": 21})

    assert easytier.state.nodes["2"].reset_date == f"2026-{month}-21T00:00:00.000Z"


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/api/nodes/{}"),
        ("PUT", "/api/nodes/{}"),
        ("DELETE", "/api/nodes/{}"),
        ("POST", "/api/nodes/{}/regenerate-token"),
    ],
)
async def test_the_nodes_of_others_and_nodes_that_are_gone(
    easytier: EasyTierService, demo: Client, dialect: str, *, method: str, path: str
) -> None:
    others = dict(easytier.state.nodes)

    body = {"tags": "mine"}
    assert "无权" in (await demo.ask(method, path.format(9), body, status=403))["error"]
    for gone in (99, "one"):
        answer = await demo.ask(method, path.format(gone), body, status=404)
        assert answer == {"error": "节点不存在"}
    assert easytier.state.nodes == others

    await demo.sign_in(easytier.admin.email, easytier.admin.password)
    await demo.ask(method, path.format(9), body)


async def test_all_nodes_are_for_administrators(
    easytier: EasyTierService, demo: Client, dialect: str
) -> None:
    assert await demo.get("/api/nodes/all", status=403) == {"error": "需要管理员权限"}
    await demo.sign_in(easytier.admin.email, easytier.admin.password)
    assert (await demo.get("/api/auth/me"))["is_admin"] == 1
    rows = (await demo.get("/api/nodes/all"))["nodes"]

    assert [row["id"] for row in rows] == list(range(11, 0, -1))
    assert (await demo.get("/api/nodes/my"))["nodes"] == []


@pytest.mark.parametrize(
    "route",
    [
        Route("GET", "/api/auth/me"),
        Route("POST", "/api/auth/reset-token"),
        Route("GET", "/api/nodes/all"),
        Route("GET", "/api/nodes/1"),
        Route("POST", "/api/nodes/1/regenerate-token"),
    ],
)
async def test_a_server_may_lack_what_the_document_does_not_mention(
    easytier: EasyTierService, admin: Client, route: Route
) -> None:
    await admin.ask(route.method, route.path)
    easytier.state.settings.undocumented_endpoints = False
    assert await admin.ask(route.method, route.path, status=404) == "404 Not Found"
    await admin.get("/api/nodes/my")


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


async def test_a_report_puts_a_node_online_for_ten_minutes(
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
    assert len(node.recent_status) == 1, "it has said nothing since"


async def test_reported_traffic_replaces_or_adds_up(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    easytier.state.nodes["1"].used_traffic = 50.0
    answer = await client.post("/api/report", report(easytier, 1))

    assert answer["used_traffic"] == (50.5 if dialect == "documented" else 0.5)


async def test_a_report_after_the_reset_date_begins_a_new_period(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False
    easytier.advance(11 * DAY)
    answer = await client.post("/api/report", report(easytier, 1))

    assert (answer["used_traffic"], answer["reset_date"]) == (0.5, "2027-01-31T00:00:00.000Z")


@pytest.mark.parametrize(
    "number, fields, status, error",
    [
        (1, {"token": "guess"}, 403, "Token验证失败"),
        (8, {}, 403, "节点已过期"),
        (1, {"node_name": "nothing"}, 404, "节点不存在"),
        (1, {"email": "nobody@example.com"}, 404, "节点不存在"),
        (1, {"token": ""}, 400, "缺少必填字段"),
    ],
)
async def test_a_report_that_is_refused(
    easytier: EasyTierService,
    client: Client,
    dialect: str,
    *,
    number: int,
    fields: dict[str, str],
    status: int,
    error: str,
) -> None:
    before = easytier.state.nodes[str(number)].last_report_at
    body = report(easytier, number, **fields)

    easytier.advance(60)
    assert await client.post("/api/report", body, status=status) == {"error": error}
    assert easytier.state.nodes[str(number)].last_report_at == before


@pytest.mark.parametrize(
    "name, status",
    [
        ("current_bandwidth", 400),
        ("reported_traffic", 400),
        ("connection_count", 400),
        ("status", 500),
    ],
)
async def test_a_report_lacks_something(
    easytier: EasyTierService, client: Client, name: str, status: int
) -> None:
    body = report(easytier, 1)
    del body[name]

    await client.post("/api/report", body, status=status)


# Time


async def test_the_recent_status_grows_by_a_digit_every_ten_minutes(
    easytier: EasyTierService,
) -> None:
    node = easytier.state.nodes["1"]
    before = node.recent_status

    easytier.advance(TEN_MINUTES - 1)
    assert node.recent_status == before
    easytier.advance(1)
    assert node.recent_status[:-1] == before[1:], "and never has more than thirty days"
    easytier.advance(6 * TEN_MINUTES)
    assert node.recent_status[:-7] == before[7:]
    assert re.fullmatch("[2-9]{7}", node.recent_status[-7:])


async def test_a_silent_node_gets_no_digits(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False
    before = node.recent_status

    easytier.advance(3 * DAY)
    assert node.recent_status == before


async def test_a_reset_date_stays_until_the_node_reports(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.reporting, used = False, node.used_traffic

    easytier.advance(30 * DAY)
    assert (node.reset_date, node.used_traffic) == ("2026-11-30T00:00:00.000Z", used)


async def test_time_in_small_steps_is_the_same_time(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.recent_status = ""
    for _ in range(60):
        easytier.advance(61)

    assert len(node.recent_status) == 6


async def test_agents_use_up_traffic_until_the_reset_date(easytier: EasyTierService) -> None:
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


async def test_a_node_whose_agent_stops_goes_offline(easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    node.reporting = False

    easytier.advance(2 * TEN_MINUTES)
    assert node.status == "offline"
    node.reporting = True
    easytier.advance(TEN_MINUTES)
    assert (node.status, node.recent_status[-1] > "1") == ("online", True)


async def test_a_node_that_ends_goes_offline_and_is_hidden(
    easytier: EasyTierService, client: Client
) -> None:
    easytier.advance(5 * DAY)

    assert easytier.state.nodes["5"].status == "offline"
    rows = (await client.get("/api/public?show_offline=true"))["nodes"]
    assert 5 not in {row["id"] for row in rows}


@pytest.mark.parametrize("bandwidth, digit", [(0, "2"), (70, "3"), (101, "4"), (900, "9")])
async def test_a_digit_says_how_loaded_a_node_is(
    easytier: EasyTierService, client: Client, bandwidth: float, digit: str
) -> None:
    node = easytier.state.nodes["6"]
    node.max_traffic, node.max_connections, node.tier_bandwidth = 1000, 100, 100
    body = report(easytier, 6, reported_traffic=0, connection_count=0)
    await client.post("/api/report", {**body, "current_bandwidth": bandwidth})

    assert node.recent_status == digit


# Open to all


async def test_public_nodes_are_online_and_valid(
    easytier: EasyTierService, client: Client, dialect: str
) -> None:
    answer = await client.get("/api/public")

    assert [row["id"] for row in answer["nodes"]] == [11, 10, 9, 7, 5, 3, 2, 1]
    fields = DOCUMENTED_ROW - {"connections"} | {"allow_relay"}
    extra = {"connections", "notes", "recent_status", "reset_date"}
    assert set(answer["nodes"][0]) == (fields if dialect == "documented" else fields | extra)
    assert ("stats" in answer) == (dialect == "real")


async def test_offline_nodes_come_last_and_when_asked_for(client: Client, dialect: str) -> None:
    rows = (await client.get("/api/public?show_offline=true"))["nodes"]

    assert [row["id"] for row in rows][-3:] == [1, 6, 4]
    assert [row["status"] for row in rows] == ["online"] * 8 + ["offline"] * 2


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


async def test_the_history_goes_on(easytier: EasyTierService, client: Client) -> None:
    easytier.advance(3 * TEN_MINUTES)
    history = (await client.get("/api/stats"))["history"]["connections"]

    assert len(history) == 144
    assert history[-1]["timestamp"] == "2026-11-20T04:30:00.000Z"


async def test_a_query_answers_three_nodes_at_most(client: Client, dialect: str) -> None:
    chosen = [
        frozenset(r["id"] for r in (await client.post("/api/query"))["nodes"]) for _ in "12345"
    ]

    assert {len(ids) for ids in chosen} == {3}
    assert len(set(chosen)) > 1, "no priority is any node"
    (row, *_) = (await client.post("/api/query", {}))["nodes"]
    assert set(row) == DOCUMENTED_ROW - {"max_bandwidth", "status"} | {"allow_relay"}


async def test_a_query_follows_its_wishes(easytier: EasyTierService, client: Client) -> None:
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
    assert (await ask(priority="traffic"))[:2] == [1, 5], "for each day that is left"
    for node in nodes.values():
        node.status = "offline"
    assert await ask() == []


# The EdgeOne checks


@pytest.mark.parametrize("setting", [None, True, False])
async def test_checks_are_offered_by_the_document_or_by_a_setting(
    easytier: EasyTierService, client: Client, dialect: str, setting: bool | None
) -> None:
    easytier.state.settings.edgeone = setting
    offered = dialect == "documented" if setting is None else setting

    for method, path in (
        ("GET", "/api/edgeone/health"),
        ("GET", "/api/edgeone/check"),
        ("POST", "/api/edgeone/batch-check"),
    ):
        status = 200 if path.endswith("health") else 400
        answer = await client.ask(method, path, {}, status=status if offered else 404)
        assert (answer == "404 Not Found") == (not offered)


async def test_health(easytier: EasyTierService, client: Client) -> None:
    documented(easytier)
    assert await client.get("/api/edgeone/health") == {
        "status": "ok",
        "service": "edgeone-check",
        "mode": "remote",
        "timestamp": "2026-11-20T04:00:00.000Z",
    }


async def test_checking_one_node(easytier: EasyTierService, client: Client) -> None:
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
async def test_a_check_lacks_something(
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


async def test_checking_up_to_twenty_nodes(easytier: EasyTierService, client: Client) -> None:
    documented(easytier)
    nodes = checks(easytier, 1, 4, *([2] * 18))

    results = (await client.post("/api/edgeone/batch-check", {"nodes": nodes}))["results"]
    assert [result["is_online"] for result in results] == [True, False, *([True] * 18)]
    latency = easytier.state.nodes["2"].connections[0].latency_ms
    assert results[2]["latency_ms"] == latency
    body = {"nodes": [*nodes, nodes[0]]}
    answer = await client.post("/api/edgeone/batch-check", body, status=400)
    assert answer == {"error": "节点列表超过20个"}
    nothings: tuple[dict[str, object], ...] = ({}, {"nodes": []}, {"nodes": "all"})
    for nothing in nothings:
        answer = await client.post("/api/edgeone/batch-check", nothing, status=400)
        assert answer == {"error": "节点列表为空"}


async def test_checks_may_want_a_key(easytier: EasyTierService, client: Client) -> None:
    documented(easytier)
    easytier.state.settings.api_key = "edge-key"

    for headers in (None, {"X-API-Key": "guess"}):
        answer = await client.get("/api/edgeone/health", status=401, headers=headers)
        assert answer == {"error": "API Key 验证失败"}
    await client.get("/api/edgeone/health", headers={"x-api-key": "edge-key"})
    await client.get("/api/stats")


async def test_the_control_routes_reach_everything(
    easytier: EasyTierService, client: Client
) -> None:
    changes = {
        "settings.dialect": "documented",
        "nodes.*.connections.0.reachable": False,
        "accounts.1.is_admin": True,
    }
    await client.ask("PATCH", "/_control/state", changes)

    assert easytier.account.is_admin
    assert "total_bandwidth" in await client.get("/api/stats")
    assert not easytier.state.nodes["1"].connections[0].reachable
