"""Fixtures for an account at a malicious service, and the tables of results."""

from collections.abc import AsyncIterator, Iterator, Sequence
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.migrations import MINOR_VERSION
from simulator import Simulator

from ..reliability.faulty_world import FaultyWorld
from ..reliability.provider_modules import PROVIDER_DATA
from ..reliability.providers import AnyService, Case
from .figures import Figures, Kills
from .payloads import Sample
from .proxy import CorruptingProxy
from .raw_server import RawServer, port_of, redirected


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """This test's figures, added to its report."""
    figures = Figures()
    yield figures
    request.node.user_properties.append(("answers", figures.to_report()))


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> Sample:
    """Samples pseudorandomly: differently for each provider, the same in every run."""
    random = Random(f"{request.node.name} 3")

    def _sample(items: Sequence[Any], count: int) -> Sequence[Any]:
        if request.config.getoption("extended"):
            return items
        return random.sample(items, min(count, len(items)))

    return _sample


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> Iterator[Kills]:
    """This test's outcomes, added to its report."""
    kills = Kills()
    yield kills
    request.node.user_properties.append(("kills", kills.to_report()))


@pytest.fixture(
    params=[found.cases[-1] for found in PROVIDER_DATA.values()], ids=lambda case: case.key
)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
async def simulated_service(
    freezer: FrozenDateTimeFactory, case: Case
) -> AsyncIterator[AnyService]:
    """The provider's service."""
    async with Simulator(services=(case.service,), tunnels=2, nodes=2) as simulator:
        service = simulator.services[case.service]
        case.prepare(service)
        yield service


@pytest.fixture
def proxy(simulated_service: AnyService, case: Case) -> CorruptingProxy:
    """The corrupting proxy in front of the simulated service."""
    return CorruptingProxy(port_of(case.url(simulated_service)))


@pytest.fixture
async def raw_server(proxy: CorruptingProxy) -> AsyncIterator[RawServer]:
    """The server that Home Assistant connects to."""
    async with RawServer(proxy.answer) as raw_server:
        yield raw_server


@pytest.fixture
def faulty_world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    case: Case,
    simulated_service: AnyService,
    raw_server: RawServer,
) -> FaultyWorld:
    """Home Assistant with an account at the service, redirected the raw server."""
    service = simulated_service
    credentials = redirected(case.credentials(service), port_of(case.url(service)), raw_server)
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{case.service}",
        title=f"{case.service} demo",
        unique_id=f"{case.service}:{case.account(service)}",
        minor_version=MINOR_VERSION,
        data={"provider": case.service, **credentials},
    )
    entry.add_to_hass(hass)
    return FaultyWorld(hass, freezer, service, entry, case)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes the tables of results."""
    answers, kills = Figures(), Kills()
    totals: dict[str, Figures | Kills] = {"answers": answers, "kills": kills}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                for name, counts in report.user_properties:
                    if name in totals and isinstance(counts, dict):
                        totals[name].add(counts)
    if answers.counts:
        terminalreporter.section("security: malicious answers")
        terminalreporter.write_line(answers.markdown())
    if kills.outcomes or kills.remarks:
        terminalreporter.section("security: kills of Home Assistant")
        terminalreporter.write_line(kills.markdown())
