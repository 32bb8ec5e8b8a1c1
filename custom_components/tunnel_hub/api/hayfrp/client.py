"""The HayFrp OPENAPI, one method for each documented endpoint, in the document's order and words.

The result is the body's `status`; the HTTP status is always 200. An HTTP error comes from a proxy
or firewall, unless its message is one of the service's. All methods raise:
- AuthenticationError: the csrf token, or the username and password, are rejected;
- RejectedError: the service refuses, in its own words;
- UnavailableError: there is no usable answer.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
import re

from .. import coerce
from ..errors import AuthenticationError, Reason, RejectedError, UnavailableError
from ..http import Answer, Transport
from ..models.tunnels import TunnelState
from ..rows import Row, expected, rows_in, rows_of

_MISSING = re.compile("不能为空|参数|无用户类型")
_NO_SESSION = re.compile("csrf|token|登录|授权", re.IGNORECASE)
_BANNED = re.compile("封禁|封停|冻结")
_SURELY_OURS = re.compile("登录|CSRF临时授权|不能为空")
"""Words that identify an answer with an HTTP error as one of the service."""
_ALREADY_SIGNED = re.compile("(?=.*签).*[已过]|.*重复签到|.*已领取")
_ONLINE = {"online": True, "offline": False}
_PAGE = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)
"""The beginning of a complete web page, such as a firewall's. A notice is only a part of one."""
_INTERNAL = re.compile("服务器异常")
_REFUSALS = frozenset({403, 404})
"""Body statuses of refused requests and missing things; a rejected csrf token can have either."""


class AlreadySignedInError(RejectedError):
    """The account has already signed in today."""


class NotFoundError(RejectedError):
    """There is no such thing, or an empty list."""


