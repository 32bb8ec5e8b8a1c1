"""The EasyTier node manager's API, one method for each endpoint, in the document's order and words.

Servers differ, because the document is newer than the public source: both variants are supported.
Bandwidth is in Mbit/s, traffic in GB. All methods raise:
- AuthenticationError: the session token, or the email address and password, are rejected;
- InvalidInputError: the request is invalid, with a message of ours;
- RejectedError: the service refuses, in its own words;
- UnsupportedError: this server does not have the endpoint;
- UnavailableError: there is no usable answer.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from .. import coerce
from ..errors import (
    AuthenticationError,
    InvalidInputError,
    NodeGoneError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..http import MAX_JSON_BYTES, Answer, Transport
from ..routes import INVALID_NAMES, segment
from ..rows import Row, row_in, rows_in
from ..tokens import Tokens

type Refusals = Mapping[int, Callable[[str], TunnelHubError]]
"""Errors by HTTP status; created with the service's message."""


class MailNotVerifiedError(RejectedError):
    """The account exists, but its email address is not confirmed."""


_SIGNED: Refusals = {401: AuthenticationError}
_ACCOUNT: Refusals = {**_SIGNED, 403: MailNotVerifiedError, 404: AuthenticationError}
"""404: the account was deleted, although its session token is still valid."""
_ONE_NODE: Refusals = {
    **_SIGNED,
    403: lambda _: InvalidInputError("not_node_owner"),
    404: lambda _: NodeGoneError(),
}
_ADMINISTRATOR: Refusals = {**_SIGNED, 403: lambda _: InvalidInputError("not_administrator")}
_LOGIN: Refusals = {
    **_SIGNED,
    403: lambda words: AuthenticationError(words, key="mail_not_verified"),
}
_REPORT: Refusals = {
    403: lambda words: InvalidInputError("report_refused", message=words),
    404: lambda _: NodeGoneError(),
}
_CHECKS: Refusals = {401: lambda _: InvalidInputError("api_key_refused")}
_INITIALIZE: Refusals = {401: lambda _: InvalidInputError("jwt_secret_refused")}

_MAX_BYTES = MAX_JSON_BYTES
"""2,000 nodes with a digit for every ten minutes of 30 days are 10 MB."""

_MISSING_ROUTE = frozenset({404, 405})
_REFUSALS = _MISSING_ROUTE | {401, 403}
_OF_OTHERS = frozenset({"path", "status", "statusCode", "timestamp"})
"""Fields in errors of proxies that the service itself never uses."""


