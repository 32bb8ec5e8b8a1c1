"""Figures, moments and words: one table row each."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    EntityCategory,
    UnitOfDataRate,
    UnitOfInformation,
    UnitOfRatio,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.resource import (
    Account,
    AccountTraffic,
    Certificates,
    Inbox,
    Node,
    NodeLoad,
    NodeState,
    NodeUptime,
    Notice,
    Release,
    Resource,
    ServiceTotals,
    SignInRecord,
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

    value_fn: Callable[[R], str | float | date | None]
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


def _average[R: Resource](
    key: str, value_fn: Callable[[R], float | None]
) -> TunnelHubSensorDescription[R]:
    """How many processes wait for the CPU."""
    return TunnelHubSensorDescription(
        key=key,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        value_fn=value_fn,
    )


def _count[R: Resource](
    key: str,
    value_fn: Callable[[R], int | None],
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
) -> TunnelHubSensorDescription[R]:
    """How many; the translations name what is counted."""
    return TunnelHubSensorDescription(key=key, state_class=state_class, value_fn=value_fn)


def _words(values: tuple[str, ...] | None) -> str | None:
    return None if values is None else ", ".join(values)


def _place(node: Node) -> Mapping[str, Any]:
    """Return what puts a node on a map."""
    if node.latitude is None or node.longitude is None:
        return {}
    return {ATTR_LATITUDE: node.latitude, ATTR_LONGITUDE: node.longitude}


def _certificates(account: Certificates) -> Mapping[str, Any]:
    return {"certificates": [asdict(certificate) for certificate in account.certificates]}


def _diagnostic[R: Resource](
    key: str,
    value_fn: Callable[[R], str | float | date | None],
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
            key="bandwidth",
            device_class=SensorDeviceClass.DATA_RATE,
            native_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda account: account.bandwidth,
        ),
        _count("connections", lambda account: account.connections),
        _diagnostic("group", lambda account: account.group),
        _diagnostic(
            "group_expires",
            lambda account: account.group_expires,
            device_class=SensorDeviceClass.DATE,
        ),
        TunnelHubSensorDescription[Account](
            key="last_sign_in",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda account: account.last_sign_in,
        ),
        _count("points", lambda account: account.points, SensorStateClass.TOTAL),
        TunnelHubSensorDescription[Account](
            key="sign_in_days",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.DAYS,
            state_class=SensorStateClass.TOTAL_INCREASING,
            value_fn=lambda account: account.sign_in_days,
        ),
        _traffic("sign_in_traffic", lambda account: account.sign_in_traffic),
        _traffic("traffic_in", lambda account: account.traffic_in),
        _traffic(
            "traffic_left", lambda account: account.traffic_left, SensorStateClass.MEASUREMENT
        ),
        _traffic("traffic_out", lambda account: account.traffic_out),
        _traffic("traffic_today", lambda account: account.traffic_today),
        _diagnostic("tunnels_allowed", lambda account: account.tunnels_allowed),
        _count("tunnels_used", lambda account: account.tunnels_used),
    ),
    AccountTraffic: (
        _traffic("traffic_in_today", lambda account: account.traffic_in_today),
        _traffic("traffic_out_today", lambda account: account.traffic_out_today),
    ),
    Certificates: (
        TunnelHubSensorDescription[Certificates](
            key="certificates",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda account: account.first_expiry,
            attributes_fn=_certificates,
        ),
    ),
    Inbox: (
        TunnelHubSensorDescription[Inbox](
            key="messages",
            value_fn=lambda inbox: inbox.messages[-1].headline if inbox.messages else None,
            attributes_fn=lambda inbox: {
                "text": inbox.messages[-1].text if inbox.messages else None
            },
        ),
    ),
    SignInRecord: (
        TunnelHubSensorDescription[SignInRecord](
            key="last_sign_in",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda record: record.last_sign_in,
        ),
        _count(
            "sign_in_points",
            lambda record: record.sign_in_points,
            SensorStateClass.TOTAL_INCREASING,
        ),
        _count("sign_ins", lambda record: record.sign_ins, SensorStateClass.TOTAL_INCREASING),
    ),
    Tunnel: (
        _diagnostic(
            "checked_at",
            lambda tunnel: tunnel.checked_at,
            device_class=SensorDeviceClass.TIMESTAMP,
            enabled=False,
        ),
        _diagnostic("client_version", lambda tunnel: tunnel.client_version),
        _count("connections", lambda tunnel: tunnel.connections),
        _diagnostic(
            "last_edit",
            lambda tunnel: tunnel.last_edit,
            device_class=SensorDeviceClass.TIMESTAMP,
        ),
        TunnelHubSensorDescription[Tunnel](
            key="last_start",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda tunnel: tunnel.last_start,
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
        _traffic("traffic_in_today", lambda tunnel: tunnel.traffic_in_today),
        _traffic("traffic_out_today", lambda tunnel: tunnel.traffic_out_today),
    ),
    Node: (
        _share("bandwidth_usage", lambda node: node.bandwidth_usage),
        _count("clients", lambda node: node.clients),
        _count("connections", lambda node: node.connections),
        _share("cpu_usage", lambda node: node.cpu_usage),
        _diagnostic("description", lambda node: node.description, enabled=False),
        _share("disk_usage", lambda node: node.disk_usage),
        _diagnostic("group", lambda node: node.group),
        TunnelHubSensorDescription[Node](
            key="load",
            device_class=SensorDeviceClass.ENUM,
            options=[load.value for load in NodeLoad],
            value_fn=lambda node: node.load,
        ),
        _average("load_1", lambda node: node.load_1),
        _average("load_15", lambda node: node.load_15),
        _average("load_5", lambda node: node.load_5),
        TunnelHubSensorDescription[Node](
            key="memory_total",
            device_class=SensorDeviceClass.DATA_SIZE,
            native_unit_of_measurement=UnitOfInformation.BYTES,
            suggested_unit_of_measurement=UnitOfInformation.GIBIBYTES,
            suggested_display_precision=1,
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda node: node.memory_total,
        ),
        _share("memory_usage", lambda node: node.memory_usage),
        TunnelHubSensorDescription[Node](
            key="place",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda node: node.place,
            attributes_fn=_place,
        ),
        _diagnostic("protocols", lambda node: _words(node.protocols)),
        _diagnostic("started", lambda node: node.started, device_class=SensorDeviceClass.UPTIME),
        TunnelHubSensorDescription[Node](
            key="state",
            device_class=SensorDeviceClass.ENUM,
            options=[state.value for state in NodeState],
            value_fn=lambda node: node.state,
        ),
        _traffic("traffic_in_today", lambda node: node.traffic_in_today),
        _traffic("traffic_out_today", lambda node: node.traffic_out_today),
        _count("tunnels", lambda node: node.tunnels),
        _diagnostic("version", lambda node: node.version),
    ),
    NodeUptime: (_share("uptime_30_days", lambda node: node.uptime_30_days),),
    ServiceTotals: (
        _count("clients", lambda service: service.clients),
        _count("nodes", lambda service: service.nodes),
        _count("runs", lambda service: service.runs, SensorStateClass.TOTAL_INCREASING),
        _count("runs_today", lambda service: service.runs_today, SensorStateClass.TOTAL_INCREASING),
        _traffic("traffic", lambda service: service.traffic),
        _traffic("traffic_in", lambda service: service.traffic_in),
        _traffic("traffic_in_today", lambda service: service.traffic_in_today),
        _traffic("traffic_out", lambda service: service.traffic_out),
        _traffic("traffic_out_today", lambda service: service.traffic_out_today),
        _traffic("traffic_today", lambda service: service.traffic_today),
        _count("tunnels", lambda service: service.tunnels),
        _count("users", lambda service: service.users),
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

    _unrecorded_attributes = frozenset({"certificates", "text"})

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
