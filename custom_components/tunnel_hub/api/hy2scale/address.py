"""Builds the base URL of a node."""

from ipaddress import ip_address
import re

from yarl import URL

from ..errors import InvalidInputError
from ..provider import Credentials

DEFAULT_PORT = "5565"
DEFAULT_PATH = "scale"

_LABEL = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)


def base_url(credentials: Credentials) -> str:
    """Return the URL that the documented paths without /api are appended to.

    Raises InvalidInputError for an invalid host.
    """
    scheme = "https" if _says_yes(credentials, "https") else "http"
    path = credentials.get("base_path", DEFAULT_PATH).strip("/")
    port = credentials.get("port", DEFAULT_PORT)
    return f"{scheme}://{_host(credentials.get('host', ''))}:{port}" + (f"/{path}" if path else "")


def _says_yes(credentials: Credentials, name: str) -> bool:
    return credentials.get(name, "true") == "true"


def _ascii(host: str) -> str:
    """Return an international name in ASCII, or unchanged if that is not possible."""
    try:
        return URL.build(scheme="http", host=host).raw_host or host
    except ValueError:
        return host


def _host(host: str) -> str:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        if not _NAME.fullmatch(name := _ascii(host)):
            raise InvalidInputError("invalid_host") from None
        return name
    return f"[{address}]" if address.version == 6 else str(address)
