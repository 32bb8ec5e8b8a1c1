"""What a check found."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .addresses import Zone


class Outcome(StrEnum):
    """How a check ended."""

    REACHED = "reached"
    REFUSED = "refused"
    """Nothing listens on the port."""
    NO_ANSWER = "no_answer"
    """Nothing came back in time."""
    CLOSED = "closed"
    """The connection was accepted, and closed before anything was said."""
    NODE_PAGE = "node_page"
    """The frp server answered itself, because it has nobody to ask."""
    DNS = "dns"
    TLS = "tls"
    WRONG_ANSWER = "wrong_answer"
    """The answer is not of the protocol."""
    NOT_PUBLIC = "not_public"
    """The name leads to an address that may not be checked."""
    UNKNOWN = "unknown"
    """The check says nothing about the address, for example without an internet connection."""


class CertificateProblem(StrEnum):
    """Why a certificate is not trusted."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SELF_SIGNED = "self_signed"
    UNKNOWN_AUTHORITY = "unknown_authority"
    """A private authority, or an intermediate certificate is missing."""
    WRONG_NAME = "wrong_name"
    OTHER = "other"


_SHORTEST_NOTICE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The certificate that a server showed. problem: why it is not trusted; None if it is."""

    starts: datetime
    expires: datetime
    problem: CertificateProblem | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether a browser would accept it."""
        return self.problem is None

    def ends_soon(self, now: datetime) -> bool:
        """Tell whether it should have been renewed: 14 days before its end, or a third of its life.

        The later of the two counts, so that a certificate of a few days is not always late.
        """
        return self.expires - now < min(_SHORTEST_NOTICE, (self.expires - self.starts) / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found.

    response_time: seconds from connecting to the first answer; to being connected where a TCP
    service waits for the other side to speak first.
    banner: the first line that a TCP service says by itself.
    zone: how near the address is; None if the name led nowhere.
    """

    outcome: Outcome
    response_time: float | None = None
    http_status: int | None = None
    certificate: ServerCertificate | None = None
    banner: str | None = None
    zone: Zone | None = None

    @property
    def is_reached(self) -> bool | None:
        """Whether the address was reached; None if the check says nothing about it."""
        if self.outcome in (Outcome.UNKNOWN, Outcome.NOT_PUBLIC):
            return None
        return self.outcome is Outcome.REACHED
