"""Tests the HTTP transport: limits, retries and redaction."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import gc
import json
import logging
import socket
import traceback
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from aiohttp import ClientSession, ClientTimeout
from freezegun.api import FrozenDateTimeFactory
import orjson
import pytest

from custom_components.tunnel_hub.api import http
from custom_components.tunnel_hub.api.errors import InvalidInputError, Reason, UnavailableError
from custom_components.tunnel_hub.api.http import MAX_BYTES, Answer, Transport
from simulator import Simulator
from simulator.hayfrp import HayFrpService

from .event_loop import run_pending, until

SECRET = "open-sesame"
SECRETS: Mapping[str, Any] = {
    "params": {"token": SECRET},
    "json": {"type": "login", "passwd": SECRET},
    "headers": {"Authorization": f"Bearer {SECRET}"},
}


class Clock:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.time = 10_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def mirror() -> AsyncIterator[HayFrpService]:
    """Another host of the same service."""
    async with Simulator(services=("hayfrp",)) as running:
        yield running.get(HayFrpService)


@pytest.fixture
def alone(session: ClientSession, hayfrp: HayFrpService, clock: Clock) -> Transport:
    """A transport with one host."""
    return Transport(session, (hayfrp.url,), headers={"waf": "off"}, clock=clock)


@pytest.fixture
def transport(
    session: ClientSession, hayfrp: HayFrpService, mirror: HayFrpService, clock: Clock
) -> Transport:
    """A transport with a second host for failover."""
    return Transport(session, (hayfrp.url, mirror.url), headers={"waf": "off"}, clock=clock)


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set short time limits, which a busy machine can still meet."""
    monkeypatch.setattr(http, "REQUEST_LIMITS", ClientTimeout(total=0.4, connect=0.2))


async def read(transport: Transport) -> Answer:
    """Send a request that can be repeated."""
    return await transport.request("GET", "/version", read=True)


async def write(transport: Transport) -> Answer:
    """Send a request that must not be repeated."""
    fields = {"type": "login", "user": "demo", "passwd": "demo-password"}
    return await transport.request("POST", "/user", json=fields, read=False)


@contextmanager
def unavailable(
    reason: Reason, detail: str = "", retry_after: float | None = None
) -> Iterator[None]:
    """Expect UnavailableError with exactly this reason."""
    with pytest.raises(UnavailableError) as caught:
        yield
    assert (caught.value.reason, caught.value.detail) == (reason, detail)
    assert caught.value.retry_after == retry_after


@asynccontextmanager
async def server_of(words: bytes) -> AsyncIterator[str]:
    """Run a server that sends these bytes to every client; yield its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextmanager
def unresponsive_host() -> Iterator[str]:
    """Open a port where connections are neither accepted nor refused; yield its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        # This takes the only place in the queue; the kernel drops other connections.
        with socket.create_connection(address):
            yield f"http://127.0.0.1:{address[1]}"


# Requests and answers


async def test_an_answer(alone: Transport, hayfrp: HayFrpService) -> None:
    answer = await read(alone)

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.mapping() == answer.json()
    assert answer.mapping()["ver_frpc"] == hayfrp.state.frpc_version
    assert answer.text().startswith('{"ver_hayfrps"')
    assert not answer.is_html
    assert alone.requests == 1


async def test_user_agent(alone: Transport, hayfrp: HayFrpService) -> None:
    await alone.request("GET", "/version", read=True, headers={"X-Extra": "yes"})

    headers = hayfrp.calls[0].headers
    assert headers["User-Agent"].startswith("TunnelHub/")
    assert (headers["waf"], headers["X-Extra"]) == ("off", "yes")


