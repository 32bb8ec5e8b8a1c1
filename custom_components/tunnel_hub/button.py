"""Buttons."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory

from .api.capabilities import capable
from .api.capabilities.account import CanSignIn
from .api.capabilities.mesh import MeshNode
from .api.capabilities.nodes import CanAskNodes
from .api.capabilities.tunnels import CanForceDown, CanInspectTunnels
from .api.models.account import Account
from .api.models.base import Resource
from .api.models.mesh import User, UserSessions
from .api.models.tunnels import Tunnel
from .entity import (
    Table,
    TunnelHubEntity,
    TunnelHubEntityDescription,
    async_setup_table,
    is_editable,
)
from .force_down import ForceDown
from .runtime import TunnelHubData
from .sign_in import SignIn

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TunnelHubButtonDescription(TunnelHubEntityDescription, ButtonEntityDescription):
    """Describes a button.

    press_fn: sends its command, with the id of the resource.
    """

    of_field: bool = False
    press_fn: Callable[[TunnelHubData, str], Awaitable[object]]


async def _sign_in(data: TunnelHubData, _: str) -> None:
    await capable(data.sign_in, SignIn).async_sign_in()


async def _force_offline(data: TunnelHubData, tunnel_id: str) -> None:
    await capable(data.force_down, ForceDown).async_disconnect_client(tunnel_id)


async def _refresh(data: TunnelHubData, tunnel_id: str) -> None:
    await capable(data.provider, CanInspectTunnels).check_tunnel(tunnel_id)


async def _kick_sessions(data: TunnelHubData, user_id: str) -> None:
    await capable(data.provider, MeshNode).kick_sessions(user_id)


async def _reset_traffic(data: TunnelHubData, user_id: str) -> None:
    await capable(data.provider, MeshNode).reset_traffic(user_id)


BUTTONS: Table[TunnelHubButtonDescription] = {
    Account: (TunnelHubButtonDescription(key="sign_in", needs=(CanSignIn,), press_fn=_sign_in),),
    Tunnel: (
        TunnelHubButtonDescription(
            key="force_offline",
            needs=(CanForceDown,),
            of_resource=is_editable,
            press_fn=_force_offline,
        ),
        TunnelHubButtonDescription(
            key="refresh",
            entity_category=EntityCategory.DIAGNOSTIC,
            needs=(CanAskNodes, CanInspectTunnels),
            press_fn=_refresh,
        ),
    ),
    User: (
        TunnelHubButtonDescription(
            key="reset_traffic",
            entity_category=EntityCategory.CONFIG,
            needs=(MeshNode,),
            press_fn=_reset_traffic,
        ),
    ),
    UserSessions: (
        TunnelHubButtonDescription(key="kick_sessions", needs=(MeshNode,), press_fn=_kick_sessions),
    ),
}


class TunnelHubButton(TunnelHubEntity[Resource, TunnelHubButtonDescription], ButtonEntity):
    """A button that sends a command."""

    entity_description: TunnelHubButtonDescription

    @override
    async def async_press(self) -> None:
        async with self._command() as data:
            await self.entity_description.press_fn(data, self._id)


async_setup_entry = partial(async_setup_table, BUTTONS, TunnelHubButton)
