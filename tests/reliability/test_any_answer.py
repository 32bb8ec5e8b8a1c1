"""Whatever a service answers: values of the right types, or an error of ours.

A genuine answer is spoilt in a few places, as it came over HTTP; then the provider reads it, out of
memory. That is done for every answer that a feed or a command needs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from hypothesis import given, settings, strategies as st
import orjson
import pytest

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.errors import Reason, TunnelHubError, UnavailableError
from custom_components.tunnel_hub.api.http import Answer, Transport
from custom_components.tunnel_hub.api.provider import Provider
from simulator import Simulator

from ..api.payloads import check_answer, damaged
from .names import Names
from .providers import AnyService, Case
from .questions import OPTIONS, Ask

EXAMPLES = {False: 100, True: 10_000}
"""By whether the run is extended."""

settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")

_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "chmlfrp": {"history_samples": 8},
    "easytier": {"edgeone": True},
    "hayfrp": {},
    "hy2scale": {},
}
"""Of each service: with all that can be asked, and less history than a real one."""

type Key = tuple[str, str, str]
"""Method, path, and what else tells apart what shares them."""
type Request = Callable[..., Awaitable[Answer]]


def key_of(method: str, path: str, json: object) -> Key:
    kind = json.get("type") if isinstance(json, Mapping) else None
    return method, path, str(kind or "")


@pytest.fixture
def service(case: Case, simulator: Simulator) -> AnyService:
    """The service in real time, which makes real dates."""
    service = getattr(simulator, case.service)
    for name, value in _SETTINGS[case.service].items():
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
) -> dict[Key, Answer]:
    """The answers as they are when nothing is spoilt."""
    recorded: dict[Key, Answer] = {}
    really: Request = Transport.request

    async def record(self: Transport, method: str, path: str, **options: Any) -> Answer:
        answer = await really(self, method, path, **options)
        recorded[key_of(method, path, options.get("json"))] = answer
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "request", record)
        try:
            await ask(provider())
        except TunnelHubError:
            assert recorded, "not even a refusal was read"
    return recorded


@st.composite
def spoilt(draw: st.DrawFn, answers: Mapping[Key, Answer]) -> dict[Key, Answer]:
    """Draw the answers with one of them spoilt."""
    key = draw(st.sampled_from(sorted(answers)))
    answer = answers[key]
    try:
        payload = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = draw(st.binary() | st.text().map(str.encode))
    else:
        body = orjson.dumps(draw(damaged(payload)))
    status = draw(st.sampled_from((answer.status, 200, 400, 401, 403, 404)))
    return {**answers, key: Answer(status, answer.content_type, body)}


def test_any_answer_is_read_or_refused(
    ask: Ask,
    provider: Callable[[], Provider],
    genuine: dict[Key, Answer],
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: dict[Key, Answer] = {}

    async def replay(_: Transport, method: str, path: str, **options: Any) -> Answer:
        answer = answers.get(key_of(method, path, options.get("json")))
        if answer is None:
            raise UnavailableError(Reason.SERVER_ERROR, "never asked before")
        return answer

    monkeypatch.setattr(Transport, "request", replay)

    @settings(max_examples=EXAMPLES[pytestconfig.getoption("extended")])
    @given(drawn=spoilt(genuine))
    def read(drawn: dict[Key, Answer]) -> None:
        answers.clear()
        answers.update(drawn)
        try:
            check_answer(runner.run(ask(provider())))
        except TunnelHubError:
            return

    with asyncio.Runner() as runner:
        read()
