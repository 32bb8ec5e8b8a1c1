"""Whatever a service tells: Home Assistant can store, send and log all that comes of it.

One state that cannot be written would lose the states of the whole house.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from http import HTTPStatus
import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.db_schema import StateAttributes
from homeassistant.const import EVENT_STATE_CHANGED, MAX_LENGTH_STATE_STATE
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
    valid_entity_id,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir, restore_state
from homeassistant.helpers.json import json_bytes, prepare_save_json
import orjson
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from custom_components.tunnel_hub.migrations import MINOR_VERSION
from simulator import Simulator

from ..api.test_redaction import ENCODINGS
from ..reliability.found import FOUND
from ..reliability.providers import Act, AnyService, Case
from ..reliability.watch import Watch
from ..reliability.world import BadWorld
from .catalogue import NAMES, Few, Spoil, renamed, spoils
from .liar import Asked, Liar, Raw, Reply, forwarding, port_of, spoilt, through

_LARGEST_ATTRIBUTES = 16 * 1024
_HARMLESS = dict.fromkeys(map(ord, "\u3000\u200d"))
_MOST_WORDS = 900
"""Characters of a message that are looked at, or nearly."""


@pytest.fixture(params=[found.cases[-1] for found in FOUND.values()], ids=lambda case: case.service)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def services(case: Case) -> tuple[str, ...]:
    return (case.service,)


@pytest.fixture
def simulated() -> dict[str, int]:
    return {"tunnels": 2, "nodes": 2}


@pytest.fixture
def service(freezer: FrozenDateTimeFactory, case: Case, simulator: Simulator) -> AnyService:
    service = simulator.services[case.service]
    case.prepare(service)
    return service


class Spoiler:
    """Stands between Home Assistant and the simulator.

    spoil: what becomes of sound answers. refusal: what is answered in their place.
    passed: all that went to and fro, as long as nothing was refused.
    """

    def __init__(self, port: int) -> None:
        self.spoil: Spoil | None = None
        self.refusal: Reply | None = None
        self.passed: list[str] = []
        self._forward = forwarding(port)

    async def answer(self, asked: Asked) -> Raw:
        """Answer a request."""
        if self.refusal is not None:
            return self.refusal.raw()
        reply = await self._forward(asked)
        self.passed += (repr(asked.headers), asked.target, asked.body.decode())
        self.passed.append(reply.body.decode(errors="replace"))
        return (reply if self.spoil is None else spoilt(reply, self.spoil)).raw()


@pytest.fixture
def spoiler(service: AnyService) -> Spoiler:
    return Spoiler(port_of(service.url))


@pytest.fixture
async def liar(spoiler: Spoiler) -> AsyncIterator[Liar]:
    async with Liar(spoiler.answer) as liar:
        yield liar


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, case: Case, service: AnyService, liar: Liar
) -> BadWorld:
    """Home Assistant with an account at the service, behind the liar."""
    credentials = through(case.credentials(service), port_of(service.url), liar)
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{case.service}",
        title=f"{case.service} demo",
        unique_id=f"{case.service}:{case.account(service)}",
        minor_version=MINOR_VERSION,
        data={"provider": case.service, **credentials},
    )
    entry.add_to_hass(hass)
    return BadWorld(hass, freezer, service, entry, case)


@pytest.fixture
def watch(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, case: Case, service: AnyService
) -> Watch:
    """Somebody who looks for secrets and bugs in all that shows."""
    return Watch(hass, caplog, lambda: case.secrets(service))


def refusals(repeated: Iterable[str]) -> Iterator[Reply]:
    """Return refusals, in all ways in which services refuse, that repeat something."""
    words = ""
    for each in repeated:
        if len(words) + len(each) > _MOST_WORDS:
            yield from _refusals(words)
            words = ""
        words = f"{words} {each}"
    yield from _refusals(words)


def _refusals(words: str) -> Iterator[Reply]:
    for code in (200, 400, 403, 404, 409, 500):
        texts = dict.fromkeys(("message", "msg", "error"), words)
        body = orjson.dumps({"status": code, "code": code, **texts})
        yield Reply(200, "application/json", body)
        if code >= HTTPStatus.BAD_REQUEST:
            yield Reply(code, "application/json", body)
            yield Reply(code, "text/plain", words.encode())


def is_line(words: str) -> bool:
    """Tell whether words show in a line as they are; emoji are joined by what is not printable."""
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

    async def check(self, world: BadWorld) -> None:
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
        json_bytes(await async_get_config_entry_diagnostics(self._hass, world.entry))
        for entity in world.registered():
            json_bytes(entity.as_partial_dict)
        for device in dr.async_entries_for_config_entry(
            dr.async_get(self._hass), world.entry.entry_id
        ):
            json_bytes(device.dict_repr)
        too_much = [r for r in self._log.records if "exceed maximum size" in r.getMessage()]
        assert not too_much, too_much[0].getMessage()


@pytest.fixture
def house(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> House:
    return House(hass, caplog)


async def read_all(world: BadWorld) -> None:
    """Read every feed now."""
    for coordinator in world.entry.runtime_data.coordinators.values():
        await coordinator.async_refresh()
    await world.settle()


async def respond(world: BadWorld, act: Act) -> object:
    """Do something; what Home Assistant answers to whoever did it."""
    response: object = None
    supports = world.hass.services.supports_response(act.domain, act.action)
    try:
        target = {**world.target(act), **act.data}
        response = await world.hass.services.async_call(
            act.domain, act.action, target, blocking=True, return_response=supports != "none"
        )
    except HomeAssistantError as err:
        response = str(err)
    await world.settle()
    return response


async def test_all_that_comes_of_an_answer_can_be_stored(
    *,
    world: BadWorld,
    spoiler: Spoiler,
    house: House,
    caplog: pytest.LogCaptureFixture,
    few: Few,
) -> None:
    """States, attributes, events, answers to actions, repairs, diagnostics, registries."""
    # Later ones can be spoilt: an edit sends back what it has read.
    secrets = list(world.case.secrets(world.service))
    watch = Watch(world.hass, caplog, lambda: secrets)
    await world.set_up_patiently()
    await world.enable_all()
    await house.check(world)
    case = world.case
    for what, spoil in few(list(spoils(case).items()), 6):
        spoiler.spoil = spoil
        await read_all(world)
        for act in few(case.acts, 3):
            if world.device(act.thing or "account:account") is not None:
                json_bytes(await respond(world, act))
        await house.check(world)
        spoiler.spoil = None
        await read_all(world)
        watch.check()
        assert world.is_well(), what


async def test_whatever_things_are_called(
    *, world: BadWorld, spoiler: Spoiler, liar: Liar, house: House, watch: Watch, few: Few
) -> None:
    """Their devices and entities exist, and a name is nothing but a name."""
    await world.set_up_patiently()
    usual = len(world.registered())
    for what, name in few(list(NAMES.items()), 4):
        spoiler.spoil = renamed(name)
        liar.asked.clear()
        await world.restart()
        await house.check(world)
        assert len(world.registered()) >= usual, what
        for entity in world.registered():
            assert valid_entity_id(entity.entity_id), what
            if entity.disabled_by is None:
                assert world.hass.states.get(entity.entity_id) is not None, what
        for asked in liar.asked:
            assert asked.target.isascii()
            assert "/../" not in asked.target
            assert "//" not in asked.target
        watch.check()


async def test_no_secret_comes_back(
    world: BadWorld, spoiler: Spoiler, caplog: pytest.LogCaptureFixture, few: Few
) -> None:
    """Refusals that repeat all secrets, in any form: no log, state, event or repair has them."""
    case, service = world.case, world.service
    secrets: set[str] = set()
    watch = Watch(world.hass, caplog, lambda: secrets)
    await world.set_up_patiently()
    await world.enable_all()
    watch.check()
    passed = "\n".join(spoiler.passed)
    spoken = [secret for secret in filter(None, case.secrets(service)) if secret in passed]
    assert len(spoken) > 2
    for name, encode in few(list(ENCODINGS.items()), 2):
        for refusal in few(list(refusals(encode(secret) for secret in spoken)), 3):
            secrets |= {form for secret in spoken for form in (secret, encode(secret))}
            spoiler.refusal = refusal
            await read_all(world)
            for act in few(case.acts, 2):
                if world.device(act.thing or "account:account") is not None:
                    watch.nothing_secret(await respond(world, act))
            watch.check()
            spoiler.refusal = None
            await world.restart()
            world.abort_flows()
            assert world.is_well(), name
