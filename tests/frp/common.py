"""Helpers for the tests of frp."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator.frp import FrpService

HALF_A_MINUTE = 30


def server_data(service: FrpService) -> dict[str, str]:
    """Return the credentials of the server."""
    return {"kind": "frps", "base_url": service.url, **service.credentials}


def client_data(service: FrpService) -> dict[str, str]:
    """Return the credentials of the client."""
    client = service.state.client
    signs_in = {"username": client.username, "password": client.password}
    return {"kind": "frpc", "base_url": service.frpc_url, **signs_in}


def client_entry(service: FrpService) -> MockConfigEntry:
    """Return the config entry of the client."""
    address = service.frpc_url.partition("://")[2]
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="entry-frpc",
        title="frpc demo",
        unique_id=f"frp:{address}",
        data={"provider": "frp", **client_data(service)},
    )


def server_entry(service: FrpService) -> MockConfigEntry:
    """Return the config entry of the server."""
    address = service.url.partition("://")[2]
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="entry-frps",
        title="frps demo",
        unique_id=f"frp:{address}",
        data={"provider": "frp", **server_data(service)},
    )
