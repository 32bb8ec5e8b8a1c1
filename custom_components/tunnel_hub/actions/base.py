"""The base classes of actions and their targets."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.collections import CanEdit, EditableCollection
from ..api.models.base import Resource
from ..const import DOMAIN
from ..coordinator import FeedCoordinator
from ..ids import DeviceKey, device_key_of
from ..runtime import TunnelHubConfigEntry, TunnelHubData

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class ActionTarget:
    """The target of an action.

    key: the device; that of the account if none was given.
    """

    hass: HomeAssistant
    entry: TunnelHubConfigEntry
    data: TunnelHubData
    key: DeviceKey

    def capable[T](self, capability: type[T]) -> T:
        """Return the provider as an instance of a capability; raises UnsupportedError."""
        return capable(self.data.provider, capability)

    def collection[Draft](self, payload: type[Draft]) -> EditableCollection[Draft]:
        """Return the collection for a class of payloads; raises UnsupportedError."""
        return self.capable(CanEdit).collection(payload)

    def feeds_of(self, *resources: type[Resource]) -> list[FeedCoordinator]:
        """Return the feeds of these classes of resources."""
        return [c for c in self.data.coordinators.values() if c.feed.resource in resources]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action.

    run: runs it for a target with the call's data, and returns the response.
    kinds: the kinds of devices that it targets; without any it targets an account.
    fields: its fields besides the target.
    admin: whether it can destroy or reveal something, so only administrators may call it.
    changes: the resources whose feeds are read afterwards.
    edits: the class of the payloads, if it edits a collection.
    """

    run: Callable[[ActionTarget, dict[str, Any]], Awaitable[ServiceResponse]]
    kinds: tuple[str, ...] = ()
    fields: dict[vol.Marker, Any] = field(default_factory=dict)
    admin: bool = False
    changes: tuple[type[Resource], ...] = ()
    edits: type | None = None
    response: SupportsResponse = SupportsResponse.NONE


def device_of_kind(
    device: dr.AnyDeviceEntry, entry: TunnelHubConfigEntry, kinds: Collection[str]
) -> DeviceKey:
    """Return the key of a device; raises ServiceValidationError if its kind is different."""
    key = device_key_of(device, entry)
    if key is None or key.kind not in kinds:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="wrong_device",
            translation_placeholders={"device": device.name or device.id},
        )
    return key


def payload_of[P: DataclassInstance](payload: type[P], data: Mapping[str, Any]) -> P:
    """Return the fields of an action call as a payload."""
    return payload(**{name: data[name] for name in payload.__dataclass_fields__ if name in data})


def to_response(value: DataclassInstance) -> dict[str, Any]:
    """Return a dataclass, such as a resource, as response data without unknown values."""
    return {
        name: field.isoformat() if hasattr(field, "isoformat") else field
        for name, field in asdict(value).items()
        if field is not None
    }
