"""The blueprints at work in the demo: one table row each."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .entities import Entity, entities_of
from .hass import HOLD_DOWN, NIGHT
from .progress import step, until
from .provider import State
from .stage import Stage

type Entities = Mapping[str, Entity]
type States = Mapping[str, State]
"""What the simulated services know, by provider."""

_PROVIDER = "hayfrp"
_MESH = "hy2scale"
"""Whose entities they are about: the only service with all that the blueprints need."""

_AUTOMATIONS = "/api/config/automation/config"
_PATIENCE = 60.0
"""Seconds until a blueprint must have done its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens, and what a blueprint has to make of it.

    changes: places of the service that become others. helper: an input boolean, and what it
    becomes. look: what Home Assistant is asked to read again, so that nobody waits for a poll.
    told: words of the notification. followed: tells from all services that it was done.
    """

    changes: Callable[[State], State] = lambda _: {}
    helper: tuple[str, str] | None = None
    look: Sequence[str] = ()
    told: str = ""
    followed: Callable[[States], bool] = lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A blueprint with its inputs, and what happens then."""

    inputs: Callable[[Entities], Mapping[str, Any]]
    events: Sequence[Event]


def _soon() -> str:
    """Return a time of day that is yet to come."""
    return f"{datetime.now(UTC) + timedelta(seconds=5):%H:%M:%S}"


def _node_of(state: State, tunnel: str) -> str:
    node: str = state["tunnels"][tunnel]["node"]
    return node


def _enabled(states: States, tunnel: str) -> bool:
    return bool(states[_PROVIDER]["tunnels"][tunnel]["enabled"])


def _disabled_links(states: States) -> set[str]:
    clients = states[_MESH]["clients"]
    return {name for name, client in clients.items() if client["disabled"]}


_ONLINE = "binary_sensor:tunnel:2:online"
_LOOK_AT_NODES = "binary_sensor:node:1:online"

TRIALS: Mapping[str, Trial] = {
    "tunnel_down_and_back": Trial(
        inputs=lambda entities: {
            "tunnels": [entities[_ONLINE].device_id],
            "down_for": {"seconds": 1},
        },
        events=(
            Event(
                changes=lambda _: {"tunnels.2.client_running": False},
                look=(_ONLINE,),
                told="nas is down.",
            ),
            Event(
                changes=lambda _: {"tunnels.2.client_running": True},
                look=(_ONLINE,),
                told="nas is back.",
            ),
        ),
    ),
    "tell_new_address": Trial(
        inputs=lambda entities: {"tunnels": [entities[_ONLINE].device_id]},
        events=(
            Event(
                changes=lambda _: {"tunnels.2.domain": "elsewhere.example.com"},
                look=(_ONLINE,),
                told="is at elsewhere.example.com now.",
            ),
        ),
    ),
    "sign_in_every_day": Trial(
        inputs=lambda entities: {
            "account": entities["button:account:account:sign_in"].device_id,
            "from": _soon(),
            "within": 0,
        },
        events=(
            Event(
                changes=lambda _: {"accounts.demo.signdate": None},
                look=("binary_sensor:account:account:signed_in_today",),
                told="signed in.",
                followed=lambda states: (
                    states[_PROVIDER]["accounts"]["demo"]["signdate"] is not None
                ),
            ),
        ),
    ),
    "tunnel_only_while": Trial(
        inputs=lambda entities: {
            "tunnels": [entities["switch:tunnel:3:enabled"].id],
            "schedule": [NIGHT],
        },
        events=(
            Event(helper=(NIGHT, "on"), followed=lambda states: _enabled(states, "3")),
            Event(helper=(NIGHT, "off"), followed=lambda states: not _enabled(states, "3")),
            Event(helper=(NIGHT, "on"), followed=lambda states: _enabled(states, "3")),
        ),
    ),
    "traffic_low": Trial(
        inputs=lambda entities: {
            "left": entities["sensor:account:account:traffic_left"].id,
            "lasts_until": entities["sensor:account_forecast:account:traffic_lasts_until"].id,
            "below": 5,
        },
        events=(
            Event(
                changes=lambda _: {
                    "accounts.demo.traffic": 2.0 * 1024,
                    "accounts.demo.today_bytes": 2.0**30,
                },
                look=("sensor:account:account:traffic_left",),
                told=" left",
            ),
        ),
    ),
    "node_down_move_tunnel": Trial(
        inputs=lambda entities: {
            "tunnel_state": entities["sensor:tunnel:2:state"].id,
            "tunnel_node": entities["sensor:tunnel:2:node_name"].id,
            "tunnel_address": entities["sensor:tunnel:2:public_address"].id,
            "nodes": [
                entities[f"binary_sensor:node:{number}:online"].device_id for number in "134"
            ],
            "down_for": {"seconds": 1},
        },
        events=(
            Event(
                changes=lambda state: {f"nodes.{_node_of(state, '2')}.online": False},
                look=(_LOOK_AT_NODES, "sensor:tunnel:2:state"),
                told="nas has moved from",
                followed=lambda states: _node_of(states[_PROVIDER], "2") == "1",
            ),
        ),
    ),
    "force_down_everything": Trial(
        inputs=lambda _: {"helper": HOLD_DOWN},
        events=(
            Event(
                helper=(HOLD_DOWN, "on"),
                followed=lambda states: (
                    not any(_enabled(states, number) for number in "1234")
                    and _disabled_links(states) == set(states[_MESH]["clients"])
                ),
            ),
            Event(
                helper=(HOLD_DOWN, "off"),
                followed=lambda states: (
                    all(_enabled(states, number) for number in "234")
                    and _disabled_links(states) != set(states[_MESH]["clients"])
                ),
            ),
        ),
    ),
}


