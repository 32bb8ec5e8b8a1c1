"""Tests that malicious answers give a storable result or one of our errors.

They must not block the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from functools import partial
import gc

from aiohttp import ClientSession, DummyCookieJar
import orjson
import pytest

from bench.measurement import StallSelector
from custom_components.tunnel_hub.api import coerce, create_provider
from custom_components.tunnel_hub.api.errors import TunnelHubError
from simulator import Simulator

from ..reliability.provider_calls import OPTIONS, calls_for
from ..reliability.provider_modules import PROVIDER_DATA
from ..reliability.providers import Ask, Case
from .figures import Figures
from .payloads import BODIES, MEGABYTE, RAW, Corruption, Sample, build, corruptions
from .raw_server import (
    Raw,
    RawServer,
    ReceivedRequest,
    Reply,
    corrupted,
    forwarding,
    port_of,
    redirected,
)

pytestmark = pytest.mark.timeout(3600)

LONGEST_STALL = 0.1
"""Seconds of CPU. The target is half of it; the margin is for slower machines."""

CASES = tuple(found.cases[-1] for found in PROVIDER_DATA.values())


@dataclass(slots=True)
class Recording:
    """A valid service's answers to one call, by kind of request.

    credentials: of the account; port: of the service.
    """

    ask: Ask
    port: int
    credentials: Mapping[str, str]
    replies: dict[str, list[Reply]] = field(default_factory=dict)


_RECORDINGS: dict[str, Mapping[str, Recording]] = {}
"""Recordings of this process, by provider: the same in every test."""


@dataclass(slots=True)
class Replay:
    """Calls of one provider, whose answers the raw server replays."""

    case: Case
    raw_server: RawServer
    session: ClientSession
    recordings: Mapping[str, Recording]
    stalls: StallSelector
    figures: Figures
    failures: list[str] = field(default_factory=list)

    def calls(self, turn: int) -> list[tuple[str, str]]:
        """Returns each kind of request with one of the calls that send it, alternately."""
        by_kind: dict[str, list[str]] = {}
        for name, recording in self.recordings.items():
            for kind in recording.replies:
                by_kind.setdefault(kind, []).append(name)
        return [(names[turn % len(names)], kind) for kind, names in by_kind.items()]

    def is_turn(self, turn: int) -> bool:
        """Returns whether the quick form tries an answer with this provider.

        Shared code handles invalid JSON and HTTP for all providers.
        """
        return CASES[turn % len(CASES)] is self.case

    def all_calls(self) -> list[tuple[str, str]]:
        """Returns each kind of request with each call that sends it."""
        return [
            (name, kind)
            for name, recording in self.recordings.items()
            for kind in recording.replies
        ]

    async def try_with(
        self, call: str, kind: str, fake: Callable[[Reply], bytes], what: str
    ) -> None:
        """Runs a call with one kind of request answered by a malicious answer."""
        recording = self.recordings[call]
        # Prepared before, because only processing is measured.
        said = {of: [reply.raw() for reply in replies] for of, replies in recording.replies.items()}
        said[kind] = [fake(reply) for reply in recording.replies[kind]]

        async def answer(asked: ReceivedRequest) -> Raw:
            if not (several := said.get(asked.kind)):
                return Reply(500, "text/plain", b"never asked before").raw()
            return several.pop(0) if len(several) > 1 else several[0]

        self.raw_server.answer = answer
        # A new provider, without any cache.
        entered = redirected(recording.credentials, recording.port, self.raw_server)
        provider = create_provider(self.case.service, self.session, entered, OPTIONS)
        # Don't measure the collection of the previous provider's garbage.
        gc.collect()
        self.stalls.restart()
        try:
            result: object = await asyncio.wait_for(recording.ask(provider), 60)
        except Exception as err:  # noqa: BLE001  # fault_of judges any exception.
            result = err
        stall = self.stalls.read()
        self.figures.count(self.case.key, what, stall)
        if found := fault_of(result) or (f"{stall * 1e3:.0f} ms" if stall > LONGEST_STALL else ""):
            self.failures.append(f"{what}: {call}: {kind}: {found}")


def fault_of(result: object) -> str:
    """Returns what is wrong with a result or exception; empty if nothing is."""
    if isinstance(result, TunnelHubError):
        words = str(result)
        is_line = words.isprintable() or "\u3000" in words
        return "" if is_line and len(words) < 1100 else f"{words!a:.300}"
    if isinstance(result, Exception):
        return f"{result!r:.300}"
    try:
        check(result)
    except (AssertionError, TypeError) as err:
        return f"{err!s:.300}"
    return ""


def check(value: object) -> None:
    """Raises AssertionError if a part of a result cannot be stored or shown."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case bytes():
                # A backup, which is only saved, or an image.
                pass
            case dict() as mapping:
                waiting += (*mapping, *mapping.values())
            case list() | tuple() | set() | frozenset() as several:
                waiting += several
            case thing if is_dataclass(thing):
                waiting += (getattr(thing, each.name) for each in fields(thing))
            case scalar:
                check_scalar(scalar)


