"""Tests Assist's answers about a node: its users, certificates and peers."""

from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockUser

from simulator.hy2scale.initial_state import device_key

from ..assist import ask, expose, say, set_up_assist
from ..common import MINUTE, on_account
from .common import Hub

GIB = 1024**3


@pytest.fixture
async def hub(world: Hub) -> Hub:
    """Return a node of which the node itself, a user and a peer are exposed."""
    user = world.user("alice")
    user.traffic_limit, user.traffic_used = 100 * GIB, 25 * GIB
    await set_up_assist(world)
    expose(world, "sensor", "certificates:account", "certificates")
    expose(world, "sensor", f"user:{user.id}", "traffic_usage")
    return world


async def test_who_is_connected(hub: Hub) -> None:
    """Addresses are only for administrators. Other users only get the exposed users."""
    owner, child = MockUser(is_owner=True), MockUser(is_owner=False)
    for person in (owner, child):
        person.add_to_hass(hub.hass)
    child.mock_policy({"entities": {"all": {"read": True}}})

    (found,) = await ask(hub, "get_connected", owner)
    assert found["name"] == "alice"
    assert found["devices"] >= 1
    assert found["addresses"]
    for who in (child, None):
        (found,) = await ask(hub, "get_connected", who)
        assert found.keys() == {"name", "kind", "devices"}
    assert (
        await say(hub, "who is connected to my vpn")
        == "Connected (1): alice. What is not exposed to Assist is not included."
    )


async def test_more_users_are_connected_than_are_named(hub: Hub) -> None:
    names = ["bob", *(f"guest{number}" for number in range(5))]
    state = hub.service.state
    for name in names[1:]:
        state.users[name] = replace(hub.user("bob"), id=name, username=name)
        session = replace(next(iter(state.sessions.values())), username=name)
        state.sessions[device_key(name, session.remote_ip, session.protocol)] = session
    await hub.elapse(MINUTE)
    await hub.elapse(MINUTE)
    for name in names:
        expose(hub, "sensor", hub.user_thing(name), "traffic_usage")

    answer = await say(hub, "谁连着我的节点", "zh-Hans")

    assert answer == (
        "已连接 7 个：alice、bob、guest0、guest1、guest2，还有 2 个。"
        "未向 Assist 公开的内容不包括在内。"
    )
    answer = await say(hub, "who is connected to my node")
    assert answer == (
        "Connected (7): alice, bob, guest0, guest1, guest2, and 2 more. "
        "What is not exposed to Assist is not included."
    )


async def test_no_user_is_connected(hub: Hub) -> None:
    hub.service.state.sessions.clear()
    await hub.elapse(2 * MINUTE)

    assert (await say(hub, "Who is connected to my mesh?")).startswith("No one is connected.")
    assert (await say(hub, "谁连着我的节点？", "zh-Hans")).startswith("目前没有人连接。")


async def test_traffic_of_users(hub: Hub) -> None:
    assert await ask(hub, "get_traffic") == [{"name": "alice", "left_gib": 75.0}]


async def test_certificates(hub: Hub) -> None:
    names = ["short.example.com"]
    await on_account(hub, "generate_certificate", id="short", domains=names, days=10)
    await hub.elapse(61 * MINUTE)

    (found,) = await ask(hub, "get_certificates", days=20)
    assert found["certificate"] == "short.example.com"
    assert found["ends"].startswith("2026-10-")
    assert await ask(hub, "get_certificates", days=5) == []
    assert (await say(hub, "which certificates end soon")).startswith(
        "Certificates that end soon: 1."
    )
