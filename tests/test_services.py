"""Tests actions."""

from datetime import datetime

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.services import ACTIONS

from .common import HOUR, MINUTE, World, on, on_account, refused

pytestmark = pytest.mark.platforms("switch")

NEW = {
    "name": "website",
    "protocol": "HTTPS",
    "local_port": 443,
    "node": "3",
    "domain": "www.example.com",
}


# Accounts


@pytest.mark.platforms("binary_sensor", "button", "event")
async def test_sign_in(world: World) -> None:
    await world.set_up()

    response = await on_account(world, "sign_in")
    assert not response["already"]
    assert response["traffic"] > 0
    assert response["traffic_left"] > 0
    assert "签到成功" in response["message"]
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "on"
    assert world.value("event", "account:account", "sign_in") != "unknown"

    response = await on_account(world, "sign_in")
    assert response["already"]
    assert response["traffic"] is None


async def test_retoken(world: World) -> None:
    """The session ends with the link token, so a new one is started immediately."""
    await world.set_up()
    before = world.service.account.link_token

    response = await on_account(world, "retoken")

    assert response == {"link_token": world.service.account.link_token}
    assert world.service.account.link_token != before
    await world.elapse(MINUTE)
    assert len(world.service.calls_to("/user", type="login")) == 2
    assert world.entry.data["token"] == world.service.account.csrf
    assert world.value("switch", "tunnel:1", "enabled") == "on"


@pytest.mark.parametrize("style", ["source", "sources"])
async def test_list_downloads(world: World, style: str) -> None:
    world.service.state.settings.downlist_style = style
    await world.set_up()

    response = await on_account(world, "list_downloads")

    assert {
        "name": "Frpc Linux版",
        "version": "0.59.0",
        "platform": None,
        "architecture": "linux_amd64",
        "urls": ["https://down.example.com/HayFrp/Releases/frpc_linux_amd64"],
    } in response["downloads"]
    assert len(response["downloads"]) == 3


# Tunnels


async def test_create_tunnel(world: World) -> None:
    await world.set_up()

    response = await on_account(
        world,
        "create_tunnel",
        **NEW,
        local_host="192.168.1.2",
        encryption=True,
        secret_key="",
    )

    tunnel = world.service.state.tunnels[response["tunnel_id"]]
    assert (tunnel.proxy_name, tunnel.proxy_type, tunnel.node) == ("website", "https", "3")
    assert (tunnel.local_ip, tunnel.local_port) == ("192.168.1.2", 443)
    assert (tunnel.use_encryption, tunnel.use_compression) == (True, False)
    assert tunnel.domain == "www.example.com"
    device = world.device(f"tunnel:{tunnel.id}")
    assert device, "shown immediately"
    assert device.name == "website"


async def test_create_tunnel_at_a_node_by_name(world: World) -> None:
    await world.set_up()
    name = world.service.state.nodes["2"].name

    response = await on_account(
        world,
        "create_tunnel",
        name="game",
        protocol="udp",
        local_port="19132",
        remote_port="20132",
        node=name,
    )

    tunnel = world.service.state.tunnels[response["tunnel_id"]]
    assert (tunnel.node, tunnel.remote_port, tunnel.local_ip) == ("2", 20132, "127.0.0.1")


async def test_invalid_tunnels_are_refused(world: World) -> None:
    """The error is explained, and no request is sent."""
    await world.set_up()
    name = {"minimum": "3", "maximum": "15"}
    ports = {"minimum": "1", "maximum": "65500"}
    cases: tuple[tuple[dict[str, object], str, dict[str, str]], ...] = (
        ({"name": "ab"}, "tunnel_name_length", {"name": "ab", **name}),
        ({"name": "a" * 16}, "tunnel_name_length", {"name": "a" * 16, **name}),
        ({"local_port": 0}, "port_out_of_range", {"port": "0", **ports}),
        ({"local_port": 65501}, "port_out_of_range", {"port": "65501", **ports}),
        ({"protocol": "stcp", "local_port": 0}, "port_out_of_range", {"port": "0", **ports}),
        ({"protocol": "tcp", "remote_port": -1}, "port_out_of_range", {"port": "-1", **ports}),
        ({"protocol": "tcp", "remote_port": 0}, "port_out_of_range", {"port": "0", **ports}),
        (
            {"protocol": "tcp", "remote_port": 65501},
            "port_out_of_range",
            {"port": "65501", **ports},
        ),
        (
            {"protocol": "tcp", "remote_port": 70000},
            "port_out_of_range",
            {"port": "70000", **ports},
        ),
        ({"protocol": "tcp"}, "port_out_of_range", {"port": "", **ports}),
        ({"node": "99"}, "unknown_node", {"node": "99"}),
        (
            {"protocol": "gopher"},
            "unknown_protocol",
            {"protocol": "gopher", "known": "tcp, udp, http, https, stcp, xtcp"},
        ),
        ({"domain": ""}, "domain_needed", {"protocol": "https"}),
        ({"domain": "", "protocol": "http"}, "domain_needed", {"protocol": "http"}),
    )

    for wrong, key, placeholders in cases:
        error = await refused(world, None, "create_tunnel", **{**NEW, **wrong})
        assert isinstance(error, ServiceValidationError)
        assert (error.translation_key, error.translation_placeholders) == (key, placeholders)
        error = await refused(world, "tunnel:2", "update_tunnel", **{**NEW, **wrong})
        assert error.translation_key == key

    assert not world.service.calls_to("/proxy", type="add")
    assert not world.service.calls_to("/proxy", type="edit")


