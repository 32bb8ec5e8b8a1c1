"""Tests Assist: questions and commands of language models, and sentences in both languages."""

import asyncio

from homeassistant.auth.models import User
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.llm import LLM_API_ASSIST, LLMContext, async_get_api
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.tunnel_hub.assist import COMMANDS
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.sentences import SENTENCES

from .assist import ask, ask_for_result, expose, name_of, say, set_up_assist
from .checks.rows import OK
from .checks.servers import Authorities, http_handler, listening
from .common import MINUTE, SMALL, World

pytestmark = [pytest.mark.platforms("binary_sensor", "button", "switch"), SMALL]


@pytest.fixture
async def home(world: World) -> World:
    """Return Home Assistant with Assist, to which the first tunnel and the account are exposed."""
    await set_up_assist(world)
    for key in ("enabled", "force_down"):
        expose(world, "switch", "tunnel:1", key)
    expose(world, "button", "account:account", "sign_in")
    return world


@pytest.fixture
def owner(home: World) -> User:
    return MockUser(is_owner=True).add_to_hass(home.hass)


@pytest.fixture
def guest(home: World) -> MockUser:
    """Return a user who can read everything and control nothing."""
    guest = MockUser(is_owner=False)
    guest.add_to_hass(home.hass)
    guest.mock_policy({"entities": {"all": {"read": True}}})
    return guest


# Questions


async def test_which_tunnels_are_down(home: World) -> None:
    assert await ask(home, "get_tunnels_down") == []

    home.service.state.tunnels["1"].client_running = False
    await home.elapse(MINUTE)

    (found,) = await ask(home, "get_tunnels_down")
    assert found["name"] == name_of(home, "tunnel:1")
    assert found["account"] == "HayFrp demo"
    assert found["problem"] == "Disconnected"
    assert found["advice"] == "No client is connected. Start the client (frpc) at home."
    (found,) = await ask(home, "get_tunnels_down", language="zh-Hans")
    assert (found["problem"], found["advice"]) == (
        "已断开",
        "没有客户端连接。请在家中启动客户端（frpc）。",
    )


async def test_why_they_are_down(home: World) -> None:
    await home.act("switch", "turn_on", "tunnel:1", "force_down")
    (found,) = await ask(home, "get_tunnels_down")
    assert found["problem"] == "Forced down"

    await home.act("switch", "turn_off", "tunnel:1", "force_down")
    await home.act("switch", "turn_off", "tunnel:1", "enabled")
    (found,) = await ask(home, "get_tunnels_down")
    assert found["problem"] == "Disabled"

    await home.act("switch", "turn_on", "tunnel:1", "enabled")
    home.service.state.nodes[home.service.state.tunnels["1"].node].online = False
    await home.live(2 * MINUTE)
    (found,) = await ask(home, "get_tunnels_down")
    assert (found["problem"], found["advice"]) == (
        "Node offline",
        "The node doesn't respond. Wait, or move the tunnel to another node.",
    )


async def test_entities_that_are_not_exposed_are_left_out(home: World) -> None:
    for tunnel in home.service.state.tunnels.values():
        tunnel.client_running = False
    await home.elapse(MINUTE)

    (found,) = await ask(home, "get_tunnels_down")

    assert found["name"] == name_of(home, "tunnel:1")
    other = name_of(home, "tunnel:2")
    refusal = await ask(home, "command_tunnel", tunnel=other, command="disable")
    assert refusal == f'No tunnel "{other}" is exposed to Assist.'
    assert home.service.state.tunnels["2"].enabled


async def test_entities_that_the_user_cannot_read_are_left_out(
    home: World, guest: MockUser
) -> None:
    home.service.state.tunnels["1"].client_running = False
    await home.elapse(MINUTE)
    assert await ask(home, "get_tunnels_down", guest)

    guest.mock_policy({})

    assert await ask(home, "get_tunnels_down", guest) == []


async def test_traffic(home: World) -> None:
    home.service.account.traffic = 5 * 1024
    await home.elapse(MINUTE)

    assert await ask(home, "get_traffic") == [{"name": "HayFrp demo", "left_gib": 5.0}]


