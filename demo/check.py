"""Checks the demo automatically: reads states, sends commands, and verifies their effects."""

from functools import partial
import re

from .blueprints import try_blueprints
from .entities import entities_of, print_table, until_shown
from .progress import DemoError, step, until
from .provider import DemoAction
from .providers import PROVIDERS
from .stage import DOMAIN, Stage

_RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
_SERIOUS = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_EXPECTED = "We found a custom integration"
_CHECKING = 90.0
"""Seconds for two checks with retries, ten seconds apart."""


async def check(stage: Stage) -> None:
    """Tests everything in the providers' tables and the blueprints; raises DemoError."""
    for provider in stage.entries:
        with step(f"states of {provider}") as current:
            await until_shown(stage, provider, PROVIDERS[provider].shown)
            entities = await entities_of(stage, provider)
            enabled = sum(not entity.disabled for entity in entities.values())
            current.result = f"{enabled} of {len(entities)} entities are enabled, all available"
        for name, action in PROVIDERS[provider].actions.items():
            with step(name) as current:
                await run_action(stage, provider, action)
                current.result = "applied in Home Assistant and at the service"
        print_table(entities.values())
    for provider in stage.entries:
        if broken := PROVIDERS[provider].broken:
            with step("break a tunnel") as current:
                await _break_tunnel(stage, provider, *broken)
                current.result = "not reachable while its port is closed"
    await try_blueprints(stage)
    with step("Home Assistant's log") as current:
        _end(stage)
        current.result = "no errors"


async def run_action(stage: Stage, provider: str, action: DemoAction) -> None:
    """Runs an action, and verifies its effect in Home Assistant and at the service."""
    entity = (await entities_of(stage, provider))[action.entity]
    before = await stage.state_of(provider)
    domain, _, service = action.action.partition(".")
    target = {"device_id": entity.device_id} if domain == DOMAIN else {"entity_id": entity.id}
    if action.of_account:
        target = {"config_entry_id": stage.entries[provider]}
    await stage.hass.post(f"/api/services/{domain}/{service}", {**target, **action.data})
    await until_shown(stage, provider, action.shown)
    if not action.happened(before, await stage.state_of(provider)):
        raise DemoError(f"{action.action} of {entity.id} has no effect at the service")


async def _break_tunnel(stage: Stage, provider: str, key: str, address: str) -> None:
    """Closes the port of a public address and opens it again; the checks must notice."""
    public = stage.addresses[address]
    await public.close()
    await until(partial(_not_seen, stage, provider, key, "off"), _CHECKING)
    await public.open()
    await until(partial(_not_seen, stage, provider, key, "on"), _CHECKING)


async def _not_seen(stage: Stage, provider: str, key: str, state: str) -> str:
    """Runs a check, at most every ten seconds; returns a complaint about the state."""
    entity = (await entities_of(stage, provider))[key]
    device = {"device_id": entity.device_id}
    await stage.hass.post(f"/api/services/{DOMAIN}/check_reachability", device)
    return "" if entity.state == state else f"{entity.id} shows {entity.state}, not {state}"


def _end(stage: Stage) -> None:
    """Stops Home Assistant; raises DemoError if that fails or its log contains errors of ours."""
    stage.program.require_running()
    stage.program.stop()
    if stage.program.exit_code != 0:
        raise DemoError(f"Home Assistant ended with exit code {stage.program.exit_code}")
    records = [
        record.strip()
        for record in _RECORD.split(stage.program.output)
        if _SERIOUS.match(record) and DOMAIN in record and _EXPECTED not in record
    ]
    if records:
        raise DemoError("\n".join(("Home Assistant's log contains errors:", *records)))
