"""Reads the entities of an account from Home Assistant."""

from collections.abc import Callable, Iterable
from functools import partial

from rich import box
from rich.console import Console
from rich.table import Table

from .progress import until
from .provider import Entity, Shown
from .stage import Stage

_READING = 60.0
"""Seconds until all values have been polled, or a command has taken effect."""


async def entities_of(stage: Stage, provider: str) -> dict[str, Entity]:
    """Returns the entities of an account by the names in the providers' table."""
    devices = await stage.hass.command("config/device_registry/list")
    entries = await stage.hass.command("config/entity_registry/list")
    states = await stage.hass.get("/api/states")
    names = {device["id"]: device["name_by_user"] or device["name"] for device in devices}
    state_of = {state["entity_id"]: state["state"] for state in states}
    found = [
        (
            "".join(entry["unique_id"].partition(":")[1:]),
            Entity(
                id=entry["entity_id"],
                device=names[entry["device_id"]],
                device_id=entry["device_id"],
                disabled=entry["disabled_by"] is not None,
                state=state_of.get(entry["entity_id"]),
            ),
        )
        for entry in entries
        if entry["config_entry_id"] == stage.entries[provider]
    ]
    return {entity.platform + key: entity for key, entity in found}


async def until_shown(stage: Stage, provider: str, shown: Shown) -> None:
    """Waits for these states, and for a state of every enabled entity; raises DemoError."""
    await until(partial(_not_shown, stage, provider, shown), _READING)


async def _not_shown(stage: Stage, provider: str, shown: Shown) -> str:
    """Returns a complaint about an entity without the expected state."""
    stage.program.require_running()
    entities = await entities_of(stage, provider)
    for key, state in shown.items():
        if key not in entities:
            return f"There is no entity {key}"
        if entities[key].state != state:
            return f"{entities[key].id} shows {entities[key].state}, not {state}"
    for entity in entities.values():
        if not entity.disabled and entity.state in (None, "unavailable"):
            return f"{entity.id} is unavailable"
    return ""


def print_table(entities: Iterable[Entity]) -> None:
    """Prints the number of entities of each device by platform, disabled ones separately."""
    shown = list(entities)
    platforms = sorted({entity.platform for entity in shown})
    devices = sorted({entity.device for entity in shown})
    columns: dict[str, Callable[[Entity], bool]] = {
        **{name: partial(_is_enabled_of, name) for name in platforms},
        "disabled": lambda entity: entity.disabled,
    }
    table = Table(
        "device",
        box=box.SIMPLE,
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        show_footer=True,
    )
    for name, belongs in columns.items():
        total = sum(map(belongs, shown))
        table.add_column(name, str(total), justify="right")
    for device in devices:
        of_device = [entity for entity in shown if entity.device == device]
        table.add_row(
            device, *(str(sum(map(belongs, of_device)) or "") for belongs in columns.values())
        )
    print()
    Console().print(table)
    print(flush=True)


def _is_enabled_of(platform: str, entity: Entity) -> bool:
    return entity.platform == platform and not entity.disabled
