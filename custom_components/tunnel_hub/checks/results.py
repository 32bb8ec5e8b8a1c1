"""Results of a check."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .addresses import Zone


class Outcome(StrEnum):
    """The outcome of a check."""

    REACHED = "reached"
    REFUSED = "refused"
    """Nothing listens on the port."""
    NO_ANSWER = "no_answer"
    """There was no answer in time."""
    CLOSED = "closed"
    """The connection was accepted and closed without an answer."""
    NODE_PAGE = "node_page"
    """The frp server answered itself because no tunnel serves the request."""
    DNS = "dns"
    TLS = "tls"
    WRONG_ANSWER = "wrong_answer"
    """The answer does not follow the protocol."""
    NOT_PUBLIC = "not_public"
    """The name resolves to an address that may not be checked."""
    UNKNOWN = "unknown"
    """The check says nothing about the address, for example without an internet connection."""


class CertificateProblem(StrEnum):
    """A reason why a certificate is not trusted."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SELF_SIGNED = "self_signed"
    UNKNOWN_AUTHORITY = "unknown_authority"
    """A private authority, or a missing intermediate certificate."""
    WRONG_NAME = "wrong_name"
    OTHER = "other"


_SHORTEST_NOTICE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The certificate of a server.

    problem: why it is not trusted; None if it is.
    """

    starts: datetime
    expires: datetime
    problem: CertificateProblem | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether a browser would accept it."""
        return self.problem is None

    def ends_soon(self, now: datetime) -> bool:
        """Return whether it should have been renewed.

        This is 14 days before it expires, or when a third of its validity is left, whichever is
        later, so that short-lived certificates are not always reported.
        """
        return self.expires - now < min(_SHORTEST_NOTICE, (self.expires - self.starts) / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of a check.

    response_time: seconds from connecting to the first answer, or to the established connection if
    a TCP service waits for the client to send first.
    banner: the first line that a TCP service sends on its own.
    zone: the closest zone that the name resolved to; None if it did not resolve.
    """

    outcome: Outcome
    response_time: float | None = None
    http_status: int | None = None
    certificate: ServerCertificate | None = None
    banner: str | None = None
    zone: Zone | None = None

    @property
    def is_reached(self) -> bool | None:
        """Whether the address was reached; None if the check does not say."""
        if self.outcome in (Outcome.UNKNOWN, Outcome.NOT_PUBLIC):
            return None
        return self.outcome is Outcome.REACHED
