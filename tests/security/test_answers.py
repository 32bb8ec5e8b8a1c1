"""Whatever a service answers to any question: a result that can be stored, or an error of ours.

In the meantime, the event loop is not blocked for long.
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

from bench.meter import StallSelector
from custom_components.tunnel_hub.api import coerce, create_provider
from custom_components.tunnel_hub.api.errors import TunnelHubError
from simulator import Simulator

from ..reliability.provider_modules import FOUND
from ..reliability.providers import Ask, Case
from ..reliability.questions import OPTIONS, questions_for
from .catalogue import BODIES, MEGABYTE, RAW, Few, Spoil, made, spoils
from .figures import Figures
from .liar import Asked, Liar, Raw, Reply, forwarding, port_of, spoilt, through

pytestmark = pytest.mark.timeout(3600)

LONGEST_STALL = 0.1
"""Seconds of CPU. The aim is half of it; other machines are slower than the one of the figures."""

CASES = tuple(found.cases[-1] for found in FOUND.values())


@dataclass(slots=True)
class Told:
    """What a sound service answers to one question: all answers to each kind of request.

    credentials: that were entered; port: of the service.
    """

    ask: Ask
    port: int
    credentials: Mapping[str, str]
    replies: dict[str, list[Reply]] = field(default_factory=dict)


_TOLD: dict[str, Mapping[str, Told]] = {}
"""What was told in this process, by provider: the same in every test."""


@dataclass(slots=True)
class Lab:
    """One provider, asked through a liar that tells what a sound service has told before."""

    case: Case
    liar: Liar
    session: ClientSession
    told: Mapping[str, Told]
    stalls: StallSelector
    figures: Figures
    failures: list[str] = field(default_factory=list)

    def questions(self, turn: int) -> list[tuple[str, str]]:
        """Return each kind of request with one of its questions, alternately."""
        by_kind: dict[str, list[str]] = {}
        for name, told in self.told.items():
            for kind in told.replies:
                by_kind.setdefault(kind, []).append(name)
        return [(names[turn % len(names)], kind) for kind, names in by_kind.items()]

    def is_turn(self, turn: int) -> bool:
        """Whether this provider is the one that gets this lie in the quick form.

        What is no JSON, or no HTTP, is dealt with in one place for all of them.
        """
        return CASES[turn % len(CASES)] is self.case

    def all_questions(self) -> list[tuple[str, str]]:
        """Return each kind of request with each of the questions that come to it."""
        return [(name, kind) for name, told in self.told.items() for kind in told.replies]

    async def try_with(
        self, question: str, kind: str, lie: Callable[[Reply], bytes], what: str
    ) -> None:
        """Ask with one kind of request answered by a lie."""
        told = self.told[question]
        # The answer was prepared before: only its processing is measured.
        said = {of: [reply.raw() for reply in replies] for of, replies in told.replies.items()}
        said[kind] = [lie(reply) for reply in told.replies[kind]]

        async def answer(asked: Asked) -> Raw:
            if not (several := said.get(asked.kind)):
                return Reply(500, "text/plain", b"never asked before").raw()
            return several.pop(0) if len(several) > 1 else several[0]

        self.liar.answer = answer
        # One that has not asked anything yet.
        entered = through(told.credentials, told.port, self.liar)
        provider = create_provider(self.case.service, self.session, entered, OPTIONS)
        # The garbage of the previous provider must not be counted.
        gc.collect()
        self.stalls.restart()
        try:
            result: object = await asyncio.wait_for(told.ask(provider), 60)
        except Exception as err:  # noqa: BLE001  # Whatever leaves the api is looked at below.
            result = err
        stall = self.stalls.read()
        self.figures.count(self.case.of, what, stall)
        if found := fault_of(result) or (f"{stall * 1e3:.0f} ms" if stall > LONGEST_STALL else ""):
            self.failures.append(f"{what}: {question}: {kind}: {found}")


def fault_of(result: object) -> str:
    """Return what is wrong with a result, or with an error that came in its place."""
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
    """Fail on what could not be stored or shown, wherever in a result it is."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case bytes():
                # A backup, which is only saved, or a picture.
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
    """Fail on a single value that could not be stored or shown."""
    orjson.dumps(value)
    match value:
        case int() | float():
            assert abs(value) < 2**63
        case str():
            assert len(value) <= coerce.MAX_DOCUMENT
            assert not {"\x00", "\x1b", "\x7f"} & set(value[:20_000])
        case date():
            assert 1970 <= value.year < date.max.year


