"""Tests HY2 SCALE's config flow: address, certificate, password and reauthentication."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import ANY

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix
from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService, hashed

from ..common import user_settings
from ..test_config_flow import choose, suggested
from .common import BOTH, POLL, Hub, node_entry

pytestmark = pytest.mark.platforms()

ADVANCED = ("base_path", "verify", "ca")


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    menu = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await choose(hass, menu, "hy2scale")


def address(service: Hy2ScaleService, **changes: Any) -> dict[str, Any]:
    """Return the input for the simulated node."""
    url = URL(service.url)
    return {
        "host": url.host,
        "port": url.port,
        "https": False,
        "username": "admin",
        "password": "hub-password",
        **changes,
    }


async def fill(hass: HomeAssistant, form: ConfigFlowResult, **fields: Any) -> ConfigFlowResult:
    assert form["type"] is FlowResultType.FORM
    advanced = {name: fields.pop(name) for name in ADVANCED if name in fields}
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {**fields, "advanced": advanced}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def https(service: Hy2ScaleService) -> str:
    """Let the node use HTTPS, and return its certificate authority as PEM."""
    service.state.ui.force_https, service.state.ui.https_cert_id = True, "web"
    await service.restart()
    return service.state.certificates["mesh-ca"].cert


# Adding a node


@BOTH
async def test_plain_http(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    form = await begin(hass)
    assert form["errors"] is None

    result = await fill(
        hass, form, **address(hy2scale, host=" 127.0.0.1 ", port=float(_port(hy2scale)))
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "HY2 SCALE sg-home"
    assert result["result"].unique_id == "hy2scale:ea1b2adb"
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"] == {
        "provider": "hy2scale",
        "id_prefix": "hy2scale.ea1b2adb",
        "host": "127.0.0.1",
        "port": str(_port(hy2scale)),
        "https": "false",
        "base_path": "scale",
        "verify": "true",
        "username": "admin",
        "password_hash": hashed("hub-password"),
        "token": ANY,
        "default_password": "false",
    }, "the password itself is not stored"
    assert [result["data"]["token"]] == [*hy2scale.state.tokens], "it is not requested twice"


def _port(service: Hy2ScaleService) -> int:
    port = URL(service.url).port
    assert port
    return port


async def test_the_password_is_not_sent_in_plain_text(
    hass: HomeAssistant, hy2scale: Hy2ScaleService
) -> None:
    await fill(hass, await begin(hass), **address(hy2scale))

    (login,) = {str(call.body) for call in hy2scale.calls_to("/api/login")}
    assert hashed("hub-password") in login
    assert "hub-password" not in str(hy2scale.calls)


async def test_https_and_verification_are_the_default(hass: HomeAssistant) -> None:
    form = await begin(hass)

    assert form["data_schema"] is not None
    filled = form["data_schema"]({"host": "hub.example.com", "password": "secret", "advanced": {}})
    assert filled["https"] is True
    assert filled["port"] == 5565
    assert filled["advanced"] == {"base_path": "scale", "verify": True}


async def test_https_with_an_authority(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    authority = await https(hy2scale)

    result = await fill(hass, await begin(hass), **address(hy2scale, https=True, ca=authority))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"]["ca"] == authority.strip()


async def test_https_without_verification(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    await https(hy2scale)

    result = await fill(hass, await begin(hass), **address(hy2scale, https=True, verify=False))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"]["verify"] == "false"


async def test_an_unknown_certificate(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    """Nothing was sent, not even the hash of the password."""
    authority = await https(hy2scale)
    hy2scale.calls.clear()
    form = await begin(hass)

    result = await fill(hass, form, **address(hy2scale, https=True))

    assert result["errors"] == {"base": "unavailable_tls"}
    assert not hy2scale.calls
    assert suggested(result) == {
        "host": "127.0.0.1",
        "port": _port(hy2scale),
        "https": True,
        "username": "admin",
        "password": "hub-password",
        "base_path": "scale",
        "verify": True,
    }, "only what was wrong has to be entered again"
    result = await fill(hass, result, **address(hy2scale, https=True, ca=authority))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_https_at_a_server_without_it(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    result = await fill(hass, await begin(hass), **address(hy2scale, https=True))

    assert result["errors"] == {"base": "unavailable_tls"}
    assert result["description_placeholders"] == {"detail": ""}, (
        "the name of a Python class is not shown"
    )


async def test_another_base_path(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.ui.base_path = "/"
    await hy2scale.restart()
    form = await begin(hass)

    result = await fill(hass, form, **address(hy2scale))
    assert result["errors"] is not None
    assert result["errors"]["base"].startswith("unavailable_")
    result = await fill(hass, result, **address(hy2scale, base_path="/"))

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_errors_in_the_form(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"password": "wrong"}, "invalid_auth"),
        ({"username": "wrong"}, "invalid_auth"),
        ({"password": ""}, "empty_field"),
        ({"username": " "}, "empty_field"),
        ({"host": " "}, "empty_field"),
        ({"host": "a b"}, "invalid_host"),
        ({"host": "http://127.0.0.1"}, "invalid_host"),
        ({"https": True, "ca": "no certificate"}, "invalid_ca"),
        ({"port": 1}, "unavailable_connection"),
        ({"base_path": "elsewhere"}, "no_node_here"),
    )
    result = await begin(hass)

    for changes, error in cases:
        result = await fill(hass, result, **address(hy2scale, **changes))
        assert result["errors"] == {"base": error}

    result = await fill(hass, result, **address(hy2scale))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_web_server(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> None:
    """The server returns a web page, or another answer that a node does not give."""
    hy2scale.fault("*", "html", times=None)

    result = await fill(hass, await begin(hass), **address(hy2scale))

    assert result["errors"] == {"base": "unavailable_firewall"}


async def test_already_configured(
    hass: HomeAssistant, hy2scale: Hy2ScaleService, entry: MockConfigEntry
) -> None:
    other = URL(hy2scale.mirror_url).port
    result = await fill(hass, await begin(hass), **address(hy2scale, port=other))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_no_options(world: Hub) -> None:
    await world.set_up()

    result = await world.hass.config_entries.options.async_init(world.entry.entry_id)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_options"


# Reauthentication and reconfiguration


@pytest.mark.platforms("binary_sensor")
async def test_reauthentication(world: Hub) -> None:
    """The password was changed at the node. The form shows the node's address."""
    await world.set_up()
    world.service.set_password("changed")
    await world.elapse(POLL)
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    menu = await world.hass.config_entries.flow.async_configure(flow["flow_id"])
    form = await choose(world.hass, menu, "hy2scale")
    assert suggested(form) == {
        "host": "127.0.0.1",
        "port": str(_port(world.service)),
        "https": False,
        "username": "admin",
        "base_path": "/scale",
        "verify": True,
    }

    result = await fill(world.hass, form, **address(world.service, password="changed"))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert world.entry.data["password_hash"] == hashed("changed")
    assert "password" not in world.entry.data
    await world.settle()
    assert world.value("binary_sensor", "peer:office", "connected") == "on"


