"""The route table, which the modules in `endpoints` fill."""

from simulator.service import RouteTable

ROUTES = RouteTable()
