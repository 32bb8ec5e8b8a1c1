"""frps."""

from ..service import ADMITTED, Facts, Service, account, simulated


def _server(facts: Facts) -> Facts:
    return {
        "kind": "frps",
        "base_url": facts["url"],
        "username": facts["username"],
        "password": facts["password"],
    }


SERVICE = Service(
    name="frp",
    server=simulated("frp", "--tunnels"),
    entry=account("frp", _server),
    feed="tunnels",
    rows="server.proxies",
    place="server.proxies.{}.connections",
    at_most=ADMITTED,
    usual=200,
)
