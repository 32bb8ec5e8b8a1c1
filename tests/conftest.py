"""Fixtures: frozen time, the simulated services over loopback, an account at each."""

from collections.abc import AsyncIterator, Iterator
import logging
from pathlib import Path
import sys
import time
from typing import Any, Literal

from aiohttp import ClientSession, DummyCookieJar
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import automation
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components import tunnel_hub
from custom_components.tunnel_hub import per_resource_reads, reachability
from custom_components.tunnel_hub.api import http
from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator
from simulator.chmlfrp import ChmlFrpService
from simulator.easytier import EasyTierService
from simulator.frp import FrpService
from simulator.hayfrp import HayFrpService
from simulator.hy2scale import Hy2ScaleService
from simulator.service import Service
from simulator.simulator import SERVICES

from .api.routes import name_of
from .automations import FOLDER, Automate
from .clocks import Clocks, retry_immediately
from .common import ENTITY_REGISTRY, NOON, World, account_entry, connect_browsers, look_up
from .endpoints import ROWS
from .real_answers.counts import write_summary
from .translations import watched

type Dialect = Literal["real", "documented"]

# Home Assistant imports "unidecode" for each id of a Chinese name, and falls back to another
# library. Marking it as missing saves the search.
sys.modules["unidecode"] = None  # type: ignore[assignment]  # Marks a module as missing.

# The recorder would log a line for each entity of each test.
logging.getLogger(ENTITY_REGISTRY).setLevel(logging.WARNING)

