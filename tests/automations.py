"""Triggers and conditions, armed as an automation does."""

from collections.abc import Mapping
import logging
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.helpers.condition import (
    ConditionChecker,
    async_from_config,
    async_validate_condition_config,
)
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.helpers.typing import TemplateVarsType

from custom_components.tunnel_hub.const import DOMAIN

type Target = Mapping[str, Any]


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
