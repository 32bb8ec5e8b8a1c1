"""Whatever a node manager answers: either values of the right types, or an error of ours."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, override

from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.tunnel_hub.api.directory import PUBLIC_NODES, NodeDraft, NodeReport
from custom_components.tunnel_hub.api.easytier import EasyTierProvider
from custom_components.tunnel_hub.api.errors import TunnelHubError
from simulator.easytier import EasyTierService

from ..payloads import check_answer, damaged
from .conftest import Begin, Dialect
from .test_provider import NEW, wanted

type Ask = Callable[[EasyTierProvider, EasyTierService], Awaitable[object]]


def report(provider: EasyTierProvider, easytier: EasyTierService) -> Awaitable[object]:
    """Report a node with its own token."""
    token = easytier.state.nodes["1"].report_token
    return provider.report_node(
        "1", NodeReport(online=True, bandwidth=1, traffic=1, connections=1, token=token)
    )


class Question(NamedTuple):
    """What is asked, and which of the answers it needs is spoilt."""

    ask: Ask
    method: str
    path: str

    @override
    def __str__(self) -> str:
        """Name it."""
        return f"{self.method} {self.path}"


def feed(key: str) -> Ask:
    """Return what reads a feed."""
    return lambda provider, _: provider.feeds[key].fetch()


async def problems(provider: EasyTierProvider, _: EasyTierService) -> object:
    """Return the nodes that are a problem after a reading."""
    await provider.feeds["nodes"].fetch()
    return tuple(problem.placeholders["nodes"] for problem in provider.problems())


QUESTIONS = [
    Question(lambda p, _: p.identify(), "GET", "/api/system/check-init"),
    Question(feed("account"), "GET", "/api/auth/me"),
    Question(feed("nodes"), "GET", "/api/nodes/my"),
    Question(feed("public_nodes"), "GET", "/api/public"),
    Question(feed("reachability"), "GET", "/api/nodes/my"),
    Question(feed("reachability"), "POST", "/api/edgeone/batch-check"),
    Question(feed("service"), "GET", "/api/public"),
    Question(feed("service"), "GET", "/api/stats"),
    Question(problems, "GET", "/api/nodes/my"),
    Question(lambda p, _: p.check_node("1"), "GET", "/api/nodes/1"),
    Question(lambda p, s: p.check_targets([wanted(s)]), "POST", "/api/edgeone/batch-check"),
    Question(lambda p, _: p.create_node(NEW), "POST", "/api/nodes"),
    Question(lambda p, _: p.public_node_names(), "GET", "/api/public"),
    Question(lambda p, _: p.query_nodes(), "POST", "/api/query"),
    Question(lambda p, _: p.regenerate_report_token("1"), "POST", "/api/nodes/1/regenerate-token"),
    Question(report, "GET", "/api/nodes/1"),
    Question(report, "POST", "/api/report"),
    Question(lambda p, _: p.reset_token(), "POST", "/api/auth/reset-token"),
    Question(lambda p, _: p.update_node("1", NodeDraft(tags=("x",))), "GET", "/api/nodes/1"),
]


@pytest.fixture(params=QUESTIONS, ids=str)
def question(request: pytest.FixtureRequest) -> Question:
    asked: Question = request.param
    return asked


@pytest.fixture
def dialect() -> Dialect:
    """The one with more in its answers, of which any may be missing."""
    return "real"


@pytest.fixture
def asking(begin: Begin, easytier: EasyTierService) -> Begin:
    """Make providers that can ask all of the questions."""
    easytier.state.settings.edgeone = True
    network = {
        "network_name": "demo-network",
        "network_secret": easytier.state.nodes["1"].network_token or "",
    }
    return lambda token: begin(options={PUBLIC_NODES: ["1", "9"]}, token=token, **network)


@pytest.fixture
async def token(begin: Begin) -> str:
    """A session token of the demo account."""
    provider = begin()
    await provider.identify()
    return provider.credentials["token"]


@pytest.fixture
async def genuine(
    question: Question, easytier: EasyTierService, session: ClientSession, token: str, asking: Begin
) -> object:
    """An answer as it is when nothing is spoilt."""
    await question.ask(asking(token), easytier)
    (call,) = easytier.calls_to(question.path)[-1:]
    authorization = call.headers.get("Authorization", "")
    async with session.request(
        call.method,
        easytier.url + call.path,
        params=call.query,
        json=call.body or None,
        headers={"Authorization": authorization},
    ) as response:
        return await response.json()


# The fixtures stay as they are from example to example: each asks with a provider of its own.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_answer_is_read_or_refused(
    *,
    easytier: EasyTierService,
    asking: Begin,
    token: str,
    question: Question,
    genuine: object,
    data: st.DataObject,
) -> None:
    easytier.clear_faults()
    easytier.fault(question.path, "body", times=None, body=data.draw(damaged(genuine)))

    try:
        answer = await question.ask(asking(token), easytier)
    except TunnelHubError:
        return
    check_answer(answer)
