"""Figures, moments and words: one table row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfRatio, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.resource import (
    Account,
    Node,
    NodeLoad,
    Notice,
    Release,
    Resource,
    ServiceTotals,
    Tunnel,
    TunnelState,
)
from .coordinator import TunnelHubConfigEntry
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table

PARALLEL_UPDATES = 0

_LONGEST_STATE = 255


@dataclass(frozen=True, kw_only=True)
class TunnelHubSensorDescription[R: Resource](TunnelHubEntityDescription, SensorEntityDescription):
    """A sensor. value_fn: its state. attributes_fn: what else it tells."""

    value_fn: Callable[[R], str | float | datetime | None]
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {}


def _traffic[R: Resource](
    key: str,
    value_fn: Callable[[R], int | None],
    state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING,
) -> TunnelHubSensorDescription[R]:
    """Bytes, shown in GiB, which is what the services' own pages call GB."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.GIBIBYTES,
        suggested_display_precision=2,
        state_class=state_class,
        value_fn=value_fn,
    )


def _share[R: Resource](
    key: str, value_fn: Callable[[R], float | None]
) -> TunnelHubSensorDescription[R]:
    """Percent."""
    return TunnelHubSensorDescription(
        key=key,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=value_fn,
    )


def _count[R: Resource](
    key: str,
    value_fn: Callable[[R], int | None],
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
) -> TunnelHubSensorDescription[R]:
    """How many; the translations name what is counted."""
    return TunnelHubSensorDescription(key=key, state_class=state_class, value_fn=value_fn)


def _diagnostic[R: Resource](
    key: str,
    value_fn: Callable[[R], str | float | datetime | None],
    *,
    device_class: SensorDeviceClass | None = None,
    enabled: bool = True,
) -> TunnelHubSensorDescription[R]:
    """A property that hardly ever changes."""
    return TunnelHubSensorDescription(
        key=key,
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
    )


SENSORS: Table[TunnelHubSensorDescription[Any]] = {
    Account: (
        TunnelHubSensorDescription[Account](
            key="last_sign_in",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda account: account.last_sign_in,
        ),
        TunnelHubSensorDescription[Account](
            key="sign_in_days",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.DAYS,
            state_class=SensorStateClass.TOTAL_INCREASING,
            value_fn=lambda account: account.sign_in_days,
        ),
        _traffic("sign_in_traffic", lambda account: account.sign_in_traffic),
        _traffic(
            "traffic_left", lambda account: account.traffic_left, SensorStateClass.MEASUREMENT
        ),
        _traffic("traffic_today", lambda account: account.traffic_today),
        _diagnostic("tunnels_allowed", lambda account: account.tunnels_allowed),
        _count("tunnels_used", lambda account: account.tunnels_used),
    ),
    Tunnel: (
        _diagnostic(
            "checked_at",
            lambda tunnel: tunnel.checked_at,
            device_class=SensorDeviceClass.TIMESTAMP,
            enabled=False,
        ),
        _diagnostic(
            "last_edit",
            lambda tunnel: tunnel.last_edit,
            device_class=SensorDeviceClass.TIMESTAMP,
        ),
        _diagnostic("local_address", lambda tunnel: tunnel.local_address),
        _diagnostic("node_name", lambda tunnel: tunnel.node_name),
        _diagnostic("protocol", lambda tunnel: tunnel.protocol),
        TunnelHubSensorDescription[Tunnel](
            key="public_address", value_fn=lambda tunnel: tunnel.public_address
        ),
        TunnelHubSensorDescription[Tunnel](
            key="state",
            device_class=SensorDeviceClass.ENUM,
            options=[state.value for state in TunnelState],
            value_fn=lambda tunnel: tunnel.state,
        ),
    ),
    Node: (
        _count("clients", lambda node: node.clients),
        _count("connections", lambda node: node.connections),
        _share("cpu_usage", lambda node: node.cpu_usage),
        _diagnostic("description", lambda node: node.description, enabled=False),
        _share("disk_usage", lambda node: node.disk_usage),
        TunnelHubSensorDescription[Node](
            key="load",
            device_class=SensorDeviceClass.ENUM,
            options=[load.value for load in NodeLoad],
            value_fn=lambda node: node.load,
        ),
        _share("memory_usage", lambda node: node.memory_usage),
        _traffic("traffic_in_today", lambda node: node.traffic_in_today),
        _traffic("traffic_out_today", lambda node: node.traffic_out_today),
        _diagnostic("version", lambda node: node.version),
    ),
    ServiceTotals: (
        _count("clients", lambda service: service.clients),
        _count("runs", lambda service: service.runs, SensorStateClass.TOTAL_INCREASING),
        _count("runs_today", lambda service: service.runs_today, SensorStateClass.TOTAL_INCREASING),
        _traffic("traffic", lambda service: service.traffic),
        _traffic("traffic_in", lambda service: service.traffic_in),
        _traffic("traffic_in_today", lambda service: service.traffic_in_today),
        _traffic("traffic_out", lambda service: service.traffic_out),
        _traffic("traffic_out_today", lambda service: service.traffic_out_today),
        _traffic("traffic_today", lambda service: service.traffic_today),
    ),
    Release: (
        _diagnostic("client_version", lambda release: release.client_version),
        _diagnostic("server_version", lambda release: release.server_version),
    ),
    Notice: (
        TunnelHubSensorDescription[Notice](
            key="text",
            value_fn=lambda notice: notice.text and notice.text.partition("\n")[0],
            attributes_fn=lambda notice: {"text": notice.text},
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an entry."""
    async_setup_table(entry, async_add_entities, SENSORS, TunnelHubSensor)


class TunnelHubSensor[R: Resource](TunnelHubEntity[R, TunnelHubSensorDescription[R]], SensorEntity):
    """One figure, moment or word of a resource."""

    entity_description: TunnelHubSensorDescription[R]

    _unrecorded_attributes = frozenset({"text"})

    _told: tuple[object, object] | None = None

    @override
    def _read(self, resource: R) -> bool:
        value = self.entity_description.value_fn(resource)
        if isinstance(value, str):
            value = " ".join(value.split())[:_LONGEST_STATE]
        told = value, dict(self.entity_description.attributes_fn(resource))
        if told == self._told:
            return False
        self._told = told
        self._attr_native_value, self._attr_extra_state_attributes = told
        return True