async def test_fields_as_query_json_or_form(alone: Transport, hayfrp: HayFrpService) -> None:
    await alone.request("GET", "/version", read=True, params={"a": "1&2"})
    await alone.request("POST", "/proxy", read=False, json={"b": [1]})
    await alone.request("POST", "/proxy", read=False, form={"c": "3"})

    query, json, form = hayfrp.calls
    assert (query.query, json.body, form.body) == ({"a": "1&2"}, {"b": [1]}, {"c": "3"})
    assert json.headers["Content-Type"] == "application/json"
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_an_error_message(alone: Transport, hayfrp: HayFrpService) -> None:
    """Plain text or JSON, shortened, in one line and without secrets."""
    alone.secrets.add(SECRET)
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    for body, words in (
        (f"disk  full:\n{SECRET}\n", " disk full: **"),
        ("x" * 250 + SECRET, f" {'x' * 250}**"),
        ("x" * 256, f" {'x' * 254}…"),
        ("x" * 990 + SECRET, f" {'x' * 254}…"),
        ("a\r\nERROR b\x1b[31m\x00", " a ERROR b[31m"),
        (" " * 300_000 + SECRET, ""),
        ("", ""),
    ):
        hayfrp.fault("/version", "status", status=507, body=body, headers=plain)
        with unavailable(Reason.SERVER_ERROR, f"HTTP 507{words}"):
            await alone.request("GET", "/version", read=False)


@pytest.mark.parametrize(
    "body, words",
    [
        ({"error": "获取节点失败"}, " 获取节点失败"),
        ({"message": "busy"}, " busy"),
        ({"code": 500, "msg": "busy", "data": None}, " busy"),
        ({"error": None, "message": "busy"}, " busy"),
        ({"error": {"code": 7}}, ""),
        ({"msg": 7}, " 7"),
        ({"error": f"{SECRET} of demo@example.com"}, " ** of **"),
        ({"error": "x" * 5000}, f" {'x' * 254}…"),
        ({}, ""),
        ([1], ""),
        (None, ""),
        ("no JSON", ""),
        ('{"error": "not whole', ""),
    ],
)
async def test_an_error_message_in_json(
    alone: Transport, hayfrp: HayFrpService, body: object, words: str
) -> None:
    alone.secrets.add(SECRET)
    hayfrp.fault("/version", "body", body=body, status=500)

    with unavailable(Reason.SERVER_ERROR, f"HTTP 500{words}"):
        await alone.request("GET", "/version", read=False)


async def test_an_html_page_is_not_an_error_message(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("/version", "html", status=500)

    with unavailable(Reason.SERVER_ERROR, "HTTP 500"):
        await alone.request("GET", "/version", read=False)


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**400, 1e19, float("inf"), float("nan")])
async def test_numbers_that_json_cannot_contain(
    alone: Transport, hayfrp: HayFrpService, number: float
) -> None:
    """Some encoders fail for them, others send null; neither must happen."""
    for body in ({"a": {"b": [1, number]}}, [number]):
        with pytest.raises(InvalidInputError) as caught:
            await alone.request("POST", "/user", read=False, json=cast("Any", body))
        assert caught.value.key == "number_too_large"

    assert not hayfrp.calls


async def test_a_body_that_is_too_large(alone: Transport, hayfrp: HayFrpService) -> None:
    """An edit sends back a row of the service, which may be large."""
    with unavailable(Reason.TOO_LARGE, "more than 1 MB"):
        await alone.request("POST", "/user", read=False, json={"a": "b" * 1024**2})

    assert not hayfrp.calls


async def test_text_is_encoded_as_utf_8(alone: Transport, hayfrp: HayFrpService) -> None:
    """Some encoders write six bytes for a Chinese character, and aiohttp warns about the size."""
    words = "隧" * 300_000

    await alone.request("POST", "/user", read=False, json={"type": "login", "words": words})

    assert hayfrp.calls[-1].get("words") == words


async def test_a_body_that_is_too_deep(alone: Transport, hayfrp: HayFrpService) -> None:
    """Home Assistant's encoder has a maximum depth, but the decoder does not."""
    deep: dict[str, object] = {}
    for _ in range(300):
        deep = {"a": deep}

    with unavailable(Reason.MALFORMED, "Recursion limit reached"):
        await alone.request("POST", "/user", read=False, json=deep)

    assert not hayfrp.calls


async def test_numbers_that_json_can_contain(alone: Transport, hayfrp: HayFrpService) -> None:
    largest: dict[str, object] = {"type": "login", "a": [2**63 - 1, -1.5, True, None, "inf", {}]}

    await alone.request("POST", "/user", read=False, json=largest)

    assert hayfrp.calls[-1].body == largest


