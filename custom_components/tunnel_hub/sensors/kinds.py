"""Descriptions of sensors, and functions that create common kinds of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfInformation, UnitOfRatio

from ..api.models.base import Resource
from ..entity import TunnelHubEntityDescription
from ..units import gibibytes


@dataclass(frozen=True, kw_only=True)
class TunnelHubSensorDescription[R: Resource](TunnelHubEntityDescription, SensorEntityDescription):
    """Describes a sensor.

    value_fn: returns its state if that is not the field of the resource.
    attributes_fn: returns its extra state attributes.
    can_wait: whether a new value may be written later while no browser or app is connected. None:
    for measurements and counters.
    """

    value_fn: Callable[[R], str | float | date | None] | None = None
    can_wait: bool | None = None
    attributes_fn: Callable[[R], Mapping[str, Any] | None] = lambda _: None


def listed(words: Iterable[str] | None) -> str | None:
    """Return words as one state."""
    return None if words is None else ", ".join(words)


def traffic(
    key: str, state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING
) -> TunnelHubSensorDescription[Any]:
    """A counter of bytes in GiB, which the services' pages call GB."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.GIBIBYTES,
        suggested_display_precision=2,
        state_class=state_class,
        value_fn=lambda resource: gibibytes(getattr(resource, key)),
    )


def data_size(key: str, *, decimals: int) -> TunnelHubSensorDescription[Any]:
    """A number of bytes in GiB that rarely changes."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.GIBIBYTES,
        suggested_display_precision=decimals,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda resource: gibibytes(getattr(resource, key)),
    )


def rate(key: str, *, enabled: bool = True) -> TunnelHubSensorDescription[Any]:
    """A data rate in bytes per second, shown in Mbit/s."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_RATE,
        native_unit_of_measurement=UnitOfDataRate.BYTES_PER_SECOND,
        suggested_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
        suggested_display_precision=2,
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=enabled,
    )


def megabits(key: str, *, fixed: bool = False) -> TunnelHubSensorDescription[Any]:
    """A data rate in Mbit/s.

    fixed: whether it rarely changes.
    """
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_RATE,
        native_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
        suggested_display_precision=1,
        state_class=None if fixed else SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC if fixed else None,
    )


def percentage(key: str) -> TunnelHubSensorDescription[Any]:
    """A percentage."""
    return TunnelHubSensorDescription(
        key=key,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        state_class=SensorStateClass.MEASUREMENT,
    )


def load_average(key: str) -> TunnelHubSensorDescription[Any]:
    """A load average: the number of processes that wait for the CPU."""
    return TunnelHubSensorDescription(
        key=key,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
    )


def count(
    key: str, state_class: SensorStateClass = SensorStateClass.MEASUREMENT
) -> TunnelHubSensorDescription[Any]:
    """A number of things."""
    return TunnelHubSensorDescription(key=key, state_class=state_class)


def diagnostic[R: Resource](
    key: str,
    value_fn: Callable[[R], str | float | date | None] | None = None,
    *,
    device_class: SensorDeviceClass | None = None,
    enabled: bool = True,
    attributes_fn: Callable[[R], Mapping[str, Any] | None] = lambda _: None,
) -> TunnelHubSensorDescription[R]:
    """A diagnostic value that rarely changes."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )


def timestamp(
    key: str, *, diagnostic: bool = False, enabled: bool = True
) -> TunnelHubSensorDescription[Any]:
    """A moment."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC if diagnostic else None,
        entity_registry_enabled_default=enabled,
    )


def choice[R: Resource](
    key: str,
    options: type[StrEnum],
    *,
    diagnostic: bool = False,
    attributes_fn: Callable[[R], Mapping[str, Any] | None] = lambda _: None,
) -> TunnelHubSensorDescription[R]:
    """One of several words."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.ENUM,
        options=[option.value for option in options],
        entity_category=EntityCategory.DIAGNOSTIC if diagnostic else None,
        attributes_fn=attributes_fn,
    )
