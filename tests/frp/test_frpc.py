"""Tests frpc's config flow, entities, actions and repair issues."""

from typing import Any
from urllib.parse import quote

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from simulator.frp import FrpService
from simulator.frp.frpc import Frpc

from ..assist import expose, say, set_up_assist
from ..common import MINUTE, SMALL, World, on, on_account, refused
from .common import client_data, client_entry

pytestmark = SMALL


@pytest.fixture
def signed_in(frp: FrpService) -> MockConfigEntry:
    """Return the config entry of the client."""
    return client_entry(frp)


@pytest.fixture
def client(frp: FrpService) -> Frpc:
    return frp.state.client


def tunnels(world: World[FrpService]) -> set[str]:
    """Return the tunnels that have a device."""
    found = {entity.unique_id.split(":")[2] for entity in world.registered("tunnel:")}
    return {name for name in found if world.device(f"tunnel:{name}")}


def keys(world: World[FrpService], thing: str, platform: str) -> set[str]:
    """Return the keys of a device's entities on a platform."""
    return {
        entity.unique_id.rpartition(":")[2]
        for entity in world.registered(f"{thing}:")
        if entity.domain == platform
    }


def issues(world: World[FrpService]) -> set[str]:
    """Return the keys of the entry's repair issues."""
    return {
        str(issue.translation_key)
        for (domain, _), issue in ir.async_get(world.hass).issues.items()
        if domain == DOMAIN
    }


def is_enabled(client: Frpc) -> object:
    """Return whether the store has its tunnel enabled."""
    return client.store["camera"].get("enabled")


async def test_disable_and_enable_a_tunnel(world: World[FrpService], client: Frpc) -> None:
    await world.set_up()

    await world.act("switch", "turn_off", "tunnel:camera", "enabled")
    assert is_enabled(client) is False
    assert world.value("switch", "tunnel:camera", "enabled") == "off"
    assert world.value("sensor", "tunnel:camera", "phase") == "disabled"
    await world.live(5 * MINUTE)
    assert "camera" in tunnels(world)

    await world.act("switch", "turn_on", "tunnel:camera", "enabled")
    assert is_enabled(client) is True
    assert world.value("sensor", "tunnel:camera", "phase") == "running"


async def test_force_down(world: World[FrpService], client: Frpc) -> None:
    await world.set_up()

    await world.act("switch", "turn_on", "tunnel:camera", "force_down")
    assert is_enabled(client) is False

    # The tunnel is enabled on frpc's own page.
    client.store["camera"]["enabled"] = True
    await world.live(5 * MINUTE)
    assert is_enabled(client) is False

    await world.act("switch", "turn_off", "tunnel:camera", "force_down")
    assert is_enabled(client) is True


async def test_a_client_without_its_server(world: World[FrpService], client: Frpc) -> None:
    """The client lists no tunnel of its file then. Their devices are kept, also after a restart."""
    await world.set_up()
    before = tunnels(world)

    client.is_connected = False
    await world.live(5 * MINUTE)
    assert tunnels(world) == before
    assert world.value("binary_sensor", "client_status:account", "connected") == "off"
    assert world.value("sensor", "tunnel:nas", "phase") == "offline"
    assert world.value("binary_sensor", "tunnel:nas", "online") == "off"
    assert world.value("sensor", "tunnel:nas", "public_address") == "frp.example.com:6001"

    await world.restart()
    await world.live(5 * MINUTE)
    assert tunnels(world) == before

    client.is_connected = True
    await world.live(2 * MINUTE)
    assert tunnels(world) == before
    assert world.value("sensor", "tunnel:nas", "phase") == "running"


async def test_a_client_that_does_not_respond_is_unavailable_immediately(
    world: World[FrpService], frp: FrpService
) -> None:
    """The client is on the local network, so no internet outage or firewall can be the reason."""
    await world.set_up()
    await frp.stop()

    await world.live(MINUTE, step=10)
    assert world.value("binary_sensor", "tunnel:nas", "online") == "unavailable"

    await frp.start()
    await world.live(MINUTE, step=10)
    assert world.value("binary_sensor", "tunnel:nas", "online") == "on"