async def test_the_limit_of_tunnels(world: World) -> None:
    world.service.account.quota = 5
    await world.set_up()

    error = await refused(world, None, "create_tunnel", **NEW)

    assert error.translation_key == "rejected"
    assert error.translation_placeholders == {"message": "您的隧道数量已达上限."}


async def test_invalid_data(world: World) -> None:
    await world.set_up()
    cases: tuple[dict[str, object], ...] = (
        {**NEW, "local_port": "http"},
        {**NEW, "surplus": 1},
        {},
    )

    for data in cases:
        with pytest.raises(vol.Invalid):
            await on_account(world, "create_tunnel", **data)


@pytest.mark.platforms("sensor")
async def test_update_tunnel(world: World) -> None:
    """Only the given fields change, although the request replaces the whole tunnel."""
    await world.set_up()
    before = world.service.state.tunnels["1"]

    await on(world, "tunnel:1", "update_tunnel", local_port=8124, compression=True)

    after = world.service.state.tunnels["1"]
    assert (after.local_port, after.use_compression) == (8124, True)
    assert (after.proxy_name, after.remote_port, after.use_encryption, after.node) == (
        before.proxy_name,
        before.remote_port,
        before.use_encryption,
        before.node,
    )
    assert world.value("sensor", "tunnel:1", "local_address") == "127.0.0.1:8124", (
        "shown immediately"
    )


