"""Force down: keeps tunnels offline, whatever their clients and other users do.

Each tunnel that the user forces down has a hold, which is stored before any request is sent. A
reconciler compares the hold with the state at the service and sends what is missing: at startup,
when the tunnel changes, and after a delay. All requests for a tunnel use one lock, so that a hold,
a release and the reconciler cannot interfere, even if the account is reloaded in the meantime.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
import logging
import random
from typing import TYPE_CHECKING, NotRequired, TypedDict

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .api.age import Stamp
from .api.capabilities import capable
from .api.capabilities.collections import CanEdit, can_toggle
from .api.capabilities.tunnels import CanForceDown
from .api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    TunnelHubError,
    UnavailableError,
)
from .api.models.tunnels import Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator
from .storage import EntryStore, File

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_INSTANCES: HassKey[dict[str, ForceDown]] = HassKey(f"{DOMAIN}.force_down")
"""By entry id."""

_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 1800.0
_QUIET = 3600.0
"""Seconds without an attempt after which delays are short again."""
_RETRY_JITTER = (0.5, 1.0)
"""Factors for a delay after a failure, so that tunnels are not retried at the same time."""
_LOADING = 10.0
"""Seconds to wait for an account that is being reloaded."""
_KEPT_WHILE_MISSING = timedelta(days=30)
"""A service that lists no tunnels for a while must not leave them disabled."""


class _StoredHold(TypedDict):
    was_enabled: bool | None
    releasing: NotRequired[bool]
    missing_since: NotRequired[str]


@dataclass(slots=True, kw_only=True, eq=False)
class _Hold:
    """The wanted state of a tunnel, and the progress towards it.

    was_enabled: the state to restore in the end; None if the service does not provide it.
    releasing: whether the hold was released, but the previous state is not restored yet.
    missing_since: since when the service has not listed the tunnel.
    disabled: whether force down has disabled the tunnel, for services that do not provide that.
    """

    was_enabled: bool | None
    releasing: bool = False
    missing_since: datetime | None = None
    disabled: bool = False
    pause: float = 0.0
    last_attempt: Stamp | None = None
    end_pause: CALLBACK_TYPE | None = None
    unsubscribe: CALLBACK_TYPE | None = None

    @classmethod
    def restore(cls, stored: _StoredHold) -> _Hold:
        """Create a hold from stored data, which may be from an older version."""
        missing_since = stored.get("missing_since")
        return cls(
            was_enabled=stored.get("was_enabled"),
            releasing=stored.get("releasing", False),
            missing_since=dt_util.parse_datetime(missing_since) if missing_since else None,
        )

    def as_stored(self) -> _StoredHold:
        """Return the data to store."""
        stored = _StoredHold(was_enabled=self.was_enabled)
        if self.releasing:
            stored["releasing"] = True
        if self.missing_since is not None:
            stored["missing_since"] = self.missing_since.isoformat()
        return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """The provider that sends the requests, while the account is loaded.

    toggle: the same provider, if it can disable tunnels.
    """

    entry: TunnelHubConfigEntry
    provider: CanForceDown
    toggle: CanEdit | None
    tunnels: FeedCoordinator


async def async_set_up_force_down(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    provider: CanForceDown,
    tunnels: FeedCoordinator,
) -> ForceDown:
    """Set up force down for an entry until it is unloaded."""
    instances = hass.data.setdefault(_INSTANCES, {})
    if (force_down := instances.get(entry.entry_id)) is None:
        force_down = ForceDown(hass, entry.entry_id)
        await force_down.async_load()
        instances[entry.entry_id] = force_down
    await force_down.async_connect(entry, provider, tunnels)
    return force_down


@callback
def async_end_force_down(hass: HomeAssistant, entry_id: str) -> None:
    """Store nothing more of an entry that is removed."""
    if (force_down := hass.data.get(_INSTANCES, {}).pop(entry_id, None)) is not None:
        force_down.async_remove()


class ForceDown:
    """Forces down the tunnels of one entry.

    Commands that are running when the account is unloaded continue: this object is then used again
    when the account is loaded the next time.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self._entry_id = entry_id
        self._store = EntryStore[dict[str, _StoredHold]](
            hass, entry_id, File.FORCE_DOWN, atomic_writes=True
        )
        self._is_removed = False
        self._service: _Service | None = None
        self._is_connected = asyncio.Event()
        self._holds: dict[str, _Hold] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._turns = 0

    # Loading and unloading

    async def async_load(self) -> None:
        """Load the stored holds."""
        for tunnel_id, stored in (await self._store.async_load() or {}).items():
            self._holds[tunnel_id] = _Hold.restore(stored)

    async def async_connect(
        self, entry: TunnelHubConfigEntry, provider: CanForceDown, tunnels: FeedCoordinator
    ) -> None:
        """Start to reconcile, immediately for tunnels that are listed."""
        toggle = capable(provider, CanEdit) if can_toggle(provider, Tunnel) else None
        self._service = _Service(entry=entry, provider=provider, toggle=toggle, tunnels=tunnels)
        self._is_connected.set()
        entry.async_on_unload(self._disconnect)
        await self._drop_missing(tunnels)
        for tunnel_id, hold in self._holds.items():
            self._watch(tunnel_id, hold)
        tunnels.subscriptions.on_gone.append(self._handle_gone)
        await tunnels.async_on_added(self._handle_added)

    async def _drop_missing(self, tunnels: FeedCoordinator) -> None:
        """Remove the holds of tunnels that have been missing for a long time."""
        oldest = dt_util.utcnow() - _KEPT_WHILE_MISSING
        dropped = [
            tunnel_id
            for tunnel_id, hold in self._holds.items()
            if tunnel_id not in tunnels.data
            and hold.missing_since is not None
            and hold.missing_since < oldest
        ]
        for tunnel_id in dropped:
            await self._drop(tunnel_id)

    @callback
    def _disconnect(self) -> None:
        """Stop sending, except for requests that are running."""
        self._service = None
        self._is_connected.clear()
        for hold in self._holds.values():
            _let_go(hold)
        self._end_if_unused()

    @callback
    def _end_if_unused(self) -> None:
        """Discard this object, unless a command is running."""
        instances = self._hass.data[_INSTANCES]
        if self._service is None and not self._turns and instances.get(self._entry_id) is self:
            del instances[self._entry_id]

    @callback
    def async_remove(self) -> None:
        """Stop storing the holds."""
        self._is_removed = True

    # Commands

    def holds(self, tunnel_id: str) -> bool:
        """Return whether the user forces a tunnel down."""
        hold = self._holds.get(tunnel_id)
        return hold is not None and not hold.releasing

    async def async_hold(self, tunnel_id: str) -> None:
        """Force a tunnel down until it is released.

        Raises the errors of api/. The hold is then only removed if the tunnel is certainly
        unchanged. It stays if that is uncertain, or if unloading interrupted the request.
        """
        async with self._locked(tunnel_id):
            if (hold := self._holds.get(tunnel_id)) is None:
                await self._begin(tunnel_id)
                return
            if hold.releasing:
                hold.releasing = False
                await self._save()
            if not _is_reconciled(tunnel_id, hold, await self._connected()):
                await self._push_down(tunnel_id, hold)

    async def async_release(self, tunnel_id: str) -> None:
        """Restore the previous state of a tunnel.

        Raises the errors of api/, and then keeps the hold.
        """
        async with self._locked(tunnel_id):
            if (hold := self._holds.get(tunnel_id)) is None:
                return
            hold.releasing = True
            _end_pause(hold)
            await self._save()
            try:
                await self._restore(tunnel_id, hold)
            except TunnelHubError as err:
                if not _is_interrupted(err):
                    hold.releasing = False
                    await self._save()
                raise

    async def async_forget(self, tunnel_id: str) -> None:
        """Remove the hold of a tunnel that the user has deleted."""
        async with self._locked(tunnel_id):
            await self._drop(tunnel_id)

    async def async_set_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Enable or disable a tunnel; raises the errors of api/.

        A held tunnel cannot be enabled. If it is disabled, it stays disabled after the release.
        """
        async with self._locked(tunnel_id):
            if enabled and self.holds(tunnel_id):
                raise InvalidInputError("held_down")
            toggle = capable((await self._connected()).toggle, CanEdit)
            await toggle.set_enabled(Tunnel, tunnel_id, enabled=enabled)
            if (hold := self._holds.get(tunnel_id)) is not None:
                hold.was_enabled = enabled
                await self._save()

    async def async_disconnect_client(self, tunnel_id: str) -> None:
        """Disconnect the client of a tunnel once; raises the errors of api/.

        If this requires disabling the tunnel for a moment, a releasing hold is stored first, so
        that the tunnel is enabled again in any case.
        """
        async with self._locked(tunnel_id):
            service = await self._connected()
            if (
                tunnel_id in self._holds
                or not service.provider.disables_to_disconnect
                or not await self._read_enabled(tunnel_id)
            ):
                await service.provider.force_tunnel_offline(tunnel_id)
                return
            hold = self._holds[tunnel_id] = _Hold(was_enabled=True, releasing=True)
            self._watch(tunnel_id, hold)
            await self._save()
            try:
                await (await self._connected()).provider.force_tunnel_offline(tunnel_id)
            except TunnelHubError:
                # If this fails, the reconciler enables it.
                if await self._read_enabled_if_possible(tunnel_id):
                    await self._drop(tunnel_id)
                raise
            await self._drop(tunnel_id)

    @asynccontextmanager
    async def _locked(self, tunnel_id: str) -> AsyncIterator[None]:
        """Hold the lock of a tunnel while sending requests, then reconcile."""
        self._turns += 1
        try:
            async with self._locks[tunnel_id]:
                was, service = self.holds(tunnel_id), self._service
                try:
                    yield
                finally:
                    # Entities that were added in the meantime may show a temporary state.
                    if self.holds(tunnel_id) != was or self._service is not service:
                        self._notify(tunnel_id)
        finally:
            self._turns -= 1
            self._end_if_unused()
            self._reconcile_if_idle(tunnel_id)

    @callback
    def _notify(self, tunnel_id: str) -> None:
        if self._service is not None:
            self._service.tunnels.async_notify(tunnel_id)

    async def _begin(self, tunnel_id: str) -> None:
        """Store a new hold, then disable and disconnect the tunnel."""
        service = await self._connected()
        was_enabled = _enabled(tunnel_id, service)
        if service.toggle is not None:
            # The known state may be a minute old, but is better than none.
            enabled = await self._read_enabled(tunnel_id)
            was_enabled = was_enabled if enabled is None else enabled
        hold = self._holds[tunnel_id] = _Hold(was_enabled=was_enabled)
        self._watch(tunnel_id, hold)
        await self._save()
        try:
            await self._push_down(tunnel_id, hold)
        except TunnelHubError as err:
            if _is_interrupted(err):
                raise
            had_effect = service.toggle is not None and await self._had_effect(tunnel_id, err)
            if had_effect:
                return
            if had_effect is False:
                await self._drop(tunnel_id)
            raise

    async def _had_effect(self, tunnel_id: str, err: TunnelHubError) -> bool | None:
        """Return whether a tunnel is disabled although the request failed; None: unknown."""
        if not isinstance(err, AuthenticationError | UnavailableError):
            return False
        enabled = await self._read_enabled_if_possible(tunnel_id)
        if enabled and isinstance(err, UnavailableError) and err.reason is Reason.TIMEOUT:
            # The service may still execute the request.
            return None
        return None if enabled is None else not enabled

    async def _restore(self, tunnel_id: str, hold: _Hold) -> None:
        """Restore the state before the hold, then remove the hold."""
        service = await self._connected()
        if service.toggle is not None:
            enabled = hold.was_enabled is not False
            hold.disabled = False
            try:
                await service.toggle.set_enabled(Tunnel, tunnel_id, enabled=enabled)
            except UnavailableError:
                if await self._read_enabled_if_possible(tunnel_id) is not enabled:
                    raise
            self._publish_enabled(tunnel_id, enabled=enabled)
        await self._drop(tunnel_id)

    async def _drop(self, tunnel_id: str) -> None:
        if (hold := self._holds.pop(tunnel_id, None)) is not None:
            _let_go(hold)
            await self._save()

    # The reconciler

    @callback
    def _reconcile_if_idle(self, tunnel_id: str) -> None:
        """Reconcile a tunnel, unless a request is running or was sent a moment ago."""
        hold, service = self._holds.get(tunnel_id), self._service
        if (
            hold is None
            or service is None
            or self._hass.is_stopping
            or hold.end_pause is not None
            or self._locks[tunnel_id].locked()
            or _is_reconciled(tunnel_id, hold, service)
        ):
            return
        service.entry.async_create_background_task(
            self._hass, self._reconcile(tunnel_id), f"{DOMAIN} force down {tunnel_id}"
        )

    async def _reconcile(self, tunnel_id: str) -> None:
        try:
            async with self._locked(tunnel_id):
                hold, service = self._holds.get(tunnel_id), await self._connected()
                if hold is None or _is_reconciled(tunnel_id, hold, service):
                    return
                if hold.releasing:
                    with self._attempt(tunnel_id, hold, service):
                        await self._restore(tunnel_id, hold)
                else:
                    await self._push_down(tunnel_id, hold)
                    await service.tunnels.async_probe(tunnel_id)
        except TunnelHubError as err:
            _LOGGER.debug("Tunnel %s not forced down this time: %s", tunnel_id, err)

    async def _push_down(self, tunnel_id: str, hold: _Hold) -> None:
        """Disable a tunnel and disconnect its client; if it cannot be disabled, only the latter.

        If the client could not be disconnected, this is tried again when it is found online.
        """
        service = await self._connected()
        with self._attempt(tunnel_id, hold, service):
            if service.toggle is None:
                await service.provider.force_tunnel_offline(tunnel_id)
                return
            hold.disabled = False
            await service.toggle.set_enabled(Tunnel, tunnel_id, enabled=False)
            hold.disabled = True
            self._publish_enabled(tunnel_id, enabled=False)
            with suppress(TunnelHubError):
                await service.provider.force_tunnel_offline(tunnel_id)

    @contextmanager
    def _attempt(self, tunnel_id: str, hold: _Hold, service: _Service) -> Iterator[None]:
        """Wait after an attempt, longer each time, and then reconcile again."""
        try:
            yield
        except Exception:
            self._pause(tunnel_id, hold, service, random.uniform(*_RETRY_JITTER))
            raise
        self._pause(tunnel_id, hold, service, 1.0)

    @callback
    def _pause(self, tunnel_id: str, hold: _Hold, service: _Service, share: float) -> None:
        """Wait for a part of the delay, unless the account was unloaded in the meantime."""
        _end_pause(hold)
        if service is not self._service or hold is not self._holds.get(tunnel_id):
            return
        recent = hold.last_attempt is not None and hold.last_attempt.age < _QUIET
        hold.pause = min(2 * hold.pause, _LONGEST_PAUSE) if recent else _FIRST_PAUSE
        hold.last_attempt = Stamp.now()

        @callback
        def _end(_: datetime) -> None:
            hold.end_pause = None
            self._reconcile_if_idle(tunnel_id)

        job = HassJob(_end, f"{DOMAIN} force down {tunnel_id}", cancel_on_shutdown=True)
        hold.end_pause = async_call_later(self._hass, share * hold.pause, job)

    # Tunnels that the service adds and removes

    @callback
    def _handle_added(self, tunnel_id: str) -> None:
        """Reconcile a tunnel that is listed for the first time, or again."""
        self._note_missing(tunnel_id, since=None)
        self._reconcile_if_idle(tunnel_id)

    @callback
    def _handle_gone(self, tunnel_id: str) -> None:
        """Keep the hold for some time, because a service may list no tunnels for a while."""
        self._note_missing(tunnel_id, since=dt_util.utcnow())

    @callback
    def _note_missing(self, tunnel_id: str, *, since: datetime | None) -> None:
        hold, service = self._holds.get(tunnel_id), self._service
        if hold is None or service is None or (hold.missing_since is None) == (since is None):
            return
        hold.missing_since = since
        service.entry.async_create_task(self._hass, self._save(), f"{DOMAIN} missing {tunnel_id}")

    # State

    @callback
    def _watch(self, tunnel_id: str, hold: _Hold) -> None:
        """Subscribe to the tunnel, which also keeps it polled and probed."""
        if self._service is not None and hold.unsubscribe is None:
            hold.unsubscribe = self._service.tunnels.async_watch(
                tunnel_id, partial(self._reconcile_if_idle, tunnel_id)
            )

    async def _read_enabled(self, tunnel_id: str) -> bool | None:
        """Read whether a tunnel is enabled; raises the errors of api/."""
        while True:
            service = await self._connected()
            try:
                await service.tunnels.async_read_now()
            except TunnelHubError:
                if service is self._service:
                    raise
            if service is self._service:
                return _enabled(tunnel_id, service)

    async def _read_enabled_if_possible(self, tunnel_id: str) -> bool | None:
        try:
            return await self._read_enabled(tunnel_id)
        except TunnelHubError:
            return None

    async def _connected(self) -> _Service:
        """Return the provider; while the account is reloaded, wait for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOADING):
                await self._is_connected.wait()
        if self._service is None:
            raise UnavailableError(Reason.CLOSED)
        return self._service

    @callback
    def _publish_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Show the result of a command, also if the account was reloaded in the meantime."""
        if self._service is not None:
            self._service.tunnels.async_assume(tunnel_id, enabled=enabled)

    async def _save(self) -> None:
        """Store the holds, even if the caller is cancelled."""
        if not self._is_removed:
            holds = {tunnel_id: hold.as_stored() for tunnel_id, hold in self._holds.items()}
            await asyncio.shield(self._hass.async_create_task(self._store.async_save(holds)))


def _is_interrupted(err: TunnelHubError) -> bool:
    """Return whether unloading ended a request, which the next load continues."""
    return isinstance(err, UnavailableError) and err.reason is Reason.CLOSED


def _tunnel(tunnel_id: str, service: _Service) -> Tunnel | None:
    tunnel = service.tunnels.data.get(tunnel_id)
    return tunnel if isinstance(tunnel, Tunnel) else None


def _enabled(tunnel_id: str, service: _Service) -> bool | None:
    tunnel = _tunnel(tunnel_id, service)
    return None if tunnel is None else tunnel.enabled


def _is_reconciled(tunnel_id: str, hold: _Hold, service: _Service) -> bool:
    """Return whether a tunnel has the wanted state, or is not listed."""
    if (tunnel := _tunnel(tunnel_id, service)) is None:
        return True
    if hold.releasing or tunnel.online:
        return False
    enabled = not hold.disabled if tunnel.enabled is None else tunnel.enabled
    return service.toggle is None or not enabled


def _let_go(hold: _Hold) -> None:
    """Unsubscribe from the tunnel and cancel its delay."""
    _end_pause(hold)
    if hold.unsubscribe is not None:
        hold.unsubscribe()
        hold.unsubscribe = None


def _end_pause(hold: _Hold) -> None:
    if hold.end_pause is not None:
        hold.end_pause()
        hold.end_pause = None