async def test_a_restarted_client(world: World[FrpService], frp: FrpService) -> None:
    await world.set_up()
    before = tunnels(world)

    await frp.stop()
    await world.live(5 * MINUTE)
    assert world.value("binary_sensor", "tunnel:nas", "online") == "unavailable"

    await frp.start()
    await world.live(5 * MINUTE)
    assert world.value("binary_sensor", "tunnel:nas", "online") == "on"
    assert tunnels(world) == before


async def test_a_client_without_a_store(world: World[FrpService], client: Frpc) -> None:
    client.has_store = False
    await world.set_up()

    assert issues(world) == {"frpc_without_store"}
    assert not any(entity.domain in ("switch", "button") for entity in world.registered())
    new = {"name": "new", "protocol": "tcp", "local_port": 80}
    error = await refused(world, None, "create_tunnel", **new)
    assert error.translation_key == "store_needed"

    client.has_store = True
    await world.live(2 * MINUTE)
    assert keys(world, "tunnel:camera", "switch") == {"enabled", "force_down"}
    assert issues(world) == set()


async def test_a_tunnel_moves_from_the_store_to_the_file(
    world: World[FrpService], client: Frpc
) -> None:
    await world.set_up()

    client.file["camera"] = client.store.pop("camera")
    await world.live(2 * MINUTE)

    assert keys(world, "tunnel:camera", "switch") == set()
    assert world.value("sensor", "tunnel:camera", "source") == "file"


async def test_create_update_and_delete_a_tunnel(world: World[FrpService], client: Frpc) -> None:
    await world.set_up()

    created = await on_account(
        world,
        "create_tunnel",
        name="家 web",
        protocol="http",
        local_port=8123,
        domain="ha.example.org",
        extra_parameters='metadatas.owner = "me"',
    )
    assert created == {"tunnel_id": "家 web"}
    assert world.value("switch", "tunnel:家 web", "enabled") == "on"
    assert world.value("sensor", "tunnel:家 web", "public_address") == "ha.example.org:8088"

    await on(world, "tunnel:家 web", "update_tunnel", local_port=8124)
    assert client.store["家 web"]["localPort"] == 8124
    assert client.store["家 web"]["metadatas"] == {"owner": "me"}

    await on(world, "tunnel:家 web", "delete_tunnel")
    await world.live(2 * MINUTE)
    assert "家 web" not in client.store
    assert "家 web" not in tunnels(world)


async def test_a_tunnel_of_the_file_cannot_be_changed(
    world: World[FrpService], client: Frpc
) -> None:
    await world.set_up()
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("update_tunnel", {"local_port": 1}),
        ("delete_tunnel", {}),
        ("force_offline", {}),
    )

    for action, data in cases:
        error = await refused(world, "tunnel:nas", action, **data)

        assert error.translation_key == "proxy_of_file"
        assert not any(call.method in ("PUT", "POST", "DELETE") for call in world.service.calls)


async def test_reload_the_file(world: World[FrpService], client: Frpc) -> None:
    await world.set_up()
    client.config += '[[proxies]]\nname = "file-9"\ntype = "tcp"\nlocalPort = 9\n'

    await on_account(world, "reload_configuration")
    assert "file-9" in tunnels(world)

    client.config += "nonsense"
    error = await refused(world, None, "reload_configuration")
    assert error.translation_key == "rejected"
    assert "toml" in str(error)


async def test_an_error_creates_a_repair_issue(world: World[FrpService], client: Frpc) -> None:
    client.phases["nas"] = ("start error", "port already used")
    await world.set_up()
    phase = world.state("sensor", "tunnel:nas", "phase")
    assert (phase.state, phase.attributes["advice"]) == ("start_error", "start_error")
    assert "advice" not in world.state("sensor", "tunnel:camera", "phase").attributes
    assert world.value("sensor", "tunnel:nas", "error") == "port already used"
    assert issues(world) == set()

    await world.live(3 * MINUTE)
    assert issues(world) == {"proxies_not_started"}

    client.phases.clear()
    await world.live(2 * MINUTE)
    assert issues(world) == set()


