"""What checks of tunnels' public addresses have found."""

from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfRatio, UnitOfTime

from ..checks.verdicts import Verdict
from ..entity import Table
from ..reachability import TunnelCheck
from .kinds import TunnelHubSensorDescription


def _verdict(check: TunnelCheck) -> str | None:
    """Return the verdict; Home Assistant has a word of its own for one that is unknown."""
    return None if check.verdict is Verdict.UNKNOWN else check.verdict


REACHABILITY: Table[TunnelHubSensorDescription[Any]] = {
    TunnelCheck: (
        TunnelHubSensorDescription[TunnelCheck](
            key="availability",
            native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
            suggested_display_precision=0,
            state_class=SensorStateClass.MEASUREMENT,
            entity_category=EntityCategory.DIAGNOSTIC,
            # How long it was down must not depend on whether somebody looks.
            can_wait=False,
            value_fn=lambda check: check.availability,
        ),
        TunnelHubSensorDescription[TunnelCheck](
            key="certificate_expires",
            device_class=SensorDeviceClass.TIMESTAMP,
            of_resource=lambda check: check.has_certificate,
            value_fn=lambda check: check.certificate_expires,
        ),
        TunnelHubSensorDescription[TunnelCheck](
            key="last_check",
            device_class=SensorDeviceClass.TIMESTAMP,
            entity_category=EntityCategory.DIAGNOSTIC,
            can_wait=True,
            value_fn=lambda check: check.last_check,
        ),
        TunnelHubSensorDescription[TunnelCheck](
            key="http_status",
            entity_category=EntityCategory.DIAGNOSTIC,
            of_resource=lambda check: check.has_status,
            value_fn=lambda check: check.http_status,
        ),
        TunnelHubSensorDescription[TunnelCheck](
            key="response_time",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.MILLISECONDS,
            suggested_display_precision=0,
            state_class=SensorStateClass.MEASUREMENT,
            value_fn=lambda check: check.response_time,
        ),
        TunnelHubSensorDescription[TunnelCheck](
            key="verdict",
            device_class=SensorDeviceClass.ENUM,
            options=[verdict.value for verdict in Verdict if verdict is not Verdict.UNKNOWN],
            value_fn=_verdict,
        ),
    ),
}
