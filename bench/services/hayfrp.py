"""HayFrp."""

from ..service import ROWS_WITHIN_LIMIT, Service, account, simulated, with_url

SERVICE = Service(
    name="hayfrp",
    server=simulated("hayfrp", "--tunnels", "--nodes/10"),
    entry=account("hayfrp", with_url("username", "password")),
    feed="tunnels",
    rows="tunnels",
    place="tunnels.{}.local_port",
    at_most=ROWS_WITHIN_LIMIT,
    usual=200,
    is_main=True,
)
