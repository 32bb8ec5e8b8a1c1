"""Records the routes that tests call."""

from collections.abc import Iterator

from hypothesis import settings
import pytest

from simulator import Simulator

from ..clocks import retry_immediately
from .routes import record

# The same examples in every run, without a time limit for each.
settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed requests immediately."""
    retry_immediately(monkeypatch)


@pytest.fixture
def simulator(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[Simulator]:
    """The simulated services; the routes that our client calls are recorded."""
    yield simulator
    record(request.node, simulator)
