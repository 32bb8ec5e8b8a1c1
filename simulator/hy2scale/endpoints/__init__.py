"""One module for each part of the API; importing them fills the route table."""

from . import mesh, people, routing, system, tls, upgrade, vpn

__all__ = ["mesh", "people", "routing", "system", "tls", "upgrade", "vpn"]
