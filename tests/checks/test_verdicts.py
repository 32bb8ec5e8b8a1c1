"""Tests which part of a tunnel's path is reported as broken."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from custom_components.tunnel_hub.checks.results import Outcome, ServerCertificate
from custom_components.tunnel_hub.checks.verdicts import Findings, Verdict

NOW = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "findings, verdict, contradicts",
    [
        (Findings(outcome=Outcome.REACHED, online=True), Verdict.REACHABLE, False),
        (Findings(outcome=Outcome.REACHED), Verdict.REACHABLE, False),
        # Reached, in spite of all other findings.
        (
            Findings(outcome=Outcome.REACHED, online=False, local=False, node_online=False),
            Verdict.REACHABLE,
            True,
        ),
        (Findings(outcome=Outcome.UNKNOWN, online=True), Verdict.UNKNOWN, False),
        (Findings(outcome=Outcome.NOT_PUBLIC, online=True), Verdict.NOT_CHECKABLE, False),
        # Broken parts, from the local service to the public address.
        (
            Findings(outcome=Outcome.REFUSED, local=False, online=False, node_online=False),
            Verdict.NO_LOCAL_SERVICE,
            False,
        ),
        (
            Findings(outcome=Outcome.NO_ANSWER, local=True, online=False, node_online=False),
            Verdict.NODE_DOWN,
            False,
        ),
        (
            Findings(outcome=Outcome.REFUSED, online=False, node_online=True),
            Verdict.NO_CLIENT,
            False,
        ),
        (
            Findings(outcome=Outcome.REFUSED, online=True, node_online=True),
            Verdict.PORT_CLOSED,
            True,
        ),
        (Findings(outcome=Outcome.REFUSED), Verdict.PORT_CLOSED, False),
        (Findings(outcome=Outcome.NO_ANSWER, online=True), Verdict.NO_ANSWER, True),
        (Findings(outcome=Outcome.DNS, online=True), Verdict.DNS, True),
        (Findings(outcome=Outcome.TLS, online=True), Verdict.TLS, True),
        (Findings(outcome=Outcome.WRONG_ANSWER, online=True), Verdict.WRONG_ANSWER, True),
        # The node answers although the local service is missing.
        (Findings(outcome=Outcome.CLOSED, online=True), Verdict.NO_LOCAL_SERVICE, True),
        (Findings(outcome=Outcome.NODE_PAGE, online=True), Verdict.NO_LOCAL_SERVICE, True),
        (Findings(outcome=Outcome.NODE_PAGE, online=False), Verdict.NO_CLIENT, False),
        (Findings(outcome=Outcome.CLOSED, online=True, local=True), Verdict.WRONG_ANSWER, True),
    ],
)
def test_verdict(findings: Findings, verdict: Verdict, contradicts: bool) -> None:
    assert findings.verdict is verdict
    assert findings.contradicts_service is contradicts


def test_there_is_always_a_verdict() -> None:
    maybe = (None, False, True)
    for outcome, local, online, node in product(Outcome, maybe, maybe, maybe):
        findings = Findings(outcome=outcome, local=local, online=online, node_online=node)
        reached = outcome is Outcome.REACHED
        assert (findings.verdict is Verdict.REACHABLE) is reached


@pytest.mark.parametrize(
    "life, left, soon",
    [
        (timedelta(days=365), timedelta(days=15), False),
        (timedelta(days=365), timedelta(days=13), True),
        (timedelta(days=90), timedelta(days=15), False),
        (timedelta(days=90), timedelta(days=13), True),
        (timedelta(days=6), timedelta(days=3), False),
        (timedelta(days=6), timedelta(days=1), True),
        (timedelta(days=90), timedelta(days=-1), True),
    ],
)
def test_certificate_ends_soon(life: timedelta, left: timedelta, soon: bool) -> None:
    certificate = ServerCertificate(NOW + left - life, NOW + left)
    assert certificate.ends_soon(NOW) is soon