def check_scalar(value: object) -> None:
    """Raises AssertionError if a value cannot be stored or shown."""
    orjson.dumps(value)
    match value:
        case int() | float():
            assert abs(value) < 2**63
        case str():
            assert len(value) <= coerce.MAX_DOCUMENT
            assert not {"\x00", "\x1b", "\x7f"} & set(value[:20_000])
        case date():
            assert 1970 <= value.year < date.max.year


async def _record(case: Case, ask: Ask, raw_server: RawServer, session: ClientSession) -> Recording:
    """Records the answers of a new simulator to one call."""
    async with Simulator(services=(case.service,), tunnels=2, nodes=4) as simulator:
        service = simulator.services[case.service]
        case.prepare(service)
        for name, value in PROVIDER_DATA[case.key].settings.items():
            setattr(service.state.settings, name, value)
        port = port_of(case.url(service))
        recording = Recording(ask, port, case.credentials(service))
        forward = forwarding(port)

        async def answer(asked: ReceivedRequest) -> Raw:
            reply = await forward(asked)
            recording.replies.setdefault(asked.kind, []).append(reply)
            return reply.raw()

        raw_server.answer = answer
        entered = redirected(recording.credentials, port, raw_server)
        await ask(create_provider(case.service, session, entered, OPTIONS))
    assert recording.replies
    return recording


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries failed requests immediately."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)


type Work = Callable[[Replay], Awaitable[None]]


@pytest.fixture
def with_replay(case: Case, figures: Figures) -> Callable[[Work], None]:
    """Runs work with a provider in its own, measured event loop."""

    async def _do(work: Work, stalls: StallSelector) -> None:
        async with (
            RawServer() as raw_server,
            ClientSession(cookie_jar=DummyCookieJar()) as session,
        ):
            recordings = _RECORDINGS[case.key] = _RECORDINGS.get(case.key) or {
                name: await _record(case, ask, raw_server, session)
                for name, ask in calls_for(case).items()
            }
            # Excludes all other objects of the process from each garbage collection.
            gc.collect()
            gc.freeze()
            replay = Replay(case, raw_server, session, recordings, stalls, figures)
            await work(replay)
            assert not replay.failures, "\n".join(replay.failures)

    def _with_replay(work: Work) -> None:
        stalls = StallSelector()
        with asyncio.Runner(loop_factory=partial(asyncio.SelectorEventLoop, stalls)) as runner:
            runner.run(_do(work, stalls))

    return _with_replay


def test_any_body(with_replay: Callable[[Work], None], sample: Sample) -> None:
    """Replaces each answer by each malicious body."""

    async def _ask(replay: Replay) -> None:
        for turn, (what, thing) in enumerate(BODIES.items()):
            if not (calls := sample(replay.calls(turn), replay.is_turn(turn))):
                continue
            body = build(thing)

            def fake(reply: Reply, body: bytes = body) -> bytes:
                return replace(reply, body=body).raw()

            # Large bodies are slow to send, and mostly have the same effect everywhere.
            for call, kind in calls[:: 7 if len(body) > MEGABYTE else 1]:
                await replay.try_with(call, kind, fake, f"body: {what}")

    with_replay(_ask)


def test_any_corrupted_answer(with_replay: Callable[[Work], None], sample: Sample) -> None:
    """Corrupts all texts, numbers, values or rows of each answer."""

    async def _ask(replay: Replay) -> None:
        for what, corrupt in corruptions(replay.case).items():

            def fake(reply: Reply, corrupt: Corruption = corrupt) -> bytes:
                return corrupted(reply, corrupt).raw()

            for call, kind in sample(replay.all_calls(), 1):
                await replay.try_with(call, kind, fake, f"corrupted: {what}")

    with_replay(_ask)


def test_raw_http(with_replay: Callable[[Work], None], sample: Sample) -> None:
    """Replaces each answer by invalid or unusual HTTP."""

    async def _ask(replay: Replay) -> None:
        for turn, (what, thing) in enumerate(RAW.items()):
            if not (calls := sample(replay.calls(turn), replay.is_turn(turn))):
                continue
            raw = build(thing)

            def fake(_: Reply, raw: bytes = raw) -> bytes:
                return raw

            for call, kind in calls:
                await replay.try_with(call, kind, fake, f"raw: {what}")

    with_replay(_ask)
