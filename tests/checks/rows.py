"""Targets with the expected results of our check and of Prometheus's blackbox exporter."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from custom_components.tunnel_hub.checks.addresses import Protocol
from custom_components.tunnel_hub.checks.results import CertificateProblem, Outcome

from .servers import (
    DAY,
    Authorities,
    Listener,
    closing,
    endless,
    filtering,
    http_handler,
    listening,
    refusing,
    sends_banner,
    silent,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
NOT_ALLOWED = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
FRP_PAGE = (
    b"<!DOCTYPE html><html><body><h1>The page you requested was not found.</h1>"
    b"<p><em>Faithfully yours, frp.</em></p></body></html>"
)

type Server = Callable[[Authorities], AbstractAsyncContextManager[Listener]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One target.

    blackbox: whether the exporter succeeds. because: why its result differs from ours.
    waits: whether the check waits until its time limit.
    trusted: whether both trust the certificate; None without one.
    """

    name: str
    server: Server
    protocol: Protocol = Protocol.HTTP
    host: str = "127.0.0.1"
    outcome: Outcome = Outcome.REACHED
    status: int | None = None
    problem: CertificateProblem | None = None
    trusted: bool | None = None
    banner: str | None = None
    waits: bool = False
    blackbox: bool
    because: str = ""


def _tls(*hosts: str, trusted: bool = True, start: float = -DAY, days: float = 90) -> Server:
    return lambda authorities: listening(
        http_handler(OK, body=b"hello"),
        certificate=authorities.certificate(
            *hosts,
            issuer=authorities.trusted if trusted else authorities.private,
            start=start,
            days=days,
        ),
    )


def _self_signed(authorities: Authorities) -> AbstractAsyncContextManager[Listener]:
    return listening(
        http_handler(OK, body=b"hello"), certificate=authorities.certificate(issuer=None)
    )


ROWS = (
    Row(
        name="answers over HTTP",
        server=lambda _: listening(http_handler(OK, body=b"hello")),
        status=200,
        blackbox=True,
    ),
    Row(
        name="refuses connections",
        server=lambda _: refusing(),
        protocol=Protocol.TCP,
        outcome=Outcome.REFUSED,
        blackbox=False,
    ),
    Row(
        name="is filtered",
        server=lambda _: filtering(),
        protocol=Protocol.TCP,
        outcome=Outcome.NO_ANSWER,
        waits=True,
        blackbox=False,
    ),
    Row(
        name="answers slowly, but in time",
        server=lambda _: listening(http_handler(OK, body=b"hello", after=0.2)),
        status=200,
        blackbox=True,
    ),
    Row(
        name="answers too slowly",
        server=lambda _: listening(http_handler(OK, after=60)),
        outcome=Outcome.NO_ANSWER,
        waits=True,
        blackbox=False,
    ),
    Row(
        name="HTTPS with a trusted certificate",
        server=_tls(),
        protocol=Protocol.HTTPS,
        status=200,
        trusted=True,
        blackbox=True,
    ),
    Row(
        name="HTTPS, expired",
        server=_tls(start=-90 * DAY, days=89),
        protocol=Protocol.HTTPS,
        status=200,
        problem=CertificateProblem.EXPIRED,
        trusted=False,
        blackbox=True,
    ),
    Row(
        name="HTTPS, of another name",
        server=_tls("example.org"),
        protocol=Protocol.HTTPS,
        status=200,
        problem=CertificateProblem.WRONG_NAME,
        trusted=False,
        blackbox=True,
    ),
    Row(
        name="HTTPS, self-signed",
        server=_self_signed,
        protocol=Protocol.HTTPS,
        status=200,
        problem=CertificateProblem.SELF_SIGNED,
        trusted=False,
        blackbox=True,
    ),
    Row(
        name="HTTPS, of a private authority",
        server=_tls(trusted=False),
        protocol=Protocol.HTTPS,
        status=200,
        problem=CertificateProblem.UNKNOWN_AUTHORITY,
        trusted=False,
        blackbox=True,
    ),
    Row(
        name="redirects",
        server=lambda _: listening(
            http_handler(
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            )
        ),
        status=302,
        blackbox=True,
    ),
    Row(
        name="answers with 500",
        server=lambda _: listening(
            http_handler(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        ),
        status=500,
        blackbox=True,
    ),
    Row(
        name="speaks HTTP/1.0",
        server=lambda _: listening(http_handler(b"HTTP/1.0 200 OK\r\n\r\n", body=b"hello")),
        status=200,
        blackbox=True,
    ),
    Row(
        name="IPv6",
        server=lambda _: listening(http_handler(OK, body=b"hello"), host="::1"),
        host="::1",
        status=200,
        blackbox=True,
    ),
    Row(
        name="answers HTTP with garbage",
        server=lambda _: listening(http_handler(b"\x00\xff\xfegarbage\r\n\r\n")),
        outcome=Outcome.WRONG_ANSWER,
        blackbox=False,
    ),
    Row(
        name="sends the first bytes, as SSH does",
        server=lambda _: listening(sends_banner(b"SSH-2.0-OpenSSH_9.2\r\n")),
        protocol=Protocol.TCP,
        banner="SSH-2.0-OpenSSH_9.2",
        blackbox=True,
    ),
    Row(
        name="half-open: accepts, and never answers HTTP",
        server=lambda _: listening(silent),
        outcome=Outcome.NO_ANSWER,
        waits=True,
        blackbox=False,
    ),
    Row(
        name="waits for the client to send first",
        waits=True,
        server=lambda _: listening(silent),
        protocol=Protocol.TCP,
        blackbox=True,
    ),
    Row(
        name="closes each connection immediately",
        server=lambda _: listening(closing),
        protocol=Protocol.TCP,
        outcome=Outcome.CLOSED,
        blackbox=True,
        because=(
            "The exporter only requires a connection. An frp node also accepts it if nothing "
            "listens at the local address, and then closes it."
        ),
    ),
    Row(
        name="refuses HEAD, answers GET",
        server=lambda _: listening(http_handler(OK, head=NOT_ALLOWED, body=b"hello")),
        status=200,
        blackbox=True,
    ),
    Row(
        name="shows the page of an frp node",
        server=lambda _: listening(
            http_handler(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", body=FRP_PAGE)
        ),
        outcome=Outcome.NODE_PAGE,
        status=404,
        blackbox=True,
        because="The exporter accepts any status; the page says that no tunnel serves the request.",
    ),
    Row(
        name="never ends its headers",
        server=lambda _: listening(endless),
        outcome=Outcome.WRONG_ANSWER,
        blackbox=False,
    ),
    Row(
        name="uses HTTP where HTTPS is expected",
        server=lambda _: listening(sends_banner(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        protocol=Protocol.HTTPS,
        outcome=Outcome.TLS,
        blackbox=False,
    ),
    Row(
        name="closes in the middle of the TLS handshake",
        server=lambda _: listening(closing),
        protocol=Protocol.HTTPS,
        outcome=Outcome.TLS,
        blackbox=False,
    ),
)


def table() -> str:
    """Returns the table for docs/reliability.md that compares both."""
    lines = [
        "| the address | our check | HTTP status | certificate | blackbox exporter |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in ROWS:
        certificate = {None: "", True: "trusted", False: f"not trusted: {row.problem}"}[row.trusted]
        blackbox = ("succeeds" if row.blackbox else "fails") + (
            f". {row.because}" if row.because else ""
        )
        lines.append(
            f"| {row.name} | {row.outcome} | {row.status or ''} | {certificate} | {blackbox} |"
        )
    return "\n".join(lines)
