"""The demo without a person: look, act, and make sure that it really happened."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
import re

from rich import box
from rich.console import Console
from rich.table import Table

from .progress import DemoError, step, until
from .providers import PROVIDERS, Deed, Shown
from .stage import DOMAIN, Stage

_READING = 60.0
"""Seconds for all readings to arrive, or for a command to take effect."""

_RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
_SERIOUS = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_EXPECTED = "We found a custom integration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity as Home Assistant shows it. state: None when it is disabled or not there."""

    id: str
    device: str
    disabled: bool
    state: str | None

    @property
    def platform(self) -> str:
        """The first half of its id."""
        return self.id.partition(".")[0]


async def check(stage: Stage) -> None:
    """Try all that the providers' table says; raises DemoError."""
    for provider in stage.entries:
        with step(f"states of {provider}") as current:
            await until(partial(_not_shown, stage, provider, PROVIDERS[provider].shown), _READING)
            entities = await _entities(stage, provider)
            enabled = sum(not entity.disabled for entity in entities.values())
            current.result = f"{enabled} of {len(entities)} entities are enabled, all available"
        for name, deed in PROVIDERS[provider].deeds.items():
            with step(name) as current:
                await _do(stage, provider, deed)
                current.result = "seen in Home Assistant and at the service"
        _print_table(entities.values())
    with step("Home Assistant's log") as current:
        _end(stage)
        current.result = "no complaints, to the end"


async def _entities(stage: Stage, provider: str) -> dict[str, Entity]:
    """Return the entities of an account by the names that the providers' table has for them."""
    devices = await stage.hass.command("config/device_registry/list")
    entries = await stage.hass.command("config/entity_registry/list")
    states = await stage.hass.get("/api/states")
    names = {device["id"]: device["name_by_user"] or device["name"] for device in devices}
    state_of = {state["entity_id"]: state["state"] for state in states}
    found = [
        (
            entry["unique_id"].removeprefix(stage.entries[provider]),
            Entity(
                id=entry["entity_id"],
                device=names[entry["device_id"]],
                disabled=entry["disabled_by"] is not None,
                state=state_of.get(entry["entity_id"]),
            ),
        )
        for entry in entries
        if entry["config_entry_id"] == stage.entries[provider]
    ]
    return {entity.platform + key: entity for key, entity in found}


async def _not_shown(stage: Stage, provider: str, shown: Shown) -> str:
    """Complain of an enabled entity without a state, or with another one than it should show."""
    stage.program.require_running()
    entities = await _entities(stage, provider)
    for key, state in shown.items():
        if key not in entities:
            return f"There is no entity {key}"
        if entities[key].state != state:
            return f"{entities[key].id} shows {entities[key].state}, not {state}"
    for entity in entities.values():
        if not entity.disabled and entity.state in (None, "unavailable"):
            return f"{entity.id} is unavailable"
    return ""


async def _do(stage: Stage, provider: str, deed: Deed) -> None:
    """Do something in Home Assistant; see it there and at the service."""
    entity = (await _entities(stage, provider))[deed.entity]
    before = await stage.state_of(provider)
    path = deed.action.replace(".", "/")
    await stage.hass.post(f"/api/services/{path}", {"entity_id": entity.id})
    await until(partial(_not_shown, stage, provider, deed.shown), _READING)
    if not deed.happened(before, await stage.state_of(provider)):
        raise DemoError(f"{deed.action} of {entity.id} has not reached the service")


def _print_table(entities: Iterable[Entity]) -> None:
    """Print how many entities of each platform a device has, the disabled ones apart."""
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


def _end(stage: Stage) -> None:
    """Stop Home Assistant; complain if it ends badly or has logged something about us."""
    stage.program.require_running()
    stage.program.stop()
    if stage.program.exit_code != 0:
        raise DemoError(f"Home Assistant ended with exit code {stage.program.exit_code}")
    records = [
        record.strip()
        for record in _RECORD.split(stage.program.said)
        if _SERIOUS.match(record) and DOMAIN in record and _EXPECTED not in record
    ]
    if records:
        raise DemoError("\n".join(("Home Assistant's log complains:", *records)))
