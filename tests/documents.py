"""Reads the documentation's pages, and runs their examples in Home Assistant."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
import re
from typing import Any

from homeassistant.components import automation
from homeassistant.core import ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.tunnel_hub.api import PROVIDERS
from reference.pages import GUIDES, ROOT
from reference.words import Language

from .common import World

NAMES = ("README", *GUIDES, *PROVIDERS)
"""The pages that exist in both languages."""

EACH_LANGUAGE = pytest.mark.parametrize("language", Language)


def path_of(name: str, language: Language) -> Path:
    """Return the path of a page. name: README, a guide or a provider's key."""
    if language is Language.ENGLISH:
        return ROOT / ("README.md" if name == "README" else f"docs/{name}.md")
    return ROOT / (f"README.{language}.md" if name == "README" else f"docs/{language}/{name}.md")


def page(name: str, language: Language) -> str:
    return path_of(name, language).read_text(encoding="utf-8")


def code(text: str, kind: str) -> list[str]:
    """Return the blocks of code in a language, such as yaml."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def example_of(name: str, number: int, language: Language, **chosen: str) -> dict[str, Any]:
    """Return an example of a page.

    number: its position on the page. chosen: what replaces <...>, by its last word.
    """
    block = code(page(name, language), "yaml")[number - 1]
    example = parse_yaml(re.sub(r"<[^>]*?(\w+)>", lambda gap: chosen[_thing(gap[1])], block))
    assert isinstance(example, dict)
    return example


def _thing(last_word: str) -> str:
    """Return the English word for a placeholder."""
    return _ENGLISH.get(last_word.removeprefix("选择"), last_word)


_ENGLISH: Mapping[str, str] = {
    "ID": "device",
    "设备": "device",
    "用户": "user",
    "服务端": "server",
    "节点": "node",
    "账户": "account",
    "账户的设备": "device",
    "隧道": "tunnel",
}


@asynccontextmanager
async def automated(world: World[Any], example: Mapping[str, Any]) -> AsyncIterator[None]:
    """Set up an example as an automation. One without triggers runs immediately."""
    config = {automation.DOMAIN: {"id": "example", "triggers": [], **example}}
    assert await async_setup_component(world.hass, automation.DOMAIN, config)
    (state,) = world.hass.states.async_all(automation.DOMAIN)
    assert state.state == "on", "its configuration is refused"
    if "triggers" not in example:
        await world.hass.services.async_call(
            automation.DOMAIN, "trigger", {"entity_id": state.entity_id}, blocking=True
        )
    await world.settle()
    yield
    await world.hass.services.async_call(
        automation.DOMAIN, "turn_off", {"entity_id": "all"}, blocking=True
    )


def phone(world: World[Any]) -> list[ServiceCall]:
    """Return the calls of the notification action in the examples."""
    return async_mock_service(world.hass, "notify", "mobile_app_phone")