async def test_a_client_without_a_password(world: World[FrpService], client: Frpc) -> None:
    client.username = client.password = ""
    await world.set_up()

    assert issues(world) == {"frpc_without_password"}


async def test_the_password_was_changed(world: World[FrpService], client: Frpc) -> None:
    await world.set_up()
    client.password = "another"
    await world.live(2 * MINUTE)

    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_options_for_the_public_address(world: World[FrpService]) -> None:
    await world.set_up(outside_address="out.example.com")

    assert world.value("sensor", "tunnel:nas", "public_address") == "out.example.com:6001"


async def test_diagnostics_contain_nothing_of_the_file(
    world: World[FrpService], client: Frpc
) -> None:
    await world.set_up()
    await on_account(world, "create_tunnel", name="x", protocol="tcp", local_port=80)
    assert world.service.calls_to("/api/config")

    diagnostics = str(await async_get_config_entry_diagnostics(world.hass, world.entry))

    for secret in ("the-token-of-the-server", "frpc-password", "nas", "frp.example.com"):
        assert secret not in diagnostics


# Config flow


async def _enter(hass: HomeAssistant, **entered: Any) -> dict[str, Any]:
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": "user"})
    for choice in ("frp", "frp_client"):
        result = await flow.async_configure(result["flow_id"], {"next_step_id": choice})
    return dict(await flow.async_configure(result["flow_id"], {"advanced": {}, **entered}))


async def test_add_a_client(hass: HomeAssistant, frp: FrpService) -> None:
    data = {name: value for name, value in client_data(frp).items() if name != "kind"}
    place = frp.frpc_url.removeprefix("http://")

    result = await _enter(hass, **{**data, "base_url": f"{frp.frpc_url}/static/#/config"})

    assert (result["type"], result["title"]) == ("create_entry", f"frpc {place}")
    assert result["result"].unique_id == f"frp:{place}"
    assert result["data"] == {
        "provider": "frp",
        "id_prefix": f"frp.{quote(place)}",
        **client_data(frp),
    }
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["result"].state is ConfigEntryState.LOADED
    assert hass.states.get("switch.camera_enabled")


async def test_a_client_with_a_path(hass: HomeAssistant, frp: FrpService) -> None:
    await frp.stop()
    frp.base_path = "/frpc"
    await frp.start()
    data = {name: value for name, value in client_data(frp).items() if name != "kind"}

    result = await _enter(hass, **{**data, "base_url": f"{frp.frpc_url}/frpc/"})

    assert result["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get("switch.camera_enabled")
    assert er.async_get(hass).async_get("switch.camera_enabled")


@pytest.mark.parametrize(
    "changes, error",
    [({"password": "wrong"}, "invalid_auth_without_reason"), ({"base_url": "frps"}, "no_frp_here")],
)
async def test_errors_in_the_client_form(
    hass: HomeAssistant, frp: FrpService, changes: dict[str, str], error: str
) -> None:
    data = {name: value for name, value in client_data(frp).items() if name != "kind"}
    entered = {**data, **changes}
    if entered["base_url"] == "frps":
        entered["base_url"] = frp.url

    assert (await _enter(hass, **entered))["errors"] == {"base": error}


async def test_assist_says_that_a_tunnel_is_read_only(world: World[FrpService]) -> None:
    """This does not depend on what is exposed: such a tunnel has no switch."""
    await set_up_assist(world)
    answer = "nas is read-only and can't be controlled here."

    assert (await say(world, "disable the tunnel nas")).startswith(answer)
    expose(world, "sensor", "tunnel:nas", "phase")
    assert (await say(world, "hold the tunnel nas down")).startswith(answer)
    assert "“nas”是只读的" in await say(world, "停用隧道 nas", "zh-Hans")
    assert (await say(world, "disable the tunnel camera")).startswith("No tunnel")

    stranger = MockUser(is_owner=False)
    stranger.add_to_hass(world.hass)
    stranger.mock_policy({})
    assert (await say(world, "disable the tunnel nas", user=stranger)).startswith("No tunnel")