async def _told(case: Case, ask: Ask, liar: Liar, session: ClientSession) -> Told:
    """Ask a correct service, which received no request before, one question."""
    async with Simulator(services=(case.service,), tunnels=2, nodes=4) as simulator:
        service = simulator.services[case.service]
        case.prepare(service)
        for name, value in FOUND[case.of].settings.items():
            setattr(service.state.settings, name, value)
        port = port_of(case.url(service))
        told = Told(ask, port, case.credentials(service))
        forward = forwarding(port)

        async def answer(asked: Asked) -> Raw:
            reply = await forward(asked)
            told.replies.setdefault(asked.kind, []).append(reply)
            return reply.raw()

        liar.answer = answer
        entered = through(told.credentials, port, liar)
        await ask(create_provider(case.service, session, entered, OPTIONS))
    assert told.replies
    return told


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed requests immediately."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)


type Work = Callable[[Lab], Awaitable[None]]


@pytest.fixture
def in_lab(case: Case, figures: Figures) -> Callable[[Work], None]:
    """Do something with a provider, in an event loop of its own that is measured."""

    async def _do(work: Work, stalls: StallSelector) -> None:
        async with (
            Liar() as liar,
            ClientSession(cookie_jar=DummyCookieJar()) as session,
        ):
            told = _TOLD[case.of] = _TOLD.get(case.of) or {
                name: await _told(case, ask, liar, session)
                for name, ask in questions_for(case).items()
            }
            # What else there is in the process would be looked at for garbage again and again.
            gc.collect()
            gc.freeze()
            lab = Lab(case, liar, session, told, stalls, figures)
            await work(lab)
            assert not lab.failures, "\n".join(lab.failures)

    def _in_lab(work: Work) -> None:
        stalls = StallSelector()
        with asyncio.Runner(loop_factory=partial(asyncio.SelectorEventLoop, stalls)) as runner:
            runner.run(_do(work, stalls))

    return _in_lab


def test_any_body(in_lab: Callable[[Work], None], few: Few) -> None:
    """A body of the catalogue in place of any answer that a question needs."""

    async def _ask(lab: Lab) -> None:
        for turn, (what, thing) in enumerate(BODIES.items()):
            if not (questions := few(lab.questions(turn), lab.is_turn(turn))):
                continue
            body = made(thing)

            def lie(reply: Reply, body: bytes = body) -> bytes:
                return replace(reply, body=body).raw()

            # What is large takes a while to send, and its effect is mostly the same everywhere.
            for question, kind in questions[:: 7 if len(body) > MEGABYTE else 1]:
                await lab.try_with(question, kind, lie, f"body: {what}")

    in_lab(_ask)


def test_any_spoilt_answer(in_lab: Callable[[Work], None], few: Few) -> None:
    """A sound answer in which every text, every number, every value or every row is spoilt."""

    async def _ask(lab: Lab) -> None:
        for what, spoil in spoils(lab.case).items():

            def lie(reply: Reply, spoil: Spoil = spoil) -> bytes:
                return spoilt(reply, spoil).raw()

            for question, kind in few(lab.all_questions(), 1):
                await lab.try_with(question, kind, lie, f"spoilt: {what}")

    in_lab(_ask)


def test_raw_http(in_lab: Callable[[Work], None], few: Few) -> None:
    """What is no HTTP, or nearly."""

    async def _ask(lab: Lab) -> None:
        for turn, (what, thing) in enumerate(RAW.items()):
            if not (questions := few(lab.questions(turn), lab.is_turn(turn))):
                continue
            raw = made(thing)

            def lie(_: Reply, raw: bytes = raw) -> bytes:
                return raw

            for question, kind in questions:
                await lab.try_with(question, kind, lie, f"raw: {what}")

    in_lab(_ask)
