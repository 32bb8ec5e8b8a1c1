"""Tunnel Hub: tunnel services in Home Assistant."""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from .account_identity import duplicate_account, update_identity
from .api import create_provider
from .api.capabilities.account import CanSignIn
from .api.capabilities.mesh import MeshNode
from .api.capabilities.nodes import CanChooseNodes
from .api.capabilities.tunnels import CanForceDown
from .api.feed import Feed
from .api.models.account import Account
from .api.models.base import Resource
from .api.models.mesh import Hub
from .api.models.tunnels import Tunnel
from .api.provider import Provider
from .browsers_and_automations import DataConsumers
from .const import CONF_PROVIDER, DOMAIN
from .coordinator import FeedCoordinator, async_follow_clock, too_many_resources
from .credentials import CredentialStore
from .dashboard import async_setup_dashboard
from .devices import Devices, registered_resources
from .force_down import async_end_force_down, async_set_up_force_down
from .forecast import forecasts
from .graph_layout import LayoutFollower
from .history import HistoryImporter, async_forget as async_forget_history
from .ids import ACCOUNT, device_key_of
from .issues import EntryIssues, clear_all
from .mesh_view import async_setup_mesh_view
from .migrations import async_adopt, async_migrate_entry as async_migrate_entry
from .node_suggestions import NodeSuggestions
from .reachability import AddressChecks, TunnelChecks, async_forget_checks
from .runtime import TunnelHubConfigEntry, TunnelHubData
from .sentences import async_setup_sentences
from .services import async_setup_services
from .sign_in import SignIn
from .storage import async_remove_files, async_restore_memory
from .uptime import async_follow_uptimes
from .watched_addresses import WatchedAddresses, WatchedChecks, is_watched

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]

_SESSION: HassKey[ClientSession] = HassKey(f"{DOMAIN}.session")
_OPTIONS: HassKey[dict[str, Mapping[str, Any]]] = HassKey(f"{DOMAIN}.options")
"""The options that each entry was last set up with."""

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what is independent of config entries: actions, dashboard, WebSocket and Assist."""
    # All entries share the session, because aiohttp fails if it is closed during a request.
    hass.data[_OPTIONS] = {}
    hass.data[_SESSION] = async_create_clientsession(hass, cookie_jar=DummyCookieJar())
    async_setup_services(hass)
    async_setup_mesh_view(hass)
    await async_setup_dashboard(hass)
    async_setup_sentences(hass)
    return True


async def _async_provider(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> Provider:
    """Return the provider of an entry's account."""
    if is_watched(entry):
        return WatchedAddresses()
    credentials = CredentialStore(hass, entry)
    provider = create_provider(
        entry.data[CONF_PROVIDER],
        hass.data[_SESSION],
        await credentials.async_load(),
        entry.options,
    )
    provider.on_credentials = credentials.async_save
    provider.on_identity = partial(update_identity, hass, entry)
    return provider


