"""Tests the examples of the guides and of HayFrp's page with the simulated service."""

from itertools import chain
from pathlib import Path
import re

from hassil import Intents, recognize
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.sentences import SENTENCES
from custom_components.tunnel_hub.trigger import TRIGGERS
from reference.words import Language

from .common import HOUR, MINUTE, World
from .documents import EACH_LANGUAGE, NAMES, automated, code, example_of, page, phone
from .translations import INTEGRATION

TESTS = Path(__file__).parent

DEVICES = {kind: {"nas"} for meaning in SENTENCES.values() for kind in meaning.about}
"""Devices that all sentences are about."""


@EACH_LANGUAGE
async def test_notify_when_a_tunnel_is_down(world: World, language: Language) -> None:
    await world.set_up()
    notifications = phone(world)
    tunnel = world.device_id("tunnel:1")
    example = example_of("triggers", 1, language, tunnel=tunnel)

    async with automated(world, example):
        world.service.state.tunnels["1"].client_running = False
        await world.live(5 * MINUTE)
        assert notifications == []
        await world.live(2 * MINUTE)

    (message,) = notifications
    assert message.data == example["actions"][0]["data"]


@EACH_LANGUAGE
async def test_all_triggers_in_yaml(world: World, language: Language) -> None:
    """Home Assistant accepts each with its options."""
    await world.set_up()
    everything = example_of("triggers", 2, language, device=world.device_id("tunnel:1"))

    async with automated(world, {"actions": [], **everything}):
        assert len(everything["triggers"]) == len(TRIGGERS)


@EACH_LANGUAGE
async def test_all_conditions_in_yaml(world: World, language: Language) -> None:
    """Home Assistant accepts each with its options; one of another device is false."""
    await world.set_up()
    everything = example_of("conditions", 2, language, device=world.device_id("tunnel:1"))

    async with automated(world, {"actions": [], **everything}):
        assert len(everything["conditions"]) == len(CONDITIONS)


@EACH_LANGUAGE
async def test_remind_of_the_sign_in(world: World, language: Language) -> None:
    await world.set_up()
    notifications = phone(world)
    example = example_of("conditions", 1, language, device=world.device_id("account:account"))
    now = {"entity_id": "all", "skip_condition": False}

    async with automated(world, example):
        await world.hass.services.async_call("automation", "trigger", now, blocking=True)
        assert [call.data for call in notifications] == [example["actions"][0]["data"]]
        await world.act("button", "press", "account:account", "sign_in")
        await world.hass.services.async_call("automation", "trigger", now, blocking=True)
        assert len(notifications) == 1


@EACH_LANGUAGE
async def test_only_while_nobody_is_home(world: World, language: Language) -> None:
    await world.set_up()
    example = example_of("automations", 1, language)
    er.async_get(world.hass).async_update_entity(
        world.entity_id("switch", "tunnel:1", "enabled"),
        new_entity_id=example["actions"][0]["target"]["entity_id"],
    )
    await world.settle()
    tunnel = world.service.state.tunnels["1"]

    async with automated(world, example):
        for people, enabled in (("2", False), ("0", True), ("1", False)):
            world.hass.states.async_set("zone.home", people)
            await world.settle()
            assert tunnel.enabled is enabled


@EACH_LANGUAGE
@pytest.mark.parametrize("name", NAMES)
def test_each_example_has_a_test(name: str, language: Language) -> None:
    tests = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_examples.py"))
    for number in range(1, 1 + len(code(page(name, language), "yaml"))):
        assert f'example_of("{name}", {number}, ' in tests, f"example {number} of {name}"


@EACH_LANGUAGE
def test_the_cards_are_there_and_take_devices(language: Language) -> None:
    paths = example_of("what-you-get", 1, language, device="abc")
    mesh = example_of("what-you-get", 2, language, device="abc")
    assert paths == {"type": "custom:tunnel-hub-paths", "devices": ["abc"]}
    assert mesh == {"type": "custom:tunnel-hub-mesh", "device": "abc"}

    modules = {path.name: path.read_text("utf-8") for path in (INTEGRATION / "frontend").iterdir()}
    for module, card, option in (("paths", "Paths", "devices"), ("mesh", "Mesh", "device")):
        defined = f'customElements.define("tunnel-hub-{module}", TunnelHub{card}Card)'
        assert defined in modules["register.js"]
        assert re.search(rf"onfig\.{option}\b", modules[f"{module}-card.js"])


@EACH_LANGUAGE
def test_assist_understands_the_examples(language: Language) -> None:
    """Each sentence in the table has a meaning, and only *enable* has no sentence of its own."""
    intents = Intents.from_dict(
        {
            "language": language,
            "lists": {"tunnel": {"wildcard": True}},
            "intents": {
                name: {"data": [{"sentences": [*chain(*meaning.parts(language, DEVICES))]}]}
                for name, meaning in SENTENCES.items()
            },
        }
    )
    section = page("automations", language).partition("\n## Assist\n")[2]
    said = re.findall(r"\*([^*]+[.?。？])\*", section)
    understood = {text: recognize(text, intents) for text in said}
    assert [text for text, meaning in understood.items() if meaning is None] == []
    meant = {meaning.intent.name for meaning in understood.values() if meaning}
    assert meant == SENTENCES.keys() - {"enable"}


@EACH_LANGUAGE
async def test_a_configuration_file(world: World, language: Language) -> None:
    await world.set_up()
    example = example_of("hayfrp", 1, language, tunnel=world.device_id("tunnel:1"))

    answer = await world.call(example["action"].partition(".")[2], **example["data"])

    assert f'name = "{world.service.state.tunnels["1"].proxy_name}"' in answer["config"]


@EACH_LANGUAGE
async def test_gains_of_the_sign_in(world: World, language: Language) -> None:
    await world.set_up()
    notifications = phone(world)
    await world.hass.config.async_set_time_zone("UTC")
    example = example_of("hayfrp", 2, language, account=world.entry.entry_id)

    async with automated(world, example):
        await world.live(5 * HOUR, 15 * MINUTE)
        await world.hass.services.async_call("automation", "trigger", {"entity_id": "all"})
        await world.settle()

    gained, before = (call.data["message"] for call in notifications)
    assert world.service.account.signdate is not None
    assert re.search(r"[1-9]\.\d\d GiB", gained)
    assert "GiB" not in before
