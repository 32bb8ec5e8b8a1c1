"""Tests frps's feeds with versions 1 and 2 of its API, and stored data."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import AuthenticationError, UnavailableError
from custom_components.tunnel_hub.api.frp.frps_feeds import INTERVAL
from custom_components.tunnel_hub.api.frp.frps_provider import FrpsProvider
from custom_components.tunnel_hub.api.models.account import DayTraffic
from custom_components.tunnel_hub.api.models.server import Client, Server
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from simulator.frp import Client as SimulatedClient, FrpService, Proxy
from simulator.frp.frps import DAY, add, close, go_offline, restart

from .conftest import OLD, Begin

VERSIONS = ["0.70.1", "0.69.0", OLD]
each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def version() -> str:
    return VERSIONS[0]


@pytest.fixture
def provider(begin: Begin, frp: FrpService, version: str) -> FrpsProvider:
    """The provider of a server with this version."""
    frp.state.server.settings.version = version
    return begin()


@pytest.fixture
def later(freezer: FrozenDateTimeFactory) -> Callable[[FrpsProvider, str], Awaitable[Any]]:
    """Return a function that reads a feed after an interval."""

    async def _read(provider: FrpsProvider, feed: str = "tunnels") -> Any:
        freezer.tick(INTERVAL)
        return await provider.feeds[feed].fetch()

    return _read


type Later = Callable[..., Awaitable[Any]]


@each_version
async def test_the_server(provider: FrpsProvider, frp: FrpService) -> None:
    (server,) = (await provider.feeds["server"].fetch()).values()

    state = frp.state.server
    assert server == Server(
        id="account",
        clients=1,
        connections=3,
        heartbeats=False,
        port=7000,
        ports=(("http", 8088), ("https", 8443)),
        traffic_in_today=int(state.traffic_in),
        traffic_out_today=int(state.traffic_out),
        tunnels_offline=1,
        tunnels_online=4,
        tunnels_online_by_type=(("http", 1), ("https", 1), ("tcp", 1), ("udp", 1)),
        version=state.settings.version,
    )


async def test_a_total_above_64_bits(provider: FrpsProvider, frp: FrpService) -> None:
    """Each number fits, but not the sum."""
    body = {"version": "0.70.1", "bindPort": 7000, "proxyTypeCount": {"tcp": 2**62, "udp": 2**62}}
    frp.fault("/api/serverinfo", "body", body=body)
    frp.state.server.settings.version = "0.60.0"

    (server,) = (await provider.feeds["server"].fetch()).values()

    assert isinstance(server, Server)
    assert server.tunnels_online is None
    assert dict(server.tunnels_online_by_type) == {"tcp": 2**62, "udp": 2**62}


@pytest.mark.parametrize("seconds, heartbeats", [(-1, False), (0, False), (90, True)])
async def test_heartbeats(
    provider: FrpsProvider, frp: FrpService, seconds: int, heartbeats: bool
) -> None:
    frp.state.server.settings.heartbeat_timeout = seconds

    (server,) = (await provider.feeds["server"].fetch()).values()

    assert isinstance(server, Server)
    assert server.heartbeats is heartbeats


@each_version
async def test_tunnels(provider: FrpsProvider, frp: FrpService, version: str) -> None:
    found: Any = await provider.feeds["tunnels"].fetch()

    state = frp.state.server.proxies["alice.nas"]
    is_new = version == "0.70.1"
    assert found["alice.nas"] == Tunnel(
        id="alice.nas",
        name="alice.nas",
        client=None if version == OLD else "alice.ha",
        connections=0,
        last_start=datetime.fromtimestamp(int(state.last_start), UTC) if is_new else None,
        online=True,
        protocol="tcp",
        public_address="127.0.0.1:6001",
        traffic_in_today=int(state.traffic_in[0]),
        traffic_out_today=int(state.traffic_out[0]),
    )
    assert {tunnel.id: (tunnel.protocol, tunnel.public_address) for tunnel in found.values()} == {
        "alice.backup": ("tcp", None),
        "alice.game": ("udp", "127.0.0.1:6002"),
        "alice.nas": ("tcp", "127.0.0.1:6001"),
        "alice.shop": ("https", "shop.example.com:8443"),
        "alice.web": ("http", "web.example.test:8088"),
    }
    assert found["alice.backup"].online is False
    lacking = set(provider.feeds["tunnels"].unsupported_fields())
    assert lacking == (
        set()
        if is_new
        else {"last_close", "last_start"} | ({"client"} if version == OLD else set())
    )


@pytest.mark.parametrize(
    "proxy, settings, address",
    [
        (("tcp", {"remote_port": 22}), {}, "vpn.example.com:22"),
        (("udp", {"remote_port": 53}), {}, "vpn.example.com:53"),
        (("tcp", {"remote_port": 0}), {}, None),
        (("tcp", {"remote_port": 70000}), {}, None),
        (("http", {"custom_domains": ["a.example", "b.example"]}), {}, "a.example:8088"),
        (("http", {"custom_domains": ["a.example"]}), {"vhost_http_port": 80}, "a.example"),
        (("http", {"custom_domains": ["a.example"]}), {"vhost_http_port": 0}, "a.example"),
        (("https", {"custom_domains": ["a.example"]}), {"vhost_https_port": 443}, "a.example"),
        (("https", {"subdomain": "w"}), {"vhost_https_port": 80}, "w.example.test:80"),
        (("http", {"subdomain": "w"}), {"subdomain_host": ""}, None),
        (("http", {"custom_domains": ["例子.cn"]}), {"vhost_http_port": 80}, "例子.cn"),
        (("tcpmux", {"custom_domains": ["a.example"]}), {"tcpmux_port": 1337}, "a.example:1337"),
        (("stcp", {}), {}, None),
        (("xtcp", {"remote_port": 22}), {}, None),
    ],
)
async def test_public_addresses(
    begin: Begin,
    frp: FrpService,
    proxy: tuple[str, dict[str, Any]],
    settings: dict[str, Any],
    address: str | None,
) -> None:
    server, (proxy_type, fields) = frp.state.server, proxy
    for name, value in settings.items():
        setattr(server.settings, name, value)
    add(server, Proxy("x", proxy_type, "", "ha", **fields))

    for version in VERSIONS:
        server.settings.version = version
        feeds = begin({"outside_address": "vpn.example.com"}).feeds
        found: Any = await feeds["tunnels"].fetch()
        assert found["x"].public_address == address, version


async def test_an_ipv6_server(begin: Begin) -> None:
    found: Any = await begin({"outside_address": "2001:db8::7"}).feeds["tunnels"].fetch()

    assert found["alice.nas"].public_address == "[2001:db8::7]:6001"


# Removed and unlisted resources


@each_version
async def test_an_offline_tunnel_keeps_its_address(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    await later(provider)
    go_offline(frp.state.server, "alice.ha", frp.now())

    found = await later(provider)

    assert {tunnel.online for tunnel in found.values()} == {False}
    assert found["alice.nas"].public_address == "127.0.0.1:6001"
    assert found["alice.web"].public_address == "web.example.test:8088"


@each_version
async def test_unlisted_tunnels_are_kept_after_restarts(
    begin: Begin, provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    """Home Assistant restarts, and frps restarts and lists nothing."""
    memory: dict[str, Any] = {}

    async def _store(known: Mapping[str, Any]) -> None:
        memory.update(json.loads(json.dumps(known)))

    provider.on_memory = _store
    before = await later(provider)
    go_offline(frp.state.server, "alice.ha", frp.now())
    restart(frp.state.server)

    again = begin()
    again.restore(memory)
    found = await later(again)

    assert found.keys() == before.keys()
    assert {tunnel.online for tunnel in found.values()} == {False}
    for id_ in ("alice.nas", "alice.web"):
        for name in ("client", "protocol", "public_address"):
            assert getattr(found[id_], name) == getattr(before[id_], name)
    assert found["alice.nas"].traffic_in_today is None
    assert set(again.feeds["tunnels"].kept()) == found.keys()


async def test_storage_is_only_written_after_changes(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    stored: list[Mapping[str, Any]] = []

    async def _store(known: Mapping[str, Any]) -> None:
        stored.append(known)

    provider.on_memory = _store
    for _ in range(3):
        await later(provider)
    assert len(stored) == 1

    close(frp.state.server.proxies["alice.nas"], frp.now())
    await later(provider)
    assert len(stored) == 1, "its address is known"

    frp.state.server.proxies["alice.web"].subdomain = "other"
    await later(provider)
    assert stored[-1]["proxies"]["alice.web"]["address"] == {"subdomain": "other"}


@pytest.mark.parametrize(
    "memory",
    [
        {"proxies": [], "clients": "x"},
        {"proxies": {"alice.backup": None, "a": {"type": 7, "address": [], "unlisted_since": "x"}}},
        {"proxies": {"b": {"unlisted_since": 1e300}}},
    ],
)
async def test_damaged_storage(provider: FrpsProvider, memory: dict[str, Any]) -> None:
    provider.restore(memory)

    assert (await provider.feeds["tunnels"].fetch()).keys() >= {"alice.nas"}
    assert (await provider.feeds["clients"].fetch()).keys() == {"alice.ha", "alice.attic"}


async def test_a_restarted_server(provider: FrpsProvider, frp: FrpService, later: Later) -> None:
    """Until its clients reconnect, everything is offline; the traffic of today begins with 0."""
    server = frp.state.server
    before = await later(provider)
    gone, server.proxies = server.proxies, {}
    restart(server)

    assert {t.online for t in (await later(provider)).values()} == {False}

    server.proxies = {name: proxy for name, proxy in gone.items() if proxy.online}
    for proxy in server.proxies.values():
        proxy.traffic_in[0] = 0
    found = await later(provider)
    assert {id_ for id_, tunnel in found.items() if tunnel.online} == server.proxies.keys()
    assert found["alice.nas"].traffic_in_today < before["alice.nas"].traffic_in_today


async def test_unlisted_tunnels_are_kept_for_seven_days(
    provider: FrpsProvider, frp: FrpService, later: Later, freezer: FrozenDateTimeFactory
) -> None:
    await later(provider)
    del frp.state.server.proxies["alice.nas"]
    assert (await later(provider))["alice.nas"].online is False
    freezer.tick(timedelta(days=6, hours=23))
    assert "alice.nas" in await later(provider)

    freezer.tick(timedelta(hours=2))

    assert "alice.nas" not in await later(provider)
    assert not provider.feeds["tunnels"].kept()


async def test_a_user_removes_a_tunnel(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    await later(provider)
    nas = frp.state.server.proxies.pop("alice.nas")
    await later(provider)
    forget = provider.feeds["tunnels"].forget
    assert forget

    await forget("alice.nas")
    assert "alice.nas" not in await later(provider)

    add(frp.state.server, nas)
    assert (await later(provider))["alice.nas"].online


async def test_a_flapping_proxy(provider: FrpsProvider, frp: FrpService, later: Later) -> None:
    """Online and offline, listed and unlisted: it is always kept with its address."""
    nas = frp.state.server.proxies["alice.nas"]
    for number in range(6):
        nas.online = number % 2 == 0
        found = (await later(provider))["alice.nas"]
        assert (found.online, found.public_address) == (nas.online, "127.0.0.1:6001")
        del frp.state.server.proxies["alice.nas"]
        found = (await later(provider))["alice.nas"]
        assert (found.online, found.public_address) == (False, "127.0.0.1:6001")
        add(frp.state.server, nas)


@each_version
async def test_forget_offline_tunnels(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    await later(provider)
    close(frp.state.server.proxies["alice.nas"], frp.now())
    del frp.state.server.proxies["alice.web"]
    await later(provider)

    forgotten = await provider.forget_offline_tunnels()

    assert forgotten == ("alice.backup", "alice.nas", "alice.web")
    assert (await later(provider)).keys() == {"alice.game", "alice.shop"}
    assert not provider.feeds["tunnels"].kept()


# Clients


@pytest.mark.parametrize("version", ["0.70.1", "0.69.0"])
async def test_clients(provider: FrpsProvider, frp: FrpService) -> None:
    found: Any = await provider.feeds["clients"].fetch()

    state = frp.state.server.clients
    assert found == {
        "alice.ha": Client(
            id="alice.ha",
            name="alice.ha",
            address="198.51.100.7",
            connected_since=datetime.fromtimestamp(int(state["alice.ha"].last_connected), UTC),
            host_name="ha-host",
            online=True,
            version="0.70.1",
        ),
        "alice.attic": Client(
            id="alice.attic",
            name="alice.attic",
            address="198.51.100.8",
            host_name="attic-host",
            last_seen=datetime.fromtimestamp(int(state["alice.attic"].disconnected), UTC),
            online=False,
            version="0.70.1",
        ),
    }


@pytest.mark.parametrize("version", [OLD])
async def test_an_old_server_has_no_clients(provider: FrpsProvider) -> None:
    assert await provider.feeds["clients"].fetch() == {}


async def test_clients_with_the_same_id(provider: FrpsProvider, frp: FrpService) -> None:
    """They differ by user; of two with the same key, the connected one is used."""
    server = frp.state.server
    server.clients["bob"] = SimulatedClient("bob", "ha", "1", "bob-host", "192.0.2.1")
    server.clients["none"] = SimulatedClient("", "ha", "2", "host", "192.0.2.2")
    server.clients["twin"] = SimulatedClient("", "alice.attic", "3", "twin", "192.0.2.3")

    found: Any = await provider.feeds["clients"].fetch()

    assert found.keys() == {"alice.ha", "alice.attic", "bob.ha", "ha"}
    assert found["alice.attic"].host_name == "twin"
    assert found["alice.attic"].online


async def test_a_client_without_a_fixed_id(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    """Its id changes with each start, so an offline one is not kept."""
    run = "0123456789abcdef"
    frp.state.server.clients[run] = SimulatedClient("", run, run, "host", "192.0.2.1")
    assert (await later(provider, "clients"))[run].online

    go_offline(frp.state.server, run, frp.now())

    assert run not in await later(provider, "clients")
    assert not provider.feeds["clients"].kept()


async def test_clients_are_kept(provider: FrpsProvider, frp: FrpService, later: Later) -> None:
    await later(provider, "clients")
    del frp.state.server.clients["alice.ha"]

    found = await later(provider, "clients")

    assert found["alice.ha"] == Client(
        id="alice.ha", name="alice.ha", online=False, version="0.70.1"
    )


# Days


@pytest.mark.parametrize("hours", [0, 8, -5, 5.75, 14])
async def test_the_time_zone_of_the_server(
    provider: FrpsProvider, frp: FrpService, hours: float
) -> None:
    frp.state.server.settings.ahead = int(hours * 3600)
    assert provider.time_zone is None

    await provider.feeds["tunnels"].fetch()

    assert provider.time_zone == timezone(timedelta(hours=hours))
    days = await provider.traffic_history("alice.nas")
    assert days[-1].day == f"{datetime.now(provider.time_zone).date()}"


async def test_start_of_summer_time(
    provider: FrpsProvider, frp: FrpService, later: Later, freezer: FrozenDateTimeFactory
) -> None:
    await later(provider)
    frp.state.server.settings.ahead = 3600
    freezer.tick(timedelta(hours=6))

    await later(provider)

    assert provider.time_zone == timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    "change", [{"lastStartTime": "13-45 99:00:00"}, {"lastStartTime": "06-15 12:00:00"}, {}]
)
async def test_an_unknown_time_zone(
    provider: FrpsProvider, frp: FrpService, change: dict[str, str]
) -> None:
    frp.fault("/api/proxies/{name}", "body", body=change)

    assert await provider.feeds["tunnels"].fetch()
    assert provider.time_zone is None


@pytest.mark.parametrize("version", ["0.69.0"])
async def test_an_older_server_has_no_time_zone(
    provider: FrpsProvider, frp: FrpService, version: str
) -> None:
    await provider.feeds["tunnels"].fetch()

    assert provider.time_zone is None
    assert not frp.calls_to("/api/proxies/{name}")


@each_version
async def test_traffic_history(provider: FrpsProvider, frp: FrpService) -> None:
    """Seven days, the oldest first."""
    frp.advance(DAY)
    state = frp.state.server.proxies["alice.nas"]

    days = await provider.traffic_history("alice.nas")

    today = datetime.fromtimestamp(frp.now(), UTC).date()
    assert [day.traffic_in for day in days] == [int(size) for size in reversed(state.traffic_in)]
    assert days[-2] == DayTraffic(
        day=days[-2].day,
        traffic_in=int(state.traffic_in[1]),
        traffic_out=int(state.traffic_out[1]),
    )
    first = datetime.fromisoformat(days[0].day).date()
    assert datetime.fromisoformat(days[-1].day).date() - first == timedelta(days=6)
    if provider.time_zone is None:
        return
    assert days[-1].day == f"{today}"


# Upgrades, errors and many proxies


async def test_an_upgrade_is_noticed(provider: FrpsProvider, frp: FrpService, later: Later) -> None:
    frp.state.server.settings.version = "0.69.0"
    assert (await later(provider))["alice.nas"].last_start is None
    await later(provider, "server")

    frp.state.server.settings.version = "0.70.1"
    await later(provider, "server")

    assert (await later(provider))["alice.nas"].last_start
    assert not provider.feeds["tunnels"].unsupported_fields()


async def test_a_downgrade_is_noticed(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    await later(provider, "server")
    await later(provider)
    frp.state.server.settings.version = OLD

    (server,) = (await later(provider, "server")).values()

    assert server.version == OLD
    assert (await later(provider))["alice.nas"].online
    assert await later(provider, "clients") == {}


@pytest.mark.parametrize("version", [OLD])
@pytest.mark.parametrize("shape", ["list", "number", "string", "null"])
async def test_invalid_answers_do_not_confirm_an_endpoint(
    provider: FrpsProvider, frp: FrpService, later: Later, shape: str
) -> None:
    """A server in front of an older frps answered once."""
    for path in ("/api/v2/proxies", "/api/v2/system/info"):
        frp.fault(path, "wrong_type", shape=shape, times=1)
    with pytest.raises(UnavailableError):
        await later(provider)

    assert (await later(provider))["alice.nas"].online


async def test_a_temporarily_missing_endpoint(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    """The clients are kept."""
    await later(provider, "clients")
    frp.fault("/api/v2/clients", "status", status=404, body="404 page not found\n")

    with pytest.raises(UnavailableError):
        await later(provider, "clients")

    assert (await later(provider, "clients"))["alice.ha"].online


async def test_a_thousand_proxies(provider: FrpsProvider, frp: FrpService, later: Later) -> None:
    for number in range(995):
        proxy_type = ("tcp", "udp")[number % 2]
        add(frp.state.server, Proxy(f"n{number}", proxy_type, "", "", remote_port=10000 + number))
    await later(provider)
    calls = len(frp.calls)

    found = await later(provider)

    assert len(found) == 1000
    assert found["n994"].public_address == "127.0.0.1:10994"
    assert len(frp.calls) - calls <= 5 + 1
    assert (await later(provider))["n994"] is found["n994"], "no resource is built again"


async def test_both_feeds_share_a_read(
    provider: FrpsProvider, frp: FrpService, later: Later
) -> None:
    await later(provider, "server")
    await provider.feeds["tunnels"].fetch()
    await provider.feeds["clients"].fetch()

    assert len(frp.calls_to("/api/v2/proxies")) == 1
    assert len(frp.calls_to("/api/v2/system/info")) == 1


async def test_a_server_that_fails_to_list_its_proxies(
    provider: FrpsProvider, frp: FrpService
) -> None:
    """The server itself is still shown."""
    frp.fault("/api/v2/proxies", "error", times=None)

    (server,) = (await provider.feeds["server"].fetch()).values()

    assert isinstance(server, Server)
    assert (server.tunnels_online, server.tunnels_offline) == (4, None)


async def test_a_refused_password(provider: FrpsProvider, frp: FrpService) -> None:
    frp.state.server.settings.password = "another"

    for feed in provider.feeds.values():
        with pytest.raises(AuthenticationError):
            await feed.fetch()


@pytest.mark.parametrize(
    "required, entered, issues",
    [
        (True, True, []),
        (False, False, ["frps_without_password"]),
        (False, True, ["frps_without_password"]),
    ],
)
async def test_a_dashboard_without_a_password(
    begin: Begin, frp: FrpService, required: bool, entered: bool, issues: list[str]
) -> None:
    """Everyone who reaches the dashboard can use it, with any entered credentials."""
    if not required:
        frp.state.server.settings.username = frp.state.server.settings.password = ""
    name, password = ("admin", "demo-password") if entered else ("", "")
    provider = begin(username=name, password=password)
    assert list(provider.issues()) == []

    for _ in range(2):
        await provider.feeds["server"].fetch()

    assert [issue.key for issue in provider.issues()] == issues
    assert len(frp.calls_to("/api/serverinfo")) == entered, "it is checked once"
