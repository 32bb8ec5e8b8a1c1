"""The ChmlFrp API v2, one method for each endpoint, in the document's order and words.

The result is the body's `code`; the HTTP status is mostly 200. All methods raise:
- AuthenticationError: the token, or the username and password, are rejected;
- RejectedError: the service refuses, in its own words;
- UnsupportedError: this server does not have the endpoint;
- UnavailableError: there is no usable answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
import re

from .. import coerce
from ..errors import AuthenticationError, Reason, RejectedError, UnavailableError, UnsupportedError
from ..http import Answer, Transport
from ..models.account import Captcha
from ..rows import Row, expected, row_in, rows_in, rows_of
from ..tokens import Tokens

_ABOUT_A_CODE = re.compile("验证码|code")
_ABOUT_A_PASSWORD = re.compile("密码")
_ACCESS_TOKEN_WANTED = re.compile("access_token")
_ALREADY_SIGNED = re.compile("重复签到|已.*签到")
_BEHIND_IT_UNREACHABLE = re.compile("无法连接")
_GONE = re.compile("不存在|不属于")
_MISSING_ROUTE = frozenset({404, 405})
_REFUSALS = frozenset({401, 403})
_ABOUT_A_SIGN_IN = re.compile("无效的|错误的|登录|密码", re.IGNORECASE)
_REFUSED_TOKEN = re.compile("(无效|错误|过期)的(Token|登录状态)", re.IGNORECASE)
_SUCCESS = "success"

type Keep = Callable[[], Awaitable[None]]


class AlreadySignedInError(RejectedError):
    """The account has already signed in today."""


class CodeWantedError(RejectedError):
    """The service requires a code from an email."""


class GoneError(RejectedError):
    """The thing does not exist, or belongs to another account."""


class ChmlFrpClient:
    """Sends requests with the service's own field names, words and codes."""

    def __init__(self, transport: Transport, tokens: Tokens) -> None:
        self._transport = transport
        self._tokens = tokens
        self._token_in_header: bool | None = None

    # Accounts

    async def login(self, username: str, password: str) -> Row:
        """/login: the account's row with its `usertoken`.

        username: username, email address or QQ number. Servers that require an access token instead
        of a password raise an AuthenticationError with its own message.
        """
        try:
            return _row(
                await self._public(
                    "GET", "/login", {"username": username, "password": password}, read=False
                )
            )
        except RejectedError as err:
            if _ACCESS_TOKEN_WANTED.search(err.message):
                raise AuthenticationError(err.message, key="password_sign_in_off") from None
            raise

    async def sendmailcode(self, kind: str, mail: str) -> None:
        """/sendmailcode: send a code by email.

        kind: "register" or "retoken".
        """
        await self._public("POST", "/sendmailcode", {"type": kind, "mail": mail}, read=False)

    async def register(self, username: str, password: str, mail: str, qq: str, code: str) -> None:
        """/register: create an account with the code from the email."""
        await self._public(
            "GET",
            "/register",
            {"username": username, "password": password, "mail": mail, "qq": qq, "code": code},
            read=False,
        )

    async def userinfo(self) -> Row:
        """/userinfo: the account, including its `usertoken`; totals in bytes."""
        return _row(await self._signed("GET", "/userinfo"))

    async def retoken(self, code: str | None) -> None:
        """/retoken: replace the API token.

        code: from the email; raises CodeWantedError if the service requires one.
        """
        try:
            await self._signed("GET", "/retoken", {"code": code} if code else None, read=False)
        except RejectedError as err:
            if code is None and _ABOUT_A_CODE.search(err.message):
                raise CodeWantedError(err.message) from None
            raise

    async def qiandao(self, captcha: Captcha) -> str:
        """/qiandao: sign in for today; returns the service's message, which contains the points.

        Raises AlreadySignedInError for the second sign-in of a day.
        """
        try:
            row = await self._signed("POST", "/qiandao", json=asdict(captcha), read=False)
        except RejectedError as err:
            if _ALREADY_SIGNED.search(err.message):
                raise AlreadySignedInError(err.message) from None
            raise
        return self._transport.redact(row.get("msg"))

    async def reset_password(
        self, original_password: str, new_password: str, keep: Keep | None = None
    ) -> None:
        """/reset_password. A wrong password is not a rejected token.

        keep: as in update_username.
        """
        passwords = {"original_password": original_password, "new_password": new_password}
        try:
            await self._signed("GET", "/reset_password", passwords, read=False, keep=keep)
        except AuthenticationError as err:
            if _ABOUT_A_PASSWORD.search(err.message):
                raise RejectedError(err.message) from None
            raise

    async def update_username(self, new_username: str, keep: Keep | None = None) -> None:
        """/update_username.

        keep: stores the new credentials once the service has accepted them.
        """
        name = {"new_username": new_username}
        await self._signed("GET", "/update_username", name, read=False, keep=keep)

    async def update_qq(self, new_qq: str) -> None:
        """/update_qq."""
        await self._signed("GET", "/update_qq", {"new_qq": new_qq}, read=False)

    async def update_userimg(self, new_userimg: str) -> None:
        """/update_userimg: the picture, as a URL."""
        await self._signed("GET", "/update_userimg", {"new_userimg": new_userimg}, read=False)

    # Tunnels

    async def tunnel(self) -> list[Row]:
        """/tunnel: rows of all tunnels; traffic in bytes. Having none is null or an empty list."""
        return _rows(await self._signed("GET", "/tunnel"))

    async def create_tunnel(self, fields: Mapping[str, object]) -> str | None:
        """/create_tunnel: the new tunnel's id, or None if the answer does not contain it.

        fields: tunnelname, node (a name), localip, porttype, localport, remoteport or banddomain,
        encryption, compression, extraparams.
        """
        answer = await self._signed("POST", "/create_tunnel", json=fields, read=False)
        data = answer.get("data")
        return coerce.identifier(data.get("id")) if isinstance(data, dict) else None

    async def deletetunnel(self, tunnelid: str) -> None:
        """/delete_tunnel, or the documented /deletetunnel on servers without it.

        Raises GoneError for a tunnel that does not exist.
        """
        fields = {"tunnelid": tunnelid}
        try:
            await self._signed("GET", "/delete_tunnel", fields, read=False)
        except UnsupportedError:
            await self._signed("POST", "/deletetunnel", fields, read=False)

    async def update_tunnel(self, tunnelid: str, fields: Mapping[str, object]) -> None:
        """/update_tunnel: replace all fields of a tunnel, see create_tunnel."""
        fields = {"tunnelid": coerce.integer(tunnelid), **fields}
        await self._signed("POST", "/update_tunnel", json=fields, read=False)

    async def tunnel_config(self, node: str, tunnel_names: str = "") -> str:
        """/tunnel_config: the text of an INI file, which contains the API token.

        tunnel_names: separated by commas; by default all of the node's.
        """
        fields = {"node": node, "tunnel_names": tunnel_names}
        answer = await self._signed("GET", "/tunnel_config", fields)
        return expected(coerce.document(answer.get("data")), "configuration file")

    # Nodes

    async def node(self) -> list[Row]:
        """/node: the properties of each node."""
        return _rows(await self._public("GET", "/node"))

    async def nodeinfo(self, node: str) -> Row:
        """/nodeinfo: one node with its machine and its secrets.

        node: its name.
        """
        return _row(await self._signed("GET", "/nodeinfo", {"node": node}))

    async def node_stats(self) -> list[Row]:
        """/node_stats: the load of each node; traffic in bytes."""
        return _rows(await self._public("GET", "/node_stats"))

    async def node_uptime(self, days: int, node: str | None = None) -> list[Row]:
        """/node_uptime: of one node or all, percent for each day. days: at most 90."""
        fields = {"time": str(days)} | ({} if node is None else {"node": node})
        return _rows(await self._public("GET", "/node_uptime", fields))

    async def node_status_info(self, nodename: str) -> Row:
        """/node_status_info: all measurements of a node, 2 MB."""
        return _row(await self._public("GET", "/node_status_info", {"nodename": nodename}))

    # The panel and versions

    async def panelinfo(self) -> Row:
        """/panelinfo: totals of the service."""
        return _row(await self._public("GET", "/panelinfo"))

    async def download_info(self) -> Row:
        """/download_info: the newest client program and its files. Undocumented."""
        return _row(await self._public("GET", "/download_info"))

    async def app_version(self, loader: str, minecraft: str, kind: str) -> Row:
        """/app_version: documented as not working yet; a plain 404 raises UnsupportedError."""
        fields = {"Loader": loader, "Minecraft": minecraft, "type": kind}
        return _row(await self._public("GET", "/app_version", fields))

    # Free subdomains

    async def list_available_domains(self) -> list[Row]:
        """/list_available_domains: the domains for subdomains."""
        return _rows(await self._public("GET", "/list_available_domains"))

    async def create_free_subdomain(self, fields: Mapping[str, str]) -> None:
        """/create_free_subdomain. fields: domain, record, type, target, ttl, remarks."""
        await self._signed("POST", "/create_free_subdomain", json=fields, read=False)

    async def delete_free_subdomain(self, domain: str, record: str) -> None:
        """/delete_free_subdomain. Raises GoneError for one that does not exist."""
        fields = {"domain": domain, "record": record}
        await self._signed("POST", "/delete_free_subdomain", json=fields, read=False)

    async def update_free_subdomain(self, fields: Mapping[str, str]) -> None:
        """/update_free_subdomain: target and ttl. fields: domain, record, target, ttl, remarks."""
        await self._signed("POST", "/update_free_subdomain", json=fields, read=False)

    async def get_user_free_subdomains(self) -> list[Row]:
        """/get_user_free_subdomains: the account's subdomains."""
        return _rows(await self._signed("GET", "/get_user_free_subdomains"))

    # Undocumented, used by the panel

    async def offline_tunnel(self, tunnel_name: str) -> None:
        """/offline_tunnel: disconnects the client of a tunnel."""
        await self._signed("POST", "/offline_tunnel", form={"tunnel_name": tunnel_name}, read=False)

    async def refresh_tunnel(self, tunnel_name: str) -> Row:
        """/refresh_tunnel: make the node update the tunnel; its times have no year."""
        form = {"tunnel_name": tunnel_name}
        return _row(await self._signed("POST", "/refresh_tunnel", form=form))

    async def offline_user_nodes(self) -> Row:
        """/offline_user_nodes: disconnects the clients of all tunnels; `results` by node."""
        return _row(await self._signed("GET", "/offline_user_nodes", read=False))

    async def qiandao_info(self) -> Row:
        """/qiandao_info: totals of the daily sign-in; times in UTC+8."""
        return _row(await self._signed("GET", "/qiandao_info"))

    async def flow_last_7_days(self) -> list[Row]:
        """/flow_last_7_days: the account's bytes of each day, "MM-DD", today last."""
        return _rows(await self._signed("GET", "/flow_last_7_days"))

    async def tunnel_last7days(self, tunnel_id: str) -> Row:
        """/tunnel/last7days: a tunnel's bytes of each day, two lists, today last."""
        return _row(await self._signed("GET", "/tunnel/last7days", {"tunnel_id": tunnel_id}))

    async def messages(self) -> list[Row]:
        """/messages: messages to the account and to all, as HTML."""
        return _rows(await self._signed("GET", "/messages"))

    async def message_list(self) -> list[Row]:
        """/message/list: the newest notices to all, as Markdown, the newest first."""
        fields = {"page": "1", "size": "20"}
        return rows_of(_row(await self._signed("GET", "/message/list", fields)).get("messages"))

    async def message_detail(self, message_id: str) -> Row:
        """/message/detail: one notice with its text, as Markdown."""
        return _row(await self._signed("GET", "/message/detail", {"id": message_id}))

    async def ssl_list(self) -> list[Row]:
        """/ssl/list: the account's certificates."""
        return rows_of(_row(await self._signed("GET", "/ssl/list")).get("certificates"))

    # Requests

    async def _public(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        read: bool = True,
    ) -> Row:
        """Send a request that needs no token."""
        return self._row_of(await self._transport.request(method, path, params=params, read=read))

    def _row_of(self, answer: Answer) -> Row:
        """Return the object of an answer that is not a refusal."""
        row = _mapping(answer)
        _judge(row, self._transport)
        return row

    async def _signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        read: bool = True,
        keep: Keep | None = None,
    ) -> Row:
        """Send a request with the token, and again with a new one if it is rejected.

        keep: stores the new credentials, if the request changes them.
        """

        async def _ask(token: str, *, in_header: bool) -> Row:
            fields, body, headers = dict(params or {}), json, {}
            if in_header:
                headers["Authorization"] = f"Bearer {token}"
            elif json is not None:
                body = {"token": token, **json}
            else:
                fields["token"] = token
            answer = await self._transport.request(
                method, path, params=fields, json=body, form=form, headers=headers, read=read
            )
            return self._row_of(answer)

        async def _ask_in_known_style(token: str) -> Row:
            try:
                row = await _ask(token, in_header=self._token_in_header is not False)
            except AuthenticationError:
                # The server may only accept the token where the document says.
                if self._token_in_header is not None or not self._tokens.documented_style:
                    raise
                row = await _ask(token, in_header=False)
                self._token_in_header = False
            else:
                self._token_in_header = self._token_in_header is not False
            return row

        if keep is None:
            return await self._tokens.use(_ask_in_known_style)

        async def _ask_and_keep(token: str) -> Row:
            row = await _ask_in_known_style(token)
            await keep()
            return row

        return await self._tokens.change(_ask_and_keep)