@pytest.mark.platforms("binary_sensor", "button", "event", "sensor", "switch")
async def test_tools_are_described(home: World) -> None:
    """Home Assistant warns about tools without a prefix or an integration."""
    context = LLMContext("test", Context(), "en", "conversation", None)

    api = await async_get_api(home.hass, LLM_API_ASSIST, context)

    ours = [tool for tool in api.tools if tool.name.startswith(f"{DOMAIN}__")]
    assert len(ours) == 6
    assert {tool.integration for tool in ours} == {DOMAIN}
    assert {tool.name for tool in ours if not tool.annotations.read_only} == {
        f"{DOMAIN}__{name}" for name in ("command_tunnel", "sign_in")
    }
    by_user = ConfigEntryDisabler.USER
    await home.hass.config_entries.async_set_disabled_by(home.entry.entry_id, by_user)
    api = await async_get_api(home.hass, LLM_API_ASSIST, context)
    assert not [tool for tool in api.tools if tool.name.startswith(f"{DOMAIN}__")]


async def test_invalid_arguments(home: World) -> None:
    with pytest.raises(vol.Invalid):
        await ask(home, "command_tunnel", tunnel="nas", command="explode")
    with pytest.raises(vol.Invalid):
        await ask(home, "get_certificates", days="many")


# Commands


async def test_commands(home: World, owner: User) -> None:
    """A name is found in any spelling."""
    tunnel, name = home.service.state.tunnels["1"], name_of(home, "tunnel:1")

    async def command(wanted: str) -> str:
        done = await ask(home, "command_tunnel", owner, tunnel=name.upper(), command=wanted)
        return str(done)

    for wanted, enabled in (("disable", False), ("enable", True)):
        assert await command(wanted) == name
        assert tunnel.enabled is enabled
    assert await command("hold_down") == name
    assert home.value("switch", "tunnel:1", "force_down") == "on"
    assert await command("release") == name
    assert home.value("switch", "tunnel:1", "force_down") == "off"
    assert await ask(home, "sign_in", owner) == ["HayFrp demo"]
    assert home.service.account.totalsign == 1


@pytest.mark.parametrize("command", sorted(COMMANDS))
async def test_users_without_permission_cannot_control(
    home: World, guest: MockUser, command: str
) -> None:
    name = name_of(home, "tunnel:1")

    refusal = await ask(home, "command_tunnel", guest, tunnel=name, command=command)

    assert refusal == f"You are not allowed to control {name}."
    assert home.service.state.tunnels["1"].enabled
    refusal = await ask(home, "sign_in", guest)
    assert refusal == "You are not allowed to control HayFrp demo."
    assert not home.service.account.totalsign


async def test_a_switch_that_is_not_exposed(home: World, owner: User) -> None:
    expose(home, "binary_sensor", "tunnel:2", "online")
    name = name_of(home, "tunnel:2")

    refusal = await ask(home, "command_tunnel", owner, tunnel=name, command="disable")

    assert 'Expose its entity "Enabled"' in refusal
    assert home.service.state.tunnels["2"].enabled


async def test_two_tunnels_with_the_same_name(home: World, owner: User) -> None:
    expose(home, "switch", "tunnel:2", "enabled")
    for thing in ("tunnel:1", "tunnel:2"):
        dr.async_get(home.hass).async_update_device(home.device_id(thing), name_by_user="Twin")

    refusal = await ask(home, "command_tunnel", owner, tunnel="twin", command="disable")

    assert refusal == 'Several tunnels are called "twin". Rename one of them.', "no full names"
    assert all(tunnel.enabled for tunnel in home.service.state.tunnels.values())


async def test_two_tunnels_with_the_same_name_of_two_accounts(home: World, owner: User) -> None:
    """A command uses the name of the device, which can contain the account."""
    expose(home, "switch", "tunnel:2", "enabled")
    registry = dr.async_get(home.hass)
    name = name_of(home, "tunnel:1")
    registry.async_update_device(home.device_id("tunnel:2"), name=f"{name} (HayFrp other)")
    home.service.state.tunnels["2"].proxy_name = name
    await home.elapse(MINUTE)
    registry.async_update_device(home.device_id("tunnel:2"), name=f"{name} (HayFrp other)")

    refusal = await ask(home, "command_tunnel", owner, tunnel=name, command="disable")
    assert refusal.startswith("Several tunnels")

    wanted = f"{name}, HayFrp other"
    await ask(home, "command_tunnel", owner, tunnel=wanted, command="disable")
    assert home.service.state.tunnels["1"].enabled
    assert not home.service.state.tunnels["2"].enabled


