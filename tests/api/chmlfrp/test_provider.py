"""Tests ChmlFrp's feeds and commands."""

from datetime import UTC, datetime, timedelta
import threading
from typing import Any, cast

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider, history
from custom_components.tunnel_hub.api.chmlfrp.models import newest_messages
from custom_components.tunnel_hub.api.chmlfrp.provider import ACCOUNT_CENTER, HOST
from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    RejectedError,
    TunnelGoneError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.models.account import AccountChanges, NewAccount
from custom_components.tunnel_hub.api.models.certificates import Certificates
from custom_components.tunnel_hub.api.models.nodes import Node, NodeState
from custom_components.tunnel_hub.api.models.subdomains import Subdomain
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelState, TunnelUpdate
from custom_components.tunnel_hub.api.provider import Credentials
from custom_components.tunnel_hub.api.rows import Row
from simulator.chmlfrp import ChmlFrpService
from simulator.chmlfrp.state import Certificate

from .conftest import Begin
from .test_client import CAPTCHA


async def tunnels(provider: ChmlFrpProvider) -> dict[str, Tunnel]:
    fetched = await provider.feeds["tunnels"].fetch()
    return {id_: tunnel for id_, tunnel in fetched.items() if isinstance(tunnel, Tunnel)}


async def nodes(provider: ChmlFrpProvider) -> dict[str, Node]:
    fetched = await provider.feeds["nodes"].fetch()
    return {id_: node for id_, node in fetched.items() if isinstance(node, Node)}


def test_only_https_by_default() -> None:
    """Requests contain the password and the token."""
    assert HOST.startswith("https://")
    assert ACCOUNT_CENTER.startswith("https://")


class _NotSentError(Exception):
    """The request was not sent."""


@pytest.mark.parametrize(
    "name, entered",
    [("base_url", "http://cf-v2.uapis.cn/"), ("oauth_url", "http://Account-Api.qzhua.net")],
)
async def test_the_public_service_always_uses_https(name: str, entered: str) -> None:
    """Also if a user copies the URL of the document."""
    urls: list[str] = []

    class _Session:
        """A session that records URLs, and sends no request."""

        closed = False

        def request(self, _: str, url: str, **__: object) -> None:
            urls.append(url)
            raise _NotSentError

    stored = {"client_id": "c", "access_token": "a", "refresh_token": "r", "expires_at": "0"}
    provider = ChmlFrpProvider(cast("ClientSession", _Session()), {**stored, name: entered}, {})
    with pytest.raises(_NotSentError):
        await (provider.identify() if name == "oauth_url" else provider.node_names())

    assert urls
    assert all(url.startswith((HOST, ACCOUNT_CENTER)) for url in urls)


async def test_tokens_are_only_sent_if_required(
    session: ClientSession, chmlfrp: ChmlFrpService
) -> None:
    """Public lists are requested without a token."""
    provider = ChmlFrpProvider(session, {"token": "t", "base_url": f"{chmlfrp.url}/"}, {})

    await provider.node_names()

    assert {call.path for call in chmlfrp.calls} == {"/node", "/node_stats"}
    assert not any("Authorization" in call.headers for call in chmlfrp.calls)


async def test_identity(provider: ChmlFrpProvider) -> None:
    identity = await provider.identify()

    assert (identity.id, identity.title) == ("227", "demo")


