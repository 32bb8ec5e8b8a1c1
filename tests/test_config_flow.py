"""Tests HayFrp's config flow: sign-in, registration, reauthentication and options."""

import asyncio
from collections.abc import Iterator, Mapping
import gc
import logging
import re
from typing import Any

from aiohttp import ClientSession
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.tunnel_hub.api import PROVIDERS
from custom_components.tunnel_hub.const import DOMAIN
from simulator.hayfrp import HayFrpService

from .common import MINUTE, World, account_entry, on

pytestmark = pytest.mark.platforms()


async def begin(hass: HomeAssistant, way: str, provider: str = "hayfrp") -> ConfigFlowResult:
    """Select a way to sign in from the menus."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == [*PROVIDERS, "watched"]
    result = await choose(hass, result, provider)
    assert result["type"] is FlowResultType.MENU
    return await choose(hass, result, way)


async def choose(hass: HomeAssistant, result: ConfigFlowResult, option: str) -> ConfigFlowResult:
    """Select an option of a menu."""
    assert option in result["menu_options"]
    return await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": option}
    )


async def fill(
    hass: HomeAssistant,
    form: ConfigFlowResult,
    *,
    base_url: str | None = None,
    **fields: str | bool,
) -> ConfigFlowResult:
    """Submit a form. base_url: the address in the section with the service's address."""
    assert form["type"] is FlowResultType.FORM
    advanced = {} if base_url is None else {"advanced": {"base_url": base_url}}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {**fields, **advanced})
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


def suggested(form: ConfigFlowResult) -> dict[str, Any]:
    """Return the values that are suggested in a form."""
    assert form["data_schema"] is not None
    return _suggested(form["data_schema"])