async def test_reconfigure_to_another_address(world: Hub) -> None:
    """The same node at another address."""
    await world.set_up()
    other = URL(world.service.mirror_url).port
    result = await world.entry.start_reconfigure_flow(world.hass)
    form = await choose(world.hass, result, "hy2scale")

    result = await fill(world.hass, form, **address(world.service, port=other))

    assert result["reason"] == "reconfigure_successful"
    assert world.entry.data["port"] == str(other)


@pytest.fixture
async def another_node() -> AsyncIterator[Hy2ScaleService]:
    """Return another node with the same password."""
    async with Simulator(services=("hy2scale",), seed=2) as running:
        running.get(Hy2ScaleService).state.node_id, running.get(Hy2ScaleService).state.name = (
            "f00d",
            "second",
        )
        yield running.get(Hy2ScaleService)


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_reconfigure_to_another_node(
    world: Hub, another_node: Hy2ScaleService, source: str
) -> None:
    """Its entities would have another meaning."""
    await world.set_up()
    before = dict(world.entry.data)

    result = await again(world, source, **address(another_node))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert world.entry.data == before


async def test_two_nodes(
    hass: HomeAssistant, hy2scale: Hy2ScaleService, another_node: Hy2ScaleService
) -> None:
    """Each has its own entry and devices."""
    first = node_entry(hy2scale)
    first.add_to_hass(hass)
    await hass.config_entries.async_setup(first.entry_id)

    result = await fill(hass, await begin(hass), **address(another_node))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "HY2 SCALE second"
    assert first.state is ConfigEntryState.LOADED


