"""Sensors of forecasts."""

from typing import Any

from ..entity import Table
from ..forecast import SUBJECTS
from .kinds import TunnelHubSensorDescription, timestamp

FORECAST: Table[TunnelHubSensorDescription[Any]] = {
    subject.forecast: (timestamp("traffic_lasts_until"),) for subject in SUBJECTS
}
