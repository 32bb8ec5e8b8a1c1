"""Triggers and conditions, armed as an automation does, and blueprints."""

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
    """Arm a trigger until Home Assistant stops; return where it writes the entities it is about."""
    told: list[str] = []

    @callback
    def tell(variables: TemplateVarsType, context: Context | None = None) -> None:
        assert variables is not None
        told.append(variables["trigger"]["entity_id"])

    config = {"platform": f"{DOMAIN}.{trigger}", "target": dict(target), "options": options}
    disarm = await async_initialize_triggers(
        hass,
        await async_validate_trigger_config(hass, [config]),
        tell,
        DOMAIN,
        trigger,
        logging.getLogger(__name__).log,
    )
    assert disarm is not None

    @callback
    def _disarm(_: Event) -> None:
        disarm()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, _disarm)
    return told


async def asked(
    hass: HomeAssistant, condition: str, target: Target, **options: object
) -> ConditionChecker:
    """Return a condition, ready to be asked."""
    config = {"condition": f"{DOMAIN}.{condition}", "target": dict(target), "options": options}
    return await async_from_config(hass, await async_validate_condition_config(hass, config))


def of(world: World[Any], *things: str) -> Target:
    """Return the target that a person chooses: the devices of things."""
    return {"device_id": [world.device_id(thing) for thing in things]}


def messages(told: list[ServiceCall]) -> list[str]:
    """Return what was said."""
    return [call.data["message"] for call in told]
