"""Tests EasyTier's config flow: sign-in, registration, first setup and options."""

from collections.abc import Mapping
import logging
from typing import Any, cast
from unittest.mock import ANY
from urllib.parse import quote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.tunnel_hub.const import DOMAIN
from simulator.easytier import EasyTierService
from simulator.hy2scale.keys import issue, server_context

from ..clocks import fire_timers
from ..common import World
from ..sampling import each_with_each
from ..test_config_flow import begin, choose, suggested
from .common import BOTH, DOCUMENTED, FIVE_MINUTES

pytestmark = pytest.mark.platforms()

DEMO: dict[str, Any] = {"email": "demo@example.com", "password": "demo-password"}

STORED = {"provider", "id_prefix", "base_url", "email", "password", "token"}


async def fill(
    hass: HomeAssistant,
    form: ConfigFlowResult,
    advanced: Mapping[str, Any] | None = None,
    **fields: Any,
) -> ConfigFlowResult:
    assert form["type"] is FlowResultType.FORM
    assert form["data_schema"] is not None
    more = {"advanced": advanced or {}} if "advanced" in form["data_schema"].schema else {}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {**fields, **more})
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


# With an account


@BOTH
async def test_account(hass: HomeAssistant, easytier: EasyTierService) -> None:
    form = await begin(hass, "easytier_account", "easytier")
    assert form["errors"] is None

    result = await fill(hass, form, base_url=easytier.url, **DEMO)

    server = URL(easytier.url).authority
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"EasyTier demo ({server})"
    assert result["result"].unique_id is not None
    assert result["result"].unique_id.startswith(f"easytier:{server}:")
    assert "@" not in result["result"].unique_id, "an email address is private"
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"] == {
        "provider": "easytier",
        "id_prefix": f"easytier.{quote(result['result'].unique_id.partition(':')[2])}",
        "base_url": easytier.url,
        "token": ANY,
        **DEMO,
    }
    assert result["data"]["token"]
    assert len(easytier.calls_to("/api/auth/login")) == 1, "the token is stored"


@pytest.mark.parametrize(
    "pasted",
    ["127.0.0.1:{port}", "http://127.0.0.1:{port}/", " http://127.0.0.1:{port}/dashboard?a=b#c "],
)
async def test_any_form_of_an_address(
    hass: HomeAssistant, easytier: EasyTierService, pasted: str
) -> None:
    address = pasted.format(port=URL(easytier.url).port)

    result = await fill(
        hass, await begin(hass, "easytier_account", "easytier"), base_url=address, **DEMO
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["base_url"] == easytier.url


async def test_errors_in_the_form(hass: HomeAssistant, easytier: EasyTierService) -> None:
    """The next attempt succeeds, and valid input stays in the form."""
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"password": "wrong"}, "invalid_auth"),
        ({"email": "nobody@example.com"}, "invalid_auth"),
        (
            {"email": "unverified@example.com", "password": "unverified-password"},
            "mail_not_verified",
        ),
        ({"email": " "}, "empty_field"),
        ({"base_url": "ftp://example.com"}, "invalid_url"),
        ({"base_url": "http://127.0.0.1:1"}, "unavailable_connection"),
    )
    result = await begin(hass, "easytier_account", "easytier")

    for changes, error in cases:
        result = await fill(hass, result, **{"base_url": easytier.url, **DEMO, **changes})
        assert result["errors"] == {"base": error}
        assert suggested(result)["base_url"] == changes.get("base_url", easytier.url)

    result = await fill(hass, result, base_url=easytier.url, **DEMO)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_web_server(hass: HomeAssistant, easytier: EasyTierService) -> None:
    """A server that is not a node manager does not receive the password."""
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("html", {"status": 200}, "other_service"),
        ("body", {"body": '{"hello": "world"}'}, "other_service"),
        ("status", {"status": 404, "body": "404 Not Found"}, "other_service"),
        ("html", {"status": 403}, "unavailable_firewall"),
        ("redirect", {}, "unavailable_redirect"),
        ("status", {"status": 500}, "unavailable_server_error"),
    )
    result = await begin(hass, "easytier_account", "easytier")

    for kind, options, error in cases:
        easytier.fault("*", kind, times=None, **options)
        result = await fill(hass, result, base_url=easytier.url, **DEMO)
        assert result["errors"] == {"base": error}
        easytier.clear_faults()

    assert not easytier.calls_to("/api/auth/login")


