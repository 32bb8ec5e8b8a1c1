"""Blueprints, loaded as a user loads them, at work with a simulated service."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
import re
from typing import Any

from homeassistant.components import automation
from homeassistant.const import EVENT_HOMEASSISTANT_START
from homeassistant.core import ServiceCall
from homeassistant.util.yaml import load_yaml_dict
from jinja2 import Environment
from jinja2.meta import find_undeclared_variables
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from demo.blueprints import TRIALS
from demo.provider import Entity

from .automations import FOLDER, Automate, messages
from .clocks import fire_timers
from .common import HOUR, MINUTE, World

CHINESE = "_zh"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
BLUEPRINTS = [name for name in FILES if not name.endswith(CHINESE)]
TEXTS = ("description", "label", "message", "name", "source_url")


def test_each_is_tried_in_the_demo() -> None:
    assert sorted(TRIALS) == BLUEPRINTS


@pytest.fixture
def simulated() -> dict[str, Any]:
    """With little."""
    return {"tunnels": 2, "nodes": 3}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_the_demo_fills_in_what_a_blueprint_asks_for(name: str) -> None:
    asked = load_yaml_dict(str(FOLDER / f"{name}.yaml"))["blueprint"]["input"]
    any_entity = Entity(id="sensor.any", device="", device_id="any", disabled=False, state=None)
    filled_in = TRIALS[name].inputs(defaultdict(lambda: any_entity))
    needed = {key for key, about in asked.items() if "default" not in about}
    assert needed <= filled_in.keys() <= asked.keys()


@pytest.mark.parametrize("name", FILES)
def test_they_can_be_imported(name: str) -> None:
    """What tells one from others comes first in its name."""
    about = load_yaml_dict(str(FOLDER / f"{name}.yaml"))["blueprint"]
    assert about["source_url"].endswith(f"/blueprints/automation/{DOMAIN}/{name}.yaml")
    assert about["name"].endswith("（Tunnel Hub）" if name.endswith(CHINESE) else " (Tunnel Hub)")


def leaves(tree: object, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Return what a blueprint consists of, with where it is."""
    if isinstance(tree, Mapping | list):
        parts = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
        for key, part in parts:
            yield from leaves(part, *path, key)
    else:
        yield path, tree


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_chinese_ones_do_the_same(name: str) -> None:
    """Home Assistant can't translate blueprints, so each is there twice, with other words."""
    english, chinese = (
        dict(leaves(load_yaml_dict(str(FOLDER / f"{file}.yaml"))))
        for file in (name, name + CHINESE)
    )
    assert list(english) == list(chinese)
    for path, text in english.items():
        if path[-1] not in TEXTS or "default" in path:
            assert text == chinese[path], path
        elif path[-1] != "source_url":
            assert re.search(r"[\u3400-\u9fff]", chinese[path]), path
            assert variables(text) == variables(chinese[path]), path


def variables(text: str) -> set[str]:
    """Return the names in the templates of a text."""
    return find_undeclared_variables(Environment().parse(text))


@pytest.mark.parametrize(
    "name, said",
    [
        ("tunnel_down_and_back", ("{} is down.", "{} is back.")),
        ("tunnel_down_and_back_zh", ("{} 已离线。", "{} 已恢复。")),
    ],
)
async def test_a_tunnel_is_down_and_back(
    world: World, automate: Automate, told: list[ServiceCall], name: str, said: tuple[str, str]
) -> None:
    await world.set_up()
    tunnels = [world.device_id(f"tunnel:{number}") for number in "12"]
    await automate(name, tunnels=tunnels)
    first, second = (world.service.state.tunnels[number] for number in "12")

    first.client_running = second.client_running = False
    await world.live(3 * MINUTE)
    second.client_running = True
    await world.live(2 * MINUTE)
    assert messages(told) == []

    await world.live(2 * MINUTE)
    assert messages(told) == [said[0].format(first.proxy_name)]

    first.client_running = True
    await world.live(2 * MINUTE)
    assert messages(told) == [text.format(first.proxy_name) for text in said]


