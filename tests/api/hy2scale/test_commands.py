"""Tests HY2 SCALE's commands, and that their results are verified: a node accepts anything."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api import hy2scale as package
from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.account import AccountChanges
from custom_components.tunnel_hub.api.models.certificates import (
    CertificateImport,
    SignedCertificate,
)
from custom_components.tunnel_hub.api.models.mesh import (
    ClientUpdate,
    Kick,
    MeshUpdate,
    Peer,
    Port,
    Position,
    Proxy,
    ProxyUpdate,
    Rule,
    RuleUpdate,
    User,
    UserSessions,
    UserUpdate,
    VpnServer,
    WireGuardPeer,
    WireGuardPeerUpdate,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.api.provider import Credentials
from simulator.hy2scale import Hy2ScaleService, hashed

from .common import BOTH, OLD, read, writes

type Provider = Hy2ScaleProvider
type Node = Hy2ScaleService
type Act = Callable[[Provider], Awaitable[object]]


def user_id(hy2scale: Node, name: str) -> str:
    """Return the id of a user."""
    (id_,) = (u.id for u in hy2scale.state.users.values() if u.username == name)
    return id_


async def refused(act: Awaitable[object], key: str) -> None:
    """Expect an invalid input, or a write without effect."""
    with pytest.raises(InvalidInputError) as info:
        await act
    assert info.value.key == key


# Username and password


@BOTH
async def test_update_account(provider: Provider, session: ClientSession, hy2scale: Node) -> None:
    """The new credentials are stored, and used without reauthentication."""
    hy2scale.set_password("admin")
    stored: list[Credentials] = []

    async def _store(credentials: Credentials) -> None:
        stored.append(credentials)

    provider = Hy2ScaleProvider(session, {**provider.credentials, "password": "admin"}, {})
    provider.on_credentials = _store
    await provider.identify()
    assert [p.key for p in provider.issues()] == ["default_password"]

    await provider.update_account(AccountChanges(username="boss", password="better"))

    assert not list(provider.issues()), "immediately"
    state = hy2scale.state
    assert (state.username, state.password_hash) == ("boss", hashed("better"))
    assert stored[-1] == provider.credentials
    assert stored[-1]["username"] == "boss"
    assert stored[-1]["password_hash"] == sha256(b"better").hexdigest()
    assert "password" not in stored[-1]
    await provider.identify()
    assert provider.statistics()["token_renewals"] == 2
    words = repr([call.body for call in hy2scale.calls])
    assert "better" not in words


async def test_update_only_the_username(provider: Provider, hy2scale: Node) -> None:
    await provider.update_account(AccountChanges(username="boss"))

    assert (hy2scale.state.username, hy2scale.state.password_hash) == (
        "boss",
        hashed("hub-password"),
    )
    await provider.identify()


async def test_a_wrong_current_password(provider: Provider, hy2scale: Node) -> None:
    with pytest.raises(RejectedError, match="current password incorrect"):
        await provider.update_account(AccountChanges(password="new", current_password="wrong"))

    assert hy2scale.state.password_hash == hashed("hub-password")
    assert provider.credentials["password_hash"] == hashed("hub-password")
    await provider.update_account(AccountChanges(password="new", current_password="hub-password"))
    assert hy2scale.state.password_hash == hashed("new")


# Enabling and disabling


async def test_force_down_of_a_disabled_link(provider: Provider, hy2scale: Node) -> None:
    """It must not become enabled."""
    await provider.force_tunnel_offline("de")

    assert not writes(hy2scale)
    assert hy2scale.state.clients["de"].disabled


@pytest.mark.parametrize(
    "fault, after, options",
    [
        ("cut", 0, {"keep": 0}),
        ("status", 0, {"status": 500}),
        ("status", 1, {"status": 502}),
        ("reset", 1, {}),
    ],
)
async def test_a_link_is_enabled_after_a_failed_force_down(
    provider: Provider, hy2scale: Node, fault: str, after: int, options: dict[str, Any]
) -> None:
    hy2scale.fault("/api/clients/{name}/disable", fault, after=after, **options)

    await provider.force_tunnel_offline("us")

    assert not hy2scale.state.clients["us"].disabled
    assert hy2scale.state.peers["us"].rebinds > 0


async def test_a_refused_force_down(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/clients/{name}/disable", "status", status=403, body="no\n")

    with pytest.raises(RejectedError, match="no"):
        await provider.force_tunnel_offline("us")

    assert writes(hy2scale)[-1].body == {"disabled": False}


@OLD
async def test_disable_a_peer_as_documented(provider: Provider, hy2scale: Node) -> None:
    with pytest.raises(UnsupportedError):
        await provider.set_enabled(Peer, "us/us-r1", enabled=False)


async def test_tun_mode_is_not_sent_as_a_rule(provider: Provider, hy2scale: Node) -> None:
    with pytest.raises(UnsupportedError):
        await provider.set_tun_mode("full")

    assert not writes(hy2scale)


# Exits


@BOTH
@pytest.mark.parametrize("of, id_", [(Proxy, "socks5"), (Rule, "video"), (WireGuardPeer, "phone")])
async def test_exit(provider: Provider, hy2scale: Node, of: type[Rule], id_: str) -> None:
    state = hy2scale.state
    rows: dict[str, Any] = {
        **state.proxies,
        **state.rules,
        **{peer.name: peer for peer in state.wireguard.peers},
    }
    row = rows[id_]
    row.exit_paths, row.exit_mode = ["us", "jp"], "quality"

    await provider.select_exit(of, id_, "us/us-r1")

    assert (await read(provider, of))[id_].exit_path == "us/us-r1"
    (call,) = writes(hy2scale)
    assert (call.body["exit_via"], call.body["exit_paths"], call.body["exit_mode"]) == (
        "us/us-r1",
        ["us/us-r1"],
        "",
    )
    await provider.select_exit(of, id_, "")
    assert (await read(provider, of))[id_].exit_path == ""


# Unknown resources, and writes without effect

UNKNOWN: list[Act] = [
    lambda p: p.set_enabled(Tunnel, "x", enabled=False),
    lambda p: p.force_tunnel_offline("x"),
    lambda p: p.set_enabled(Peer, "x", enabled=False),
    lambda p: p.set_enabled(Proxy, "x", enabled=False),
    lambda p: p.set_enabled(Rule, "x", enabled=False),
    lambda p: p.set_enabled(User, "x", enabled=False),
    lambda p: p.set_peer_nested(Peer, "x", nested=False),
    lambda p: p.select_exit(User, "x", "us"),
    lambda p: p.select_exit(Proxy, "x", "us"),
    lambda p: p.reset_traffic("x"),
    lambda p: p.kick_sessions("x"),
    lambda p: p.update("x", ClientUpdate(server_name="y")),
    lambda p: p.update("x", ProxyUpdate(listen="127.0.0.1:1")),
    lambda p: p.update("x", RuleUpdate(name="y")),
    lambda p: p.update("x", UserUpdate(name="y")),
    lambda p: p.update("x", WireGuardPeerUpdate(keepalive=3)),
    lambda p: p.certificate_pem("x"),
    lambda p: p.wireguard_qr("x"),
    lambda p: p.sign_certificate(SignedCertificate(id="x", authority="x", host="x.example.com")),
]


@pytest.mark.parametrize("act", UNKNOWN)
async def test_unknown_resources(provider: Provider, hy2scale: Node, act: Act) -> None:
    """The node would report success, and even create a new proxy."""
    await refused(act(provider), "unknown_resource")

    assert not writes(hy2scale)


class IgnoredWrite(NamedTuple):
    """A write that the node ignores. reads: the requests of its path before the write."""

    route: str
    act: Act
    reads: int = 0


IGNORED_WRITES = [
    IgnoredWrite("clients/{name}/disable", lambda p: p.set_enabled(Tunnel, "us", enabled=False)),
    IgnoredWrite("peers/{name}/disable", lambda p: p.set_enabled(Peer, "us/us-r1", enabled=False)),
    IgnoredWrite(
        "peers/{name}/nested", lambda p: p.set_peer_nested(Peer, "us/us-r1", nested=False)
    ),
    IgnoredWrite("proxies/{id}", lambda p: p.set_enabled(Proxy, "socks5", enabled=False)),
    IgnoredWrite("ss", lambda p: p.set_enabled(Proxy, "ss", enabled=False), reads=2),
    IgnoredWrite("rules/{id}/toggle", lambda p: p.set_enabled(Rule, "video", enabled=False)),
    IgnoredWrite("l2tp", lambda p: p.set_server_enabled(VpnServer.L2TP, enabled=False), reads=1),
    IgnoredWrite(
        "wireguard", lambda p: p.set_server_enabled(VpnServer.WIREGUARD, enabled=False), reads=1
    ),
    IgnoredWrite("node", lambda p: p.set_exit_node(enabled=False)),
    IgnoredWrite("rules/{id}", lambda p: p.select_exit(Rule, "video", "jp")),
    IgnoredWrite(
        "wireguard/peers/{name}", lambda p: p.update("phone", WireGuardPeerUpdate(name="x"))
    ),
    IgnoredWrite("wireguard/peers/{name}", lambda p: p.delete(WireGuardPeer, "phone")),
    IgnoredWrite("clients/{name}", lambda p: p.delete(Tunnel, "us")),
    IgnoredWrite("rules/{id}", lambda p: p.delete(Rule, "video")),
    IgnoredWrite("proxies/{id}", lambda p: p.delete(Proxy, "socks5")),
    IgnoredWrite("tls/{id}", lambda p: p.delete_certificate("web")),
    IgnoredWrite(
        "tls/import",
        lambda p: p.import_certificate(CertificateImport(id="x", certificate="nonsense")),
    ),
    IgnoredWrite("users", lambda p: p.create(UserUpdate(name="x", password="p")), reads=1),
]


@pytest.mark.parametrize("write", IGNORED_WRITES, ids=[write.route for write in IGNORED_WRITES])
async def test_an_ignored_write(provider: Provider, hy2scale: Node, write: IgnoredWrite) -> None:
    await provider.identify()
    hy2scale.fault(f"/api/{write.route}", "body", body={"status": "ok"}, after=write.reads)

    with pytest.raises(InvalidInputError) as info:
        await write.act(provider)

    assert info.value.key in {"not_taken", "unknown_resource"}
    assert len(writes(hy2scale)) == 1


@OLD
async def test_an_ignored_tun_mode(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/rules/tun-mode", "body", body={"status": "ok"}, after=1)

    await refused(provider.set_tun_mode("off"), "not_taken")


# Sessions


async def test_kick_two_sessions_of_which_one_has_ended(provider: Provider, hy2scale: Node) -> None:
    await read(provider, UserSessions)
    del hy2scale.state.sessions["alice|203.0.113.10|hy2"]

    kick = await provider.kick_sessions(user_id(hy2scale, "alice"))

    assert kick.keys == ("alice|203.0.113.11|socks5",)
    assert set(hy2scale.state.locked) == set(kick.keys)


async def test_kick_a_session_that_has_just_ended(provider: Provider, hy2scale: Node) -> None:
    bob = user_id(hy2scale, "bob")
    await read(provider, UserSessions)
    hy2scale.state.sessions.clear()

    kick = await provider.kick_sessions(bob)

    assert kick == Kick(keys=(), locked_until=None)
    assert (await read(provider, UserSessions))[bob].locked_until is None


async def test_a_refused_kick(provider: Provider, hy2scale: Node) -> None:
    """The session continues, so the refusal is reported."""
    alice = user_id(hy2scale, "alice")
    hy2scale.fault("/api/sessions/{id}", "status", status=403, body="read only", times=None)

    with pytest.raises(RejectedError, match="read only"):
        await provider.kick_sessions(alice)

    assert (await read(provider, UserSessions))[alice].locked_until is None


@pytest.mark.parametrize("answer", [{"status": "ok"}, {}, None, "", [1, 2]])
async def test_an_ignored_kick(provider: Provider, hy2scale: Node, answer: object) -> None:
    alice = user_id(hy2scale, "alice")
    hy2scale.fault("/api/sessions/{id}", "body", body=answer, times=None)

    await refused(provider.kick_sessions(alice), "not_taken")

    assert (await read(provider, UserSessions))[alice].locked_until is None


async def test_a_kicked_device_that_reconnects_immediately(
    provider: Provider, hy2scale: Node
) -> None:
    """It was disconnected nevertheless."""
    bob = user_id(hy2scale, "bob")
    key = "bob|203.0.113.20|l2tp"
    row = {"key": key, "username": "bob", "connect_at": int(hy2scale.now())}
    hy2scale.fault("/api/sessions", "body", body={"devices": [row], "total": 1}, after=1)

    kick = await provider.kick_sessions(bob)

    assert kick.keys == (key,)
    assert len((await read(provider, UserSessions))[bob].sessions) == 1


async def test_a_failed_kick(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/sessions/{id}", "status", status=500, times=None)

    with pytest.raises(UnavailableError, match="HTTP 500"):
        await provider.kick_sessions(user_id(hy2scale, "alice"))


# Editing


@BOTH
async def test_edit_a_client(provider: Provider, hy2scale: Node) -> None:
    payload = ClientUpdate(
        name="uk",
        addresses=("uk.example.com:5565", "uk2.example.com:20000-30000"),
        password="secret",
        server_name="uk.example.com",
        insecure=True,
        ca="PEM",
        max_rate_in=5,
        max_rate_out=7,
    )
    assert await provider.create(payload) == "uk"
    client = hy2scale.state.clients["uk"]
    assert (client.addr, len(client.addrs), client.password) == (
        "uk.example.com:5565",
        2,
        "secret",
    )
    assert (client.sni, client.insecure, client.ca) == ("uk.example.com", True, "PEM")
    assert (client.max_rx, client.max_tx) == (5, 7)
    await refused(provider.create(payload), "already_exists")

    await provider.update("uk", ClientUpdate(name="gb", max_rate_in=0))

    assert "uk" not in hy2scale.state.clients
    client = hy2scale.state.clients["gb"]
    assert (client.password, client.max_rx, client.max_tx) == ("secret", 0, 7)
    await provider.delete(Tunnel, "gb")
    await provider.delete(Tunnel, "gb")
    assert "gb" not in hy2scale.state.clients


@BOTH
async def test_edit_a_user(provider: Provider, hy2scale: Node) -> None:
    payload = UserUpdate(
        name="erin",
        password="secret",
        traffic_limit=3 * 1024**3 + 1,
        expires=date(2030, 1, 2),
        exit_paths=("us", "jp"),
        exit_mode="aggregate",
    )
    id_ = await provider.create(payload)
    user = hy2scale.state.users[id_]
    assert (user.username, user.password, user.enabled) == ("erin", "secret", True)
    assert (user.traffic_limit, user.expiry_date) == (3 * 1024**3 + 1, "2030-01-02")
    assert (user.exit_via, user.exit_paths, user.exit_mode) == ("us", ["us", "jp"], "aggregate")
    await refused(provider.create(payload), "already_exists")

    await provider.update(id_, UserUpdate(exit_mode="quality", enabled=False))
    user = hy2scale.state.users[id_]
    assert (user.exit_mode, user.exit_paths, user.enabled) == ("quality", ["us", "jp"], False)
    assert (user.password, user.expiry_date) == ("secret", "2030-01-02")
    await provider.update(id_, UserUpdate(expires=date.max, traffic_limit=0, exit_paths=()))
    user = hy2scale.state.users[id_]
    assert (user.expiry_date, user.traffic_limit, user.exit_via) == ("", 0, "")
    assert (user.exit_paths, user.exit_mode) == ([], "")
    await provider.delete(User, id_)
    assert id_ not in hy2scale.state.users


@BOTH
async def test_edit_a_rule(provider: Provider, hy2scale: Node) -> None:
    payload = RuleUpdate(
        id="news",
        name="News",
        type="domain",
        targets=("news.example.com", "*.example.org"),
        priority=3,
        use_tun=True,
        exit_paths=("jp",),
    )
    assert await provider.create(payload) == "news"
    rule = hy2scale.state.rules["news"]
    assert (rule.name, rule.type, rule.enabled) == ("News", "domain", True)
    assert (rule.targets, rule.exit_via) == (["news.example.com", "*.example.org"], "jp")
    assert (rule.priority, rule.use_tun) == (3, True)

    await provider.update("news", RuleUpdate(targets=("a.example.com",), use_tun=False))

    rule = hy2scale.state.rules["news"]
    assert (rule.targets, rule.use_tun, rule.exit_via) == (["a.example.com"], False, "jp")
    await provider.delete(Rule, "news")
    assert "news" not in hy2scale.state.rules


@BOTH
async def test_edit_a_proxy(provider: Provider, hy2scale: Node) -> None:
    payload = ProxyUpdate(id="web", protocol="http", listen="127.0.0.1:8888", certificate="web")
    assert await provider.create(payload) == "web"
    proxy = hy2scale.state.proxies["web"]
    assert (proxy.protocol, proxy.listen, proxy.tls_cert) == ("http", "127.0.0.1:8888", "web")
    assert proxy.enabled

    await provider.update("web", ProxyUpdate(listen="127.0.0.1:9999"))

    proxy = hy2scale.state.proxies["web"]
    assert (proxy.listen, proxy.tls_cert) == ("127.0.0.1:9999", "web")
    await provider.delete(Proxy, "web")
    assert "web" not in hy2scale.state.proxies


@BOTH
async def test_edit_shadowsocks(provider: Provider, hy2scale: Node) -> None:
    await provider.update("ss", ProxyUpdate(method="chacha20-ietf-poly1305"))

    assert hy2scale.state.proxies["ss"].method == "chacha20-ietf-poly1305"


@OLD
async def test_shadowsocks_can_be_deleted_as_documented(provider: Provider, hy2scale: Node) -> None:
    await provider.delete(Proxy, "ss")

    assert "ss" not in hy2scale.state.proxies


@BOTH
async def test_edit_a_wireguard_peer(provider: Provider, hy2scale: Node) -> None:
    """The node generates missing keys."""
    name = await provider.create(WireGuardPeerUpdate(name="tablet", address="10.0.0.7/32"))
    assert name == "tablet"
    peer = hy2scale.state.wireguard.peers[-1]
    assert (peer.name, peer.allowed_ips, len(peer.private_key)) == ("tablet", "10.0.0.7/32", 44)

    await provider.update("tablet", WireGuardPeerUpdate(keepalive=15))

    changed = hy2scale.state.wireguard.peers[-1]
    assert (changed.keepalive, changed.private_key) == (15, peer.private_key)
    await provider.delete(WireGuardPeer, "tablet")
    assert len(hy2scale.state.wireguard.peers) == 2


async def test_a_wireguard_peer_with_keys(provider: Provider, hy2scale: Node) -> None:
    await provider.create(
        WireGuardPeerUpdate(
            name="tablet", address="10.0.0.7/32", public_key="its-public", private_key="its-own"
        )
    )

    peer = hy2scale.state.wireguard.peers[-1]
    assert (peer.public_key, peer.private_key) == ("its-public", "its-own")
    assert not hy2scale.calls_to("/api/wireguard/generate-key")


@pytest.mark.parametrize(
    "payload, words",
    [
        (ClientUpdate(name="x", addresses=("nowhere",), password="p"), "invalid address"),
        (UserUpdate(name="x"), "username and password required"),
        (RuleUpdate(id="x", type="ip", targets=("192.0.2.1/32",)), "exit_via"),
        (ProxyUpdate(id="x"), "id, listen required"),
        (WireGuardPeerUpdate(name="x"), "allowed_ips required"),
    ],
)
async def test_a_refusal_has_the_message_of_the_node(
    provider: Provider, payload: MeshUpdate, words: str
) -> None:
    with pytest.raises(RejectedError, match=words):
        await provider.create(payload)


# WireGuard


@pytest.mark.parametrize("path", ["qr", "peers/{name}/config"])
async def test_a_web_page_is_not_a_file(provider: Provider, hy2scale: Node, path: str) -> None:
    hy2scale.fault(f"/api/wireguard/{path}", "html", status=200, times=None)

    with pytest.raises(UnavailableError, match="firewall"):
        await provider.wireguard_qr("phone")


async def test_an_invalid_picture(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/wireguard/qr", "body", body={"status": "ok"}, times=None)

    with pytest.raises(UnavailableError, match="no picture"):
        await provider.wireguard_qr("phone")


# Upgrades


@pytest.fixture
def waits(hy2scale: Node, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Advance the node's clock instead of waiting; return the seconds of each wait."""
    waited: list[float] = []

    async def _wait(seconds: float) -> None:
        waited.append(seconds)
        hy2scale.advance(seconds)

    monkeypatch.setattr(package.upgrade, "sleep", _wait)
    return waited


