"""Parses the address of a self-hosted service that the user has entered or pasted."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import takewhile
import re
from urllib.parse import quote

from yarl import URL

from .errors import InvalidInputError

_PRIVATE_DOMAINS = (
    ".corp",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".lan",
    ".local",
    ".localdomain",
    ".localhost",
    ".private",
)
"""Domains for which there are no public certificates."""

_FULL_WIDTH = str.maketrans("：／．。［］", ":/..[]")
"""Full-width characters of Chinese keyboards, with the ones that addresses use."""
_SURROUNDING = " \t\r\n<>\"'“”‘’《》，,；;"
"""Characters around an address in a text, which are often copied with it."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):/+", re.IGNORECASE)
_PLACE = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*|[^\s:/?#@%\\\[\]]+)"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?P<path>(?:[/\\][^?#]*)?)(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*(?!\d+$){_LABEL}")


def base_url(pasted: str, *, pages: Collection[str] | None = None) -> str:
    """Return scheme, host and port, without a trailing slash. The path of a page is removed.

    The default scheme is https, or http for an address or a name of a private network. Raises
    InvalidInputError for an invalid address.

    pages: the first path segments of the service's own pages, such as "static". Segments before
    them are kept, because a reverse proxy may serve the service below a path.
    """
    text = pasted.translate(_FULL_WIDTH).strip(_SURROUNDING)
    scheme = _SCHEME.match(text)
    place = _PLACE.fullmatch(text, scheme.end() if scheme else 0)
    if place is None:
        raise InvalidInputError("invalid_url")
    host = place["host"].strip("[]").rstrip(".").lower()
    try:
        url = URL.build(
            scheme=scheme[1].lower() if scheme else ("http" if _is_private(host) else "https"),
            host=host,
            port=int(place["port"]) if place["port"] else None,
        )
        if url.scheme in ("http", "https") and _is_host(url.raw_host or ""):
            return f"{url}{'' if pages is None else _base_path(place['path'], pages)}"
    except ValueError:
        pass
    raise InvalidInputError("invalid_url")


def host_of(pasted: str) -> str:
    """Return the host of an address, without brackets.

    Raises InvalidInputError if there is none.
    """
    try:
        return URL(base_url(pasted)).host or ""
    except InvalidInputError:
        raise InvalidInputError("invalid_host") from None


def _base_path(path: str, pages: Collection[str]) -> str:
    """Return the path before the service's own pages, without a trailing slash."""
    segments = [s for s in path.replace("\\", "/").split("/") if s not in ("", ".", "..")]
    base = takewhile(lambda segment: segment not in pages, segments)
    return "".join(f"/{quote(segment, safe='%')}" for segment in base)


def _is_host(host: str) -> bool:
    return _address(host) is not None or _NAME.fullmatch(host) is not None


def _is_private(host: str) -> bool:
    """Return whether a host looks like one of a private network.

    This includes carrier-grade NAT addresses, which VPNs such as Tailscale use.
    """
    if address := _address(host):
        return not address.is_global
    return "." not in host or host.endswith(_PRIVATE_DOMAINS)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
