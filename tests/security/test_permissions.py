"""Tests which users may run which actions."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix
from custom_components.tunnel_hub.services import ACTIONS

from ..common import World

FOR_EVERY_USER = {
    "check_node": "returns what the entities of the node show",
    "check_reachability": "checks what the entities of the tunnel show, every ten seconds at most",
    "check_tunnel": "returns what the entities of the tunnel show",
    "force_offline": "does the same as the button; the client can reconnect",
    "get_app_version": "returns public data of the service",
    "get_certificate": "returns the public half, which every client receives",
    "get_graph_layout": "returns positions in a picture",
    "get_latency_history": "returns what the sensor's history shows",
    "get_node": "returns what the entities of the node show",
    "get_node_history": "returns the service's data of its own nodes",
    "get_peers": "returns what the entities of the peers show",
    "get_traffic_history": "returns what the sensors' history shows",
    "list_downloads": "returns public data of the service",
    "query_nodes": "returns public data of the service",
    "sign_in": "does the same as the button; it only adds points or traffic",
    "suggest_node": "returns what nodes show; connects every ten minutes at most",
}
"""Actions for all users, with the reason; all others are for administrators."""

_ADMITTED = {
    GROUP_ID_ADMIN: ACTIONS.keys(),
    GROUP_ID_USER: FOR_EVERY_USER.keys(),
    GROUP_ID_READ_ONLY: set[str](),
}


async def _user(hass: HomeAssistant, group: str) -> str:
    """Creates a user in a group; the first user is the owner, who has all permissions."""
    await hass.auth.async_create_user("owner", group_ids=[GROUP_ID_ADMIN])
    return (await hass.auth.async_create_user(group, group_ids=[group])).id


def _device_of_kind(world: World, kind: str) -> str:
    """Returns a device of a kind, which is registered with an entity if there is none."""
    if device := world.device(f"{kind}:1"):
        return device.id
    entry, name = world.entry, f"{id_prefix(world.entry)}:{kind}:1"
    device = dr.async_get(world.hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, name)}
    )
    er.async_get(world.hass).async_get_or_create(
        "sensor", DOMAIN, f"{name}:name", config_entry=entry, device_id=device.id
    )
    return device.id


async def _call(world: World, name: str, data: dict[str, Any], user_id: str | None) -> None:
    """Calls an action's registered handler without validating its fields."""
    service = world.hass.services.async_services_for_domain(DOMAIN)[name]
    handler = cast("Callable[[ServiceCall], Awaitable[object]]", service.job.target)
    await handler(ServiceCall(world.hass, DOMAIN, name, data, context=Context(user_id=user_id)))


def _targets(world: World, name: str) -> list[dict[str, str]]:
    """Returns a target of each kind that an action takes."""
    if kinds := ACTIONS[name].kinds:
        return [{"device_id": _device_of_kind(world, kind)} for kind in kinds]
    return [{"config_entry_id": world.entry.entry_id}]


@pytest.mark.parametrize("group", list(_ADMITTED))
async def test_all_actions_and_kinds_of_user(world: World, group: str) -> None:
    """Tests that users without permission are refused before any request is sent."""
    await world.set_up()
    user_id = await _user(world.hass, group)

    admitted = set()
    for name in ACTIONS:
        for target in _targets(world, name):
            requests = len(world.service.calls)
            try:
                await _call(world, name, target, user_id)
            except Unauthorized:
                assert len(world.service.calls) == requests, name
                continue
            except HomeAssistantError, KeyError, TypeError:
                # An unsupported action or a missing field: the permission was granted.
                pass
            admitted.add((name, *target.values()))
            await world.settle()

    expected = {
        (name, *target.values()) for name in _ADMITTED[group] for target in _targets(world, name)
    }
    assert admitted == expected


@pytest.mark.parametrize("name", sorted(FOR_EVERY_USER))
def test_actions_for_every_user_exist(name: str) -> None:
    assert name in ACTIONS


async def test_a_user_with_permission_for_one_device(world: World) -> None:
    """Tests a user who may control a single device."""
    await world.set_up()
    user_id = await _user(world.hass, GROUP_ID_READ_ONLY)
    user = await world.hass.auth.async_get_user(user_id)
    assert user
    (group,) = user.groups
    own = {
        entity.entity_id: True
        for entity in world.registered("tunnel:1:") + world.registered("check:1:")
    }
    group.policy = {"entities": {"entity_ids": own}}
    user.invalidate_cache()

    await _call(world, "check_tunnel", {"device_id": world.device_id("tunnel:1")}, user_id)
    with pytest.raises(Unauthorized):
        await _call(world, "check_tunnel", {"device_id": world.device_id("tunnel:2")}, user_id)
    with pytest.raises(Unauthorized):
        await _call(world, "sign_in", {"config_entry_id": world.entry.entry_id}, user_id)


async def test_a_device_without_entities(world: World) -> None:
    """Tests that users need the permission for all entities."""
    await world.set_up()
    target = {"device_id": world.device_id("tunnel:1")}
    registry = er.async_get(world.hass)
    for entity in world.registered("tunnel:1:") + world.registered("check:1:"):
        registry.async_remove(entity.entity_id)

    await _call(world, "check_tunnel", target, await _user(world.hass, GROUP_ID_USER))
    with pytest.raises(Unauthorized):
        await _call(world, "check_tunnel", target, await _user(world.hass, GROUP_ID_READ_ONLY))


async def test_a_disabled_entity_counts(world: World) -> None:
    """Tests that disabling an entity does not allow an action."""
    await world.set_up()
    world.disable("tunnel:1:", "check:1:")
    await world.restart()

    with pytest.raises(Unauthorized):
        await _call(
            world,
            "check_tunnel",
            {"device_id": world.device_id("tunnel:1")},
            await _user(world.hass, GROUP_ID_READ_ONLY),
        )


async def test_automations_may_do_everything(world: World) -> None:
    await world.set_up()
    await _call(world, "check_tunnel", {"device_id": world.device_id("tunnel:1")}, None)


async def test_a_deleted_user(world: World) -> None:
    await world.set_up()
    with pytest.raises(UnknownUser):
        await _call(world, "check_tunnel", {"device_id": world.device_id("tunnel:1")}, "gone")


# Home Assistant's own use of aiohttp.
@pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
async def test_over_the_web_socket(
    world: World, hass_ws_client: WebSocketGenerator, hass_read_only_access_token: str
) -> None:
    """Tests a read-only user's calls."""
    await world.set_up()
    client = await hass_ws_client(world.hass, hass_read_only_access_token)

    for name, data in {
        "check_tunnel": {"device_id": world.device_id("tunnel:1")},
        "force_offline": {"device_id": world.device_id("tunnel:1")},
        "list_downloads": {"config_entry_id": world.entry.entry_id},
        "sign_in": {"config_entry_id": world.entry.entry_id},
    }.items():
        await client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": DOMAIN,
                "service": name,
                "service_data": data,
                "return_response": ACTIONS[name].response == SupportsResponse.ONLY,
            }
        )
        answer = await client.receive_json()
        assert not answer["success"], name
        assert answer["error"]["message"] == "Unauthorized"
