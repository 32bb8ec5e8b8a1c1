"""What can go wrong at a service, named by what the caller should do about it.

No message here ever holds a URL, a request body or a secret, and each is one line of at most
1,000 characters: every exception may be logged or shown as it is.
"""

from enum import StrEnum

from . import coerce


class Reason(StrEnum):
    """Why an answer cannot be used."""

    CLOSED = "closed"
    """The account is no longer loaded, so nothing is sent."""
    CONNECTION = "connection"
    """No connection: name not found, refused, reset or TLS failure."""
    CONTESTED = "contested"
    """Another client keeps signing in to the account and ending our session."""
    FIREWALL = "firewall"
    """A firewall, CDN or gateway answered in place of the service."""
    MALFORMED = "malformed"
    """The answer is cut off, not JSON, or JSON of another shape."""
    RATE_LIMITED = "rate_limited"
    """The service asked for fewer requests."""
    REDIRECT = "redirect"
    """The service sent us elsewhere, for example to a login page."""
    SERVER_ERROR = "server_error"
    """The service reports an internal failure."""
    TLS = "tls"
    """No HTTPS, or none that can be trusted."""
    TIMEOUT = "timeout"
    """No complete answer in time."""
    TOO_LARGE = "too_large"
    """The answer is larger than we accept."""


class TunnelHubError(Exception):
    """Base of all errors that leave the api package."""


class AuthenticationError(TunnelHubError):
    """The service refuses the credentials: ask the user.

    message: the service's own words, "" where it said none.
    key: a sentence of its own in the translations, where the usual one would not help.
    """

    def __init__(self, message: str = "", key: str | None = None) -> None:
        self.message = coerce.text(message) or ""
        super().__init__(self.message or "The service refused the credentials")
        self.key = key


class UnavailableError(TunnelHubError):
    """No usable answer: keep what is known and try later.

    retry_after: seconds that the service asked us to wait, None where it did not.
    """

    def __init__(self, reason: Reason, detail: str = "", retry_after: float | None = None) -> None:
        self.reason = reason
        self.detail = coerce.text(detail) or ""
        super().__init__(f"{reason.value}: {self.detail}" if self.detail else reason.value)
        self.retry_after = retry_after


class RateLimitedError(UnavailableError):
    """The service asked for fewer requests: wait retry_after seconds."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(Reason.RATE_LIMITED, retry_after=retry_after)


class SessionContestedError(UnavailableError):
    """Someone else keeps ending our session: stop signing in for a while."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(Reason.CONTESTED, retry_after=retry_after)


class RejectedError(TunnelHubError):
    """The service understood and said no: show its words."""

    def __init__(self, message: str) -> None:
        self.message = coerce.text(message) or ""
        super().__init__(self.message)


class InvalidInputError(TunnelHubError):
    """Something that the service cannot take, and that we can explain better than it does.

    key: what is wrong, one of the keys under `exceptions` in the translations.
    placeholders: the values named in that sentence.
    """

    def __init__(self, key: str, **placeholders: str) -> None:
        self.key = key
        self.placeholders = {name: coerce.text(v) or "" for name, v in placeholders.items()}
        super().__init__(coerce.text(f"{key}: {self.placeholders}"))


class TunnelGoneError(InvalidInputError):
    """The tunnel has been deleted at the service."""

    def __init__(self) -> None:
        super().__init__("tunnel_gone")


class AccountNeededError(InvalidInputError):
    """Something that needs an account, of which there is none."""

    def __init__(self) -> None:
        super().__init__("account_needed")


class NodeGoneError(InvalidInputError):
    """The node has been deleted at the service."""

    def __init__(self) -> None:
        super().__init__("node_gone")


class OtherServiceError(InvalidInputError):
    """What answers at the address is something else entirely."""

    def __init__(self) -> None:
        super().__init__("other_service")


class UnsupportedError(TunnelHubError):
    """This service, or this version of it, has no such feature."""
