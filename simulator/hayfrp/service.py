"""The endpoints of HayFrp."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
import re
from typing import ClassVar, override

from aiohttp import web

from simulator.faults import FIREWALL_PAGE
from simulator.service import Answer, Call, RefusedError, RouteTable, Service
from simulator.shanghai import DAY, local, midnight, spans

from . import frpc
from .state import Account, HayFrpState, Mail, Node, Tunnel, first_state, new_account, token
from .varying_types import documented, vary_types

CSRF_LIFETIME = 7 * DAY
MAIL_PAUSE = 60
MEGABYTE = 1024 * 1024
PORTS = range(1, 65501)
NAME_LENGTHS = range(3, 16)
TYPES_WITH_PORT = ("tcp", "udp")
WEB_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
TYPES = (*TYPES_WITH_PORT, *WEB_PORTS, "xtcp", "stcp")

SERVER_ERROR = "服务器异常,请稍后重试."
NOT_SIGNED_IN = "登录无效或已过期."
NULLS = {"login": "token", "csrf": "token", "info": "token", "retoken": "token", "sign": "flow"}
"""The field that is null in an error answer of /user, by type."""


class HayFrpService(Service[HayFrpState]):
    """A HayFrp. `state.settings` selects the behavior of different versions."""

    NAME = "hayfrp"
    ROUTES: ClassVar = RouteTable()

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        return {"username": self.account.username, "password": self.account.password}

    @property
    @override
    def other_credentials(self) -> Mapping[str, str]:
        other = self.state.accounts["other"]
        return {"username": other.username, "password": other.password}

    @property
    def account(self) -> Account:
        """The demo account."""
        return next(iter(self.state.accounts.values()))

    def online(self, tunnel: Tunnel) -> bool:
        """Return whether the tunnel is enabled, its node online and its client connected."""
        back_after = self.state.settings.reconnects_after
        node = self.state.nodes.get(tunnel.node)
        back = tunnel.kicked_at is None or (
            back_after is not None and self.now() >= tunnel.kicked_at + back_after
        )
        return bool(tunnel.enabled and node and node.online and tunnel.client_running and back)

    @property
    @override
    def open_addresses(self) -> Iterable[str]:
        for tunnel in filter(self.online, self.state.tunnels.values()):
            if port := WEB_PORTS.get(tunnel.proxy_type):
                yield f"{tunnel.domain}:{port}"
            elif tunnel.proxy_type in TYPES_WITH_PORT:
                yield f"{self.state.nodes[tunnel.node].domain}:{tunnel.remote_port}"

    def clients_at(self, node: Node) -> int:
        """Return the number of clients at a node: those of other accounts, and one per tunnel."""
        ours = (tunnel for tunnel in self.state.tunnels.values() if tunnel.node == node.id)
        return node.clients + sum(map(self.online, ours))

    def signed_today(self, account: Account) -> bool:
        """Return whether the account signed in on this day in Shanghai."""
        return account.signdate is not None and account.signdate >= midnight(self.now())

    @override
    def new_state(self) -> HayFrpState:
        options = self.options
        return first_state(self.random, self.now(), options.tunnels, options.nodes)

    @override
    def kind_of(self, call: Call) -> str:
        return str(_field(call, "type") or "")

    @override
    def guard(self, call: Call) -> None:
        if call.headers.get("waf") != "off":
            raise RefusedError(
                web.Response(text=FIREWALL_PAGE, status=403, content_type="text/html")
            )

    @override
    def fallback(self, call: Call) -> Answer:
        if call.method == "POST" and call.path in {"/user", "/proxy"}:
            return {"status": 404, "message": "无用户类型."}
        return super().fallback(call)

    @override
    def broken(self, call: Call) -> Answer:
        return _refusal(call, 500, SERVER_ERROR)

    @override
    def elapse(self, start: float, end: float) -> None:
        for seconds, day_ends in spans(start, end):
            self._grow(seconds)
            if day_ends:
                self._new_day()

    def _grow(self, seconds: float) -> None:
        for node in self.state.nodes.values():
            if node.online:
                node.traffic_in += node.rate_in * seconds
                node.traffic_out += node.rate_out * seconds
                self.state.total_in += node.rate_in * seconds / MEGABYTE
                self.state.total_out += node.rate_out * seconds / MEGABYTE
        for tunnel in self.state.tunnels.values():
            if self.online(tunnel):
                owner = self.state.accounts[tunnel.username]
                owner.today_bytes += tunnel.rate * seconds
                owner.traffic = max(owner.traffic - tunnel.rate * seconds / MEGABYTE, 0)

    def _new_day(self) -> None:
        self.state.today_runs = 0
        for node in self.state.nodes.values():
            node.traffic_in = node.traffic_out = 0
        for account in self.state.accounts.values():
            account.today_bytes = 0

    # /user

    @ROUTES.on("POST", "/user", "login")
    def login(self, call: Call) -> Answer:
        """Return a new csrf token, which invalidates the previous one."""
        user, password = _need(call, "user", "passwd")
        account = self._find(user)
        if account is None:
            return _refusal(call, 404, "用户还没有注册.")
        if account.password != password:
            return _refusal(call, 403, "登录失败,您的密码有误.")
        account.csrf, account.csrf_since = token(self.random), self.now()
        return _success("登录成功,欢迎使用HayFrp!", token=account.csrf)

    @ROUTES.on("POST", "/user", "csrf")
    def csrf(self, call: Call) -> Answer:
        """Report whether a csrf token is valid."""
        return _success("登录成功,欢迎使用HayFrp!", token=self._signed_in(call).csrf)

    @ROUTES.on("POST", "/user", "sendregcode")
    def sendregcode(self, call: Call) -> Answer:
        """Send a registration code by email."""
        user, _, email = _need(call, "user", "device", "email")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return _refusal(call, 500, SERVER_ERROR)
        if any(
            mail.to == email and self.now() < mail.at + MAIL_PAUSE for mail in self.state.mailbox
        ):
            return _refusal(call, 403, "请求过于频繁,请稍后重试.")
        self._mail(email, "register", f"{self.random.randrange(1_000_000):06d}", user)
        return _success("系统已将验证码发送到您的账户,请查收.")

    @ROUTES.on("POST", "/user", "register")
    def register(self, call: Call) -> Answer:
        """Register an account with the code."""
        user, _, email, password, code = _need(call, "user", "device", "email", "passwd", "regcode")
        if user in self.state.accounts:
            return _refusal(call, 403, "用户名已存在.")
        mail = self._mail_with_code("register", code)
        if mail is None or (mail.to, mail.user) != (email, user):
            return _refusal(
                call, 404, "验证码有误或者原用户名/邮箱在发送验证码后已更改,请重新发送."
            )
        self.state.mailbox.remove(mail)
        number = str(max(int(account.id) for account in self.state.accounts.values()) + 1)
        self.state.accounts[user] = new_account(
            self.random, self.now(), number, username=user, password=password, email=email
        )
        return _success("注册成功,欢迎使用HayFrp.")

    @ROUTES.on("POST", "/user", "info")
    def info(self, call: Call) -> Answer:
        """Describe the account."""
        account = self._signed_in(call)
        used = sum(tunnel.username == account.username for tunnel in self.state.tunnels.values())
        fine = not account.banned
        text_status = self.options.seed % 2 == 0 and self.state.settings.wandering_types
        return {
            "status": documented(fine) if text_status else fine,
            "message": ("CSRF 仍然在有效范围内,成功获取用户数据." if fine else "您的账号已被封禁."),
            **self._typed(
                f"account/{account.id}",
                {
                    "id": account.id,
                    "username": account.username,
                    "token": account.link_token,
                    "email": account.email,
                    "traffic": round(account.traffic),
                    "realname": account.realname,
                    "proxies": account.quota,
                    "useproxies": used,
                    "regtime": account.regtime,
                    "signdate": self._signdate(account),
                    "totalsign": account.totalsign,
                    "totaltraffic": account.totaltraffic,
                    "todaytraffic": round(account.today_bytes),
                    "qid": account.qid,
                    "sprovider": account.sprovider,
                    "uuid": account.uuid,
                },
            ),
        }

    @ROUTES.on("POST", "/user", "sign")
    def sign(self, call: Call) -> Answer:
        """Add the traffic of the day, once."""
        account = self._signed_in(call, 404, "CSRF临时授权无效或已过期.")
        if self.signed_today(account):
            settings = self.state.settings
            return _refusal(call, settings.already_signed_status, settings.already_signed_words)
        gained = self.random.randrange(100, 500) / 100
        account.signdate = int(self.now())
        account.totalsign = (account.totalsign or 0) + 1
        account.totaltraffic = round((account.totaltraffic or 0) + gained, 2)
        account.traffic += gained * 1024
        left = round(account.traffic / 1024, 2)
        flow = {"signflow": gained} if self.state.settings.sign_tells_flow else {}
        return _success(
            f"🎉签到成功,您今天获得了{gained}GB的流量,您目前还剩{left}GB流量.",
            **self._typed("sign", {**flow, "flow": left}),
        )

    @ROUTES.on("POST", "/user", "retoken")
    def retoken(self, call: Call) -> Answer:
        """Replace the frp link token, which invalidates the csrf token."""
        account = self._signed_in(call)
        account.link_token, account.csrf = token(self.random), None
        return _success(
            f"重置成功,您的Token为已被重置为{account.link_token}.", token=account.link_token
        )

    @ROUTES.on("POST", "/user", "findpassem")
    def findpassem(self, call: Call) -> Answer:
        """Email a token for a new password."""
        user = _field(call, "user")
        if not user:
            return _refusal(call, 404, "电子邮件或用户名不能为空.")
        account = self._find(str(user))
        if account is None:
            return _refusal(call, 404, "未找到账户,请检查您的用户名或邮箱.")
        self._mail(account.email, "password", token(self.random), account.username)
        return _success("我们已经尝试了发送一封邮件到该账号的邮箱,请查收。")

    @ROUTES.on("POST", "/user", "findpassct")
    def findpassct(self, call: Call) -> Answer:
        """Set a new password with the token."""
        code, password = _need(call, "token", "newpass")
        mail = self._mail_with_code("password", code)
        if mail is None:
            return _refusal(call, 500, "密码重置失败,请检查您的Token后重试.")
        self.state.mailbox.remove(mail)
        self.state.accounts[mail.user].password = password
        return _success(f"密码重置成功,您的密码已被更改为{password}.")

    # /proxy

    @ROUTES.on("POST", "/proxy", "add")
    def add(self, call: Call) -> Answer:
        """Create a tunnel."""
        account = self._signed_in(call)
        number = str(max(map(int, self.state.tunnels), default=0) + 1)
        tunnel = self._tunnel(call, account, number)
        used = sum(other.username == account.username for other in self.state.tunnels.values())
        if used >= account.quota:
            return _refusal(call, 500, "您的隧道数量已达上限.")
        self.state.tunnels[number] = tunnel
        return _success("隧道创建成功.", id=number)

    @ROUTES.on("POST", "/proxy", "edit")
    def edit(self, call: Call) -> Answer:
        """Replace a tunnel: missing fields become empty."""
        account = self._signed_in(call)
        old = self._own_tunnel(call, account)
        self.state.tunnels[old.id] = replace(
            self._tunnel(call, account, old.id),
            enabled=old.enabled,
            client_running=old.client_running,
            kicked_at=old.kicked_at,
            rate=old.rate,
        )
        return _success("隧道更新成功.", id=old.id)

    @ROUTES.on("POST", "/proxy", "remove")
    def remove(self, call: Call) -> Answer:
        """Delete a tunnel."""
        del self.state.tunnels[self._own_tunnel(call, self._signed_in(call)).id]
        return _success("隧道删除成功.")

    @ROUTES.on("POST", "/proxy", "list")
    def list_tunnels(self, call: Call) -> Answer:
        """List the account's tunnels, or one of them."""
        account = self._signed_in(call)
        rows = [
            tunnel
            for tunnel in self.state.tunnels.values()
            if tunnel.username == account.username and _field(call, "id") in {None, "", tunnel.id}
        ]
        empty_status = self.state.settings.empty_list_status
        if not rows and empty_status != 200:
            return _refusal(call, empty_status, "没有找到隧道.")
        return _success(
            "获取成功.", **self._list("proxies", [self._row(tunnel) for tunnel in rows])
        )

    @ROUTES.on("POST", "/proxy", "config")
    def config(self, call: Call) -> Answer:
        """Return frpc's configuration file for one tunnel, or for all of a node."""
        account = self._signed_in(call)
        (style,) = _need(call, "format")
        writer = {"ini": frpc.ini, "toml": frpc.toml}.get(style)
        if writer is None:
            return _refusal(call, 404, "配置文件格式有误.")
        if _field(call, "node") and _field(call, "proxy"):
            return _refusal(call, 404, "节点ID与隧道ID不可同时存在.")
        if _field(call, "node"):
            node = self._node(call, _text(call, "node"))
            tunnels = [
                tunnel
                for tunnel in self.state.tunnels.values()
                if (tunnel.node, tunnel.username) == (node.id, account.username)
            ]
        else:
            tunnels = [self._own_tunnel(call, account, "proxy")]
            node = self._node(call, tunnels[0].node)
        return web.Response(text=writer(account, node, tunnels))

    @ROUTES.on("POST", "/proxy", "toggle")
    def toggle(self, call: Call) -> Answer:
        """Enable or disable a tunnel."""
        tunnel = self._own_tunnel(call, self._signed_in(call))
        enabled = _flag(call, "toggle")
        if enabled and not tunnel.enabled and self.state.settings.reconnects_after is not None:
            tunnel.kicked_at = self.now()
        tunnel.enabled = enabled
        return _success(f"隧道状态已成功修改为 {'启用' if tunnel.enabled else '禁用'}.")

    @ROUTES.on("POST", "/proxy", "check")
    def check(self, call: Call) -> Answer:
        """Report whether a tunnel is online; offline is a 500."""
        tunnel = self._own_tunnel(call, self._signed_in(call))
        if self.online(tunnel):
            return _success("隧道在线.", ostatus="online")
        node = self.state.nodes.get(tunnel.node)
        reason = "请检查隧道配置" if node and node.online else "隧道对应节点已离线"
        settings = self.state.settings
        message = f"隧道离线,{reason}." if settings.check_words else "获取成功."
        return {"status": settings.check_status, "message": message, "ostatus": "offline"}

    @ROUTES.on("POST", "/proxy", "forcedown")
    def forcedown(self, call: Call) -> Answer:
        """Disconnect the client of a tunnel."""
        is_form = call.headers.get("Content-Type", "").startswith("application/x-www-form")
        if self.state.settings.forcedown_form_only and not is_form:
            return _refusal(call, 404, "csrf不能为空.")
        tunnel = self._own_tunnel(call, self._signed_in(call))
        node = self.state.nodes.get(tunnel.node)
        if node is None or not node.online:
            return _refusal(call, 500, "隧道对应节点已离线,无法强制下线.")
        tunnel.kicked_at = self.now()
        return _success("隧道已强制下线.")

    @ROUTES.on("POST", "/esirun", "create")
    def esirun(self, call: Call) -> Answer:
        """Return a token to run a tunnel's client once."""
        self._own_tunnel(call, self._signed_in(call))
        return _success("获取成功.", token=token(self.random))

    # Public endpoints

    @ROUTES.on("GET", "/node")
    def node(self, call: Call) -> Answer:
        """List the probes' values of the nodes that are online."""
        return self._servers(
            call,
            [
                _probe(node, self.clients_at(node))
                for node in self.state.nodes.values()
                if node.online and node.probed
            ],
        )

    @ROUTES.on("GET", "/nodes")
    def nodes(self, call: Call) -> Answer:
        """List the nodes by name."""
        return self._servers(
            call,
            [
                {"id": node.id, "name": node.name, "description": node.description}
                for node in self.state.nodes.values()
            ],
        )

    @ROUTES.on("GET", "/notice")
    def notice(self, _: Call) -> Answer:
        """Return the notice, a fragment of HTML."""
        return web.Response(text=self.state.notice, content_type="text/html")

    @ROUTES.on("GET", "/info")
    def totals(self, _: Call) -> Answer:
        """Return the totals of the service."""
        nodes = self.state.nodes.values()
        today_in = sum(node.traffic_in for node in nodes) / MEGABYTE
        today_out = sum(node.traffic_out for node in nodes) / MEGABYTE
        return {
            "status": 200,
            **self._typed(
                "info",
                {
                    "aflow": round(self.state.total_in + self.state.total_out),
                    "aflowin": round(self.state.total_in),
                    "aflowout": round(self.state.total_out),
                    "eflow": round(today_in + today_out),
                    "eflowin": round(today_in),
                    "eflowout": round(today_out),
                    "oclient": sum(self.clients_at(node) for node in nodes if node.online),
                    "totalrun": self.state.total_runs,
                    "todayrun": self.state.today_runs,
                },
            ),
        }

    @ROUTES.on("GET", "/downlist")
    def downlist(self, _: Call) -> Answer:
        """List the programs to download."""
        source = {"name": "和谐下载站", "url": "https://down.example.com/HayFrp/Releases/"}
        version = self.state.frpc_version
        frps = _download("HayFrps Linux版", "hayfrps_linux_amd64", "linux_amd64", version)
        frpc_ = _download("Frpc Linux版", "frpc_linux_amd64", "linux_amd64", version)
        if self.state.settings.downlist_style == "platforms":
            frpc_ |= {
                "url": "https://mirror.example.com/frp/frpc_linux_amd64",
                "platform": "linux",
                "arch": "amd64",
            }
        other = _download("Frp安卓版Arm64-V8a", "app-arm64-v8a.apk", "android_arm64", version)
        if self.state.settings.downlist_style != "sources":
            return _success("获取成功!", source=[source], lists=[frps, frpc_, other])
        lists = {"frps": [frps], "frpc": [frpc_], "others": [other]}
        return _success(
            "获取成功!",
            sources=[source],
            lists={
                name: [{key: f"{value}\n" for key, value in row.items()} for row in rows]
                for name, rows in lists.items()
            },
        )

    @ROUTES.on("GET", "/version")
    def version(self, _: Call) -> Answer:
        """Return the newest versions."""
        return {
            "ver_hayfrps": "0.59.0",
            "ver_frpc": self.state.frpc_version,
            "ver_launcher": "3.0",
            "ver_console": "3.0",
            "ver_dashboard": "1.0",
            "url_launcher": "https://down.example.com/launcher",
        }

    # Helpers of handlers

    def _typed(self, place: str, row: Mapping[str, object]) -> dict[str, object]:
        """Return a row with the types of its fields."""
        if self.state.settings.wandering_types:
            return vary_types(row, f"{self.options.seed}/{place}")
        return {name: documented(value) for name, value in row.items()}

    def _find(self, user: str) -> Account | None:
        accounts = self.state.accounts.values()
        return next((a for a in accounts if user in {a.username, a.email, a.phone}), None)

    def _signed_in(self, call: Call, status: int = 403, message: str = NOT_SIGNED_IN) -> Account:
        """Return the account of the csrf token."""
        (csrf,) = _need(call, "csrf")
        for account in self.state.accounts.values():
            if account.csrf == csrf and self.now() < account.csrf_since + CSRF_LIFETIME:
                return account
        raise RefusedError(_refusal(call, status, message))

    def _own_tunnel(self, call: Call, account: Account, name: str = "id") -> Tunnel:
        (number,) = _need(call, name)
        tunnel = self.state.tunnels.get(number)
        if tunnel is None or tunnel.username != account.username:
            status = self.state.settings.missing_tunnel_status
            raise RefusedError(_refusal(call, status, "隧道不存在."))
        return tunnel

    def _node(self, call: Call, number: str) -> Node:
        node = self.state.nodes.get(number)
        if node is None:
            raise RefusedError(_refusal(call, 500, "节点不存在."))
        return node

    def _tunnel(self, call: Call, account: Account, number: str) -> Tunnel:
        """Return the tunnel in the call, after the server's checks."""
        name, kind, node = _need(call, "proxy_name", "proxy_type", "node")
        if len(name) not in NAME_LENGTHS:
            raise RefusedError(_refusal(call, 500, "隧道名称长度应在3-15内."))
        if kind not in TYPES:
            raise RefusedError(_refusal(call, 500, "隧道类型有误."))
        if kind in {"http", "https"}:
            _need(call, "domain")
        return Tunnel(
            id=number,
            username=account.username,
            proxy_name=name,
            proxy_type=kind,
            node=self._node(call, node).id,
            local_ip=_text(call, "local_ip") or "127.0.0.1",
            local_port=_port(call, "local_port"),
            remote_port=_port(call, "remote_port") if kind in TYPES_WITH_PORT else None,
            use_encryption=_flag(call, "use_encryption"),
            use_compression=_flag(call, "use_compression"),
            sk=_text(call, "sk"),
            domain=_text(call, "domain"),
            locations=_text(call, "locations"),
            header_x_from_where=_text(call, "header_X_From_Where"),
            host_header_rewrite=_text(call, "host_header_rewrite"),
            lastupdate=int(self.now()),
        )

    def _row(self, tunnel: Tunnel) -> dict[str, object]:
        node = self.state.nodes.get(tunnel.node)
        return {
            "id": tunnel.id,
            "uuid": None,
            "username": tunnel.username,
            "proxy_name": tunnel.proxy_name,
            "proxy_type": tunnel.proxy_type,
            "local_ip": tunnel.local_ip,
            "local_port": str(tunnel.local_port),
            "use_encryption": documented(tunnel.use_encryption),
            "use_compression": documented(tunnel.use_compression),
            "domain": tunnel.domain,
            "locations": tunnel.locations,
            "host_header_rewrite": tunnel.host_header_rewrite,
            "remote_port": str(tunnel.remote_port or ""),
            "sk": tunnel.sk,
            "header_X-From-Where": tunnel.header_x_from_where,
            "status": documented(tunnel.enabled),
            "lastupdate": str(tunnel.lastupdate),
            "node": tunnel.node,
            "node_name": node.name if node else "",
            "node_domain": node.domain if node else "",
        }

    def _servers(self, call: Call, rows: list[dict[str, object]]) -> Answer:
        if not rows and self.state.settings.empty_list_status != 200:
            return _refusal(call, 404, "无节点数据.")
        typed = [self._typed(f"{call.path}/{row['id']}", row) for row in rows]
        return _success("获取成功", number=len(rows), **self._list("servers", typed))

    def _list(self, name: str, rows: list[dict[str, object]]) -> dict[str, object]:
        """Return a list under its name; an empty one in the format of this version."""
        style = "list" if rows else self.state.settings.empty_list
        styles: dict[str, dict[str, object]] = {
            "list": {name: rows},
            "null": {name: None},
            "missing": {},
        }
        return styles[style]

    def _signdate(self, account: Account) -> object:
        """Return the time of the last sign-in in the format of this version."""
        if account.signdate is None:
            return None
        match self.state.settings.signdate_style:
            case "milliseconds":
                return account.signdate * 1000
            case "date":
                return f"{local(account.signdate):%Y-%m-%d}"
        return account.signdate

    def _mail(self, to: str, kind: str, code: str, user: str) -> None:
        self.state.mailbox.append(Mail(to, kind, code, user, self.now()))

    def _mail_with_code(self, kind: str, code: str) -> Mail | None:
        mails = self.state.mailbox
        return next((mail for mail in mails if (mail.kind, mail.code) == (kind, code)), None)


