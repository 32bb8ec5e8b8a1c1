"""Force down: keeps tunnels offline, whatever their clients and other people do.

Each tunnel that the user forces down has a hold, which is stored before anything is sent. A
reconciler compares the hold with the tunnel as the service shows it and sends what is missing:
at startup, when the tunnel changes, and after a pause. All requests for a tunnel are sent under
one lock, so that a hold, a release and the reconciler cannot overtake each other, not even when
the account is loaded again meanwhile.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
import logging
import random
from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store
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
from .api.models.base import Resource
from .api.models.tunnels import Tunnel
from .const import DOMAIN

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_INSTANCES: HassKey[dict[str, ForceDown]] = HassKey(f"{DOMAIN}.force_down")
"""By entry id."""

_STORAGE_VERSION = 1
_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 1800.0
_QUIET = 3600.0
"""Seconds without an attempt after which pauses are short again."""
_RETRY_JITTER = (0.5, 1.0)
"""Shares of a pause after a failure, so that many tunnels do not try again in step."""
_LOADING = 10.0
"""Seconds in which an account that is loaded again is expected back."""
_KEPT_WHILE_MISSING = timedelta(days=30)
"""A service that lists no tunnels for a while must not leave them disabled."""


class TunnelFeed(Protocol):
    """What is needed of the feed of tunnels; FeedCoordinator describes it."""

    @property
    def data(self) -> Mapping[str, Resource]:
        """Return the tunnels by id."""

    async def async_on_added(self, listener: Callable[[str], None]) -> None:
        """Hear of new tunnels, first of those that are there."""

    def async_on_gone(self, listener: Callable[[str], None]) -> None:
        """Subscribe to tunnels that are no longer listed."""

    def async_watch(self, resource_id: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear of one tunnel, and have its online state read whatever else is known of it."""

    def async_notify(self, resource_id: str) -> None:
        """Update the entities of a tunnel."""

    def async_assume(self, resource_id: str, *, enabled: bool) -> None:
        """Show what a command has changed until the tunnels are read again."""

    async def async_probe(self, resource_id: str) -> None:
        """Read whether a tunnel is online."""

    async def async_read_now(self) -> None:
        """Poll the tunnels."""


class _StoredHold(TypedDict):
    was_enabled: bool | None
    releasing: NotRequired[bool]
    missing_since: NotRequired[str]


@dataclass(slots=True, kw_only=True, eq=False)
class _Hold:
    """What is wanted of one tunnel, and what was done for it.

    was_enabled: how to leave the tunnel in the end; None if the service does not tell.
    releasing: the user no longer wants it down, but it is not yet as it was.
    missing_since: since when the service does not list the tunnel.
    disabled: whether we have disabled it, for a service that does not tell.
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
        """Return a hold that was stored, perhaps by an older version."""
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
    """What requests are sent with, for as long as the account is loaded.

    toggle: the provider again, if it can disable tunnels.
    """

    entry: TunnelHubConfigEntry
    provider: CanForceDown
    toggle: CanEdit | None
    tunnels: TunnelFeed


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, _StoredHold]]:
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


async def async_set_up_force_down(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, provider: CanForceDown, tunnels: TunnelFeed
) -> ForceDown:
    """Return what forces down the tunnels of an entry, until it is unloaded."""
    instances = hass.data.setdefault(_INSTANCES, {})
    if (force_down := instances.get(entry.entry_id)) is None:
        force_down = ForceDown(hass, entry.entry_id)
        await force_down.async_load()
        instances[entry.entry_id] = force_down
    await force_down.async_connect(entry, provider, tunnels)
    return force_down


async def async_remove_force_down(hass: HomeAssistant, entry_id: str) -> None:
    """Remove all that is known of an entry's holds."""
    if (force_down := hass.data.get(_INSTANCES, {}).pop(entry_id, None)) is not None:
        force_down.async_remove()
    await _store(hass, entry_id).async_remove()


