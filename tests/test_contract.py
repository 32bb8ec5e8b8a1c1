"""Tests that ids, actions and stored data stay as they are: see tests/contract."""

from collections.abc import AsyncIterator
from difflib import unified_diff
from pathlib import Path
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator

from .common import World
from .contract import dump
from .reliability.conftest import entry_for
from .reliability.names import resolve_with_names
from .reliability.provider_modules import PROVIDER_DATA
from .reliability.providers import AnyService, Variant

FOLDER = Path(__file__).parent / "contract"


VARIANTS = {name: v for found in PROVIDER_DATA.values() for name, v in found.variants.items()}


@pytest.fixture
def services(variant: Variant) -> tuple[str, ...]:
    """Return the services that the variant needs."""
    return (variant.case.service,)


@pytest.fixture
def service(freezer: FrozenDateTimeFactory, simulator: Simulator, variant: Variant) -> AnyService:
    """Return the service of the variant. Time is frozen."""
    service = simulator.services[variant.case.service]
    variant.case.prepare(service)
    variant.prepare(service)
    return service


@pytest.fixture
def signed_in(variant: Variant, service: AnyService) -> MockConfigEntry:
    """Return the config entry of the variant."""
    return entry_for(variant.case, service)


def compare(name: str, text: str, request: pytest.FixtureRequest) -> None:
    """Compare a dump with the stored one, or write it."""
    path = FOLDER / f"{name}.txt"
    if request.config.getoption("write_contract"):
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    if differences := differing(expected, text):
        pytest.fail(f"tests/contract/{path.name} differs:\n{differences}", pytrace=False)


def differing(before: str, after: str) -> str:
    """Return the lines that only one of the texts has."""
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "".join(f"{line}\n" for line in lines if line[:2] not in ("--", "++", "@@"))


@pytest.mark.parametrize("name, variant", VARIANTS.items(), ids=VARIANTS)
async def test_entry(
    world: World[AnyService],
    hass_storage: dict[str, Any],
    name: str,
    variant: Variant,
    request: pytest.FixtureRequest,
) -> None:
    """Dump an entry with all entities enabled."""
    resolve_with_names(world.hass)
    await world.set_up(**variant.options)
    fields, states = await dump.entities(world)
    sections = {"devices": [*dump.devices(world)], "fields": fields, "states": states}
    for act in variant.case.user_actions:
        if (act.action, act.key) == ("turn_on", "force_down"):
            assert act.thing
            await world.act("switch", act.action, act.thing, act.key)
    if trouble := variant.case.troubles.get("token expired"):
        trouble.begin(world.service)
        await world.elapse(variant.case.interval)
    sections["stored"] = [*dump.entry(world), *dump.files(world, hass_storage)]
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    sections["stored"] += [
        line
        for way, entered in variant.case.ways.items()
        async for line in _signed_in(world.hass, variant.case.service, way, entered(world.service))
    ]

    text = "\n".join(dump.section(title, lines) for title, lines in sections.items())
    # Ports are different in each run.
    for url in (world.service.url, world.service.mirror_url):
        text = re.sub(rf"(:|%3A){url.rpartition(':')[2]}\b", r"\1PORT", text)
    if variant.base is not None:
        text = differing((FOLDER / f"{variant.base}.txt").read_text(encoding="utf-8"), text)
    compare(name, text, request)


async def _signed_in(
    hass: HomeAssistant, provider: str, way: str, fields: dict[str, Any]
) -> AsyncIterator[str]:
    """Return the data of a new entry, unless the sign-in needs a browser."""
    flow = hass.config_entries.flow
    form = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for choice in dict.fromkeys((provider, way)):
        form = await flow.async_configure(form["flow_id"], {"next_step_id": choice})
    result = await flow.async_configure(form["flow_id"], fields)
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        flow.async_abort(result["flow_id"])
        return
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    yield f"signed in by {way}: {result['title']}, {dump.shape(result['data'])}"
    await hass.config_entries.async_remove(result["result"].entry_id)


async def test_actions_and_automations(hass: HomeAssistant, request: pytest.FixtureRequest) -> None:
    """Dump actions, triggers and conditions."""
    for component in (DOMAIN, "automation"):
        assert await async_setup_component(hass, component, {})
    text = "\n".join(
        (
            dump.section("actions", await dump.actions(hass)),
            dump.section("automations", await dump.automations(hass)),
        )
    )
    compare("integration", text, request)
