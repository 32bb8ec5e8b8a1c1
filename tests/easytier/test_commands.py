"""Tests EasyTier's switch and actions."""

from dataclasses import replace
from typing import Any

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN
from simulator.easytier import EasyTierService, Node

from ..common import World, on, on_account, refused
from .common import BOTH, DOCUMENTED, FIVE_MINUTES

pytestmark = pytest.mark.platforms("switch")

NEW = {
    "name": "cabin",
    "region": "overseas",
    "connections": ["tcp://192.0.2.7:11010", "WSS://[2001:db8::7]:443/"],
    "valid_until": "2027-06-30",
}


READING = {"online": True, "bandwidth": 1, "traffic": 1, "connections": 77}

ON_A_NODE: dict[str, dict[str, Any]] = {
    "check_node": {},
    "regenerate_report_token": {},
    "report_node": {**READING, "token": "any"},
    "update_node": {"name": "mine"},
}
"""The actions for a node, except its deletion, with their data."""


def node(world: World[EasyTierService], number: str = "1") -> Node:
    """Return a node's row at the service."""
    return world.service.state.nodes[number]


# The switch


@BOTH
async def test_allow_relay(world: World[EasyTierService]) -> None:
    await world.set_up()
    before = node(world)
    kept = (before.node_name, before.max_traffic, before.valid_until, before.tags)

    await world.act("switch", "turn_off", "relay_node:1", "allow_relay")

    after = node(world)
    assert after.allow_relay == 0
    assert (after.node_name, after.max_traffic, after.valid_until, after.tags) == kept
    assert world.value("switch", "relay_node:1", "allow_relay") == "off"
    await world.act("switch", "turn_on", "relay_node:1", "allow_relay")
    assert node(world).allow_relay == 1


@BOTH
async def test_allow_relay_of_a_deleted_node(world: World[EasyTierService]) -> None:
    await world.set_up()
    del world.service.state.nodes["1"]

    with pytest.raises(ServiceValidationError) as gone:
        await world.act("switch", "turn_off", "relay_node:1", "allow_relay")

    assert gone.value.translation_key == "node_gone"


async def test_allow_relay_of_a_node_of_another_account(world: World[EasyTierService]) -> None:
    await world.set_up()
    node(world).user_email = "other@example.com"

    with pytest.raises(ServiceValidationError) as not_ours:
        await world.act("switch", "turn_off", "relay_node:1", "allow_relay")

    assert not_ours.value.translation_key == "not_node_owner"
    assert node(world).allow_relay == 1


@BOTH
async def test_actions_on_a_deleted_node(world: World[EasyTierService]) -> None:
    await world.set_up()
    others = len(world.service.state.nodes) - 1
    del world.service.state.nodes["1"]

    for action, data in ON_A_NODE.items():
        error = await refused(world, "relay_node:1", action, **data)
        assert error.translation_key == "node_gone", action

    assert len(world.service.state.nodes) == others


@BOTH
async def test_actions_on_a_node_of_another_account(world: World[EasyTierService]) -> None:
    await world.set_up()
    node(world).user_email = "other@example.com"
    before = replace(node(world))

    for action, data in {**ON_A_NODE, "delete_node": {}}.items():
        error = await refused(world, "relay_node:1", action, **data)
        assert error.translation_key == "not_node_owner", action

    assert node(world) == before


# Nodes


@BOTH
async def test_create_node(world: World[EasyTierService]) -> None:
    await world.set_up()

    answer = await on_account(
        world,
        "create_node",
        **NEW,
        bandwidth_tier=100,
        bandwidth_maximum=1000,
        traffic_allowed=500,
        reset_day=31,
        connections_allowed=20,
        tags=["fast", "IPv6"],
        allow_relay=True,
        network_name="home",
        network_secret="demo-network-secret",
        notes="In the woods",
        place="Lapland",
    )

    made = node(world, answer["node_id"])
    assert (made.node_name, made.region_type, made.region_detail) == (
        "cabin",
        "overseas",
        "Lapland",
    )
    assert [(way.type, way.ip, way.port) for way in made.connections] == [
        ("TCP", "192.0.2.7", 11010),
        ("WSS", "2001:db8::7", 443),
    ]
    assert (made.max_traffic, made.reset_cycle, made.max_connections) == (500, 31, 20)
    assert made.tier_bandwidth == 100
    assert (made.tags, made.allow_relay, made.network_name) == ("fast,IPv6", 1, "home")
    assert made.valid_until == "2027-06-30"
    device = world.device(f"relay_node:{answer['node_id']}")
    assert device, "it is shown immediately"
    assert device.name == "cabin"