async def test_statuses_below_500_are_answers(alone: Transport, hayfrp: HayFrpService) -> None:
    hayfrp.fault("/version", "body", body={"error": "no"}, status=404)

    answer = await read(alone)

    assert (answer.status, answer.mapping()) == (404, {"error": "no"})
    assert len(hayfrp.calls) == 1


WORDS = "联通宽带用户：请勿重复签到。"
"""The first characters in GBK look like UTF-8."""


@pytest.mark.parametrize(
    "body, charset, words",
    [
        (WORDS.encode(), None, WORDS),
        (WORDS.encode("utf-8-sig"), None, WORDS),
        (WORDS.encode("gbk"), None, WORDS),
        (WORDS.encode("gb18030"), "utf-8", WORDS),
        (WORDS.encode("gbk"), "GB2312", WORDS),
        ("联通".encode("gbk"), "gbk", "联通"),
        (WORDS.encode(), "gbk", WORDS),
        (WORDS.encode("utf-16"), None, WORDS),
        ("網路".encode("big5"), "Big5", "網路"),
        (WORDS.encode()[:-1], None, WORDS[:-1]),
        (b"\xff abc", None, "\ufffd abc"),
        (b"abc", "rot13", "abc"),
        (b"abc", "idna", "abc"),
        (b"abc", "no such charset", "abc"),
    ],
)
async def test_text_in_chinese_encodings(
    alone: Transport, hayfrp: HayFrpService, body: bytes, charset: str | None, words: str
) -> None:
    """By its own declaration, by the header, or guessed; nothing else is decoded."""
    kind = "text/plain" + (f"; charset={charset}" if charset else "")
    hayfrp.fault("/version", "status", status=200, body=body, headers={"Content-Type": kind})

    assert (await read(alone)).text() == words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
async def test_json_in_chinese_encodings(
    alone: Transport, hayfrp: HayFrpService, encoding: str
) -> None:
    body = json.dumps({"message": WORDS}, ensure_ascii=False).encode(encoding)
    hayfrp.fault("/version", "body", body=body)

    assert (await read(alone)).mapping() == {"message": WORDS}


async def test_large_json_after_a_byte_order_mark(alone: Transport, hayfrp: HayFrpService) -> None:
    row = {"message": "x" * 2 * 1024**2}
    hayfrp.fault("/version", "body", body=json.dumps(row).encode("utf-8-sig"))

    assert (await read(alone)).mapping() == row


async def test_a_web_page_after_a_byte_order_mark(alone: Transport, hayfrp: HayFrpService) -> None:
    hayfrp.fault("/version", "body", body="<html>".encode("utf-8-sig"))

    assert (await read(alone)).is_html


# Unusable answers


@pytest.mark.parametrize("status", [403, 468])
@pytest.mark.parametrize("ask", [read, write])
async def test_a_firewall_page_is_unavailable(
    alone: Transport,
    hayfrp: HayFrpService,
    ask: Callable[[Transport], Awaitable[Answer]],
    status: int,
) -> None:
    hayfrp.fault("*", "html", status=status, times=None)

    with unavailable(Reason.FIREWALL, f"HTTP {status}"):
        await ask(alone)


