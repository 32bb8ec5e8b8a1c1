"""Tests that traces, database, log, storage, issues and forms contain no secrets.

The service repeats all secrets that it has received or sent in refusals of every kind.
"""

from collections.abc import Callable, Iterator
import json
import logging
from pathlib import Path
from typing import Any

from homeassistant.components import automation
from homeassistant.components.recorder import get_instance
from homeassistant.components.trace.util import async_get_trace, async_list_traces
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.trigger import TRIGGERS

from ..api.test_redaction import ENCODINGS
from ..common import ENTITY_REGISTRY, MINUTE
from ..reliability.faulty_world import FaultyWorld
from ..reliability.names import HOST
from ..reliability.provider_modules import PROVIDER_DATA
from ..reliability.providers import UserAction
from .payloads import Sample
from .proxy import CorruptingProxy, read_all, refusals, respond
from .raw_server import RawServer, port_of
from .test_permissions import FOR_EVERY_USER

_OPTIONS: dict[str, dict[str, Any]] = {
    "traffic_low": {"below": 10**6, "unit_of_measurement": "GiB"},
    "validity_ending": {"before": {"days": 10_000}},
    "node_overloaded": {"above": 0},
}
"""Options with which triggers run."""


class Secrets:
    """All secrets so far, in all encodings in which they were repeated."""

    def __init__(self, world: FaultyWorld, proxy: CorruptingProxy) -> None:
        self.known: set[str] = set()
        self._world = world
        self._proxy = proxy

    def collect(self) -> None:
        """Adds the current secrets."""
        self.known |= {each for each in self._world.case.secrets(self._world.service) if each}

    def repeat_all(self, sample: Sample) -> Iterator[Callable[[str], str]]:
        """Makes the service refuse everything and repeat all secrets, in one encoding at a time."""
        self.collect()
        transmitted = self._proxy.transmitted(self.known)
        assert transmitted
        for encode in sample(list(ENCODINGS.values()), 1):
            repeated = [encode(secret) for secret in transmitted]
            self.known |= set(repeated)
            for refusal in sample(list(refusals(repeated)), 2):
                self._proxy.refusal = refusal
                yield encode
                self._proxy.refusal = None

    def within(self, text: str) -> list[str]:
        """Returns the secrets in a text."""
        return [secret for secret in self.known if secret in text]

    def check_not_in(self, text: str, *, but: str = "") -> None:
        """Raises AssertionError if a text contains a secret that is not in `but`."""
        found = [secret for secret in self.within(text) if secret not in but]
        assert not found, f"{found} in {text[:2000]}"


@pytest.fixture
def secrets(faulty_world: FaultyWorld, proxy: CorruptingProxy) -> Secrets:
    return Secrets(faulty_world, proxy)


async def _live(world: FaultyWorld, secrets: Secrets, sample: Sample) -> None:
    """Polls and runs actions with valid answers, refusals and a tunnel going offline."""
    await world.set_up_enabled()
    secrets.collect()
    for act in sample(_possible(world), 8):
        await respond(world, act)
        secrets.collect()
    for _ in secrets.repeat_all(sample):
        await read_all(world)
        for act in sample(_possible(world), 3):
            await respond(world, act)
    await world.restart()
    PROVIDER_DATA[world.case.key].limits.end(world.service)
    await world.live(3 * MINUTE)


def _possible(world: FaultyWorld) -> list[UserAction]:
    """Returns the actions whose device exists."""
    return [act for act in world.case.user_actions if world.device(act.thing or "account:account")]


# Traces of automations


def _triggers(world: FaultyWorld) -> list[dict[str, Any]]:
    """Returns our triggers, and a state trigger of all our entities."""
    devices = dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)
    target = {"device_id": [device.id for device in devices]}
    ours = [
        {"trigger": f"{DOMAIN}.{name}", "target": target, "options": _OPTIONS.get(name, {})}
        for name in TRIGGERS
    ]
    entities = [entity.entity_id for entity in world.registered()]
    return [*ours, {"trigger": "state", "entity_id": entities}]


def _steps(world: FaultyWorld) -> list[dict[str, Any]]:
    """Returns steps for all actions, except those that return secrets to the automation."""
    steps = []
    for act in _possible(world):
        supports = world.hass.services.supports_response(act.domain, act.action)
        must_respond = supports is SupportsResponse.ONLY
        if must_respond and act.action not in FOR_EVERY_USER:
            continue
        steps.append(
            {
                "action": f"{act.domain}.{act.action}",
                "data": {**world.target(act), **act.data},
                "continue_on_error": True,
                **({"response_variable": "response"} if must_respond else {}),
            }
        )
    return steps


