"""What happens every ten minutes: the agents at the nodes report, and the server takes stock."""

from collections.abc import Iterable
from math import ceil
from random import Random

from . import times
from .state import HISTORY, RECENT, STEP, EasyTierState, Node, Sample

MEGABITS_PER_GIGABYTE = 8000
OFFLINE_DIGIT = "1"


def step(state: EasyTierState, random: Random, at: float) -> None:
    """Let ten minutes end at a time."""
    for node in state.nodes.values():
        if node.reporting and not expired(node, at):
            _report(node, random, at)
        elif node.last_report_at is None or times.seconds(node.last_report_at) < at - STEP:
            node.status, node.current_bandwidth, node.connection_count = "offline", 0.0, 0
        if node.last_report_at is not None:
            node.recent_status = (node.recent_status + _digit(node))[-RECENT:]
    state.history = [*state.history, sample(state.nodes.values(), at)][-HISTORY:]


def expired(node: Node, at: float) -> bool:
    """Whether the node is no longer valid: the server hides it and refuses its reports."""
    return at > times.seconds(node.valid_until)


def start_anew(node: Node, at: float) -> None:
    """Begin the node's next traffic period if the time for it has come."""
    if at >= times.seconds(node.reset_date):
        node.used_traffic, node.reset_date = 0.0, times.next_reset(at, node.reset_cycle)


def sample(nodes: Iterable[Node], at: float) -> Sample:
    """Return the whole service at a time."""
    nodes = list(nodes)
    return Sample(
        times.iso(at),
        sum(node.status == "online" for node in nodes),
        sum(node.connection_count for node in nodes),
        round(sum(node.current_bandwidth for node in nodes), 2),
        sum(node.tier_bandwidth for node in nodes),
    )


def _report(node: Node, random: Random, at: float) -> None:
    start_anew(node, at)
    ceiling = node.tier_bandwidth or node.max_bandwidth
    node.current_bandwidth = round(
        min(node.typical_bandwidth * random.uniform(0.6, 1.4), ceiling), 2
    )
    node.connection_count = min(
        round(node.typical_connections * random.uniform(0.6, 1.4)), node.max_connections
    )
    node.used_traffic += node.current_bandwidth * STEP / MEGABITS_PER_GIGABYTE
    node.status = "online"
    node.last_report_at = times.iso(at)


def _digit(node: Node) -> str:
    """Return 1 for offline, else 2 to 9 for how loaded the node is."""
    if node.status != "online":
        return OFFLINE_DIGIT
    shares = (
        (node.current_bandwidth, node.tier_bandwidth),
        (node.used_traffic, node.max_traffic),
        (node.connection_count, node.max_connections),
    )
    load = 3 * sum(used / allowed for used, allowed in shares if allowed)
    return str(min(max(ceil(load), 2), 9))
