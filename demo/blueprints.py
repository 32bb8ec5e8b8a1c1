"""Tests the blueprints in the demo."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from .entities import entities_of
from .hass import HOLD_DOWN
from .progress import step, until
from .provider import Entities, Event, States, Trial
from .providers import PROVIDERS
from .stage import Stage

_AUTOMATIONS = "/api/config/automation/config"
_PATIENCE = 60.0
"""Seconds until a blueprint must have reacted."""


def _hold(state: str) -> Event:
    """Returns the event that switches the helper for holding tunnels down."""

    def _followed(states: States) -> bool:
        return all(
            provider.held[state](states[name])
            for name, provider in PROVIDERS.items()
            if provider.held and name in states
        )

    return Event(helper=(HOLD_DOWN, state), followed=_followed)


_TRIALS_FOR_ALL: Mapping[str, Trial] = {
    "force_down_everything": Trial(
        inputs=lambda _: {"helper": HOLD_DOWN}, events=(_hold("on"), _hold("off"))
    ),
}
"""The trials for all providers together."""

TRIALS: Mapping[str, Trial] = {
    **{name: trial for each in PROVIDERS.values() for name, trial in each.trials.items()},
    **_TRIALS_FOR_ALL,
}


async def try_blueprints(stage: Stage) -> None:
    """Creates an automation from each blueprint; raises DemoError if one does not react."""
    for provider in stage.entries:
        for name, trial in PROVIDERS[provider].trials.items():
            await _try(stage, provider, name, trial)
    for name, trial in _TRIALS_FOR_ALL.items():
        await _try(stage, next(iter(stage.entries)), name, trial)


async def _try(stage: Stage, provider: str, name: str, trial: Trial) -> None:
    with step(f"blueprint {name}") as current:
        entities = await entities_of(stage, provider)
        async with _automation(stage, name, trial.inputs(entities)):
            for event in trial.events:
                await _run_event(stage, provider, entities, event)
        current.result = "works"


@asynccontextmanager
async def _automation(stage: Stage, name: str, inputs: Mapping[str, Any]) -> AsyncIterator[None]:
    path = f"{_AUTOMATIONS}/{name}"
    blueprint = {"path": f"tunnel_hub/{name}.yaml", "input": inputs}
    await stage.hass.post(path, {"alias": name, "use_blueprint": blueprint})
    await until(partial(_not_listening, stage, name), _PATIENCE)
    yield
    await stage.hass.delete(path)


async def _not_listening(stage: Stage, name: str) -> str:
    """Returns a complaint if an automation does not listen yet."""
    states = {
        state["entity_id"]: state["state"] for state in await stage.hass.command("get_states")
    }
    found = states.get(f"automation.{name}")
    return "" if found == "on" else f"The automation {name} is {found}"


async def _run_event(stage: Stage, provider: str, entities: Entities, event: Event) -> None:
    """Runs an event and waits for the reaction."""
    await stage.patch(provider, event.changes(await stage.state_of(provider)))
    if event.helper is not None:
        entity_id, state = event.helper
        target = {"entity_id": entity_id}
        await stage.hass.post(f"/api/services/input_boolean/turn_{state}", target)
    await until(partial(_not_followed, stage, entities, event), _PATIENCE)


async def _not_followed(stage: Stage, entities: Entities, event: Event) -> str:
    """Returns a complaint if a reaction is missing."""
    stage.program.require_running()
    # An answer may be cached, so one read may be too early.
    for key in event.look:
        target = {"entity_id": entities[key].id}
        await stage.hass.post("/api/services/homeassistant/update_entity", target)
    notifications = await stage.hass.command("persistent_notification/get")
    messages = [notification["message"] for notification in notifications]
    if event.notification and not any(
        all(word in message for word in event.notification) for message in messages
    ):
        return f"There is no notification with {event.notification}, only {messages}"
    states = {provider: await stage.state_of(provider) for provider in stage.entries}
    return "" if event.followed(states) else "The services have not changed as expected"
