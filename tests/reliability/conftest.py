"""Fixtures for each kind of entry with a simulated service, and the tables of results."""

from collections import Counter
from collections.abc import Collection, Iterator
from urllib.parse import quote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.migrations import MINOR_VERSION, VERSION
from simulator import Simulator
from simulator.simulator import SERVICES

from ..sampling import EXTENDED
from .fault_counts import Cells, Table
from .faults import AccountFault, Fault, faults_of
from .faulty_world import FaultyWorld
from .figures import Answers, Costs, Days, Examples
from .names import resolve_with_names
from .output_check import OutputCheck
from .provider_calls import calls_for
from .provider_modules import CASES, PROVIDER_DATA
from .providers import AnyService, Case

_ONE_EACH = tuple(found.cases[0] for found in PROVIDER_DATA.values())
"""One kind of entry for each provider."""

_CELLS, _EXAMPLES, _DAY, COSTS, STEPS = "cells", "examples", "day", "costs", "steps"
"""Keys of a test report's properties, which pytest-xdist transfers between processes."""
_ALL_EXAMPLES = pytest.StashKey[Counter[str]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrizes tests by kind of entry and, where they use it, by fault or call.

    In the quick form, a fault that any service can have is tested with one kind of entry.
    """
    if "fault" in metafunc.fixturenames:
        metafunc.parametrize(
            "case, fault",
            [
                pytest.param(
                    case,
                    fault,
                    id=f"{case.name}: {fault.name}",
                    marks=()
                    if isinstance(fault, AccountFault) or not turn % len(CASES)
                    else EXTENDED,
                )
                for number, case in enumerate(CASES)
                for turn, fault in enumerate(faults_of(case), number)
            ],
            indirect=["case"],
        )
    elif "ask" in metafunc.fixturenames:
        metafunc.parametrize(
            "case, ask",
            [
                pytest.param(case, ask, id=f"{case.key}: {name}")
                for case in _ONE_EACH
                for name, ask in calls_for(case).items()
            ],
            indirect=["case"],
        )
    elif "resource_changes" in metafunc.fixturenames:
        metafunc.parametrize("case", _ONE_EACH, indirect=True, ids=lambda case: case.key)
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize(
            "case",
            [pytest.param(case, id=case.name, marks=marks_of(case)) for case in CASES],
            indirect=True,
        )


def marks_of(case: Case) -> Collection[pytest.MarkDecorator]:
    """Returns marks; a kind of entry that differs only in the sign-in needs `--extended`."""
    return () if case in _ONE_EACH else (EXTENDED,)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def services(case: Case) -> tuple[str, ...]:
    return (case.service,)


@pytest.fixture
def service(freezer: FrozenDateTimeFactory, case: Case, simulator: Simulator) -> AnyService:
    """The simulated service, in frozen time."""
    service = simulator.services[case.service]
    assert isinstance(service, SERVICES[case.service])
    case.prepare(service)
    return service


def entry_for(case: Case, service: AnyService) -> MockConfigEntry:
    """Returns an entry as the config flow creates it."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{case.service}",
        title=f"{case.service} demo",
        unique_id=f"{case.service}:{case.account(service)}",
        version=VERSION,
        minor_version=MINOR_VERSION,
        data={
            "provider": case.service,
            "id_prefix": f"{case.service}.{quote(case.account(service))}",
            **case.credentials(service),
        },
    )


@pytest.fixture
def signed_in(case: Case, service: AnyService) -> MockConfigEntry:
    return entry_for(case, service)


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    case: Case,
    service: AnyService,
    entry: MockConfigEntry,
) -> FaultyWorld:
    """Home Assistant with that entry."""
    resolve_with_names(hass)
    return FaultyWorld(hass, freezer, service, entry, case)


@pytest.fixture
def output_check(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, case: Case, service: AnyService
) -> OutputCheck:
    """Checks output for secrets and unexpected errors."""
    return OutputCheck(hass, caplog, lambda: case.secrets(service))


@pytest.fixture
def cells(request: pytest.FixtureRequest, case: Case, fault: Fault) -> Iterator[Cells]:
    """Results for one fault and kind of entry, added to the test's report."""
    cells = Cells()
    yield cells
    request.node.user_properties.append((_CELLS, [fault.name, case.name, cells.counts()]))


@pytest.fixture
def examples(request: pytest.FixtureRequest, case: Case) -> Iterator[Examples]:
    """Counts of the corrupted answers that a test tries, added to the test's report."""
    examples = Examples(case.key, request.config.stash.setdefault(_ALL_EXAMPLES, Counter()))
    yield examples
    request.node.user_properties.append((_EXAMPLES, [case.key, dict(examples.here)]))


@pytest.fixture
def figures(request: pytest.FixtureRequest, case: Case) -> Iterator[dict[str, object]]:
    """Figures of a simulated day, added to the test's report."""
    figures: dict[str, object] = {}
    yield figures
    request.node.user_properties.append((_DAY, [case.key, figures]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes the tables of results."""
    tables: dict[str, Table | Answers | Days | Costs] = {
        _CELLS: Table(),
        _EXAMPLES: Answers(),
        _DAY: Days(),
        COSTS: Costs(),
        STEPS: Days(),
    }
    reported: set[str] = set()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                for name, counted in report.user_properties:
                    if name in tables and isinstance(counted, list):
                        tables[name].add(*counted)
                        reported.add(name)
    for name, title in {
        _CELLS: "fault matrix: cells passed of cells tried",
        _EXAMPLES: "property tests: corrupted answers",
        _DAY: "soak: a simulated day",
        COSTS: "while no browser is connected, a simulated day",
        STEPS: "state machine: number of runs of each step",
    }.items():
        if name in reported:
            terminalreporter.section(title)
            terminalreporter.write_line(tables[name].markdown())