def _success(message: str, **fields: object) -> dict[str, object]:
    return {"status": 200, "message": message, **fields}


def _refusal(call: Call, status: int, message: str | None) -> dict[str, object]:
    kind = call.route.kind if call.route else ""
    null = {NULLS[kind]: None} if call.path == "/user" and kind in NULLS else {}
    return {"status": status, "message": message, **null}


def _field(call: Call, name: str) -> object:
    return call.body.get(name) if isinstance(call.body, dict) else None


def _text(call: Call, name: str) -> str:
    value = _field(call, name)
    return "" if value is None else str(value)


def _need(call: Call, *names: str) -> tuple[str, ...]:
    """Return fields as text; an empty one ends the call."""
    values = tuple(_text(call, name) for name in names)
    for name, value in zip(names, values, strict=True):
        if not value:
            raise RefusedError({"status": 404, "message": f"{name}不能为空."})
    return values


def _flag(call: Call, name: str) -> bool:
    """Return "true" or "false" as a bool; a missing flag is false.

    A JSON bool fails as on the real server.
    """
    value = _field(call, name)
    if value not in (None, "", "true", "false"):
        raise RefusedError(_refusal(call, 500, SERVER_ERROR))
    return value == "true"


def _port(call: Call, name: str) -> int:
    (text,) = _need(call, name)
    if not text.isdecimal() or int(text) not in PORTS:
        raise RefusedError(_refusal(call, 500, "端口范围应在1-65500内."))
    return int(text)


def _probe(node: Node, clients: int) -> dict[str, object]:
    """Return the probe's values of a node."""
    return {
        "id": node.id,
        "name": node.name,
        "version": node.version,
        "bind_port": node.bind_port,
        "bind_udp_port": 0,
        "vhost_http_port": 80,
        "vhost_https_port": 443,
        "kcp_bind_port": node.bind_port,
        "subdomain_host": "",
        "max_pool_count": 1000,
        "max_ports_per_client": 0,
        "heart_beat_timeout": -1,
        "total_traffic_in": round(node.traffic_in),
        "total_traffic_out": round(node.traffic_out),
        "cur_conns": node.connections,
        "client_counts": clients,
        "cpu_usage": _percent(node.cpu),
        "ram_usage": _percent(node.ram),
        "disk_usage": _percent(node.disk),
        "status": node.load,
    }


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}%"


def _download(name: str, url: str, arch: str, version: str) -> dict[str, str]:
    return {"name": name, "url": url, "arch": arch, "version": version}
