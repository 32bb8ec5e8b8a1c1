"""Diagnostics of an entry, without secrets and personal data."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from enum import Enum
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import AnyDeviceEntry

from .api.models.account import Account
from .api.models.base import Resource
from .api.models.nodes import Node
from .api.models.service import ServiceTotals
from .api.provider import OUTSIDE_ADDRESS
from .const import CONF_PROVIDER
from .coordinator import FeedCoordinator
from .ids import device_key, device_key_of
from .runtime import TunnelHubConfigEntry

_SHOWN_TEXTS = frozenset(
    {
        "client_version",
        "current",
        "direction",
        "frpc_version",
        "frps_version",
        "ikev2_reason",
        "l2tp_reason",
        "latest",
        "method",
        "protocol",
        "protocols",
        "status",
        "tun_mode",
        "type",
        "version",
    }
)
"""The only text fields that are shown. All others may contain a name, a place or an address."""

_PERSONAL_OPTIONS = frozenset({OUTSIDE_ADDRESS})
"""Options with text that the user entered."""

_IMPERSONAL_ID = re.compile(r"\d+|[0-9a-f-]{8,36}")
"""An id that a service has generated. Some services use names as ids."""

_SERVICES_OWN = (Node, ServiceTotals)
"""Resources that belong to the service and have the same names for all users."""


class _Ids(dict[str, str]):
    """Maps ids for the diagnostics: an id that may be a name is replaced by a number."""

    def __missing__(self, id_: str) -> str:
        impersonal = id_ in (Account.kind, ServiceTotals.kind) or _IMPERSONAL_ID.fullmatch(id_)
        return self.setdefault(id_, id_ if impersonal else f"#{len(self) + 1}")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: TunnelHubConfigEntry
) -> dict[str, Any]:
    """Return the state of an entry and, if it is loaded, of its feeds."""
    about = {
        "provider": entry.data[CONF_PROVIDER],
        "credentials": sorted(entry.data),
        "options": _options(entry.options),
        "state": entry.state.value,
        # The message itself can contain a name or an address.
        "error": entry.error_reason_translation_key,
    }
    if entry.state is not ConfigEntryState.LOADED:
        return about
    data, ids = entry.runtime_data, _Ids()
    return about | {
        "statistics": dict(data.provider.statistics()),
        "problems": [problem.key for problem in data.provider.issues()],
        "next_sign_in": data.sign_in.next if data.sign_in else None,
        "feeds": {key: _feed(coordinator, ids) for key, coordinator in data.coordinators.items()},
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, device: AnyDeviceEntry
) -> dict[str, Any]:
    """Return the data of one device by feed; empty if the entry is not loaded."""
    key, ids = device_key_of(device, entry), _Ids()
    if entry.state is not ConfigEntryState.LOADED:
        return {"state": entry.state.value}
    return {
        name: _resource(resource, ids)
        for name, coordinator in entry.runtime_data.coordinators.items()
        for resource in coordinator.data.values()
        if device_key(resource) == key
    }


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options without addresses and with the number of nodes chosen by name."""
    return {name: _option(name, value) for name, value in options.items()}


def _option(name: str, value: Any) -> Any:
    if name in _PERSONAL_OPTIONS:
        return REDACTED
    return len(value) if isinstance(value, list) else value


def _feed(coordinator: FeedCoordinator, ids: _Ids) -> dict[str, Any]:
    return {
        "interval": coordinator.feed.interval.total_seconds(),
        "available": coordinator.available,
        "last_error": None if coordinator.last_update_success else repr(coordinator.last_exception),
        "listeners": coordinator.subscriptions.interests,
        "resources": {
            ids[id_]: _resource(resource, ids) for id_, resource in coordinator.data.items()
        },
    }


def _resource(resource: Resource, ids: _Ids) -> dict[str, Any]:
    """Return a resource as a dictionary without private data."""
    shown = _redacted(asdict(resource), ids)
    if isinstance(resource, _SERVICES_OWN):
        shown["name"] = resource.name
    return shown


def _redacted(fields: Mapping[str, Any], ids: _Ids) -> dict[str, Any]:
    return {name: _value(name, value, ids) for name, value in fields.items()}


def _value(name: str, value: Any, ids: _Ids) -> Any:
    """Return a value if it is not private: numbers, times, allowed texts; recursively."""
    match value:
        case Mapping():
            return _redacted(value, ids)
        case list() | tuple():
            return [_value(name, item, ids) for item in value]
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case str():
            return _text(name, value, ids)
    return value


def _text(name: str, value: str, ids: _Ids) -> str:
    if name in ("id", "node_id"):
        return ids[value]
    return value if name in _SHOWN_TEXTS else REDACTED