@BOTH
async def test_a_second_node_with_the_same_name(world: World[EasyTierService]) -> None:
    await world.set_up()
    await on_account(world, "create_node", **NEW)

    error = await refused(world, None, "create_node", **NEW)

    assert error.translation_key == "node_name_taken"
    assert error.translation_placeholders == {"name": "cabin"}
    assert len(world.service.state.nodes) == 12


@pytest.mark.platforms("binary_sensor")
async def test_a_damaged_node_is_repaired(world: World[EasyTierService]) -> None:
    """It breaks the list of all nodes. The devices of known nodes stay."""
    await world.set_up()
    node(world).is_damaged = True
    await world.live(3 * FIVE_MINUTES, FIVE_MINUTES)
    assert world.value("binary_sensor", "relay_node:2", "online") == "unavailable"

    await on(world, "relay_node:1", "update_node", connections="tcp://192.0.2.7:11010")

    assert not node(world).is_damaged
    assert world.value("binary_sensor", "relay_node:2", "online") == "on"


NUMBERS_OF_ACTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("report_node", {**READING, "token": "any"}, "connections"),
    ("report_node", {**READING, "token": "any"}, "traffic"),
    ("update_node", {}, "connections_allowed"),
    ("update_node", {}, "bandwidth_tier"),
)


async def test_invalid_numbers(world: World[EasyTierService]) -> None:
    await world.set_up()
    world.service.calls.clear()

    for action, data, field in NUMBERS_OF_ACTIONS:
        error = await refused(world, "relay_node:1", action, **{**data, field: 10**30})
        assert error.translation_key == "number_too_large"
        assert error.translation_placeholders == {"number": "1e+30"}
        for value in (float("inf"), float("nan"), "inf", 10**400, "many", None):
            with pytest.raises((vol.Invalid, ServiceValidationError)):
                await on(world, "relay_node:1", action, **{**data, field: value})

    assert not [call for call in world.service.calls if call.method != "GET"]


@BOTH
async def test_create_node_with_required_fields_only(world: World[EasyTierService]) -> None:
    await world.set_up()

    answer = await on_account(
        world, "create_node", name="hut", region="domestic", connections="tcp://hut.example.com:1"
    )

    assert node(world, answer["node_id"]).valid_until == "2999-12-31"


async def test_invalid_nodes_are_refused(world: World[EasyTierService]) -> None:
    """It is refused before a request is sent: the real service would store it."""
    await world.set_up()
    before = len(world.service.state.nodes)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"reset_day": 40}, "reset_day_out_of_range"),
        ({"valid_until": "2020-01-01"}, "valid_until_past"),
        ({"connections": ["192.0.2.7"]}, "not_a_connection"),
        ({"connections": ["tcp://192.0.2.7:99999"]}, "port_out_of_range"),
        ({"connections": []}, "node_field_needed"),
        ({"name": ""}, "node_field_needed"),
    )

    for changes, key in cases:
        error = await refused(world, None, "create_node", **{**NEW, **changes})
        assert error.translation_key == key
        error = await refused(world, "relay_node:1", "update_node", **changes)
        assert error.translation_key == key

    assert len(world.service.state.nodes) == before
    assert not [call for call in world.service.calls if call.method in ("PUT", "POST")][1:]


async def test_an_invalid_region(world: World[EasyTierService]) -> None:
    await world.set_up()

    with pytest.raises(vol.Invalid):
        await on_account(world, "create_node", **{**NEW, "region": "moon"})


