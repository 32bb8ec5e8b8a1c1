"""EasyTier."""

from ..service import LONG_LIST, Service, account, simulated, with_url

SERVICE = Service(
    name="easytier",
    server=simulated("easytier", "--nodes"),
    entry=account("easytier", with_url("email", "password")),
    feed="nodes",
    rows="nodes",
    place="nodes.{}.connection_count",
    at_most=LONG_LIST,
    usual=500,
)
