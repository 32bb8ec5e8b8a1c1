"""frps."""

from unittest.mock import patch

from aiohttp import ClientSession
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.api.frp import frps_feeds

from ..service import ROWS_WITHIN_LIMIT, Facts, Service, account, escaped, simulated


def _server(facts: Facts) -> Facts:
    return {
        "kind": "frps",
        "base_url": facts["url"],
        "username": facts["username"],
        "password": facts["password"],
    }


_sign_in = account("frp", _server)


async def _without_traffic(facts: Facts) -> MockConfigEntry:
    """Signs in at a server without simulated traffic."""
    async with ClientSession(facts["url"], raise_for_status=True) as session:
        async with session.get("/_control/state") as response:
            state = await response.json()
        proxies = map(escaped, state["server"]["proxies"])
        rates = {f"server.proxies.{name}.rate": 0.0 for name in proxies}
        await session.patch("/_control/state", json=rates)
    return await _sign_in(facts)


SERVICE = Service(
    name="frp",
    server=simulated("frp", "--tunnels"),
    entry=_without_traffic,
    feed="tunnels",
    rows="server.proxies",
    place="server.proxies.{}.connections",
    at_most=ROWS_WITHIN_LIMIT,
    usual=200,
    # Disables the cache of answers that feeds share.
    measured=lambda: patch.object(frps_feeds, "SAME_MOMENT", -1.0),
)
