"""Whatever a service answers: values of the right types, or an error of ours.

A genuine answer is spoilt in a few places, as it came over HTTP; then the provider reads it, out of
memory. That is done for every answer that a feed or a command needs.
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
from .provider_modules import FOUND
from .providers import AnyService, Ask, Case
from .questions import OPTIONS

EXAMPLES = {False: 30, True: 100}
"""For each question, of which any answer is spoilt; by whether the run is extended."""
EXTENDED = 10_000
"""For each kind of answer, in an extended run."""
_AT_ONCE = 10
"""Examples by one seed: drawing it takes as long as trying them."""

settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")

type Key = tuple[str, str, str]
"""Method, path, and what else distinguishes requests with the same ones."""
type Told = Mapping[Key, Sequence[Answer]]
"""What was answered, and in which order: a list is another one after something was made."""
type Request = Callable[..., Awaitable[Answer]]


def key_of(method: str, path: str, json: object) -> Key:
    kind = json.get("type") if isinstance(json, Mapping) else None
    return method, path, str(kind or "")


@pytest.fixture
def simulated() -> dict[str, Any]:
    """With as few rows as show everything."""
    return {"tunnels": 2, "nodes": 4}


@pytest.fixture
def service(case: Case, simulator: Simulator) -> AnyService:
    """The service in real time, which makes real dates."""
    service = simulator.services[case.service]
    for name, value in FOUND[case.of].settings.items():
        setattr(service.state.settings, name, value)
    return service


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    connector = TCPConnector(resolver=Names())
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as open_session:
        yield open_session


@pytest.fixture
def provider(case: Case, service: AnyService, session: ClientSession) -> Callable[[], Provider]:
    """What makes a provider that has not asked anything yet."""
    credentials = case.credentials(service)
    return lambda: create_provider(case.service, session, credentials, OPTIONS)


@pytest.fixture
async def genuine(
    provider: Callable[[], Provider], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> Told:
    """The answers as they are when nothing is spoilt."""
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


def spoil(told: Told, key: Key, random: Random) -> Told:
    """Spoil one answer of a kind."""
    answers = list(told[key])
    which = random.randrange(len(answers))
    answer = answers[which]
    try:
        body = orjson.dumps(damage(orjson.loads(answer.body), random))
    except orjson.JSONDecodeError:
        body = random.randbytes(random.randrange(64))
    status = random.choice((answer.status, 200, 400, 401, 403, 404))
    answers[which] = Answer(status, answer.content_type, body)
    note(f"{key}: {answers[which]}")
    return {**told, key: answers}


def test_any_answer_is_read_or_refused(
    *,
    ask: Ask,
    provider: Callable[[], Provider],
    genuine: Told,
    examples: Examples,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: Told = {}
    asked: Counter[Key] = Counter()

    async def replay(_: Transport, method: str, path: str, **options: Any) -> Answer:
        key = key_of(method, path, options.get("json"))
        if (answers := told.get(key)) is None:
            raise UnavailableError(Reason.SERVER_ERROR, "never asked before")
        asked[key] += 1
        return answers[min(asked[key], len(answers)) - 1]

    monkeypatch.setattr(Transport, "request", replay)

    def read(kind: Key, random: Random) -> None:
        nonlocal told
        told = spoil(genuine, kind, random)
        examples.note(" ".join(kind))
        asked.clear()
        with suppress(TunnelHubError):
            check_answer(loop.run_until_complete(ask(provider())))

    def try_with(kinds: Sequence[Key], count: int) -> None:
        @settings(max_examples=count // _AT_ONCE)
        @given(seed=st.integers(0, 2**64 - 1))
        def read_some(seed: int) -> None:
            random = Random(seed)
            for _ in range(_AT_ONCE):
                read(random.choice(kinds), random)

        read_some()

    extended = pytestconfig.getoption("extended")
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        try_with(sorted(genuine), EXAMPLES[extended])
        if extended:
            # A kind of answer that many questions need is tried in full only for the first one.
            for kind in sorted(genuine):
                if examples.tried(" ".join(kind)) < EXTENDED:
                    try_with([kind], EXTENDED)
