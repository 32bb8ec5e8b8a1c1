"""Generates the table that compares services."""

from collections.abc import Callable, Collection, Mapping

from custom_components.tunnel_hub.api.capabilities.account import (
    CanGetTrafficHistory,
    CanRegister,
    CanSignIn,
)
from custom_components.tunnel_hub.api.capabilities.collections import CanEdit, can_toggle
from custom_components.tunnel_hub.api.capabilities.mesh import MeshNode
from custom_components.tunnel_hub.api.capabilities.nodes import CanAskNodes
from custom_components.tunnel_hub.api.capabilities.tunnels import CanForceDown, CanInspectTunnels
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.api.provider import Provider

from .markdown import table
from .services import Service
from .words import Language, word

_COMPARED: Mapping[str, tuple[type, ...] | Callable[[Provider], bool]] = {
    "Enable and disable tunnels": lambda provider: can_toggle(provider, Tunnel),
    "Force tunnels down": (CanForceDown,),
    "Create, update and delete": (CanEdit,),
    "Automatic daily sign-in": (CanSignIn,),
    "Client configuration files": (CanInspectTunnels, MeshNode),
    "History": (CanAskNodes, CanGetTrafficHistory, MeshNode),
    "Create an account during setup": (CanRegister,),
}
"""Features, by capabilities or by the resources that provide them."""


def comparison(services: Collection[Service], language: Language) -> str:
    """Returns the features of each service."""
    rows: list[list[str]] = [
        ["", *(service.description.name for service in services)],
        *(
            [
                word(language, what),
                *("✓" if s.can(capabilities) else "" for s in services),
            ]
            for what, capabilities in _COMPARED.items()
        ),
        [word(language, "Entity types"), *(str(len(s.entities)) for s in services)],
        [word(language, "Actions"), *(str(len(s.actions)) for s in services)],
    ]
    return table(rows[0], rows[1:])