# Renamed nodes: the console renames a node with PUT /node {"node_id"}


async def again(world: Hub, source: str, **fields: Any) -> ConfigFlowResult:
    menu = await world.hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": source, "entry_id": world.entry.entry_id},
        data=dict(world.entry.data),
    )
    return await fill(world.hass, await choose(world.hass, menu, "hy2scale"), **fields)


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
@pytest.mark.platforms("binary_sensor")
async def test_a_renamed_node_is_the_same(world: Hub, source: str) -> None:
    """The entry is updated with the next poll.

    The user can sign in again, also at another address.
    """
    await world.set_up()
    world.service.state.node_id = "renamed"
    await world.elapse(POLL)
    assert world.entry.unique_id == "hy2scale:renamed"
    other = URL(world.service.mirror_url).port

    result = await again(world, source, **address(world.service, port=other))

    assert str(result["reason"]).endswith("_successful")
    assert world.entry.data["port"] == str(other)
    assert world.entry_state() is ConfigEntryState.LOADED
    assert (await fill(world.hass, await begin(world.hass), **address(world.service)))[
        "reason"
    ] == "already_configured"


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_a_node_renamed_while_home_assistant_was_off(world: Hub, source: str) -> None:
    """It was renamed while Home Assistant was off, and its password changed.

    The address identifies it.
    """
    world.service.state.node_id = "renamed"
    world.service.set_password("changed")
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_ERROR
    assert world.entry.unique_id == "hy2scale:ea1b2adb"

    result = await again(world, source, **address(world.service, password="changed"))

    assert str(result["reason"]).endswith("_successful")
    assert world.entry.unique_id == "hy2scale:renamed"
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_a_renamed_node_is_not_added_again(world: Hub) -> None:
    """This holds before its new id was read."""
    world.service.state.node_id = "renamed"

    result = await fill(world.hass, await begin(world.hass), **address(world.service))

    assert result["reason"] == "already_configured"


@pytest.mark.platforms("binary_sensor")
async def test_two_nodes_swap_their_names(world: Hub, another_node: Hy2ScaleService) -> None:
    """Two nodes swap their ids. Each entry is updated as soon as the id is free."""
    hass = world.hass
    await world.set_up()
    second = (await fill(hass, await begin(hass), **address(another_node)))["result"]
    assert second.unique_id == "hy2scale:f00d"
    world.service.state.node_id, another_node.state.node_id = "f00d", "elsewhere"

    for _ in range(2):
        await world.elapse(POLL)

    assert (world.entry.unique_id, second.unique_id) == ("hy2scale:f00d", "hy2scale:elsewhere")


@pytest.mark.platforms("binary_sensor")
async def test_a_new_node_with_the_original_name(world: Hub, another_node: Hy2ScaleService) -> None:
    """Its identifiers keep the prefix. A new node of that name gets another one."""
    hass = world.hass
    await world.set_up()
    before = user_settings(world.hass, world.entry)
    world.service.state.node_id, another_node.state.node_id = "renamed", "ea1b2adb"
    await world.elapse(POLL)
    await world.restart()
    assert user_settings(world.hass, world.entry) == before

    second = (await fill(hass, await begin(hass), **address(another_node)))["result"]
    await world.settle()

    assert (world.entry.unique_id, second.unique_id) == ("hy2scale:renamed", "hy2scale:ea1b2adb")
    assert (id_prefix(world.entry), id_prefix(second)) == ("hy2scale.ea1b2adb", second.entry_id)
    assert user_settings(world.hass, world.entry) == before
    assert user_settings(hass, second)


async def test_reconfigure_to_the_address_of_another_entry(
    world: Hub, another_node: Hy2ScaleService
) -> None:
    """Two entries are never merged."""
    hass = world.hass
    await world.set_up()
    assert (await fill(hass, await begin(hass), **address(another_node)))["type"] is (
        FlowResultType.CREATE_ENTRY
    )
    hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, "port": str(_port(another_node))}
    )

    result = await again(world, "reconfigure", **address(another_node))

    assert result["reason"] == "already_configured"
