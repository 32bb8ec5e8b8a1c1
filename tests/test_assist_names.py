"""Tests Assist with tunnels of two services that have the same name."""

from homeassistant.auth.models import User
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import ChmlFrpService

from .assist import ask, expose, name_of, say, set_up_assist
from .common import MINUTE, SMALL, World

pytestmark = [pytest.mark.platforms("binary_sensor", "button", "switch"), SMALL]

NAME = "nas"
FIRST, SECOND = "nas (HayFrp demo)", "nas (ChmlFrp demo)"
"""The full names. The device of the first tunnel is called by the name only."""
SIGN_IN = {"en": "Sign in to my tunnel account.", "zh-Hans": "给隧道账户签到。"}

type Homes = tuple[World, World[ChmlFrpService]]


@pytest.fixture
def owner(world: World) -> User:
    return MockUser(is_owner=True).add_to_hass(world.hass)


@pytest.fixture
async def homes(world: World, chmlfrp: ChmlFrpService) -> Homes:
    """Return both accounts. The switches of one tunnel of each are exposed."""
    account = chmlfrp.account
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="ChmlFrp demo",
        unique_id=f"chmlfrp:{account.id}",
        data={"provider": "chmlfrp", "base_url": chmlfrp.url, "token": account.usertoken},
    )
    chmlfrp.state.tunnels["1"].name = world.service.state.tunnels["1"].proxy_name = NAME
    await set_up_assist(world)
    entry.add_to_hass(world.hass)
    second = World(world.hass, world.freezer, chmlfrp, entry)
    await second.set_up()
    for home, key in ((world, "enabled"), (world, "force_down"), (second, "force_down")):
        expose(home, "switch", "tunnel:1", key)
    assert [name_of(home, "tunnel:1") for home in (world, second)] == [NAME, SECOND]
    return world, second


# Questions


@pytest.mark.parametrize(
    "said, language, fault, well",
    [
        ("Why is nas down?", "en", f"{SECOND}: Disconnected. ", f" {FIRST} is not known"),
        ("为什么 nas 离线？", "zh-Hans", f"{SECOND}：已断开。", f"。没有发现“{FIRST}”"),
    ],
)
async def test_a_question_is_answered_for_both(
    homes: Homes, said: str, language: str, fault: str, well: str
) -> None:
    _, second = homes
    second.service.state.tunnels["1"].client_running = False
    await second.live(2 * MINUTE)

    answer = await say(second, said, language)

    assert answer.startswith(fault), "problems come first"
    assert well in answer


SPELT = {
    "en": ("Why is {} down?", "why is the tunnel {} offline", "why is the {} tunnel unreachable"),
    "zh-Hans": ("为什么 {} 离线？", "为什么{}断了", "为什么隧道{}掉线了？", "为什么 {} 隧道离线"),
}
WELL = {"en": "{} is not known to be down.", "zh-Hans": "没有发现“{}”有问题。"}


@pytest.mark.parametrize("language", SPELT)
@pytest.mark.parametrize("full, called", [(FIRST, NAME), (SECOND, SECOND)])
async def test_full_names_are_understood(
    homes: Homes, language: str, full: str, called: str
) -> None:
    """This includes the full name of the tunnel whose device is called by the name only."""
    for sentence in SPELT[language]:
        for name in (full, full.upper(), full.replace("(", "").replace(")", "")):
            answer = await say(homes[0], sentence.format(name), language)
            assert answer == WELL[language].format(called), sentence.format(name)


TYPED = ("nas（ChmlFrp demo）", "nas （ChmlFrp demo）", "nas(ChmlFrp demo)")


@pytest.mark.parametrize("name", TYPED)
async def test_brackets_in_different_spellings(homes: Homes, name: str) -> None:
    for sentence in SPELT["zh-Hans"]:
        answer = await say(homes[0], sentence.format(name), "zh-Hans")
        assert answer == WELL["zh-Hans"].format(SECOND), sentence.format(name)
    assert await say(homes[0], f"Why is {name} down?") == WELL["en"].format(SECOND)


# Commands


