"""HayFrp."""

from ..service import ADMITTED, Service, account, simulated, with_url

SERVICE = Service(
    name="hayfrp",
    server=simulated("hayfrp", "--tunnels", "--nodes/10"),
    entry=account("hayfrp", with_url("username", "password")),
    feed="tunnels",
    rows="tunnels",
    place="tunnels.{}.local_port",
    at_most=ADMITTED,
    usual=200,
    is_main=True,
)
