"""Tests ChmlFrp's account center: device sign-in, and single-use refresh tokens."""

from typing import Any

import pytest

from simulator.chmlfrp import ChmlFrpService

from .conftest import Panel

SCOPE = "profile email offline_access chmlfrp_api"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A client that uses device sign-in."""

    def __init__(self, panel: Panel, service: ChmlFrpService) -> None:
        self.center = Panel(panel.session, service.oauth_url)
        self.api = panel
        self.client_id = service.credentials["client_id"]

    async def begin(self, scope: str = SCOPE) -> Any:
        """Request codes."""
        return await self.center.form(
            "/oauth2/device_authorization", client_id=self.client_id, scope=scope
        )

    async def token(self, grant_type: str, status: int, **fields: str) -> Any:
        """Request tokens."""
        form = {"grant_type": grant_type, "client_id": self.client_id, **fields}
        return await self.center.ask("POST", "/oauth2/token", status, data=form)

    async def poll(self, codes: Any, status: int = 400) -> Any:
        """Request tokens for the codes."""
        return await self.token(DEVICE_GRANT, status, device_code=codes["device_code"])

    async def refused(self, codes: Any) -> str:
        """Return the error of a request for tokens."""
        return str((await self.poll(codes))["error"])

    async def refresh(self, tokens: Any, status: int = 200) -> Any:
        """Refresh the tokens."""
        return await self.token("refresh_token", status, refresh_token=tokens["refresh_token"])

    async def works(self, tokens: Any) -> bool:
        """Return whether the API accepts the access token."""
        self.api.token = tokens["access_token"]
        return bool((await self.api.get("/userinfo"))["code"] == 200)


@pytest.fixture
def device(chmlfrp: ChmlFrpService, visitor: Panel) -> Device:
    return Device(visitor, chmlfrp)


@pytest.fixture
async def tokens(chmlfrp: ChmlFrpService, device: Device) -> Any:
    """The tokens of an approved sign-in."""
    codes = await device.begin()
    chmlfrp.approve(codes["user_code"])
    return await device.poll(codes, 200)


async def test_early_polls_increase_the_interval(chmlfrp: ChmlFrpService, device: Device) -> None:
    codes = await device.begin()
    seen = []
    for pause in (0, 4.9, 9.9, 15, 15):
        chmlfrp.advance(pause)
        seen.append(await device.refused(codes))

    assert seen == [
        "authorization_pending",
        "slow_down",
        "slow_down",
        "authorization_pending",
        "authorization_pending",
    ]
    assert chmlfrp.device_code(codes["user_code"]).interval == 15


async def test_decision_by_control_route(chmlfrp: ChmlFrpService, device: Device) -> None:
    codes = await device.begin()
    change = {f"device_codes.{codes['user_code']}.status": "approved"}
    await device.api.ask("PATCH", "/_control/state", json=change)

    assert await device.works(await device.poll(codes, 200))


@pytest.mark.parametrize("decision, error", [("approve", None), ("deny", "access_denied")])
async def test_decision_on_the_page(device: Device, decision: str, error: str | None) -> None:
    codes = await device.begin()
    path = codes["verification_uri_complete"].removeprefix(device.center.url)
    page = await device.center.get(path)
    assert codes["user_code"] in page

    user_code = codes["user_code"]
    await device.center.form("/oauth-device-verify", user_code=user_code, decision=decision)
    answer = await device.poll(codes, 400 if error else 200)
    assert answer.get("error") == error


async def test_page_with_unknown_code_and_escaped_html(device: Device) -> None:
    page = await device.center.ask(
        "POST", "/oauth-device-verify", 400, data={"user_code": '"><b>', "decision": "approve"}
    )

    assert "&quot;&gt;&lt;b&gt;" in page


async def test_unknown_clients_and_grants(device: Device) -> None:
    codes = await device.begin()
    assert (await device.token("password", 400))["error"] == "unsupported_grant_type"

    device.client_id = "browser-client"
    assert await device.refused(codes) == "invalid_grant"
    device.client_id = "unknown"
    assert (await device.poll(codes, 401))["error"] == "invalid_client"
    form = {"client_id": "unknown"}
    answer = await device.center.ask("POST", "/oauth2/device_authorization", 401, data=form)
    assert answer["error"] == "invalid_client"


async def test_refresh_invalidates_both_tokens(
    chmlfrp: ChmlFrpService, device: Device, tokens: Any
) -> None:
    new = await device.refresh(tokens)

    assert new.keys() == tokens.keys()
    assert await device.works(new)
    assert not await device.works(tokens)
    assert (await device.refresh(tokens, 400))["error"] == "invalid_grant"
    assert await device.works(new)
    (grant,) = chmlfrp.state.grants.values()
    assert grant.refreshes == 1