class HayFrpClient:
    """Sends requests with the service's own field names, words and codes."""

    def __init__(self, transport: Transport) -> None:
        """Set up. The transport must send the header `waf: off`."""
        self._transport = transport
        self._force_down_as_form = False

    # First: accounts, POST /user

    async def login(self, user: str, passwd: str) -> str:
        """LoginAPI: return a csrf token for 7 days, which ends all earlier ones.

        user: username, email address or phone number.
        """
        row = await self._ask("/user", "login", {"user": user, "passwd": passwd}, read=False)
        token = expected(coerce.token(row.get("token")), "token")
        self._transport.secrets.add(passwd)
        return token

    async def csrf(self, csrf: str) -> None:
        """CsrfAPI: raises AuthenticationError if the csrf token is not valid."""
        await self._ask("/user", "csrf", {"csrf": csrf})

    async def register_send_email(self, user: str, device: str, email: str) -> None:
        """RegisterSendEmailAPI: send a registration code by email."""
        await self._ask(
            "/user",
            "sendregcode",
            {"user": user, "device": device, "email": email},
            read=False,
            public=True,
        )

    async def register(self, user: str, device: str, email: str, passwd: str, regcode: str) -> None:
        """RegisterAPI: create an account with the code of the email."""
        await self._ask(
            "/user",
            "register",
            {"user": user, "device": device, "email": email, "passwd": passwd, "regcode": regcode},
            read=False,
            public=True,
        )

    async def get_info(self, csrf: str) -> Row:
        """GetInfoAPI: the account. `status` is true, or false for a banned account."""
        row = _row(await self._send("/user", {"type": "info", "csrf": csrf}))
        if coerce.boolean(row.get("status")) is None:
            _judge(row, self._transport)
        return row

    async def sign(self, csrf: str) -> Row:
        """SignAPI: sign in for today; `signflow` and `flow` in GB.

        Raises AlreadySignedInError for the second one of a day. Servers refuse it with different
        messages, some also for an ended csrf token. The account shows which of the two it is.
        """
        row = _row(await self._send("/user", {"type": "sign", "csrf": csrf}, read=False))
        status, words = coerce.integer(row.get("status")), coerce.text(row.get("message")) or ""
        words = self._transport.redact(words)
        if status in _REFUSALS and _ALREADY_SIGNED.match(words):
            raise AlreadySignedInError(words)
        try:
            _judge(row, self._transport)
        except (AuthenticationError, NotFoundError) as err:
            about_the_csrf = _NO_SESSION.search(words) is not None
            if about_the_csrf and status == HTTPStatus.NOT_FOUND:
                raise
            account = await self.get_info(csrf)
            if about_the_csrf or not coerce.boolean(account.get("status")):
                raise RejectedError(words or f"{status}") from err
            raise AlreadySignedInError(words) from None
        return row

    async def re_token(self, csrf: str) -> str:
        """ReTokenAPI: return a new frp link token. The csrf token ends, too."""
        row = await self._ask("/user", "retoken", {"csrf": csrf}, read=False)
        return expected(coerce.token(row.get("token")), "token")

    async def reset_passwd_send_code(self, user: str) -> None:
        """ResetPasswdSendCodeAPI: send a recovery token by email."""
        await self._ask("/user", "findpassem", {"user": user}, read=False, public=True)

    async def reset_passwd(self, token: str, newpass: str) -> None:
        """ResetPasswdAPI: set a new password with the token of the email."""
        await self._ask(
            "/user", "findpassct", {"token": token, "newpass": newpass}, read=False, public=True
        )

    # Second: tunnels, POST /proxy

    async def add_tunnel(self, csrf: str, fields: Mapping[str, object]) -> str | None:
        """AddTunnelAPI: create a tunnel; return its id, or None if the answer has none.

        fields: proxy_name, proxy_type, local_ip, local_port, remote_port, use_encryption,
        use_compression, sk, node, domain, locations, header_X_From_Where, host_header_rewrite.
        Ports are numbers, bools are the words "true" and "false".
        """
        row = await self._ask("/proxy", "add", {"csrf": csrf, **fields}, read=False)
        return coerce.identifier(row.get("id"))

    async def edit_tunnel(self, csrf: str, tunnel: str, fields: Mapping[str, object]) -> None:
        """EditTunnelAPI: replace all fields of a tunnel, see add_tunnel."""
        await self._ask("/proxy", "edit", {"csrf": csrf, "id": tunnel, **fields}, read=False)

    async def delete_tunnel(self, csrf: str, tunnel: str) -> None:
        """DeleteTunnelAPI."""
        await self._ask("/proxy", "remove", {"csrf": csrf, "id": tunnel}, read=False)

    async def list_tunnel(self, csrf: str, tunnel: str | None = None) -> list[Row]:
        """ListTunnel: the rows of all tunnels, or of one; an empty list if there are none."""
        fields = {} if tunnel is None else {"id": tunnel}
        try:
            row = await self._ask("/proxy", "list", {"csrf": csrf, **fields})
        except NotFoundError:
            return []
        return rows_in(row.get("proxies"), "proxies", null=True)

    async def tunnel_config(
        self, csrf: str, file_format: str, *, node: str = "", proxy: str = ""
    ) -> str:
        """TunnelConfig: the text of a configuration file, which contains the link token.

        file_format: "ini" or "toml". Either node (all its tunnels) or proxy (one tunnel).
        """
        answer = await self._send(
            "/proxy",
            {"type": "config", "format": file_format, "csrf": csrf, "node": node, "proxy": proxy},
        )
        config = coerce.document(answer.text()) or ""
        if config.lstrip()[:1] in ("", "{", "<"):
            _judge(_row(answer), self._transport)
        elif answer.status == 200 and "=" in config:
            return config
        raise UnavailableError(Reason.MALFORMED, "no configuration file")

    async def toggle_tunnel(self, csrf: str, tunnel: str, *, toggle: bool) -> None:
        """ToggleTunnel: enable or disable a tunnel; the server cannot read a JSON bool."""
        word = "true" if toggle else "false"
        await self._ask(
            "/proxy", "toggle", {"csrf": csrf, "id": tunnel, "toggle": word}, read=False
        )

    async def get_tunnel_status(self, csrf: str, tunnel: str) -> TunnelState:
        """GetTunnelStatus: `ostatus`, or if it is missing 200 for online and 500 for offline.

        Only the message shows that the node is offline.
        """
        fields = {"type": "check", "csrf": csrf, "id": tunnel}
        row = _row(await self._send("/proxy", fields))
        message = coerce.text(row.get("message")) or ""
        online = _ONLINE.get((coerce.text(row.get("ostatus")) or "").lower())
        if online is None or coerce.integer(row.get("status")) not in (200, 500):
            try:
                _judge(row, self._transport)
            except RejectedError:
                if "离线" not in message:
                    raise
                online = False
            else:
                online = True
        if online:
            return TunnelState.ONLINE
        return TunnelState.NODE_OFFLINE if "节点" in message else TunnelState.OFFLINE

    async def force_down_tunnel(self, csrf: str, tunnel: str) -> None:
        """ForceDownTunnel: disconnects the client. Some servers require a form instead of JSON."""
        fields = {"type": "forcedown", "csrf": csrf, "id": tunnel}
        if not self._force_down_as_form:
            try:
                answer = await self._send("/proxy", fields, read=False)
                _judge(_row(answer), self._transport)
            except RejectedError as err:
                if not _MISSING.search(err.message):
                    raise
                self._force_down_as_form = True
            else:
                return
        answer = await self._transport.request("POST", "/proxy", form=fields, read=False)
        _judge(_row(answer), self._transport)

    # Third: the service, GET, without an account

    async def get_node_info(self) -> list[Row]:
        """GetNodeInfo: the nodes that are online, with their measurements."""
        return await self._public_nodes("/node")

    async def get_node_list(self) -> list[Row]:
        """GetNodeList: id, name and description of the nodes in operation."""
        return await self._public_nodes("/nodes")

    async def get_notice(self) -> str:
        """GetNotice: the notice as HTML."""
        answer = await self._transport.request("GET", "/notice", read=True)
        notice = answer.text()
        if notice.lstrip().startswith("{"):
            _judge(_row(answer), self._transport, public=True)
        elif answer.status == 200:
            if _PAGE.match(notice):
                raise UnavailableError(Reason.FIREWALL, "HTTP 200")
            return notice
        raise UnavailableError(Reason.MALFORMED, "no notice")

    async def hayfrp_info(self) -> Row:
        """HayFrpINFO: totals of the service; flows in MB."""
        return await self._public("/info")

    async def download_list(self) -> tuple[list[Row], list[Row]]:
        """DownloadList: mirrors and files; the `url` of a file can be relative to a mirror's."""
        row = await self._public("/downlist")
        files = row.get("lists")
        groups: Sequence[object] = list(files.values()) if isinstance(files, dict) else [files]
        return (
            rows_of(row.get("sources") or row.get("source")),
            [file for group in groups for file in rows_of(group)],
        )

    async def version(self) -> Row:
        """Version: the newest version of each program. Only failures have a `status`."""
        row = _row(await self._transport.request("GET", "/version", read=True))
        if "status" in row:
            _judge(row, self._transport, public=True)
        return row

    # Requests

    async def _send(self, path: str, fields: Mapping[str, object], *, read: bool = True) -> Answer:
        return await self._transport.request("POST", path, json=fields, read=read)

    async def _ask(
        self,
        path: str,
        kind: str,
        fields: Mapping[str, object],
        *,
        read: bool = True,
        public: bool = False,
    ) -> Row:
        """Send a documented type of request and check its answer.

        public: whether it needs no login, so that 403 is not a rejected login.
        """
        row = _row(await self._send(path, {"type": kind, **fields}, read=read))
        _judge(row, self._transport, public=public)
        return row

    async def _public(self, path: str) -> Row:
        row = _row(await self._transport.request("GET", path, read=True))
        _judge(row, self._transport, public=True)
        return row

    async def _public_nodes(self, path: str) -> list[Row]:
        """Read a list of nodes, which may be empty."""
        try:
            row = await self._public(path)
        except NotFoundError:
            return []
        return rows_in(row.get("servers"), "servers", null=True)


def _row(answer: Answer) -> Row:
    """Return an answer's object, if it is the service's."""
    row = answer.mapping()
    words = coerce.text(row.get("message")) or ""
    if answer.status >= HTTPStatus.BAD_REQUEST and not _SURELY_OURS.search(words):
        raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
    return row


def _judge(row: Row, transport: Transport, *, public: bool = False) -> None:
    """Raise the error for a body's status and message, if any."""
    status = row.get("status")
    if (code := coerce.integer(status)) == HTTPStatus.OK:
        return
    message = transport.redact(row.get("message"))
    match code:
        case 403 if not public and not _BANNED.search(message):
            raise AuthenticationError(message)
        case 404 if _MISSING.search(message):
            raise RejectedError(message)
        case 404 if not public and _NO_SESSION.search(message):
            raise AuthenticationError(message)
        case 404:
            raise NotFoundError(message or "404")
        case 500 if _INTERNAL.search(message):
            raise UnavailableError(Reason.SERVER_ERROR, message)
        case None if coerce.boolean(status):
            return
        case None if coerce.boolean(status) is None:
            raise UnavailableError(Reason.MALFORMED, "no status")
        case _:
            raise RejectedError(message or f"{status}")