# The browser tests need network access, which the fixtures here block: scripts/test runs them.
collect_ignore = ["browser"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options to run all tests in full, and to write tests/contract again."""
    parser.addoption(
        "--extended",
        action="store_true",
        help="run all tests in full; see docs/reliability.md",
    )
    parser.addoption(
        "--write-contract", action="store_true", help="write tests/contract/*.txt again"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of extended tests, and of the platforms that a test uses."""
    config.addinivalue_line("markers", "extended: tried with --extended only")
    config.addinivalue_line(
        "markers", "platforms(*names): what there are entities of; without, all"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect extended tests, and run tests/test_endpoints.py last.

    It checks the requests of other tests, which must run in the same process.
    """
    if not config.getoption("extended"):
        left_out = {item for item in items if item.get_closest_marker("extended")}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    named = {row.test for row in ROWS}
    last = {item for item in items if item.path.name == "test_endpoints.py"}
    for item in items:
        if item in last or name_of(item) in named:
            item.add_marker(pytest.mark.xdist_group("endpoints"))
    items.sort(key=last.__contains__)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report how many recordings of real servers were replayed."""
    write_summary(terminalreporter)


@pytest.fixture(autouse=True)
def _allow_loopback(request: pytest.FixtureRequest, socket_enabled: None) -> None:
    """Allow connections to loopback, and let Home Assistant find this integration."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def mock_recorder_before_hass(request: pytest.FixtureRequest) -> None:
    """Set up the recorder if a test uses it."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("async_test_recorder")
        # Home Assistant's fixtures log every statement.
        logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def _browser_connected(request: pytest.FixtureRequest) -> None:
    """Simulate a connected browser, so that nothing is deferred."""
    if "hass" in request.fixturenames:
        connect_browsers(request.getfixturevalue("hass"))


@pytest.fixture(autouse=True)
def _platforms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only set up the platforms in a test's mark: adding entities takes most of the time."""
    if mark := request.node.get_closest_marker("platforms"):
        monkeypatch.setattr(tunnel_hub, "PLATFORMS", [*map(Platform, mark.args)])


@pytest.fixture(autouse=True)
def _separate_storage(request: pytest.FixtureRequest) -> None:
    """Separate the stored data of each test from the next ones."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("hass_storage")


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Disable asyncio's debug mode, which doubles the duration of the tests."""


@pytest.fixture(autouse=True)
def _check_translations() -> Iterator[None]:
    """Fail a test that shows a text which is missing in a language."""
    with watched():
        yield


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots without values that differ between runs."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def freezer(
    freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> FrozenDateTimeFactory:
    """Frozen time, also for the transport, whose delays are removed.

    Probes are not limited either, unless a test sets a limit.
    """
    freezer.move_to(NOON)
    defaults = http.Transport.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "clock", time.monotonic)
    retry_immediately(monkeypatch)
    monkeypatch.setattr(per_resource_reads, "AT_ONCE", 1000)
    return freezer


@pytest.fixture(autouse=True)
def _checks_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checks of public addresses resolve only names of loopback, without delays."""
    monkeypatch.setattr(reachability, "resolve", look_up)
    monkeypatch.setattr(reachability, "RETRY_PAUSE", (0.0, 0.0))


@pytest.fixture
def clocks(freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The wall clock, which can be set, and the monotonic one, which cannot be set."""
    clocks = Clocks(freezer)
    clocks.install(monkeypatch)
    return clocks


# The simulated services


@pytest.fixture
def services(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The services to simulate: those whose fixtures the test uses."""
    return tuple(name for name in SERVICES if name in request.fixturenames)


@pytest.fixture
def simulated() -> dict[str, Any]:
    """The arguments of the simulator, unless a test has its own."""
    return {}


@pytest.fixture
async def simulator(
    request: pytest.FixtureRequest, services: tuple[str, ...], simulated: dict[str, Any]
) -> AsyncIterator[Simulator]:
    """Return the simulated services, with a few tunnels and nodes."""
    async with Simulator(services, **getattr(request, "param", simulated)) as running:
        yield running


@pytest.fixture
def hayfrp(simulator: Simulator) -> HayFrpService:
    return simulator.get(HayFrpService)


@pytest.fixture
def chmlfrp(simulator: Simulator) -> ChmlFrpService:
    return simulator.get(ChmlFrpService)


@pytest.fixture
def generation(request: pytest.FixtureRequest) -> str:
    """The generation of the HY2 SCALE node; a test can select another one."""
    return str(getattr(request, "param", "1.3"))


@pytest.fixture
def hy2scale(simulator: Simulator, generation: str) -> Hy2ScaleService:
    """Return the simulated HY2 SCALE node."""
    simulator.get(Hy2ScaleService).state.settings.generation = generation
    return simulator.get(Hy2ScaleService)


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """The API variant of the EasyTier node manager; a test can select another one."""
    spoken: Dialect = getattr(request, "param", "real")
    return spoken


@pytest.fixture
def easytier(simulator: Simulator, dialect: Dialect) -> EasyTierService:
    """Return the simulated EasyTier node manager."""
    simulator.get(EasyTierService).state.settings.dialect = dialect
    return simulator.get(EasyTierService)


@pytest.fixture
def frp(simulator: Simulator) -> FrpService:
    """Return the simulated programs of frp."""
    return simulator.get(FrpService)


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """An HTTP session like that of the integration."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as open_session:
        yield open_session


# An account at HayFrp; the folders of other providers replace it


@pytest.fixture
def service(hayfrp: HayFrpService) -> Service[Any]:
    """The service of the account."""
    return hayfrp


@pytest.fixture
def signed_in(hayfrp: HayFrpService) -> MockConfigEntry:
    """The entry of the account."""
    return account_entry(hayfrp, hayfrp.account)


@pytest.fixture
def entry(hass: HomeAssistant, signed_in: MockConfigEntry) -> MockConfigEntry:
    """Add that entry to Home Assistant, without setting it up."""
    signed_in.add_to_hass(hass)
    return signed_in


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    service: Service[Any],
    entry: MockConfigEntry,
) -> World[Any]:
    """Home Assistant with that entry, in frozen time; not yet set up."""
    return World(hass, freezer, service, entry)


@pytest.fixture
def notifications(world: World[Any]) -> list[ServiceCall]:
    """The notifications of blueprints, in the way that is their default."""
    return async_mock_service(world.hass, "persistent_notification", "create")


@pytest.fixture
async def automate(world: World[Any], tmp_path: Path) -> AsyncIterator[Automate]:
    """Set up an automation with a blueprint and its inputs."""

    async def _automate(blueprint: str, **inputs: Any) -> None:
        home = tmp_path / "blueprints" / "automation" / DOMAIN
        home.mkdir(parents=True)
        (home / f"{blueprint}.yaml").symlink_to(FOLDER / f"{blueprint}.yaml")
        world.hass.config.config_dir = str(tmp_path)
        use = {"path": f"{DOMAIN}/{blueprint}.yaml", "input": inputs}
        config = {automation.DOMAIN: {"id": "ours", "use_blueprint": use}}
        assert await async_setup_component(world.hass, automation.DOMAIN, config)
        await world.settle()
        (state,) = world.hass.states.async_all(automation.DOMAIN)
        assert state.state == "on", "its configuration is refused"

    yield _automate
    await world.hass.services.async_call(
        automation.DOMAIN, "turn_off", {"entity_id": "all"}, blocking=True
    )
