"""The table of faults that any service can have, and their activation in the simulator."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import override
from unittest.mock import patch

from .names import Names
from .providers import AnyService, Case, Outcome, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of the service.

    kind: the simulator's name, for all calls; options: of that kind.
    slow: requests only end when time passes.
    keeps: the fields that stay unchanged.
    actions_fail: whether each action fails; truncated text looks complete, and an action can
    succeed although its answer is late.
    """

    name: str
    kind: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    outcome: Outcome = Outcome.UNAVAILABLE
    slow: bool = False
    keeps: Callable[[Case], frozenset[str]] | None = None
    actions_fail: bool = True

    @asynccontextmanager
    async def active(self, case: Case, service: AnyService) -> AsyncIterator[None]:
        """Activates the fault within the context."""
        options = dict(self.options)
        if self.keeps is not None:
            options["keep"] = self.keeps(case)
        service.fault("*", self.kind, times=None, **options)
        try:
            yield
        finally:
            service.clear_faults()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage(Fault):
    """The service's ports are closed."""

    @override
    @asynccontextmanager
    async def active(self, case: Case, service: AnyService) -> AsyncIterator[None]:
        """Stops the service within the context."""
        await service.stop()
        try:
            yield
        finally:
            await service.start()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownName(Outage):
    """The service's host name does not resolve."""

    @override
    @asynccontextmanager
    async def active(self, case: Case, service: AnyService) -> AsyncIterator[None]:
        """Makes lookups fail within the context."""
        unknown = OSError(None, "DNS lookup failed")
        async with Outage.active(self, case, service):
            with patch.object(Names, "resolve", side_effect=unknown):
                yield


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFault(Fault):
    """A fault of the account, from the provider's row."""

    trouble: Trouble

    @override
    @asynccontextmanager
    async def active(self, case: Case, service: AnyService) -> AsyncIterator[None]:
        """Activates the fault within the context."""
        self.trouble.begin(service)
        try:
            yield
        finally:
            service.clear_faults()
            self.trouble.end(service)


def _status(status: int, retry_after: str | None = None, body: object = "") -> dict[str, object]:
    headers = {"Retry-After": retry_after} if retry_after else None
    return {"status": status, "headers": headers, "body": body}


_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"


def _gateway_error(status: HTTPStatus) -> dict[str, object]:
    """Returns a reverse proxy's error, with the fields of all common ones."""
    number, words = status.value, status.phrase
    return {
        "status": number,
        "body": {
            "code": number,
            "status": number,
            **dict.fromkeys(("error", "message", "msg"), words),
        },
    }


def _envelope(case: Case) -> frozenset[str]:
    return case.envelope


def _envelope_and_ids(case: Case) -> frozenset[str]:
    return case.envelope | case.ids


_DEPTHS = (
    ("", Outcome.ODD, _envelope_and_ids),
    (", ids too", Outcome.ODD, _envelope),
    (", status too", Outcome.ODD, None),
)

FAULTS = (
    Fault(name="time-out", kind="hang", slow=True),
    Outage(name="connection refused"),
    Fault(name="connection reset", kind="reset"),
    UnknownName(name="name not found"),
    Fault(name="HTTP 500", kind="status", options=_status(500)),
    Fault(name="HTTP 502, HTML", kind="status", options=_status(502, body=_BAD_GATEWAY)),
    Fault(name="HTTP 503, Retry-After", kind="status", options=_status(503, "30")),
    Fault(name="HTTP 429", kind="status", options=_status(429)),
    Fault(name="HTTP 429, Retry-After", kind="status", options=_status(429, "30")),
    Fault(name="the service's own failure", kind="error"),
    Fault(name="firewall page, HTTP 403", kind="html"),
    Fault(name="firewall page, HTTP 468", kind="html", options={"status": 468}),
    Fault(name="firewall page, HTTP 200", kind="html", options={"status": 200}),
    *(
        Fault(
            name=f"a gateway's JSON, HTTP {status}",
            kind="body",
            options=_gateway_error(status),
        )
        for status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    ),
    Fault(name="redirect to a login page", kind="redirect"),
    Fault(name="empty body", kind="empty"),
    Fault(name="cut-off JSON", kind="cut", actions_fail=False),
    Fault(name="JSON: a list", kind="wrong_type", options={"shape": "list"}),
    Fault(name="JSON: a number", kind="wrong_type", options={"shape": "number"}),
    Fault(name="JSON: a string", kind="wrong_type", options={"shape": "string"}),
    Fault(name="JSON: null", kind="wrong_type", options={"shape": "null"}),
    Fault(name="JSON: an empty object", kind="body", options={"body": {}}),
    *(
        Fault(
            name=f"{what}{which}",
            kind="damage",
            options={"to": to},
            outcome=outcome,
            keeps=keeps,
        )
        for to, what in (
            ("absent", "fields missing"),
            ("null", "fields null"),
            ("object", "fields of the wrong type"),
        )
        for which, outcome, keeps in _DEPTHS
    ),
    Fault(
        name="absurdly large numbers",
        kind="damage",
        options={"to": "huge"},
        outcome=Outcome.ODD,
        keeps=_envelope_and_ids,
    ),
    Fault(name="everything twice", kind="double", outcome=Outcome.HEALED),
    Fault(name="a body of 50 MB", kind="huge", options={"megabytes": 50}),
    Fault(name="a gzip bomb of 50 MB", kind="gzip_bomb", options={"megabytes": 50}),
    Fault(name="a slow drip", kind="drip", options={"seconds": 5}, slow=True, actions_fail=False),
)


def faults_of(case: Case) -> tuple[Fault, ...]:
    """Returns all faults for a kind of entry."""
    return FAULTS + tuple(
        AccountFault(name=name, outcome=trouble.outcome, trouble=trouble)
        for name, trouble in case.troubles.items()
    )
