"""Checks addresses: a few at a time, again at once after a failure, and in doubt about itself."""

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

_DOUBTFUL = {Outcome.NO_ANSWER, Outcome.DNS, Outcome.UNKNOWN}
"""What may as well be the fault of our own connection or DNS."""


class InternetReading:
    """Tells whether the internet can be reached at all, by hosts unrelated to what is checked."""

    def __init__(
        self,
        hosts: Sequence[tuple[str, int]],
        *,
        timeout: float = 5,
        lookup: Lookup = resolve,
    ) -> None:
        """Read nothing yet. hosts: names and ports; the first that answers is enough."""
        self._hosts = hosts
        self._lookup = lookup
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._read_at = -float("inf")
        self._value = False

    async def is_up(self, *, since: float) -> bool:
        """Tell whether a host answers. since: by the event loop's clock; a newer reading counts."""
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
    """Connect, and close the connection again; raises OSError."""
    with socket.socket(address.family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)


class Checker:
    """Checks addresses, at most four at a time."""

    def __init__(
        self,
        contexts: TlsContexts,
        internet: InternetReading,
        *,
        timeouts: Timeouts | None = None,
        pause: tuple[float, float] = (0.5, 1.5),
        slots: asyncio.Semaphore | None = None,
        lookup: Lookup = resolve,
    ) -> None:
        """Check nothing yet.

        pause: seconds at random before another attempt, from and to. slots: shared with others.
        """
        self._contexts = contexts
        self._internet = internet
        self._timeouts = timeouts or Timeouts()
        self._pause = pause
        self._lookup = lookup
        self._slots = slots or asyncio.Semaphore(AT_ONCE)

    async def check(self, target: Target, *, retry: bool = True) -> CheckResult:
        """Check an address. retry: whether to try again at once after a failure."""
        async with self._slots:
            started = asyncio.get_running_loop().time()
            attempt = Attempt(target, self._contexts, self._timeouts, self._lookup)
            result = await attempt.make()
            if result.is_reached is False and retry:
                await asyncio.sleep(random.uniform(*self._pause))
                result = await attempt.make()
            return await self._in_doubt(result, started)

    async def connect(self, target: Target) -> CheckResult:
        """Connect to an address once, and say and hear nothing."""
        async with self._slots:
            started = asyncio.get_running_loop().time()
            attempt = Attempt(target, self._contexts, self._timeouts, self._lookup)
            return await self._in_doubt(await attempt.connect(), started)

    async def _in_doubt(self, result: CheckResult, started: float) -> CheckResult:
        """Return a result; unknown where it may as well be the fault of our own connection."""
        if (
            result.outcome in _DOUBTFUL
            and result.zone in (None, Zone.INTERNET)
            and not await self._internet.is_up(since=started)
        ):
            return CheckResult(outcome=Outcome.UNKNOWN)
        return result

    async def listens(self, address: str, networks: Collection[IPNetwork]) -> bool | None:
        """Tell whether anyone listens at an address of these networks; None if it is not known.

        address: "host:port". Addresses elsewhere are left alone.
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
        """Look an address up; None if it is not in these networks."""
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
