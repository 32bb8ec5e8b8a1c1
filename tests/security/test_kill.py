"""Kills and restarts Home Assistant at chosen moments, to test what must survive.

Only with --extended: each start takes about ten seconds. tests/chmlfrp/test_credentials.py and
tests/test_force_down_races.py test the same within one process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic
from typing import Any, NamedTuple

from aiohttp import ClientError
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from demo.progress import DemoError, until
from simulator import Simulator
from simulator.chmlfrp import ChmlFrpService
from simulator.gates import Moment
from simulator.hayfrp import HayFrpService
from simulator.hy2scale import Hy2ScaleService
from simulator.service import Call

from ..reliability.providers import AnyService
from .figures import Kills
from .hass_process import HassProcess, running_hass

pytestmark = pytest.mark.timeout(7200)

_KILLS = 50
_RENEWALS = 50
_PATIENCE = 60.0
"""Seconds to wait for a condition."""


@pytest.fixture
async def hass_process(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[HassProcess]:
    """A Home Assistant process with an account at the test's service."""
    if not request.config.getoption("extended"):
        pytest.skip("only with --extended")
    name: str = request.param
    async with (
        Simulator(services=(name,), tunnels=2, nodes=2) as simulator,
        running_hass(simulator.services[name], tmp_path) as started,
    ):
        yield started


async def _kill_at(
    hass: HassProcess, moment: Coroutine[None, None, None], work: Awaitable[object]
) -> None:
    """Starts work and kills Home Assistant at a moment, at the latest after the work."""
    waiting = asyncio.create_task(moment)
    # Let it set its gates first.
    await asyncio.sleep(0)
    working = asyncio.ensure_future(work)
    async with asyncio.timeout(_PATIENCE):
        await asyncio.wait((waiting, working), return_when=asyncio.FIRST_COMPLETED)
    hass.kill()
    for task in (waiting, working):
        task.cancel()
        with suppress(asyncio.CancelledError, ClientError, DemoError):
            await task
        # Let the service notice that its client has disconnected.
        await asyncio.sleep(0.1)
        hass.service.clear_faults()


# ChmlFrp's refresh tokens, which can be used once

TOKEN = "/oauth2/token"
USER = "/userinfo"


class SignIn:
    """The approved sign-in at the service, and the stored tokens."""

    def __init__(self, hass: HassProcess) -> None:
        self.hass = hass
        self.random = Random(1)
        self.service: ChmlFrpService = hass.service
        (self.grant,) = self.service.state.grants.values()

    @property
    def stored(self) -> set[str]:
        """The stored refresh tokens."""
        held = (self.hass.entry_on_disk(), self._file)
        return {credentials["refresh_token"] for credentials in held if credentials}

    @property
    def used(self) -> str:
        """The refresh token that Home Assistant will use: the entry may be older than the file."""
        return str((self._file or self.hass.entry_on_disk())["refresh_token"])

    @property
    def _file(self) -> Mapping[str, Any]:
        file = self.hass.stored(f"{DOMAIN}.{self.hass.entry_id}.credentials")
        credentials: Mapping[str, Any] = file["credentials"] if file else {}
        return credentials

    @property
    def is_stored(self) -> bool:
        """Whether the valid refresh token is stored."""
        return self.grant.refresh_token in self.stored

    def end_access(self) -> None:
        """Invalidates the access token, so that the next request needs a new one."""
        self.grant.access_token = "ended"

    async def renew(self) -> None:
        """Makes a running Home Assistant renew the tokens and use them."""
        self.end_access()
        await self.hass.call("homeassistant", "update_entity", "sensor:account:account:points")


async def _at_the_request(sign_in: SignIn) -> None:
    await sign_in.service.gate(TOKEN, "before").reached()


async def _before_the_answer(sign_in: SignIn) -> None:
    await sign_in.service.gate(TOKEN, "after").reached()


async def _as_the_answer_arrives(sign_in: SignIn) -> None:
    gate = sign_in.service.gate(TOKEN, "after")
    await gate.reached()
    gate.open()
    await asyncio.sleep(sign_in.random.uniform(0, 0.03))


async def _once_the_file_is_there(sign_in: SignIn) -> None:
    before = sign_in.grant.refresh_token
    while sign_in.grant.refresh_token == before or not sign_in.is_stored:  # noqa: ASYNC110  # Files have no events.
        await asyncio.sleep(0.0005)


