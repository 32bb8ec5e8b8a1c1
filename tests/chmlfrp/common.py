"""Helpers for the tests of ChmlFrp."""

from custom_components.tunnel_hub.api.provider import Credentials
from simulator.chmlfrp import ChmlFrpService, Grant


def grant(
    service: ChmlFrpService, name: str = "0", *, key: str = "g", seconds: float = 600
) -> Credentials:
    """Sign the demo account in with a browser, and return the tokens.

    name: how the tokens end. key: the client id. seconds: how long the access token is valid.
    """
    given = Grant(
        userid=service.account.id,
        client_id="demo-client",
        scope="profile email offline_access chmlfrp_api",
        access_token=f"access-{name}",
        refresh_token=f"refresh-{name}",
        expires_at=service.now() + seconds,
    )
    service.state.grants[key] = given
    return {
        "client_id": given.client_id,
        "access_token": given.access_token,
        "refresh_token": f"refresh-{name}",
        "expires_at": str(given.expires_at),
    }
