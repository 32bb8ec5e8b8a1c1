"""Finds where a path is broken, and confirms changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .results import CheckResult, Outcome


class Verdict(StrEnum):
    """Whether an address can be reached, or the first broken link."""

    REACHABLE = "reachable"
    NO_LOCAL_SERVICE = "no_local_service"
    """Nothing listens at the local address."""
    NO_CLIENT = "no_client"
    """No client runs the tunnel."""
    NODE_DOWN = "node_down"
    PORT_CLOSED = "port_closed"
    """The node or the host refuses connections to the port."""
    NO_ANSWER = "no_answer"
    DNS = "dns"
    TLS = "tls"
    WRONG_ANSWER = "wrong_answer"
    NOT_CHECKABLE = "not_checkable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a path.

    outcome: of the check of the public address.
    local: whether something listens at the local address.
    online: whether a client runs the tunnel, by the service.
    node_online: whether the node runs, by the service.
    is_tunnel: whether the address belongs to a tunnel; otherwise to a single host.
    """

    outcome: Outcome
    is_tunnel: bool = True
    local: bool | None = None
    online: bool | None = None
    node_online: bool | None = None

    @property
    def verdict(self) -> Verdict:
        """Return the first broken link, seen from home."""
        return next(verdict for verdict, applies in _VERDICTS if applies(self))

    @property
    def contradicts_service(self) -> bool:
        """Whether the service's online state and the check contradict each other."""
        reached = CheckResult(outcome=self.outcome).is_reached
        return reached is not None and self.online is not None and reached is not self.online


_UNANSWERED = {Outcome.CLOSED, Outcome.NODE_PAGE}
"""Outcomes in which the node answers, but not the service behind it."""

_VERDICTS: Sequence[tuple[Verdict, Callable[[Findings], bool]]] = (
    (Verdict.REACHABLE, lambda found: found.outcome is Outcome.REACHED),
    (Verdict.UNKNOWN, lambda found: found.outcome is Outcome.UNKNOWN),
    (Verdict.NOT_CHECKABLE, lambda found: found.outcome is Outcome.NOT_PUBLIC),
    (Verdict.NO_LOCAL_SERVICE, lambda found: found.local is False),
    (Verdict.NODE_DOWN, lambda found: found.node_online is False),
    (Verdict.NO_CLIENT, lambda found: found.online is False),
    (Verdict.PORT_CLOSED, lambda found: found.outcome is Outcome.REFUSED),
    (Verdict.NO_ANSWER, lambda found: found.outcome is Outcome.NO_ANSWER),
    (Verdict.DNS, lambda found: found.outcome is Outcome.DNS),
    (Verdict.TLS, lambda found: found.outcome is Outcome.TLS),
    (
        Verdict.NO_LOCAL_SERVICE,
        lambda found: found.is_tunnel and found.outcome in _UNANSWERED and found.local is not True,
    ),
    (Verdict.WRONG_ANSWER, lambda found: True),
)
"""The first one that applies is used."""

FAILURES_FOR_DOWN = 2
SUCCESSES_FOR_UP = 2


@dataclass(slots=True)
class Confirmation:
    """Confirms a change after several checks in a row with the same result.

    is_up: the confirmed state; None before the first checks, and while checks are inconclusive.
    """

    failures_for_down: int = FAILURES_FOR_DOWN
    successes_for_up: int = SUCCESSES_FOR_UP
    is_up: bool | None = None
    _before: bool | None = None
    _successes: int = 0
    _failures: int = 0

    def add(self, *, reached: bool | None) -> bool | None:
        """Add a result and return the confirmed state."""
        if reached is None:
            self._successes = self._failures = 0
            self.is_up = None
            return None
        self._successes = self._successes + 1 if reached else 0
        self._failures = 0 if reached else self._failures + 1
        # An address that was never down needs no second success.
        if reached and (self._before is not False or self._successes >= self.successes_for_up):
            self._before = True
        elif not reached and self._failures >= self.failures_for_down:
            self._before = False
        self.is_up = self._before
        return self.is_up
