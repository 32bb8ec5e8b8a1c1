"""HY2 SCALE."""

from unittest.mock import patch

from yarl import URL

from custom_components.tunnel_hub.api.hy2scale import feeds

from ..service import LONG_LIST, Facts, Service, account, simulated


def _hub(facts: Facts) -> Facts:
    url = URL(facts["url"])
    return {
        "host": f"{url.host}",
        "port": f"{url.port}",
        "https": "false",
        "username": facts["username"],
        "password": facts["password"],
    }


SERVICE = Service(
    name="hy2scale",
    server=simulated("hy2scale", "--tunnels", "--nodes"),
    entry=account("hy2scale", _hub),
    feed="links",
    rows="clients",
    place="peers.{}.latency_ms",
    at_most=LONG_LIST,
    usual=100,
    # Disables the cache of answers that feeds share.
    measured=lambda: patch.object(feeds, "SAME_MOMENT", -1.0),
)
