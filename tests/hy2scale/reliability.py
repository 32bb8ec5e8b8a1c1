"""HY2 SCALE's cases for the reliability tests."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import date
import json
from typing import Any

from custom_components.tunnel_hub.api.models.account import AccountChanges
from custom_components.tunnel_hub.api.models.certificates import (
    CertificateImport,
    NewCertificate,
    SignedCertificate,
)
from custom_components.tunnel_hub.api.models.mesh import (
    ClientUpdate,
    Link,
    Peer,
    Port,
    Position,
    Proxy,
    ProxyUpdate,
    Rule,
    RuleUpdate,
    User,
    UserUpdate,
    VpnServer,
    WireGuardPeerUpdate,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from simulator.hy2scale import hashed

from ..reliability.names import HOST
from ..reliability.providers import (
    AnyService,
    Case,
    Limits,
    Outcome,
    Reliability,
    ResourceChanges,
    Trouble,
    UserAction,
    Value,
    Variant,
    another,
    press,
    turn,
    with_settings,
)
from ..reliability.tunnel_calls import ignore_rejection

_USER = "3624c88c"

_ALICE = "user:be3c9804"


def _secrets(service: AnyService) -> set[str | None]:
    state = service.state
    return {
        "hub-password",
        state.password_hash,
        hashed("hub-password"),
        "password-of-new",
        state.server.password,
        state.l2tp.psk,
        state.ikev2.psk,
        state.wireguard.private_key,
        *state.tokens,
        *(client.password for client in state.clients.values()),
        *(user.password for user in state.users.values()),
        *(word for user in state.users.values() for word in user.proxy_passwords.values()),
        *(peer.private_key for peer in state.wireguard.peers),
        *(certificate.key for certificate in state.certificates.values()),
    }


_NULL = frozenset({"JSON: null"})
"""A valid answer of a node without rows. The row to delete does not exist any more."""

_RULE = {
    "id": "new",
    "name": "New",
    "type": "ip",
    "targets": ["2001:db8::/32"],
    "exit_paths": ["us"],
}


def _select(thing: str, key: str, option: str) -> UserAction:
    return UserAction("select_option", thing, {"option": option}, domain="select", key=key)


HY2SCALE = Case(
    name="hy2scale",
    service="hy2scale",
    credentials=lambda service: {
        "host": HOST,
        "port": service.url.rpartition(":")[2],
        "base_path": service.state.ui.base_path,
        "https": "false",
        "verify": "true",
        "username": "admin",
        "password_hash": hashed("hub-password"),
    },
    account=lambda service: service.state.node_id,
    ways={
        "hy2scale": lambda service: {
            "host": HOST,
            "port": int(service.url.rpartition(":")[2]),
            "https": False,
            "username": "admin",
            "password": "hub-password",
            "advanced": {"base_path": service.state.ui.base_path, "verify": True},
        },
    },
    steady=(
        Value("switch", "tunnel:us", "enabled"),
        Value("sensor", "hub:account", "version"),
        Value("switch", "proxy:http", "enabled"),
    ),
    user_actions=(
        turn("off", "tunnel:jp", "enabled"),
        UserAction("get_latency_history", "tunnel:us"),
        UserAction("create_rule", data=_RULE),
        _select(_ALICE, "exit_path", "jp"),
        turn("on", "tunnel:jp", "enabled"),
        turn("on", "tunnel:jp", "force_down"),
        replace(
            turn("off", "tunnel:jp", "force_down"), after=turn("on", "tunnel:jp", "force_down")
        ),
        turn("off", "proxy:socks5", "enabled"),
        turn("off", _ALICE, "enabled"),
        turn("off", "hub:account", "exit_node"),
        turn("off", "link:us", "nested"),
        turn("off", "vpn:account", "l2tp_enabled"),
        turn("off", "wireguard:account", "wireguard_enabled"),
        press("tunnel:kr", "force_offline"),
        press(_ALICE, "reset_traffic"),
        press(f"user_sessions:{_ALICE.partition(':')[2]}", "kick_sessions"),
        UserAction("kick_session", _ALICE),
        UserAction("check_ports", data={"ports": ["22/tcp"]}),
        UserAction("describe_node"),
        # The documented layout has no positions.
        UserAction("get_graph_layout", answers=frozenset({"JSON: an empty object"})),
        UserAction("set_graph_layout", data={"positions": {"us": {"x": 1, "y": 2}}}),
        UserAction("get_peers", "tunnel:us", answers=_NULL),
        UserAction("resolve_name", data={"name": "example.com"}),
        UserAction("get_wireguard_config", "wireguard_peer:phone"),
        UserAction("generate_certificate", data={"id": "own", "domains": ["own.example.com"]}),
        UserAction("get_certificate", data={"id": "web"}),
        UserAction(
            "sign_certificate",
            data={"id": "signed", "authority": "mesh-ca", "host": "signed.example.com"},
        ),
        UserAction("delete_certificate", data={"id": "web"}, answers=_NULL),
        UserAction(
            "create_client",
            data={
                "name": "new",
                "addresses": ["new.example.com:5565"],
                "password": "password-of-new",
            },
        ),
        UserAction("update_client", "tunnel:kr", {"max_rate_in": 100}),
        UserAction("update_user", _ALICE, {"traffic_limit": 2}),
        UserAction("update_wireguard_peer", "wireguard_peer:laptop", {"address": "10.0.0.77/32"}),
        UserAction("delete_client", "tunnel:sg"),
        UserAction("delete_rule", "rule:games", answers=_NULL),
    ),
    secrets=_secrets,
    envelope=frozenset({"token"}),
    ids=frozenset({"id", "name", "node_id"}),
    elsewhere=lambda service: setattr(service.state, "node_id", "another-node"),
    troubles={
        "token expired": Trouble(
            begin=lambda service: service.state.tokens.clear(), outcome=Outcome.HEALED
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("*", "status", after=1, status=401),
            outcome=Outcome.HEALED,
        ),
        "password changed": Trouble(
            begin=lambda service: service.set_password("changed-password"),
            end=lambda service: service.set_password("hub-password"),
            outcome=Outcome.REFUSED,
        ),
    },
)


async def _link_history(provider: Any) -> object:
    history = await provider.link_history(Tunnel, "us")
    return history, *history.samples


async def _kick_sessions(provider: Any) -> object:
    # The time counts from now and is not part of the answer.
    return (await provider.kick_sessions(_USER)).keys


async def _node_description(provider: Any) -> str:
    return json.dumps(await provider.describe_node())


async def _sizes(answers: Awaitable[bytes]) -> str:
    return f"{len(await answers)}"


def _end_peer(service: AnyService) -> None:
    service.state.peers["us"].online = False


def _measure(service: AnyService) -> None:
    """Increase the counters of sessions, and change latencies."""
    for session in service.state.sessions.values():
        session.tx_bytes += 1000
        session.rx_bytes += 5000
        session.conn_count += 1
    for peer in service.state.peers.values():
        if peer.latency_ms > 0:
            peer.latency_ms += 1


RELIABILITY = Reliability(
    cases=(HY2SCALE,),
    variants={
        "hy2scale": Variant(HY2SCALE),
        "hy2scale-documented": Variant(
            HY2SCALE, base="hy2scale", prepare=with_settings(generation="documented")
        ),
    },
    resource_changes=ResourceChanges(
        kind="user",
        rows=lambda service: service.state.users,
        add=lambda service, n: another(
            service.state.users, f"user{n}", id=f"user{n}", username=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.users[id_], "username", f"other{n}"),
        end_tokens=lambda service: service.state.tokens.clear(),
        daily=False,
    ),
    commands={
        "backup": lambda provider: _sizes(provider.backup()),
        "certificate_pem": lambda provider: provider.certificate_pem("web"),
        "check_ports": lambda provider: provider.check_ports([Port(port=22, protocol="tcp")]),
        "create a client": lambda provider: provider.create(
            ClientUpdate(name="new", addresses=("new.example.com:5565",), password="of-new")
        ),
        "create a proxy": lambda provider: provider.create(
            ProxyUpdate(id="new", protocol="socks5", listen="127.0.0.1:1081")
        ),
        "create a rule": lambda provider: provider.create(
            RuleUpdate(
                id="new", name="New", type="ip", targets=("192.0.2.0/24",), exit_paths=("us",)
            )
        ),
        "create a user": lambda provider: provider.create(
            UserUpdate(name="new", password="of-new", expires=date(2030, 1, 1))
        ),
        "create a WireGuard peer": lambda provider: provider.create(
            WireGuardPeerUpdate(name="new", address="10.0.0.99/32")
        ),
        "delete a client": lambda provider: provider.delete(Tunnel, "us"),
        "delete a user": lambda provider: provider.delete(User, _USER),
        "delete_certificate": lambda provider: provider.delete_certificate("web"),
        "describe_node": _node_description,
        "force_tunnel_offline": lambda provider: provider.force_tunnel_offline("us"),
        "generate_certificate": lambda provider: provider.generate_certificate(
            NewCertificate(id="new", domains=["new.example.com"])
        ),
        "graph_layout": lambda provider: provider.graph_layout(),
        "import_certificate": ignore_rejection(
            lambda provider: provider.import_certificate(
                CertificateImport(id="new", certificate_path="/new.crt", key_path="/new.key")
            )
        ),
        "kick_sessions": _kick_sessions,
        "latencies": lambda provider: provider.latencies(),
        "link_history": _link_history,
        "peers_of": lambda provider: provider.peers_of(Tunnel, "us"),
        "reset_traffic": lambda provider: provider.reset_traffic(_USER),
        "resolve_name": lambda provider: provider.resolve_name("example.com"),
        "select_exit": lambda provider: provider.select_exit(User, _USER, "us"),
        "set_enabled of a peer": lambda provider: provider.set_enabled(
            Peer, "us/us-r1", enabled=False
        ),
        "set_enabled of a proxy": lambda provider: provider.set_enabled(Proxy, "ss", enabled=True),
        "set_enabled of a rule": lambda provider: provider.set_enabled(Rule, "games", enabled=True),
        "set_exit_node": lambda provider: provider.set_exit_node(enabled=False),
        "set_graph_layout": lambda provider: provider.set_graph_layout(
            {"us": Position(x=1.0, y=2.0)}
        ),
        "set_peer_nested": lambda provider: provider.set_peer_nested(Link, "us", nested=True),
        "set_server_enabled": lambda provider: provider.set_server_enabled(
            VpnServer.L2TP, enabled=False
        ),
        "set_tun_mode": ignore_rejection(lambda provider: provider.set_tun_mode("mixed")),
        "set_enabled of a tunnel": lambda provider: provider.set_enabled(
            Tunnel, "us", enabled=False
        ),
        "sign_certificate": lambda provider: provider.sign_certificate(
            SignedCertificate(id="signed", authority="mesh-ca", host="signed.example.com")
        ),
        "update a user": lambda provider: provider.update(_USER, UserUpdate(name="changed")),
        "update a WireGuard peer": lambda provider: provider.update(
            "laptop", WireGuardPeerUpdate(address="10.0.0.77/32")
        ),
        "update_account": lambda provider: provider.update_account(
            AccountChanges(password="changed-password")
        ),
        "wireguard_config": lambda provider: provider.wireguard_config("phone"),
        "wireguard_qr": lambda provider: _sizes(provider.wireguard_qr("phone")),
    },
    limits=Limits(700, 15, Value("binary_sensor", "tunnel:us", "online"), _end_peer),
    measure=_measure,
)
