"""Sensors of forecasts."""

from typing import Any

from ..entity import Table
from ..forecast import SUBJECTS, Forecast
from .kinds import TunnelHubSensorDescription, timestamp

_LASTS_UNTIL: TunnelHubSensorDescription[Forecast] = timestamp(
    "traffic_lasts_until", lambda forecast: forecast.traffic_lasts_until
)
FORECAST: Table[TunnelHubSensorDescription[Any]] = {
    subject.forecast: (_LASTS_UNTIL,) for subject in SUBJECTS
}
