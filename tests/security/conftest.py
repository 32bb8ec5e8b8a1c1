"""An account at a service that is not to be trusted, and the figures of a run."""

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

from ..reliability.provider_modules import FOUND
from ..reliability.providers import AnyService, Case
from ..reliability.world import BadWorld
from .catalogue import Few
from .figures import Figures, Kills
from .liar import Liar, port_of, through
from .spoiler import Spoiler


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """What this test comes to; in its report, from whichever process."""
    figures = Figures()
    yield figures
    request.node.user_properties.append(("lies", figures.to_report()))


@pytest.fixture
def few(request: pytest.FixtureRequest) -> Few:
    """Choose: others for each provider, but the same things in every run."""
    random = Random(f"{request.node.name} 3")

    def _few(things: Sequence[Any], count: int) -> Sequence[Any]:
        if request.config.getoption("extended"):
            return things
        return random.sample(things, min(count, len(things)))

    return _few


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> Iterator[Kills]:
    """What this test comes to."""
    kills = Kills()
    yield kills
    request.node.user_properties.append(("kills", kills.to_report()))


@pytest.fixture(params=[found.cases[-1] for found in FOUND.values()], ids=lambda case: case.of)
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
def spoiler(simulated_service: AnyService, case: Case) -> Spoiler:
    """What spoils its answers."""
    return Spoiler(port_of(case.url(simulated_service)))


@pytest.fixture
async def liar(spoiler: Spoiler) -> AsyncIterator[Liar]:
    """The server that Home Assistant takes for the service."""
    async with Liar(spoiler.answer) as liar:
        yield liar


@pytest.fixture
def bad_world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    case: Case,
    simulated_service: AnyService,
    liar: Liar,
) -> BadWorld:
    """Home Assistant with an account at the service, behind the liar."""
    service = simulated_service
    credentials = through(case.credentials(service), port_of(case.url(service)), liar)
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write what the run came to."""
    lies, kills = Figures(), Kills()
    totals: dict[str, Figures | Kills] = {"lies": lies, "kills": kills}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                for name, told in report.user_properties:
                    if name in totals and isinstance(told, dict):
                        totals[name].add(told)
    if lies.told:
        terminalreporter.section("security: lies that were told")
        terminalreporter.write_line(lies.markdown())
    if kills.outcomes or kills.remarks:
        terminalreporter.section("security: Home Assistant was killed")
        terminalreporter.write_line(kills.markdown())
