"""One module for each part of the API; importing them fills the route table."""

from simulator.hy2scale.table import ROUTES

from . import mesh, people, routing, system, tls, upgrade, vpn

__all__ = ["ROUTES", "mesh", "people", "routing", "system", "tls", "upgrade", "vpn"]
