"""Tests the simulated EasyTier node manager with the recordings of easytier-worker."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import ClientSession
import pytest

from simulator import Simulator
from simulator.easytier import EasyTierService

from . import Difference, Replay, count_replayed, load

RECORDED = "easytier-worker"
RECORDED_AT = datetime(2026, 11, 29, 8, 14, 43, 819_000, UTC).timestamp()

DIFFERENCES: tuple[Difference, ...] = ()


@pytest.fixture
async def easytier() -> AsyncIterator[EasyTierService]:
    """A new server without email, at the time of the recordings."""
    async with Simulator(["easytier"], clock=lambda: RECORDED_AT) as simulator:
        yield simulator.get(EasyTierService)


class Accounts:
    """The accounts, and the session token of each."""

    def __init__(self) -> None:
        self.tokens = {"bad": "nonsense"}

    def headers(self, who: str | None) -> Mapping[str, str]:
        """Return the headers of a request."""
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}


SIGNED_BY: Mapping[int, str | None] = {
    16: "bad",
    17: None,
    19: "admin@example.com",
    42: "admin@example.com",
    59: "admin@example.com",
    60: "admin@example.com",
}
"""By line. All other lines are sent by the user once it exists."""


def _no_longer_there(easytier: EasyTierService) -> None:
    del easytier.state.accounts["2"]


def _damage(easytier: EasyTierService) -> None:
    easytier.state.nodes["2"].is_damaged = True


BEFORE: Mapping[int, Callable[[EasyTierService], None]] = {56: _damage, 61: _no_longer_there}
"""The changes on the server before a line was recorded."""


# The secret of the real server was this short.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_simulator_answers_like_the_real_server(
    session: ClientSession, easytier: EasyTierService, request: pytest.FixtureRequest
) -> None:
    easytier.state.settings.initialized = False
    easytier.state.settings.mail = False
    easytier.state.jwt_secret = "jwt-secret"
    replay = Replay(session, easytier.url, differences=DIFFERENCES, values=True)
    accounts = Accounts()

    for recording in load(RECORDED):
        if happen := BEFORE.get(recording.line):
            happen(easytier)
        who = SIGNED_BY.get(recording.line, "user@example.com")
        reply = await replay.ask(
            recording, headers=accounts.headers(who if who in accounts.tokens else None)
        )
        if recording.path == "/api/auth/login" and reply.status == 200:
            accounts.tokens[recording.sent["email"]] = replay.secrets["<jwt>"]

    replay.check()
    count_replayed(request.node, RECORDED, "simulator", replay.replayed)
