"""Tests retries, concurrency, our own connection's outages and local addresses."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from custom_components.tunnel_hub.checks.addresses import (
    LookupFailedError,
    Protocol,
    SocketAddress,
    Target,
    Zone,
    resolve,
)
from custom_components.tunnel_hub.checks.attempt import Timeouts
from custom_components.tunnel_hub.checks.checker import AT_ONCE, Checker, InternetCheck
from custom_components.tunnel_hub.checks.results import CheckResult, Outcome

from .rows import OK
from .servers import (
    Authorities,
    Handler,
    Incoming,
    closing,
    filtering,
    http_handler,
    listening,
    refusing,
    sends_banner,
    silent,
)

SHORT = Timeouts(lookup=5, connect=0.3, answer=0.3, banner=0.3)
PUBLIC = "192.0.0.9"
"""An unused public address; in these tests, names resolve to loopback instead."""


def checker(authorities: Authorities, *hosts: tuple[str, int], **wishes: Any) -> Checker:
    """Returns a checker without pauses. hosts: for the check of the internet connection."""
    internet = InternetCheck(hosts, timeout=0.3)
    return Checker(authorities.contexts(), internet, pause=(0, 0), **wishes)


def local_target(port: int, protocol: Protocol = Protocol.HTTP) -> Target:
    return Target(protocol, "127.0.0.1", port, "/", Zone.MACHINE)


def in_order(*handlers: Handler) -> Handler:
    """Returns a handler that uses another one for each connection, the last one repeatedly."""
    left = list(handlers)

    async def _handle(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)

    return _handle


async def test_retry(authorities: Authorities) -> None:
    async with listening(in_order(closing, sends_banner(b"hello"))) as server:
        assert (
            await checker(authorities).check(local_target(server.port, Protocol.TCP))
        ).is_reached
    # Each attempt over HTTP sends two requests.
    async with listening(in_order(closing, closing, http_handler(OK))) as server:
        assert (await checker(authorities).check(local_target(server.port))).is_reached
    async with listening(in_order(closing, closing, http_handler(OK))) as server:
        found = await checker(authorities).check(local_target(server.port), retry=False)
        assert found.outcome is Outcome.CLOSED


async def test_at_most_four_in_parallel(authorities: Authorities) -> None:
    now, most = 0, 0
    barrier = asyncio.Barrier(AT_ONCE)

    async def _handle(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.head()
        # No check ends before four have connected.
        await barrier.wait()
        writer.write(OK)
        await reader.read_rest()
        now -= 1

    async with listening(_handle) as server:
        checking = checker(authorities)
        found = await asyncio.gather(
            *(checking.check(local_target(server.port)) for _ in range(20))
        )
    assert all(result.is_reached for result in found)
    assert most == AT_ONCE


async def _lookup_fails(host: str, port: int) -> Sequence[SocketAddress]:
    raise LookupFailedError


@pytest.mark.parametrize("is_up, outcome", [(True, Outcome.DNS), (False, Outcome.UNKNOWN)])
async def test_dns_outage(authorities: Authorities, is_up: bool, outcome: Outcome) -> None:
    """Tests that a failed lookup counts only if the internet is reachable."""
    async with listening(silent) as server, refusing() as closed:
        hosts = [("127.0.0.1", closed.port), *([("127.0.0.1", server.port)] if is_up else [])]
        checking = checker(authorities, *hosts, lookup=_lookup_fails)
        found = await checking.check(Target(Protocol.HTTPS, "home.example", 443))
    assert found == CheckResult(outcome=outcome)


async def test_local_check_needs_no_internet(authorities: Authorities) -> None:
    async with filtering() as server:
        checking = checker(authorities, timeouts=SHORT)
        found = await checking.check(local_target(server.port, Protocol.TCP), retry=False)
    assert found.outcome is Outcome.NO_ANSWER


async def test_refusal_needs_no_internet_check(authorities: Authorities) -> None:
    async with refusing() as server:
        found = await checker(authorities).check(local_target(server.port))
    assert found.outcome is Outcome.REFUSED


async def test_one_internet_check_for_parallel_failures() -> None:
    lookups = 0

    async def _lookup(host: str, port: int) -> Sequence[SocketAddress]:
        nonlocal lookups
        lookups += 1
        return await resolve(host, port)

    async with listening(silent) as server:
        internet = InternetCheck([("127.0.0.1", server.port)], lookup=_lookup)
        since = asyncio.get_running_loop().time()
        assert all(await asyncio.gather(*(internet.is_up(since=since) for _ in range(10))))
        assert lookups == 1
        assert await internet.is_up(since=asyncio.get_running_loop().time() + 1)
        assert lookups == 2


# The local address


NETWORKS = [ip_network("127.0.0.0/8"), ip_network("192.168.1.0/24")]


async def test_a_running_local_service(authorities: Authorities) -> None:
    async with listening(silent) as server:
        assert await checker(authorities).listens(f"localhost:{server.port}", NETWORKS) is True


async def test_stopped_local_services(authorities: Authorities) -> None:
    checking = checker(authorities, timeouts=SHORT)
    async with refusing() as closed, filtering() as stuck:
        for server in (closed, stuck):
            assert await checking.listens(f"127.0.0.1:{server.port}", NETWORKS) is False


@pytest.mark.parametrize("address", ["192.168.7.2:22", "[::1]:22", "localhost", "", "a b:1"])
async def test_unchecked_local_addresses(address: str, authorities: Authorities) -> None:
    """Tests addresses in other networks, and invalid ones."""
    assert await checker(authorities).listens(address, NETWORKS) is None


async def test_an_unknown_local_name(authorities: Authorities) -> None:
    checking = checker(authorities, lookup=_lookup_fails)
    assert await checking.listens("nas.local:22", NETWORKS) is None