async def test_a_command_for_the_only_tunnel_that_supports_it(homes: Homes, owner: User) -> None:
    """The answer names the tunnel, and the other one is not changed."""
    first, _ = homes

    assert await say(first, "Disable the tunnel nas.", user=owner) == f"{FIRST} is disabled."
    assert not first.service.state.tunnels["1"].enabled
    assert await say(first, "启用隧道 nas。", "zh-Hans", owner) == f"已启用“{FIRST}”。"
    assert first.service.state.tunnels["1"].enabled


async def test_an_ambiguous_command_asks_for_the_full_name(homes: Homes, owner: User) -> None:
    first, second = homes

    def held() -> list[str]:
        return [home.value("switch", "tunnel:1", "force_down") for home in homes]

    answer = await say(second, "Hold the tunnel nas down.", user=owner)
    assert answer == f'Several tunnels are called "nas". Say the full name: {SECOND}, {FIRST}.'
    answer = await say(second, "把隧道 nas 保持下线。", "zh-Hans", owner)
    assert answer == f"有多条名为“nas”的隧道。请说出全名：{SECOND}、{FIRST}。"
    assert held() == ["off", "off"]

    for name, wanted in ((FIRST, ["on", "off"]), (SECOND, ["on", "on"])):
        answer = await say(second, f"Hold the tunnel {name} down.", user=owner)
        assert answer.endswith(" is forced down.")
        assert held() == wanted
    assert await ask(first, "command_tunnel", owner, tunnel=FIRST, command="release") == NAME
    assert held() == ["off", "on"]


HOLD = {
    "en": (
        "Force down the tunnel {}",
        "force down tunnel {}",
        "Force down the {} tunnel",
        "Force down {}.",
        "force the tunnel {} down",
    ),
    "zh-Hans": (
        "保持下线隧道 {}",
        "强制下线隧道{}",
        "保持下线{}。",
        "强制下线 {}",
        "保持隧道{}下线",
        "让隧道{}保持下线。",
        "把{}保持下线",
        "将隧道 {} 强制下线",
    ),
}


@pytest.mark.parametrize("language", HOLD)
async def test_the_name_of_the_switch(homes: Homes, owner: User, language: str) -> None:
    _, second = homes
    for sentence in HOLD[language]:
        await say(second, sentence.format(SECOND), language, owner)
        assert second.value("switch", "tunnel:1", "force_down") == "on", sentence
        await second.act("switch", "turn_off", "tunnel:1", "force_down")


# Sign-in


async def test_the_button_to_expose_is_named(homes: Homes, owner: User) -> None:
    """Home Assistant does not expose buttons by default."""
    first, _ = homes
    assert await say(first, SIGN_IN["en"], user=owner) == (
        "You cannot sign in by voice yet. "
        'Expose the entity "Sign in" of the account to Assist first.'
    )
    assert await say(first, SIGN_IN["zh-Hans"], "zh-Hans", owner) == (
        "暂时无法用语音签到。请先向 Assist 公开账户的“签到”实体。"
    )
    assert not first.service.account.totalsign
    guest = MockUser(is_owner=False)
    guest.add_to_hass(first.hass)
    guest.mock_policy({})
    assert await say(first, SIGN_IN["en"], user=guest) == "No account has a daily sign-in."

    expose(first, "button", "account:account", "sign_in")
    assert (await say(first, SIGN_IN["en"], user=owner)).startswith("Signed in: HayFrp demo")


async def test_an_account_without_a_button_to_expose(homes: Homes, owner: User) -> None:
    """The button is disabled, or the account's data are unknown."""
    first, second = homes
    registry = er.async_get(first.hass)
    button = first.entity_id("button", "account:account", "sign_in")
    registry.async_update_entity(button, disabled_by=er.RegistryEntryDisabler.USER)

    assert await say(first, SIGN_IN["en"], user=owner) == "No account has a daily sign-in."

    second.service.fault("*", "status", status=503, times=None)
    await second.live(30 * MINUTE)
    answer = await say(first, SIGN_IN["en"], user=owner)
    assert answer.startswith("Nothing is known of ChmlFrp demo at the moment")
