"""Simulators of the tunnel services on loopback."""

from .service import Answer, Call, Options, RefusedError, Route, RouteTable, Service
from .simulator import SERVICES, Simulator

__all__ = [
    "SERVICES",
    "Answer",
    "Call",
    "Options",
    "RefusedError",
    "Route",
    "RouteTable",
    "Service",
    "Simulator",
]