async def test_an_html_page_with_an_error_status_is_not_json(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("/version", "html", status=200)

    answer = await read(alone)

    assert answer.is_html
    with unavailable(Reason.FIREWALL, "HTTP 200"):
        answer.json()


@pytest.mark.parametrize(
    "content_type, body, is_html",
    [
        ("text/html", b"", True),
        ("text/html", b"Forbidden", True),
        ("text/html", b'{"status": 200}', False),
        ("text/html", b"\n[1]", False),
        ("application/json", b" \n<html>", True),
        ("text/plain", b"<p>", True),
        ("text/plain", b"words", False),
    ],
)
def test_html_is_detected_by_its_content(content_type: str, body: bytes, is_html: bool) -> None:
    """PHP, the language of the services, declares HTML for all answers by default."""
    assert Answer(200, content_type, body).is_html is is_html


def test_answers_are_not_in_repr() -> None:
    answer = Answer(200, "application/json", b'{"token":"open sesame"}')

    assert answer.json() == {"token": "open sesame"}

    assert "open sesame" not in repr(answer)


async def test_a_refusal_in_json_is_not_a_firewall(alone: Transport, hayfrp: HayFrpService) -> None:
    hayfrp.fault("/version", "body", body={"status": 403}, status=403)

    assert (await read(alone)).mapping() == {"status": 403}


@pytest.mark.parametrize("fault", ["cut", "empty"])
async def test_incomplete_answers_are_malformed(
    alone: Transport, hayfrp: HayFrpService, fault: str
) -> None:
    hayfrp.fault("/version", fault)

    answer = await read(alone)

    with unavailable(Reason.MALFORMED, "no JSON"):
        answer.json()


@pytest.mark.parametrize("shape", ["list", "number", "string", "null"])
async def test_json_of_a_wrong_type_is_malformed(
    alone: Transport, hayfrp: HayFrpService, shape: str
) -> None:
    hayfrp.fault("/version", "wrong_type", shape=shape)

    answer = await read(alone)

    assert not isinstance(answer.json(), dict)
    with unavailable(Reason.MALFORMED, "no JSON object"):
        answer.mapping()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    alone: Transport, hayfrp: HayFrpService, status: int
) -> None:
    hayfrp.fault("/user", "redirect", status=status, location="/version", times=None)

    with unavailable(Reason.REDIRECT, f"HTTP {status}"):
        await write(alone)

    assert [call.path for call in hayfrp.calls] == ["/user"]


# Limits of size and time


async def test_the_largest_allowed_answer(alone: Transport, hayfrp: HayFrpService) -> None:
    hayfrp.fault("/version", "body", body=b"x" * 1000)
    hayfrp.fault("/version", "body", body=b"x" * 1001, times=None)

    answer = await alone.request("GET", "/version", read=True, max_bytes=1000)
    assert len(answer.body) == 1000

    with unavailable(Reason.TOO_LARGE, "more than 0 MB"):
        await alone.request("GET", "/version", read=True, max_bytes=1000)


def numbers(number: int) -> bytes:
    """Return a large answer."""
    return json.dumps({"numbers": [number] * http.LARGE_ANSWER}).encode()