async def test_watched_addresses(home: World) -> None:
    """The answer contains unreachable addresses and their certificates."""
    certificate = Authorities().certificate("127.0.0.1", issuer=None)
    async with listening(http_handler(OK), certificate=certificate) as server:
        secure = f"https://127.0.0.1:{server.port}"
        flow = home.hass.config_entries.flow
        menu = await flow.async_init(DOMAIN, context={"source": "user"})
        await flow.async_configure(menu["flow_id"], {"next_step_id": "watched"})
        entered = {"address": secure, "name": "Friend"}
        added = await flow.async_configure(menu["flow_id"], entered)
        await home.settle()
        (reachable,) = (
            entity.entity_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(home.hass), added["result"].entry_id
            )
            if entity.unique_id.endswith(":reachable")
        )
        async_expose_entity(home.hass, "conversation", reachable, True)
        assert await ask(home, "get_tunnels_down") == []
        (found,) = await ask(home, "get_certificates", days=3650)
        assert (found["certificate"], found["of"]) == ("Friend", "Watched addresses")
    await home.live(12 * MINUTE)

    assert await ask(home, "get_tunnels_down") == [
        {
            "name": "Friend",
            "kind": "watched address",
            "problem": "Port closed",
            "advice": "The node refuses connections to the port. Restart the client, or select "
            "another port.",
        }
    ]
    answer = await say(home, "why is Friend down?")
    assert answer.startswith("Friend: Port closed. The node refuses")
    answer = await say(home, "which addresses are down?")
    assert answer.startswith("Not usable: 1. Friend: Port closed.")
    assert (await say(home, "哪些地址不通了？", "zh-Hans")).startswith("无法使用：1 项。Friend：")


async def test_a_refusal_of_the_service(home: World, owner: User) -> None:
    """The answer is in the conversation's language, with the service's message."""
    name = name_of(home, "tunnel:1")
    refused = {"status": 500, "message": "维护"}
    home.service.fault("/proxy", "body", match={"type": "toggle"}, body=refused, times=None)

    refusal = await ask(
        home, "command_tunnel", owner, language="zh-Hans", tunnel=name, command="disable"
    )

    assert refusal == f"“{name}”操作失败：服务拒绝了该请求：“维护”。"


async def test_a_deleted_user(home: World, guest: MockUser) -> None:
    await home.hass.auth.async_remove_user(guest)

    with pytest.raises(HomeAssistantError):
        await ask(home, "get_traffic", guest)


# Sentences

LANGUAGES = ("en", "zh-Hans")
SAID = {
    "certificates": ("Which certificates expire soon?", "哪些证书快到期了？"),
    "disable": ("Disable the tunnel {tunnel}", "停用隧道{tunnel}"),
    "down": ("Which tunnels are down?", "哪些隧道掉线了？"),
    "enable": ("Enable the {tunnel} tunnel", "启用隧道{tunnel}"),
    "hold_down": ("Hold the tunnel {tunnel} down", "把隧道{tunnel}保持下线"),
    "release": ("Release the tunnel {tunnel}", "恢复隧道{tunnel}"),
    "sign_in": ("Sign in to my tunnel account", "给隧道账户签到"),
    "traffic": ("How much traffic do I have left?", "还剩多少流量？"),
    "why": ("Why is {tunnel} down?", "为什么 {tunnel} 离线？"),
}
LEFT_OUT = (
    "What is not exposed to Assist is not included.",
    "未向 Assist 公开的内容不包括在内。",
)
ANSWERS = {
    "certificates": (
        f"No certificate ends in the next 30 days. {LEFT_OUT[0]}",
        f"30 天内没有证书到期。{LEFT_OUT[1]}",
    ),
    "disable": ("{tunnel} is disabled.", "已停用“{tunnel}”。"),
    "down": (f"Nothing is down. {LEFT_OUT[0]}", f"一切正常。{LEFT_OUT[1]}"),
    "enable": ("{tunnel} is enabled.", "已启用“{tunnel}”。"),
    "hold_down": ("{tunnel} is forced down.", "“{tunnel}”已保持下线。"),
    "release": ("{tunnel} is released.", "“{tunnel}”已解除保持下线。"),
    "sign_in": ("Signed in: HayFrp demo.", "已签到：HayFrp demo。"),
    "traffic": ("HayFrp demo: 50.0 GiB left.", "HayFrp demo：剩余 50.0 GiB。"),
    "why": ("{tunnel} is not known to be down.", "没有发现“{tunnel}”有问题。"),
}
ORDER = sorted(SAID, key=lambda name: (name in {*COMMANDS, "sign_in"}, name))
"""Sentences that change something come last."""