async def test_an_account_without_a_name(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/userinfo", "patch", patch={"data.username": None})

    assert (await provider.identify()).title == "227"


async def test_nodes_and_tunnels_share_a_list(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    found = await nodes(provider)
    await provider.feeds["uptime"].fetch()

    assert {id_ for id_, node in found.items() if node.in_use} >= {"1", "7", "8"}
    assert len(chmlfrp.calls_to("/tunnel")) == 1


async def test_node_of_a_tunnel(provider: ChmlFrpProvider) -> None:
    """Found by the id that a node keeps when it is renamed."""
    await nodes(provider)

    found = await tunnels(provider)

    assert (found["1"].node_id, found["1"].node_name) == ("1", "成都电信")
    assert found["5"].node_id is None, "removed"


async def test_a_node_without_load_data(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """And load data of a node that is not listed."""
    chmlfrp.fault("/node", "patch", patch={"data.0.id": None})
    chmlfrp.fault("/node_stats", "patch", patch={"data.1.id": None})

    found = await nodes(provider)

    assert found["1"].state is NodeState.ONLINE
    assert found["1"].online is True
    assert found["1"].description is None
    assert found["2"].state is None
    assert found["2"].online is None
    assert found["2"].description == "推荐游戏,ssh等服务"


@pytest.mark.parametrize(
    "row, state",
    [
        ({"nodestate": "online", "state": True}, TunnelState.ONLINE),
        ({"nodestate": "online", "state": "false"}, TunnelState.OFFLINE),
        ({"nodestate": "online", "state": None}, None),
        ({"nodestate": "offline", "state": "true"}, TunnelState.NODE_OFFLINE),
        ({"nodestate": "maintenance", "state": "true"}, TunnelState.NODE_MAINTENANCE),
        ({"nodestate": "", "ip": "", "state": "true"}, TunnelState.NODE_REMOVED),
        ({"nodestate": None, "ip": None, "state": "true"}, TunnelState.NODE_REMOVED),
        ({"nodestate": "offline", "ip": None, "state": "true"}, TunnelState.NODE_REMOVED),
        ({"nodestate": "offline", "ip": "", "state": "false"}, TunnelState.NODE_REMOVED),
        ({"nodestate": None, "state": "true"}, TunnelState.NODE_MAINTENANCE),
        ({"nodestate": "", "state": "false"}, TunnelState.NODE_MAINTENANCE),
    ],
)
async def test_states(
    provider: ChmlFrpProvider,
    chmlfrp: ChmlFrpService,
    row: dict[str, object],
    state: TunnelState | None,
) -> None:
    patch = {f"data.0.{name}": value for name, value in row.items()}
    chmlfrp.fault("/tunnel", "patch", patch=patch)

    tunnel = (await tunnels(provider))["1"]

    assert tunnel.state is state
    assert tunnel.online is (None if state is None else state is TunnelState.ONLINE)


async def test_types_vary(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault(
        "/tunnel",
        "patch",
        patch={
            "data.0.id": "1",
            "data.0.nport": "8123",
            "data.0.dorp": 20001,
            "data.0.type": "TCP",
            "data.0.encryption": True,
            "data.0.cur_conns": "3",
        },
    )

    tunnel = (await tunnels(provider))["1"]

    assert tunnel.local_address == "127.0.0.1:8123"
    assert tunnel.public_address == "cd.frp.example.com:20001"
    assert (tunnel.protocol, tunnel.encryption, tunnel.connections) == ("tcp", True, 3)


async def test_an_ipv6_address_has_brackets(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    patch = {"data.0.localip": "fd12::5", "data.0.ip": "2001:db8::7", "data.0.dorp": 20001}
    chmlfrp.fault("/tunnel", "patch", patch={**patch, "data.0.nport": 8123})

    tunnel = (await tunnels(provider))["1"]

    assert tunnel.local_address == "[fd12::5]:8123"
    assert tunnel.public_address == "[2001:db8::7]:20001"


async def test_a_tunnel_without_a_local_port(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/tunnel", "patch", remove=("data.0.nport",))

    assert (await tunnels(provider))["1"].local_address == "127.0.0.1"


async def test_commands_before_the_first_poll(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    await provider.force_tunnel_offline("1")

    assert not chmlfrp.online(chmlfrp.state.tunnels["1"])
    with pytest.raises(TunnelGoneError):
        await provider.force_tunnel_offline("99")


async def test_refresh_returns_the_state_at_the_node(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.tunnels["1"].connections = 4

    tunnel = await provider.check_tunnel("1")
    assert (tunnel.state, tunnel.online, tunnel.connections) == (TunnelState.ONLINE, True, 4)
    assert tunnel.name == "homeassistant", "other fields are kept"

    chmlfrp.state.tunnels["1"].client_running = False
    tunnel = await provider.check_tunnel("1")
    assert (tunnel.state, tunnel.online, tunnel.connections) == (TunnelState.OFFLINE, False, 0)


async def test_refresh_without_a_state(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/refresh_tunnel", "patch", remove=("data.status",))

    tunnel = await provider.check_tunnel("1")

    assert (tunnel.state, tunnel.online) == (None, None)


async def test_a_known_node_requires_no_request(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    names = await provider.node_names()
    chmlfrp.calls.clear()

    await provider.node_history("1", ["cpu_usage"], None, None)
    assert await provider.node_names() == names

    assert names["1"] == "成都电信"
    assert [call.path for call in chmlfrp.calls] == ["/node_status_info"]


async def test_a_new_node(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    await provider.node_names()
    chmlfrp.state.nodes["1"].name = "renamed"

    payload = TunnelUpdate(
        name="x", protocol="tcp", local_port=1, remote_port=20500, node="renamed"
    )
    created = await provider.create_tunnel(payload)

    assert chmlfrp.state.tunnels[created].node == "renamed"


async def test_node_details(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """Also of a node that was not read before; without its secrets."""
    node = await provider.node_details("1")

    assert (node.name, node.group, node.in_use) == ("成都电信", "user", True)
    assert (node.latitude, node.longitude) == (30.572961, 104.066301)
    assert node.protocols == ("tcp", "udp", "http", "https")
    assert node.disk_usage == pytest.approx(11.125, abs=0.001)
    assert chmlfrp.state.nodes["1"].node_token not in repr(node)
    with pytest.raises(InvalidInputError, match="unknown_node"):
        await provider.node_details("99")


@pytest.mark.parametrize(
    "patch",
    [
        {"data.coordinates": "1,2,3", "data.storage_total": 0, "data.uptime_seconds": None},
        {"data.coordinates": "200,100", "data.storage_total": None, "data.uptime_seconds": -1},
    ],
)
async def test_invalid_node_details(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, patch: dict[str, object]
) -> None:
    chmlfrp.fault("/nodeinfo", "patch", patch=patch)

    node = await provider.node_details("1")

    assert (node.latitude, node.longitude, node.disk_usage, node.started) == (None,) * 4


async def test_node_details_without_an_id(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/nodeinfo", "patch", remove=("data.id",))

    assert (await provider.node_details("1")).load_1 is None


async def test_uptime_without_records(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.nodes["1"].uptimes = [None] * 30

    uptimes = await provider.feeds["uptime"].fetch()

    assert getattr(uptimes["1"], "uptime_30_days", 0) is None


@pytest.mark.parametrize(
    "message, points",
    [
        ("签到成功！获得 12 积分", 12),
        (f"获得 {'9' * 5000} 积分", None),
        (f"获得 {'٣' * 5000} 积分", None),
        ("签" * 5000, None),
        ("", None),
    ],
)
async def test_result_of_a_sign_in(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, message: str, points: int | None
) -> None:
    chmlfrp.fault("/qiandao", "patch", patch={"msg": message})

    result = await provider.sign_in_with_captcha(CAPTCHA)

    assert not result.already
    assert result.points == points
    assert len(result.message) <= 1000

    chmlfrp.fault("/qiandao", "body", body={"code": 200, "msg": "签到成功"})
    assert (await provider.sign_in_with_captcha(CAPTCHA)).points is None


async def test_reset_link_token_keeps_a_sign_in_by_browser(
    begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials
) -> None:
    """It reads the new token, which running clients need."""
    provider = begin(granted)
    before = chmlfrp.account.usertoken
    await provider.send_code()

    token = await provider.reset_token(chmlfrp.state.mailbox[0].code)

    assert token == chmlfrp.account.usertoken != before
    assert await provider.identify()
    assert provider.statistics()["token_renewals"] == 0


async def test_passwords_in_messages_are_redacted(
    begin: Begin, provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    """The message may contain the password, which is not shown."""
    new = NewAccount(
        username="newcomer", mail="new@example.com", password="new-password", contact="10003"
    )
    chmlfrp.fault("/register", "body", body={"code": 400, "msg": "new-password 不符合要求"})
    with pytest.raises(RejectedError, match=r"^\*\* 不符合要求$"):
        await begin({}).finish_registration(new, "1")

    chmlfrp.fault(
        "/reset_password", "body", body={"code": 400, "msg": "demo-password new-password"}
    )
    changes = AccountChanges(password="new-password", current_password="demo-password")
    with pytest.raises(RejectedError, match=r"^\*\* \*\*$"):
        await provider.update_account(changes)


async def test_history_is_shortened(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another thread than the event loop's, because thousands of rows are read."""
    threads: list[threading.Thread] = []
    cut = history.samples

    def _samples(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return cut(*args)

    monkeypatch.setattr(history, "samples", _samples)
    end = datetime.fromtimestamp(chmlfrp.now(), UTC) - timedelta(hours=3)

    samples = await provider.node_history("1", ["clients"], end - timedelta(minutes=1), end)

    assert len(samples) == 3
    assert all(sample.keys() == {"time", "clients"} for sample in samples)
    assert threads
    assert threading.current_thread() not in threads


async def test_history_contains_the_last_hour(provider: ChmlFrpProvider) -> None:
    every = await provider.node_history(
        "1", ["clients"], datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    )

    samples = await provider.node_history("1", ["clients"], None, None)

    assert samples[-1] == every[-1]
    first, last = (datetime.fromisoformat(str(samples[at]["time"])) for at in (0, -1))
    assert last - first == timedelta(hours=1)


async def test_invalid_traffic(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """Invalid dates are left out; invalid lists are empty."""
    chmlfrp.fault("/flow_last_7_days", "patch", patch={"data.0.time": "13-45"})
    chmlfrp.fault("/tunnel/last7days", "patch", patch={"data.traffic_in": None})

    assert len(await provider.traffic_history()) == 6
    days = await provider.traffic_history("1")
    assert len(days) == 7
    assert {day.traffic_in for day in days} == {None}
    assert None not in {day.traffic_out for day in days}


async def test_traffic_lists_of_unequal_length_both_end_today(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault(
        "/tunnel/last7days", "patch", patch={"data.traffic_in": [8, 9], "data.traffic_out": [1]}
    )

    before, today = await provider.traffic_history("1")

    assert (before.traffic_in, before.traffic_out) == (8, None)
    assert (today.traffic_in, today.traffic_out) == (9, 1)
    assert before.day < today.day


async def test_editing_a_subdomain_keeps_other_fields(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.subdomains["6"].remarks = "a note"

    changes = Subdomain(domain="frp.example", record="home", ttl="5m")
    await provider.update_subdomain(changes.id, changes)

    (call,) = chmlfrp.calls_to("/update_free_subdomain")
    assert (call.get("target"), call.get("ttl"), call.get("remarks")) == (
        "192.0.2.10",
        "5分钟",
        "a note",
    )


async def test_an_unknown_ttl_is_shown_unchanged(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.subdomains["6"].ttl = "3分钟"

    assert (await provider.subdomains())[0].ttl == "3分钟"


async def test_invalid_offline_answers(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/offline_user_nodes", "patch", patch={"data.results": None})

    assert await provider.force_all_offline() == {}


async def test_an_account_without_an_id(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/userinfo", "patch", patch={"data.id": None})

    with pytest.raises(UnavailableError):
        await provider.identify()


async def test_statistics(provider: ChmlFrpProvider) -> None:
    await provider.identify()

    assert provider.statistics() == {"requests": 1, "token_renewals": 0}


async def test_certificates_are_sorted(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """By expiry: the next one first, then those without an expiry, then expired ones."""
    now = chmlfrp.now()
    ends = {"later": now + 9, "expired": now - 9, "next": now + 3, "pending": None}
    chmlfrp.state.certificates = [
        Certificate(id_, 227, domain, "", now, issued_at=now - 99 if end else None, expires_at=end)
        for id_, (domain, end) in enumerate(ends.items())
    ]

    account = (await provider.feeds["certificates"].fetch())["account"]

    assert isinstance(account, Certificates)
    assert [c.domains for c in account.certificates] == ["next", "later", "pending", "expired"]


def test_times_of_messages() -> None:
    """Messages have Shanghai's time; an unpublished notice has its creation time."""
    found = newest_messages(
        [{"time": "2026-10-20 08:00:00", "content": "<b>message</b>"}, {"content": "no time"}],
        [
            {"createdAt": "2026-10-20T00:30:00+00:00", "publishTime": None, "contentMd": "notice"},
            {"publishTime": "2026-10-20T00:45:00+00:00", "contentMd": ""},
        ],
        {},
    )

    assert [(message.text, message.sent) for message in found] == [
        ("message", datetime(2026, 10, 20, 0, 0, tzinfo=UTC)),
        ("notice", datetime(2026, 10, 20, 0, 30, tzinfo=UTC)),
    ]


def test_only_the_newest_messages_are_kept() -> None:
    rows: list[Row] = [
        {"time": f"2026-10-20 08:{minute:02}:00", "content": f"{minute}"} for minute in range(30)
    ]

    assert [message.text for message in newest_messages(rows, [], {})] == [
        f"{minute}" for minute in range(10, 30)
    ]
