"""Tests the base class of simulated services: recorded calls, faults, clock, control routes."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
import errno
import gzip
import socket
import time
from typing import Any, ClassVar, override

import aiohttp
from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulator import Answer, Call, Options, RefusedError, Route, RouteTable, Service, Simulator
from simulator.chmlfrp import ChmlFrpService
from simulator.gates import Moment
from simulator.hayfrp import HayFrpService

from .conftest import NOON, Client

MEGABYTE = 1024 * 1024


@dataclass
class Shelf:
    """The state of a service unlike the others: REST, plain-text errors, no kinds."""

    books: dict[str, str]


class Library(Service[Shelf]):
    """A minimal service."""

    NAME = "library"
    ROUTES: ClassVar = RouteTable()
    credentials: ClassVar = {"token": "card"}

    @override
    def new_state(self) -> Shelf:
        return Shelf({"a/b": "Alpha"})

    @ROUTES.on("GET", "/books/{title}")
    def read(self, call: Call) -> Answer:
        """Return a book."""
        title = call.params["title"]
        if title not in self.state.books:
            raise RefusedError(web.Response(status=404, text="no such book"))
        return {"text": self.state.books[title]}


async def test_minimal_service() -> None:
    library = Library(Options(tunnels=0, nodes=0, latency=0.0, clock=lambda: NOON, seed=1))
    await library.start()
    try:
        async with aiohttp.ClientSession() as session:
            client = Client(session, library.url)
            assert await client.get("/books/a%2Fb") == {"text": "Alpha"}
            for path, text in (("/books/c", "no such book"), ("/films", "404 Not Found")):
                async with session.get(library.url + path) as response:
                    assert (response.status, await response.text()) == (404, text)
            library.fault("/books/{title}", "error")
            async with session.get(f"{library.url}/books/c") as response:
                assert response.status == 500
    finally:
        await library.stop()
    assert [call.route for call in library.calls_to("/books/{title}", title="c")] == [
        Route("GET", "/books/{title}"),
        Route("GET", "/books/{title}"),
    ]


async def test_call_is_recorded_as_received(hayfrp: HayFrpService, demo: Client) -> None:
    await demo.ask("/proxy", "check", id="1")
    await demo.get("/nodes?page=2")

    login, check, nodes = hayfrp.calls
    assert login.route == Route("POST", "/user", "login")
    assert (check.method, check.path, check.status, check.at) == ("POST", "/proxy", 200, NOON)
    assert check.body == {"type": "check", "csrf": demo.csrf, "id": "1"}
    assert check.headers["WAF"] == "off"
    assert nodes.query == {"page": "2"}
    assert hayfrp.calls_to("/proxy", type="check", id=1) == [check]
    assert hayfrp.calls_to("/nodes", page=2, waf="off") == [nodes]
    assert hayfrp.calls_to("/proxy", type="list") == []


async def test_form_is_recorded_as_its_fields(hayfrp: HayFrpService, client: Client) -> None:
    await client.session.post(f"{client.url}/proxy", data={"type": "check", "id": "1"})

    assert hayfrp.calls[0].body == {"type": "check", "id": "1"}
    assert hayfrp.calls[0].route == Route("POST", "/proxy", "check")


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff"])
async def test_invalid_body_has_no_kind(hayfrp: HayFrpService, client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.session.post(f"{client.url}/user", data=body, headers=headers) as response:
        assert await response.json() == {"status": 404, "message": "无用户类型."}
    assert hayfrp.calls[0].route is None


async def test_unknown_path_is_recorded_without_route(
    hayfrp: HayFrpService, client: Client
) -> None:
    async with client.session.get(f"{client.url}/login") as response:
        assert response.status == 404
    assert [(call.path, call.route) for call in hayfrp.calls] == [("/login", None)]


async def test_fault_only_applies_to_matching_calls(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.fault("/proxy", "body", match={"type": "check"}, after=1, times=2, body={"bad": True})

    await demo.ask("/proxy", "list")
    answers = [await demo.ask("/proxy", "check", id="1") for _ in range(4)]

    assert ["bad" in answer for answer in answers] == [False, True, True, False]


async def test_faults_apply_in_order_and_can_be_cleared(
    hayfrp: HayFrpService, client: Client
) -> None:
    hayfrp.fault("/nodes", "body", body=1)
    hayfrp.fault("*", "body", times=None, body=2)

    assert [await client.get("/nodes") for _ in range(4)] == [1, 2, 2, 2]
    hayfrp.clear_faults()
    assert (await client.get("/nodes"))["status"] == 200


async def test_fault_for_one_of_two_hosts(hayfrp: HayFrpService, client: Client) -> None:
    host = hayfrp.url.removeprefix("http://")
    hayfrp.fault("*", "status", match={"Host": host}, times=None, status=502)
    mirror = Client(client.session, hayfrp.mirror_url)

    async with client.session.get(f"{client.url}/version") as response:
        assert response.status == 502
    assert "ver_frpc" in await mirror.get("/version")


@pytest.mark.parametrize(
    "kind, options",
    [("explode", {}), ("html", {"state": 403}), ("body", {}), ("delay", {})],
)
async def test_invalid_fault_is_refused(
    hayfrp: HayFrpService, kind: str, options: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, TypeError)):
        hayfrp.fault("/nodes", kind, **options)
    assert hayfrp.faults == []


@pytest.mark.parametrize(
    "kind, options, status, content_type, body",
    [
        ("status", {"status": 429, "body": "slow"}, 429, "application/octet-stream", b"slow"),
        ("body", {"body": {"a": "中"}}, 200, "application/json", '{"a": "中"}'.encode()),
        ("body", {"body": b"\x00", "status": 500}, 500, "application/json", b"\x00"),
        ("error", {}, 200, "application/json", '"message": "服务器异常,请稍后重试."'.encode()),
        ("html", {}, 403, "text/html", b"<html>"),
        ("html", {"status": 502}, 502, "text/html", b"<html>"),
        ("empty", {}, 200, "application/octet-stream", b""),
        ("wrong_type", {}, 200, "application/json", b"[1, 2]"),
        ("wrong_type", {"shape": "number"}, 200, "application/json", b"7"),
        ("wrong_type", {"shape": "string"}, 200, "application/json", b'"oops"'),
        ("wrong_type", {"shape": "null"}, 200, "application/json", b"null"),
        ("redirect", {}, 302, "application/octet-stream", b""),
    ],
)
async def test_fault_that_replaces_the_answer(
    hayfrp: HayFrpService,
    demo: Client,
    *,
    kind: str,
    options: dict[str, Any],
    status: int,
    content_type: str,
    body: bytes,
) -> None:
    hayfrp.fault("/proxy", kind, **options)

    json = {"type": "remove", "csrf": demo.csrf, "id": "1"}
    async with demo.session.post(f"{demo.url}/proxy", json=json, allow_redirects=False) as response:
        assert (response.status, response.content_type) == (status, content_type)
        read = await response.read()
        assert body in read
        assert bool(read) == bool(body)
    assert "1" in hayfrp.state.tunnels, "the service was not called"
    assert hayfrp.calls[-1].status == status


async def test_fault_with_headers(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/nodes", "status", status=429, headers={"Retry-After": "30"})
    hayfrp.fault("/nodes", "redirect", location="https://login.example.com/")

    async with client.session.get(f"{client.url}/nodes") as response:
        assert response.headers["Retry-After"] == "30"
    async with client.session.get(f"{client.url}/nodes", allow_redirects=False) as response:
        assert response.headers["Location"] == "https://login.example.com/"


async def test_patch_changes_the_genuine_answer(hayfrp: HayFrpService, client: Client) -> None:
    genuine = await client.get("/nodes")
    hayfrp.fault(
        "/nodes",
        "patch",
        patch={"servers.*.name": 5, "servers.0.id": None, "extra": []},
        remove=["number", "servers.1.description"],
    )

    spoiled = await client.get("/nodes")

    assert {row["name"] for row in spoiled["servers"]} == {5}
    assert spoiled["servers"][0]["id"] is None
    assert spoiled["servers"][1] == {"id": genuine["servers"][1]["id"], "name": 5}
    assert spoiled["extra"] == []
    assert "number" not in spoiled
    assert await client.get("/nodes") == genuine


@pytest.mark.parametrize(
    "to, row",
    [
        ("absent", {"id": "1"}),
        ("null", {"id": "1", "name": None}),
        ("object", {"id": "1", "name": {"not": ["what", "was", "expected"]}}),
        ("huge", {"id": "1"}),
    ],
)
async def test_damage_changes_every_value_except_kept_ones(
    hayfrp: HayFrpService, client: Client, to: str, row: dict[str, Any]
) -> None:
    genuine = await client.get("/nodes")
    hayfrp.fault("/nodes", "damage", to=to, keep=["id", "status"])

    spoiled = await client.get("/nodes")

    assert spoiled["status"] == 200
    assert spoiled["servers"][0].items() >= row.items()
    assert len(spoiled["servers"]) == len(genuine["servers"])
    if to == "huge":
        assert spoiled["number"] == 1e300
        assert spoiled["servers"] == genuine["servers"]
    else:
        assert spoiled.get("message") == spoiled["servers"][0].get("name")


async def test_double_duplicates_list_items(hayfrp: HayFrpService, client: Client) -> None:
    genuine = await client.get("/nodes")
    hayfrp.fault("/nodes", "double")

    spoiled = await client.get("/nodes")

    assert spoiled == {**genuine, "servers": 2 * genuine["servers"]}


async def test_answers_without_json_are_not_damaged(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/notice", "double")
    async with client.session.get(f"{client.url}/notice") as response:
        assert await response.text() == hayfrp.state.notice


@pytest.mark.parametrize(
    "kind, options",
    [("cut", {"keep": 0.3}), ("drip", {"seconds": 0, "size": 10}), ("delay", {"seconds": 0})],
)
async def test_fault_that_damages_the_genuine_answer(
    hayfrp: HayFrpService, demo: Client, kind: str, options: dict[str, Any]
) -> None:
    hayfrp.fault("/proxy", kind, **options)

    json = {"type": "toggle", "csrf": demo.csrf, "id": "1", "toggle": "false"}
    async with demo.session.post(f"{demo.url}/proxy", json=json) as response:
        body = await response.read()

    whole = '{"status": 200, "message": "隧道状态已成功修改为 禁用."}'.encode()
    assert body == (whole[: int(len(whole) * 0.3)] if kind == "cut" else whole)
    assert not hayfrp.state.tunnels["1"].enabled, "the service handled the call"


async def test_reset_breaks_the_connection(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/user", "reset")

    with pytest.raises(aiohttp.ClientOSError) as raised:
        await client.ask("/user", "login")

    assert raised.value.errno == errno.ECONNRESET
    assert hayfrp.calls[0].status is None


async def test_lost_breaks_the_connection_after_handling(
    hayfrp: HayFrpService, demo: Client
) -> None:
    hayfrp.fault("/proxy", "lost")

    with pytest.raises(aiohttp.ClientOSError) as raised:
        await demo.ask("/proxy", "toggle", id="1", toggle="false")

    assert raised.value.errno == errno.ECONNRESET
    assert not hayfrp.state.tunnels["1"].enabled
    assert hayfrp.calls[-1].status is None


async def test_hang_lasts_until_client_gives_up(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/nodes", "hang")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.get("/nodes")

    assert hayfrp.calls[0].status is None
    assert (await client.get("/nodes"))["status"] == 200


async def test_stop_does_not_wait_for_hanging_calls(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/nodes", "hang")
    waiting = asyncio.create_task(client.get("/nodes"))
    assert await asyncio.wait([waiting], timeout=0.05) == (set(), {waiting})
    assert hayfrp.calls_to("/nodes")

    async with asyncio.timeout(2):
        await hayfrp.stop()

    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_huge_has_no_length(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.fault("/nodes", "huge", megabytes=3)

    async with client.session.get(f"{client.url}/nodes") as response:
        assert response.content_length is None
        assert len(await response.json()) == 2
        assert len(await response.read()) > 3 * MEGABYTE


async def test_gzip_bomb_is_small_before_decompression(hayfrp: HayFrpService) -> None:
    hayfrp.fault("/nodes", "gzip_bomb", megabytes=3)

    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(f"{hayfrp.url}/nodes") as response,
    ):
        packed = await response.read()
        assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < MEGABYTE / 10
    assert len(gzip.decompress(packed)) > 3 * MEGABYTE


@pytest.mark.parametrize("moment, enabled", [("before", True), ("after", False)])
async def test_gate_holds_calls(
    hayfrp: HayFrpService, demo: Client, moment: Moment, enabled: bool
) -> None:
    gate = hayfrp.gate("/proxy", moment, match={"id": "1"})
    toggles = [
        asyncio.create_task(demo.ask("/proxy", "toggle", id=id_, toggle="false"))
        for id_ in ("1", "1", "2")
    ]

    await toggles[2]
    await gate.reached(2)
    assert hayfrp.state.tunnels["1"].enabled is enabled
    gate.let_through()
    await asyncio.wait(toggles[:2], return_when=asyncio.FIRST_COMPLETED)
    assert gate.waiting == 1
    assert sum(toggle.done() for toggle in toggles[:2]) == 1
    gate.open()

    assert [answer["status"] for answer in await asyncio.gather(*toggles)] == [200, 200, 200]
    assert not hayfrp.state.tunnels["1"].enabled
    await demo.ask("/proxy", "toggle", id="1", toggle="true")
    assert hayfrp.state.tunnels["1"].enabled, "an open gate holds no request"


async def test_gate_holds_limited_number_of_calls(hayfrp: HayFrpService, client: Client) -> None:
    gate = hayfrp.gate("/nodes", times=1, after=1)
    assert (await client.get("/nodes"))["status"] == 200
    first = asyncio.create_task(client.get("/nodes"))
    await gate.reached()

    assert (await client.get("/nodes"))["status"] == 200

    assert gate.waiting == 1
    hayfrp.clear_faults()
    assert (await first)["status"] == 200
    assert gate.waiting == 0


async def test_held_call_can_be_damaged(hayfrp: HayFrpService, demo: Client) -> None:
    gate = hayfrp.gate("/proxy")
    toggle = asyncio.create_task(demo.ask("/proxy", "toggle", id="1", toggle="false"))
    await gate.reached()
    hayfrp.fault("/proxy", "reset")

    gate.open()

    with pytest.raises(aiohttp.ClientOSError):
        await toggle
    assert hayfrp.state.tunnels["1"].enabled


async def test_call_abandoned_at_a_gate_is_not_handled(hayfrp: HayFrpService, demo: Client) -> None:
    gate = hayfrp.gate("/proxy")
    toggle = asyncio.create_task(demo.ask("/proxy", "toggle", id="1", toggle="false"))
    await gate.reached()

    toggle.cancel()

    for _ in range(1000):
        await asyncio.sleep(0)
    assert gate.waiting == 0
    gate.open()
    await demo.ask("/proxy", "list")
    assert hayfrp.state.tunnels["1"].enabled


async def test_latency_delays_every_answer(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.latency = 0.05
    start = time.monotonic()

    await client.get("/version")

    assert time.monotonic() - start >= 0.05


async def test_state_survives_an_outage(hayfrp: HayFrpService, demo: Client) -> None:
    addresses = hayfrp.url, hayfrp.mirror_url
    await hayfrp.stop()
    for address in addresses:
        with pytest.raises(aiohttp.ClientConnectorError):
            await demo.session.get(f"{address}/version")

    await hayfrp.start()

    assert (hayfrp.url, hayfrp.mirror_url) == addresses
    assert (await demo.ask("/user", "csrf"))["status"] == 200


async def test_clock_stops_with_frozen_time(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-11-20T04:00:00Z")
    async with Simulator() as simulator:
        assert simulator.get(HayFrpService).now() == NOON
        simulator.advance(90)
        assert simulator.get(HayFrpService).now() == NOON + 90


async def test_same_seed_makes_the_same_world(hayfrp: HayFrpService) -> None:
    def world(seed: int) -> HayFrpService:
        return Simulator(clock=lambda: NOON, seed=seed).get(HayFrpService)

    assert world(1).state == hayfrp.state
    assert world(2).state != hayfrp.state


def neighbouring_ports() -> int:
    """Return a free port whose next one is free too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