@pytest.mark.parametrize("at", [0, 1], ids=LANGUAGES)
async def test_every_sentence(home: World, owner: User, at: int) -> None:
    assert SAID.keys() == ANSWERS.keys() == SENTENCES.keys() - {"connected"}
    tunnel = name_of(home, "tunnel:1")

    for name in ORDER:
        said = SAID[name][at].format(tunnel=tunnel)
        answer = await say(home, said, LANGUAGES[at], owner)
        assert answer == ANSWERS[name][at].format(tunnel=tunnel), said


async def test_what_is_down_is_named(home: World) -> None:
    home.service.state.tunnels["1"].client_running = False
    await home.elapse(MINUTE)
    name = name_of(home, "tunnel:1")

    assert (
        await say(home, "are all my tunnels up") == f"Not usable: 1. {name}: Disconnected. "
        f"No client is connected. Start the client (frpc) at home. {LEFT_OUT[0]}"
    )
    answer = await say(home, "隧道都正常吗", "zh-Hans")
    assert answer == (
        f"无法使用：1 项。{name}：已断开。建议：没有客户端连接。请在家中启动客户端（frpc）。"
        f"{LEFT_OUT[1]}"
    )
    assert (await say(home, f"why is the tunnel {name} down?")).startswith(f"{name}: Disconnected.")
    unknown = await say(home, f"why is {name_of(home, 'tunnel:2')} down?")
    assert unknown.endswith("is exposed to Assist."), "its state is left out"


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_service_that_does_not_respond(
    home: World, guest: MockUser, is_loaded: bool
) -> None:
    """Unknown values are not reported as fine, also after a restart of Home Assistant."""
    name = name_of(home, "tunnel:1")
    home.service.fault("*", "status", status=503, times=None)
    if is_loaded:
        await home.live(30 * MINUTE)
    else:
        await home.hass.config_entries.async_reload(home.entry.entry_id)
        await home.settle()
        assert home.entry_state() is ConfigEntryState.SETUP_RETRY

    silent = (
        "Nothing is known of HayFrp demo at the moment: there is no connection to the service, or "
        "you have to sign in again."
    )
    assert await say(home, SAID["down"][0]) == f"Nothing is down. {silent}"
    assert await say(home, SAID["why"][0].format(tunnel=name)) == silent
    assert (await say(home, SAID["down"][1], "zh-Hans")).endswith("无法连接服务，或需要重新登录。")
    result = await ask_for_result(home, "get_tunnels_down")
    assert result["no_current_data"] == ["HayFrp demo"]
    guest.mock_policy({})
    assert silent not in await say(home, SAID["down"][0], user=guest)


SPELT = (
    ("Why is the {} down?", "为什么 {} 断了？"),
    ("why is {} not reachable", "为什么{}不通"),
    ("Why is the tunnel {} offline?", "为什么隧道{}掉线了？"),
    ("why is the {} tunnel unreachable", "为什么 {} 隧道离线"),
)


SPOKEN = {
    "My NAS": ("my nas", "My-NAS"),
    "nas-7_ssh": ("nas-7_ssh", "nas 7 ssh", "NAS-7 ssh"),
    "The Lounge": ("the lounge",),
    "Bob’s (web) [1]": ("Bob’s (web) [1]", "bob's （web） [1]", "Bob's web 1", "bob’s web 1"),
    "home.example.com": ("home.example.com", "home example com"),
    "a. {b}|c: <d>?": (
        "a. {b}|c: <d>?",
        "a b c d",
    ),
    "家里的 NAS": ("家里的 NAS", "家里的 nas"),
    "🏠 web": ("🏠 web", "web"),
    "R&D / C++ #1 @ 50% “x” \\o/ 【y】": ("R&D / C++ #1 @ 50% “x” \\o/ 【y】", "R D C 1 50 x o y"),
    "nas:8080, web": ("nas:8080, web", "nas 8080 web"),
    "a_.b": ("a b",),  # Home Assistant refuses "a .b", together with all other names.
}


