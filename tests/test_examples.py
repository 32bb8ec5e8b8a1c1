"""The examples of the guides and of HayFrp's page, at work with the simulated service."""

import re

from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.trigger import TRIGGERS
from reference.words import Language

from .common import HOUR, MINUTE, World
from .documents import EACH_LANGUAGE, automated, examples, phone
from .translations import INTEGRATION


@EACH_LANGUAGE
async def test_tell_me_when_a_tunnel_is_down(world: World, language: Language) -> None:
    await world.set_up()
    told = phone(world)
    tunnel = world.device_id("tunnel:1")
    example, _ = examples("triggers", language, tunnel=tunnel, device=tunnel)

    async with automated(world, example):
        world.service.state.tunnels["1"].client_running = False
        await world.live(5 * MINUTE)
        assert told == []
        await world.live(2 * MINUTE)

    (message,) = told
    assert message.data == example["actions"][0]["data"]


@EACH_LANGUAGE
@pytest.mark.parametrize("kind", ["triggers", "conditions"])
async def test_all_of_them_in_yaml(world: World, language: Language, kind: str) -> None:
    """Home Assistant accepts each with its options; a condition of another device is just false."""
    await world.set_up()
    tunnel = world.device_id("tunnel:1")
    *_, everything = examples(kind, language, tunnel=tunnel, device=tunnel)

    async with automated(world, {"actions": [], **everything}):
        assert len(everything[kind]) == len(TRIGGERS if kind == "triggers" else CONDITIONS)


@EACH_LANGUAGE
async def test_remind_me_of_the_sign_in(world: World, language: Language) -> None:
    await world.set_up()
    told = phone(world)
    example, _ = examples("conditions", language, device=world.device_id("account:account"))
    now = {"entity_id": "all", "skip_condition": False}

    async with automated(world, example):
        await world.hass.services.async_call("automation", "trigger", now, blocking=True)
        assert [call.data for call in told] == [example["actions"][0]["data"]]
        await world.act("button", "press", "account:account", "sign_in")
        await world.hass.services.async_call("automation", "trigger", now, blocking=True)
        assert len(told) == 1


@EACH_LANGUAGE
async def test_only_while_nobody_is_home(world: World, language: Language) -> None:
    await world.set_up()
    (example,) = examples("automations", language)
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
def test_the_card_is_there_and_takes_devices(language: Language) -> None:
    card, *_ = examples("what-you-get", language, device="abc")
    modules = {path.name: path.read_text("utf-8") for path in (INTEGRATION / "frontend").iterdir()}

    name = card.pop("type").removeprefix("custom:")
    assert f'customElements.define("{name}", TunnelHubPathsCard)' in modules["register.js"]
    assert card == {"devices": ["abc"]}
    assert re.search(r"onfig\.devices\b", modules["paths-card.js"])


@EACH_LANGUAGE
async def test_a_configuration_file(world: World, language: Language) -> None:
    await world.set_up()
    example, _ = examples("hayfrp", language, tunnel=world.device_id("tunnel:1"), account="")

    answer = await world.call(example["action"].partition(".")[2], **example["data"])

    assert f'name = "{world.service.state.tunnels["1"].proxy_name}"' in answer["config"]


@EACH_LANGUAGE
async def test_what_the_sign_in_has_brought(world: World, language: Language) -> None:
    await world.set_up()
    told = phone(world)
    await world.hass.config.async_set_time_zone("UTC")
    _, example = examples("hayfrp", language, tunnel="", account=world.entry.entry_id)

    async with automated(world, example):
        await world.live(5 * HOUR, 15 * MINUTE)
        await world.hass.services.async_call("automation", "trigger", {"entity_id": "all"})
        await world.settle()

    gained, before = (call.data["message"] for call in told)
    assert world.service.account.signdate is not None
    assert re.search(r"[1-9]\.\d\d GiB", gained)
    assert "GiB" not in before