async def test_ports_ascend_from_base() -> None:
    base = neighbouring_ports()
    async with Simulator(["hayfrp", "chmlfrp"], port_base=base) as simulator:
        assert simulator.get(HayFrpService).url == f"http://127.0.0.1:{base}"
        assert simulator.get(ChmlFrpService).url == f"http://127.0.0.1:{base + 1}"


async def test_busy_port_leaves_no_other_open() -> None:
    base = neighbouring_ports()
    simulator = Simulator(["hayfrp", "chmlfrp"], port_base=base)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await simulator.__aenter__()
    with pytest.raises(aiohttp.ClientConnectorError):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{simulator.get(HayFrpService).url}/_control/state"),
        ):
            pass


async def test_state_over_http(hayfrp: HayFrpService, client: Client) -> None:
    await client.control(
        "PATCH", "state", {"tunnels.3.proxy_name": "renamed", "nodes.*.clients": 4}
    )

    assert hayfrp.state.tunnels["3"].proxy_name == "renamed"
    assert {node.clients for node in hayfrp.state.nodes.values()} == {4}
    state = await client.control("GET", "state")
    assert state["tunnels"]["3"]["proxy_name"] == "renamed"
    assert state["accounts"]["demo"]["password"] == "demo-password"


async def test_calls_and_faults_over_http(hayfrp: HayFrpService, client: Client) -> None:
    await client.control(
        "POST", "faults", {"route": "/nodes", "kind": "status", "times": None, "status": 503}
    )
    async with client.session.get(f"{client.url}/nodes") as response:
        assert response.status == 503

    await client.control("DELETE", "faults")

    await client.ask("/user", "login")
    assert (await client.get("/nodes"))["status"] == 200
    calls = await client.control("GET", "calls")
    assert [(call["path"], call["kind"], call["status"]) for call in calls] == [
        ("/nodes", "", 503),
        ("/user", "login", 200),
        ("/nodes", "", 200),
    ]


async def test_advance_over_http(hayfrp: HayFrpService, client: Client) -> None:
    assert await client.control("POST", "advance", {"seconds": 60}) == {"now": NOON + 60}
    assert hayfrp.now() == NOON + 60


@pytest.mark.parametrize(
    "method, path, json",
    [
        ("PATCH", "state", {"tunnels.99.enabled": False}),
        ("PATCH", "state", {"tunnels.1.colour": "red"}),
        ("POST", "faults", {"route": "/nodes", "kind": "explode"}),
        ("POST", "faults", {"route": "/nodes"}),
        ("POST", "advance", {"minutes": 1}),
        ("POST", "advance", None),
    ],
)
async def test_invalid_control_call_is_refused(
    client: Client, method: str, path: str, json: object
) -> None:
    url = f"{client.url}/_control/{path}"
    async with client.session.request(method, url, json=json) as response:
        assert response.status == 400
