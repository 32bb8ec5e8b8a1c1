"""Helpers that set up Assist and ask it questions."""

from typing import Any

from homeassistant.auth.models import User
from homeassistant.components.conversation import async_converse
from homeassistant.components.homeassistant.const import DATA_EXPOSED_ENTITIES
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context
from homeassistant.helpers.llm import LLM_API_ASSIST, LLMContext, ToolInput, async_get_api
from homeassistant.setup import async_setup_component

from custom_components.tunnel_hub.const import DOMAIN

from .common import World


async def set_up_assist(world: World[Any]) -> None:
    """Set up Assist and the account. No entity is exposed until a test exposes it."""
    for component in ("homeassistant", "conversation", "intent", "llm"):
        assert await async_setup_component(world.hass, component, {})
    exposed = world.hass.data[DATA_EXPOSED_ENTITIES]
    exposed.async_set_expose_new_entities("conversation", False)
    await world.set_up()


def expose(world: World[Any], platform: str, thing: str, key: str) -> None:
    """Expose an entity to Assist."""
    async_expose_entity(world.hass, "conversation", world.entity_id(platform, thing, key), True)


def name_of(world: World[Any], thing: str) -> str:
    """Return the name of a device."""
    device = world.device(thing)
    assert device
    return device.name_by_user or device.name or ""


async def ask(
    world: World[Any], tool: str, user: User | None = None, language: str = "en", **arguments: Any
) -> Any:
    """Let a language model use a tool of Home Assistant's API; return the answer or the error."""
    answer, *_ = (await ask_for_result(world, tool, user, language, **arguments)).values()
    return answer


async def ask_for_result(
    world: World[Any], tool: str, user: User | None = None, language: str = "en", **arguments: Any
) -> dict[str, Any]:
    """Let a language model use a tool; return all fields of the result."""
    context = LLMContext(
        platform="test",
        context=Context(user_id=user.id if user else None),
        language=language,
        assistant="conversation",
        device_id=None,
    )
    api = await async_get_api(world.hass, LLM_API_ASSIST, context)
    result = await api.async_call_tool(ToolInput(f"{DOMAIN}__{tool}", arguments))
    await world.settle()
    assert result.error is ("error" in result.data)
    data: dict[str, Any] = result.data
    return data


async def say(world: World[Any], text: str, language: str = "en", user: User | None = None) -> str:
    """Say a sentence to Home Assistant's own agent, without a language model; return the answer."""
    result = await async_converse(
        world.hass,
        text,
        None,
        Context(user_id=user.id if user else None),
        language=language,
        agent_id="conversation.home_assistant",
    )
    await world.settle()
    return str(result.response.speech["plain"]["speech"])