@pytest.mark.parametrize("at", [0, 1], ids=LANGUAGES)
async def test_names_as_they_are_spoken(home: World, at: int) -> None:
    registry = dr.async_get(home.hass)
    for named, spoken in SPOKEN.items():
        registry.async_update_device(home.device_id("tunnel:1"), name_by_user=named)
        await home.settle()

        for said in (sentence[at].format(name) for sentence in SPELT for name in spoken):
            answer = await say(home, said, LANGUAGES[at])
            assert answer == ANSWERS["why"][at].format(tunnel=named), said


async def test_a_name_without_letters(home: World, owner: User) -> None:
    """It cannot be spoken, and does not match other punctuation."""
    registry = dr.async_get(home.hass)
    registry.async_update_device(home.device_id("tunnel:1"), name_by_user="★")
    home.service.state.tunnels["1"].proxy_name = "☆"
    await home.elapse(MINUTE)

    refusal = await ask(home, "command_tunnel", owner, tunnel="!", command="disable")

    assert refusal == 'No tunnel "!" is exposed to Assist.'
    assert await ask(home, "command_tunnel", owner, tunnel="★", command="disable") == "★"


async def test_sentences_follow_the_entities(home: World) -> None:
    """They are only recognized while there are entities for them."""
    name = name_of(home, "tunnel:1")
    said = SAID["why"][0].format(tunnel=name)
    assert await say(home, said) == ANSWERS["why"][0].format(tunnel=name)

    assert await home.hass.config_entries.async_remove(home.entry.entry_id)
    await home.settle()

    for sentence in (said, *(english for english, _ in SAID.values())):
        answer = await say(home, sentence.format(tunnel=name))
        assert answer.startswith(("Sorry, I couldn't understand", "Sorry, I am not aware of"))


async def test_devices_of_other_integrations_change_no_sentences(home: World) -> None:
    """Names are only collected again if devices of the integration change."""

    def is_looking() -> bool:
        return "sentences" in {task.get_name() for task in asyncio.all_tasks()}

    registry = dr.async_get(home.hass)
    ours = home.device("tunnel:1")
    assert ours
    await home.settle()

    other = MockConfigEntry(domain="other")
    other.add_to_hass(home.hass)
    device = registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "lamp")}, name="lamp"
    )
    registry.async_update_device(device.id, name_by_user="light")
    registry.async_remove_device(device.id)
    assert not is_looking()

    registry.async_update_device(ours.id, name_by_user="workshop")
    assert is_looking()
    await home.settle()
    registry.async_remove_device(ours.id)
    assert is_looking()


async def test_disabled_entities_are_reported_as_such(home: World) -> None:
    await home.act("switch", "turn_on", "tunnel:1", "force_down")
    name = name_of(home, "tunnel:1")

    answer = await say(home, "which tunnels are down?")

    assert answer == f"Nothing is down. Switched off (1): {name}. {LEFT_OUT[0]}"
    (found,) = await ask(home, "get_tunnels_down")
    assert found["switched_off"] is True


async def test_an_account_that_is_not_exposed(home: World, guest: MockUser) -> None:
    """The answer says that something is missing, but not what.

    Users without permission get nothing.
    """
    async_expose_entity(
        home.hass,
        "conversation",
        home.entity_id("button", "account:account", "sign_in"),
        False,
    )
    question = SAID["traffic"][0]
    assert await say(home, question) == "No account with limited traffic is exposed to Assist."
    assert LEFT_OUT[0] in await say(home, SAID["down"][0], user=guest)

    guest.mock_policy({})

    assert LEFT_OUT[0] not in await say(home, SAID["down"][0], user=guest)


async def test_sentences_need_permission(home: World, guest: MockUser) -> None:
    name = name_of(home, "tunnel:1")

    answer = await say(home, f"disable the tunnel {name}", user=guest)

    assert answer == f"You are not allowed to control {name}."
    assert home.service.state.tunnels["1"].enabled
