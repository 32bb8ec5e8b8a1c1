"""Parses the addresses to check, and decides which addresses may be checked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re
import socket

from yarl import URL

type IPAddress = IPv4Address | IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_LONGEST_NAME = 253
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

# Proxies with their own DNS return these addresses for any name.
_STAND_IN_NETWORK = ip_network("198.18.0.0/15")
_NAT64_NETWORK = ip_network("64:ff9b::/96")


class Protocol(StrEnum):
    """How an address is checked."""

    TCP = "tcp"
    HTTP = "http"
    HTTPS = "https"


class Zone(IntEnum):
    """The network of an address, seen from Home Assistant."""

    INTERNET = 0
    NETWORK = 1
    """A private network."""
    MACHINE = 2
    """Loopback, link-local and similar addresses."""


class NotCheckable(StrEnum):
    """A reason why an address is not checked."""

    NO_ADDRESS = "no_address"
    PROTOCOL = "protocol"
    INVALID_ADDRESS = "invalid_address"
    NOT_PUBLIC = "not_public"


class InvalidAddressError(ValueError):
    """The user entered an address that cannot be checked.

    reason: "invalid_address", "credentials_in_address" or "protocol_not_checkable".
    """

    def __init__(self, reason: str) -> None:
        """Store the reason, but not the address, which may contain a secret."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """An address to check.

    host: an ASCII name, or an IP address without brackets.
    path: the path of the HTTP request; it may contain a secret.
    zone: the closest zone that the name may resolve to.
    """

    protocol: Protocol
    host: str
    port: int
    path: str = field(default="/", repr=False)
    zone: Zone = Zone.INTERNET

    @property
    def label(self) -> str:
        """The address for display, without possible secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.protocol) else f"{host}:{self.port}"


def tunnel_target(
    protocol: str | None, public_address: str | None, zone: Zone = Zone.INTERNET
) -> Target | NotCheckable:
    """Return the address of a tunnel, or the reason why it is not checked.

    public_address: "host:port", or a domain for http and https.
    """
    try:
        kind = Protocol((protocol or "").lower())
    except ValueError:
        return NotCheckable.PROTOCOL
    if not public_address:
        return NotCheckable.NO_ADDRESS
    url = _parse(f"{kind}://{public_address}")
    if url is None or url.raw_path not in ("", "/") or url.raw_query_string:
        return NotCheckable.INVALID_ADDRESS
    return _target(kind, url, zone) or NotCheckable.INVALID_ADDRESS


def watched_target(address: str) -> Target:
    """Return the address that an administrator entered; raises InvalidAddressError.

    address: a URL (http, https, tcp) or "host:port".
    """
    address = address.strip()
    if not (scheme := _SCHEME.match(address)):
        address = f"tcp://{address}"
    try:
        kind = Protocol(scheme[1].lower() if scheme else Protocol.TCP)
    except ValueError:
        raise InvalidAddressError("protocol_not_checkable") from None
    if (url := _parse(address)) is None:
        raise InvalidAddressError("invalid_address")
    if url.raw_user is not None or url.raw_password is not None:
        raise InvalidAddressError("credentials_in_address")
    if (target := _target(kind, url, Zone.MACHINE)) is None:
        raise InvalidAddressError("invalid_address")
    return target


def without_query(address: str) -> str:
    """Return an address that the user entered without the query, which may contain a secret."""
    return re.split(r"[?#]", address, maxsplit=1)[0]


def _parse(text: str) -> URL | None:
    try:
        url = URL(text)
        # Reading the port raises ValueError, too.
        return url if url.explicit_port is None or url.explicit_port > 0 else None
    except ValueError:
        return None


def _target(kind: Protocol, url: URL, zone: Zone) -> Target | None:
    host = url.raw_host or ""
    port = url.explicit_port or _DEFAULT_PORTS.get(kind)
    if port is None or not (_is_name(host) or _ip(host)):
        return None
    return Target(kind, host, port, url.raw_path_qs or "/", zone)


def _is_name(host: str) -> bool:
    return len(host) <= _LONGEST_NAME and _HOST_NAME.fullmatch(host) is not None


def _ip(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def zone_of(address: IPAddress) -> Zone:
    """Return the zone of an address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return zone_of(address.ipv4_mapped)
        if address in _NAT64_NETWORK:
            return zone_of(IPv4Address(int(address) & 0xFFFF_FFFF))
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address == IPv4Address("255.255.255.255")
    ):
        return Zone.MACHINE
    if address.is_private and address not in _STAND_IN_NETWORK:
        return Zone.NETWORK
    return Zone.INTERNET


class LookupFailedError(Exception):
    """A name cannot be resolved."""


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """What a socket connects to."""

    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

    @property
    def ip(self) -> IPAddress:
        """The IP address without an interface."""
        return ip_address(str(self.sockaddr[0]).partition("%")[0])


type Lookup = Callable[[str, int], Awaitable[Sequence[SocketAddress]]]
"""Resolves a name; raises LookupFailedError."""


async def resolve(host: str, port: int) -> Sequence[SocketAddress]:
    """Resolve a name; raises LookupFailedError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror, UnicodeError:
        raise LookupFailedError from None
    return [SocketAddress(family, sockaddr) for family, _, _, _, sockaddr in found]
