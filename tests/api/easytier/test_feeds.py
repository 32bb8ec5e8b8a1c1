"""Tests the node manager's feeds in both dialects."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import orjson
import pytest

from custom_components.tunnel_hub.api.capabilities.directory import ALL_NODES, PUBLIC_NODES
from custom_components.tunnel_hub.api.easytier import EasyTierProvider
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.api.models.directory import (
    Finding,
    PublicNode,
    Reachability,
    Region,
    RelayNode,
)
from custom_components.tunnel_hub.api.models.service import ServiceTotals
from simulator.easytier import Connection, EasyTierService

from ...conftest import Dialect
from ..refusals import refused
from .conftest import Begin

GIB = 1024**3


async def nodes(provider: EasyTierProvider) -> Mapping[str, RelayNode]:
    """Read the account's nodes."""
    return cast("Mapping[str, RelayNode]", await provider.feeds["nodes"].fetch())


async def public_nodes(provider: EasyTierProvider) -> Mapping[str, PublicNode]:
    """Read the selected public nodes."""
    return cast("Mapping[str, PublicNode]", await provider.feeds["public_nodes"].fetch())


async def reachability(provider: EasyTierProvider) -> Mapping[str, Reachability]:
    """Check the nodes."""
    return cast("Mapping[str, Reachability]", await provider.feeds["reachability"].fetch())


async def account(provider: EasyTierProvider) -> Account:
    return cast("Account", (await provider.feeds["account"].fetch())["account"])


async def totals(provider: EasyTierProvider) -> ServiceTotals:
    return cast("ServiceTotals", (await provider.feeds["service"].fetch())["service"])


def calls_of(easytier: EasyTierService, path: str) -> int:
    """Return how often a path was requested."""
    return len(easytier.calls_to(path))


# Available feeds


def test_feeds_with_an_account(provider: EasyTierProvider) -> None:
    assert list(provider.feeds) == ["account", "nodes", "reachability", "service"]
    assert [feed.key for feed in provider.feeds.values() if feed.required] == ["account"]


def test_feeds_without_an_account(begin: Begin) -> None:
    feeds = begin(None).feeds

    assert list(feeds) == ["service"]
    assert feeds["service"].required


@pytest.mark.parametrize("chosen", [[], None, "1"])
def test_public_nodes_are_not_read_unless_selected(begin: Begin, chosen: object) -> None:
    assert "public_nodes" not in begin(options={PUBLIC_NODES: chosen}).feeds


# Nodes


async def test_thousands_of_nodes(provider: EasyTierProvider, easytier: EasyTierService) -> None:
    """With the digits of 30 days each, which is more than any other service's answers contain."""
    rows = [{"id": number, "recent_status": "2" * 4320} for number in range(2000)]
    for route in ("/api/nodes/my", "/api/public"):
        easytier.fault(route, "body", body=orjson.dumps({"nodes": rows}))

    assert len(await nodes(provider)) == 2000


