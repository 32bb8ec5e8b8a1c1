"""A record of what was asked."""

from collections.abc import Iterator

from hypothesis import settings
import pytest

from simulator import Simulator

from ..clocks import retry_at_once
from .routes import record

# The same examples in every run, and as long as the machine needs for each.
settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed requests immediately."""
    retry_at_once(monkeypatch)


@pytest.fixture
def simulator(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[Simulator]:
    """The simulated services; which routes our client asks is recorded."""
    yield simulator
    record(request.node, simulator)