@BOTH
@pytest.mark.platforms("sensor")
async def test_update_node_sends_only_what_changed(world: World[EasyTierService]) -> None:
    await world.set_up()
    old = node(world)

    await on(world, "relay_node:1", "update_node", name=old.node_name, connections_allowed=7)

    (call,) = [call for call in world.service.calls if call.method == "PUT"]
    assert call.body == {"max_connections": 7}
    assert world.value("sensor", "relay_node:1", "connections_allowed") == "7"


async def test_update_node_without_changes(world: World[EasyTierService]) -> None:
    await world.set_up()

    await on(world, "relay_node:1", "update_node", name=node(world).node_name)

    assert not [call for call in world.service.calls if call.method == "PUT"]


@BOTH
async def test_delete_node(world: World[EasyTierService]) -> None:
    await world.set_up()

    await on(world, "relay_node:1", "delete_node")

    assert "1" not in world.service.state.nodes
    await on(world, "relay_node:1", "delete_node")


# Queries


@BOTH
async def test_query_nodes(world: World[EasyTierService]) -> None:
    await world.set_up()

    answer = await on_account(
        world, "query_nodes", region="domestic", priority="bandwidth", relay_only=True
    )

    assert 0 < len(answer["nodes"]) <= 3
    first = answer["nodes"][0]
    assert first["region"] == "domestic"
    assert "://" in first["addresses"][0]
    (call,) = world.service.calls_to("/api/query")
    assert call.body == {"region": "domestic", "priority": "bandwidth", "relay_only": True}


async def test_check_node(world: World[EasyTierService]) -> None:
    """The rows of the real service contain the network."""
    world.service.state.settings.edgeone = True
    await world.set_up()
    node(world).connections[0].latency_ms = 33

    answer = await on(world, "relay_node:1", "check_node")

    found = answer["connections"][0]
    assert (found["reachable"], found["latency"]) == (True, 33)


async def test_check_node_where_checks_are_not_offered(world: World[EasyTierService]) -> None:
    await world.set_up()

    error = await refused(world, "relay_node:1", "check_node")

    assert error.translation_key == "unsupported"


async def test_check_node_without_a_network(world: World[EasyTierService]) -> None:
    world.service.state.settings.edgeone = True
    await world.set_up()

    error = await refused(world, "relay_node:7", "check_node")

    assert error.translation_key == "nothing_to_check"


@DOCUMENTED
async def test_check_addresses(world: World[EasyTierService]) -> None:
    await world.set_up()
    way = node(world).connections[0]
    network = {"network_name": "home", "network_secret": "demo-network-secret"}
    address = f"tcp://{way.ip}:{way.port}"

    answer = await on_account(world, "check_addresses", addresses=address, **network)
    assert answer["connections"][0]["address"] == address

    before = len(world.service.calls)
    error = await refused(world, None, "check_addresses", addresses=[address] * 21, **network)
    assert error.translation_key == "check_count"
    error = await refused(world, None, "check_addresses", addresses=["udp://a:1"], **network)
    assert error.translation_key == "address_not_checkable"
    assert len(world.service.calls) == before


# Reports and tokens


@pytest.mark.platforms("binary_sensor")
async def test_report_node(world: World[EasyTierService]) -> None:
    """It replaces the node's agent. The service's rows contain the token."""
    await world.set_up()
    number = next(n for n, row in world.service.state.nodes.items() if row.status == "offline")
    node(world, number).valid_until = "2999-12-31"

    answer = await on(
        world,
        f"relay_node:{number}",
        "report_node",
        online=True,
        bandwidth=12.5,
        traffic=40,
        connections=3,
        bandwidth_tier=100,
    )

    said = node(world, number)
    assert (said.status, said.current_bandwidth, said.connection_count) == ("online", 12.5, 3)
    assert (said.used_traffic, said.tier_bandwidth) == (40, 100)
    assert answer["traffic_used"] == 40 * 1024**3
    assert world.value("binary_sensor", f"relay_node:{number}", "online") == "on"


