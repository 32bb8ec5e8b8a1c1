"""Descriptions of sensors, and functions that create common kinds of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
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

    value_fn: returns its state.
    attributes_fn: returns its extra state attributes.
    can_wait: whether a new value may be written later while no browser or app is connected. None:
    for measurements and counters.
    """

    value_fn: Callable[[R], str | float | date | None]
    can_wait: bool | None = None
    attributes_fn: Callable[[R], Mapping[str, Any] | None] = lambda _: None


def listed(words: Iterable[str] | None) -> str | None:
    """Return words as one state."""
    return None if words is None else ", ".join(words)


def traffic[R: Resource](
    key: str,
    value_fn: Callable[[R], int | None],
    state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING,
) -> TunnelHubSensorDescription[R]:
    """A counter of bytes in GiB, which the services' pages call GB."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.GIBIBYTES,
        suggested_display_precision=2,
        state_class=state_class,
        value_fn=lambda resource: gibibytes(value_fn(resource)),
    )


def data_size[R: Resource](
    key: str, value_fn: Callable[[R], int | None], *, decimals: int
) -> TunnelHubSensorDescription[R]:
    """A number of bytes in GiB that rarely changes."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.GIBIBYTES,
        suggested_display_precision=decimals,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda resource: gibibytes(value_fn(resource)),
    )


def rate[R: Resource](
    key: str, value_fn: Callable[[R], int | None], *, enabled: bool = True
) -> TunnelHubSensorDescription[R]:
    """A data rate in bytes per second, shown in Mbit/s."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_RATE,
        native_unit_of_measurement=UnitOfDataRate.BYTES_PER_SECOND,
        suggested_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
        suggested_display_precision=2,
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def megabits[R: Resource](
    key: str,
    value_fn: Callable[[R], float | None],
    *,
    fixed: bool = False,
) -> TunnelHubSensorDescription[R]:
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
        value_fn=value_fn,
    )


def percentage[R: Resource](
    key: str, value_fn: Callable[[R], float | None]
) -> TunnelHubSensorDescription[R]:
    """A percentage."""
    return TunnelHubSensorDescription(
        key=key,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=value_fn,
    )


def load_average[R: Resource](
    key: str, value_fn: Callable[[R], float | None]
) -> TunnelHubSensorDescription[R]:
    """A load average: the number of processes that wait for the CPU."""
    return TunnelHubSensorDescription(
        key=key,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        value_fn=value_fn,
    )


def count[R: Resource](
    key: str,
    value_fn: Callable[[R], int | None],
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
) -> TunnelHubSensorDescription[R]:
    """A number of things."""
    return TunnelHubSensorDescription(key=key, state_class=state_class, value_fn=value_fn)


def diagnostic[R: Resource](
    key: str,
    value_fn: Callable[[R], str | float | date | None],
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


def timestamp[R: Resource](
    key: str,
    value_fn: Callable[[R], datetime | None],
    *,
    diagnostic: bool = False,
    enabled: bool = True,
) -> TunnelHubSensorDescription[R]:
    """A moment."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC if diagnostic else None,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


def choice[R: Resource](
    key: str,
    options: type[StrEnum],
    value_fn: Callable[[R], StrEnum | None],
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
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )
