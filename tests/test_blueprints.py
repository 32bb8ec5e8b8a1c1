"""Tests the blueprints in Home Assistant, with a simulated service."""

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


def test_each_is_in_the_demo() -> None:
    assert sorted(TRIALS) == BLUEPRINTS


@pytest.fixture
def simulated() -> dict[str, Any]:
    """Simulate two tunnels and nodes."""
    return {"tunnels": 2, "nodes": 3}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_the_demo_provides_a_blueprints_inputs(name: str) -> None:
    asked = load_yaml_dict(str(FOLDER / f"{name}.yaml"))["blueprint"]["input"]
    any_entity = Entity(id="sensor.any", device="", device_id="any", disabled=False, state=None)
    filled_in = TRIALS[name].inputs(defaultdict(lambda: any_entity))
    needed = {key for key, about in asked.items() if "default" not in about}
    assert needed <= filled_in.keys() <= asked.keys()


@pytest.mark.parametrize("name", FILES)
def test_they_can_be_imported(name: str) -> None:
    """Names begin with what distinguishes them."""
    about = load_yaml_dict(str(FOLDER / f"{name}.yaml"))["blueprint"]
    assert about["source_url"].endswith(f"/blueprints/automation/{DOMAIN}/{name}.yaml")
    assert about["name"].endswith("（Tunnel Hub）" if name.endswith(CHINESE) else " (Tunnel Hub)")


def leaves(tree: object, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Return all values of a blueprint, with their paths."""
    if isinstance(tree, Mapping | list):
        parts = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
        for key, part in parts:
            yield from leaves(part, *path, key)
    else:
        yield path, tree


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_chinese_blueprints_are_equal(name: str) -> None:
    """Home Assistant cannot translate blueprints, so there are two, with different texts only."""
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
async def test_a_tunnel_goes_down_and_comes_back(
    world: World,
    automate: Automate,
    notifications: list[ServiceCall],
    name: str,
    said: tuple[str, str],
) -> None:
    await world.set_up()
    tunnels = [world.device_id(f"tunnel:{number}") for number in "12"]
    await automate(name, tunnels=tunnels)
    first, second = (world.service.state.tunnels[number] for number in "12")

    first.client_running = second.client_running = False
    await world.live(3 * MINUTE)
    second.client_running = True
    await world.live(2 * MINUTE)
    assert messages(notifications) == []

    await world.live(2 * MINUTE)
    assert messages(notifications) == [said[0].format(first.proxy_name)]

    first.client_running = True
    await world.live(2 * MINUTE)
    assert messages(notifications) == [text.format(first.proxy_name) for text in said]


async def test_a_new_address(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    await world.set_up()
    before = world.value("sensor", "tunnel:1", "public_address")
    await automate("tell_new_address", tunnels=[world.device_id("tunnel:1")])
    tunnel = world.service.state.tunnels["1"]
    tunnel.remote_port = 40_000
    await world.elapse(MINUTE)
    host = before.rpartition(":")[0]
    assert messages(notifications) == [
        f"{tunnel.proxy_name} is at {host}:40000 now. Before: {before}"
    ]


async def test_names_are_escaped(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    """The default notifications show Markdown."""
    tunnel = world.service.state.tunnels["1"]
    tunnel.proxy_name = "<b>{{ 1 + 1 }}</b> [free](https://evil.example)"
    await world.set_up()
    await automate("tunnel_down_and_back", tunnels=[world.device_id("tunnel:1")])

    tunnel.client_running = False
    await world.live(8 * MINUTE)

    assert messages(notifications) == [
        "＜b>{{ 1 + 1 }}＜/b> ［free](https://evil.example) is down."
    ]


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_values_in_markdown_are_escaped(name: str) -> None:
    source = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    shown = re.findall(
        r"action: persistent_notification.create\n.*?message: (.*?)\n", source, re.DOTALL
    )
    assert all("replace('<', '＜') | replace('[', '［')" in message for message in shown)


def sign_ins(world: World) -> int:
    """Return the number of sign-in requests."""
    return len(world.service.calls_to("/user", type="sign"))


def later(world: World, seconds: float) -> None:
    """Let time pass without waiting for an automation that is waiting."""
    world.freezer.tick(seconds)
    fire_timers(world.hass)


def running(world: World) -> bool:
    """Return whether the automation is running."""
    (state,) = world.hass.states.async_all(automation.DOMAIN)
    return bool(state.attributes["current"])


async def sign_in_between(world: World, automate: Automate, minutes: int) -> None:
    """Sign in between 12:30 and a later time. It is noon."""
    await world.hass.config.async_set_time_zone("Asia/Shanghai")
    await automate(
        "sign_in_every_day",
        account=world.device_id("account:account"),
        **{"from": "12:30:00", "within": minutes},
    )


async def test_sign_in_every_day(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    await world.set_up()
    await sign_in_between(world, automate, 60)

    await world.elapse(29 * MINUTE)
    assert sign_ins(world) == 0
    later(world, MINUTE + 1)
    await world.until(lambda: running(world))
    assert sign_ins(world) == 0, "not exactly at the start"
    later(world, HOUR)
    await world.until(lambda: bool(notifications))

    assert sign_ins(world) == 1
    assert messages(notifications) == ["HayFrp demo: signed in."]


async def test_no_second_sign_in(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    await world.set_up()
    await world.act("button", "press", "account:account", "sign_in")
    await sign_in_between(world, automate, 0)

    await world.elapse(31 * MINUTE)

    assert sign_ins(world) == 1
    assert messages(notifications) == []


async def test_a_failed_sign_in_notifies(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    await world.set_up()
    world.service.fault("/user", "error", match={"type": "sign"})
    await sign_in_between(world, automate, 0)

    await world.elapse(31 * MINUTE)

    assert messages(notifications) == ["HayFrp demo: the sign-in failed."]


@pytest.mark.parametrize(
    "presence, away, home",
    [
        ("nobody_home", True, False),
        ("somebody_home", False, True),
    ],
)
async def test_a_tunnel_is_only_enabled_under_a_condition(
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
    """Time and presence have to match. They are also checked at a restart."""
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
async def test_traffic_runs_low(
    world: World, automate: Automate, notifications: list[ServiceCall], name: str, said: str
) -> None:
    """The end of the traffic is not known yet. tests/test_forecast.py tests the other case."""
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

    assert messages(notifications) == [said]


async def test_a_node_goes_offline(
    world: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    """The tunnel moves to the first node that is online and unused. The new address is shown."""
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
    assert messages(notifications) == [], "its node is online"
    tunnel.client_running = True
    await world.live(2 * MINUTE)

    node.online = False
    await world.live(20 * MINUTE)

    assert world.service.state.tunnels["1"].node == others[0].id
    address = world.value("sensor", "tunnel:1", "public_address")
    assert others[0].domain in address
    assert messages(notifications) == [
        f"{tunnel.proxy_name} has moved from {node.name} to {others[0].name}: {address}"
    ]


async def test_force_down_everything(world: World, automate: Automate) -> None:
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