async def async_setup_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Set up the account of a config entry."""
    async_adopt(hass, entry)
    provider = await _async_provider(hass, entry)
    entry.async_on_unload(provider.close)
    await async_restore_memory(hass, entry.entry_id, provider)
    issues = EntryIssues(hass, entry, provider)
    coordinators: dict[str, FeedCoordinator] = {}
    data = TunnelHubData(
        provider=provider,
        issues=issues,
        coordinators=coordinators,
        history=HistoryImporter(hass, entry, provider, coordinators),
    )
    issues.sources.append(partial(too_many_resources, data.coordinators.values()))
    consumers = DataConsumers(hass, entry)
    issues.sources.append(partial(duplicate_account, hass, entry, provider))

    def _coordinate(feed: Feed[Resource]) -> FeedCoordinator:
        coordinator = data.coordinators[feed.key] = FeedCoordinator(
            hass,
            entry,
            provider,
            feed,
            siblings=data.coordinators,
            consumers=consumers,
            on_read=data.sync_issues,
        )
        return coordinator

    for feed in provider.feeds.values():
        _coordinate(feed)
    known = registered_resources(hass, entry)
    options_changed = hass.data[_OPTIONS].get(entry.entry_id, entry.options) != entry.options
    devices = Devices(hass, entry, data)

    def _start(coordinator: FeedCoordinator) -> Coroutine[Any, Any, None]:
        resource = coordinator.feed.resource
        before = known[resource.kind]
        chosen_anew = options_changed and coordinator.feed.chosen
        return coordinator.async_start(
            before.ids,
            is_wanted=chosen_anew or before.is_wanted(resource),
            chosen_anew=chosen_anew,
        )

    in_order = sorted(data.coordinators.values(), key=lambda c: not c.feed.required)
    # Required feeds first: without them, the entry cannot be set up.
    await asyncio.gather(*map(_start, in_order[:1]))
    await asyncio.gather(*map(_start, in_order[1:]))
    if (checks := _checks(hass, entry, data)) is not None:
        data.checks = checks
        issues.sources.append(checks.issues)
    data.node_suggestions = _node_suggestions(provider, checks)
    if checks is not None and checks.is_enabled:
        await _start(checks.async_follow(_coordinate(checks.feed)))

    for feed in forecasts(hass, entry, data.coordinators):
        await _start(_coordinate(feed))

    devices.async_remove_unknown()
    for coordinator in data.coordinators.values():
        await devices.async_follow(coordinator)
        await _set_up_features(hass, entry, data, coordinator)

    entry.runtime_data = data
    hass.data[_OPTIONS][entry.entry_id] = entry.options
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    async_follow_clock(hass, entry, data.coordinators.values())
    if data.sign_in is not None:
        await data.sign_in.async_start()
    await data.history.async_start()
    if data.checks is not None:
        async_follow_uptimes(hass, entry, data.checks)
    return True


async def _set_up_features(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    data: TunnelHubData,
    coordinator: FeedCoordinator,
) -> None:
    """Set up the features of Tunnel Hub itself: force down, sign-in, checks, history."""
    provider = data.provider
    if coordinator.feed.resource is Tunnel and isinstance(provider, CanForceDown):
        data.force_down = await async_set_up_force_down(hass, entry, provider, coordinator)
    if coordinator.feed.resource is Account and isinstance(provider, CanSignIn):
        data.sign_in = SignIn(hass, entry, provider, coordinator, data.issues)
    if coordinator.feed.resource is Hub and isinstance(provider, MeshNode):
        data.layout = LayoutFollower(hass, provider)


@callback
def _checks(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, data: TunnelHubData
) -> AddressChecks | None:
    """Return what checks the addresses of an entry, or None if it has no addresses to check."""
    if isinstance(data.provider, WatchedAddresses):
        return WatchedChecks(hass, entry)
    tunnels = next((c for c in data.coordinators.values() if c.feed.resource is Tunnel), None)
    return None if tunnels is None else TunnelChecks(hass, entry, data.provider, tunnels)


@callback
def _node_suggestions(provider: Provider, checks: AddressChecks | None) -> NodeSuggestions | None:
    """Return what suggests nodes, or None if the service does not list its nodes."""
    if isinstance(provider, CanChooseNodes) and isinstance(checks, TunnelChecks):
        return NodeSuggestions(provider, checks.async_connect)
    return None


async def async_unload_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Unload the account of a config entry."""
    # Otherwise requests that are running would still add devices and entities.
    for coordinator in entry.runtime_data.coordinators.values():
        await coordinator.async_shutdown()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
    """Remove the stored data and the repair issues of an entry."""
    async_end_force_down(hass, entry.entry_id)
    await async_remove_files(hass, entry.entry_id)
    await async_forget_history(hass, entry.entry_id)
    async_forget_checks(hass, entry.entry_id)
    clear_all(hass, entry)
    for other in hass.config_entries.async_loaded_entries(DOMAIN):
        other.runtime_data.sync_issues()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Allow the user to remove a device unless the service still lists it."""
    key = device_key_of(device, entry)
    if key is None or entry.state is not ConfigEntryState.LOADED:
        return True
    coordinators = [
        coordinator
        for coordinator in entry.runtime_data.coordinators.values()
        if coordinator.device_kind == key.kind
    ]
    if key == ACCOUNT or any(coordinator.is_listed(key.id) for coordinator in coordinators):
        return False
    for coordinator in coordinators:
        if coordinator.feed.forget is not None:
            await coordinator.feed.forget(key.id)
        coordinator.async_forget(key.id)
    if key.kind == Tunnel.kind and (force_down := entry.runtime_data.force_down) is not None:
        await force_down.async_forget(key.id)
    return True
