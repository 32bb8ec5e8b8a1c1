"""Tests ChmlFrp's config flow: sign-in, registration, reauthentication and options."""

import asyncio
from typing import Any, cast

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.api.chmlfrp import account_center
from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import ChmlFrpService
from simulator.chmlfrp.state import Account

from ..common import HOUR, World
from ..test_config_flow import begin as begin_at, choose, suggested

pytestmark = pytest.mark.platforms()

DEMO = {"username": "demo", "password": "demo-password"}
STEPS = ["chmlfrp_token", "chmlfrp_device", "chmlfrp_password"]


async def begin(hass: HomeAssistant, way: str) -> ConfigFlowResult:
    """Select a way to sign in from the menus."""
    return await begin_at(hass, way, provider="chmlfrp")


async def fill(
    hass: HomeAssistant,
    form: ConfigFlowResult,
    service: ChmlFrpService | None = None,
    **fields: str,
) -> ConfigFlowResult:
    """Submit a form. service: the service whose addresses are entered."""
    assert form["type"] is FlowResultType.FORM
    advanced: dict[str, Any] = {} if form["step_id"].endswith("_code") else {"advanced": {}}
    if service is not None:
        urls = {"base_url": service.url}
        if form["step_id"] == "chmlfrp_device":
            urls["oauth_url"] = service.oauth_url
        advanced = {"advanced": urls}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {**fields, **advanced})
    if result["type"] is not FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done(wait_background_tasks=True)
    return result


class Browser:
    """The browser in which the user decides. Time only passes while the flow waits for that."""

    def __init__(self, hass: HomeAssistant, service: ChmlFrpService) -> None:
        self.hass = hass
        self.service = service
        self.decided = asyncio.Event()

    async def sleep(self, _: float) -> None:
        """Wait until the user has decided, instead of the real pause."""
        await self.decided.wait()

    async def decide(
        self, result: ConfigFlowResult, *, agrees: bool = True, account: Account | None = None
    ) -> ConfigFlowResult:
        """Read the code, decide, and wait until the flow continues."""
        given = result["description_placeholders"]
        assert given
        if agrees:
            self.service.approve(given["user_code"], account)
        else:
            self.service.deny(given["user_code"])
        self.decided.set()
        await self.hass.async_block_till_done(wait_background_tasks=True)
        return await self.hass.config_entries.flow.async_configure(result["flow_id"])


@pytest.fixture
def browser(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, monkeypatch: pytest.MonkeyPatch
) -> Browser:
    browser = Browser(hass, chmlfrp)
    monkeypatch.setattr(account_center, "sleep", browser.sleep)
    return browser


# With a browser


