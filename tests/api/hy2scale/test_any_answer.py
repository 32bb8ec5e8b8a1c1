"""Whatever a node answers: either values of the right types, or an error of ours."""

from collections.abc import Awaitable, Callable
from dataclasses import is_dataclass
from typing import Any, NamedTuple, override

from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.tunnel_hub.api.errors import TunnelHubError
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.mesh import Proxy, User
from custom_components.tunnel_hub.api.mesh_provider import Port, UserDraft
from simulator.hy2scale import Hy2ScaleService

from ..payloads import check_types, damaged
from .conftest import Begin

type Ask = Callable[[Hy2ScaleProvider], Awaitable[object]]


class Question(NamedTuple):
    """What is asked, and which of the answers it needs is spoilt."""

    ask: Ask
    path: str
    method: str = "GET"

    @override
    def __str__(self) -> str:
        """Name it."""
        return self.path


def feed(key: str) -> Ask:
    """Return what reads a feed."""
    return lambda provider: provider.feeds[key].fetch()


QUESTIONS = [
    Question(Hy2ScaleProvider.identify, "/node"),
    Question(feed("hub"), "/node"),
    Question(feed("hub"), "/stats"),
    Question(feed("hub"), "/sessions"),
    Question(feed("links"), "/topology"),
    Question(feed("peers"), "/topology"),
    Question(feed("tunnels"), "/clients"),
    Question(feed("users"), "/users"),
    Question(feed("users"), "/users/conflicts"),
    Question(feed("users"), "/topology"),
    Question(feed("sessions"), "/sessions"),
    Question(feed("sessions"), "/users"),
    Question(feed("rules"), "/rules"),
    Question(feed("proxies"), "/proxies"),
    Question(feed("proxies"), "/ss"),
    Question(feed("wireguard"), "/wireguard"),
    Question(feed("wireguard_peers"), "/wireguard"),
    Question(feed("vpn"), "/l2tp"),
    Question(feed("vpn"), "/ikev2"),
    Question(feed("certificates"), "/tls"),
    Question(feed("upgrade"), "/upgrade/status"),
    Question(feed("upgrade"), "/upgrade/check"),
    Question(feed("upgrade"), "/system/arch"),
    Question(Hy2ScaleProvider.graph_layout, "/graph-layout"),
    Question(lambda provider: provider.link_history("us"), "/diag/peer-latency"),
    Question(lambda provider: provider.link_history("us"), "/diag/peer-health"),
    Question(lambda provider: provider.link_history("us"), "/diag/peer-rebinds"),
    Question(lambda provider: provider.resolve_name("example.com"), "/diag/resolve?name=x"),
    Question(
        lambda provider: provider.check_ports([Port(port=1, protocol="tcp")]),
        "/check-ports",
        "POST",
    ),
    Question(lambda provider: provider.set_peer_nested("us", nested=True), "/topology"),
    Question(lambda provider: provider.set_enabled(Proxy, "ss", enabled=True), "/ss"),
    Question(lambda provider: provider.select_exit(User, "x", "us"), "/users"),
    Question(lambda provider: provider.update("x", UserDraft(name="y")), "/users"),
    Question(lambda provider: provider.delete(User, "x"), "/users"),
]


@pytest.fixture(params=QUESTIONS, ids=str)
def question(request: pytest.FixtureRequest) -> Question:
    asked: Question = request.param
    return asked


@pytest.fixture
async def genuine(question: Question, hy2scale: Hy2ScaleService, session: ClientSession) -> object:
    """The answer as it is when nothing is spoilt."""
    hy2scale.state.tokens["genuine"] = hy2scale.token_end()
    async with session.request(
        question.method,
        hy2scale.api_url + question.path,
        headers={"Authorization": "Bearer genuine"},
        json=[] if question.method == "POST" else None,
    ) as response:
        return await response.json(content_type=None)


# The fixtures stay as they are from example to example: the service only hears, and each
# example asks with a provider of its own.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_answer_is_read_or_refused(
    hy2scale: Hy2ScaleService,
    begin: Begin,
    question: Question,
    genuine: object,
    data: st.DataObject,
) -> None:
    hy2scale.clear_faults()
    path = question.path.partition("?")[0]
    body: Any = data.draw(damaged(genuine))
    hy2scale.fault(f"/api{path}", "body", times=None, body=body)

    try:
        answer = await question.ask(begin())
    except TunnelHubError:
        return
    for thing in answer.values() if isinstance(answer, dict) else [answer]:
        if is_dataclass(thing):
            check_types(thing)
