"""The sensor tables, by subject: one row for each figure, moment or word."""

from typing import Any

from ..entity import Table
from .account import ACCOUNT
from .directory import DIRECTORY
from .kinds import TunnelHubSensorDescription
from .mesh import MESH
from .node import NODE
from .service import SERVICE
from .tunnel import TUNNEL

SENSORS: Table[TunnelHubSensorDescription[Any]] = {
    **ACCOUNT,
    **DIRECTORY,
    **MESH,
    **NODE,
    **SERVICE,
    **TUNNEL,
}
