"""Where a path breaks, and when to believe it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .results import CheckResult, Outcome


class Verdict(StrEnum):
    """Whether an address can be reached, or else the first link that is broken."""

    REACHABLE = "reachable"
    NO_LOCAL_SERVICE = "no_local_service"
    """Nothing answers at the local address."""
    NO_CLIENT = "no_client"
    """No client runs the tunnel."""
    NODE_DOWN = "node_down"
    PORT_CLOSED = "port_closed"
    """The node, or the host, refuses connections to the port."""
    NO_ANSWER = "no_answer"
    DNS = "dns"
    TLS = "tls"
    WRONG_ANSWER = "wrong_answer"
    NOT_CHECKABLE = "not_checkable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a path.

    outcome: of the check from outside. local: whether anyone listens at the local address.
    online: whether a client runs the tunnel, node_online: whether the node runs; both in the
    service's words. is_tunnel: whether there is more behind the address than one host.
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
        """Whether the service says online and it cannot be reached, or the other way round."""
        reached = CheckResult(outcome=self.outcome).is_reached
        return reached is not None and self.online is not None and reached is not self.online


_UNANSWERED = {Outcome.CLOSED, Outcome.NODE_PAGE}
"""The node answers, but nobody behind it."""

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
"""The first that applies."""

FAILURES_FOR_DOWN = 2
SUCCESSES_FOR_UP = 2


@dataclass(slots=True)
class Confirmation:
    """Believes a change only once it was seen several times in a row.

    is_up: what is believed; None before the first checks, and while checks say nothing.
    """

    failures_for_down: int = FAILURES_FOR_DOWN
    successes_for_up: int = SUCCESSES_FOR_UP
    is_up: bool | None = None
    _before: bool | None = None
    _successes: int = 0
    _failures: int = 0

    def add(self, *, reached: bool | None) -> bool | None:
        """Add the result of a check and return the current verdict."""
        if reached is None:
            self._successes = self._failures = 0
            self.is_up = None
            return None
        self._successes = self._successes + 1 if reached else 0
        self._failures = 0 if reached else self._failures + 1
        # What was never seen down need not prove that it is up.
        if reached and (self._before is not False or self._successes >= self.successes_for_up):
            self._before = True
        elif not reached and self._failures >= self.failures_for_down:
            self._before = False
        self.is_up = self._before
        return self.is_up