async def _before_the_first_use(sign_in: SignIn) -> None:
    # The first one was refused.
    await sign_in.service.gate(USER, "before", after=1).reached()


async def _after_the_first_use(sign_in: SignIn) -> None:
    gate = sign_in.service.gate(USER, "after", after=1)
    await gate.reached()
    gate.open()
    # Home Assistant writes the entry within a second.
    await asyncio.sleep(sign_in.random.uniform(0, 1.5))


_REFRESHES: dict[str, tuple[Callable[[SignIn], Coroutine[None, None, None]], bool | None]] = {
    "before the service handles the request": (_at_the_request, True),
    "before the service answers": (_before_the_answer, False),
    "within 30 ms of the answer": (_as_the_answer_arrives, None),
    "once the file is stored": (_once_the_file_is_there, True),
    "before the first use": (_before_the_first_use, True),
    "within 1.5 s of the first use": (_after_the_first_use, True),
}
"""Moments, and whether the valid tokens are stored then; None: it depends on timing."""


@pytest.mark.parametrize("hass_process", ["chmlfrp"], indirect=True)
async def test_while_tokens_are_renewed(hass_process: HassProcess, kills: Kills) -> None:
    """Tests that the next start is signed in if the new tokens are stored.

    Tokens are lost between the service's answer and storing them, which takes milliseconds; then
    reauthentication starts.
    """
    sign_in = SignIn(hass_process)
    for number in range(_KILLS):
        what = list(_REFRESHES)[number % len(_REFRESHES)]
        moment, on_disk = _REFRESHES[what]
        if number // len(_REFRESHES) % 4 == 3:
            hass_process.kill()
            sign_in.end_access()
            hass_process.program.start()
            await _kill_at(hass_process, moment(sign_in), asyncio.Event().wait())
        else:
            await _kill_at(hass_process, moment(sign_in), sign_in.renew())

        is_stored = sign_in.is_stored
        assert on_disk in (None, is_stored), what
        await hass_process.start()
        kills.count(what, "signed in" if is_stored else "has to sign in")
        assert await hass_process.entry_state() == ("loaded" if is_stored else "setup_error"), what
        assert await hass_process.is_reauthenticating() is not is_stored, what
        if not is_stored:
            # The user signs in again; other tests cover that flow.
            sign_in.grant.refresh_token = sign_in.used
            await hass_process.reload()
            assert await hass_process.entry_state() == "loaded"


@pytest.mark.parametrize("hass_process", ["chmlfrp"], indirect=True)
async def test_duration_until_tokens_are_stored(hass_process: HassProcess, kills: Kills) -> None:
    """Measures the time from the service's answer to the first use of the stored tokens."""
    sign_in = SignIn(hass_process)
    taken = []
    for _ in range(_RENEWALS):
        answer = sign_in.service.gate(TOKEN, "after")
        first_use = sign_in.service.gate(USER, "before", after=1)
        renewal = asyncio.create_task(sign_in.renew())
        await answer.reached()
        started = monotonic()
        answer.open()
        await first_use.reached()
        taken.append(monotonic() - started)
        assert sign_in.is_stored
        first_use.open()
        await renewal
        sign_in.service.clear_faults()
    kills.note(
        f"{len(taken)} renewals: {median(taken) * 1e3:.0f} ms from answer to disk, "
        f"{max(taken) * 1e3:.0f} ms at most"
    )
    assert median(taken) < 1


# Forced-down tunnels


class Tunnel(NamedTuple):
    """A tunnel and its state at the service.

    is_up: whether a client can connect. put: sets that, as in the service's web console.
    writes: whether a call changes the tunnel.
    """

    id: str
    is_up: Callable[[AnyService], bool]
    put: Callable[[AnyService, bool], None]
    writes: Callable[[Call], bool]


def _put_hayfrp(service: HayFrpService, up: bool) -> None:
    service.state.tunnels["1"].enabled = up


def _put_chmlfrp(service: ChmlFrpService, up: bool) -> None:
    service.state.tunnels["1"].kicked_at = None if up else service.now()


def _put_hy2scale(service: Hy2ScaleService, up: bool) -> None:
    service.state.clients["us"].disabled = not up