def _suggested(schema: vol.Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for marker, field in schema.schema.items():
        if isinstance(field, section):
            found |= _suggested(field.schema)
        elif marker == "sign_in_daily" and isinstance(marker, vol.Optional):
            continue  # It has a default in the dialogs that add an account.
        elif (value := (marker.description or {}).get("suggested_value")) is not None:
            found[str(marker)] = value
    return found


def is_open(form: ConfigFlowResult) -> bool:
    """Return whether the section with the address is expanded."""
    assert form["data_schema"] is not None
    return not form["data_schema"].schema["advanced"].options["collapsed"]


async def said(hass: HomeAssistant, form: ConfigFlowResult, language: str) -> str:
    """Return the text of a form's error."""
    assert form["errors"]
    texts = await async_get_translations(hass, language, "config", [DOMAIN])
    text = texts[f"component.{DOMAIN}.config.error.{form['errors']['base']}"]
    return text.format(**(form["description_placeholders"] or {}))


DEMO = {"username": "demo", "password": "demo-password"}


# Adding an account


@pytest.mark.parametrize("username", ["demo", "demo@example.com", "13800000000", "  demo "])
async def test_password(hass: HomeAssistant, hayfrp: HayFrpService, username: str) -> None:
    form = await begin(hass, "hayfrp_password")
    assert form["errors"] is None

    result = await fill(
        hass, form, username=username, password="demo-password", base_url=f" {hayfrp.url}/ "
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "HayFrp demo"
    assert result["data"] == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{hayfrp.account.uuid}",
        "base_url": f"{hayfrp.url}/",
        "username": username.strip(),
        "password": "demo-password",
        "token": hayfrp.account.csrf,
    }
    assert result["result"].unique_id == f"hayfrp:{hayfrp.account.uuid}"
    assert result["result"].state is ConfigEntryState.LOADED
    assert len(hayfrp.calls_to("/user", type="login")) == 1, "setup uses the session"


@pytest.mark.parametrize("way", ["hayfrp_password", "hayfrp_token"])
@pytest.mark.parametrize("wanted", [True, False])
async def test_the_daily_sign_in_is_offered(
    hass: HomeAssistant, hayfrp: HayFrpService, way: str, wanted: bool
) -> None:
    """It is an option of the entry, not part of its credentials."""
    hayfrp.account.csrf, hayfrp.account.csrf_since = "pasted-session", hayfrp.now()
    fields = DEMO if way == "hayfrp_password" else {"token": "pasted-session"}
    form = await begin(hass, way)
    assert form["data_schema"] is not None
    assert form["data_schema"]({**fields, "advanced": {}})["sign_in_daily"] is True

    form = await fill(hass, form, **fields, sign_in_daily=wanted, base_url="nonsense")
    assert form["errors"] == {"base": "invalid_url"}
    result = await fill(hass, form, **fields, sign_in_daily=wanted, base_url=hayfrp.url)

    entry = result["result"]
    assert entry.options == {"sign_in_daily": wanted}
    assert "sign_in_daily" not in entry.data
    assert (entry.runtime_data.sign_in.next is not None) is wanted
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = await choose(hass, menu, way)
    assert form["data_schema"] is not None
    assert "sign_in_daily" not in form["data_schema"].schema
    await fill(hass, form, **fields, base_url=hayfrp.url)
    assert entry.options == {"sign_in_daily": wanted}, "it is only offered once"


async def test_the_daily_sign_in_is_offered_with_a_new_account(
    hass: HomeAssistant, hayfrp: HayFrpService
) -> None:
    new = {"username": "newcomer", "email": "new@example.com", "password": "new-password"}
    form = await begin(hass, "hayfrp_register")
    form = await fill(hass, form, **new, sign_in_daily=False, base_url=hayfrp.url)
    (mail,) = hayfrp.state.mailbox

    result = await fill(hass, form, code=mail.code)

    assert result["result"].options == {"sign_in_daily": False}


async def test_spaces_in_a_password_are_kept(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    hayfrp.account.password = " sesame "
    form = await begin(hass, "hayfrp_password")

    result = await fill(hass, form, username="demo", password=" sesame ", base_url=hayfrp.url)

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_token(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    hayfrp.account.csrf, hayfrp.account.csrf_since = "pasted-session", hayfrp.now()
    form = await begin(hass, "hayfrp_token")

    result = await fill(hass, form, token=" pasted-session\n", base_url=hayfrp.url)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{hayfrp.account.uuid}",
        "base_url": hayfrp.url,
        "token": "pasted-session",
    }
    assert not hayfrp.calls_to("/user", type="login"), "the browser's session is kept"


async def test_register(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    form = await begin(hass, "hayfrp_register")
    new = {"username": "newcomer", "email": "new@example.com", "password": "new-password"}

    form = await fill(hass, form, **new, base_url=hayfrp.url)
    assert form["step_id"] == "hayfrp_register_code"

    form = await fill(hass, form, code="000000")
    assert form["errors"] == {"base": "rejected"}
    assert "验证码有误" in str(form["description_placeholders"])
    assert suggested(form) == {"code": "000000"}

    form = await fill(hass, form, code=" ")
    assert form["errors"] == {"base": "empty_field"}

    (mail,) = hayfrp.state.mailbox
    result = await fill(hass, form, code=mail.code)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "HayFrp newcomer"
    account = hayfrp.state.accounts["newcomer"]
    assert account.email == "new@example.com"
    assert result["data"] == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{account.uuid}",
        "base_url": hayfrp.url,
        "username": "newcomer",
        "password": "new-password",
        "token": account.csrf,
    }


async def test_a_code_is_sent_once(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    new = {"username": "newcomer", "email": "new@example.com", "password": "new-password"}
    await fill(hass, await begin(hass, "hayfrp_register"), **new, base_url=hayfrp.url)

    form = await fill(hass, await begin(hass, "hayfrp_register"), **new, base_url=hayfrp.url)

    assert form["step_id"] == "hayfrp_register"
    assert form["errors"] == {"base": "rejected"}
    assert form["description_placeholders"] == {"message": "请求过于频繁,请稍后重试."}
    assert suggested(form) == {**new, "base_url": hayfrp.url}


async def test_recover(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    form = await begin(hass, "hayfrp_recover")

    form = await fill(hass, form, username="nobody", base_url=hayfrp.url)
    assert form["errors"] == {"base": "rejected"}
    assert suggested(form) == {"username": "nobody", "base_url": hayfrp.url}

    form = await fill(hass, form, username="demo", base_url=hayfrp.url)
    assert form["step_id"] == "hayfrp_recover_code"

    form = await fill(hass, form, code="wrong", password="better-password")
    assert form["errors"] == {"base": "rejected"}

    (mail,) = hayfrp.state.mailbox
    result = await fill(hass, form, code=mail.code, password="better-password")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hayfrp.account.password == "better-password"
    assert result["data"] == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{hayfrp.account.uuid}",
        "base_url": hayfrp.url,
        "username": "demo",
        "password": "better-password",
        "token": hayfrp.account.csrf,
    }


@pytest.mark.parametrize(
    "start, first, second",
    [
        (
            "hayfrp_register",
            {"username": "newcomer", "email": "new@example.com", "password": "new-password"},
            {},
        ),
        ("hayfrp_recover", {"username": "demo"}, {"password": "new-password"}),
    ],
)
async def test_a_failed_sign_in_after_a_code_was_used(
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    start: str,
    first: dict[str, str],
    second: dict[str, str],
) -> None:
    """A code is valid once. If the sign-in fails after it, only the sign-in is repeated."""
    form = await fill(hass, await begin(hass, start), **first, base_url=hayfrp.url)
    hayfrp.fault("/user", "error", match={"type": "login"})

    form = await fill(hass, form, code=hayfrp.state.mailbox[0].code, **second)
    assert form["step_id"] == "hayfrp_password"
    assert form["errors"] == {"base": "unavailable_server_error"}
    typed = {"username": first["username"], "password": "new-password"}
    assert suggested(form) == {**typed, "base_url": hayfrp.url}

    result = await fill(hass, form, **typed, base_url=hayfrp.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"].keys() == {
        "provider",
        "base_url",
        "username",
        "password",
        "token",
        "id_prefix",
    }


async def test_already_configured(world: World) -> None:
    form = await begin(world.hass, "hayfrp_password")

    result = await fill(world.hass, form, **DEMO, base_url=world.service.url)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# Errors


async def test_errors_in_the_form(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    """The error is explained, the input is kept, and the next attempt succeeds."""
    cases: tuple[tuple[dict[str, str], str], ...] = (
        ({"password": "wrong"}, "invalid_auth"),
        ({"username": "nobody"}, "rejected"),
        ({"username": "  "}, "empty_field"),
        ({"password": "  "}, "empty_field"),
        ({"base_url": "nonsense"}, "invalid_url"),
        ({"base_url": "ftp://example.com"}, "invalid_url"),
        ({"base_url": "https://"}, "invalid_url"),
        ({"base_url": "https://name@example.com"}, "invalid_url"),
        ({"base_url": "https://example.com/?a=b"}, "invalid_url"),
        ({"base_url": "https://example.com:port"}, "invalid_url"),
        ({"base_url": "http://127.0.0.1:1"}, "unavailable_connection"),
    )
    form = await begin(hass, "hayfrp_password")

    for wrong, error in cases:
        typed = {**DEMO, "base_url": hayfrp.url, **wrong}
        form = await fill(hass, form, **typed)
        assert form["errors"] == {"base": error}
        assert suggested(form) == typed
        assert is_open(form)

    result = await fill(hass, form, **DEMO, base_url=hayfrp.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_section_without_input_stays_collapsed(hass: HomeAssistant) -> None:
    form = await begin(hass, "hayfrp_password")
    assert not is_open(form)

    form = await fill(hass, form, username="demo", password=" ", base_url="")

    assert form["errors"] == {"base": "empty_field"}
    assert not is_open(form)


@pytest.mark.parametrize(
    "language, sentence",
    [
        (
            "en",
            "The service rejected the username, password or token{: “|”}. Check what you entered.",
        ),
        ("zh-Hans", "服务拒绝了用户名、密码或令牌{：“|”}。请检查填写的内容。"),
    ],
)
@pytest.mark.parametrize("words", ["密码错误", ""])
async def test_an_error_begins_with_its_translation(
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    language: str,
    sentence: str,
    words: str,
) -> None:
    hayfrp.fault("/user", "body", times=None, body={"status": 403, "message": words})
    form = await begin(hass, "hayfrp_password")

    form = await fill(hass, form, username="demo", password="wrong", base_url=hayfrp.url)

    expected = re.sub(r"{(.*)\|(.*)}", rf"\1{words}\2" if words else "", sentence)
    assert await said(hass, form, language) == expected


def open_sessions() -> list[ClientSession]:
    """Return the sessions that are still open."""
    return [
        thing for thing in gc.get_objects() if isinstance(thing, ClientSession) and not thing.closed
    ]


@pytest.mark.parametrize("ends", ["given up", "signed in"])
async def test_a_flow_closes_its_sessions(
    hass: HomeAssistant, hayfrp: HayFrpService, ends: str
) -> None:
    before = len(open_sessions())
    form = await begin(hass, "hayfrp_password")
    for _ in range(10):
        form = await fill(hass, form, username="demo", password="wrong", base_url=hayfrp.url)
        assert form["errors"] == {"base": "invalid_auth"}
    assert len(open_sessions()) == before + 1

    if ends == "given up":
        hass.config_entries.flow.async_abort(form["flow_id"])
        assert len(open_sessions()) == before
    else:
        await fill(hass, form, **DEMO, base_url=hayfrp.url)
        assert len(open_sessions()) == before + 1, "the session of the account"


@pytest.mark.parametrize("way", ["hayfrp_password", "hayfrp_token"])
async def test_service_failures(world: World, way: str) -> None:
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("body", {"body": "{"}, "unavailable_malformed"),
        ("empty", {}, "unavailable_malformed"),
        ("error", {}, "unavailable_server_error"),
        ("html", {}, "unavailable_firewall"),
        ("huge", {}, "unavailable_too_large"),
        ("redirect", {}, "unavailable_redirect"),
        ("reset", {}, "unavailable_connection"),
        ("status", {}, "unavailable_server_error"),
        ("status", {"status": 429}, "unavailable_rate_limited"),
        ("wrong_type", {}, "unavailable_malformed"),
    )
    hass, service = world.hass, world.service
    await hass.config_entries.async_remove(world.entry.entry_id)
    service.account.csrf, service.account.csrf_since = "pasted", service.now()
    typed = {**DEMO} if way == "hayfrp_password" else {"token": "pasted"}
    form = await begin(hass, way)

    for fault, options, error in cases:
        service.fault("*", fault, times=None, **options)
        form = await fill(hass, form, **typed, base_url=service.url)
        assert form["errors"] == {"base": error}
        assert suggested(form) == {**typed, "base_url": service.url}
        service.clear_faults()

    result = await fill(hass, form, **typed, base_url=service.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_timeout(world: World) -> None:
    hass, service = world.hass, world.service
    await hass.config_entries.async_remove(world.entry.entry_id)
    form = await begin(hass, "hayfrp_password")
    service.fault("/user", "hang", match={"type": "login"})

    sending = asyncio.ensure_future(fill(hass, form, **DEMO, base_url=service.url))
    await world.until(lambda: bool(service.calls))
    world.freezer.tick(30)
    form = await sending
    assert form["errors"] == {"base": "unavailable_timeout"}

    result = await fill(hass, form, **DEMO, base_url=service.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_outage(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    form = await begin(hass, "hayfrp_password")
    await hayfrp.stop()

    form = await fill(hass, form, **DEMO, base_url=hayfrp.url)
    assert form["errors"] == {"base": "unavailable_connection"}

    await hayfrp.start()
    result = await fill(hass, form, **DEMO, base_url=hayfrp.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("way", ["hayfrp_password", "hayfrp_token"])
async def test_banned(hass: HomeAssistant, hayfrp: HayFrpService, way: str) -> None:
    hayfrp.account.csrf, hayfrp.account.csrf_since = "pasted", hayfrp.now()
    hayfrp.account.banned = True
    typed = {**DEMO} if way == "hayfrp_password" else {"token": "pasted"}

    form = await fill(hass, await begin(hass, way), **typed, base_url=hayfrp.url)
    assert form["errors"] == {"base": "account_banned"}

    hayfrp.account.banned = False
    result = await fill(hass, form, **typed, base_url=hayfrp.url)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_account_without_a_name_or_id_is_refused(
    hass: HomeAssistant, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("/user", "patch", match={"type": "info"}, remove=("id", "uuid"))

    form = await fill(hass, await begin(hass, "hayfrp_password"), **DEMO, base_url=hayfrp.url)

    assert form["errors"] == {"base": "rejected"}


async def test_an_expired_token(hass: HomeAssistant, hayfrp: HayFrpService) -> None:
    form = await fill(hass, await begin(hass, "hayfrp_token"), token="dead", base_url=hayfrp.url)

    assert form["errors"] == {"base": "invalid_auth_without_reason"}
    assert suggested(form) == {"token": "dead", "base_url": hayfrp.url}


# Reauthentication and reconfiguration


def entry_of(world: World, data: Mapping[str, str]) -> MockConfigEntry:
    """Replace the credentials of the account's entry."""
    world.hass.config_entries.async_update_entry(
        world.entry, data={"provider": "hayfrp", "base_url": world.service.url, **data}
    )
    return world.entry


async def test_reauth_by_password(world: World) -> None:
    world.service.account.password = "changed"
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_ERROR
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"

    menu = await world.hass.config_entries.flow.async_configure(flow["flow_id"])
    assert menu["menu_options"] == ["hayfrp_password", "hayfrp_token"]
    assert menu["description_placeholders"] == {"account": "HayFrp demo"}
    form = await choose(world.hass, menu, "hayfrp_password")
    assert suggested(form) == {"username": "demo", "base_url": world.service.url}
    assert is_open(form)

    form = await fill(world.hass, form, **DEMO, base_url=world.service.url)
    assert form["errors"] == {"base": "invalid_auth"}
    assert is_open(form)
    result = await fill(
        world.hass, form, username="demo", password="changed", base_url=world.service.url
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert world.entry.data["password"] == "changed"
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_reauth_by_token(world: World) -> None:
    entry_of(world, {"token": "dead"})
    await world.set_up()
    (flow,) = world.hass.config_entries.flow.async_progress()
    world.service.account.csrf = "alive"
    world.service.account.csrf_since = world.service.now()

    menu = await world.hass.config_entries.flow.async_configure(flow["flow_id"])
    form = await choose(world.hass, menu, "hayfrp_token")
    assert suggested(form) == {"base_url": world.service.url}
    result = await fill(world.hass, form, token="alive", base_url=world.service.url)

    assert result["reason"] == "reauth_successful"
    assert world.entry.data["token"] == "alive"
    assert world.entry_state() is ConfigEntryState.LOADED


@pytest.mark.parametrize("kind", ["reauth", "reconfigure"])
async def test_reauth_with_another_account_is_refused(world: World, kind: str) -> None:
    before = dict(world.entry.data)
    start = {
        "reauth": world.entry.start_reauth_flow,
        "reconfigure": world.entry.start_reconfigure_flow,
    }[kind]

    form = await choose(world.hass, await start(world.hass), "hayfrp_password")
    result = await fill(
        world.hass, form, username="other", password="other-password", base_url=world.service.url
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert world.entry.data == before


async def test_reconfigure_to_a_token_removes_the_password(world: World) -> None:
    await world.set_up()
    world.service.account.csrf = "pasted"

    menu = await world.entry.start_reconfigure_flow(world.hass)
    assert menu["menu_options"] == ["hayfrp_password", "hayfrp_token"]
    form = await choose(world.hass, menu, "hayfrp_token")
    result = await fill(world.hass, form, token="pasted", base_url=world.service.url)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert world.entry.data == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{world.service.account.uuid}",
        "base_url": world.service.url,
        "token": "pasted",
    }
    assert world.entry_state() is ConfigEntryState.LOADED
    assert len(world.service.calls_to("/user", type="login")) == 1, "only at the first setup"


async def test_reconfigure_to_a_password(world: World) -> None:
    world.service.account.csrf = "pasted"
    world.service.account.csrf_since = world.service.now()
    entry_of(world, {"token": "pasted"})
    await world.set_up()

    form = await choose(
        world.hass, await world.entry.start_reconfigure_flow(world.hass), "hayfrp_password"
    )
    form = await fill(
        world.hass, form, username="demo", password="wrong", base_url=world.service.url
    )
    assert form["errors"] == {"base": "invalid_auth"}
    assert world.entry.data["token"] == "pasted"
    result = await fill(world.hass, form, **DEMO, base_url=world.service.url)

    assert result["reason"] == "reconfigure_successful"
    assert world.entry.data["password"] == "demo-password"
    assert world.entry.data["token"] == world.service.account.csrf
    assert world.entry_state() is ConfigEntryState.LOADED


# The account is removed while a form is open


AGAIN = pytest.mark.parametrize("kind", ["reauth", "reconfigure"])


async def begin_sign_in(world: World, kind: str) -> ConfigFlowResult:
    """Open the form that signs in to an existing account."""
    start = {
        "reauth": world.entry.start_reauth_flow,
        "reconfigure": world.entry.start_reconfigure_flow,
    }[kind]
    return await choose(world.hass, await start(world.hass), "hayfrp_password")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that no warnings or errors are logged."""
    yield
    ours = [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR or r.exc_info]
    assert not ours


@pytest.mark.usefixtures("quiet")
async def test_removed_while_a_form_is_open(world: World) -> None:
    """Home Assistant closes the reauthentication flow. The reconfiguration flow is aborted."""
    await world.set_up()
    form = await begin_sign_in(world, "reconfigure")
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    world.service.calls.clear()

    result = await fill(world.hass, form, **DEMO, base_url=world.service.url)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
    assert not world.service.calls, "no login is requested"


@pytest.mark.usefixtures("quiet")
async def test_removed_while_a_menu_is_open(world: World) -> None:
    await world.set_up()
    menu = await world.entry.start_reconfigure_flow(world.hass)
    await world.hass.config_entries.async_remove(world.entry.entry_id)

    result = await choose(world.hass, menu, "hayfrp_password")

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")


@AGAIN
@pytest.mark.parametrize("password", ["demo-password", "wrong"])
@pytest.mark.usefixtures("quiet")
async def test_removed_while_signing_in(world: World, kind: str, password: str) -> None:
    await world.set_up()
    form = await begin_sign_in(world, kind)
    gate = world.service.gate("/user", match={"type": "login"})
    step = world.hass.async_create_task(
        fill(world.hass, form, username="demo", password=password, base_url=world.service.url)
    )
    await gate.reached()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    gate.open()
    result = await step

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
    assert not world.hass.config_entries.flow.async_progress()
    assert not world.hass.config_entries.async_entries(DOMAIN)


@pytest.mark.usefixtures("quiet")
async def test_removed_while_a_session_is_renewed(world: World) -> None:
    """A command has found that the session expired. Nothing is stored for the removed entry."""
    await world.set_up()
    world.service.account.csrf = "of-another-program"
    gate = world.service.gate("/user", "after", match={"type": "login"})
    command = world.hass.async_create_task(on(world, "tunnel:1", "force_offline"))
    await gate.reached()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    gate.open()
    with pytest.raises(HomeAssistantError) as info:
        await command

    assert info.value.translation_key == "unavailable_closed"
    assert world.entry.data["token"] != world.service.account.csrf


@pytest.mark.usefixtures("quiet")
async def test_removed_while_a_renewal_is_refused(world: World) -> None:
    """No reauthentication is started for a removed entry."""
    await world.set_up()
    world.service.account.csrf = "of-another-program"
    world.service.account.password = "changed"
    gate = world.service.gate("/user", "after", match={"type": "login"})
    command = world.hass.async_create_task(on(world, "tunnel:1", "force_offline"))
    await gate.reached()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    gate.open()
    with pytest.raises(HomeAssistantError):
        await command
    await world.settle()

    assert not world.hass.config_entries.flow.async_progress()


@pytest.mark.usefixtures("quiet")
async def test_removed_while_the_options_are_open(world: World) -> None:
    await world.set_up()
    form = await options_form(world)
    await world.hass.config_entries.async_remove(world.entry.entry_id)

    result = await world.hass.config_entries.options.async_configure(
        form["flow_id"],
        {
            "shown_nodes": {"nodes": "all", "chosen_nodes": []},
            "reachability": {"checks": "off"},
            "daily_sign_in": SIGN_IN_OFF,
        },
    )

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")


async def test_removed_while_the_options_are_loading(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The names of the nodes are being read."""
    world.service.fault("/nodes", "html", times=2)
    await world.set_up()
    caplog.clear()
    gate = world.service.gate("/nodes")
    step = world.hass.async_create_task(options_form(world))
    await gate.reached()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    gate.open()
    result = await step

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_removed")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# Options


async def options_form(world: World) -> ConfigFlowResult:
    return await world.hass.config_entries.options.async_init(world.entry.entry_id)


async def choose_options(
    world: World, nodes: Mapping[str, object], sign_in: Mapping[str, object]
) -> ConfigFlowResult:
    """Open the options and submit them."""
    form = await options_form(world)
    result = await world.hass.config_entries.options.async_configure(
        form["flow_id"],
        {"shown_nodes": nodes, "reachability": {"checks": "all"}, "daily_sign_in": sign_in},
    )
    await world.settle()
    return result


SIGN_IN_OFF = {"sign_in_daily": False, "sign_in_from": "08:00:00", "sign_in_until": "10:00:00"}


def node_names(form: ConfigFlowResult) -> dict[str, str]:
    """Return the nodes in a form, by id."""
    assert form["data_schema"] is not None
    schema = form["data_schema"].schema["shown_nodes"].schema.schema
    return {option["value"]: option["label"] for option in schema["chosen_nodes"].config["options"]}


def shown_nodes(world: World) -> set[str]:
    """Return the nodes that have a device. Other nodes have no entities."""
    shown = {number for number in "12345678" if world.device(f"node:{number}")}
    assert {entity.unique_id.split(":")[2] for entity in world.registered("node:")} == shown
    return shown


@pytest.mark.platforms("binary_sensor")
async def test_options(world: World) -> None:
    await world.set_up()
    assert world.device("node:8")

    result = await choose_options(
        world,
        {"nodes": "used", "chosen_nodes": []},
        {"sign_in_daily": True, "sign_in_from": "23:00:00", "sign_in_until": "01:00:00"},
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert world.entry.options == {
        "nodes": "used",
        "chosen_nodes": [],
        "checks": "all",
        "sign_in_daily": True,
        "sign_in_from": "23:00:00",
        "sign_in_until": "01:00:00",
    }
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.entry.runtime_data.sign_in.next is not None, "options apply immediately"
    form = await options_form(world)
    assert suggested(form) == world.entry.options


@pytest.mark.parametrize(
    "mode, chosen, shown",
    [
        ("all", [], {"1", "2", "3", "4", "5", "6", "7", "8"}),
        ("used", ["8"], {"1", "2", "3", "4", "5"}),
        ("chosen", ["2", "8"], {"2", "8"}),
    ],
)
@pytest.mark.platforms("binary_sensor")
async def test_select_nodes(world: World, mode: str, chosen: list[str], shown: set[str]) -> None:
    """Node 8 is offline and can be selected. The devices of other nodes are removed immediately."""
    await world.set_up()
    assert node_names(await options_form(world)).keys() == set("12345678")

    await choose_options(world, {"nodes": mode, "chosen_nodes": chosen}, SIGN_IN_OFF)

    assert shown_nodes(world) == shown


@pytest.mark.parametrize(
    "before", [("chosen", ["8"]), ("chosen", ["1"]), ("used", []), ("all", [])]
)
@pytest.mark.platforms("binary_sensor")
async def test_an_earlier_selection_is_replaced(
    world: World, before: tuple[str, list[str]]
) -> None:
    await world.set_up()
    for mode, chosen in (before, ("used", [])):
        await choose_options(world, {"nodes": mode, "chosen_nodes": chosen}, SIGN_IN_OFF)

    assert shown_nodes(world) == set("12345")
    await world.restart()
    assert shown_nodes(world) == set("12345")


@pytest.mark.platforms("binary_sensor")
async def test_an_empty_selection_of_an_older_version(world: World) -> None:
    await world.set_up()
    await world.restart(nodes="chosen", chosen_nodes=[])
    assert shown_nodes(world) == set()

    await choose_options(world, {"nodes": "used", "chosen_nodes": []}, SIGN_IN_OFF)

    assert shown_nodes(world) == set("12345")


@pytest.mark.platforms("binary_sensor")
async def test_select_nodes_whose_entities_are_disabled(world: World) -> None:
    """Nothing is read for disabled entities, but the devices of other nodes are removed."""
    await world.set_up()
    world.disable("node:")
    await world.restart()

    await choose_options(world, {"nodes": "used", "chosen_nodes": []}, SIGN_IN_OFF)

    assert shown_nodes(world) == set("12345")


@pytest.mark.platforms("binary_sensor")
async def test_select_nodes_while_the_service_does_not_respond(world: World) -> None:
    """The selection applies when the service responds."""
    await world.set_up()
    world.service.fault("/nodes", "html", times=None)
    await choose_options(world, {"nodes": "used", "chosen_nodes": []}, SIGN_IN_OFF)
    assert shown_nodes(world) == set("12345678")

    world.service.clear_faults()
    await world.live(6 * MINUTE)

    assert shown_nodes(world) == set("12345")


@pytest.mark.platforms("binary_sensor")
async def test_tunnels_stay_when_the_options_change(world: World) -> None:
    """The options do not change tunnels, and one incomplete answer removes none."""
    await world.set_up()
    tunnel = world.service.state.tunnels.pop("1")

    await choose_options(world, {"nodes": "all", "chosen_nodes": []}, SIGN_IN_OFF)

    assert world.device("tunnel:1")
    world.service.state.tunnels["1"] = tunnel


async def test_an_empty_selection_is_refused(world: World) -> None:
    """The input stays in the form, and the options do not change."""
    await world.set_up(nodes="used")

    result = await choose_options(world, {"nodes": "chosen", "chosen_nodes": []}, SIGN_IN_OFF)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "no_nodes_chosen"}
    assert suggested(result)["nodes"] == "chosen"
    assert world.entry.options == {"nodes": "used"}


async def test_options_contain_nodes_that_are_no_longer_listed(world: World) -> None:
    await world.set_up(nodes="chosen", chosen_nodes=["2", "99"])

    names = node_names(await options_form(world))

    assert names["99"] == "99"
    assert names["1"] == world.service.state.nodes["1"].name


async def test_options_while_nodes_cannot_be_read(world: World) -> None:
    world.service.fault("/nodes", "html", times=None)
    await world.set_up(nodes="chosen", chosen_nodes=["2"])

    form = await options_form(world)

    assert form["type"] is FlowResultType.FORM
    assert node_names(form) == {"2": "2"}


async def test_options_while_the_account_fails(world: World) -> None:
    await world.service.stop()
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY

    result = await options_form(world)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"


async def test_two_accounts(world: World) -> None:
    await world.set_up()
    form = await begin(world.hass, "hayfrp_password")

    result = await fill(
        world.hass, form, username="other", password="other-password", base_url=world.service.url
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert (
        result["result"].unique_id
        == account_entry(world.service, world.service.state.accounts["other"]).unique_id
    )


async def test_reconfigure_ends_reauthentication(world: World) -> None:
    """The reauthentication request ends."""
    world.service.account.password = "changed"
    await world.set_up()
    (reauth,) = world.hass.config_entries.flow.async_progress()
    menu = await world.entry.start_reconfigure_flow(world.hass)
    form = await choose(world.hass, menu, "hayfrp_password")

    result = await fill(
        world.hass, form, username="demo", password="changed", base_url=world.service.url
    )

    assert result["reason"] == "reconfigure_successful"
    assert world.entry_state() is ConfigEntryState.LOADED
    assert not world.hass.config_entries.flow.async_progress(), reauth
