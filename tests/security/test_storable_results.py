"""Tests that Home Assistant can store, send and log the results of malicious answers.

A single state that cannot be serialized would lose the states of all integrations.
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
from ..reliability.faulty_world import FaultyWorld
from ..reliability.output_check import OutputCheck
from ..reliability.providers import AnyService, Case
from .payloads import NAMES, Sample, corruptions, with_name
from .proxy import CorruptingProxy, read_all, refusals, respond
from .raw_server import RawServer

_LARGEST_ATTRIBUTES = 16 * 1024
_HARMLESS = dict.fromkeys(map(ord, "\u3000\u200d"))


@pytest.fixture
def output_check(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, case: Case, simulated_service: AnyService
) -> OutputCheck:
    """Checks output for secrets and unexpected errors."""
    return OutputCheck(hass, caplog, lambda: case.secrets(simulated_service))


def is_line(words: str) -> bool:
    """Returns whether all characters are printable; emoji can contain joiners."""
    return words.translate(_HARMLESS).isprintable()


class SerializationCheck:
    """Serializes everything that Home Assistant stores or sends."""

    def __init__(self, hass: HomeAssistant, log: pytest.LogCaptureFixture) -> None:
        self._hass = hass
        self._log = log
        self._changes: list[Event[EventStateChangedData]] = []
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[EventStateChangedData]) -> None:
        self._changes.append(event)

    async def check(self, faulty_world: FaultyWorld) -> None:
        """Serializes states, recorded changes, issues, diagnostics and registries."""
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
        json_bytes(await async_get_config_entry_diagnostics(self._hass, faulty_world.entry))
        for entity in faulty_world.registered():
            json_bytes(entity.as_partial_dict)
        for device in dr.async_entries_for_config_entry(
            dr.async_get(self._hass), faulty_world.entry.entry_id
        ):
            json_bytes(device.dict_repr)
        too_much = [r for r in self._log.records if "exceed maximum size" in r.getMessage()]
        assert not too_much, too_much[0].getMessage()


@pytest.fixture
def serialization(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> SerializationCheck:
    return SerializationCheck(hass, caplog)


@pytest.mark.timeout(3600)
async def test_results_can_be_stored(
    *,
    faulty_world: FaultyWorld,
    proxy: CorruptingProxy,
    serialization: SerializationCheck,
    caplog: pytest.LogCaptureFixture,
    sample: Sample,
) -> None:
    # Later secrets can be corrupted: an edit sends back values that it has read.
    secrets = list(faulty_world.case.secrets(faulty_world.service))
    output_check = OutputCheck(faulty_world.hass, caplog, lambda: secrets)
    await faulty_world.set_up_enabled()
    await serialization.check(faulty_world)
    case = faulty_world.case
    for what, corrupt in sample(list(corruptions(case).items()), 3):
        proxy.corrupt = corrupt
        await read_all(faulty_world)
        for act in sample(case.user_actions, 3):
            if faulty_world.device(act.thing or "account:account") is not None:
                json_bytes(await respond(faulty_world, act))
        await serialization.check(faulty_world)
        proxy.corrupt = None
        await read_all(faulty_world)
        output_check.check()
        # Actions cache answers for a moment.
        assert await faulty_world.recover(2), what


async def test_any_name(
    *,
    faulty_world: FaultyWorld,
    proxy: CorruptingProxy,
    raw_server: RawServer,
    serialization: SerializationCheck,
    output_check: OutputCheck,
    sample: Sample,
) -> None:
    """Tests that devices and entities exist, and that names don't change paths."""
    await faulty_world.try_set_up()
    usual = len(faulty_world.registered())
    for what, name in sample(list(NAMES.items()), 3):
        proxy.corrupt = with_name(name)
        raw_server.asked.clear()
        await faulty_world.restart()
        await serialization.check(faulty_world)
        assert len(faulty_world.registered()) >= usual, what
        for entity in faulty_world.registered():
            assert valid_entity_id(entity.entity_id), what
            if entity.disabled_by is None:
                assert faulty_world.hass.states.get(entity.entity_id) is not None, what
        for asked in raw_server.asked:
            assert asked.target.isascii()
            assert "/../" not in asked.target
            assert "//" not in asked.target
        output_check.check()


async def test_no_secret_is_repeated(
    faulty_world: FaultyWorld,
    proxy: CorruptingProxy,
    caplog: pytest.LogCaptureFixture,
    sample: Sample,
) -> None:
    """Tests logs, states, events and issues while refusals repeat all secrets in any encoding."""
    case = faulty_world.case
    secrets: set[str] = set()
    output_check = OutputCheck(faulty_world.hass, caplog, lambda: secrets)
    await faulty_world.set_up_enabled()
    output_check.check()
    transmitted = proxy.transmitted(case.secrets(faulty_world.service))
    assert transmitted
    for name, encode in sample(list(ENCODINGS.items()), 1):
        for refusal in sample(list(refusals(encode(secret) for secret in transmitted)), 3):
            secrets |= {form for secret in transmitted for form in (secret, encode(secret))}
            proxy.refusal = refusal
            await read_all(faulty_world)
            for act in sample(case.user_actions, 2):
                if faulty_world.device(act.thing or "account:account") is not None:
                    output_check.check_no_secret(await respond(faulty_world, act))
            output_check.check()
            proxy.refusal = None
            await faulty_world.restart()
            faulty_world.abort_flows()
            assert await faulty_world.recover(2), name