async def try_blueprints(stage: Stage) -> None:
    """Make an automation of each, as the page for it does; raises DemoError if one does nothing."""
    for name, trial in TRIALS.items():
        with step(f"blueprint {name}") as current:
            entities = await entities_of(stage, _PROVIDER)
            async with _automation(stage, name, trial.inputs(entities)):
                for event in trial.events:
                    await _happen(stage, entities, event)
            current.result = "does what it says"


@asynccontextmanager
async def _automation(stage: Stage, name: str, inputs: Mapping[str, Any]) -> AsyncIterator[None]:
    path = f"{_AUTOMATIONS}/{name}"
    blueprint = {"path": f"tunnel_hub/{name}.yaml", "input": inputs}
    await stage.hass.post(path, {"alias": name, "use_blueprint": blueprint})
    await until(partial(_not_listening, stage, name), _PATIENCE)
    yield
    await stage.hass.delete(path)


async def _not_listening(stage: Stage, name: str) -> str:
    """Complain of an automation that does not listen yet: it would miss what happens."""
    states = {
        state["entity_id"]: state["state"] for state in await stage.hass.command("get_states")
    }
    found = states.get(f"automation.{name}")
    return "" if found == "on" else f"The automation {name} is {found}"


async def _happen(stage: Stage, entities: Entities, event: Event) -> None:
    """Let something happen, and wait for what follows."""
    await stage.patch(_PROVIDER, event.changes(await stage.state_of(_PROVIDER)))
    if event.helper is not None:
        entity_id, state = event.helper
        target = {"entity_id": entity_id}
        await stage.hass.post(f"/api/services/input_boolean/turn_{state}", target)
    await until(partial(_not_followed, stage, entities, event), _PATIENCE)


async def _not_followed(stage: Stage, entities: Entities, event: Event) -> str:
    """Look, and complain of what has not come about."""
    stage.program.require_running()
    # What was read a moment ago is not asked for again, so one look may come too early.
    for key in event.look:
        target = {"entity_id": entities[key].id}
        await stage.hass.post("/api/services/homeassistant/update_entity", target)
    notifications = await stage.hass.command("persistent_notification/get")
    said = [notification["message"] for notification in notifications]
    if event.told and not any(event.told in message for message in said):
        return f"Nobody has told that {event.told!r}, only {said}"
    states = {provider: await stage.state_of(provider) for provider in stage.entries}
    return "" if event.followed(states) else "The services do not show what should have followed"
