"""Tests that any answer gives values of the right types or one of our errors.

Records the real answers of each feed and command, corrupts one in a few places and replays them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from hypothesis import given, note, settings, strategies as st
import orjson
import pytest

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.errors import Reason, TunnelHubError, UnavailableError
from custom_components.tunnel_hub.api.http import Answer, Transport
from custom_components.tunnel_hub.api.provider import Provider
from simulator import Simulator

from ..api.payloads import check_answer, damage
from .figures import Examples
from .names import Names
from .provider_calls import OPTIONS
from .provider_modules import PROVIDER_DATA
from .providers import AnyService, Ask, Case

EXAMPLES = {False: 30, True: 100}
"""Examples for each call, with any of its answers corrupted; by whether the run is extended."""
EXTENDED = 10_000
"""Examples for each kind of answer in an extended run."""
_EXAMPLES_PER_SEED = 10
"""Examples for one seed: drawing a seed takes as long as trying them."""

settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")

type Key = tuple[str, str, str]
"""Method, path, and what else distinguishes requests with the same ones."""
type Answers = Mapping[Key, Sequence[Answer]]
"""Answers in their order: a list differs after something was created."""
type Request = Callable[..., Awaitable[Answer]]


def key_of(method: str, path: str, json: object) -> Key:
    kind = json.get("type") if isinstance(json, Mapping) else None
    return method, path, str(kind or "")


@pytest.fixture
def simulated() -> dict[str, Any]:
    """Uses few rows, to be fast."""
    return {"tunnels": 2, "nodes": 4}


@pytest.fixture
def service(case: Case, simulator: Simulator) -> AnyService:
    """The simulated service in real time."""
    service = simulator.services[case.service]
    for name, value in PROVIDER_DATA[case.key].settings.items():
        setattr(service.state.settings, name, value)
    return service


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    connector = TCPConnector(resolver=Names())
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as open_session:
        yield open_session


@pytest.fixture
def provider(case: Case, service: AnyService, session: ClientSession) -> Callable[[], Provider]:
    """Returns a new provider, without any cache."""
    credentials = case.credentials(service)
    return lambda: create_provider(case.service, session, credentials, OPTIONS)


@pytest.fixture
async def genuine(
    provider: Callable[[], Provider], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> Answers:
    """The uncorrupted answers."""
    recorded: dict[Key, list[Answer]] = {}
    really: Request = Transport.request

    async def record(self: Transport, method: str, path: str, **options: Any) -> Answer:
        answer = await really(self, method, path, **options)
        recorded.setdefault(key_of(method, path, options.get("json")), []).append(answer)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "request", record)
        await ask(provider())
    assert recorded
    return recorded


def corrupt(recorded: Answers, key: Key, random: Random) -> Answers:
    """Returns the answers with one of a kind corrupted."""
    answers = list(recorded[key])
    which = random.randrange(len(answers))
    answer = answers[which]
    try:
        body = orjson.dumps(damage(orjson.loads(answer.body), random))
    except orjson.JSONDecodeError:
        body = random.randbytes(random.randrange(64))
    status = random.choice((answer.status, 200, 400, 401, 403, 404))
    answers[which] = Answer(status, answer.content_type, body)
    note(f"{key}: {answers[which]}")
    return {**recorded, key: answers}


def test_any_answer_is_read_or_refused(
    *,
    ask: Ask,
    provider: Callable[[], Provider],
    genuine: Answers,
    examples: Examples,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers_now: Answers = {}
    asked: Counter[Key] = Counter()

    async def replay(_: Transport, method: str, path: str, **options: Any) -> Answer:
        key = key_of(method, path, options.get("json"))
        if (answers := answers_now.get(key)) is None:
            raise UnavailableError(Reason.SERVER_ERROR, "never asked before")
        asked[key] += 1
        return answers[min(asked[key], len(answers)) - 1]

    monkeypatch.setattr(Transport, "request", replay)

    def read(kind: Key, random: Random) -> None:
        nonlocal answers_now
        answers_now = corrupt(genuine, kind, random)
        examples.note(" ".join(kind))
        asked.clear()
        with suppress(TunnelHubError):
            check_answer(loop.run_until_complete(ask(provider())))

    def try_with(kinds: Sequence[Key], count: int) -> None:
        @settings(max_examples=count // _EXAMPLES_PER_SEED)
        @given(seed=st.integers(0, 2**64 - 1))
        def read_some(seed: int) -> None:
            random = Random(seed)
            for _ in range(_EXAMPLES_PER_SEED):
                read(random.choice(kinds), random)

        read_some()

    extended = pytestconfig.getoption("extended")
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        try_with(sorted(genuine), EXAMPLES[extended])
        if extended:
            # A kind of answer that many calls need is tried in full only for the first one.
            for kind in sorted(genuine):
                if examples.tried(" ".join(kind)) < EXTENDED:
                    try_with([kind], EXTENDED)
