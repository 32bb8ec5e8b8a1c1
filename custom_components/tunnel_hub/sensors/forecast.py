"""Sensors of forecasts."""

from typing import Any

from homeassistant.components.sensor import SensorDeviceClass

from ..entity import Table
from ..forecast import SUBJECTS, Forecast
from .kinds import TunnelHubSensorDescription

_LASTS_UNTIL = TunnelHubSensorDescription[Forecast](
    key="traffic_lasts_until",
    device_class=SensorDeviceClass.TIMESTAMP,
    value_fn=lambda forecast: forecast.traffic_lasts_until,
)
FORECAST: Table[TunnelHubSensorDescription[Any]] = {
    subject.forecast: (_LASTS_UNTIL,) for subject in SUBJECTS
}
