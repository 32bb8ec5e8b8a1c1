"""Sensors of reachability checks."""

from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfRatio, UnitOfTime

from ..checks.verdicts import Verdict
from ..entity import Table
from ..reachability import UPTIMES, AddressCheck, TunnelCheck
from ..watched_addresses import WatchedAddress
from .kinds import TunnelHubSensorDescription, diagnostic


def _uptime(field: str) -> TunnelHubSensorDescription[AddressCheck]:
    """A percentage without statistics, because it is calculated from statistics."""
    return TunnelHubSensorDescription(
        key=field,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=2,
    )


_CHECK: tuple[TunnelHubSensorDescription[AddressCheck], ...] = (
    TunnelHubSensorDescription[AddressCheck](
        key="availability",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        # The statistics must not depend on whether a browser is connected.
        can_wait=False,
    ),
    TunnelHubSensorDescription[AddressCheck](
        key="certificate_expires",
        device_class=SensorDeviceClass.TIMESTAMP,
        of_resource=lambda check: check.has_certificate,
    ),
    TunnelHubSensorDescription[AddressCheck](
        key="last_check",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        can_wait=True,
    ),
    TunnelHubSensorDescription[AddressCheck](
        key="http_status",
        entity_category=EntityCategory.DIAGNOSTIC,
        of_resource=lambda check: check.has_status,
    ),
    TunnelHubSensorDescription[AddressCheck](
        key="response_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
    ),
    *map(_uptime, UPTIMES),
    TunnelHubSensorDescription[AddressCheck](
        key="verdict",
        device_class=SensorDeviceClass.ENUM,
        options=[verdict.value for verdict in Verdict if verdict is not Verdict.UNKNOWN],
        value_fn=lambda check: None if check.verdict is Verdict.UNKNOWN else check.verdict,
    ),
)

REACHABILITY: Table[TunnelHubSensorDescription[Any]] = {
    TunnelCheck: _CHECK,
    WatchedAddress: (
        *_CHECK,
        diagnostic("address"),
        diagnostic("protocol"),
    ),
}
