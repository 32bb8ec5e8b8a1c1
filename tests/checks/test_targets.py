"""Tests check results for different kinds of servers, over real sockets."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.tunnel_hub.checks.addresses import (
    Lookup,
    LookupFailedError,
    Protocol,
    SocketAddress,
    Target,
    Zone,
    resolve,
)
from custom_components.tunnel_hub.checks.attempt import MAX_ANSWER, Attempt, Timeouts
from custom_components.tunnel_hub.checks.results import CheckResult, Outcome

from .rows import OK, ROWS, Row
from .servers import Authorities, Incoming, http_handler, listening, refusing, sends_banner

LONG = Timeouts(connect=20, answer=20, banner=20)
SHORT = Timeouts(connect=0.3, answer=0.3, banner=0.3)


async def attempt(
    authorities: Authorities,
    port: int,
    protocol: Protocol = Protocol.HTTP,
    host: str = "127.0.0.1",
    *,
    path: str = "/",
    timeouts: Timeouts = LONG,
    lookup: Lookup = resolve,
) -> CheckResult:
    """Returns the result of one attempt."""
    target = Target(protocol, host, port, path, Zone.MACHINE)
    return await Attempt(target, authorities.contexts(), timeouts, lookup).make()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_results(row: Row, authorities: Authorities) -> None:
    async with row.server(authorities) as server:
        found = await attempt(
            authorities,
            server.port,
            row.protocol,
            row.host,
            timeouts=SHORT if row.waits else LONG,
        )
    assert (found.outcome, found.http_status, found.banner) == (row.outcome, row.status, row.banner)
    certificate = found.certificate
    assert (certificate and certificate.is_trusted) is row.trusted
    assert (certificate and certificate.problem) is row.problem
    assert (found.response_time is not None) is (row.status is not None or found.is_reached)


async def test_requests_are_for_the_right_host(authorities: Authorities) -> None:
    """Tests the server name over TLS and the Host header."""
    certificate = authorities.certificate(issuer=authorities.trusted)
    async with listening(
        http_handler(OK, head=b"HTTP/1.1 503 Busy\r\n\r\n"), certificate=certificate
    ) as server:
        found = await attempt(
            authorities, server.port, Protocol.HTTPS, "localhost", path="/a?token=secret"
        )
    assert found.http_status == 200
    assert server.names == ["localhost", "localhost"]
    assert [request.split(b"\r\n")[:2] for request in server.requests] == [
        [f"{method} /a?token=secret HTTP/1.1".encode(), f"Host: localhost:{server.port}".encode()]
        for method in ("HEAD", "GET")
    ]


async def test_untrusted_certificate_needs_another_connection(
    authorities: Authorities,
) -> None:
    certificate = authorities.certificate(issuer=authorities.private)
    async with listening(http_handler(OK), certificate=certificate) as server:
        await attempt(authorities, server.port, Protocol.HTTPS)
        assert len(server.names) == 2
        assert len(server.requests) == 1


async def test_certificate_validity(authorities: Authorities) -> None:
    certificate = authorities.certificate(issuer=authorities.trusted, days=90)
    async with listening(http_handler(OK), certificate=certificate) as server:
        found = (await attempt(authorities, server.port, Protocol.HTTPS)).certificate
    assert found
    assert found.expires - found.starts == timedelta(days=90)
    assert abs(found.starts - datetime.now(UTC) + timedelta(days=1)) < timedelta(minutes=5)


async def test_reads_4_kb_at_most(authorities: Authorities) -> None:
    """The server can send no more than network buffers hold."""
    sent = 0

    async def _flood(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.head()
        writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        while True:
            writer.write(b"." * MAX_ANSWER)
            await writer.drain()
            sent += MAX_ANSWER

    async with listening(_flood) as server:
        found = await attempt(authorities, server.port)
    assert found.http_status == 404
    assert sent < 16 * 1024 * 1024


async def test_interim_responses_are_skipped(authorities: Authorities) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
    async with listening(http_handler(hints + OK)) as server:
        assert (await attempt(authorities, server.port)).http_status == 200
    async with listening(http_handler(hints)) as server:
        assert (await attempt(authorities, server.port)).outcome is Outcome.WRONG_ANSWER


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 999 Strange\r\n\r\n",
        b"HTTP/1.1 2\xb200 OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK",
        b"ICY 200 OK\r\n\r\n",
        b"h",
    ],
)
async def test_invalid_http(words: bytes, authorities: Authorities) -> None:
    async with listening(http_handler(words)) as server:
        assert (await attempt(authorities, server.port)).outcome is Outcome.WRONG_ANSWER


@pytest.mark.parametrize(
    "said, banner",
    [
        (b"220 mail.example ESMTP\r\n250 more", "220 mail.example ESMTP"),
        (b"\x00\x1b[31mred\x07\r\n", "[31mred"),
        (b"\xff\xfe\r\n", "\ufffd\ufffd"),
        (b"x" * 5000, "x" * 100),
        (b"\x00\x01\x02", None),
    ],
)
async def test_banners_are_sanitized(
    said: bytes, banner: str | None, authorities: Authorities
) -> None:
    async with listening(sends_banner(said)) as server:
        found = await attempt(authorities, server.port, Protocol.TCP)
    assert (found.outcome, found.banner) == (Outcome.REACHED, banner)


async def test_another_address_of_a_name_is_tried(authorities: Authorities) -> None:
    """Here "localhost" is also ::1, where nothing listens."""
    async with listening(http_handler(OK)) as server:
        assert (await attempt(authorities, server.port, host="localhost")).http_status == 200


async def test_an_unknown_name(authorities: Authorities) -> None:
    async def _lookup(host: str, _: int) -> list[SocketAddress]:
        raise LookupFailedError

    found = await attempt(authorities, 80, host="no-such-name.invalid", lookup=_lookup)
    assert found == CheckResult(outcome=Outcome.DNS)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_names_of_local_addresses_are_refused(host: str, authorities: Authorities) -> None:
    async with listening(http_handler(OK)) as server:
        target = Target(Protocol.HTTP, host, server.port)
        for zone in (Zone.INTERNET, Zone.NETWORK):
            near = replace(target, zone=zone)
            found = await Attempt(near, authorities.contexts(), LONG).make()
            assert found == CheckResult(outcome=Outcome.NOT_PUBLIC)
        assert not server.requests


async def test_no_socket_stays_open(authorities: Authorities) -> None:
    """A resource warning fails the test."""
    async with refusing() as server:
        for protocol in Protocol:
            found = await attempt(authorities, server.port, protocol)
            assert found.outcome is Outcome.REFUSED


async def test_a_check_that_is_cancelled_closes_its_connection(authorities: Authorities) -> None:
    closed = asyncio.Event()

    async def _wait(reader: Incoming, _: asyncio.StreamWriter) -> None:
        await reader.head()
        arrived.set()
        await reader.read_rest()
        closed.set()

    arrived = asyncio.Event()
    async with listening(_wait) as server:
        task = asyncio.create_task(attempt(authorities, server.port))
        await arrived.wait()
        task.cancel()
        async with asyncio.timeout(5):
            await closed.wait()
