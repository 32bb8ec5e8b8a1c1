"""What works where."""

from collections.abc import Collection, Mapping

from custom_components.tunnel_hub.api.capabilities.account import (
    CanRegister,
    CanRegisterWithMail,
    CanSignIn,
)
from custom_components.tunnel_hub.api.capabilities.directory import CanEditNodes
from custom_components.tunnel_hub.api.capabilities.mesh import (
    CanConfigureWireGuardPeers,
    CanEditMesh,
    CanGetLinkHistory,
)
from custom_components.tunnel_hub.api.capabilities.nodes import CanGetNodeHistory
from custom_components.tunnel_hub.api.capabilities.tunnels import (
    CanEditTunnels,
    CanForceDown,
    CanGetTunnelConfig,
    CanToggleTunnels,
)

from .markdown import table
from .services import Service
from .words import Language, word

_COMPARED: Mapping[str, tuple[type, ...]] = {
    "Enable and disable tunnels": (CanToggleTunnels,),
    "Force tunnels down": (CanForceDown,),
    "Create, update and delete": (CanEditTunnels, CanEditMesh, CanEditNodes),
    "Automatic daily sign-in": (CanSignIn,),
    "Client configuration files": (CanGetTunnelConfig, CanConfigureWireGuardPeers),
    "History": (CanGetNodeHistory, CanGetLinkHistory),
    "Create an account during setup": (CanRegister, CanRegisterWithMail),
}
"""What a service may offer, by any of these capabilities."""


def comparison(services: Collection[Service], language: Language) -> str:
    """Return what each service can do, and how much of it there is."""
    rows: list[list[str]] = [
        ["", *(service.provider.description.name for service in services)],
        *(
            [
                word(language, what),
                *("✓" if isinstance(s.provider, capabilities) else "" for s in services),
            ]
            for what, capabilities in _COMPARED.items()
        ),
        [word(language, "Entity types"), *(str(len(s.entities)) for s in services)],
        [word(language, "Actions"), *(str(len(s.actions)) for s in services)],
    ]
    return table(rows[0], rows[1:])
