"""What a stranger needs to see of an entry, without what is nobody's business."""

from dataclasses import asdict
from datetime import date
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import AnyDeviceEntry

from .api.mesh import User, UserSessions
from .api.resource import Account, Resource
from .coordinator import FeedCoordinator, TunnelHubConfigEntry
from .devices import device_key, key_of

# Addresses tell where somebody lives on the net, conflicts name other persons.
_TO_REDACT = {
    "addresses",
    "certificates",
    "conflicts",
    "findings",
    "local_address",
    "messages",
    "public_address",
    "sessions",
}
_PERSONS = (Account, User, UserSessions)
"""Their names are people's, of an account perhaps a phone number."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: TunnelHubConfigEntry
) -> dict[str, Any]:
    """Return the state of an entry's feeds."""
    data = entry.runtime_data
    return {
        "provider": data.provider.description.key,
        "credentials": sorted(entry.data),
        "options": dict(entry.options),
        "statistics": dict(data.provider.statistics()),
        "problems": [problem.key for problem in data.provider.problems()],
        "next_sign_in": data.sign_in.next if data.sign_in else None,
        "feeds": {key: _feed(coordinator) for key, coordinator in data.coordinators.items()},
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, device: AnyDeviceEntry
) -> dict[str, Any]:
    """Return what is known of one device."""
    key = key_of(entry, device)
    return {
        name: _resource(resource)
        for name, coordinator in entry.runtime_data.coordinators.items()
        for resource in coordinator.data.values()
        if device_key(resource) == key
    }


def _feed(coordinator: FeedCoordinator) -> dict[str, Any]:
    """Return a feed's pace, health and content."""
    return {
        "interval": coordinator.feed.interval.total_seconds(),
        "available": coordinator.available,
        "last_error": None if coordinator.last_update_success else repr(coordinator.last_exception),
        "listeners": coordinator.interests,
        "resources": {id_: _resource(r) for id_, r in coordinator.data.items()},
    }


def _resource(resource: Resource) -> dict[str, Any]:
    """Return a resource as plain data; a person without a name."""
    redacted = _TO_REDACT | ({"name"} if isinstance(resource, _PERSONS) else set())
    values = {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in asdict(resource).items()
    }
    return dict(async_redact_data(values, redacted))