class ForceDown:
    """The tunnels of one entry that are forced down.

    When the account is unloaded, commands under way carry on: this object then serves the account
    again when it is loaded the next time.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self._entry_id = entry_id
        self._store = _store(hass, entry_id)
        self._is_removed = False
        self._service: _Service | None = None
        self._is_connected = asyncio.Event()
        self._holds: dict[str, _Hold] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._turns = 0

    # Life

    async def async_load(self) -> None:
        """Load the stored holds."""
        for tunnel_id, stored in (await self._store.async_load() or {}).items():
            self._holds[tunnel_id] = _Hold.restore(stored)

    async def async_connect(
        self, entry: TunnelHubConfigEntry, provider: CanForceDown, tunnels: TunnelFeed
    ) -> None:
        """Begin to reconcile, at once where a tunnel is listed."""
        toggle = capable(provider, CanEdit) if can_toggle(provider, Tunnel) else None
        self._service = _Service(entry=entry, provider=provider, toggle=toggle, tunnels=tunnels)
        self._is_connected.set()
        entry.async_on_unload(self._disconnect)
        await self._drop_missing(tunnels)
        for tunnel_id, hold in self._holds.items():
            self._watch(tunnel_id, hold)
        tunnels.async_on_gone(self._handle_gone)
        await tunnels.async_on_added(self._handle_added)

    async def _drop_missing(self, tunnels: TunnelFeed) -> None:
        """Drop the holds of tunnels that have been missing for long."""
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
        """Begin with what is stored the next time, unless something is under way."""
        instances = self._hass.data[_INSTANCES]
        if self._service is None and not self._turns and instances.get(self._entry_id) is self:
            del instances[self._entry_id]

    @callback
    def async_remove(self) -> None:
        """Stop storing."""
        self._is_removed = True

    # Commands

    def holds(self, tunnel_id: str) -> bool:
        """Return whether the user wants a tunnel to be down."""
        hold = self._holds.get(tunnel_id)
        return hold is not None and not hold.releasing

    async def async_hold(self, tunnel_id: str) -> None:
        """Force a tunnel down until it is released.

        Raises the api's errors. The hold is then given up if the tunnel is surely as it was;
        if that cannot be known, or unloading interrupted it, the hold stays.
        """
        async with self._turn(tunnel_id):
            if (hold := self._holds.get(tunnel_id)) is None:
                await self._begin(tunnel_id)
                return
            if hold.releasing:
                hold.releasing = False
                await self._save()
            if not _is_reconciled(tunnel_id, hold, await self._connected()):
                await self._push_down(tunnel_id, hold)

    async def async_release(self, tunnel_id: str) -> None:
        """Leave a tunnel as it was before; raises the api's errors, and then keeps the hold."""
        async with self._turn(tunnel_id):
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
        """Give up the hold of a tunnel that the user has deleted."""
        async with self._turn(tunnel_id):
            await self._drop(tunnel_id)

    async def async_set_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Enable or disable a tunnel; raises the api's errors.

        A held tunnel cannot be enabled. One that is disabled meanwhile stays so afterwards.
        """
        async with self._turn(tunnel_id):
            if enabled and self.holds(tunnel_id):
                raise InvalidInputError("held_down")
            toggle = capable((await self._connected()).toggle, CanEdit)
            await toggle.set_enabled(Tunnel, tunnel_id, enabled=enabled)
            if (hold := self._holds.get(tunnel_id)) is not None:
                hold.was_enabled = enabled
                await self._save()

    async def async_disconnect_client(self, tunnel_id: str) -> None:
        """Disconnect a tunnel's client once; raises the api's errors.

        Where the tunnel is disabled for a moment, a hold in release is stored meanwhile, so that it
        is enabled again whatever happens.
        """
        async with self._turn(tunnel_id):
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
                # Otherwise the reconciler enables it.
                if await self._read_enabled_if_possible(tunnel_id):
                    await self._drop(tunnel_id)
                raise
            await self._drop(tunnel_id)

    @asynccontextmanager
    async def _turn(self, tunnel_id: str) -> AsyncIterator[None]:
        """Send requests for a tunnel while nobody else does, then look what is left to do."""
        self._turns += 1
        try:
            async with self._locks[tunnel_id]:
                was, service = self.holds(tunnel_id), self._service
                try:
                    yield
                finally:
                    # Entities that were added meanwhile may show what was so for a moment.
                    if self.holds(tunnel_id) != was or self._service is not service:
                        self._notify(tunnel_id)
        finally:
            self._turns -= 1
            self._end_if_unused()
            self._look(tunnel_id)

    @callback
    def _notify(self, tunnel_id: str) -> None:
        if self._service is not None:
            self._service.tunnels.async_notify(tunnel_id)

    async def _begin(self, tunnel_id: str) -> None:
        """Store a new hold, then push the tunnel down."""
        service = await self._connected()
        was_enabled = _enabled(tunnel_id, service)
        if service.toggle is not None:
            # What is known may be a minute old, and is still better than a row without the field.
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
        """Find out whether a tunnel was disabled although the request failed; None: unknown."""
        if not isinstance(err, AuthenticationError | UnavailableError):
            return False
        enabled = await self._read_enabled_if_possible(tunnel_id)
        if enabled and isinstance(err, UnavailableError) and err.reason is Reason.TIMEOUT:
            # The service may still be at it.
            return None
        return None if enabled is None else not enabled

    async def _restore(self, tunnel_id: str, hold: _Hold) -> None:
        """Leave a tunnel as it was before the hold, then drop the hold."""
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
    def _look(self, tunnel_id: str) -> None:
        """Reconcile a tunnel, unless something is being sent for it or was a moment ago."""
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
            async with self._turn(tunnel_id):
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
        """Disable a tunnel and disconnect its client; where it cannot be disabled, only the latter.

        A client that could not be disconnected is disconnected when it is found online.
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
        """Pause after an attempt, longer each time, and then look again."""
        try:
            yield
        except Exception:
            self._pause(tunnel_id, hold, service, random.uniform(*_RETRY_JITTER))
            raise
        self._pause(tunnel_id, hold, service, 1.0)

    @callback
    def _pause(self, tunnel_id: str, hold: _Hold, service: _Service, share: float) -> None:
        """Pause for a share of the time that is due, unless the account was unloaded meanwhile."""
        _end_pause(hold)
        if service is not self._service or hold is not self._holds.get(tunnel_id):
            return
        recent = hold.last_attempt is not None and hold.last_attempt.age < _QUIET
        hold.pause = min(2 * hold.pause, _LONGEST_PAUSE) if recent else _FIRST_PAUSE
        hold.last_attempt = Stamp.now()

        @callback
        def _end(_: datetime) -> None:
            hold.end_pause = None
            self._look(tunnel_id)

        job = HassJob(_end, f"{DOMAIN} force down {tunnel_id}", cancel_on_shutdown=True)
        hold.end_pause = async_call_later(self._hass, share * hold.pause, job)

    # What comes and goes at the service

    @callback
    def _handle_added(self, tunnel_id: str) -> None:
        """Reconcile a tunnel that is listed now, or again."""
        self._note_missing(tunnel_id, since=None)
        self._look(tunnel_id)

    @callback
    def _handle_gone(self, tunnel_id: str) -> None:
        """Keep a hold for some time: a service may list nothing for a while."""
        self._note_missing(tunnel_id, since=dt_util.utcnow())

    @callback
    def _note_missing(self, tunnel_id: str, *, since: datetime | None) -> None:
        hold, service = self._holds.get(tunnel_id), self._service
        if hold is None or service is None or (hold.missing_since is None) == (since is None):
            return
        hold.missing_since = since
        service.entry.async_create_task(self._hass, self._save(), f"{DOMAIN} missing {tunnel_id}")

    # Bookkeeping

    @callback
    def _watch(self, tunnel_id: str, hold: _Hold) -> None:
        """Hear of the tunnel, which also keeps it polled and checked."""
        if self._service is not None and hold.unsubscribe is None:
            hold.unsubscribe = self._service.tunnels.async_watch(
                tunnel_id, partial(self._look, tunnel_id)
            )

    async def _read_enabled(self, tunnel_id: str) -> bool | None:
        """Ask the service whether a tunnel is enabled; raises the api's errors."""
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
        """Return what requests are sent with; wait for it while the account is loaded again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOADING):
                await self._is_connected.wait()
        if self._service is None:
            raise UnavailableError(Reason.CLOSED)
        return self._service

    @callback
    def _publish_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Show what was done, also if the account was loaded again meanwhile."""
        if self._service is not None:
            self._service.tunnels.async_assume(tunnel_id, enabled=enabled)

    async def _save(self) -> None:
        """Store the holds, even if the caller is cancelled meanwhile."""
        if not self._is_removed:
            holds = {tunnel_id: hold.as_stored() for tunnel_id, hold in self._holds.items()}
            await asyncio.shield(self._hass.async_create_task(self._store.async_save(holds)))


