"""What an action is, and what it is for."""

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
class Target:
    """What an action is for. key: the device, the account itself where none was named."""

    hass: HomeAssistant
    entry: TunnelHubConfigEntry
    data: TunnelHubData
    key: DeviceKey

    def capable[T](self, protocol: type[T]) -> T:
        """Return the provider as something that can do this; raises UnsupportedError."""
        return capable(self.data.provider, protocol)

    def collection[Draft](self, payload: type[Draft]) -> EditableCollection[Draft]:
        """Return the rows that are made of such payloads; raises UnsupportedError."""
        return self.capable(CanEdit).collection(payload)

    def feeds_of(self, *resources: type[Resource]) -> list[FeedCoordinator]:
        """Return the feeds of these kinds of resource."""
        return [c for c in self.data.coordinators.values() if c.feed.resource in resources]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action.

    run: does it, for a target and with the call's data; what it answers.
    kinds: the kinds of device it is for; without any it is for an account.
    fields: what it takes besides its target.
    admin: whether it can destroy or reveal something.
    changes: the resources whose feeds are read back afterwards.
    edits: the class of the payloads of the rows that it is about, if it edits some.
    """

    run: Callable[[Target, dict[str, Any]], Awaitable[ServiceResponse]]
    kinds: tuple[str, ...] = ()
    fields: dict[vol.Marker, Any] = field(default_factory=dict)
    admin: bool = False
    changes: tuple[type[Resource], ...] = ()
    edits: type | None = None
    response: SupportsResponse = SupportsResponse.NONE


def device_of_kind(
    device: dr.AnyDeviceEntry, entry: TunnelHubConfigEntry, kinds: Collection[str]
) -> DeviceKey:
    """Return what a device stands for; raises ServiceValidationError if that is of no such kind."""
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
    """Return a dataclass, such as a resource, as response data, without what is unknown."""
    return {
        name: field.isoformat() if hasattr(field, "isoformat") else field
        for name, field in asdict(value).items()
        if field is not None
    }