class EasyTierClient:
    """Sends requests with the service's own field names, words and units."""

    def __init__(self, transport: Transport, tokens: Tokens, api_key: str | None = None) -> None:
        """Set up with the transport and the source of the session token.

        api_key: for the EdgeOne checks, if they require one.
        """
        self._transport = transport
        self._tokens = tokens
        self._check_headers = {"X-API-Key": api_key} if api_key else {}

    # /api/auth

    async def register(self, email: str, password: str) -> Row:
        """/api/auth/register: create an account; can be repeated until its address is verified.

        Some servers return `verification_token`, which is otherwise in the email. `warning` means
        that no email could be sent.
        """
        account = {"email": email, "password": password}
        return await self._public("POST", "/api/auth/register", json=account, read=False)

    async def login(self, email: str, password: str) -> Row:
        """/api/auth/login: `token` and `user`."""
        account = {"email": email, "password": password}
        return await self._public(
            "POST", "/api/auth/login", json=account, read=False, refusals=_LOGIN
        )

    async def verify(self, token: str) -> None:
        """/api/auth/verify: verify the email address with the token of the email."""
        await self._public("GET", "/api/auth/verify", {"token": token}, read=False)

    # /api/nodes

    async def my(self) -> list[Row]:
        """/api/nodes/my: the account's nodes, with their secrets."""
        return _nodes(await self._signed("GET", "/api/nodes/my"))

    async def create(self, fields: Mapping[str, object]) -> str | None:
        """/api/nodes, or /api/nodes/ as documented: create a node and return its id.

        fields: node_name, region_type, region_detail, connections, tier_bandwidth,
        max_bandwidth, max_traffic, reset_cycle, max_connections, tags, notes, network_name,
        network_token, valid_until and allow_relay; servers fail without the last two.
        """
        try:
            row = await self._signed("POST", "/api/nodes", json=fields, read=False)
        except UnsupportedError:
            row = await self._signed("POST", "/api/nodes/", json=fields, read=False)
        return coerce.identifier(row.get("node_id"))

    async def update(self, node_id: str, fields: Mapping[str, object]) -> None:
        """/api/nodes/<id>: change only these fields, see create."""
        await self._signed("PUT", _path(node_id), json=fields, read=False, refusals=_ONE_NODE)

    async def delete(self, node_id: str) -> None:
        """/api/nodes/<id>: delete a node; raises NodeGoneError if it does not exist."""
        await self._signed("DELETE", _path(node_id), read=False, refusals=_ONE_NODE)

    # Public endpoints

    async def report(self, fields: Mapping[str, object]) -> Row:
        """/api/report: send the state of a node; return its traffic at the service.

        fields: node_name, email, token (the node's own), current_bandwidth, reported_traffic,
        connection_count, status; tier_bandwidth where it is known.
        """
        return await self._public("POST", "/api/report", json=fields, read=False, refusals=_REPORT)

    async def query(self, wishes: Mapping[str, object]) -> list[Row]:
        """/api/query: nodes to connect to, the best first. wishes: region, priority, relay_only."""
        return _nodes(await self._public("POST", "/api/query", json=wishes))

    async def public(self) -> list[Row]:
        """/api/public: the valid nodes; some servers leave out those that are offline."""
        return _nodes(await self._public("GET", "/api/public", {"show_offline": "true"}))

    async def stats(self) -> Row:
        """/api/stats: totals of the service."""
        return await self._public("GET", "/api/stats")

    # /api/edgeone

    async def check(self, target: Mapping[str, str]) -> Row:
        """/api/edgeone/check: check a node.

        target: server (its address, tcp://IP:PORT), network_name and network_secret.
        """
        return self._found(await self._check("GET", "/api/edgeone/check", target))

    async def batch_check(self, nodes: Sequence[Mapping[str, str]]) -> list[Row]:
        """/api/edgeone/batch-check: check up to twenty nodes; return the results in their order.

        nodes: each as in check.
        """
        row = await self._check("POST", "/api/edgeone/batch-check", json={"nodes": nodes})
        results = row.get("results")
        if not isinstance(results, list) or len(results) != len(nodes):
            raise UnavailableError(Reason.MALFORMED, "not one result for each node")
        return [self._found(result) for result in results]

    def _found(self, result: object) -> Row:
        """Return the result of a check, without the network secret in its message."""
        row = result if isinstance(result, dict) else {}
        return {**row, "error": self._transport.redact(row["error"])} if "error" in row else row

    async def health(self) -> Row:
        """/api/edgeone/health: raises UnsupportedError if the server has no checks."""
        return await self._check("GET", "/api/edgeone/health")

    # /api/system

    async def check_init(self) -> bool:
        """/api/system/check-init: whether the server is initialized.

        Raises InvalidInputError if the answer is not one of a node manager.
        """
        answer = await self._transport.request("GET", "/api/system/check-init", read=True)
        try:
            initialized = self._judged(answer, {}).get("initialized")
        except TunnelHubError:
            raise InvalidInputError("other_service") from None
        if not isinstance(initialized, bool):
            raise InvalidInputError("other_service")
        return initialized

    async def initialize(self, jwt_secret: str, email: str, password: str) -> None:
        """/api/system/initialize: create an empty database with one administrator."""
        fields = {"jwt_secret": jwt_secret, "email": email, "password": password}
        await self._public(
            "POST", "/api/system/initialize", json=fields, read=False, refusals=_INITIALIZE
        )

    # Undocumented, used by the service's own pages

    async def resend_verification(self, email: str) -> None:
        """/api/auth/resend-verification: send another token, which replaces the last one."""
        await self._public(
            "POST", "/api/auth/resend-verification", json={"email": email}, read=False
        )

    async def me(self) -> Row:
        """/api/auth/me: `email`, `is_admin` and `is_verified` of the account.

        Raises MailNotVerifiedError.
        """
        return await self._signed("GET", "/api/auth/me", refusals=_ACCOUNT)

    async def reset_token(self) -> str | None:
        """/api/auth/reset-token: return a new session token; some servers return the same."""
        row = await self._signed("POST", "/api/auth/reset-token", read=False, refusals=_ACCOUNT)
        return coerce.token(row.get("token"))

    async def all(self) -> list[Row]:
        """/api/nodes/all: the nodes of all accounts, for administrators."""
        return _nodes(await self._signed("GET", "/api/nodes/all", refusals=_ADMINISTRATOR))

    async def node(self, node_id: str) -> Row:
        """/api/nodes/<id>: one node."""
        row = await self._signed("GET", _path(node_id), refusals=_ONE_NODE)
        return row_in(row, "node")

    async def regenerate_token(self, node_id: str) -> str | None:
        """/api/nodes/<id>/regenerate-token: return a new report token."""
        path = f"{_path(node_id)}/regenerate-token"
        row = await self._signed("POST", path, read=False, refusals=_ONE_NODE)
        return coerce.token(row.get("token"))

    # Requests

    async def _public(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        json: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        read: bool = True,
        refusals: Refusals | None = None,
    ) -> Row:
        """Send a request that needs no session token."""
        answer = await self._transport.request(
            method,
            path,
            params=params,
            json=json,
            headers=headers,
            read=read,
            max_bytes=_MAX_BYTES,
        )
        return self._judged(answer, refusals or {})

    async def _signed(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        read: bool = True,
        refusals: Refusals = _SIGNED,
    ) -> Row:
        """Send a request with the session token, and again with a new one if it is rejected."""
        return await self._tokens.use(
            lambda token: self._public(
                method,
                path,
                json=json,
                headers={"Authorization": f"Bearer {token}"},
                read=read,
                refusals=refusals,
            )
        )

    async def _check(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        json: Mapping[str, object] | None = None,
    ) -> Row:
        """Request a check, with the API key if there is one."""
        return await self._public(
            method, path, params, json=json, headers=self._check_headers, refusals=_CHECKS
        )

    def _judged(self, answer: Answer, refusals: Refusals) -> Row:
        if answer.status in _MISSING_ROUTE and not answer.is_object:
            # The framework of the service returns this as plain text.
            raise UnsupportedError
        row = answer.mapping()
        if answer.status < HTTPStatus.BAD_REQUEST:
            if not row:
                # The service returns a message for everything, including success.
                raise UnavailableError(Reason.MALFORMED, "nothing in it")
            return row
        words = self._transport.redact(row.get("error")) or f"HTTP {answer.status}"
        if answer.status in _REFUSALS and (
            "error" not in row or answer.repeats_its_status(words) or _OF_OTHERS & row.keys()
        ):
            raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
        raise refusals.get(answer.status, RejectedError)(words)


def _path(node_id: str) -> str:
    if node_id in INVALID_NAMES:
        raise NodeGoneError
    return f"/api/nodes/{segment(node_id)}"


def _nodes(answer: Row) -> list[Row]:
    return rows_in(answer.get("nodes"), "nodes")
