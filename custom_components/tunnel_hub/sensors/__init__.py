"""The tables of the sensor platform, by subject."""

from typing import Any

from ..entity import Table
from .account import ACCOUNT
from .directory import DIRECTORY
from .forecast import FORECAST
from .kinds import TunnelHubSensorDescription
from .mesh import MESH
from .nodes import NODES
from .reachability import REACHABILITY
from .server import SERVER
from .service import SERVICE
from .tunnels import TUNNELS

SENSORS: Table[TunnelHubSensorDescription[Any]] = {
    **ACCOUNT,
    **DIRECTORY,
    **FORECAST,
    **MESH,
    **NODES,
    **REACHABILITY,
    **SERVER,
    **SERVICE,
    **TUNNELS,
}