@DOCUMENTED
async def test_report_node_needs_a_token(world: World[EasyTierService]) -> None:
    world.service.state.settings.undocumented_endpoints = False
    await world.set_up()
    error = await refused(world, "relay_node:1", "report_node", **READING)
    assert error.translation_key == "report_token_needed"
    error = await refused(world, "relay_node:1", "report_node", **READING, token="wrong")
    assert error.translation_key == "report_refused"
    assert error.translation_placeholders == {"message": "Token验证失败"}
    await on(world, "relay_node:1", "report_node", **READING, token=node(world).report_token)

    assert node(world).connection_count == 77


@BOTH
async def test_report_node_that_has_ended(world: World[EasyTierService]) -> None:
    await world.set_up()
    token = node(world, "8").report_token

    error = await refused(world, "relay_node:8", "report_node", **READING, token=token)

    assert error.translation_key == "report_refused"
    assert error.translation_placeholders == {"message": "节点已过期"}
    assert node(world, "8").connection_count != READING["connections"]


@BOTH
async def test_regenerate_report_token(world: World[EasyTierService]) -> None:
    await world.set_up()
    before = node(world).report_token

    answer = await on(world, "relay_node:1", "regenerate_report_token")

    assert answer["report_token"] == node(world).report_token != before


@BOTH
@pytest.mark.platforms("binary_sensor")
async def test_retoken(world: World[EasyTierService]) -> None:
    """The new session token is used and stored."""
    await world.set_up()
    before = world.entry.data["token"]

    answer = await on_account(world, "retoken")

    assert answer == {"link_token": None}, "it is only returned to the user who requested it"
    documented = world.service.state.settings.dialect == "documented"
    assert (world.entry.data["token"] != before) is documented
    await world.restart()
    assert world.value("binary_sensor", "relay_node:1", "online") == "on"
    assert len(world.service.calls_to("/api/auth/login")) == 1


async def test_actions_that_need_an_account(world: World[EasyTierService]) -> None:
    data = {"provider": "easytier", "base_url": world.service.url}
    world.hass.config_entries.async_update_entry(world.entry, data=data)
    await world.set_up()

    assert (await on_account(world, "query_nodes"))["nodes"], "allowed without an account"
    for action, fields in {"create_node": NEW, "retoken": {}}.items():
        error = await refused(world, None, action, **fields)
        assert error.translation_key == "account_needed"


# Failures and permissions


@pytest.mark.parametrize(
    "kind, key",
    [("status", "unavailable_server_error"), ("html", "unavailable_firewall")],
)
async def test_a_command_while_the_service_fails(
    world: World[EasyTierService], kind: str, key: str
) -> None:
    await world.set_up()
    world.service.fault("/api/nodes/{id}", kind, times=None)

    with pytest.raises(HomeAssistantError) as failed:
        await world.act("switch", "turn_off", "relay_node:1", "allow_relay")

    assert failed.value.translation_key == key
    assert world.value("switch", "relay_node:1", "allow_relay") == "on"
    assert node(world).allow_relay == 1


async def test_a_refused_password_asks_to_sign_in_again(world: World[EasyTierService]) -> None:
    await world.set_up()
    world.service.account.password = "another"
    world.service.refuse_tokens()

    with pytest.raises(HomeAssistantError) as failed:
        await world.act("switch", "turn_off", "relay_node:1", "allow_relay")

    assert failed.value.translation_key == "authentication_failed"
    assert [f["step_id"] for f in world.hass.config_entries.flow.async_progress()] == [
        "reauth_confirm"
    ]


async def test_actions_for_administrators_only(
    world: World[EasyTierService], hass_read_only_user: MockUser
) -> None:
    await world.set_up()

    for action in ("delete_node", "regenerate_report_token", "update_node"):
        with pytest.raises(Unauthorized):
            await world.hass.services.async_call(
                DOMAIN,
                action,
                {"device_id": world.device_id("relay_node:1")},
                blocking=True,
                context=Context(user_id=hass_read_only_user.id),
            )

    assert "1" in world.service.state.nodes