async def test_device(hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser) -> None:
    form = await begin(hass, "chmlfrp_device")

    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    given = progress["description_placeholders"]
    assert given
    assert given["user_code"] in given["url"]
    assert given["minutes"] == "5"
    again = await hass.config_entries.flow.async_configure(progress["flow_id"])
    assert again["type"] is FlowResultType.SHOW_PROGRESS, "not decided yet"

    result = await browser.decide(progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "ChmlFrp demo"
    assert result["result"].unique_id == "chmlfrp:227"
    (grant,) = chmlfrp.state.grants.values()
    data = dict(result["data"])
    assert float(data.pop("expires_at")) == pytest.approx(grant.expires_at, abs=5)
    assert data == {
        "provider": "chmlfrp",
        "id_prefix": "chmlfrp.227",
        "base_url": chmlfrp.url,
        "oauth_url": chmlfrp.oauth_url,
        "client_id": "demo-client",
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
    }
    assert result["result"].state is ConfigEntryState.LOADED


async def test_a_confidential_client(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    """The secret is sent at sign-in and at each refresh, and is kept if the field is left empty."""
    chmlfrp.state.oauth_clients["demo-client"].secret = "demo-secret"
    form = await fill(hass, await begin(hass, "chmlfrp_device"), chmlfrp, client_id="demo-client")
    assert form["errors"] == {"base": "unknown_client"}

    progress = await fill(hass, form, chmlfrp, client_id="demo-client", client_secret="demo-secret")
    entry = (await browser.decide(progress))["result"]

    assert entry.data["client_secret"] == "demo-secret"
    for grant in chmlfrp.state.grants.values():
        grant.access_token = "elsewhere"
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert chmlfrp.calls_to("/oauth2/token", grant_type="refresh_token")[-1].status == 200

    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    form = await choose(hass, menu, "chmlfrp_device")
    assert "client_secret" not in suggested(form)
    browser.decided.clear()
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    assert (await browser.decide(progress))["reason"] == "reconfigure_successful"
    assert entry.data["client_secret"] == "demo-secret"


async def test_sign_in_is_denied(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    """The form keeps the input, and the next attempt succeeds."""
    form = await begin(hass, "chmlfrp_device")
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")

    form = await browser.decide(progress, agrees=False)

    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "chmlfrp_device"
    assert form["errors"] == {"base": "device_denied"}
    assert suggested(form) == {
        "client_id": "demo-client",
        "base_url": chmlfrp.url,
        "oauth_url": chmlfrp.oauth_url,
    }

    browser.decided.clear()
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    result = await browser.decide(progress)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_device_code_expires(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    form = await begin(hass, "chmlfrp_device")
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    freezer.tick(301)
    browser.decided.set()
    await hass.async_block_till_done(wait_background_tasks=True)

    form = await hass.config_entries.flow.async_configure(progress["flow_id"])

    assert form["errors"] == {"base": "device_expired"}


@pytest.mark.parametrize(
    "client_id, error",
    [("browser-client", "no_device_grant"), ("nobody", "unknown_client"), (" ", "empty_field")],
)
async def test_clients_without_permission(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, client_id: str, error: str
) -> None:
    form = await begin(hass, "chmlfrp_device")

    form = await fill(hass, form, chmlfrp, client_id=client_id)

    assert form["errors"] == {"base": error}


async def test_the_account_center_fails(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/oauth2/device_authorization", "html", status=520)
    form = await begin(hass, "chmlfrp_device")

    form = await fill(hass, form, chmlfrp, client_id="demo-client")

    assert form["errors"] == {"base": "unavailable_server_error"}


async def test_closing_the_dialog_ends_the_wait(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    """A test fails if it leaves a task running."""
    form = await begin(hass, "chmlfrp_device")
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")

    hass.config_entries.flow.async_abort(progress["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)

    assert not chmlfrp.calls_to("/oauth2/token")


async def test_the_dialog_continues_an_hour_after_the_sign_in(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    """The access token has expired, but the grant is still valid."""
    form = await begin(hass, "chmlfrp_device")
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    given = progress["description_placeholders"]
    assert given
    chmlfrp.approve(given["user_code"])
    browser.decided.set()
    await hass.async_block_till_done(wait_background_tasks=True)

    freezer.tick(HOUR)
    result = await hass.config_entries.flow.async_configure(progress["flow_id"])

    assert result["type"] is FlowResultType.CREATE_ENTRY
    (grant,) = chmlfrp.state.grants.values()
    assert (grant.refreshes, result["data"]["refresh_token"]) == (1, grant.refresh_token)


async def test_the_service_fails_after_the_sign_in(
    hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> None:
    chmlfrp.fault("/userinfo", "html", status=520, times=2)
    form = await begin(hass, "chmlfrp_device")
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")

    form = await browser.decide(progress)

    assert form["errors"] == {"base": "unavailable_server_error"}
    browser.decided.clear()
    progress = await fill(hass, form, chmlfrp, client_id="demo-client")
    result = await browser.decide(progress)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("url", ["base_url", "oauth_url"])
async def test_invalid_addresses(hass: HomeAssistant, chmlfrp: ChmlFrpService, url: str) -> None:
    form = await begin(hass, "chmlfrp_device")

    form = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"client_id": "demo-client", "advanced": {url: "ftp://example.com"}}
    )

    assert form["errors"] == {"base": "invalid_url"}


# With a token or a password


async def test_token(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    form = await begin(hass, "chmlfrp_token")

    form = await fill(hass, form, chmlfrp, token="wrong")
    assert form["errors"] == {"base": "invalid_auth"}
    assert form["description_placeholders"] == {"message": "无效的Token"}

    result = await fill(hass, form, chmlfrp, token=f" {chmlfrp.account.usertoken}\n")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{chmlfrp.account.id}",
        "base_url": chmlfrp.url,
        "token": chmlfrp.account.usertoken,
    }


@pytest.mark.parametrize("username", ["demo", "demo@example.com", "10001"])
async def test_password(hass: HomeAssistant, chmlfrp: ChmlFrpService, username: str) -> None:
    chmlfrp.state.settings.password_login = True
    form = await begin(hass, "chmlfrp_password")

    result = await fill(hass, form, chmlfrp, username=username, password="demo-password")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{chmlfrp.account.id}",
        "base_url": chmlfrp.url,
        "username": username,
        "password": "demo-password",
        "token": chmlfrp.account.usertoken,
    }
    assert len(chmlfrp.calls_to("/login")) == 1, "set-up takes the token over"


async def test_password_sign_in_is_disabled(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    """The public service disables it as well. Its message names the way that works."""
    form = await begin(hass, "chmlfrp_password")

    form = await fill(hass, form, chmlfrp, **DEMO)

    assert form["errors"] == {"base": "password_sign_in_off"}
    assert suggested(form) == {**DEMO, "base_url": chmlfrp.url}


async def test_invalid_input(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    cases: tuple[tuple[dict[str, str], str], ...] = (
        ({"password": "wrong-password"}, "invalid_auth"),
        ({"username": "nobody"}, "invalid_auth"),
        ({"password": "x"}, "rejected"),
        ({"username": " "}, "empty_field"),
    )
    chmlfrp.state.settings.password_login = True
    form = await begin(hass, "chmlfrp_password")

    for typed, error in cases:
        form = await fill(hass, form, chmlfrp, **{**DEMO, **typed})
        assert form["errors"] == {"base": error}


async def test_service_failures(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("html", {"status": 403}, "unavailable_firewall"),
        ("html", {"status": 520}, "unavailable_server_error"),
        ("error", {}, "unavailable_server_error"),
        ("body", {"body": {"msg": "系统繁忙", "code": 400}}, "rejected"),
        ("empty", {}, "unavailable_malformed"),
        ("patch", {"remove": ("data.id",)}, "unavailable_malformed"),
        ("body", {"body": {"status": 404, "error": "Not Found"}, "status": 404}, "unsupported"),
        ("body", {"body": "404 page not found", "status": 404}, "unsupported"),
    )
    form = await begin(hass, "chmlfrp_token")

    for kind, options, error in cases:
        chmlfrp.fault("/userinfo", kind, times=2, **options)
        form = await fill(hass, form, chmlfrp, token=chmlfrp.account.usertoken)
        assert form["errors"] == {"base": error}
        chmlfrp.clear_faults()


# With a new account

NEW = {
    "username": "newcomer",
    "email": "new@example.com",
    "password": "new-password",
    "contact": "10003",
}


async def test_register(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    form = await begin(hass, "chmlfrp_register")
    form = await fill(hass, form, chmlfrp, **NEW)
    assert form["step_id"] == "chmlfrp_register_code"

    form = await fill(hass, form, code="000000")
    assert form["errors"] == {"base": "rejected"}
    assert form["description_placeholders"] == {"message": "验证码错误"}

    (mail,) = chmlfrp.state.mailbox
    menu = await fill(hass, form, code=mail.code)

    account = next(a for a in chmlfrp.state.accounts.values() if a.username == "newcomer")
    assert (account.email, account.qq) == ("new@example.com", "10003")
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == STEPS

    form = await choose(hass, menu, "chmlfrp_token")
    result = await fill(hass, form, token=account.usertoken)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "ChmlFrp newcomer"
    assert result["data"] == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{account.id}",
        "base_url": chmlfrp.url,
        "token": account.usertoken,
    }, "the address entered first is used"


async def test_register_without_a_number(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> None:
    form = await begin(hass, "chmlfrp_register")

    form = await fill(hass, form, chmlfrp, **{**NEW, "contact": " "})

    assert form["errors"] == {"base": "empty_field"}
    assert not chmlfrp.calls


# The same account again


async def test_already_configured(world: World[ChmlFrpService], browser: Browser) -> None:
    form = await begin(world.hass, "chmlfrp_device")
    progress = await fill(world.hass, form, world.service, client_id="demo-client")

    result = await browser.decide(progress)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@pytest.mark.platforms("sensor")
async def test_reauthentication(world: World[ChmlFrpService], browser: Browser) -> None:
    """The token was reset at the service. The user signs in with a browser instead."""
    await world.set_up()
    world.service.account.usertoken = "reset"
    await world.elapse(60)
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    menu = await world.hass.config_entries.flow.async_configure(flow["flow_id"])
    assert menu["menu_options"] == STEPS

    form = await choose(world.hass, menu, "chmlfrp_device")
    assert suggested(form) == {"base_url": world.service.url}
    progress = await fill(world.hass, form, world.service, client_id="demo-client")
    result = await browser.decide(progress)

    assert result["reason"] == "reauth_successful"
    assert "token" not in world.entry.data, "the old credentials are deleted"
    await world.settle()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.value("sensor", "account:account", "points") == "15168"


async def ask_to_sign_in_again(world: World[ChmlFrpService]) -> ConfigFlowResult:
    """Reset the token at the service, and return the menu that asks the user to sign in again."""
    await world.set_up()
    world.service.account.usertoken = "reset"
    await world.elapse(60)
    (flow,) = world.hass.config_entries.flow.async_progress()
    return await world.hass.config_entries.flow.async_configure(flow["flow_id"])


@pytest.mark.platforms("sensor")
async def test_reauthentication_by_token(world: World[ChmlFrpService]) -> None:
    form = await choose(world.hass, await ask_to_sign_in_again(world), "chmlfrp_token")
    assert suggested(form) == {"base_url": world.service.url}, "no secret is suggested"

    form = await fill(world.hass, form, world.service, token="wrong")
    assert form["errors"] == {"base": "invalid_auth"}
    result = await fill(world.hass, form, world.service, token="reset")

    assert result["reason"] == "reauth_successful"
    assert world.entry.data == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{world.service.account.id}",
        "base_url": world.service.url,
        "token": "reset",
    }
    await world.elapse(60)
    assert world.value("sensor", "tunnel:1", "state") == "online"


@pytest.mark.platforms("sensor")
async def test_reauthentication_by_password(world: World[ChmlFrpService]) -> None:
    """The service first refuses passwords, then accepts them, and returns the new token."""
    form = await choose(world.hass, await ask_to_sign_in_again(world), "chmlfrp_password")
    form = await fill(world.hass, form, world.service, **DEMO)
    assert form["errors"] == {"base": "password_sign_in_off"}

    world.service.state.settings.password_login = True
    result = await fill(world.hass, form, world.service, **DEMO)

    assert result["reason"] == "reauth_successful"
    assert world.entry.data == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{world.service.account.id}",
        "base_url": world.service.url,
        "token": "reset",
        **DEMO,
    }
    await world.settle()
    assert world.value("sensor", "tunnel:1", "state") == "online"


@pytest.mark.parametrize("way", STEPS)
@pytest.mark.platforms("binary_sensor")
async def test_reauthentication_with_another_account(
    world: World[ChmlFrpService], browser: Browser, way: str
) -> None:
    other = world.service.state.accounts["228"]
    world.service.state.settings.password_login = True
    form = await choose(world.hass, await ask_to_sign_in_again(world), way)
    before = dict(world.entry.data)

    match way:
        case "chmlfrp_device":
            progress = await fill(world.hass, form, world.service, client_id="demo-client")
            result = await browser.decide(progress, account=other)
        case "chmlfrp_token":
            result = await fill(world.hass, form, world.service, token=other.usertoken)
        case _:
            result = await fill(
                world.hass, form, world.service, username="other", password="other-password"
            )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert world.entry.data == before


@pytest.mark.platforms("binary_sensor")
async def test_a_refused_password_asks_to_sign_in_again(world: World[ChmlFrpService]) -> None:
    """The token was reset, and the service does not accept passwords any more."""
    world.hass.config_entries.async_update_entry(world.entry, data={**world.entry.data, **DEMO})

    menu = await ask_to_sign_in_again(world)

    assert menu["menu_options"] == STEPS
    assert len(world.service.calls_to("/login")) == 1, "the password is not sent repeatedly"


@pytest.fixture
async def by_browser(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, chmlfrp: ChmlFrpService, browser: Browser
) -> World[ChmlFrpService]:
    """Return the config entry of an account that was signed in with a browser."""
    form = await begin(hass, "chmlfrp_device")
    result = await browser.decide(await fill(hass, form, chmlfrp, client_id="demo-client"))
    # World only uses what every entry has.
    entry = cast("MockConfigEntry", result["result"])
    await hass.async_block_till_done(wait_background_tasks=True)
    browser.decided.clear()
    return World(hass, freezer, chmlfrp, entry)


async def reconfigure(world: World[ChmlFrpService], way: str) -> ConfigFlowResult:
    """Open the reconfiguration dialog."""
    menu = await world.hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": world.entry.entry_id}
    )
    return await choose(world.hass, menu, way)


async def test_reconfiguration_from_a_browser_to_a_token(
    by_browser: World[ChmlFrpService],
) -> None:
    """No credentials of the browser sign-in are kept."""
    world = by_browser
    form = await reconfigure(world, "chmlfrp_token")

    result = await fill(world.hass, form, world.service, token=world.service.account.usertoken)

    assert result["reason"] == "reconfigure_successful"
    assert world.entry.data == {
        "provider": "chmlfrp",
        "id_prefix": f"chmlfrp.{world.service.account.id}",
        "base_url": world.service.url,
        "token": world.service.account.usertoken,
    }
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_reconfiguration_by_a_browser_again(
    by_browser: World[ChmlFrpService], browser: Browser
) -> None:
    """The client and the addresses are kept, and the new tokens replace the old ones."""
    world = by_browser
    form = await reconfigure(world, "chmlfrp_device")
    assert suggested(form) == {
        "client_id": "demo-client",
        "base_url": world.service.url,
        "oauth_url": world.service.oauth_url,
    }

    progress = await fill(world.hass, form, world.service, client_id="demo-client")
    result = await browser.decide(progress)

    assert result["reason"] == "reconfigure_successful"
    _, newer = world.service.state.grants.values()
    assert world.entry.data["refresh_token"] == newer.refresh_token


@pytest.mark.platforms("binary_sensor")
async def test_a_refused_refresh_asks_to_sign_in_again(
    by_browser: World[ChmlFrpService],
) -> None:
    world = by_browser
    for grant in world.service.state.grants.values():
        grant.refresh_token = "elsewhere"

    await world.elapse(HOUR)

    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert flow["handler"] == DOMAIN
    asked = world.service.calls_to("/oauth2/token", grant_type="refresh_token")
    assert len(asked) == 1


@pytest.mark.platforms("sensor")
async def test_tokens_are_stored_with_the_entry(by_browser: World[ChmlFrpService]) -> None:
    """Within nine hours, with a reload, each refresh token is used once."""
    world = by_browser
    for _ in range(9):
        await world.elapse(HOUR)
        (grant,) = world.service.state.grants.values()
        assert world.entry.data["refresh_token"] == grant.refresh_token
        assert world.value("sensor", "account:account", "points") == "15168"
        await world.restart()

    renewals = world.service.calls_to("/oauth2/token", grant_type="refresh_token")
    used = [str(call.get("refresh_token")) for call in renewals]
    assert len(set(used)) == len(used) == 9


# Options


@pytest.mark.platforms("sensor")
async def test_options(world: World[ChmlFrpService]) -> None:
    """Details of nodes cost requests, so they are disabled by default."""
    await world.set_up()
    assert not world.registered("node:1:load_1")
    assert not world.service.calls_to("/nodeinfo")

    form = await world.hass.config_entries.options.async_init(world.entry.entry_id)
    assert form["data_schema"] is not None
    assert list(form["data_schema"].schema) == ["shown_nodes", "more_of_nodes", "reachability"]
    result = await world.hass.config_entries.options.async_configure(
        form["flow_id"],
        {
            "shown_nodes": {"nodes": "chosen", "chosen_nodes": ["1", "7"]},
            "more_of_nodes": {"node_details": True},
            "reachability": {"checks": "enabled"},
        },
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await world.settle()

    assert world.value("sensor", "node:1", "load_1") not in ("unknown", "unavailable")
    assert world.device("node:7")
    assert {str(c.get("node")) for c in world.service.calls_to("/nodeinfo")} == {"成都电信"}, (
        "requested only for shown nodes"
    )