async def test_a_node(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    row = easytier.state.nodes["1"]
    row.recent_status = "1" * 36 + "2" * 107 + "9"
    row.valid_until = "2099-11-04"
    row.used_traffic, row.max_traffic = 1.5, 4
    row.current_bandwidth, row.tier_bandwidth = 0.6 * row.tier_bandwidth, row.tier_bandwidth
    row.connection_count = 1

    node = (await nodes(provider))["1"]

    documented = RelayNode(
        id="1",
        name="北京联通",
        allow_relay=True,
        bandwidth=row.current_bandwidth,
        bandwidth_maximum=row.max_bandwidth,
        bandwidth_tier=row.tier_bandwidth,
        connections=row.connection_count,
        connections_allowed=row.max_connections,
        load=60.0,
        online=True,
        place="北京",
        region=Region.DOMESTIC,
        tags=("高速", "稳定"),
        traffic_allowed=4 * GIB,
        traffic_usage=37.5,
        traffic_used=GIB * 3 // 2,
    )
    if dialect == "documented":
        assert node == documented
    else:
        assert node == replace(
            documented,
            availability_24_hours=75.0,
            availability_30_days=75.0,
            last_report=datetime.fromisoformat(row.last_report_at or ""),
            traffic_reset=datetime.fromisoformat(row.reset_date),
            valid_until=date(2099, 11, 4),
        )


async def test_missing_fields_of_a_node(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    for number in "26":
        easytier.state.nodes[number].tags = ""
        easytier.state.nodes[number].max_traffic = 0
    found = await nodes(provider)

    forever, new = found["2"], found["6"]
    assert forever.valid_until is None
    assert forever.tags is new.tags is None
    assert forever.traffic_allowed is None, "0 is not a limit"
    assert forever.traffic_usage is new.traffic_usage is None
    assert new.online is False
    assert (new.last_report, new.load, new.availability_30_days) == (None, None, None)
    assert (new.traffic_used, new.bandwidth_tier) == (0, None)


@pytest.mark.parametrize(
    "patch, field, expected",
    [
        ({"status": "resting"}, "online", None),
        ({"status": None}, "online", None),
        ({"region_type": "moon"}, "region", None),
        ({"region_type": "overseas"}, "region", Region.OVERSEAS),
        ({"tags": "a，b, ,c、d"}, "tags", ("a", "b", "c", "d")),
        ({"tags": " ,、"}, "tags", None),
        ({"tags": None}, "tags", None),
        ({"used_traffic": "12.5", "max_traffic": 10}, "traffic_usage", 125.0),
        ({"used_traffic": -1}, "traffic_used", None),
        ({"used_traffic": -1}, "traffic_usage", None),
        ({"valid_until": "2999-12-31"}, "valid_until", None),
        ({"valid_until": "9999-12-31"}, "valid_until", None),
        ({"valid_until": "2999-12-30"}, "valid_until", date(2999, 12, 30)),
        ({"valid_until": "2026-11-04T00:00:00.000Z"}, "valid_until", date(2026, 11, 4)),
        ({"valid_until": "soon"}, "valid_until", None),
        (
            {"last_report_at": "2026-05-08 09:00:00"},
            "last_report",
            datetime(2026, 5, 8, 9, tzinfo=UTC),
        ),
        ({"allow_relay": False}, "allow_relay", False),
    ],
)
async def test_values_of_a_field(
    *,
    provider: EasyTierProvider,
    easytier: EasyTierService,
    patch: Mapping[str, object],
    field: str,
    expected: object,
) -> None:
    patches = {f"nodes.0.{name}": value for name, value in patch.items()}
    easytier.fault("/api/nodes/my", "patch", patch=patches)

    (node,) = [node for id_, node in (await nodes(provider)).items() if id_ == "8"]

    assert getattr(node, field) == expected


async def test_owners_and_ids_that_are_objects(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """They are ignored, and all other data are read."""
    wild = {"nodes.*.user_email": {"not": "expected"}, "nodes.0.node_name": ["x"]}
    easytier.fault("/api/nodes/my", "patch", patch=wild)
    easytier.fault("/api/public", "patch", patch={"nodes.0.id": {"not": "expected"}})

    assert len(await nodes(provider)) == 8


async def test_relaying(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    """The documented service only reports it for valid nodes, to everyone."""
    found = await nodes(provider)

    assert [found[id_].allow_relay for id_ in "123"] == [True, False, True]
    assert found["8"].allow_relay == (False if dialect == "real" else None)
    assert calls_of(easytier, "/api/public") == (dialect == "documented")
    if dialect == "documented":
        assert easytier.calls[-1].query == {"show_offline": "true"}


async def test_relaying_is_kept_while_it_cannot_be_read(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    """One damaged node makes the whole list fail."""
    before = await nodes(provider)
    easytier.fault("/api/public", "error", times=None)

    assert {id_: node.allow_relay for id_, node in (await nodes(provider)).items()} == {
        id_: node.allow_relay for id_, node in before.items()
    }
    assert calls_of(easytier, "/api/public") == (3 if dialect == "documented" else 0)


async def test_the_public_list_does_not_replace_values_of_own_nodes(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/public", "patch", patch={"nodes.*.current_bandwidth": 2**20})

    found = await nodes(provider)

    assert found["1"].bandwidth == easytier.state.nodes["1"].current_bandwidth


async def test_all_nodes(begin: Begin, easytier: EasyTierService) -> None:
    provider = begin("admin", {ALL_NODES: True})

    assert len(await nodes(provider)) == 11
    assert not calls_of(easytier, "/api/nodes/my")
    assert len(await nodes(begin("admin"))) == 0


@pytest.mark.parametrize("offered", [True, False])
async def test_all_nodes_without_the_permission(
    begin: Begin, easytier: EasyTierService, *, offered: bool
) -> None:
    """The nodes of the account are listed instead, and the refused list is not requested again."""
    easytier.state.settings.undocumented_endpoints = offered
    provider = begin(options={ALL_NODES: True})

    for _ in range(2):
        assert len(await nodes(provider)) == 8

    assert calls_of(easytier, "/api/nodes/all") == 1


async def test_a_user_promoted_after_signing_in(begin: Begin, easytier: EasyTierService) -> None:
    """The session token contains the role, so it is renewed once."""
    provider = begin(options={ALL_NODES: True})
    assert len(await nodes(provider)) == 8
    easytier.account.is_admin = True
    again = begin(options={ALL_NODES: True}, token=provider.credentials["token"])

    for _ in range(3):
        assert len(await nodes(again)) == 11

    assert calls_of(easytier, "/api/auth/login") == 2
    assert again.statistics()["token_renewals"] == 1


async def test_a_user_promoted_between_polls(begin: Begin, easytier: EasyTierService) -> None:
    """The account is read every hour."""
    provider = begin(options={ALL_NODES: True})
    assert len(await nodes(provider)) == 8
    easytier.account.is_admin = True

    assert await account(provider) == Account(id="account", administrator=True)

    assert len(await nodes(provider)) == 11


async def test_a_user_who_is_no_longer_an_administrator(
    begin: Begin, easytier: EasyTierService
) -> None:
    """The session token would return all nodes forever."""
    easytier.account.is_admin = True
    provider = begin(options={ALL_NODES: True})
    assert len(await nodes(provider)) == 11
    easytier.account.is_admin = False
    assert len(await nodes(provider)) == 11

    assert await account(provider) == Account(id="account", administrator=False)

    for _ in range(2):
        assert len(await nodes(provider)) == 8
    assert calls_of(easytier, "/api/auth/login") == 2

    easytier.account.is_admin = True
    await account(provider)
    assert len(await nodes(provider)) == 11


async def test_a_server_that_refuses_all_nodes_to_administrators(
    begin: Begin, easytier: EasyTierService
) -> None:
    """A new token does not help, so no more are requested."""
    refusal = {"error": "需要管理员权限"}
    easytier.fault("/api/nodes/all", "body", status=403, body=refusal, times=None)
    provider = begin("admin", {ALL_NODES: True})

    for _ in range(5):
        assert not await nodes(provider)
        await account(provider)

    assert calls_of(easytier, "/api/auth/login") == 2
    assert calls_of(easytier, "/api/nodes/all") == 2


async def test_promoted_while_the_password_is_wrong(
    begin: Begin, easytier: EasyTierService
) -> None:
    provider = begin(options={ALL_NODES: True})
    await nodes(provider)
    easytier.account.is_admin, easytier.account.password = True, "changed"

    with pytest.raises(AuthenticationError):
        await account(provider)


async def test_a_deleted_user(begin: Begin, easytier: EasyTierService) -> None:
    """The server returns empty lists for the session token; only the account shows it."""
    provider = begin()
    assert len(await nodes(provider)) == 8
    del easytier.state.accounts["1"]
    for number in range(1, 9):
        del easytier.state.nodes[str(number)]

    for _ in range(2):
        with pytest.raises(AuthenticationError):
            await nodes(provider)
        with pytest.raises(AuthenticationError):
            await account(provider)
        with pytest.raises(AuthenticationError):
            await nodes(begin(token=provider.credentials["token"]))


async def test_the_last_node_is_deleted(begin: Begin, easytier: EasyTierService) -> None:
    """An account without nodes is not a deleted account; the account is read once to find out."""
    provider = begin()
    await nodes(provider)
    easytier.state.nodes.clear()

    for _ in range(3):
        assert not await nodes(provider)

    assert calls_of(easytier, "/api/auth/me") == 1


async def test_nodes_are_kept_while_the_account_cannot_be_read(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    await nodes(provider)
    easytier.state.nodes.clear()
    easytier.fault("/api/auth/me", "status", times=2)

    with pytest.raises(UnavailableError):
        await nodes(provider)

    assert not await nodes(provider)


async def test_no_nodes_on_a_server_without_the_account_endpoint(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.state.settings.undocumented_endpoints = False
    easytier.state.nodes.clear()

    assert not await nodes(provider)


async def test_an_address_that_is_no_longer_verified(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """The account has no other values. The other feeds work, and the user is informed."""
    await nodes(provider)
    easytier.account.is_verified = False

    assert await account(provider) == Account(id="account", administrator=False)

    assert len(await nodes(provider)) == 8
    (problem,) = (p for p in provider.issues() if p.key == "mail_not_verified")
    assert problem.placeholders == {"message": "邮箱未验证"}

    easytier.account.is_verified = True
    await account(provider)
    assert "mail_not_verified" not in {p.key for p in provider.issues()}


@pytest.mark.parametrize("name", ["report_token", "network_token"])
async def test_secrets_of_nodes_are_redacted(
    provider: EasyTierProvider, easytier: EasyTierService, name: str
) -> None:
    """Also earlier ones, if the server returns them."""
    easytier.state.settings.dialect = "real"
    before = str(getattr(easytier.state.nodes["1"], name))
    await nodes(provider)
    setattr(easytier.state.nodes["1"], name, "another-secret")
    await nodes(provider)
    body = {"error": f"{before} / another-secret"}
    easytier.fault("/api/nodes/1", "body", status=400, body=body)

    with refused(RejectedError, "** / **"):
        await provider.set_allow_relay("1", allowed=True)


# Reachability


@pytest.fixture
def checking(easytier: EasyTierService) -> EasyTierService:
    """The node manager with checks, in both dialects."""
    easytier.state.settings.edgeone = True
    return easytier


@pytest.fixture
def knowing(begin: Begin, checking: EasyTierService) -> EasyTierProvider:
    """The demo account, whose nodes' network is known even if the service does not return it."""
    secret = checking.state.nodes["1"].network_token
    return begin(network_name="demo-network", network_secret=secret)


async def test_reachability(knowing: EasyTierProvider, checking: EasyTierService) -> None:
    ways = checking.state.nodes["2"].connections
    ways[0].reachable = False
    assert [way.type for way in ways] == ["TCP", "UDP", "WS"]

    found = await reachability(knowing)

    assert found["2"] == Reachability(
        id="2",
        findings=(
            Finding(
                address="tcp://198.18.0.3:11010",
                reachable=False,
                message="连接超时",
            ),
            Finding(
                address="ws://198.18.0.3:11011",
                reachable=True,
                latency=ways[2].latency_ms,
                connections=checking.state.nodes["2"].connection_count,
            ),
        ),
        latency=ways[2].latency_ms,
        reachable=True,
    )
    assert (found["4"].reachable, found["4"].latency) == (False, None), "offline"


async def test_the_fastest_connection_counts(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    ways = checking.state.nodes["2"].connections
    ways[0].latency_ms, ways[2].latency_ms = 50, 20

    assert (await reachability(knowing))["2"].latency == 20


async def test_only_nodes_with_a_known_network_are_checked(
    provider: EasyTierProvider, checking: EasyTierService, dialect: Dialect
) -> None:
    """The documented service provides none, so no check is requested."""
    found = await reachability(provider)

    assert set(found) == (set("1234568") if dialect == "real" else set())
    assert calls_of(checking, "/api/edgeone/health") == (dialect == "real")


async def test_missing_fields_of_a_check(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    checking.fault("/api/edgeone/batch-check", "patch", patch={"results.*": {}})

    found = (await reachability(knowing))["1"]

    assert (found.reachable, found.latency) == (None, None)
    assert {finding.reachable for finding in found.findings} == {None}


async def test_latency_of_unreachable_nodes_is_ignored(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    figures = {"results.*": {"is_online": False, "latency_ms": 5000, "connection_count": 0}}
    checking.fault("/api/edgeone/batch-check", "patch", patch=figures)

    found = (await reachability(knowing))["1"]

    assert (found.reachable, found.latency) == (False, None)
    assert {(finding.latency, finding.connections) for finding in found.findings} == {(None, None)}


async def test_an_ipv6_address(knowing: EasyTierProvider, checking: EasyTierService) -> None:
    checking.state.nodes["1"].connections = [Connection("TCP", "2001:db8::1", 11010)]

    assert (await reachability(knowing))["1"].findings[0].address == "tcp://[2001:db8::1]:11010"


async def test_invalid_connections(knowing: EasyTierProvider, checking: EasyTierService) -> None:
    broken = [
        {"type": "TCP"},
        {"ip": "192.0.2.7", "type": ""},
        {"type": "TCP", "ip": "h", "port": 0},
    ]
    checking.fault("/api/nodes/my", "patch", patch={"nodes.*.connections": broken})

    assert await reachability(knowing) == {}


async def test_batches_of_twenty(knowing: EasyTierProvider, checking: EasyTierService) -> None:
    """One batch after the other; every result is assigned to its node."""
    for number, node in checking.state.nodes.items():
        node.connections = [
            Connection("TCP", f"198.18.{number}.1", port, latency_ms=100 * int(number) + port)
            for port in range(1, 7)
        ]

    found = await reachability(knowing)

    batches = [len(call.body["nodes"]) for call in checking.calls_to("/api/edgeone/batch-check")]
    assert batches == [20, 20, 8]
    for number in "1235":
        assert found[number].latency == 100 * int(number) + 1
        assert [finding.latency for finding in found[number].findings] == [
            100 * int(number) + port for port in range(1, 7)
        ]


async def test_a_check_does_not_list_nodes_again(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    await nodes(knowing)
    await reachability(knowing)
    await reachability(knowing)

    assert calls_of(checking, "/api/nodes/my") == 1
    assert calls_of(checking, "/api/edgeone/health") == 1


async def test_a_server_without_checks_is_requested_once(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    checking.state.settings.edgeone = False

    for _ in range(3):
        assert await reachability(knowing) == {}

    assert [call.path for call in checking.calls if "edgeone" in call.path] == [
        "/api/edgeone/health"
    ]


async def test_a_server_with_invalid_checks(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    for path in ("batch-check", "check"):
        checking.fault(f"/api/edgeone/{path}", "status", status=404, times=None)

    for _ in range(3):
        assert await reachability(knowing) == {}

    assert calls_of(checking, "/api/edgeone/batch-check") == 1


async def test_failed_checks_are_retried(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    checking.fault("/api/edgeone/health", "error", times=2)
    with refused(UnavailableError):
        await reachability(knowing)

    assert await reachability(knowing)


async def test_checks_with_a_key(begin: Begin, checking: EasyTierService) -> None:
    checking.state.settings.api_key = "the-key"
    network = {
        "network_name": "demo-network",
        "network_secret": checking.state.nodes["1"].network_token or "",
    }

    assert await reachability(begin(api_key="the-key", **network))
    provider = begin(**network)
    with refused(InvalidInputError, "api_key_refused"):
        await reachability(provider)
    assert "api_key_refused" in {problem.key for problem in provider.issues()}


# The account


@pytest.mark.parametrize("name, expected", [("admin", True), ("demo", False)])
async def test_account(begin: Begin, name: str, *, expected: bool) -> None:
    assert await account(begin(name)) == Account(id="account", administrator=expected)


async def test_an_account_without_details(begin: Begin, easytier: EasyTierService) -> None:
    provider = begin()
    await nodes(provider)
    token = provider.credentials["token"]
    easytier.state.settings.undocumented_endpoints = False

    assert await account(provider) == Account(id="account", administrator=False)
    assert await account(begin(token=token)) == Account(id="account")


# Public data


@pytest.mark.parametrize("name", ["demo", None])
async def test_public_nodes(begin: Begin, easytier: EasyTierService, name: str | None) -> None:
    provider = begin(name, {PUBLIC_NODES: ["9", "4", "8", "99"]})

    found = await public_nodes(provider)

    assert set(found) == {"4", "9"}, "the eighth has expired, the last is invalid"
    assert (found["4"].online, found["9"].online) == (False, True)
    assert found["9"].name == easytier.state.nodes["9"].node_name
    assert type(found["9"]) is PublicNode
    assert not calls_of(easytier, "/api/auth/login")


async def test_public_node_names(begin: Begin, easytier: EasyTierService) -> None:
    easytier.fault("/api/public", "patch", patch={"nodes.0.node_name": None})
    provider = begin(None, {PUBLIC_NODES: ["9"]})

    names = await provider.public_node_names()

    assert names == {
        id_: node.node_name for id_, node in easytier.state.nodes.items() if id_ != "8"
    } | {"11": "11"}


@pytest.mark.parametrize("name", ["demo", None])
async def test_service(begin: Begin, easytier: EasyTierService, name: str | None) -> None:
    easytier.state.nodes["1"].current_bandwidth = 2**20
    valid = [node for id_, node in easytier.state.nodes.items() if id_ != "8"]

    assert await totals(begin(name)) == ServiceTotals(
        id="service",
        name="EasyTier",
        bandwidth=round(sum(node.current_bandwidth for node in valid), 2),
        connections=sum(node.connection_count for node in valid),
        nodes=11,
        nodes_domestic=sum(
            node.region_type == "domestic" for node in easytier.state.nodes.values()
        ),
        nodes_listed=10,
        nodes_online=8,
        nodes_overseas=sum(
            node.region_type == "overseas" for node in easytier.state.nodes.values()
        ),
    )


@pytest.mark.parametrize("kind, options", [("error", {}), ("status", {"status": 404})])
async def test_totals_without_public_nodes(
    *,
    provider: EasyTierProvider,
    easytier: EasyTierService,
    dialect: Dialect,
    kind: Any,
    options: Mapping[str, Any],
) -> None:
    """One damaged node makes the whole list fail."""
    easytier.fault("/api/public", kind, times=None, **options)

    service = await totals(provider)

    assert (service.nodes, service.nodes_online, service.nodes_listed) == (11, 8, None)
    assert (service.connections is None) is (dialect == "documented")


async def test_missing_totals(provider: EasyTierProvider, easytier: EasyTierService) -> None:
    easytier.fault("/api/stats", "error", times=None)

    with pytest.raises(UnavailableError, match="获取统计信息失败"):
        await totals(provider)


async def test_a_service_with_both_bandwidths(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    both = {"current_bandwidth_total": 0, "total_bandwidth": 7, "connection_count_total": 0}
    easytier.fault("/api/stats", "patch", patch=both)

    service = await totals(provider)

    assert (service.bandwidth, service.connections) == (0, 0)


def test_a_long_interval(begin: Begin) -> None:
    feeds = begin(options={PUBLIC_NODES: ["9"]}).feeds

    assert feeds["reachability"].interval >= timedelta(minutes=10)
    assert all(feed.interval >= timedelta(minutes=2) for feed in feeds.values())