async def test_a_new_address(world: World, automate: Automate, told: list[ServiceCall]) -> None:
    await world.set_up()
    before = world.value("sensor", "tunnel:1", "public_address")
    await automate("tell_new_address", tunnels=[world.device_id("tunnel:1")])
    tunnel = world.service.state.tunnels["1"]
    tunnel.remote_port = 40_000
    await world.elapse(MINUTE)
    host = before.rpartition(":")[0]
    assert messages(told) == [f"{tunnel.proxy_name} is at {host}:40000 now. Before: {before}"]


async def test_a_name_is_neither_markup_nor_template(
    world: World, automate: Automate, told: list[ServiceCall]
) -> None:
    """The way that the blueprints choose themselves shows Markdown."""
    tunnel = world.service.state.tunnels["1"]
    tunnel.proxy_name = "<b>{{ 1 + 1 }}</b> [free](https://evil.example)"
    await world.set_up()
    await automate("tunnel_down_and_back", tunnels=[world.device_id("tunnel:1")])

    tunnel.client_running = False
    await world.live(8 * MINUTE)

    assert messages(told) == ["＜b>{{ 1 + 1 }}＜/b> ［free](https://evil.example) is down."]


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_what_is_shown_as_markdown_is_plain(name: str) -> None:
    source = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    shown = re.findall(
        r"action: persistent_notification.create\n.*?message: (.*?)\n", source, re.DOTALL
    )
    assert all("replace('<', '＜') | replace('[', '［')" in message for message in shown)


def sign_ins(world: World) -> int:
    """Return how often the service was asked."""
    return len(world.service.calls_to("/user", type="sign"))


def later(world: World, seconds: float) -> None:
    """Let time pass without waiting for an automation that waits itself."""
    world.freezer.tick(seconds)
    fire_timers(world.hass)


def running(world: World) -> bool:
    """Return whether the automation is at work."""
    (state,) = world.hass.states.async_all(automation.DOMAIN)
    return bool(state.attributes["current"])


async def sign_in_between(world: World, automate: Automate, minutes: int) -> None:
    """Sign in between half past twelve and so much later; it is noon."""
    await world.hass.config.async_set_time_zone("Asia/Shanghai")
    await automate(
        "sign_in_every_day",
        account=world.device_id("account:account"),
        **{"from": "12:30:00", "within": minutes},
    )


async def test_sign_in_every_day(world: World, automate: Automate, told: list[ServiceCall]) -> None:
    await world.set_up()
    await sign_in_between(world, automate, 60)

    await world.elapse(29 * MINUTE)
    assert sign_ins(world) == 0
    later(world, MINUTE + 1)
    await world.until(lambda: running(world))
    assert sign_ins(world) == 0, "not on the dot"
    later(world, HOUR)
    await world.until(lambda: bool(told))

    assert sign_ins(world) == 1
    assert messages(told) == ["HayFrp demo: signed in."]


async def test_who_has_signed_in_is_not_signed_in_again(
    world: World, automate: Automate, told: list[ServiceCall]
) -> None:
    await world.set_up()
    await world.act("button", "press", "account:account", "sign_in")
    await sign_in_between(world, automate, 0)

    await world.elapse(31 * MINUTE)

    assert sign_ins(world) == 1
    assert messages(told) == []


async def test_a_failed_sign_in_notifies(
    world: World, automate: Automate, told: list[ServiceCall]
) -> None:
    await world.set_up()
    world.service.fault("/user", "error", match={"type": "sign"})
    await sign_in_between(world, automate, 0)

    await world.elapse(31 * MINUTE)

    assert messages(told) == ["HayFrp demo: the sign-in failed."]


@pytest.mark.parametrize(
    "presence, away, home",
    [
        ("nobody_home", True, False),
        ("somebody_home", False, True),
    ],
)
async def test_a_tunnel_only_while(
    world: World, automate: Automate, presence: str, away: bool, home: bool
) -> None:
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    switch = world.entity_id("switch", "tunnel:1", "enabled")
    world.hass.states.async_set("zone.home", "1")
    await automate("tunnel_only_while", tunnels=[switch], presence=presence)

    world.hass.states.async_set("zone.home", "0")
    await world.settle()
    assert tunnel.enabled is away

    world.hass.states.async_set("zone.home", "1")
    await world.settle()
    assert tunnel.enabled is home


