"""Simulates the reports of nodes' agents and the statistics of the server, every ten minutes."""

from collections.abc import Iterable
from math import ceil
from random import Random

from . import times
from .state import MAX_DIGITS, REPORT_INTERVAL, SAMPLES_PER_DAY, EasyTierState, Node, Sample

MEGABITS_PER_GIGABYTE = 8000
OFFLINE_DIGIT = "1"


def step(state: EasyTierState, random: Random, at: float) -> None:
    """End a period of ten minutes."""
    for node in state.nodes.values():
        if node.reporting and not expired(node, at):
            _report_as_usual(node, random, at)
        elif (
            node.last_report_at is not None
            and times.seconds(node.last_report_at) < at - REPORT_INTERVAL
        ):
            node.status, node.current_bandwidth, node.connection_count = "offline", 0.0, 0
    state.history = [*state.history, sample(state.nodes.values(), at)][-SAMPLES_PER_DAY:]


def expired(node: Node, at: float) -> bool:
    """Return whether the node has expired: the server hides it and rejects its reports.

    The server compares texts, so a node expires at the beginning of its last day.
    """
    return node.valid_until <= times.iso(at)


def used_so_far(node: Node, at: float) -> float:
    """Return the traffic of the node's current period."""
    return 0.0 if at >= times.seconds(node.reset_date) else node.used_traffic


def report(
    node: Node, at: float, *, bandwidth: float, traffic: float, connections: int, status: str
) -> None:
    """Store an agent's report. Its traffic is the total of the period."""
    if at >= times.seconds(node.reset_date):
        node.reset_date = times.next_reset(at, node.reset_cycle)
    node.current_bandwidth, node.used_traffic, node.connection_count = (
        bandwidth,
        traffic,
        connections,
    )
    node.status, node.last_report_at = status, times.iso(at)
    node.recent_status = (node.recent_status + _digit(node))[-MAX_DIGITS:]


def sample(nodes: Iterable[Node], at: float) -> Sample:
    """Return the totals of the service at a time."""
    nodes = list(nodes)
    return Sample(
        times.iso(at),
        sum(node.status == "online" for node in nodes),
        sum(node.connection_count for node in nodes),
        round(sum(node.current_bandwidth for node in nodes), 2),
        sum(node.tier_bandwidth for node in nodes),
    )


def _report_as_usual(node: Node, random: Random, at: float) -> None:
    ceiling = node.tier_bandwidth or node.max_bandwidth
    bandwidth = round(min(node.typical_bandwidth * random.uniform(0.6, 1.4), ceiling), 2)
    report(
        node,
        at,
        bandwidth=bandwidth,
        traffic=used_so_far(node, at) + bandwidth * REPORT_INTERVAL / MEGABITS_PER_GIGABYTE,
        connections=min(
            round(node.typical_connections * random.uniform(0.6, 1.4)), node.max_connections
        ),
        status="online",
    )


def _digit(node: Node) -> str:
    """Return 1 for a node that reports to be offline, otherwise 2 to 9 by its load.

    Bandwidth, traffic and connections are each a third of the load.
    """
    if node.status == "offline":
        return OFFLINE_DIGIT
    shares = (
        (node.current_bandwidth, node.tier_bandwidth),
        (node.used_traffic, node.max_traffic),
        (node.connection_count, node.max_connections),
    )
    load = 3 * sum(used / allowed for used, allowed in shares if allowed > 0)
    return str(min(max(ceil(load), 2), 9))
