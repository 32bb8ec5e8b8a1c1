"""The API of HY2 SCALE, one method for each endpoint, in the document's order and words.

Errors are HTTP statuses with a line of text. All methods raise:
- AuthenticationError: username and password are rejected;
- RejectedError: the node refuses, in its own words;
- UnsupportedError: this version does not have the route;
- UnavailableError: there is no usable answer.

Most writes to something that does not exist report success. Generations have different structures:
the methods return answers unchanged, and take bodies as this generation requires them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from types import NoneType
from typing import Any, TypeGuard

from aiohttp import FormData

from .. import coerce
from ..errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..http import UPLOAD_LIMITS, Answer, Transport
from ..routes import MissingRoutes, segment
from ..rows import Row, expected, rows_in
from ..tokens import Tokens

type Body = Mapping[str, object] | Sequence[object]

_NODE = "/node"
"""Every version has it."""
_NO_ROUTE = "404 page not found"
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_LARGEST_BACKUP = 64 * 1024**2
_PNG = b"\x89PNG"


def wireguard_peers(server: Row) -> list[Row]:
    """Return the peers of the WireGuard server; null means none."""
    if "peers" not in server:
        raise UnavailableError(Reason.MALFORMED, "no peers")
    return rows_in(server["peers"], "peers", null=True)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


_INTERFACE = "[Interface]"
"""The beginning of a WireGuard configuration."""


def _has(answer: object, name: str) -> TypeGuard[Row]:
    """Return whether an answer is an object with a field."""
    return isinstance(answer, dict) and name in answer


def _from_a_node(answer: Answer) -> Answer:
    """Return an answer that is not the web page of a proxy."""
    if answer.is_html:
        raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
    return answer


def _object_of(event: bytes) -> Row:
    return Answer(HTTPStatus.OK, "application/json", event).mapping()


_ROWS = (list, dict, NoneType)
"""Possible structures of a list of rows: some lists are in an object, some empty ones are null."""


class _NoRouteError(UnsupportedError):
    """The route does not exist."""


class Hy2ScaleClient:
    """Sends requests with the node's own field names.

    on_write: called after each write, successful or not.
    on_node: called with the identity of the node whenever it is read.
    """

    def __init__(
        self, transport: Transport, tokens: Tokens, on_write: Callable[[], None] = lambda: None
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self.on_write = on_write
        self.on_node: Callable[[Row], None] = lambda _: None
        self._routes = MissingRoutes()

    # Signing in

    @property
    def logins(self) -> int:
        """The number of logins."""
        return self._tokens.renewals

    async def login(self, username: str, password_hash: str) -> Row:
        """POST /login, with the SHA-256 of the password: `token`, `force_password_change`.

        A token is extended by its use and kept in the node's memory: it ends with a restart and
        with a new password, but not with other logins.
        """
        credentials = {"username": username, "password": password_hash}
        answer = await self._ask("POST", "/login", read=False, json=credentials)
        # The token ended, so the node has restarted, perhaps as another version.
        self._routes.forget()
        try:
            return self._checked(answer).mapping()
        except UnsupportedError:
            # Every version has this route.
            raise InvalidInputError("no_node_here") from None

    # The node

    async def node(self) -> Row:
        """GET /node: identity, version and Hysteria 2 server."""
        row = await self._object(_NODE)
        self.on_node(row)
        return row

    async def update_node(self, changes: Row) -> None:
        """PUT /node: changes only the given fields."""
        await self._write("PUT", "/node", changes)

    async def stats(self) -> Row:
        """GET /stats: bytes since the program started; 1.3 also bytes per second and numbers."""
        return await self._object("/stats")

    async def topology(self) -> list[Row]:
        """GET /topology: the tree of peers, starting with the node itself."""
        return await self._rows("/topology")

    # Outbound connections

    async def clients(self) -> list[Row]:
        """GET /clients: each with `connected` and its password."""
        return await self._rows("/clients")

    async def create_client(self, row: Row) -> None:
        """POST /clients; ignored if the address is already known."""
        await self._write("POST", "/clients", row)

    async def update_client(self, name: str, row: Row) -> None:
        """PUT /clients/{name}: replaces the row."""
        await self._write("PUT", f"/clients/{segment(name)}", row)

    async def delete_client(self, name: str) -> None:
        """DELETE /clients/{name}."""
        await self._write("DELETE", f"/clients/{segment(name)}")

    async def disable_client(self, name: str, *, disabled: bool) -> None:
        """PUT /clients/{name}/disable: disconnects or connects; can be repeated."""
        path = f"/clients/{segment(name)}/disable"
        await self._write("PUT", path, {"disabled": disabled}, again=True)

    # Peers

    async def peers_of(self, path: str) -> list[Row]:
        """GET /peers/{name}/peers: the peers of a peer; null if it has another version."""
        return await self._rows(f"/peers/{segment(path)}/peers", null=True)

    async def nest_peer(self, path: str, *, enabled: bool) -> None:
        """PUT /peers/{name}/nested."""
        await self._write("PUT", f"/peers/{segment(path)}/nested", {"enabled": enabled})

    # Proxies

    async def proxies(self) -> list[Row]:
        """GET /proxies; in the documented generation with Shadowsocks, and null for none."""
        return await self._rows("/proxies", null=True)

    async def create_proxy(self, row: Row) -> None:
        """POST /proxies; ignored if the id is taken."""
        await self._write("POST", "/proxies", row)

    async def update_proxy(self, id_: str, row: Row) -> None:
        """PUT /proxies/{id}: replaces the row, or adds it."""
        await self._write("PUT", f"/proxies/{segment(id_)}", row)

    async def delete_proxy(self, id_: str) -> None:
        """DELETE /proxies/{id}."""
        await self._write("DELETE", f"/proxies/{segment(id_)}")

    # VPN

    async def l2tp(self) -> Row:
        """GET /l2tp: `reason` contains what is missing."""
        return await self._object("/l2tp")

    async def update_l2tp(self, row: Row) -> None:
        """PUT /l2tp: replaces the row."""
        await self._write("PUT", "/l2tp", row)

    async def ikev2(self) -> Row:
        """GET /ikev2: `reason` contains what is missing. A PUT replaces more fields."""
        return await self._object("/ikev2")

    async def update_ikev2(self, row: Row) -> None:
        """PUT /ikev2: replaces the row, including fields that a GET does not return."""
        await self._write("PUT", "/ikev2", row)

    async def wireguard(self) -> Row:
        """GET /wireguard: the server with its `peers`, including private keys."""
        return await self._object("/wireguard")

    async def update_wireguard(self, row: Row) -> None:
        """PUT /wireguard: replaces the row; keeps the peers if there are none in it."""
        await self._write("PUT", "/wireguard", row)

    async def create_wireguard_peer(self, row: Row) -> None:
        """POST /wireguard/peers."""
        await self._write("POST", "/wireguard/peers", row)

    async def update_wireguard_peer(self, name: str, row: Row) -> None:
        """PUT /wireguard/peers/{name}: replaces the row."""
        await self._write("PUT", f"/wireguard/peers/{segment(name)}", row)

    async def delete_wireguard_peer(self, name: str) -> None:
        """DELETE /wireguard/peers/{name}."""
        await self._write("DELETE", f"/wireguard/peers/{segment(name)}")

    async def wireguard_config(self, name: str, endpoint: str) -> str:
        """GET /wireguard/peers/{name}/config: the file for a peer."""
        answer = await self._get(f"/wireguard/peers/{segment(name)}/config", {"endpoint": endpoint})
        config = coerce.document(answer.text())
        if config is None or _INTERFACE not in config:
            raise UnavailableError(Reason.MALFORMED, "no configuration")
        return config

    async def wireguard_qr(self, **query: str) -> bytes:
        """GET /wireguard/qr: PNG of a `text`; as documented of a `peer`'s file."""
        answer = await self._get("/wireguard/qr", query)
        if not answer.body.startswith(_PNG):
            raise UnavailableError(Reason.MALFORMED, "no picture")
        return answer.body

    async def generate_wireguard_key(self) -> Row:
        """POST /wireguard/generate-key: a new `private_key` and its `public_key`."""
        return (await self._write("POST", "/wireguard/generate-key")).mapping()

    # Users

    async def users(self) -> list[Row]:
        """GET /users: with passwords in plain text; in the documented generation null for none."""
        return await self._rows("/users", null=True)

    async def create_user(self, row: Row) -> None:
        """POST /users; ignored if the name is taken."""
        await self._write("POST", "/users", row)

    async def update_user(self, id_: str, row: Row) -> None:
        """PUT /users/{id}: replaces the row, except the used traffic."""
        await self._write("PUT", f"/users/{segment(id_)}", row)

    async def delete_user(self, id_: str) -> None:
        """DELETE /users/{id}."""
        await self._write("DELETE", f"/users/{segment(id_)}")

    async def toggle_user(self, id_: str, *, enabled: bool) -> None:
        """PUT /users/{id}/toggle."""
        await self._write("PUT", f"/users/{segment(id_)}/toggle", {"enabled": enabled})

    async def reset_traffic(self, id_: str) -> None:
        """PUT /users/{id}/reset-traffic."""
        await self._write("PUT", f"/users/{segment(id_)}/reset-traffic")

    # Sessions

    async def sessions(self) -> list[Row]:
        """GET /sessions: the connected devices."""
        answer = (await self._get("/sessions", shape=_ROWS)).json()
        return rows_in(answer["devices"] if _has(answer, "devices") else answer)

    async def delete_session(self, key: str) -> None:
        """DELETE /sessions/{id}: disconnects a device and locks it out for 60 s."""
        await self._write("DELETE", f"/sessions/{segment(key)}")

    # Rules

    async def rules(self) -> tuple[bool | None, list[Row]]:
        """GET /rules: whether they can be applied, and the rows; as documented null for none."""
        answer = (await self._get("/rules", shape=_ROWS)).json()
        if _has(answer, "rules"):
            return coerce.boolean(answer.get("available")), rows_in(answer["rules"], null=True)
        return None, rows_in(answer, null=True)

    async def create_rule(self, row: Row) -> None:
        """POST /rules."""
        await self._write("POST", "/rules", row)

    async def update_rule(self, id_: str, row: Row) -> None:
        """PUT /rules/{id}: replaces the row."""
        await self._write("PUT", f"/rules/{segment(id_)}", row)

    async def delete_rule(self, id_: str) -> None:
        """DELETE /rules/{id}."""
        await self._write("DELETE", f"/rules/{segment(id_)}")

    async def toggle_rule(self, id_: str, *, enabled: bool) -> None:
        """PUT /rules/{id}/toggle."""
        await self._write("PUT", f"/rules/{segment(id_)}/toggle", {"enabled": enabled})

    async def tun_mode(self) -> Row:
        """GET /rules/tun-mode; since 1.3 this is the path of a rule, which cannot be read."""
        return await self._object("/rules/tun-mode")

    async def update_tun_mode(self, row: Row) -> None:
        """PUT /rules/tun-mode; without a GET it would change a rule of that name."""
        await self._write("PUT", "/rules/tun-mode", row)

    # Certificates

    async def certificates(self) -> list[Row]:
        """GET /tls: null for none."""
        return await self._rows("/tls", null=True)

    async def import_certificate(self, row: Row) -> None:
        """POST /tls/import: `cert` and `key` as PEM."""
        await self._write("POST", "/tls/import", row)

    async def import_certificate_path(self, row: Row) -> None:
        """POST /tls/import-path: `cert_path` and `key_path` on the node's disk."""
        await self._write("POST", "/tls/import-path", row)

    async def generate_certificate(self, row: Row) -> None:
        """POST /tls/generate."""
        await self._write("POST", "/tls/generate", row)

    async def sign_certificate(self, row: Row) -> None:
        """POST /tls/sign."""
        await self._write("POST", "/tls/sign", row)

    async def certificate_pem(self, id_: str) -> str:
        """GET /tls/{id}/pem: the certificate; the key in the answer is discarded."""
        answer = await self._get(f"/tls/{segment(id_)}/pem")
        is_object = answer.body.lstrip().startswith(b"{")
        pem = answer.mapping().get("cert") if is_object else answer.text()
        return expected(coerce.document(pem), "certificate")

    async def delete_certificate(self, id_: str) -> None:
        """DELETE /tls/{id}."""
        await self._write("DELETE", f"/tls/{segment(id_)}")

    # Graph layout

    async def graph_layout(self) -> Row:
        """GET /graph-layout: {positions: {key: {x, y}}}; as documented only the inner object."""
        return await self._object("/graph-layout", empty=True)

    async def graph_layout_stream(self) -> AsyncGenerator[Row]:
        """GET /graph-layout/stream: the layout now and after each change, as in graph_layout.

        The token is in the query, which neither logs nor errors contain.
        """
        path = "/graph-layout/stream"
        self._routes.check(path)

        async def _opened(token: str) -> tuple[AsyncGenerator[bytes], bytes]:
            events = self._transport.stream(
                f"/api{path}",
                params={"token": token},
                check=lambda answer: self._checked(_from_a_node(answer)),
            )
            try:
                if (first := await anext(events, None)) is not None:
                    return events, first
            except BaseException:
                await events.aclose()
                raise
            raise UnavailableError(Reason.MALFORMED, "no events")

        try:
            events, event = await self._tokens.use(_opened)
        except UnsupportedError:
            raise self._routes.missing(path) from None
        async with aclosing(events):
            yield _object_of(event)
            async for event in events:
                yield _object_of(event)

    async def set_graph_layout(self, layout: Row) -> None:
        """PUT /graph-layout: replaces the whole layout."""
        await self._write("PUT", "/graph-layout", layout)

    # The program

    async def backup(self) -> bytes:
        """GET /backup: a tar archive with all secrets."""
        return (await self._get("/backup", max_bytes=_LARGEST_BACKUP)).body

    async def restore(self, archive: bytes) -> None:
        """POST /restore: restores the configuration from a tar archive, and restarts."""
        await self._upload("/restore", archive)

    async def upload_upgrade(self, archive: bytes) -> None:
        """POST /upgrade: installs the program of a .tar.gz archive, and restarts.

        The body is the archive; the document describes a form with a file.
        """
        try:
            await self._upload("/upgrade", archive)
        except RejectedError:
            form = FormData()
            form.add_field("file", archive, filename="upgrade.tar.gz")
            try:
                await self._upload("/upgrade", form)
                return
            except RejectedError:
                pass
            raise

    async def _upload(self, path: str, content: bytes | FormData) -> None:
        try:
            await self._signed("POST", path, read=False, content=content, limits=UPLOAD_LIMITS)
        finally:
            self.on_write()

    async def build_id(self) -> Row:
        """GET /build-id: changes with the web console."""
        return await self._object("/build-id")

    async def build_info(self) -> Row:
        """GET /build-info: the components of the program."""
        return await self._object("/build-info")

    async def update_password(
        self, row: Row, keep: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """PUT /settings/password: all values except the username as SHA-256. Ends all sessions.

        keep: stores the new credentials. Requests that are rejected in the meantime wait for it.
        """

        async def _change(token: str) -> None:
            try:
                await self._answered(
                    "PUT", "/settings/password", read=False, json=row, headers=_bearer(token)
                )
            except AuthenticationError, UnavailableError:
                # The change may have succeeded: the answer was lost, or the HTTP library repeated
                # the request with a token that the first one had ended.
                if not await self._is_accepted(row):
                    raise
            if keep is not None:
                await keep()

        await self._tokens.change(_change)

    async def _is_accepted(self, row: Row) -> bool:
        """Return whether the node already has the new username and password."""
        try:
            await self.login(str(row["new_username"]), str(row["new_password"]))
        except TunnelHubError:
            return False
        return True

    async def ui_settings(self) -> Row:
        """GET /settings/ui: ports, base path, DNS, session lifetime."""
        return await self._object("/settings/ui")

    async def update_ui_settings(self, changes: Row) -> None:
        """PUT /settings/ui: changes only the given fields; some require a restart."""
        await self._write("PUT", "/settings/ui", changes)

    async def check_ports(self, ports: Body) -> Row:
        """POST /check-ports: [{port, proto, desc}] -> {conflicts}; {ports} -> {results}."""
        answer = await self._write("POST", "/check-ports", ports)
        return answer.mapping()

    async def internal_peers(self) -> list[Row]:
        """GET /internal/peers: the data that nodes exchange."""
        return await self._rows("/internal/peers")

    # Additional endpoints of 1.3

    async def disable_peer(self, path: str, *, disabled: bool) -> None:
        """PUT /peers/{name}/disable."""
        await self._write("PUT", f"/peers/{segment(path)}/disable", {"disabled": disabled})

    async def shadowsocks(self) -> Row:
        """GET /ss."""
        return await self._object("/ss")

    async def update_shadowsocks(self, row: Row) -> None:
        """PUT /ss: replaces the row."""
        await self._write("PUT", "/ss", row)

    async def user_conflicts(self) -> Row:
        """GET /users/conflicts: username -> proxy -> names of users with the same password."""
        return await self._object("/users/conflicts", empty=True)

    async def resolve(self, name: str, exit_via: str) -> Row:
        """GET /diag/resolve: `ips`, or `error`."""
        query = {"name": name} | ({"exit_via": exit_via} if exit_via else {})
        return (await self._get("/diag/resolve", query)).mapping()

    async def peer_health(self) -> list[Row]:
        """GET /diag/peer-health: `ping_ok`, `ping_fail` and bytes of each connected direct peer."""
        return await self._peers_in("/diag/peer-health")

    async def peer_rebinds(self) -> list[Row]:
        """GET /diag/peer-rebinds: `rebind_checks` of each connected direct peer."""
        return await self._peers_in("/diag/peer-rebinds")

    async def peer_latency(self) -> list[Row]:
        """GET /diag/peer-latency: the `history` of each connected direct peer, [{at, ms}]."""
        return await self._peers_in("/diag/peer-latency")

    async def _peers_in(self, path: str) -> list[Row]:
        return rows_in((await self._object(path)).get("peers"))

    async def arch(self) -> Row:
        """GET /system/arch: the architecture of the machine."""
        return await self._object("/system/arch")

    async def check_upgrade(self) -> Row:
        """GET /upgrade/check: looks for the newest release, and discards a downloaded one."""
        return await self._object("/upgrade/check")

    async def upgrade_status(self) -> Row:
        """GET /upgrade/status: the state of an upgrade, with problems in `error`."""
        return self.redacted(await self._object("/upgrade/status"), "error")

    async def download_upgrade(self) -> None:
        """POST /upgrade/download: starts to download the result of the last check."""
        await self._write("POST", "/upgrade/download")

    async def apply_upgrade(self) -> None:
        """POST /upgrade/apply: installs it, and restarts."""
        await self._write("POST", "/upgrade/apply")

    # Requests

    async def _rows(self, path: str, *, null: bool = False) -> list[Row]:
        return rows_in((await self._get(path, shape=_ROWS)).json(), null=null)

    async def _object(self, path: str, *, empty: bool = False) -> Row:
        """Read an object.

        empty: whether an empty one is valid.
        """
        row = (await self._get(path, shape=dict)).mapping()
        if not (row or empty):
            raise UnavailableError(Reason.MALFORMED, "nothing in it")
        return row

    async def _get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        shape: type | tuple[type, ...] | None = None,
        **options: Any,
    ) -> Answer:
        """Read a path.

        shape: the JSON structure of the answer, if it is known.
        """
        self._routes.check(path)
        try:
            answer = await self._signed("GET", path, read=True, params=query, **options)
        except UnsupportedError:
            raise self._routes.missing(path) from None
        if shape is None or isinstance(answer.json(), shape):
            self._routes.found(path)
        return answer

    async def _write(
        self, method: str, path: str, body: Body | None = None, *, again: bool = False
    ) -> Answer:
        """Send a change.

        again: whether it can be repeated.
        """
        try:
            return await self._signed(method, path, read=again, json=body)
        finally:
            self.on_write()

    async def _signed(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request with a session token, and check the answer."""
        try:
            return await self._tokens.use(
                lambda token: self._answered(method, path, headers=_bearer(token), **options)
            )
        except _NoRouteError:
            if path == _NODE or await self._is_elsewhere():
                raise InvalidInputError("no_node_here") from None
            raise

    async def _is_elsewhere(self) -> bool:
        """Return whether the base path has changed, so that there is no node here."""
        answer = await self._ask("GET", _NODE, read=True)
        return answer.status == HTTPStatus.NOT_FOUND

    async def _answered(self, method: str, path: str, **options: Any) -> Answer:
        return self._checked(await self._ask(method, path, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request; return the answer if it is from the node, not from a proxy."""
        return _from_a_node(await self._transport.request(method, f"/api{path}", **options))

    def _checked(self, answer: Answer) -> Answer:
        """Return an answer that is not an error of the node."""
        if answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        words = self._words(answer)
        if answer.status in _REFUSALS and words.startswith("{"):
            # The node answers with a line of text.
            raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise AuthenticationError(words)
        if words == _NO_ROUTE:
            raise _NoRouteError
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            raise UnsupportedError
        raise RejectedError(words or f"HTTP {answer.status}")

    def redacted(self, row: Row, name: str) -> Row:
        """Return a row in which a message of the node has no secrets."""
        return {**row, name: self._transport.redact(row[name])} if name in row else row

    def _words(self, answer: Answer) -> str:
        return self._transport.redact(answer.text())