async def test_a_tunnel_on_a_schedule(world: World, automate: Automate) -> None:
    """Both have to be met; a restart looks too."""
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    world.hass.states.async_set("zone.home", "0")
    world.hass.states.async_set("schedule.night", "off")
    await automate(
        "tunnel_only_while",
        tunnels=[world.entity_id("switch", "tunnel:1", "enabled")],
        schedule=["schedule.night"],
    )

    world.hass.bus.async_fire(EVENT_HOMEASSISTANT_START)
    await world.settle()
    for night, people, enabled in (("on", "0", True), ("on", "1", False), ("off", "0", False)):
        world.hass.states.async_set("schedule.night", night)
        world.hass.states.async_set("zone.home", people)
        await world.settle()
        assert tunnel.enabled is enabled, (night, people)


@pytest.mark.parametrize(
    "name, said",
    [
        ("traffic_low", "HayFrp demo: 5.00 GiB left."),
        ("traffic_low_zh", "HayFrp demo：剩余 5.00 GiB。"),
    ],
)
async def test_traffic_is_low(
    world: World, automate: Automate, told: list[ServiceCall], name: str, said: str
) -> None:
    """How long it lasts is not known yet; tests/test_forecast.py has one who knows."""
    account = world.service.account
    await world.set_up()
    await automate(
        name,
        left=world.entity_id("sensor", "account:account", "traffic_left"),
        lasts_until=world.entity_id("sensor", "account_forecast:account", "traffic_lasts_until"),
        below=6,
    )

    account.traffic = 5 * 1024
    await world.elapse(MINUTE)

    assert messages(told) == [said]


async def test_a_node_is_down(world: World, automate: Automate, told: list[ServiceCall]) -> None:
    """The tunnel goes to the first node that is up, which none used, and its address is told."""
    for tunnel in world.service.state.tunnels.values():
        tunnel.node = "1"
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    node = world.service.state.nodes[tunnel.node]
    others = [world.service.state.nodes[number] for number in "123" if number != tunnel.node]
    await automate(
        "node_down_move_tunnel",
        tunnel_state=world.entity_id("sensor", "tunnel:1", "state"),
        tunnel_node=world.entity_id("sensor", "tunnel:1", "node_name"),
        tunnel_address=world.entity_id("sensor", "tunnel:1", "public_address"),
        nodes=[world.device_id(f"node:{one.id}") for one in (node, *others)],
    )

    tunnel.client_running = False
    await world.live(15 * MINUTE)
    assert messages(told) == [], "its node is well"
    tunnel.client_running = True
    await world.live(2 * MINUTE)

    node.online = False
    await world.live(20 * MINUTE)

    assert world.service.state.tunnels["1"].node == others[0].id
    address = world.value("sensor", "tunnel:1", "public_address")
    assert others[0].domain in address
    assert messages(told) == [
        f"{tunnel.proxy_name} has moved from {node.name} to {others[0].name}: {address}"
    ]


async def test_everything_is_forced_down(world: World, automate: Automate) -> None:
    await world.set_up()
    tunnels = world.service.state.tunnels
    before = {number: tunnel.enabled for number, tunnel in tunnels.items()}
    spared = world.entity_id("switch", "tunnel:2", "force_down")
    await automate(
        "force_down_everything",
        **{"helper": "input_boolean.panic", "except": [spared]},
    )

    world.hass.states.async_set("input_boolean.panic", "off")
    world.hass.states.async_set("input_boolean.panic", "on")
    await world.settle()
    assert {number for number, tunnel in tunnels.items() if tunnel.enabled} == {"2"}

    world.hass.states.async_set("input_boolean.panic", "off")
    await world.settle()
    assert {number: tunnel.enabled for number, tunnel in tunnels.items()} == before
