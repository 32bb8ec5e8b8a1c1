"""Whatever a service tells: Home Assistant can store, send and log all that comes of it.

One state that cannot be written would lose the states of the whole house.
"""

import json

from homeassistant.components.recorder.db_schema import StateAttributes
from homeassistant.const import EVENT_STATE_CHANGED, MAX_LENGTH_STATE_STATE
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
    valid_entity_id,
)
from homeassistant.helpers import device_registry as dr, issue_registry as ir, restore_state
from homeassistant.helpers.json import json_bytes, prepare_save_json
import pytest

from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics

from ..api.test_redaction import ENCODINGS
from ..reliability.providers import AnyService, Case
from ..reliability.watch import Watch
from ..reliability.world import BadWorld
from .catalogue import NAMES, Few, renamed, spoils
from .liar import Liar
from .spoiler import Spoiler, read_all, refusals, respond

_LARGEST_ATTRIBUTES = 16 * 1024
_HARMLESS = dict.fromkeys(map(ord, "\u3000\u200d"))


@pytest.fixture
def watch(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, case: Case, simulated_service: AnyService
) -> Watch:
    """Looks for secrets and bugs in everything that is shown."""
    return Watch(hass, caplog, lambda: case.secrets(simulated_service))


def is_line(words: str) -> bool:
    """Return whether all characters can be shown in a line; emoji can contain joiners."""
    return words.translate(_HARMLESS).isprintable()


class House:
    """Keeps all changes of states, for what stores them."""

    def __init__(self, hass: HomeAssistant, log: pytest.LogCaptureFixture) -> None:
        self._hass = hass
        self._log = log
        self._changes: list[Event[EventStateChangedData]] = []
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[EventStateChangedData]) -> None:
        self._changes.append(event)

    async def check(self, bad_world: BadWorld) -> None:
        """Have everything written that Home Assistant writes."""
        for state in self._hass.states.async_all():
            json.loads(state.as_dict_json)
            assert len(state.state) <= MAX_LENGTH_STATE_STATE
            assert is_line(state.state), ascii(state.state)
            assert is_line(state.name), ascii(state.name)
        for event in self._changes:
            recorded = StateAttributes.shared_attrs_bytes_from_event(event, None)
            assert len(recorded) < _LARGEST_ATTRIBUTES
            assert b"\\u0000" not in recorded
        self._changes.clear()
        stored = restore_state.async_get(self._hass).async_get_stored_states()
        prepare_save_json([each.as_dict() for each in stored])
        json_bytes([issue.to_json() for issue in ir.async_get(self._hass).issues.values()])
        json_bytes(await async_get_config_entry_diagnostics(self._hass, bad_world.entry))
        for entity in bad_world.registered():
            json_bytes(entity.as_partial_dict)
        for device in dr.async_entries_for_config_entry(
            dr.async_get(self._hass), bad_world.entry.entry_id
        ):
            json_bytes(device.dict_repr)
        too_much = [r for r in self._log.records if "exceed maximum size" in r.getMessage()]
        assert not too_much, too_much[0].getMessage()


@pytest.fixture
def house(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> House:
    return House(hass, caplog)


@pytest.mark.timeout(3600)
async def test_all_that_comes_of_an_answer_can_be_stored(
    *,
    bad_world: BadWorld,
    spoiler: Spoiler,
    house: House,
    caplog: pytest.LogCaptureFixture,
    few: Few,
) -> None:
    """States, attributes, events, answers to actions, repairs, diagnostics, registries."""
    # Later ones can be spoilt: an edit sends back what it has read.
    secrets = list(bad_world.case.secrets(bad_world.service))
    watch = Watch(bad_world.hass, caplog, lambda: secrets)
    await bad_world.set_up_enabled()
    await house.check(bad_world)
    case = bad_world.case
    for what, spoil in few(list(spoils(case).items()), 3):
        spoiler.spoil = spoil
        await read_all(bad_world)
        for act in few(case.acts, 3):
            if bad_world.device(act.thing or "account:account") is not None:
                json_bytes(await respond(bad_world, act))
        await house.check(bad_world)
        spoiler.spoil = None
        await read_all(bad_world)
        watch.check()
        # What an action has read a moment ago is not asked for again.
        assert await bad_world.recover(2), what


async def test_whatever_things_are_called(
    *, bad_world: BadWorld, spoiler: Spoiler, liar: Liar, house: House, watch: Watch, few: Few
) -> None:
    """Their devices and entities exist, and a name is nothing but a name."""
    await bad_world.set_up_patiently()
    usual = len(bad_world.registered())
    for what, name in few(list(NAMES.items()), 3):
        spoiler.spoil = renamed(name)
        liar.asked.clear()
        await bad_world.restart()
        await house.check(bad_world)
        assert len(bad_world.registered()) >= usual, what
        for entity in bad_world.registered():
            assert valid_entity_id(entity.entity_id), what
            if entity.disabled_by is None:
                assert bad_world.hass.states.get(entity.entity_id) is not None, what
        for asked in liar.asked:
            assert asked.target.isascii()
            assert "/../" not in asked.target
            assert "//" not in asked.target
        watch.check()


async def test_no_secret_comes_back(
    bad_world: BadWorld, spoiler: Spoiler, caplog: pytest.LogCaptureFixture, few: Few
) -> None:
    """Refusals that repeat all secrets, in any form: no log, state, event or repair has them."""
    case = bad_world.case
    secrets: set[str] = set()
    watch = Watch(bad_world.hass, caplog, lambda: secrets)
    await bad_world.set_up_enabled()
    watch.check()
    spoken = spoiler.spoken(case.secrets(bad_world.service))
    assert spoken
    for name, encode in few(list(ENCODINGS.items()), 1):
        for refusal in few(list(refusals(encode(secret) for secret in spoken)), 3):
            secrets |= {form for secret in spoken for form in (secret, encode(secret))}
            spoiler.refusal = refusal
            await read_all(bad_world)
            for act in few(case.acts, 2):
                if bad_world.device(act.thing or "account:account") is not None:
                    watch.nothing_secret(await respond(bad_world, act))
            watch.check()
            spoiler.refusal = None
            await bad_world.restart()
            bad_world.abort_flows()
            assert await bad_world.recover(2), name
