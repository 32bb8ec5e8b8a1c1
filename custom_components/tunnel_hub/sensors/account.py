"""Sensors of an account."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfTime

from ..api.models.account import Account, AccountTraffic, Inbox, SignInStatistics
from ..api.models.certificates import Certificates
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, timestamp, traffic


def _certificates(account: Certificates) -> Mapping[str, Any]:
    return {"certificates": [asdict(certificate) for certificate in account.certificates]}


ACCOUNT: Table[TunnelHubSensorDescription[Any]] = {
    Account: (
        TunnelHubSensorDescription[Account](
            key="bandwidth",
            device_class=SensorDeviceClass.DATA_RATE,
            native_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
            entity_category=EntityCategory.DIAGNOSTIC,
        ),
        count("connections"),
        diagnostic("group"),
        diagnostic("group_expires", device_class=SensorDeviceClass.DATE),
        timestamp("last_sign_in"),
        count("points", SensorStateClass.TOTAL),
        TunnelHubSensorDescription[Account](
            key="sign_in_days",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.DAYS,
            state_class=SensorStateClass.TOTAL_INCREASING,
        ),
        traffic("sign_in_traffic"),
        traffic("traffic_in"),
        traffic("traffic_left", SensorStateClass.MEASUREMENT),
        traffic("traffic_out"),
        traffic("traffic_today"),
        diagnostic("tunnels_allowed"),
        count("tunnels_used"),
    ),
    AccountTraffic: (
        traffic("traffic_in_today"),
        traffic("traffic_out_today"),
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
    SignInStatistics: (
        timestamp("last_sign_in"),
        count("sign_in_points", SensorStateClass.TOTAL_INCREASING),
        count("sign_ins", SensorStateClass.TOTAL_INCREASING),
    ),
}
