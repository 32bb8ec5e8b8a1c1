"""Holding tunnels down, whatever their clients try.

A held tunnel is disabled, where the service can do that, and its client thrown off. It is
thrown off again whenever it is found online, less and less often the more it insists. What
is held, and how it was before, is stored at once: it survives a restart and a power cut.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
import logging
import time
from typing import TypedDict

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store

from .api.errors import TunnelHubError
from .api.provider import CanForceDown, CanToggleTunnels
from .api.resource import Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator, Interest, TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_STORAGE_VERSION = 1
_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 1800.0
_FORGET_AFTER = 3600.0
"""Seconds of quiet after which an insistent client counts as a new one."""


class _StoredHold(TypedDict):
    was_enabled: bool


@dataclass(slots=True, kw_only=True)
class _Hold:
    """One held tunnel. was_enabled: to be restored at the end."""

    was_enabled: bool
    unwatch: CALLBACK_TYPE
    kicks: int = 0
    last_kick: float = 0.0
    end_pause: CALLBACK_TYPE | None = None


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, _StoredHold]]:
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}")


async def async_forget(hass: HomeAssistant, entry_id: str) -> None:
    """Remove what is stored for an entry."""
    await _store(hass, entry_id).async_remove()


class ForceDown:
    """The tunnels that one entry holds down."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: CanForceDown,
        tunnels: FeedCoordinator,
    ) -> None:
        """Hold nothing yet."""
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._toggle = provider if isinstance(provider, CanToggleTunnels) else None
        self._tunnels = tunnels
        self._store = _store(hass, entry.entry_id)
        self._held: dict[str, _Hold] = {}

    async def async_load(self) -> None:
        """Go on holding what was held before the restart."""
        for tunnel_id, stored in (await self._store.async_load() or {}).items():
            self._watch(tunnel_id, was_enabled=stored["was_enabled"])
        self._tunnels.async_on_gone(self._forget)
        self._entry.async_on_unload(self._stop)

    def holds(self, tunnel_id: str) -> bool:
        """Tell whether a tunnel is held down."""
        return tunnel_id in self._held

    async def async_hold(self, tunnel_id: str) -> None:
        """Begin to hold a tunnel down; raises the api's errors, and then holds nothing."""
        if tunnel_id in self._held:
            return
        tunnel = self._tunnel(tunnel_id)
        self._watch(tunnel_id, was_enabled=bool(tunnel and tunnel.enabled))
        self._begin_pause(tunnel_id)
        await self._save()
        try:
            await self._push_down(tunnel_id)
        except TunnelHubError:
            self._drop([tunnel_id])
            await self._save()
            raise

    async def async_release(self, tunnel_id: str) -> None:
        """Let a tunnel be as it was before; raises the api's errors, and then goes on holding."""
        if (hold := self._held.get(tunnel_id)) is None:
            return
        if hold.was_enabled and self._toggle is not None:
            await self._toggle.set_tunnel_enabled(tunnel_id, enabled=True)
            self._publish_enabled(tunnel_id, enabled=True)
        self._drop([tunnel_id])
        await self._save()

    async def _push_down(self, tunnel_id: str) -> None:
        """Disable and throw off. Once disabled, a failed throw is made up for after the pause."""
        if self._toggle is None:
            await self._provider.force_tunnel_offline(tunnel_id)
            return
        await self._toggle.set_tunnel_enabled(tunnel_id, enabled=False)
        self._publish_enabled(tunnel_id, enabled=False)
        with suppress(TunnelHubError):
            await self._provider.force_tunnel_offline(tunnel_id)

    # Watching

    @callback
    def _watch(self, tunnel_id: str, *, was_enabled: bool) -> None:
        """Listen to a tunnel's online state, which also keeps it polled."""

        @callback
        def _look() -> None:
            self._look(tunnel_id)

        unwatch = self._tunnels.async_add_listener(
            _look, Interest(tunnel_id, "online", insists=True)
        )
        self._held[tunnel_id] = _Hold(was_enabled=was_enabled, unwatch=unwatch)

    @callback
    def _look(self, tunnel_id: str) -> None:
        """Throw a tunnel off that is found online, unless that was done a moment ago."""
        hold, tunnel = self._held.get(tunnel_id), self._tunnel(tunnel_id)
        if hold is None or hold.end_pause or tunnel is None or not tunnel.online:
            return
        self._begin_pause(tunnel_id)
        self._entry.async_create_background_task(
            self._hass, self._kick(tunnel_id), f"{DOMAIN} hold down {tunnel_id}"
        )

    @callback
    def _begin_pause(self, tunnel_id: str) -> None:
        """Count a throw, and look again after a pause that is longer each time."""
        hold, now = self._held[tunnel_id], time.monotonic()
        hold.kicks = hold.kicks + 1 if now - hold.last_kick < _FORGET_AFTER else 1
        hold.last_kick = now

        @callback
        def _end_pause(_: datetime) -> None:
            hold.end_pause = None
            self._look(tunnel_id)

        pause = min(_FIRST_PAUSE * 2 ** (hold.kicks - 1), _LONGEST_PAUSE)
        hold.end_pause = async_call_later(self._hass, pause, _end_pause)

    async def _kick(self, tunnel_id: str) -> None:
        try:
            await self._push_down(tunnel_id)
            await self._tunnels.async_probe(tunnel_id)
        except TunnelHubError as err:
            _LOGGER.debug("Tunnel %s not held down this time: %s", tunnel_id, err)

    # Bookkeeping

    def _tunnel(self, tunnel_id: str) -> Tunnel | None:
        tunnel = self._tunnels.data.get(tunnel_id)
        return tunnel if isinstance(tunnel, Tunnel) else None

    @callback
    def _publish_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        if (tunnel := self._tunnel(tunnel_id)) is not None:
            self._tunnels.async_publish(replace(tunnel, enabled=enabled))

    @callback
    def _drop(self, tunnel_ids: Iterable[str]) -> None:
        """Hold these no longer."""
        for tunnel_id in tunnel_ids:
            if (hold := self._held.pop(tunnel_id, None)) is not None:
                hold.unwatch()
                if hold.end_pause:
                    hold.end_pause()

    @callback
    def _forget(self, tunnel_id: str) -> None:
        """Hold no longer, not even after a restart, what the service has deleted."""
        if tunnel_id in self._held:
            self._drop([tunnel_id])
            self._entry.async_create_task(self._hass, self._save(), f"{DOMAIN} forget")

    @callback
    def _stop(self) -> None:
        """Stop watching, but keep what is stored."""
        self._drop(list(self._held))

    async def _save(self) -> None:
        await self._store.async_save(
            {
                tunnel_id: _StoredHold(was_enabled=hold.was_enabled)
                for tunnel_id, hold in self._held.items()
            }
        )
