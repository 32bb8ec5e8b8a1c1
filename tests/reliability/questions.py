"""What can be asked of each provider, one row for every request whose answer is read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
import json
from typing import Any, cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.directory import (
    PUBLIC_NODES,
    CheckTarget,
    NodeConnection,
    NodeDraft,
    NodeReport,
    Region,
)
from custom_components.tunnel_hub.api.errors import RejectedError, UnsupportedError
from custom_components.tunnel_hub.api.mesh import Link, Peer, Proxy, Rule, User
from custom_components.tunnel_hub.api.mesh_provider import (
    CertificateImport,
    ClientDraft,
    Port,
    Position,
    ProxyDraft,
    RuleDraft,
    UserDraft,
    VpnServer,
    WireGuardPeerDraft,
)
from custom_components.tunnel_hub.api.provider import (
    AccountChanges,
    Captcha,
    Subdomain,
    TunnelDraft,
)
from custom_components.tunnel_hub.api.resource import Tunnel

type Ask = Callable[[Any], Awaitable[object]]
"""Asks a provider; Any, because each row knows which one it is for."""

_CAPTCHA = Captcha(lot_number="1", captcha_output="2", pass_token="3", gen_time="4")
_NAME = Subdomain(domain="frp.example", record="home", ttl="10m")
_USER = "3624c88c"
_TARGET = CheckTarget(
    address="tcp://198.18.0.2:11010",
    network_name="demo-network",
    network_secret="demo-network-secret",
)


def _of_tunnels(new: TunnelDraft, changes: TunnelDraft) -> dict[str, Ask]:
    return {
        "check_tunnel": lambda provider: provider.check_tunnel("1"),
        "create_tunnel": lambda provider: provider.create_tunnel(new),
        "delete_tunnel": lambda provider: provider.delete_tunnel("1"),
        "force_tunnel_offline": lambda provider: provider.force_tunnel_offline("1"),
        "node_names": lambda provider: provider.node_names(),
        "tunnel_config": lambda provider: provider.tunnel_config(tunnel_id="1", file_format=None),
        "tunnel_config of a node": lambda provider: provider.tunnel_config(
            node_id="1", file_format=None
        ),
        "update_tunnel": lambda provider: provider.update_tunnel("1", changes),
    }


async def _node_history(provider: Any) -> object:
    samples = await provider.node_history("1", provider.history_fields, None, None)
    return tuple(json.dumps(sample) for sample in samples)


def _refused(ask: Ask) -> Ask:
    """Ask what the service refuses here, so that the refusal is read."""

    async def _ask(provider: Any) -> object:
        try:
            return await ask(provider)
        except RejectedError, UnsupportedError:
            return None

    return _ask


async def _link_history(provider: Any) -> object:
    history = await provider.link_history(Tunnel, "us")
    return history, *history.samples


async def _kick_sessions(provider: Any) -> object:
    # It counts from now, which is not in the answer.
    return (await provider.kick_sessions(_USER)).keys


async def _node_description(provider: Any) -> str:
    return json.dumps(await provider.describe_node())


async def _sizes(answers: Awaitable[bytes]) -> str:
    return f"{len(await answers)}"


async def _problems(provider: Any) -> object:
    await provider.feeds["nodes"].fetch()
    return tuple(problem.placeholders["nodes"] for problem in provider.problems())


async def _proposed_nodes(provider: Any) -> object:
    proposed = await provider.query_nodes()
    return *proposed, *(each.node for each in proposed)


COMMANDS: Mapping[str, Mapping[str, Ask]] = {
    "hayfrp": {
        **_of_tunnels(
            TunnelDraft(name="new", protocol="tcp", local_port=1, remote_port=2, node="1"),
            TunnelDraft(name="changed"),
        ),
        "downloads": lambda provider: provider.downloads(),
        "reset_token": lambda provider: provider.reset_token(),
        "set_tunnel_enabled": lambda provider: provider.set_tunnel_enabled("1", enabled=False),
        "sign_in": lambda provider: provider.sign_in(),
    },
    "chmlfrp": {
        **_of_tunnels(
            TunnelDraft(name="new", protocol="tcp", local_port=1, remote_port=20631, node="1"),
            TunnelDraft(local_port=2, node="1"),
        ),
        "app_version": _refused(lambda provider: provider.app_version("fabric", "1.21", "mod")),
        "create_subdomain": lambda provider: provider.create_subdomain(
            Subdomain(domain="frp.example", record="new", type="A", target="192.0.2.1")
        ),
        "delete_subdomain": lambda provider: provider.delete_subdomain(_NAME),
        "domains": lambda provider: provider.domains(),
        "force_all_offline": lambda provider: provider.force_all_offline(),
        "node_details": lambda provider: provider.node_details("1"),
        "node_history": _node_history,
        "refresh_tunnel": lambda provider: provider.refresh_tunnel("1"),
        "reset_token": _refused(lambda provider: provider.reset_token("123456")),
        "send_code": lambda provider: provider.send_code(),
        "sign_in_with_captcha": lambda provider: provider.sign_in_with_captcha(_CAPTCHA),
        "subdomains": lambda provider: provider.subdomains(),
        "traffic_history": lambda provider: provider.traffic_history(),
        "traffic_history of a tunnel": lambda provider: provider.traffic_history("1"),
        "update_account": lambda provider: provider.update_account(AccountChanges(contact="1")),
        "update_subdomain": lambda provider: provider.update_subdomain(_NAME),
    },
    "hy2scale": {
        "backup": lambda provider: _sizes(provider.backup()),
        "certificate_pem": lambda provider: provider.certificate_pem("web"),
        "check_ports": lambda provider: provider.check_ports([Port(port=22, protocol="tcp")]),
        "create a client": lambda provider: provider.create(
            ClientDraft(name="new", addresses=("new.example.com:5565",), password="of-new")
        ),
        "create a proxy": lambda provider: provider.create(
            ProxyDraft(id="new", protocol="socks5", listen="127.0.0.1:1081")
        ),
        "create a rule": lambda provider: provider.create(
            RuleDraft(
                id="new", name="New", type="ip", targets=("192.0.2.0/24",), exit_paths=("us",)
            )
        ),
        "create a user": lambda provider: provider.create(
            UserDraft(name="new", password="of-new", expires=date(2030, 1, 1))
        ),
        "create a WireGuard peer": lambda provider: provider.create(
            WireGuardPeerDraft(name="new", address="10.0.0.99/32")
        ),
        "delete a client": lambda provider: provider.delete(Tunnel, "us"),
        "delete a user": lambda provider: provider.delete(User, _USER),
        "delete_certificate": lambda provider: provider.delete_certificate("web"),
        "describe_node": _node_description,
        "force_tunnel_offline": lambda provider: provider.force_tunnel_offline("us"),
        "generate_certificate": lambda provider: provider.generate_certificate(
            "new", ["new.example.com"], name=None, days=None, is_ca=False
        ),
        "graph_layout": lambda provider: provider.graph_layout(),
        "import_certificate": _refused(
            lambda provider: provider.import_certificate(
                CertificateImport(id="new", certificate_path="/new.crt", key_path="/new.key")
            )
        ),
        "kick_sessions": _kick_sessions,
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
        "set_tun_mode": _refused(lambda provider: provider.set_tun_mode("mixed")),
        "set_tunnel_enabled": lambda provider: provider.set_tunnel_enabled("us", enabled=False),
        "sign_certificate": lambda provider: provider.sign_certificate(
            "signed", "mesh-ca", "signed.example.com", name=None, days=None
        ),
        "update a user": lambda provider: provider.update(_USER, UserDraft(name="changed")),
        "update a WireGuard peer": lambda provider: provider.update(
            "laptop", WireGuardPeerDraft(address="10.0.0.77/32")
        ),
        "update_account": lambda provider: provider.update_account(
            AccountChanges(password="changed-password")
        ),
        "wireguard_config": lambda provider: provider.wireguard_config("phone"),
        "wireguard_qr": lambda provider: _sizes(provider.wireguard_qr("phone")),
    },
    "easytier": {
        "check_node": lambda provider: provider.check_node("1"),
        "check_targets": lambda provider: provider.check_targets([_TARGET]),
        "create_node": lambda provider: provider.create_node(
            NodeDraft(
                name="new",
                region=Region.OVERSEAS,
                connections=(NodeConnection(type="tcp", host="192.0.2.7", port=11010),),
            )
        ),
        "delete_node": lambda provider: provider.delete_node("1"),
        "problems": _problems,
        "public_node_names": lambda provider: provider.public_node_names(),
        "query_nodes": _proposed_nodes,
        "regenerate_report_token": lambda provider: provider.regenerate_report_token("1"),
        "report_node": lambda provider: provider.report_node(
            "1", NodeReport(online=True, bandwidth=1, traffic=1, connections=1)
        ),
        "reset_token": lambda provider: provider.reset_token(),
        "set_allow_relay": lambda provider: provider.set_allow_relay("1", allowed=False),
        "update_node": lambda provider: provider.update_node("1", NodeDraft(tags=("x",))),
    },
}


OPTIONS = {PUBLIC_NODES: ["1", "9"]}
"""Of a node manager; the others take no notice."""

_ANYWHERE = {"base_url": "http://127.0.0.1", "host": "127.0.0.1", "email": "any", "token": "any"}


def questions_for(key: str) -> dict[str, Ask]:
    """Return all that can be asked of a provider."""

    def reading(feed: str) -> Ask:
        return lambda asked: asked.feeds[feed].fetch()

    # It sends nothing, so it needs no session to tell what feeds it has.
    feeds = create_provider(key, cast("ClientSession", None), _ANYWHERE, OPTIONS).feeds
    return {
        "identify": lambda asked: asked.identify(),
        **{f"feed {feed}": reading(feed) for feed in feeds},
        **COMMANDS[key],
    }
