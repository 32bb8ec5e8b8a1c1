"""One module for each part of the API; importing them fills the route table."""

from simulator.hy2scale.table import ROUTES

from . import mesh, routing, system, tls, upgrade, users, vpn

__all__ = ["ROUTES", "mesh", "routing", "system", "tls", "upgrade", "users", "vpn"]