async def _traces(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Returns all traces, as the frontend receives them."""
    listed = await async_list_traces(hass, automation.DOMAIN, None)
    return [
        json.loads(
            json.dumps(
                await async_get_trace(
                    hass, f"{automation.DOMAIN}.{each['item_id']}", each["run_id"]
                ),
                cls=ExtendedJSONEncoder,
            )
        )
        for each in listed
    ]


async def test_no_secret_is_in_a_trace(
    faulty_world: FaultyWorld, secrets: Secrets, sample: Sample
) -> None:
    """Except secrets that the automation itself contains or requests."""
    hass = faulty_world.hass
    await faulty_world.set_up_enabled()
    secrets.collect()
    # Actions change states, so one automation with both would run in a loop.
    traced = {"mode": "parallel", "max": 1000, "trace": {"stored_traces": 1000}}
    listens = {**traced, "alias": "Listens", "triggers": _triggers(faulty_world), "actions": []}
    does = {**traced, "alias": "Does", "triggers": [], "actions": _steps(faulty_world)}
    config = [{"id": each["alias"], **each} for each in (listens, does)]
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})
    await faulty_world.settle()
    run = {"entity_id": "automation.does"}
    for _ in secrets.repeat_all(sample):
        await hass.services.async_call(automation.DOMAIN, "trigger", run, blocking=True)
        await read_all(faulty_world)
    PROVIDER_DATA[faulty_world.case.key].limits.end(faulty_world.service)
    await faulty_world.live(3 * MINUTE)
    secrets.collect()

    traces = await _traces(hass)

    everything = {"entity_id": "all"}
    await hass.services.async_call(automation.DOMAIN, "turn_off", everything, blocking=True)
    steps = [step for trace in traces for path in trace["trace"].values() for step in path]
    assert {trace["trigger"] for trace in traces} > {None}, "nothing triggered"
    assert any("error" in step for step in steps)
    for step in steps:
        written = json.dumps(step.get("result", {}).pop("params", {}), ensure_ascii=False)
        secrets.check_not_in(json.dumps(step, ensure_ascii=False))
        secrets.check_not_in(written, but=json.dumps(config, ensure_ascii=False))


# Files


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "home-assistant_v2.db"


@pytest.fixture
def recorder_config(database: Path) -> dict[str, Any]:
    """Records everything but the data of actions, which Home Assistant stores unchanged."""
    return {
        "db_url": f"sqlite:///{database}",
        "commit_interval": 60,
        "exclude": {"event_types": [EVENT_CALL_SERVICE]},
    }


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A log file at debug level, in Home Assistant's format."""
    path = tmp_path / "home-assistant.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    form = "%(asctime)s.%(msecs)03d %(levelname)s (%(threadName)s) [%(name)s] %(message)s"
    handler.setFormatter(logging.Formatter(form))
    # The data of an action are known to the user who calls it.
    handler.addFilter(lambda record: "<Event call_service" not in record.getMessage())
    root = logging.getLogger()
    levels = {logger: logger.level for logger in (root, logging.getLogger(ENTITY_REGISTRY))}
    root.addHandler(handler)
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    yield path
    for logger, level in levels.items():
        logger.setLevel(level)
    root.removeHandler(handler)
    handler.close()


@pytest.mark.usefixtures("recorder_mock")
async def test_no_secret_is_written(
    *,
    faulty_world: FaultyWorld,
    secrets: Secrets,
    database: Path,
    log_file: Path,
    hass_storage: dict[str, Any],
    sample: Sample,
) -> None:
    """Checks the database, the log, and all storage files that are not for credentials."""
    hass = faulty_world.hass
    await _live(faulty_world, secrets, sample)
    await async_wait_recording_done(hass)
    recorder = get_instance(hass)
    await hass.async_stop(force=True)
    await hass.async_add_executor_job(recorder.join)

    recorded, logged = await hass.async_add_executor_job(
        lambda: (
            b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*")),
            log_file.read_text(encoding="utf-8"),
        )
    )
    assert len(recorded) > 100_000
    for state in hass.states.async_all():
        assert state.entity_id.encode() in recorded
    # Binary data are not searched.
    secrets.check_not_in(recorded.decode(errors="replace"))
    assert "DEBUG" in logged
    assert f"[custom_components.{DOMAIN}" in logged
    for line in logged.splitlines():
        secrets.check_not_in(line)
    ours = f"{DOMAIN}.{faulty_world.entry.entry_id}.credentials"
    for key, stored in hass_storage.items():
        if key not in {"core.config_entries", ours}:
            secrets.check_not_in(json.dumps(stored, ensure_ascii=False, default=str))


# Forms and issues


def _fields(world: FaultyWorld, way: str, raw_server: RawServer) -> dict[str, Any]:
    """Returns the input of a sign-in step, with the raw server's address."""
    fields = json.dumps(world.case.ways[way](world.service)).replace(HOST, "127.0.0.1")
    port = str(port_of(world.case.url(world.service)))
    entered: dict[str, Any] = json.loads(fields.replace(port, str(raw_server.port)))
    return entered


async def test_no_secret_is_in_a_form_or_an_issue(
    *, faulty_world: FaultyWorld, raw_server: RawServer, secrets: Secrets, sample: Sample
) -> None:
    """Checks the service's messages in forms and issues."""
    await faulty_world.set_up_enabled()
    secrets.collect()
    failed = 0
    for encode in secrets.repeat_all(sample):
        await read_all(faulty_world)
        for way in faulty_world.case.ways:
            fields = _fields(faulty_world, way, raw_server)
            form = await faulty_world.enter(await faulty_world.start_sign_in(way), fields)
            assert form["type"] is not FlowResultType.CREATE_ENTRY
            said = json.dumps([form.get("errors"), form.get("description_placeholders")])
            for secret in secrets.within(json.dumps(fields)):
                assert secret not in said
                assert encode(secret) not in said
            failed += bool(form.get("errors"))
        for issue in ir.async_get(faulty_world.hass).issues.values():
            secrets.check_not_in(str(issue))
        for flow in faulty_world.hass.config_entries.flow.async_progress():
            secrets.check_not_in(json.dumps(flow["context"], default=str))
        faulty_world.abort_flows()
    assert failed