async def test_update_tunnel_deleted_elsewhere(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    error = await refused(world, "tunnel:1", "update_tunnel", local_port=8124)

    assert error.translation_key == "tunnel_gone"


async def test_delete_tunnel(world: World) -> None:
    await world.set_up()

    await on(world, "tunnel:1", "delete_tunnel")
    assert "1" not in world.service.state.tunnels
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable", "shown immediately"

    await on(world, "tunnel:1", "delete_tunnel")
    await world.live(2 * MINUTE)
    assert world.device("tunnel:1") is None


async def test_get_tunnel_config(world: World) -> None:
    await world.set_up()
    cases: tuple[tuple[str, dict[str, str], str, str], ...] = (
        ("tunnel:1", {}, '[[proxies]]\nname = "homeassistant"', "minecraft"),
        ("tunnel:1", {"format": "ini"}, "[homeassistant]", "minecraft"),
        ("node:1", {"format": "toml"}, 'name = "homeassistant"', "minecraft"),
    )

    for thing, data, shown, hidden in cases:
        response = await on(world, thing, "get_tunnel_config", **data)

        assert shown in response["config"]
        assert hidden not in response["config"]


async def test_get_tunnel_config_of_a_tunnel_deleted_elsewhere(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    error = await refused(world, "tunnel:1", "get_tunnel_config")

    assert error.translation_key == "rejected"
    assert error.translation_placeholders == {"message": "隧道不存在."}


@pytest.mark.platforms("binary_sensor")
async def test_check_tunnel(world: World) -> None:
    await world.set_up()
    world.service.state.tunnels["1"].client_running = False

    response = await on(world, "tunnel:1", "check_tunnel")

    assert response["state"] == "offline"
    assert response["online"] is False
    assert datetime.fromisoformat(response["checked_at"]).timestamp() == world.service.now()
    assert response["name"] == "homeassistant"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off", "shown immediately"


async def test_check_tunnel_deleted_elsewhere(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    error = await refused(world, "tunnel:1", "check_tunnel")

    assert error.translation_key == "tunnel_gone"


@pytest.mark.platforms("binary_sensor")
async def test_force_offline(world: World) -> None:
    await world.set_up()

    await on(world, "tunnel:1", "force_offline")

    assert world.service.state.tunnels["1"].kicked_at == world.service.now()
    assert world.value("binary_sensor", "tunnel:1", "online") == "off", "shown immediately"


# Nodes, whether their entities are enabled or not


@pytest.mark.platforms("binary_sensor")
async def test_get_node(world: World) -> None:
    """The node may be unused. Values from polls are not requested again."""
    for tunnel in world.service.state.tunnels.values():
        tunnel.node = "1"
    await world.set_up()
    name = world.service.state.nodes.pop("3").name
    await world.live(5 * MINUTE)
    world.service.calls.clear()

    answers = [await on(world, f"node:{number}", "get_node") for number in "123"]

    assert [answer["online"] for answer in answers] == [True, True, False]
    assert [answer["in_use"] for answer in answers] == [True, False, False]
    assert answers[2]["name"] == name
    assert not world.service.calls


@pytest.mark.platforms("binary_sensor", "sensor")
async def test_get_node_without_polling(world: World) -> None:
    """The user has disabled all entities. Simultaneous calls share one request."""
    await world.set_up()
    world.disable("node:")
    await world.restart()
    world.service.calls.clear()

    assert (await on(world, "node:1", "get_node"))["online"] is True
    assert (await on(world, "node:2", "get_node"))["online"] is True
    assert len(world.service.calls_to("/nodes")) == 1

    del world.service.state.nodes["1"]
    await world.elapse(HOUR)
    assert (await on(world, "node:1", "get_node"))["online"] is False
    assert len(world.service.calls_to("/nodes")) == 2


@pytest.mark.platforms("binary_sensor")
async def test_get_node_while_the_service_does_not_respond(world: World) -> None:
    """The last values are valid for a short time, then they are unknown."""
    await world.set_up()
    world.service.fault("/nodes", "html", times=None)

    await world.live(9 * MINUTE)
    assert (await on(world, "node:1", "get_node"))["online"] is True

    await world.live(HOUR, 5 * MINUTE)
    error = await refused(world, "node:1", "get_node")
    assert error.translation_key == "unavailable_firewall"


# Errors of all actions


HAYFRP = {
    "check_tunnel",
    "create_tunnel",
    "delete_tunnel",
    "force_offline",
    "get_node",
    "get_tunnel_config",
    "list_downloads",
    "retoken",
    "sign_in",
    "update_tunnel",
}
"""The actions that HayFrp supports."""
OF_DEVICE = sorted(name for name in HAYFRP if ACTIONS[name].kinds)
OF_ACCOUNT = sorted(HAYFRP - set(OF_DEVICE))


async def test_devices_of_another_kind(world: World) -> None:
    await world.set_up()

    for action in OF_DEVICE:
        error = await refused(world, "account:account", action)

        assert isinstance(error, ServiceValidationError)
        assert error.translation_key == "wrong_device"
        assert error.translation_placeholders == {"device": "HayFrp demo"}


async def test_a_node_is_not_a_tunnel(world: World) -> None:
    await world.set_up()

    error = await refused(world, "node:1", "delete_tunnel")

    assert error.translation_key == "wrong_device"


async def test_devices_of_other_integrations(world: World) -> None:
    await world.set_up()
    other = MockConfigEntry(domain="other")
    other.add_to_hass(world.hass)
    device = dr.async_get(world.hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}
    )

    for device_id in (device.id, "no-such-device"):
        with pytest.raises(ServiceValidationError):
            await world.call("force_offline", device_id=device_id)


async def test_unknown_accounts(world: World) -> None:
    await world.set_up()
    other = MockConfigEntry(domain="other")
    other.add_to_hass(world.hass)

    for entry_id in (other.entry_id, "no-such-entry"):
        with pytest.raises(ServiceValidationError):
            await world.call("sign_in", config_entry_id=entry_id)


async def test_accounts_that_are_not_loaded(world: World) -> None:
    await world.set_up()
    device = world.device("tunnel:1")
    assert device
    await world.hass.config_entries.async_unload(world.entry.entry_id)
    calls = len(world.service.calls)

    with pytest.raises(ServiceValidationError):
        await on_account(world, "sign_in")
    with pytest.raises(ServiceValidationError):
        await world.call("force_offline", device_id=device.id)

    assert len(world.service.calls) == calls


async def test_an_action_while_the_service_fails(world: World) -> None:
    await world.set_up()

    for action in OF_ACCOUNT:
        world.service.fault("*", "html", times=None)

        error = await refused(world, None, action, **(NEW if action == "create_tunnel" else {}))

        assert error.translation_key == "unavailable_firewall"


async def test_a_password_changed_elsewhere(world: World) -> None:
    await world.set_up()
    world.freezer.tick(HOUR)
    world.service.account.csrf = "ended"
    world.service.account.password = "changed"

    error = await refused(world, "tunnel:1", "check_tunnel")

    assert error.translation_key == "authentication_failed"
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_actions_are_registered_without_an_account(world: World) -> None:
    """Automations can be validated before any entry is loaded."""
    await world.hass.config_entries.async_set_disabled_by(
        world.entry.entry_id, ConfigEntryDisabler.USER
    )

    assert await async_setup_component(world.hass, DOMAIN, {})

    assert world.hass.services.async_services_for_domain(DOMAIN).keys() == ACTIONS.keys()