def _is_interrupted(err: TunnelHubError) -> bool:
    """Tell whether unloading ended a request: it is carried on when the account is loaded again."""
    return isinstance(err, UnavailableError) and err.reason is Reason.CLOSED


def _tunnel(tunnel_id: str, service: _Service) -> Tunnel | None:
    tunnel = service.tunnels.data.get(tunnel_id)
    return tunnel if isinstance(tunnel, Tunnel) else None


def _enabled(tunnel_id: str, service: _Service) -> bool | None:
    tunnel = _tunnel(tunnel_id, service)
    return None if tunnel is None else tunnel.enabled


def _is_reconciled(tunnel_id: str, hold: _Hold, service: _Service) -> bool:
    """Tell whether a tunnel is as wanted, as far as is known; one that is not listed is."""
    if (tunnel := _tunnel(tunnel_id, service)) is None:
        return True
    if hold.releasing or tunnel.online:
        return False
    enabled = not hold.disabled if tunnel.enabled is None else tunnel.enabled
    return service.toggle is None or not enabled


def _let_go(hold: _Hold) -> None:
    """Listen to the tunnel no more, and wait for nothing."""
    _end_pause(hold)
    if hold.unsubscribe is not None:
        hold.unsubscribe()
        hold.unsubscribe = None


def _end_pause(hold: _Hold) -> None:
    if hold.end_pause is not None:
        hold.end_pause()
        hold.end_pause = None
