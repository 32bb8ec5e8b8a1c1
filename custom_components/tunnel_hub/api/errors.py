"""The errors of services, by what the caller should do.

A message never contains a URL, a request body or a secret, and is one line of at most 1,000
characters, so every exception can be logged and shown.
"""

from enum import StrEnum

from . import coerce


class Reason(StrEnum):
    """The reason why there is no usable answer."""

    CLOSED = "closed"
    """The account is not loaded any more, so nothing is sent."""
    CONNECTION = "connection"
    """No connection: name not found, refused, reset or TLS failure."""
    CONTESTED = "contested"
    """Another client keeps signing in to the account and ending our session."""
    FIREWALL = "firewall"
    """A firewall, CDN or gateway answered instead of the service."""
    MALFORMED = "malformed"
    """The answer is incomplete, not JSON, or JSON of another structure."""
    RATE_LIMITED = "rate_limited"
    """The service requests fewer requests."""
    REDIRECT = "redirect"
    """The service redirected the request, for example to a login page."""
    SERVER_ERROR = "server_error"
    """The service reports an internal failure."""
    TLS = "tls"
    """There is no HTTPS, or it cannot be trusted."""
    TIMEOUT = "timeout"
    """There was no complete answer in time."""
    TOO_LARGE = "too_large"
    """The answer is larger than we accept."""


class TunnelHubError(Exception):
    """Base of all errors that leave the api package."""


class AuthenticationError(TunnelHubError):
    """The service rejects the credentials, so the user must act.

    message: the service's own words, or "".
    key: the translation key of a special message, if the usual one would not help.
    """

    def __init__(self, message: str = "", key: str | None = None) -> None:
        self.message = coerce.text(message) or ""
        super().__init__(self.message or "The service refused the credentials")
        self.key = key


class UnavailableError(TunnelHubError):
    """There is no usable answer: keep the known data and try again later.

    retry_after: seconds to wait that the service requested, or None.
    """

    def __init__(self, reason: Reason, detail: str = "", retry_after: float | None = None) -> None:
        self.reason = reason
        self.detail = coerce.text(detail) or ""
        super().__init__(f"{reason.value}: {self.detail}" if self.detail else reason.value)
        self.retry_after = retry_after


class RejectedError(TunnelHubError):
    """The service understood the request and refused it: show its message."""

    def __init__(self, message: str) -> None:
        self.message = coerce.text(message) or ""
        super().__init__(self.message)


class InvalidInputError(TunnelHubError):
    """Input that the service cannot accept, with a better explanation than the service's.

    key: the translation key below `exceptions`.
    placeholders: the values in the message.
    """

    def __init__(self, key: str, **placeholders: str) -> None:
        self.key = key
        self.placeholders = {name: coerce.text(v) or "" for name, v in placeholders.items()}
        super().__init__(coerce.text(f"{key}: {self.placeholders}"))


class TunnelGoneError(InvalidInputError):
    """The tunnel has been deleted at the service."""

    def __init__(self) -> None:
        super().__init__("tunnel_gone")


class NodeGoneError(InvalidInputError):
    """The node has been deleted at the service."""

    def __init__(self) -> None:
        super().__init__("node_gone")


class UnsupportedError(TunnelHubError):
    """The service, or its version, does not have this feature."""