_TUNNELS: dict[str, Tunnel] = {
    "chmlfrp": Tunnel(
        "1",
        lambda service: service.online(service.state.tunnels["1"]),
        _put_chmlfrp,
        lambda call: call.path == "/offline_tunnel",
    ),
    "hayfrp": Tunnel(
        "1",
        lambda service: service.state.tunnels["1"].enabled,
        _put_hayfrp,
        lambda call: call.get("type") in ("toggle", "forcedown"),
    ),
    "hy2scale": Tunnel(
        "us",
        lambda service: not service.state.clients["us"].disabled,
        _put_hy2scale,
        lambda call: call.path == "/api/clients/us/disable",
    ),
}
_CALLS = {"chmlfrp": 3, "hayfrp": 5, "hy2scale": 7}
"""Maximum number of requests for a hold or a release, including those that read back."""
_CALLS_TO_DISCONNECT = 4
"""Two read the connection, one disables it, one enables it."""


class HeldTunnel:
    """A tunnel: its stored hold, its switch and its state at the service."""

    def __init__(self, hass: HassProcess) -> None:
        self.hass = hass
        self.service = hass.service
        self.tunnel = _TUNNELS[hass.service.NAME]
        self.switch = f"switch:tunnel:{self.tunnel.id}:force_down"

    @property
    def is_wanted(self) -> bool:
        """Whether the stored hold is active."""
        holds = self.hass.stored(f"{DOMAIN}.{self.hass.entry_id}") or {}
        hold = holds.get(self.tunnel.id)
        return hold is not None and not hold.get("releasing")

    @property
    def is_up(self) -> bool:
        """Whether a client can connect."""
        return self.tunnel.is_up(self.service)

    async def turn(self, action: str) -> None:
        """Turns the switch on or off."""
        await self.hass.call("switch", action, self.switch)

    async def shows(self, *, held: bool, up: bool) -> None:
        """Waits for the state of the switch and of the tunnel."""
        await self.hass.shows(self.switch, "on" if held else "off")

        async def _otherwise() -> str:
            return "" if self.is_up is up else f"The tunnel is {'down' if up else 'up'}"

        await until(_otherwise, _PATIENCE)


async def _call_number(hass: HassProcess, number: int, moment: Moment) -> None:
    """Waits for the call after a number of calls."""
    await hass.service.gate("*", moment, after=number).reached()


@pytest.mark.parametrize("hass_process", list(_TUNNELS), indirect=True)
async def test_while_a_tunnel_is_held_and_released(hass_process: HassProcess, kills: Kills) -> None:
    """Tests that a hold is stored before any request is sent, and applied after the next start."""
    held = HeldTunnel(hass_process)
    service = hass_process.service.NAME
    await hass_process.shows(held.switch, "off")
    moments: tuple[Moment, ...] = ("before", "after")
    for number, moment in product(range(_CALLS[service]), moments):
        # Where tunnels can be disabled, some are disabled before.
        up = service == "chmlfrp" or number % 3 != 1
        for action in ("turn_on", "turn_off"):
            # The previous kill may have been too early or too late.
            if action == "turn_on":
                await held.turn("turn_off")
                held.tunnel.put(held.service, up)
            elif not held.is_wanted:
                await held.turn("turn_on")
            sent = len(held.service.calls)
            await _kill_at(
                hass_process, _call_number(hass_process, number, moment), held.turn(action)
            )

            what = f"{service}: {action} {moment} call {number + 1}"
            wanted = held.is_wanted
            if any(map(held.tunnel.writes, held.service.calls[sent:])):
                assert wanted is (action == "turn_on"), what
            await hass_process.start()
            kills.count(what, "held" if wanted else "not held")
            # A disconnected client reconnects at any time.
            as_before = up if service != "chmlfrp" or action == "turn_on" else held.is_up
            await held.shows(held=wanted, up=as_before and not wanted)


@pytest.mark.parametrize("hass_process", ["hy2scale"], indirect=True)
async def test_while_a_client_is_disconnected(hass_process: HassProcess, kills: Kills) -> None:
    """Tests that a connection that was disabled for a moment is enabled after the next start."""
    held = HeldTunnel(hass_process)
    await hass_process.shows(held.switch, "off")
    moments: tuple[Moment, ...] = ("before", "after")
    for number, moment in product(range(_CALLS_TO_DISCONNECT), moments):
        press = hass_process.call(
            "button", "press", f"button:tunnel:{held.tunnel.id}:force_offline"
        )
        await _kill_at(hass_process, _call_number(hass_process, number, moment), press)
        kills.count("while a client is disconnected", "up" if held.is_up else "down")
        await hass_process.start()
        await held.shows(held=False, up=True)
