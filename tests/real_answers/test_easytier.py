"""EasyTier: the recordings of easytier-worker, through the simulator."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from aiohttp import ClientSession
import pytest

from simulator import Simulator
from simulator.easytier import EasyTierService

from . import Difference, Replay, count_replayed, load

RECORDED = "easytier-worker"
ASKED_AT = datetime(2026, 11, 29, 8, 14, 43, 819_000, UTC).timestamp()

DIFFERENCES: tuple[Difference, ...] = ()


@pytest.fixture
async def easytier() -> AsyncIterator[EasyTierService]:
    """A new server without mail, at the time at which the real one was asked."""
    async with Simulator(["easytier"], clock=lambda: ASKED_AT) as simulator:
        yield simulator.easytier


async def test_the_simulator_answers_as_the_real_server(
    session: ClientSession, easytier: EasyTierService, request: pytest.FixtureRequest
) -> None:
    easytier.state.settings.initialized = False
    replay = Replay(session, easytier.url, differences=DIFFERENCES, values=True)

    for recording in load(RECORDED)[:1]:
        await replay.ask(recording)

    replay.check()
    count_replayed(request.node, RECORDED, "simulator", replay.replayed)
