"""What several providers can be asked alike."""

from typing import Any

from custom_components.tunnel_hub.api.errors import RejectedError, UnsupportedError
from custom_components.tunnel_hub.api.models.tunnels import TunnelUpdate

from .providers import Ask


def of_tunnels(new: TunnelUpdate, changes: TunnelUpdate) -> dict[str, Ask]:
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


def refused(ask: Ask) -> Ask:
    """Ask what the service refuses here, so that the refusal is read."""

    async def _ask(provider: Any) -> object:
        try:
            return await ask(provider)
        except RejectedError, UnsupportedError:
            return None

    return _ask
