"""Whatever HayFrp answers: either values of the right types, or an error of ours."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, override

from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.tunnel_hub.api.errors import TunnelHubError
from custom_components.tunnel_hub.api.hayfrp import HayFrpProvider
from custom_components.tunnel_hub.api.provider import TunnelDraft
from simulator.hayfrp import HayFrpService

from ..payloads import check_answer, damaged

type Ask = Callable[[HayFrpProvider], Awaitable[object]]

NEW = TunnelDraft(name="new", protocol="tcp", local_port=1, remote_port=2, node="1")


class Question(NamedTuple):
    """What is asked, and which of the answers it needs is spoilt."""

    ask: Ask
    path: str
    kind: str = ""

    @override
    def __str__(self) -> str:
        """Name it."""
        return f"{self.path} {self.kind}"


def feed(key: str) -> Ask:
    """Return what reads a feed."""
    return lambda provider: provider.feeds[key].fetch()


QUESTIONS = [
    Question(HayFrpProvider.identify, "/user", "info"),
    Question(feed("account"), "/user", "info"),
    Question(feed("tunnels"), "/proxy", "list"),
    Question(feed("nodes"), "/proxy", "list"),
    Question(feed("nodes"), "/node"),
    Question(feed("nodes"), "/nodes"),
    Question(feed("service"), "/info"),
    Question(feed("release"), "/version"),
    Question(HayFrpProvider.node_names, "/nodes"),
    Question(HayFrpProvider.downloads, "/downlist"),
    Question(HayFrpProvider.sign_in, "/user", "sign"),
    Question(HayFrpProvider.reset_token, "/user", "retoken"),
    Question(lambda provider: provider.check_tunnel("1"), "/proxy", "check"),
    Question(lambda provider: provider.delete_tunnel("1"), "/proxy", "remove"),
    Question(
        lambda provider: provider.update_tunnel("1", TunnelDraft(name="new")), "/proxy", "list"
    ),
    Question(lambda provider: provider.create_tunnel(NEW), "/nodes"),
]


@pytest.fixture(params=QUESTIONS, ids=str)
def question(request: pytest.FixtureRequest) -> Question:
    asked: Question = request.param
    return asked


@pytest.fixture
async def genuine(
    question: Question, hayfrp: HayFrpService, session: ClientSession, csrf: str
) -> object:
    """The answer as it is when nothing is spoilt."""
    row = {"type": question.kind, "csrf": csrf, "id": "1"}
    request: Mapping[str, Any] = {"json": row} if question.kind else {}
    async with session.request(
        "POST" if question.kind else "GET",
        hayfrp.url + question.path,
        headers={"waf": "off"},
        **request,
    ) as response:
        return await response.json()


# The fixtures stay as they are from example to example: the service only hears, and each
# example asks with a provider of its own.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_answer_is_read_or_refused(
    hayfrp: HayFrpService,
    session: ClientSession,
    question: Question,
    genuine: object,
    data: st.DataObject,
) -> None:
    hayfrp.clear_faults()
    hayfrp.fault(
        question.path,
        "body",
        match={"type": question.kind} if question.kind else None,
        times=None,
        body=data.draw(damaged(genuine)),
    )
    credentials = {"base_url": hayfrp.url, "token": "good-csrf"}
    hayfrp.account.csrf, hayfrp.account.csrf_since = "good-csrf", hayfrp.now()

    try:
        answer = await question.ask(HayFrpProvider(session, credentials, {}))
    except TunnelHubError:
        return
    check_answer(answer)
