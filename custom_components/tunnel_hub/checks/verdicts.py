"""Finds where a path is broken, from the outcome of a check and what else is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .results import CheckResult, Outcome


class Verdict(StrEnum):
    """The cause of an `Outcome`: the first broken link of the path to an address."""

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


_NOTHING_BEHIND_NODE = {Outcome.CLOSED, Outcome.NODE_PAGE}
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
        lambda found: (
            found.is_tunnel and found.outcome in _NOTHING_BEHIND_NODE and found.local is not True
        ),
    ),
    (Verdict.WRONG_ANSWER, lambda found: True),
)
"""The first one that applies is used."""
