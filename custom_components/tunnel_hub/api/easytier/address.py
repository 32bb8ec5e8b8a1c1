"""Where a node manager is, out of whatever a person pastes."""

from ipaddress import ip_address

from yarl import URL

from ..errors import InvalidInputError

_PLAIN_SUFFIXES = (".home", ".internal", ".lan", ".local")
"""Ends of names that no public certificate is given for."""


def base_url(pasted: str) -> str:
    """Return scheme, host and port, without a slash at the end; a page's path goes.

    Without a scheme it is https, at an address or a name of the local network http.
    Raises InvalidInputError for what is no address.
    """
    text = pasted.strip()
    try:
        url = URL(text if "://" in text else f"//{text}")
        host = url.host
        if not host or url.user or " " in host or url.scheme not in ("", "http", "https"):
            raise InvalidInputError("invalid_url")
        scheme = url.scheme or ("http" if _is_local(host) else "https")
        return str(URL.build(scheme=scheme, host=host, port=url.explicit_port))
    except ValueError:
        raise InvalidInputError("invalid_url") from None


def _is_local(host: str) -> bool:
    """Tell whether a host is in the local network, by its looks."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_PLAIN_SUFFIXES)