async def test_install_a_finished_download(
    provider: Provider, hy2scale: Node, waits: list[float]
) -> None:
    upgrade = hy2scale.state.upgrade
    upgrade.state, upgrade.latest = "ready", "1.3.5"

    await provider.install_upgrade(lambda _: None)

    assert hy2scale.state.version == "1.3.5"
    assert not hy2scale.calls_to("/api/upgrade/check")
    assert not hy2scale.calls_to("/api/upgrade/download")


async def test_a_failed_download(provider: Provider, hy2scale: Node, waits: list[float]) -> None:
    status = {"state": "error", "error": "disk full"}
    hy2scale.fault("/api/upgrade/status", "body", body=status, after=2)

    with pytest.raises(RejectedError, match="disk full"):
        await provider.install_upgrade(lambda _: None)

    assert hy2scale.state.version == "1.3.4"


async def test_a_download_that_never_ends(
    provider: Provider, hy2scale: Node, waits: list[float]
) -> None:
    hy2scale.state.download_rate = 0

    with pytest.raises(RejectedError, match="downloading"):
        await provider.install_upgrade(lambda _: None)

    assert sum(waits) == 1800


async def test_a_node_that_restarts_slowly(
    provider: Provider, hy2scale: Node, waits: list[float]
) -> None:
    hy2scale.fault("/api/node", "patch", patch={"version": "1.3.4"}, times=2)
    hy2scale.fault("/api/node", "status", status=502, times=6)

    await provider.install_upgrade(lambda _: None)

    # Twice the old version, six errors, an invalid token, and the new version.
    assert len(hy2scale.calls_to("/api/node")) == 10