def _mapping(answer: Answer) -> Row:
    """Return an answer's object. Servers report missing routes as text or as JSON."""
    try:
        row = answer.mapping()
    except UnavailableError:
        if answer.status in _MISSING_ROUTE and not answer.is_html:
            raise UnsupportedError from None
        raise
    if answer.status in _REFUSALS and not _is_ours(row, answer):
        raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
    return row


def _is_ours(row: Row, answer: Answer) -> bool:
    """Return whether a refusal is from the service itself, not from a proxy."""
    words = coerce.text(row.get("msg")) or ""
    return not answer.repeats_its_status(words) and (
        "state" in row or _ABOUT_A_SIGN_IN.search(words) is not None
    )


def _row(answer: Row) -> Row:
    """Return the data of an answer, which must be an object."""
    return row_in(answer, "data")


def _rows(answer: Row) -> list[Row]:
    """Return the data of an answer, which must be a list; null is an empty one."""
    return rows_in(answer.get("data"), null=True)


def _judge(row: Row, transport: Transport) -> None:
    """Raise the error for a body's code, state and message, if any.

    If there is a state, it must be "success", whatever the code is.
    """
    message = transport.redact(row.get("msg"))
    state = coerce.text(row.get("state"))
    match coerce.integer(row.get("code")):
        case 200 if state in (None, _SUCCESS):
            return
        case None if coerce.integer(row.get("status")) in _MISSING_ROUTE:
            # The framework of the service answers like this if a route does not exist.
            raise UnsupportedError
        case None:
            raise UnavailableError(Reason.MALFORMED, "no code")
        case 401:
            raise AuthenticationError(message)
        case 400 | 403 if _REFUSED_TOKEN.search(message):
            raise AuthenticationError(message)
        case code if code >= 500 or _BEHIND_IT_UNREACHABLE.search(message):
            raise UnavailableError(Reason.SERVER_ERROR, message)
        case _ if _GONE.search(message):
            raise GoneError(message)
        case code:
            raise RejectedError(message or f"{code}")
