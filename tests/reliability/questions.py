"""What can be asked of each provider, one row for every request whose answer is read."""

from collections.abc import Awaitable, Callable, Mapping
import json
from typing import Any, cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.provider import (
    AccountChanges,
    Captcha,
    Subdomain,
    TunnelDraft,
)

type Ask = Callable[[Any], Awaitable[object]]
"""Asks a provider; Any, because each row knows which one it is for."""

_CAPTCHA = Captcha(lot_number="1", captcha_output="2", pass_token="3", gen_time="4")
_NAME = Subdomain(domain="frp.example", record="home", ttl="10m")


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
            TunnelDraft(name="new", protocol="tcp", local_port=1, remote_port=20001, node="1"),
            TunnelDraft(local_port=2, node="1"),
        ),
        "app_version": lambda provider: provider.app_version("fabric", "1.21", "mod"),
        "create_subdomain": lambda provider: provider.create_subdomain(
            Subdomain(domain="frp.example", record="new", type="A", target="192.0.2.1")
        ),
        "delete_subdomain": lambda provider: provider.delete_subdomain(_NAME),
        "domains": lambda provider: provider.domains(),
        "force_all_offline": lambda provider: provider.force_all_offline(),
        "node_details": lambda provider: provider.node_details("1"),
        "node_history": _node_history,
        "refresh_tunnel": lambda provider: provider.refresh_tunnel("1"),
        "reset_token": lambda provider: provider.reset_token("123456"),
        "send_code": lambda provider: provider.send_code(),
        "sign_in_with_captcha": lambda provider: provider.sign_in_with_captcha(_CAPTCHA),
        "subdomains": lambda provider: provider.subdomains(),
        "traffic_history": lambda provider: provider.traffic_history(),
        "traffic_history of a tunnel": lambda provider: provider.traffic_history("1"),
        "update_account": lambda provider: provider.update_account(AccountChanges(contact="1")),
        "update_subdomain": lambda provider: provider.update_subdomain(_NAME),
    },
}


def questions_for(key: str) -> dict[str, Ask]:
    """Return all that can be asked of a provider."""

    def reading(feed: str) -> Ask:
        return lambda asked: asked.feeds[feed].fetch()

    # It sends nothing, so it needs no session to tell what feeds it has.
    feeds = create_provider(key, cast("ClientSession", None), {"token": "any"}, {}).feeds
    return {
        "identify": lambda asked: asked.identify(),
        **{f"feed {feed}": reading(feed) for feed in feeds},
        **COMMANDS[key],
    }