async def test_a_proxy_in_front_of_a_restarting_node(
    provider: Provider, hy2scale: Node, waits: list[float]
) -> None:
    """It answers that there is no node."""
    hy2scale.fault("/api/login", "status", status=404, body="404 page not found\n", after=1)

    await provider.install_upgrade(lambda _: None)

    assert len(hy2scale.calls_to("/api/login")) == 3


async def test_a_node_that_does_not_restart(
    provider: Provider, hy2scale: Node, waits: list[float]
) -> None:
    hy2scale.fault("/api/node", "status", status=502, times=None)

    with pytest.raises(UnavailableError, match="timeout"):
        await provider.install_upgrade(lambda _: None)


# Queries


async def test_check_ports_by_protocol(provider: Provider) -> None:
    ports = [Port(port=53, protocol="tcp"), Port(port=53, protocol="udp")]

    assert await provider.check_ports(ports) == {ports[0]: True, ports[1]: False}
    free = [Port(port=23, protocol="udp")]
    assert await provider.check_ports(free) == {free[0]: True}, "the node answers with null"


async def test_link_history(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    """Since the connection was established; the oldest sample first."""
    hy2scale.drop("us")
    hy2scale.reconnect("us")
    freezer.tick(12)
    hy2scale.catch_up()

    link = await provider.link_history(Tunnel, "us")

    assert (link.connected, link.rebinds) == (True, 1)
    assert [sample.latency for sample in link.samples] == [43, 43]
    first, second = (sample.time for sample in link.samples)
    assert second - first == timedelta(seconds=5)
    assert second.replace(microsecond=0) == datetime.fromtimestamp(int(hy2scale.now()) - 2, UTC)


@pytest.mark.parametrize("history", [None, {}, [7, {"at": "soon", "ms": 3}, {"ms": 3}]])
async def test_link_history_with_missing_values(
    provider: Provider, hy2scale: Node, history: object
) -> None:
    hy2scale.fault("/api/diag/peer-rebinds", "body", body={"peers": [{"name": "us"}]})
    rows = [{"name": "us", "history": history}]
    hy2scale.fault("/api/diag/peer-latency", "body", body={"peers": rows})

    link = await provider.link_history(Tunnel, "us")

    assert (link.connected, link.rebinds, link.samples) == (True, None, ())


async def test_an_invalid_link_history(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/diag/peer-latency", "body", body={"us": []})

    with pytest.raises(UnavailableError) as info:
        await provider.link_history(Tunnel, "us")

    assert info.value.reason is Reason.MALFORMED


async def test_peers_of_an_incompatible_peer(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/peers/{name}/peers", "body", body=None)

    assert await provider.peers_of(Tunnel, "us") == ()


_HALF = {"us": None, "jp": {"x": 1}, "kr": {"x": 1, "y": "a"}}


async def test_a_layout_with_damaged_positions(provider: Provider, hy2scale: Node) -> None:
    layout = {"positions": {**_HALF, "sg": {"x": 1, "y": 2}}}
    hy2scale.fault("/api/graph-layout", "body", body=layout)

    assert await provider.graph_layout() == {"sg": Position(x=1.0, y=2.0)}


@pytest.mark.parametrize(
    "layout", [{"positions": None}, {"positions": []}, {"positions": _HALF}, {"status": "ok"}]
)
async def test_a_layout_without_positions(
    provider: Provider, hy2scale: Node, layout: object
) -> None:
    hy2scale.fault("/api/graph-layout", "body", body=layout)

    with pytest.raises(UnavailableError, match="no positions"):
        await provider.graph_layout()


@BOTH
async def test_an_ignored_layout(provider: Provider, hy2scale: Node) -> None:
    await provider.identify()
    hy2scale.fault("/api/graph-layout", "body", body={"status": "ok"}, after=1)

    await refused(provider.set_graph_layout({"us": Position(x=1.0, y=2.0)}), "not_taken")

    assert len(writes(hy2scale)) == 1


# HTTPS


@pytest.mark.parametrize("authority", ["mesh-ca", "web"])
async def test_a_custom_ca_certificate(
    session: ClientSession, hy2scale: Node, credentials: Credentials, authority: str
) -> None:
    hy2scale.state.ui.force_https, hy2scale.state.ui.https_cert_id = True, "web"
    await hy2scale.restart()
    https = {**credentials, "https": "true"}

    with pytest.raises(UnavailableError, match="tls"):
        await Hy2ScaleProvider(session, https, {}).identify()
    ca = hy2scale.state.certificates["default"].cert
    with pytest.raises(UnavailableError, match="tls"):
        await Hy2ScaleProvider(session, {**https, "ca": ca}, {}).identify()
    assert not hy2scale.calls, "no password is sent to an untrusted server"

    for trusting in ({"verify": "false"}, {"ca": hy2scale.state.certificates[authority].cert}):
        identity = await Hy2ScaleProvider(session, {**https, **trusting}, {}).identify()
        assert identity.id == "ea1b2adb"


# Secrets in errors


@pytest.mark.parametrize("secret", ["hub-password", "hash", "token", "new-password"])
async def test_no_secrets_in_errors(
    session: ClientSession, credentials: Credentials, hy2scale: Node, secret: str
) -> None:
    given = {**credentials, "password": "hub-password"}
    provider = Hy2ScaleProvider(session, given, {})
    await provider.identify()
    (token,) = hy2scale.state.tokens
    word = {"hash": hashed("hub-password"), "token": token}.get(secret, secret)
    body = f"who is {word}?"
    hy2scale.fault("/api/settings/password", "status", status=400, body=body)

    with pytest.raises(TunnelHubError) as info:
        await provider.update_account(AccountChanges(password="new-password"))

    assert str(info.value) == "who is **?"


@pytest.mark.parametrize(
    "server, path, key",
    [
        (VpnServer.L2TP, "/api/l2tp", "psk"),
        (VpnServer.WIREGUARD, "/api/wireguard", "private_key"),
    ],
)
async def test_keys_of_servers_are_not_lost(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService, server: VpnServer, path: str, key: str
) -> None:
    """Also if the node does not return them, because a write replaces the whole row."""
    hy2scale.fault(path, "patch", remove=[key], times=None)

    with pytest.raises(UnavailableError):
        await provider.set_server_enabled(server, enabled=False)

    assert not [call for call in hy2scale.calls_to(path) if call.method == "PUT"]


# Damaged rows are not written back


class Edit(NamedTuple):
    """A change that reads a row and writes all of it back.

    rows: where they are in the answer. needed: the fields of all versions. others: those that
    only some versions or rows have. generations: those that it applies to.
    """

    act: Callable[[Provider, Node], Awaitable[object]]
    route: str
    rows: str
    needed: str
    others: str = ""
    generations: tuple[str, ...] = ("1.3", "documented")


_DOCUMENTED = ("documented",)
_RULE = "name type targets enabled exit_via"
_RULE_OTHERS = "exit_paths exit_mode priority use_tun"
_USER = "username password enabled exit_via"
_USER_OTHERS = "exit_paths exit_mode proxy_passwords"
_PEER = "public_key private_key allowed_ips keepalive exit_via"
_PROXY_OTHERS = "exit_via exit_paths exit_mode tls_cert"


def _edit_a_user(provider: Provider, hy2scale: Node) -> Awaitable[object]:
    return provider.update(user_id(hy2scale, "bob"), UserUpdate(enabled=False))


def _edit_a_rule(provider: Provider, _: Node) -> Awaitable[object]:
    return provider.update("video", RuleUpdate(name="y"))


def _switch_shadowsocks(provider: Provider, _: Node) -> Awaitable[object]:
    return provider.set_enabled(Proxy, "ss", enabled=False)


def _switch_wireguard(provider: Provider, _: Node) -> Awaitable[object]:
    return provider.set_server_enabled(VpnServer.WIREGUARD, enabled=False)


EDITS = {
    "client": Edit(
        lambda p, _: p.update("us", ClientUpdate(server_name="y")),
        "clients",
        "*.",
        "addr password sni ca insecure max_rx max_tx",
        "addrs conn_mode disabled fast_open init_conn_window init_stream_window max_conn_window"
        " max_stream_window",
    ),
    "user": Edit(
        _edit_a_user, "users", "*.", f"{_USER} traffic_limit expiry_date", _USER_OTHERS, ("1.3",)
    ),
    "user, documented": Edit(
        _edit_a_user, "users", "*.", f"{_USER} traffic_limit_gb expiry", _USER_OTHERS, _DOCUMENTED
    ),
    "rule": Edit(_edit_a_rule, "rules", "rules.*.", _RULE, _RULE_OTHERS, ("1.3",)),
    "rule, documented": Edit(_edit_a_rule, "rules", "*.", _RULE, _RULE_OTHERS, _DOCUMENTED),
    "proxy": Edit(
        lambda p, _: p.update("socks5", ProxyUpdate(listen="127.0.0.1:1")),
        "proxies",
        "*.",
        "protocol listen enabled",
        f"{_PROXY_OTHERS} method",
    ),
    "ss": Edit(_switch_shadowsocks, "ss", "", "listen enabled method", _PROXY_OTHERS, ("1.3",)),
    "ss, documented": Edit(
        _switch_shadowsocks,
        "proxies",
        "*.",
        "protocol listen enabled method",
        _PROXY_OTHERS,
        _DOCUMENTED,
    ),
    "wireguard peer": Edit(
        lambda p, _: p.update("phone", WireGuardPeerUpdate(keepalive=3)),
        "wireguard",
        "peers.*.",
        _PEER,
        "exit_paths exit_mode",
    ),
    "l2tp": Edit(
        lambda p, _: p.set_server_enabled(VpnServer.L2TP, enabled=False),
        "l2tp",
        "",
        "enabled listen mtu pool proxy_port psk",
    ),
    "wireguard": Edit(
        _switch_wireguard, "wireguard", "", "address dns enabled listen_port mtu private_key"
    ),
    "wireguard's peers": Edit(
        _switch_wireguard, "wireguard", "peers.*.", f"name {_PEER}", "exit_paths exit_mode"
    ),
    "tun mode": Edit(
        lambda p, _: p.set_tun_mode("full"), "rules/tun-mode", "", "enabled mode", "", _DOCUMENTED
    ),
}


def _each_edit(wanted: Callable[[Edit], object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "generation, edit",
        [
            pytest.param(generation, edit, id=f"{name}, {generation}")
            for name, edit in EDITS.items()
            for generation in edit.generations
            if wanted(edit)
        ],
        indirect=["generation"],
    )


async def _is_refused(provider: Provider, hy2scale: Node, edit: Edit, **damage: Any) -> None:
    await provider.identify()
    hy2scale.fault(f"/api/{edit.route}", "patch", times=None, **damage)

    with pytest.raises(UnavailableError) as info:
        await edit.act(provider, hy2scale)

    assert info.value.reason is Reason.MALFORMED
    assert not writes(hy2scale)
    hy2scale.clear_faults()


async def _is_refused_if_damaged(provider: Provider, hy2scale: Node, edit: Edit, path: str) -> None:
    for value in (None, {"not": ["what", "was", "expected"]}, [None]):
        await _is_refused(provider, hy2scale, edit, patch={path: value})


@_each_edit(lambda edit: edit.needed)
async def test_a_damaged_row_is_not_written_back(
    provider: Provider, hy2scale: Node, edit: Edit
) -> None:
    """Missing, null or of the wrong type: the node would lose its value."""
    for field in edit.needed.split():
        await _is_refused(provider, hy2scale, edit, remove=[f"{edit.rows}{field}"])
        await _is_refused_if_damaged(provider, hy2scale, edit, f"{edit.rows}{field}")


@_each_edit(lambda edit: edit.others)
async def test_optional_fields_may_be_missing_but_not_damaged(
    provider: Provider, hy2scale: Node, edit: Edit
) -> None:
    for field in edit.others.split():
        await _is_refused_if_damaged(provider, hy2scale, edit, f"{edit.rows}{field}")
    for field in edit.others.split():
        hy2scale.fault(f"/api/{edit.route}", "patch", remove=[f"{edit.rows}{field}"])

        await edit.act(provider, hy2scale)

        assert field not in writes(hy2scale)[-1].body


@pytest.mark.parametrize("value", [{}, 7, [1, 2], ["phone"]])
async def test_invalid_peers_are_not_written_back(
    provider: Provider, hy2scale: Node, value: object
) -> None:
    await _is_refused(provider, hy2scale, EDITS["wireguard"], patch={"peers": value})


@BOTH
async def test_a_server_without_peers(provider: Provider, hy2scale: Node) -> None:
    """Its peers are null, which is not damaged."""
    hy2scale.state.wireguard.peers.clear()

    await provider.set_server_enabled(VpnServer.WIREGUARD, enabled=False)

    assert not hy2scale.state.wireguard.enabled


@_each_edit(lambda edit: not edit.rows.startswith("peers"))
async def test_unknown_fields_of_a_newer_version_are_written_back(
    provider: Provider, hy2scale: Node, edit: Edit
) -> None:
    unknown = {"of_tomorrow": None, "and_more": {"a": [1]}}
    patch = {f"{edit.rows}{name}": value for name, value in unknown.items()}
    hy2scale.fault(f"/api/{edit.route}", "patch", patch=patch, times=2)

    await edit.act(provider, hy2scale)

    (call,) = writes(hy2scale)
    assert {name: call.body.get(name, "not sent") for name in unknown} == unknown
