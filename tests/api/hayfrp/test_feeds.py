"""Tests HayFrp's feeds: all fields with all types, and unknown values."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.api.hayfrp import HayFrpProvider
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.models.nodes import Node, NodeLoad
from custom_components.tunnel_hub.api.models.service import Notice, Release, ServiceTotals
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelState
from custom_components.tunnel_hub.api.provider import Options
from simulator import Simulator
from simulator.hayfrp import HayFrpService
from simulator.hayfrp.state import Node as SimulatedNode, Tunnel as SimulatedTunnel

from ...common import DAY, NOON

MB = 1024**2
GB = 1024**3
HOUR = 3600
LOADS = {
    "无负荷": NodeLoad.IDLE,
    "低负荷": NodeLoad.LOW,
    "中负荷": NodeLoad.MEDIUM,
    "高负荷": NodeLoad.HIGH,
}
NODES_WITH_A_PROBE = {"1", "2", "3", "4", "5", "7"}


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    """Freeze the time at noon in Shanghai."""


def account_with(
    service: HayFrpService, session: ClientSession, **options: object
) -> HayFrpProvider:
    """Return the demo account with these options."""
    credentials = {"base_url": service.url, "username": "demo", "password": "demo-password"}
    return HayFrpProvider(session, credentials, options)


async def nodes_of(provider: HayFrpProvider) -> dict[str, Node]:
    nodes = await provider.feeds["nodes"].fetch()
    return {id_: node for id_, node in nodes.items() if isinstance(node, Node)}


async def tunnel_of(provider: HayFrpProvider, tunnel_id: str) -> Tunnel:
    """Read the tunnels, and return one."""
    tunnel = (await provider.feeds["tunnels"].fetch())[tunnel_id]
    assert isinstance(tunnel, Tunnel)
    return tunnel


def at(seconds: float) -> datetime:
    """Return a time of the service."""
    return datetime.fromtimestamp(seconds, UTC)


# All fields with all types


@pytest.fixture(params=[1, 2, 3, 4])
async def other_types(request: pytest.FixtureRequest) -> AsyncIterator[HayFrpService]:
    """A service with a tunnel of each protocol; its types depend on the seed."""
    async with Simulator(services=("hayfrp",), tunnels=7, seed=request.param) as running:
        yield running.get(HayFrpService)


async def test_the_account(other_types: HayFrpService, session: ClientSession) -> None:
    provider = account_with(other_types, session)
    account = other_types.account
    account.quota, account.realname, account.sprovider = 17, True, False
    await provider.sign_in()

    accounts = await provider.feeds["account"].fetch()

    assert account.totaltraffic
    assert accounts == {
        "account": Account(
            id="account",
            name="demo",
            banned=False,
            last_sign_in=at(other_types.now() // 1),
            service_provider=False,
            sign_in_days=1,
            sign_in_traffic=round(account.totaltraffic * GB),
            signed_in_today=True,
            traffic_left=round(account.traffic) * MB,
            traffic_today=round(account.today_bytes),
            tunnels_allowed=17,
            tunnels_used=7,
            verified=True,
        )
    }


def _public_address(tunnel: SimulatedTunnel, node: SimulatedNode) -> str | None:
    return {
        "tcp": f"{node.domain}:{tunnel.remote_port}",
        "udp": f"{node.domain}:{tunnel.remote_port}",
        "http": tunnel.domain,
        "https": tunnel.domain,
    }.get(tunnel.proxy_type)


async def test_tunnels(other_types: HayFrpService, session: ClientSession) -> None:
    state = other_types.state

    tunnels = await account_with(other_types, session).feeds["tunnels"].fetch()

    assert tunnels == {
        id_: Tunnel(
            id=id_,
            name=tunnel.proxy_name,
            compression=tunnel.use_compression,
            enabled=tunnel.enabled,
            encryption=tunnel.use_encryption,
            last_edit=at(tunnel.lastupdate),
            local_address=f"{tunnel.local_ip}:{tunnel.local_port}",
            node_id=tunnel.node,
            node_name=state.nodes[tunnel.node].name,
            online=None if tunnel.enabled else False,
            protocol=tunnel.proxy_type,
            public_address=_public_address(tunnel, state.nodes[tunnel.node]),
            state=None if tunnel.enabled else TunnelState.DISABLED,
        )
        for id_, tunnel in state.tunnels.items()
    }
    assert {tunnel.use_compression for tunnel in state.tunnels.values()} == {True, False}
    assert {tunnel.use_encryption for tunnel in state.tunnels.values()} == {True, False}
    assert {tunnel.proxy_type for tunnel in state.tunnels.values()} == {
        *("tcp", "udp", "http", "https", "stcp", "xtcp")
    }


async def test_nodes(other_types: HayFrpService, session: ClientSession) -> None:
    state = other_types.state

    nodes = await nodes_of(account_with(other_types, session))

    assert {id_: nodes[id_] for id_ in NODES_WITH_A_PROBE} == {
        id_: Node(
            id=id_,
            name=node.name,
            clients=other_types.clients_at(node),
            connections=node.connections,
            cpu_usage=node.cpu,
            description=node.description,
            disk_usage=node.disk,
            in_use=id_ in {tunnel.node for tunnel in state.tunnels.values()},
            load=LOADS[node.load],
            memory_usage=node.ram,
            online=True,
            traffic_in_today=round(node.traffic_in),
            traffic_out_today=round(node.traffic_out),
            version=node.version,
        )
        for id_, node in state.nodes.items()
        if id_ in NODES_WITH_A_PROBE
    }


async def test_totals(other_types: HayFrpService, session: ClientSession) -> None:
    state = other_types.state
    nodes = state.nodes.values()
    today_in = sum(node.traffic_in for node in nodes) / MB
    today_out = sum(node.traffic_out for node in nodes) / MB

    assert await account_with(other_types, session).feeds["service"].fetch() == {
        "service": ServiceTotals(
            id="service",
            clients=sum(other_types.clients_at(node) for node in nodes if node.online),
            runs=state.total_runs,
            runs_today=state.today_runs,
            traffic=round(state.total_in + state.total_out) * MB,
            traffic_in=round(state.total_in) * MB,
            traffic_in_today=round(today_in) * MB,
            traffic_out=round(state.total_out) * MB,
            traffic_out_today=round(today_out) * MB,
            traffic_today=round(today_in + today_out) * MB,
        )
    }


async def test_release(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    hayfrp.state.frpc_version = "0.60.0"

    assert await provider.feeds["release"].fetch() == {
        "service": Release(id="service", frpc_version="0.60.0", frps_version="0.59.0")
    }


async def test_notice(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    words = (
        '节点维护公告\n苏州节点将于今晚 02:00–04:00 维护,期间隧道会"短暂离线"。\n感谢理解 & 支持!'
    )
    fetch = provider.feeds["notice"].fetch
    assert await fetch() == {"service": Notice(id="service", text=words)}

    hayfrp.state.notice = "<p> </p>"
    assert await fetch() == {"service": Notice(id="service", text=None)}


@pytest.mark.parametrize("key", ["service", "release", "notice"])
async def test_public_data_require_no_session(
    hayfrp: HayFrpService, provider: HayFrpProvider, key: str
) -> None:
    await provider.feeds[key].fetch()

    (call,) = hayfrp.calls
    assert call.method == "GET"


async def _read_all(provider: HayFrpProvider, feed: Feed[Resource]) -> Iterable[Resource]:
    """Read a feed and its probe."""
    found = await feed.fetch()
    if feed.probe is not None:
        for resource in filter(feed.probe.is_worth_it, found.values()):
            await feed.probe.read(resource)
    return (await feed.fetch()).values()


@pytest.mark.parametrize("key", ["account", "tunnels", "nodes", "service", "release", "notice"])
async def test_a_feed_fills_its_fields(provider: HayFrpProvider, key: str) -> None:
    """Each field has a value in a resource, and no other field has one."""
    await provider.sign_in()
    feed = provider.feeds[key]
    filled = {
        name
        for resource in await _read_all(provider, feed)
        for name, value in asdict(resource).items()
        if value is not None
    }

    assert filled - {"in_use"} == feed.fields | {"id"}


# The account


async def test_an_account_that_never_signed_in(provider: HayFrpProvider) -> None:
    account = (await provider.feeds["account"].fetch())["account"]

    assert isinstance(account, Account)
    assert (account.last_sign_in, account.sign_in_days, account.sign_in_traffic) == (
        None,
        None,
        None,
    )
    assert account.signed_in_today is False


@pytest.mark.parametrize("style", ["seconds", "milliseconds", "date"])
async def test_formats_of_the_day_of_a_sign_in(
    hayfrp: HayFrpService, provider: HayFrpProvider, style: str, freezer: FrozenDateTimeFactory
) -> None:
    hayfrp.state.settings.signdate_style = style
    await provider.sign_in()

    today = (await provider.feeds["account"].fetch())["account"]
    freezer.tick(DAY)
    tomorrow = (await provider.feeds["account"].fetch())["account"]

    assert isinstance(today, Account)
    assert isinstance(tomorrow, Account)
    assert today.last_sign_in == (NOON - timedelta(hours=12) if style == "date" else NOON)
    assert (today.signed_in_today, tomorrow.signed_in_today) == (True, False)


@pytest.mark.parametrize("signdate", ["yesterday", "-", True, [], {}, 1e30, "1e400", -5])
async def test_an_invalid_day_is_unknown(
    hayfrp: HayFrpService, provider: HayFrpProvider, signdate: object
) -> None:
    """Not "no", for which the user would sign in manually without need."""
    hayfrp.fault("/user", "patch", patch={"signdate": signdate}, match={"type": "info"})

    account = (await provider.feeds["account"].fetch())["account"]

    assert isinstance(account, Account)
    assert (account.last_sign_in, account.signed_in_today) == (None, None)


async def test_a_sign_in_lasts_until_midnight_in_shanghai(
    provider: HayFrpProvider, freezer: FrozenDateTimeFactory
) -> None:
    await provider.sign_in()
    signed = []
    for hours in (0, 11.9, 0.2):
        freezer.tick(hours * HOUR)
        account = (await provider.feeds["account"].fetch())["account"]
        assert isinstance(account, Account)
        signed.append(account.signed_in_today)

    assert signed == [True, True, False]


async def test_a_banned_account_is_read(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    hayfrp.account.banned = True

    account = (await provider.feeds["account"].fetch())["account"]

    assert isinstance(account, Account)
    assert (account.banned, account.name, account.tunnels_used) == (True, "demo", 5)


# Tunnels and their checks


async def test_unchanged_tunnels_are_reused_until_one_is_checked(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """Copying all tunnels in each poll would cost more than reading them."""
    first = await provider.feeds["tunnels"].fetch()
    again = await provider.feeds["tunnels"].fetch()
    await provider.check_tunnel("1")
    checked = await provider.feeds["tunnels"].fetch()
    hayfrp.state.tunnels["2"].proxy_name = "renamed"
    renamed = await provider.feeds["tunnels"].fetch()

    assert all(again[id_] is tunnel for id_, tunnel in first.items())
    assert isinstance(checked["1"], Tunnel)
    assert checked["1"].online is True
    assert isinstance(renamed["2"], Tunnel)
    assert (renamed["1"], renamed["2"].name) == (checked["1"], "renamed")


async def test_only_enabled_tunnels_are_checked(provider: HayFrpProvider) -> None:
    tunnels = await provider.feeds["tunnels"].fetch()
    probe = provider.feeds["tunnels"].probe
    assert probe is not None
    assert [id_ for id_, t in tunnels.items() if probe.is_worth_it(t)] == ["1", "2", "3", "4"]
    assert 1 <= probe.concurrency < 4, "a command always finds a free slot"


@pytest.mark.parametrize(
    "tunnel_id, state, online",
    [
        ("1", TunnelState.ONLINE, True),
        ("2", TunnelState.NODE_OFFLINE, False),
        ("4", TunnelState.OFFLINE, False),
        ("5", TunnelState.DISABLED, False),
    ],
)
async def test_the_result_of_a_check_is_kept(
    hayfrp: HayFrpService,
    provider: HayFrpProvider,
    tunnel_id: str,
    state: TunnelState,
    online: bool,
) -> None:
    hayfrp.state.nodes["2"].online = False
    before = await tunnel_of(provider, tunnel_id)

    read = await provider.check_tunnel(tunnel_id)

    assert isinstance(read, Tunnel)
    assert (read.state, read.online, read.checked_at) == (state, online, datetime.now(UTC))
    assert (read.name, read.local_address) == (before.name, before.local_address)
    assert await tunnel_of(provider, tunnel_id) == read
    assert len(hayfrp.calls_to("/proxy", type="check")) == 1


@pytest.mark.parametrize("fails, minutes", [(True, 5), (False, 20)])
async def test_the_result_of_a_check_expires(
    hayfrp: HayFrpService,
    provider: HayFrpProvider,
    freezer: FrozenDateTimeFactory,
    fails: bool,
    minutes: int,
) -> None:
    """Earlier if a later check fails."""
    before = await tunnel_of(provider, "1")
    read = await provider.check_tunnel("1")
    if fails:
        hayfrp.fault("/proxy", "status", status=500, match={"type": "check"}, times=None)
        with pytest.raises(UnavailableError):
            await provider.check_tunnel("1")

    freezer.tick(minutes * 60 - 1)
    assert await tunnel_of(provider, "1") == read
    freezer.tick(1)
    assert await tunnel_of(provider, "1") == before


async def test_a_check_before_a_toggle_is_discarded(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """A tunnel that is enabled again is offline until it is checked."""
    await tunnel_of(provider, "1")
    await provider.check_tunnel("1")

    hayfrp.state.tunnels["1"].enabled = False
    tunnel = await tunnel_of(provider, "1")
    assert (tunnel.state, tunnel.online, tunnel.checked_at) == (TunnelState.DISABLED, False, None)

    hayfrp.state.tunnels["1"].enabled = True
    for _ in range(2):
        tunnel = await tunnel_of(provider, "1")
        shown = (tunnel.state, tunnel.online, tunnel.checked_at)
        assert shown == (TunnelState.OFFLINE, False, None)

    await provider.check_tunnel("1")
    assert (await tunnel_of(provider, "1")).state is TunnelState.ONLINE


async def test_a_check_during_a_toggle_is_discarded(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """It starts before the tunnel is disabled, and is answered afterwards."""
    await tunnel_of(provider, "1")
    gate = hayfrp.gate("/proxy", "after", match={"type": "check"}, times=1)
    check = asyncio.create_task(provider.check_tunnel("1"))
    await gate.reached()
    hayfrp.state.tunnels["1"].enabled = False
    disabled = await tunnel_of(provider, "1")
    gate.open()

    assert await check == disabled
    hayfrp.state.tunnels["1"].enabled = True
    assert (await tunnel_of(provider, "1")).online is False


async def test_a_client_that_stays_connected_while_its_tunnel_is_disabled(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    hayfrp.state.tunnels["1"].enabled = False
    await tunnel_of(provider, "1")
    hayfrp.fault("/proxy", "body", body={"status": 200}, match={"type": "check"})
    read = await provider.check_tunnel("1")

    hayfrp.state.tunnels["1"].enabled = True
    tunnel = await tunnel_of(provider, "1")

    assert read.checked_at is not None
    assert (tunnel.online, tunnel.checked_at) == (True, read.checked_at)


async def test_a_disabled_tunnel_can_be_online(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """Its client may stay connected for a while, which holding a tunnel down checks."""
    await tunnel_of(provider, "5")
    hayfrp.fault("/proxy", "body", body={"status": 200}, match={"type": "check"})

    await provider.check_tunnel("5")

    tunnel = await tunnel_of(provider, "5")
    assert (tunnel.enabled, tunnel.online, tunnel.state) == (False, True, TunnelState.ONLINE)


async def test_a_deleted_tunnel_loses_its_check(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await tunnel_of(provider, "1")
    await provider.check_tunnel("1")
    tunnel = hayfrp.state.tunnels.pop("1")
    assert "1" not in await provider.feeds["tunnels"].fetch()

    hayfrp.state.tunnels["1"] = tunnel
    assert (await tunnel_of(provider, "1")).checked_at is None


async def test_a_tunnel_that_was_never_listed_can_be_checked(provider: HayFrpProvider) -> None:
    assert await provider.check_tunnel("1") == Tunnel(
        id="1", online=True, state=TunnelState.ONLINE, checked_at=datetime.now(UTC)
    )


async def test_a_deleted_tunnel_cannot_be_checked(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await tunnel_of(provider, "1")
    del hayfrp.state.tunnels["1"]

    with pytest.raises(InvalidInputError) as caught:
        await provider.check_tunnel("1")
    assert caught.value.key == "tunnel_gone"


async def test_a_refused_check_has_no_result(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await tunnel_of(provider, "1")
    hayfrp.fault(
        "/proxy", "body", body={"status": 500, "message": "维护中."}, match={"type": "check"}
    )

    with pytest.raises(RejectedError, match="维护中"):
        await provider.check_tunnel("1")
    assert (await tunnel_of(provider, "1")).online is None


async def test_usage_above_100_percent_is_shown_unchanged(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    patch = {"servers.0.cpu_usage": "250.5%", "servers.0.ram_usage": 101}
    hayfrp.fault("/node", "patch", patch=patch)

    nodes = await provider.feeds["nodes"].fetch()

    node = next(n for n in nodes.values() if isinstance(n, Node) and n.cpu_usage == 250.5)
    assert node.memory_usage == 101


@pytest.mark.parametrize("row", [{"domain": ""}, {"domain": None}])
async def test_a_web_tunnel_without_a_domain_has_the_address_of_its_node(
    hayfrp: HayFrpService, provider: HayFrpProvider, row: dict[str, object]
) -> None:
    hayfrp.fault("/proxy", "patch", patch={f"proxies.1.{name}": row[name] for name in row})

    assert (await tunnel_of(provider, "2")).public_address == "ningbo.frp.example.com"


async def test_an_ipv6_address_has_brackets(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    patch = {"proxies.0.local_ip": "fd12::5", "proxies.0.node_domain": "2001:db8::7"}
    hayfrp.fault("/proxy", "patch", patch=patch, match={"type": "list"})

    tunnel = await tunnel_of(provider, "1")

    assert (tunnel.local_address or "").startswith("[fd12::5]:")
    assert (tunnel.public_address or "").startswith("[2001:db8::7]:")


async def test_an_address_without_a_port_is_a_host(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    patch = {"proxies.0.remote_port": "", "proxies.0.local_port": None}
    hayfrp.fault("/proxy", "patch", patch=patch, times=2)

    tunnel = await tunnel_of(provider, "1")
    assert (tunnel.local_address, tunnel.public_address) == ("127.0.0.1", "suzhou.frp.example.com")

    hayfrp.clear_faults()
    hayfrp.fault("/proxy", "patch", patch={"proxies.0.node_domain": "", "proxies.0.local_ip": ""})
    tunnel = await tunnel_of(provider, "1")
    assert (tunnel.local_address, tunnel.public_address) == (None, None)


# Nodes


async def test_a_node_without_probe_data_is_only_online(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    nodes = await nodes_of(provider)

    known = hayfrp.state.nodes["6"]
    assert nodes["6"] == Node(id="6", name=known.name, description=known.description, online=True)


async def test_a_removed_node_is_offline_and_keeps_its_name(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """So that its entities show it, instead of disappearing."""
    before = await nodes_of(provider)
    left = {id_: hayfrp.state.nodes.pop(id_) for id_ in ("1", "7")}

    nodes = await nodes_of(provider)

    for id_, in_use in (("1", True), ("7", False)):
        assert nodes[id_] == Node(
            id=id_,
            name=before[id_].name,
            description=before[id_].description,
            online=False,
            in_use=in_use,
        )

    hayfrp.state.nodes |= left
    assert await nodes_of(provider) == before


async def test_a_used_node_that_is_not_listed_is_offline(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    for path in ("/node", "/nodes"):
        hayfrp.fault(path, "patch", patch={"servers.0.id": None})

    nodes = await nodes_of(provider)

    assert nodes["1"] == Node(id="1", name=hayfrp.state.nodes["1"].name, online=False, in_use=True)


async def test_a_node_with_probe_data_need_not_be_listed(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    hayfrp.fault("/nodes", "patch", patch={"servers.0.id": None})

    node = (await nodes_of(provider))["1"]

    assert (node.online, node.description) == (True, None)
    assert node.version == "0.59.0"


async def test_without_listed_nodes_all_are_offline(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    known = await nodes_of(provider)
    for path in ("/node", "/nodes"):
        hayfrp.fault(path, "body", body={"status": 404, "message": "无节点数据."})

    nodes = await nodes_of(provider)

    assert nodes.keys() == known.keys()
    assert {node.online for node in nodes.values()} == {False}


@pytest.mark.parametrize("path", ["/node", "/nodes", "/proxy"])
async def test_nodes_require_both_answers(
    hayfrp: HayFrpService, provider: HayFrpProvider, path: str
) -> None:
    hayfrp.fault(path, "html", times=None)

    with pytest.raises(UnavailableError):
        await nodes_of(provider)


@pytest.mark.parametrize(
    "options, ids",
    [
        ({"nodes": "used"}, ["1", "2", "3", "4", "5"]),
        ({"nodes": "chosen", "chosen_nodes": ["7", "2"]}, ["2", "7"]),
    ],
)
async def test_only_selected_nodes_are_shown(
    hayfrp: HayFrpService, session: ClientSession, options: Options, ids: list[str]
) -> None:
    provider = account_with(hayfrp, session, **options)

    assert sorted(await nodes_of(provider)) == ids
    names = await provider.node_names()
    assert names == {id_: node.name for id_, node in hayfrp.state.nodes.items()}
    assert len(hayfrp.calls_to("/nodes")) == 1, "known names are not requested again"


async def test_node_names_before_the_first_poll(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    hayfrp.fault("/nodes", "patch", patch={"servers.6.name": ""})
    hayfrp.fault("/node", "patch", patch={"servers.5.name": None})

    names = await provider.node_names()

    assert names["1"] == hayfrp.state.nodes["1"].name
    assert names["7"] == "7"


async def test_tunnels_are_listed_once_for_both_feeds(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await asyncio.gather(provider.feeds["tunnels"].fetch(), nodes_of(provider))
    assert len(hayfrp.calls_to("/proxy", type="list")) == 1

    await nodes_of(provider)
    assert len(hayfrp.calls_to("/proxy", type="list")) == 1


async def test_a_node_is_in_use_with_its_first_tunnel(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    assert not (await nodes_of(provider))["7"].in_use
    hayfrp.state.tunnels["1"].node = "7"
    await provider.feeds["tunnels"].fetch()

    nodes = await nodes_of(provider)
    assert (nodes["7"].in_use, nodes["1"].in_use) == (True, False)


async def test_intervals(provider: HayFrpProvider) -> None:
    """No data are read more often than they change."""
    minutes = {key: feed.interval / timedelta(minutes=1) for key, feed in provider.feeds.items()}

    assert minutes == {
        "account": 1,
        "tunnels": 1,
        "nodes": 5,
        "service": 5,
        "release": 60,
        "notice": 60,
    }


async def test_only_the_account_is_required(provider: HayFrpProvider) -> None:
    assert [key for key, feed in provider.feeds.items() if feed.required] == ["account"]
