"""Calls that several providers share."""

from typing import Any

from custom_components.tunnel_hub.api.errors import RejectedError, UnsupportedError
from custom_components.tunnel_hub.api.models.tunnels import TunnelUpdate

from .providers import Ask


def tunnel_calls(new: TunnelUpdate, changes: TunnelUpdate) -> dict[str, Ask]:
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


def ignore_rejection(ask: Ask) -> Ask:
    """Returns a call that ignores the rejection, which is parsed nevertheless."""

    async def _ask(provider: Any) -> object:
        try:
            return await ask(provider)
        except RejectedError, UnsupportedError:
            return None

    return _ask
