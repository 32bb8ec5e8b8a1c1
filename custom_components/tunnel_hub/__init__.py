"""Tunnel Hub: tunnel services in Home Assistant."""

import asyncio

from aiohttp import DummyCookieJar
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.typing import ConfigType

from .api import create_provider
from .api.provider import CanForceDown, CanSignIn, Credentials
from .api.resource import Account, Tunnel
from .const import CONF_PROVIDER, DOMAIN
from .coordinator import FeedCoordinator, TunnelHubConfigEntry, TunnelHubData
from .dashboard import async_setup_dashboard
from .devices import Devices, device_key, key_of
from .force_down import ForceDown, async_forget
from .migrations import async_migrate_entry as async_migrate_entry
from .problems import Problems, clear_all
from .services import async_setup_services
from .sign_in import SignIn

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

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what exists whether or not an account does: the actions and the dashboard."""
    async_setup_services(hass)
    await async_setup_dashboard(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Set up one account."""
    provider = create_provider(
        entry.data[CONF_PROVIDER],
        async_create_clientsession(hass, cookie_jar=DummyCookieJar()),
        {name: value for name, value in entry.data.items() if name != CONF_PROVIDER},
        entry.options,
    )

    async def _store_credentials(credentials: Credentials) -> None:
        hass.config_entries.async_update_entry(entry, data={**entry.data, **credentials})

    provider.on_credentials = _store_credentials
    problems = Problems(hass, entry, provider)
    coordinators = {
        key: FeedCoordinator(hass, entry, provider, feed, problems)
        for key, feed in provider.feeds.items()
    }
    devices = Devices(hass, entry, provider)
    first, *others = sorted(coordinators.values(), key=lambda c: not c.feed.essential)
    await first.async_start(())
    await asyncio.gather(
        *(other.async_start(devices.registered(other.feed.resource.kind)) for other in others)
    )

    force_down = sign_in = None
    for coordinator in coordinators.values():
        await devices.async_follow(coordinator)
        if coordinator.feed.resource is Tunnel and isinstance(provider, CanForceDown):
            force_down = ForceDown(hass, entry, provider, coordinator)
            await force_down.async_load()
        if coordinator.feed.resource is Account and isinstance(provider, CanSignIn):
            sign_in = SignIn(hass, entry, provider, coordinator, problems)

    entry.runtime_data = TunnelHubData(
        provider=provider,
        coordinators=coordinators,
        problems=problems,
        force_down=force_down,
        sign_in=sign_in,
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if sign_in is not None:
        sign_in.async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Unload one account."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
    """Forget what is stored beside the entry, and its repairs."""
    await async_forget(hass, entry.entry_id)
    clear_all(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let the user remove a device that the service no longer lists."""
    key = key_of(entry, device)
    return key is None or not any(
        device_key(resource) == key
        for coordinator in entry.runtime_data.coordinators.values()
        for resource in coordinator.data.values()
    )
