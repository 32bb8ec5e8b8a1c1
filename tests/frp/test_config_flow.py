"""Tests the config flow of frps: addresses, passwords and errors."""

from typing import Any
from urllib.parse import quote

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from yarl import URL

from custom_components.tunnel_hub.const import DOMAIN
from simulator.frp import FrpService

from ..common import World
from .common import HALF_A_MINUTE

ADMIN = {"username": "admin", "password": "demo-password"}


async def begin(hass: HomeAssistant, step: str = "frp_server") -> Any:
    """Open the form of a program."""
    flow = hass.config_entries.flow
    form: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for choice in ("frp", step):
        form = await flow.async_configure(form["flow_id"], {"next_step_id": choice})
    return form


async def fill(hass: HomeAssistant, form: Any, **fields: Any) -> Any:
    """Submit a form, and wait until the entry that it may create is set up."""
    advanced = {name: fields.pop(name) for name in ("verify", "ca") if name in fields}
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {**fields, "advanced": advanced}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_the_server(hass: HomeAssistant, frp: FrpService) -> None:
    result = await fill(hass, await begin(hass), base_url=frp.url, **ADMIN)

    address = frp.url.partition("://")[2]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"frps {address}"
    assert result["data"] == {
        "provider": "frp",
        "id_prefix": f"frp.{quote(address)}",
        "kind": "frps",
        "base_url": frp.url,
        **ADMIN,
    }
    assert result["result"].unique_id == f"frp:{address}"
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    "pasted",
    [
        "127.0.0.1:{port}",
        "http://127.0.0.1:{port}/static/#/proxies/tcp",
        " http://127.0.0.1:{port}/api/serverinfo ",
    ],
)
async def test_any_form_of_an_address(hass: HomeAssistant, frp: FrpService, pasted: str) -> None:
    address = pasted.format(port=URL(frp.url).port)

    result = await fill(hass, await begin(hass), base_url=address, **ADMIN)

    assert result["data"]["base_url"] == frp.url


async def test_an_address_with_a_path(hass: HomeAssistant, frp: FrpService) -> None:
    await frp.stop()
    frp.base_path = "/behind/frps"
    await frp.start()

    result = await fill(hass, await begin(hass), base_url=f"{frp.url}/behind/frps/static/", **ADMIN)

    assert result["data"]["base_url"] == f"{frp.url}/behind/frps"
    assert result["result"].unique_id.endswith("/behind/frps")
    assert result["result"].state is ConfigEntryState.LOADED


async def test_errors_in_the_form(hass: HomeAssistant, frp: FrpService) -> None:
    cases: tuple[tuple[dict[str, str], str], ...] = (
        ({"password": "wrong"}, "invalid_auth_without_reason"),
        ({"username": "nobody"}, "invalid_auth_without_reason"),
        ({"username": "", "password": ""}, "invalid_auth_without_reason"),
        ({"base_url": " "}, "empty_field"),
        ({"base_url": "ftp://example.com"}, "invalid_url"),
        ({"base_url": "http://127.0.0.1:1"}, "unavailable_connection"),
        ({"ca": "no certificate"}, "invalid_ca"),
    )
    result = await begin(hass)

    for changes, error in cases:
        result = await fill(hass, result, **{"base_url": frp.url, **ADMIN, **changes})
        assert result["errors"] == {"base": error}

    result = await fill(hass, result, base_url=frp.url, **ADMIN)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_web_server(hass: HomeAssistant, frp: FrpService) -> None:
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("html", {"status": 200}, "no_frp_here"),
        ("body", {"body": {"hello": "world"}}, "no_frp_here"),
        ("body", {"body": {"data": {"version": "1"}}}, "no_frp_here"),
        ("status", {"status": 404, "body": "404 page not found\n"}, "no_frp_here"),
        ("status", {"status": 404, "body": "Not Found"}, "no_frp_here"),
        ("html", {"status": 403}, "unavailable_firewall"),
        ("redirect", {}, "unavailable_redirect"),
        ("status", {"status": 500}, "unavailable_server_error"),
    )
    result = await begin(hass)

    for kind, options, error in cases:
        frp.fault("*", kind, times=None, **options)
        result = await fill(hass, result, base_url=frp.url, **ADMIN)
        assert result["errors"] == {"base": error}
        frp.clear_faults()


async def test_a_dashboard_without_a_password(hass: HomeAssistant, frp: FrpService) -> None:
    frp.state.server.settings.username = frp.state.server.settings.password = ""

    result = await fill(hass, await begin(hass), base_url=frp.url)

    assert result["data"] == {
        "provider": "frp",
        "id_prefix": f"frp.{quote(frp.url.partition('://')[2])}",
        "kind": "frps",
        "base_url": frp.url,
    }
    assert not any("Authorization" in call.headers for call in frp.calls)


async def test_already_configured(world: World[FrpService]) -> None:
    await world.set_up()

    result = await fill(
        world.hass, await begin(world.hass), base_url=f"{world.service.url}/static/", **ADMIN
    )

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_a_changed_password_asks_to_sign_in_again(world: World[FrpService]) -> None:
    await world.set_up()
    settings = world.service.state.server.settings
    settings.password = "another"
    await world.elapse(HALF_A_MINUTE)

    (flow,) = world.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    form: Any = await world.hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "frp_server"}
    )
    shown = {
        str(marker): marker.description["suggested_value"]
        for marker in form["data_schema"].schema
        if (marker.description or {}).get("suggested_value")
    }
    assert shown["base_url"] == world.service.url
    assert shown["username"] == "admin"
    assert "password" not in shown
    result = await fill(
        world.hass, form, base_url=world.service.url, username="admin", password="another"
    )

    assert result["reason"] == "reauth_successful"
    assert world.entry.data["password"] == "another"
    assert world.entry.data["kind"] == "frps"
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_the_server_moved(world: World[FrpService]) -> None:
    """A server has no id, so the new address is accepted."""
    await world.set_up()
    flow = world.hass.config_entries.flow
    form = await flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": world.entry.entry_id}
    )
    form = await flow.async_configure(form["flow_id"], {"next_step_id": "frp_server"})
    await world.service.stop()
    world.service.base_path = "/moved"
    await world.service.start()
    moved = f"{world.service.url}/moved"

    result = await fill(world.hass, form, base_url=moved, **ADMIN)

    assert result["reason"] == "reconfigure_successful"
    assert world.entry.unique_id == f"frp:{moved.partition('://')[2]}"
    assert world.device("tunnel:alice.nas")