async def test_already_configured(hass: HomeAssistant, easytier: EasyTierService) -> None:
    await made(hass, easytier)

    second = await fill(
        hass,
        await begin(hass, "easytier_account", "easytier"),
        base_url=f"{easytier.url}/",
        **DEMO,
    )

    assert (second["type"], second["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.mark.parametrize("half", ["network_name", "network_secret"])
async def test_an_incomplete_network(
    hass: HomeAssistant, easytier: EasyTierService, half: str
) -> None:
    form = await begin(hass, "easytier_account", "easytier")

    form = await fill(hass, form, {half: "demo-network"}, base_url=easytier.url, **DEMO)

    assert form["errors"] == {"base": "network_incomplete"}
    assert not easytier.calls


# With a custom certificate authority


@pytest.fixture
async def authority(easytier: EasyTierService) -> str:
    """Let the server use HTTPS, and return the authority of its certificate."""
    issued = issue(easytier.random, easytier.now(), "server", domains=["127.0.0.1"], days=3650)
    easytier.ssl_context = server_context(issued)
    await easytier.stop()
    await easytier.start()
    return issued.cert


NEW_ACCOUNT = {"email": "new@example.com", "password": "new-password"}


@pytest.mark.parametrize(
    "way, account",
    [
        ("easytier_account", DEMO),
        ("easytier_public", {}),
        ("easytier_register", NEW_ACCOUNT),
    ],
)
async def test_an_unknown_certificate(
    *,
    hass: HomeAssistant,
    easytier: EasyTierService,
    authority: str,
    way: str,
    account: Mapping[str, Any],
) -> None:
    """It is refused, then accepted with the authority, which is stored."""
    easytier.state.settings.email_verification = False
    form = await begin(hass, way, "easytier")

    form = await fill(hass, form, base_url=easytier.url, **account)
    assert form["errors"] == {"base": "unavailable_tls"}
    assert not easytier.calls
    form = await fill(hass, form, {"ca": "nonsense"}, base_url=easytier.url, **account)
    assert form["errors"] == {"base": "invalid_ca"}
    assert suggested(form)["ca"] == "nonsense"
    result = await fill(hass, form, {"ca": authority}, base_url=easytier.url, **account)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["ca"] == authority.strip()
    assert "verify" not in result["data"]
    assert result["result"].state is ConfigEntryState.LOADED


async def test_without_certificate_verification(
    hass: HomeAssistant, easytier: EasyTierService, authority: str
) -> None:
    """A server that is not set up yet is supported too."""
    easytier.state.settings.initialized = False
    form = await begin(hass, "easytier_account", "easytier")
    form = await fill(hass, form, {"verify": False}, base_url=easytier.url, **DEMO)
    assert form["step_id"] == "easytier_initialize"

    result = await fill(
        hass,
        form,
        jwt_secret=easytier.state.jwt_secret,
        email="boss@example.com",
        password="boss-password",
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["verify"] == "false"
    assert result["result"].state is ConfigEntryState.LOADED
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": result["result"].entry_id}
    )
    form = await choose(hass, menu, "easytier_account")
    assert suggested(form)["verify"] is False
    assert form["data_schema"] is not None
    assert not form["data_schema"].schema["advanced"].options["collapsed"]


async def test_a_space_at_the_end_of_a_secret(
    hass: HomeAssistant, easytier: EasyTierService
) -> None:
    """It is part of the secret and is kept."""
    easytier.state.settings.edgeone = True
    for node in easytier.state.nodes.values():
        node.network_name, node.network_token = "", ""
    network = {"network_name": " home ", "network_secret": "open sesame "}

    form = await begin(hass, "easytier_account", "easytier")
    result = await fill(hass, form, network, base_url=easytier.url, **DEMO)

    assert result["data"]["network_secret"] == "open sesame "
    assert result["data"]["network_name"] == "home"
    (call,) = easytier.calls_to("/api/edgeone/batch-check")
    assert {node["network_secret"] for node in call.body["nodes"]} == {"open sesame "}


# Without an account


@BOTH
async def test_public_only(hass: HomeAssistant, easytier: EasyTierService) -> None:
    form = await begin(hass, "easytier_public", "easytier")

    result = await fill(hass, form, base_url=easytier.url)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"EasyTier {URL(easytier.url).authority}"
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"] == {
        "provider": "easytier",
        "id_prefix": f"easytier.{quote(URL(easytier.url).authority)}",
        "base_url": easytier.url,
    }
    assert not easytier.calls_to("/api/auth/login")


# With a new account


@BOTH
async def test_register(hass: HomeAssistant, easytier: EasyTierService) -> None:
    """The link in the email is pasted unchanged."""
    form = await begin(hass, "easytier_register", "easytier")
    new: dict[str, Any] = {"email": "new@example.com", "password": "new-password"}

    form = await fill(hass, form, base_url=easytier.url, **new)
    assert form["step_id"] == "easytier_register_code"
    form = await fill(hass, form, code="wrong")
    assert form["errors"] == {"base": "rejected"}
    (mail,) = easytier.state.mailbox
    result = await fill(hass, form, code=mail.link)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"].keys() == STORED
    assert result["result"].state is ConfigEntryState.LOADED


@BOTH
async def test_an_invalid_link(hass: HomeAssistant, easytier: EasyTierService) -> None:
    form = await begin(hass, "easytier_register", "easytier")
    new: dict[str, Any] = {"email": "new@example.com", "password": "new-password"}
    form = await fill(hass, form, base_url=easytier.url, **new)
    form = await fill(hass, form)
    assert form["errors"] == {"base": "empty_field"}

    form = await fill(hass, form, send_again=True)

    assert form["step_id"] == "easytier_register_another_code"
    first, second = easytier.state.mailbox
    form = await fill(hass, form, code=first.link)
    assert form["errors"] == {"base": "rejected"}
    result = await fill(hass, form, code=second.link)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("email", ["new@example.com", "unverified@example.com"])
async def test_register_at_a_server_without_email(
    hass: HomeAssistant, easytier: EasyTierService, email: str
) -> None:
    """The server answers with the email's text, also for an account that is not verified."""
    easytier.state.settings.mail = False
    form = await begin(hass, "easytier_register", "easytier")

    result = await fill(hass, form, base_url=easytier.url, email=email, password="new-password")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert result["data"].keys() == STORED


@pytest.mark.parametrize("way", ["easytier_account", "easytier_register"])
async def test_a_server_without_an_administrator(
    hass: HomeAssistant, easytier: EasyTierService, way: str
) -> None:
    """The server says that it is initialized. The form explains what to do."""
    easytier.state.accounts.clear()
    easytier.state.settings.without_administrator = True
    form = await begin(hass, way, "easytier")

    form = await fill(hass, form, base_url=easytier.url, **DEMO)

    assert form["errors"] == {"base": "no_administrator"}


async def test_register_without_verification(
    hass: HomeAssistant, easytier: EasyTierService
) -> None:
    easytier.state.settings.email_verification = False
    form = await begin(hass, "easytier_register", "easytier")

    result = await fill(
        hass, form, base_url=easytier.url, email="new@example.com", password="new-password"
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_register_an_existing_account(hass: HomeAssistant, easytier: EasyTierService) -> None:
    form = await begin(hass, "easytier_register", "easytier")

    result = await fill(hass, form, base_url=easytier.url, **DEMO)

    assert result["errors"] == {"base": "rejected"}


# First setup of a server


@BOTH
@pytest.mark.parametrize("way", ["easytier_account", "easytier_public", "easytier_register"])
async def test_a_server_that_is_not_set_up(
    hass: HomeAssistant, easytier: EasyTierService, way: str
) -> None:
    """The flow offers to set it up, and changes nothing until the user agrees."""
    easytier.state.settings.initialized = False
    form = await begin(hass, way, "easytier")
    fields: dict[str, Any] = {} if way == "easytier_public" else DEMO

    form = await fill(hass, form, base_url=easytier.url, **fields)
    assert form["step_id"] == "easytier_initialize"
    assert not easytier.calls_to("/api/system/initialize")
    admin: dict[str, Any] = {"email": "boss@example.com", "password": "boss-password"}
    form = await fill(hass, form, jwt_secret="wrong", **admin)
    assert form["errors"] == {"base": "jwt_secret_refused"}
    result = await fill(hass, form, jwt_secret=easytier.state.jwt_secret, **admin)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert easytier.state.settings.initialized
    assert easytier.admin.email == "boss@example.com"
    assert result["data"].keys() == STORED
    assert easytier.state.jwt_secret not in result["data"].values()


# Reauthentication and reconfiguration


async def made(
    hass: HomeAssistant, easytier: EasyTierService, user: str = "demo", **advanced: str
) -> ConfigEntry:
    """Sign in and return the config entry."""
    result = await fill(
        hass,
        await begin(hass, "easytier_account", "easytier"),
        advanced,
        base_url=easytier.url,
        email=f"{user}@example.com",
        password=f"{user}-password",
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    return entry


@pytest.mark.platforms("switch")
async def test_reauthentication(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easytier: EasyTierService
) -> None:
    entry = await made(
        hass,
        easytier,
        network_name="home",
        network_secret="demo-network-secret",
        api_key="an-api-key",
    )
    easytier.account.password = "another-password"
    easytier.refuse_tokens()
    freezer.tick(FIVE_MINUTES)
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress()
    menu = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert menu["menu_options"] == ["easytier_account"], "without an account it is another entry"
    form = await choose(hass, menu, "easytier_account")
    assert suggested(form) == {
        "base_url": easytier.url,
        "email": "demo@example.com",
        "network_name": "home",
    }, "no secret is shown"

    result = await fill(
        hass,
        form,
        {"network_name": "home"},
        base_url=easytier.url,
        email="demo@example.com",
        password="another-password",
    )

    assert result["reason"] == "reauth_successful"
    assert entry.data["password"] == "another-password"
    assert entry.data["network_secret"] == "demo-network-secret", "an empty field keeps the secret"
    assert entry.data["api_key"] == "an-api-key"
    assert entry.state is ConfigEntryState.LOADED


async def reconfigured(
    hass: HomeAssistant, entry: ConfigEntry, easytier: EasyTierService, user: str = "demo"
) -> ConfigFlowResult:
    """Submit the reconfiguration form, with an account only."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = await choose(hass, menu, "easytier_account")
    return await fill(
        hass,
        form,
        base_url=easytier.url,
        email=f"{user}@example.com",
        password=f"{user}-password",
    )


async def test_another_network_needs_its_secret(
    hass: HomeAssistant, easytier: EasyTierService
) -> None:
    entry = await made(hass, easytier, network_name="home", network_secret="demo-network-secret")

    result = await reconfigured(hass, entry, easytier)

    assert result["reason"] == "reconfigure_successful"
    assert not entry.data.keys() & {"network_name", "network_secret"}


async def test_another_account(hass: HomeAssistant, easytier: EasyTierService) -> None:
    entry = await made(hass, easytier)

    result = await reconfigured(hass, entry, easytier, "other")

    assert result["reason"] == "wrong_account"
    assert entry.data["email"] == "demo@example.com"


async def test_reconfigure_does_not_set_up_a_reset_server(
    hass: HomeAssistant, easytier: EasyTierService
) -> None:
    entry = await made(hass, easytier)
    easytier.state.settings.initialized = False

    result = await reconfigured(hass, entry, easytier)

    assert result["errors"] == {"base": "not_initialized"}


async def test_reconfigure_without_an_account(
    hass: HomeAssistant, easytier: EasyTierService
) -> None:
    form = await begin(hass, "easytier_public", "easytier")
    entry: ConfigEntry = (await fill(hass, form, base_url=easytier.url))["result"]
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    assert menu["menu_options"] == ["easytier_public"]

    result = await fill(hass, await choose(hass, menu, "easytier_public"), base_url=easytier.url)

    assert result["reason"] == "reconfigure_successful"
    assert entry.state is ConfigEntryState.LOADED


# Secrets


@pytest.mark.parametrize(
    "kind, way, route, secrets",
    each_with_each(
        ("status", "reset", "html", "wrong_type"),
        (
            ("account", "/api/auth/login", ("demo-password", "the-network", "the-key")),
            ("register", "/api/auth/register", ("new-password",)),
            ("register_code", "/api/auth/verify", ("new-password", "the-code")),
            ("initialize", "/api/system/initialize", ("the-jwt-secret", "new-password")),
        ),
    ),
)
async def test_secrets_are_not_in_logs_or_errors(
    hass: HomeAssistant,
    easytier: EasyTierService,
    caplog: pytest.LogCaptureFixture,
    *,
    way: str,
    route: str,
    secrets: tuple[str, ...],
    kind: str,
) -> None:
    """This holds for each step that can fail."""
    caplog.set_level(logging.DEBUG)
    new: dict[str, Any] = {"email": "new@example.com", "password": "new-password"}
    easytier.state.settings.initialized = way != "initialize"
    easytier.fault(route, kind, times=None)
    begun = "account" if way in ("account", "initialize") else "register"
    form = await begin(hass, f"easytier_{begun}", "easytier")
    caplog.clear()
    if way == "account":
        network = {"network_name": "n", "network_secret": "the-network", "api_key": "the-key"}
        form = await fill(hass, form, network, base_url=easytier.url, **DEMO)
    else:
        form = await fill(hass, form, base_url=easytier.url, **new)
    if way == "register_code":
        form = await fill(hass, form, code=f"{easytier.url}/verify?token=the-code")
    if way == "initialize":
        form = await fill(hass, form, jwt_secret="the-jwt-secret", **new)

    assert easytier.calls_to(route)
    assert form["step_id"] == f"easytier_{way}"
    assert form["errors"], "the user sees the error"
    texts = f"{caplog.text}{form['description_placeholders']}"
    assert not [word for word in (*secrets, "demo@example.com", "new@example.com") if word in texts]


# Options


async def options(world: World[EasyTierService]) -> Any:
    return await world.hass.config_entries.options.async_init(world.entry.entry_id)


@BOTH
@pytest.mark.platforms("binary_sensor")
async def test_public_nodes_as_devices(world: World[EasyTierService]) -> None:
    await world.set_up()
    assert not world.registered("public_node:")
    form = await options(world)
    assert list(form["data_schema"].schema) == ["shown_public_nodes"]
    field = form["data_schema"].schema["shown_public_nodes"].schema.schema["public_nodes"]
    first = field.config["options"][0]

    await world.hass.config_entries.options.async_configure(
        form["flow_id"], {"shown_public_nodes": {"public_nodes": [first["value"]]}}
    )
    await world.settle()

    device = world.device(f"public_node:{first['value']}")
    assert device
    assert (device.name, device.model) == (first["label"], "Public node")
    assert world.value("binary_sensor", f"public_node:{first['value']}", "online") == "on"


async def test_options_while_names_cannot_be_read(world: World[EasyTierService]) -> None:
    """The selected nodes stay selected."""
    await world.set_up(public_nodes=["1"])
    world.service.fault("/api/public", "status", times=None)

    form = await options(world)

    field = form["data_schema"].schema["shown_public_nodes"].schema.schema["public_nodes"]
    assert field.config["options"] == [{"value": "1", "label": "1"}]


@pytest.mark.platforms("switch")
async def test_options_of_an_administrator(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easytier: EasyTierService
) -> None:
    entry = await made(hass, easytier, "admin")
    world = World(hass, freezer, easytier, cast("MockConfigEntry", entry))
    assert not world.registered("relay_node:")
    form = await options(world)
    assert list(form["data_schema"].schema) == ["shown_public_nodes", "administration"]

    await hass.config_entries.options.async_configure(
        form["flow_id"],
        {"shown_public_nodes": {"public_nodes": []}, "administration": {"all_nodes": True}},
    )
    await world.settle()

    seen = {entity.unique_id.split(":")[2] for entity in world.registered("relay_node:")}
    assert seen == easytier.state.nodes.keys()


async def test_a_server_that_lists_all_nodes_without_an_account(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easytier: EasyTierService
) -> None:
    easytier.state.settings.undocumented_endpoints = False
    entry = await made(hass, easytier, "admin")

    form = await options(World(hass, freezer, easytier, cast("MockConfigEntry", entry)))

    assert list(form["data_schema"].schema) == ["shown_public_nodes"]


async def test_options_while_the_service_does_not_respond(
    world: World[EasyTierService],
) -> None:
    await world.set_up(all_nodes=True)
    world.service.fault("/api/auth/me", "status", times=None)

    form = await options(world)

    assert "administration" in form["data_schema"].schema


@DOCUMENTED
async def test_options_for_checks(hass: HomeAssistant, easytier: EasyTierService) -> None:
    """The network is used for nodes whose rows do not contain one."""
    form = await begin(hass, "easytier_account", "easytier")

    result = await fill(
        hass,
        form,
        {"network_name": "home", "network_secret": "demo-network-secret"},
        base_url=easytier.url,
        **DEMO,
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["network_name"] == "home"
    assert easytier.calls_to("/api/edgeone/batch-check")
