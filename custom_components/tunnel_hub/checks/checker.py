"""Checks addresses: a few at a time, with a retry, and with a test of the own connection."""

import asyncio
from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Network
import random
import socket

from .addresses import (
    IPAddress,
    Lookup,
    LookupFailedError,
    Protocol,
    SocketAddress,
    Target,
    Zone,
    resolve,
    tunnel_target,
)
from .attempt import Attempt, Timeouts
from .certificates import TlsContexts
from .results import CheckResult, Outcome

type IPNetwork = IPv4Network | IPv6Network

AT_ONCE = 4

_INCONCLUSIVE = {Outcome.NO_ANSWER, Outcome.DNS, Outcome.UNKNOWN}
"""Outcomes that can also be caused by the own internet connection or DNS."""


class InternetCheck:
    """Tests whether the internet connection works, with hosts unrelated to the checks."""

    def __init__(
        self,
        hosts: Sequence[tuple[str, int]],
        *,
        timeout: float = 5,
        lookup: Lookup = resolve,
    ) -> None:
        """hosts: names and ports; one that accepts a connection is enough."""
        self._hosts = hosts
        self._lookup = lookup
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._read_at = -float("inf")
        self._value = False

    async def is_up(self, *, since: float) -> bool:
        """Return whether a host accepts a connection.

        since: by the clock of the event loop; a newer result is used again.
        """
        async with self._lock:
            if self._read_at < since:
                self._value = await self._read()
                self._read_at = asyncio.get_running_loop().time()
            return self._value

    async def _read(self) -> bool:
        for host, port in self._hosts:
            try:
                async with asyncio.timeout(self._timeout):
                    for address in await self._lookup(host, port):
                        if await _listens(address):
                            return True
            except TimeoutError, LookupFailedError:
                continue
        return False


async def _listens(address: SocketAddress) -> bool:
    try:
        await _connect(address)
    except OSError:
        return False
    return True


async def _connect(address: SocketAddress) -> None:
    """Connect and close the connection; raises OSError."""
    with socket.socket(address.family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)


class Checker:
    """Checks addresses, at most four at a time."""

    def __init__(
        self,
        contexts: TlsContexts,
        internet: InternetCheck,
        *,
        timeouts: Timeouts | None = None,
        pause: tuple[float, float] = (0.5, 1.5),
        slots: asyncio.Semaphore | None = None,
        lookup: Lookup = resolve,
    ) -> None:
        """Set up without a check.

        pause: the range of random seconds before the second attempt.
        slots: the limit for all connections, shared with others.
        """
        self._contexts = contexts
        self._internet = internet
        self._timeouts = timeouts or Timeouts()
        self._pause = pause
        self._lookup = lookup
        self._slots = slots or asyncio.Semaphore(AT_ONCE)

    async def check(self, target: Target, *, retry: bool = True) -> CheckResult:
        """Check an address.

        retry: whether to try again after a failure and a short pause.
        """
        async with self._slots:
            started = asyncio.get_running_loop().time()
            attempt = Attempt(target, self._contexts, self._timeouts, self._lookup)
            result = await attempt.make()
            if result.is_reached is False and retry:
                await asyncio.sleep(random.uniform(*self._pause))
                result = await attempt.make()
            return await self._confirmed(result, started)

    async def connect(self, target: Target) -> CheckResult:
        """Connect to an address once, without sending or reading anything."""
        async with self._slots:
            started = asyncio.get_running_loop().time()
            attempt = Attempt(target, self._contexts, self._timeouts, self._lookup)
            return await self._confirmed(await attempt.connect(), started)

    async def _confirmed(self, result: CheckResult, started: float) -> CheckResult:
        """Return a result, or an unknown one if the own internet connection may have failed."""
        if (
            result.outcome in _INCONCLUSIVE
            and result.zone in (None, Zone.INTERNET)
            and not await self._internet.is_up(since=started)
        ):
            return CheckResult(outcome=Outcome.UNKNOWN)
        return result

    async def listens(self, address: str, networks: Collection[IPNetwork]) -> bool | None:
        """Return whether something listens at an address; None if it is unknown.

        address: "host:port". Addresses outside of these networks are not connected to.
        """
        if (found := await self._find_in(networks, address)) is None:
            return None
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeouts.connect):
                    await _connect(found)
            except ConnectionError, TimeoutError:
                return False
            except OSError:
                return None
            return True

    async def _find_in(self, networks: Collection[IPNetwork], address: str) -> SocketAddress | None:
        """Resolve an address; None if it is outside of these networks."""
        target = tunnel_target(Protocol.TCP, address)
        if not isinstance(target, Target):
            return None
        try:
            async with asyncio.timeout(self._timeouts.lookup):
                found = await self._lookup(target.host, target.port)
        except TimeoutError, LookupFailedError:
            return None
        return next((one for one in found if _is_in(networks, one.ip)), None)


def _is_in(networks: Collection[IPNetwork], ip: IPAddress) -> bool:
    return any(ip in network for network in networks)