async def test_a_repeated_large_answer_is_decoded_once(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    """The same bytes result in the same objects, which makes comparisons fast."""
    for number in (1, 1, 1, 2, 2, 1):
        hayfrp.fault("/version", "body", body=numbers(number))
    first, second, third, changed, again, back = [(await read(alone)).mapping() for _ in range(6)]

    assert third is second == first
    assert again is changed
    assert changed["numbers"] == [2] * http.LARGE_ANSWER
    assert back == first


def kept() -> int:
    """Return how many large answers are still in memory."""
    gc.collect()
    answers = (thing for thing in gc.get_objects() if isinstance(thing, Answer))
    return sum(len(answer.body) >= http.LARGE_ANSWER for answer in answers)


@pytest.mark.parametrize(
    "pauses, number",
    [
        pytest.param([0], 0, id="once"),
        pytest.param([0, 1], 1, id="polled"),
        pytest.param([0, http.REPEATED_WITHIN], 0, id="seldom"),
    ],
)
async def test_only_answers_that_are_polled_are_kept(
    alone: Transport, hayfrp: HayFrpService, clock: Clock, pauses: list[float], number: int
) -> None:
    """An answer to an action can be as large as all polled answers together."""
    hayfrp.fault("/version", "body", body=numbers(1), times=None)
    for pause in pauses:
        clock.time += pause
        await read(alone)

    assert kept() == number


async def test_an_answer_that_is_no_longer_polled_is_released(
    alone: Transport, hayfrp: HayFrpService, clock: Clock
) -> None:
    hayfrp.fault("/version", "body", body=numbers(1), times=2)
    for _ in range(2):
        await read(alone)
    assert kept() == 1

    clock.time += http.REPEATED_WITHIN
    await read(alone)

    assert kept() == 0


async def test_the_number_of_values_is_limited(alone: Transport, hayfrp: HayFrpService) -> None:
    """In any structure; decoding more would block the event loop."""
    most = [0] * http.MAX_VALUES
    hayfrp.fault("/version", "body", body=orjson.dumps(most))
    assert (await read(alone)).json() == most

    values: object
    for values in ([*most, 0], [[]] * http.MAX_VALUES, {"a": [{}] * http.MAX_VALUES}):
        hayfrp.fault("/version", "body", body=orjson.dumps(values))
        answer = await read(alone)
        with unavailable(Reason.TOO_LARGE, "more than 100000 values"):
            answer.json()


async def test_the_size_of_json_is_limited(alone: Transport, hayfrp: HayFrpService) -> None:
    """Larger answers, such as backups, are not JSON."""
    hayfrp.fault("/version", "body", body=b'["' + b"x" * http.MAX_JSON_BYTES)

    answer = await alone.request("GET", "/version", read=True, max_bytes=2 * http.MAX_JSON_BYTES)

    with unavailable(Reason.TOO_LARGE, "more than 12 MB"):
        answer.json()


async def test_a_large_answer_that_is_not_decoded_is_not_kept(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    """Such as a backup, which may be larger than all kept answers."""
    hayfrp.fault("/version", "body", times=None, body="x" * 2 * http.LARGE_ANSWER)

    first = await read(alone)

    assert len(first.body) == 2 * http.LARGE_ANSWER
    assert await read(alone) is not first
    assert await read(alone) is not first


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("is_session", [True, False])
async def test_no_request_after_close(
    alone: Transport,
    session: ClientSession,
    hayfrp: HayFrpService,
    *,
    is_read: bool,
    is_session: bool,
) -> None:
    """As if the entry is unloaded, or Home Assistant stops, during a command."""
    if is_session:
        await session.close()
    else:
        alone.close()

    with unavailable(Reason.CLOSED):
        await alone.request("GET", "/version", read=is_read)

    assert not hayfrp.calls
    assert not alone.requests


async def test_a_small_answer_is_not_kept(alone: Transport) -> None:
    first, again = [(await read(alone)).mapping() for _ in range(2)]

    assert again == first
    assert again is not first


@pytest.mark.parametrize("fault", ["huge", "gzip_bomb"])
async def test_an_endless_answer_is_aborted(
    alone: Transport, hayfrp: HayFrpService, fault: str
) -> None:
    """Compressed or not, with and without an announced length."""
    hayfrp.fault("/user", fault, megabytes=MAX_BYTES // 1024**2 + 4)

    with unavailable(Reason.TOO_LARGE, "more than 8 MB"):
        await write(alone)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(
    "fault, options", [("hang", {}), ("drip", {"seconds": 0.02})], ids=["hang", "drip"]
)
async def test_a_slow_answer_is_aborted(
    alone: Transport, hayfrp: HayFrpService, fault: str, options: Mapping[str, Any]
) -> None:
    hayfrp.fault("*", fault, times=None, **options)

    with unavailable(Reason.TIMEOUT):
        await write(alone)
    assert len(hayfrp.calls) == 1

    with unavailable(Reason.TIMEOUT):
        await read(alone)
    assert len(hayfrp.calls) == 3


async def test_the_number_of_parallel_requests_is_limited(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("*", "hang", times=None)
    requests = [asyncio.create_task(read(alone)) for _ in range(6)]

    await until(lambda: len(hayfrp.calls) == 4)
    await run_pending()
    assert len(hayfrp.calls) == 4

    requests[0].cancel()
    await until(lambda: len(hayfrp.calls) == 5)
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)


# Retries


async def test_a_read_is_retried_after_a_random_pause(
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    alone: Transport,
    hayfrp: HayFrpService,
) -> None:
    chance = SimpleNamespace(uniform=lambda low, high: low + 0.75 * (high - low))
    monkeypatch.setattr(http, "random", chance)
    hayfrp.fault("/version", "status", status=502)

    request = asyncio.create_task(read(alone))
    await until(lambda: len(hayfrp.calls) == 1)
    await run_pending()
    freezer.tick(1.2)
    await run_pending()
    assert len(hayfrp.calls) == 1

    freezer.tick(0.1)
    assert (await request).status == 200
    assert len(hayfrp.calls) == 2


async def test_a_read_is_retried_once(alone: Transport, hayfrp: HayFrpService) -> None:
    hayfrp.fault("/version", "status", status=500, times=None)

    with unavailable(Reason.SERVER_ERROR, "HTTP 500"):
        await read(alone)

    assert len(hayfrp.calls) == alone.requests == 2


class Failure(NamedTuple):
    """A fault, and the reason of its error."""

    reason: Reason
    fault: str
    options: Mapping[str, Any] = {}

    def apply(self, service: HayFrpService) -> None:
        """Apply the fault to all later requests."""
        service.fault("*", self.fault, times=None, **self.options)


FAILURES = [
    Failure(Reason.SERVER_ERROR, "status", {"status": 500}),
    Failure(Reason.SERVER_ERROR, "status", {"status": 520}),
    Failure(Reason.CONNECTION, "reset"),
    Failure(Reason.FIREWALL, "html"),
    Failure(Reason.REDIRECT, "redirect"),
    Failure(Reason.TIMEOUT, "hang"),
]


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_a_write_is_never_repeated(
    transport: Transport,
    hayfrp: HayFrpService,
    mirror: HayFrpService,
    failure: Failure,
) -> None:
    """Not even at another host, because the first one may have done it."""
    failure.apply(hayfrp)

    with pytest.raises(UnavailableError) as caught:
        await write(transport)

    assert caught.value.reason is failure.reason
    assert len(hayfrp.calls) == 1
    assert mirror.calls == []


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.reason)
async def test_a_read_is_repeated_at_the_next_host(
    transport: Transport,
    hayfrp: HayFrpService,
    mirror: HayFrpService,
    failure: Failure,
) -> None:
    failure.apply(hayfrp)

    assert (await read(transport)).status == 200
    assert len(mirror.calls) == 1

    failure.apply(mirror)
    with pytest.raises(UnavailableError) as caught:
        await read(transport)
    assert caught.value.reason is failure.reason


# Several hosts


async def test_a_write_is_repeated_if_no_connection_was_made(
    transport: Transport, hayfrp: HayFrpService, mirror: HayFrpService
) -> None:
    """It goes to the next host, if there is one."""
    await hayfrp.stop()

    assert (await write(transport)).mapping()["status"] == 200
    assert len(mirror.calls_to("/user", type="login")) == 1

    await mirror.stop()
    await run_pending()
    before = transport.requests
    with unavailable(Reason.CONNECTION):
        await write(transport)
    assert transport.requests == before + 2, "each host once"
    with unavailable(Reason.CONNECTION):
        await read(transport)
    assert len(mirror.calls) == 1


@pytest.mark.usefixtures("short_timeouts")
async def test_a_failed_connection_has_sent_nothing(
    session: ClientSession, hayfrp: HayFrpService
) -> None:
    with unresponsive_host() as nowhere:
        answer = await write(Transport(session, (nowhere, hayfrp.url), headers={"waf": "off"}))
        with unavailable(Reason.TIMEOUT):
            await write(Transport(session, (nowhere,)))

    assert answer.mapping()["status"] == 200
    assert len(hayfrp.calls) == 1


async def test_the_second_host_is_used_for_five_minutes(
    transport: Transport, hayfrp: HayFrpService, mirror: HayFrpService, clock: Clock
) -> None:
    await hayfrp.stop()
    await read(transport)
    await hayfrp.start()

    await read(transport)
    clock.time += 299
    await read(transport)
    assert (len(hayfrp.calls), len(mirror.calls)) == (0, 3)

    clock.time += 1
    await read(transport)
    await read(transport)
    assert (len(hayfrp.calls), len(mirror.calls)) == (2, 3)


async def test_an_unavailable_host_is_tried_every_five_minutes(
    transport: Transport, hayfrp: HayFrpService, mirror: HayFrpService, clock: Clock
) -> None:
    await hayfrp.stop()
    for _ in range(3):
        await read(transport)
        await read(transport)
        clock.time += 300

    assert len(mirror.calls) == 6
    assert transport.requests == 9, "each time the first host was tried once"


async def test_a_failing_second_host_is_replaced_immediately(
    transport: Transport, hayfrp: HayFrpService, mirror: HayFrpService
) -> None:
    await hayfrp.stop()
    await read(transport)
    await hayfrp.start()
    await mirror.stop()

    await read(transport)
    await read(transport)

    assert len(hayfrp.calls) == 2
    assert transport.requests == 5, "the second host was tried once more"


async def test_all_hosts_are_the_same_service(
    session: ClientSession, hayfrp: HayFrpService
) -> None:
    """A login at one host is valid at another."""
    first = hayfrp.url.removeprefix("http://")
    hayfrp.fault("/user", "status", match={"type": "info", "Host": first}, times=None)
    transport = Transport(session, (hayfrp.url, hayfrp.mirror_url), headers={"waf": "off"})

    csrf = (await write(transport)).mapping()["token"]
    answer = await transport.request(
        "POST", "/user", json={"type": "info", "csrf": csrf}, read=True
    )

    assert answer.mapping()["username"] == "demo"
    assert [call.headers["Host"] == first for call in hayfrp.calls] == [True, True, False]


# Retry-After


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.usefixtures("freezer")
@pytest.mark.parametrize(
    "value, pause",
    [
        (lambda: "30", 30),
        (lambda: " 30 ", 30),
        (lambda: "0", 1),
        (lambda: "86400", 3600),
        (lambda: "9" * 400, 3600),
        (lambda: _http_date(45), 45),
        (lambda: _http_date(-45), 1),
        (lambda: _http_date(86400), 3600),
        (lambda: "Fri, 31 Dec 9999 23:59:59 -0100", 3600),
        (lambda: "Tue, 20 Oct 2026 04:00:30", 60),
        (lambda: "Mon, 99 Foo 2026 99:99:99 GMT", 60),
        (lambda: "soon", 60),
        (lambda: "-5", 60),
        (lambda: "", 60),
        (None, 60),
    ],
)
async def test_retry_after(
    alone: Transport, hayfrp: HayFrpService, value: Callable[[], str] | None, pause: float
) -> None:
    headers = {"Retry-After": value()} if value else {}
    hayfrp.fault("/version", "status", status=429, headers=headers)

    with pytest.raises(UnavailableError) as caught:
        await read(alone)

    assert (caught.value.reason, caught.value.retry_after) == (Reason.RATE_LIMITED, pause)


@pytest.mark.usefixtures("freezer")
@pytest.mark.parametrize(
    "date, pause",
    [
        (lambda: _http_date(-600), 630),
        (lambda: _http_date(10), 20),
        (lambda: _http_date(600), 1),
        (lambda: format_datetime(datetime.now(UTC).replace(tzinfo=None)), 30),
        (lambda: "now", 30),
        (lambda: "", 30),
    ],
)
async def test_retry_after_uses_the_clock_of_the_service(
    alone: Transport, hayfrp: HayFrpService, date: Callable[[], str], pause: float
) -> None:
    """Its dates are compared with each other, or with our clock if it sends only one."""
    headers = {"Date": date(), "Retry-After": _http_date(30)}
    hayfrp.fault("/version", "status", status=429, headers=headers)

    with pytest.raises(UnavailableError) as caught:
        await read(alone)

    assert caught.value.retry_after == pause


@pytest.mark.parametrize("status", [429, 503])
async def test_no_request_during_the_pause(
    transport: Transport,
    hayfrp: HayFrpService,
    mirror: HayFrpService,
    clock: Clock,
    status: int,
) -> None:
    hayfrp.fault("/version", "status", status=status, headers={"Retry-After": "30"})
    with pytest.raises(UnavailableError) as caught:
        await read(transport)
    assert caught.value.retry_after == 30
    assert (caught.value.reason is Reason.RATE_LIMITED) is (status == 429)

    clock.time += 29
    for ask in (read, write):
        with unavailable(Reason.RATE_LIMITED, retry_after=1):
            await ask(transport)
    assert (len(hayfrp.calls), mirror.calls) == (1, [])

    clock.time += 1
    assert (await read(transport)).status == 200
    assert (await write(transport)).status == 200


async def test_an_error_without_retry_after_causes_no_pause(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("/user", "status", status=503)

    with unavailable(Reason.SERVER_ERROR, "HTTP 503"):
        await write(alone)

    assert (await write(alone)).status == 200


# Secrets


@pytest.mark.parametrize(
    "words, shown",
    [
        (f"your token {SECRET} is bad", "your token ** is bad"),
        (" a\r\n b\tc ", "a b c"),
        ("a" * 100_000, "a" * 254 + "…"),
        ("a" * 255, "a" * 255),
        ("a" * 995 + SECRET, "a" * 254 + "…"),
        ("demo.user@example.com " * 50, "** " * 45 + "**"),
        (7, "7"),
        (None, ""),
        ({"a": SECRET}, ""),
        (f"{SECRET} " * 80 + SECRET[:8], "** " * 80 + SECRET[:8]),
        (f"{SECRET} " * 100, "** " * 84),
    ],
    ids=range(11),
)
async def test_messages_are_one_short_line_without_secrets(
    alone: Transport, words: object, shown: str
) -> None:
    """The last one is cut off in the middle of a secret."""
    alone.secrets.add(SECRET)

    assert alone.redact(words) == shown.strip()


async def test_sent_and_received_secrets_are_redacted(
    alone: Transport, hayfrp: HayFrpService
) -> None:
    hayfrp.fault("/version", "body", body={"a": [{"node_token": "token-of-node"}]})
    hayfrp.fault("/version", "body", body={"token": "token-of-many", "b": ["x" * 20_000] * 2})
    await read(alone)
    await read(alone)
    await alone.request("POST", "/version", read=False, form={"passwd": "sent-in-form"})
    await alone.request("POST", "/version", read=False, json={"csrf": "sent-in-json"})
    await alone.request("GET", "/version", read=False, params={"password": "sent-in-query"})

    words = "token-of-node token-of-many sent-in-form sent-in-json sent-in-query"
    assert alone.redact(words) == "** ** ** ** **"


async def test_transports_can_share_secrets(
    alone: Transport, session: ClientSession, hayfrp: HayFrpService
) -> None:
    other = Transport(session, (hayfrp.url,), secrets=alone.secrets)
    alone.secrets.add(SECRET)

    assert other.redact(SECRET) == "**"


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(
    "fault, options",
    [
        ("status", {"status": 500, "body": SECRET}),
        ("status", {"status": 429, "headers": {"Retry-After": SECRET}}),
        ("reset", {}),
        ("html", {}),
        ("redirect", {"location": f"/login?token={SECRET}"}),
        ("hang", {}),
        ("huge", {"megabytes": 9}),
        ("body", {"body": SECRET}),
        ("body", {"body": f'["{SECRET}"]'}),
        ("body", {"body": f"<p>{SECRET}</p>"}),
        ("body", {"body": {"token": SECRET}}),
    ],
)
async def test_no_secrets_in_logs_and_errors(
    alone: Transport,
    hayfrp: HayFrpService,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    options: Mapping[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    hayfrp.fault("/user", fault, times=None, **options)

    said = await _traceback_with_secrets(alone)

    assert SECRET not in said
    assert SECRET not in caplog.text
    assert SECRET in str(hayfrp.calls[0])


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
async def test_invalid_http_is_a_failed_connection(
    session: ClientSession, caplog: pytest.LogCaptureFixture, words: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    async with server_of(words) as url:
        said = await _traceback_with_secrets(Transport(session, (url,)))

    assert "UnavailableError: connection" in said
    assert SECRET not in said
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://", "nowhere", "ftp://127.0.0.1"])
async def test_an_invalid_url_cannot_be_reached(session: ClientSession, url: str) -> None:
    said = await _traceback_with_secrets(Transport(session, (url,)))

    assert "UnavailableError: connection" in said
    assert SECRET not in said


async def _traceback_with_secrets(transport: Transport) -> str:
    """Send secrets in all parts of a request; return the traceback of the error."""
    try:
        answer = await transport.request("POST", "/user", read=True, **SECRETS)
        answer.mapping()
    except UnavailableError as err:
        return "".join(traceback.format_exception(err)) + repr(err)
    return ""


async def test_debug_logging(
    alone: Transport, hayfrp: HayFrpService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hayfrp.fault("/version", "body", body=b"12345")

    await read(alone)

    lines = [record.getMessage() for record in caplog.records if record.name == http.__name__]
    assert lines == ["GET /version: HTTP 200, 5 bytes in 0.000 s"]
