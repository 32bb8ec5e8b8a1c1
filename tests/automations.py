"""Helpers for triggers, conditions and blueprints."""

from collections.abc import Awaitable, Callable, Mapping
import logging
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Context, Event, HomeAssistant, ServiceCall, callback
from homeassistant.helpers.condition import (
    ConditionChecker,
    async_from_config,
    async_validate_condition_config,
)
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.helpers.typing import TemplateVarsType

from custom_components.tunnel_hub.const import DOMAIN

from .common import World
from .translations import INTEGRATION

FOLDER = INTEGRATION.parents[1] / "blueprints" / "automation" / DOMAIN

type Target = Mapping[str, Any]

type Automate = Callable[..., Awaitable[None]]
"""Set up an automation with a blueprint and its inputs."""


async def armed(hass: HomeAssistant, trigger: str, target: Target, **options: object) -> list[str]:
    """Arm a trigger until Home Assistant stops; return the list of entities that it fires for."""
    fired: list[str] = []

    @callback
    def fire(variables: TemplateVarsType, context: Context | None = None) -> None:
        assert variables is not None
        fired.append(variables["trigger"]["entity_id"])

    config = {"platform": f"{DOMAIN}.{trigger}", "target": dict(target), "options": options}
    disarm = await async_initialize_triggers(
        hass,
        await async_validate_trigger_config(hass, [config]),
        fire,
        DOMAIN,
        trigger,
        logging.getLogger(__name__).log,
    )
    assert disarm is not None

    @callback
    def _disarm(_: Event) -> None:
        disarm()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, _disarm)
    return fired


async def asked(
    hass: HomeAssistant, condition: str, target: Target, **options: object
) -> ConditionChecker:
    """Return a condition's checker."""
    config = {"condition": f"{DOMAIN}.{condition}", "target": dict(target), "options": options}
    return await async_from_config(hass, await async_validate_condition_config(hass, config))


def of(world: World[Any], *things: str) -> Target:
    """Return the devices of things as a target."""
    return {"device_id": [world.device_id(thing) for thing in things]}


def messages(fired: list[ServiceCall]) -> list[str]:
    """Return the messages of notifications."""
    return [call.data["message"] for call in fired]
