"""The node manager's endpoints."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
import re
from typing import Any, ClassVar, NamedTuple, override

from aiohttp import web
import jwt

from simulator.service import Answer, Call, RefusedError, Route, RouteTable, Service, as_response

from . import agents, rows, times
from .state import (
    DAY,
    REPORT_INTERVAL,
    Account,
    Connection,
    EasyTierState,
    Mail,
    Node,
    first_state,
    token,
)

UNDOCUMENTED = frozenset(
    {
        Route("GET", "/api/auth/me"),
        Route("POST", "/api/auth/resend-verification"),
        Route("POST", "/api/auth/reset-token"),
        Route("GET", "/api/nodes/all"),
        Route("GET", "/api/nodes/{id}"),
        Route("POST", "/api/nodes/{id}/regenerate-token"),
    }
)
EDGEONE = "/api/edgeone/"
WITHOUT_DATABASE = ("/api/system/", EDGEONE)
"""The prefixes of paths that a server answers before it is initialized."""

ALGORITHM = "HS256"
PASSWORD_LENGTH = 6
FAILURES: Mapping[Route, str] = {
    Route("POST", "/api/auth/register"): "注册失败",
    Route("POST", "/api/auth/login"): "登录失败",
    Route("GET", "/api/auth/verify"): "验证失败",
    Route("GET", "/api/auth/me"): "获取用户信息失败",
    Route("POST", "/api/auth/resend-verification"): "重新发送验证邮件失败",
    Route("POST", "/api/auth/reset-token"): "重置Token失败",
    Route("GET", "/api/nodes/my"): "获取节点失败",
    Route("GET", "/api/nodes/all"): "获取节点失败",
    Route("GET", "/api/nodes/{id}"): "获取节点详情失败",
    Route("POST", "/api/nodes"): "创建节点失败",
    Route("PUT", "/api/nodes/{id}"): "更新节点失败",
    Route("DELETE", "/api/nodes/{id}"): "删除节点失败",
    Route("POST", "/api/nodes/{id}/regenerate-token"): "重新生成token失败",
    Route("POST", "/api/report"): "上报失败",
    Route("POST", "/api/query"): "查询失败",
    Route("GET", "/api/public"): "获取节点失败",
    Route("GET", "/api/stats"): "获取统计信息失败",
    Route("POST", "/api/system/initialize"): "初始化失败",
}
"""The messages of endpoints for internal errors."""
MAX_SAFE_INTEGER = 2**53 - 1
MAX_ANSWERED = 3
"""The maximum number of nodes in the answer to a query."""
MAX_BATCH = 20
"""The maximum number of nodes in a batch check."""
CHECKABLE = ("tcp", "ws", "wss")
MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

EDITABLE = (
    "node_name",
    "region_type",
    "region_detail",
    "connections",
    "tier_bandwidth",
    "max_bandwidth",
    "max_traffic",
    "reset_cycle",
    "max_connections",
    "tags",
    "valid_until",
    "notes",
    "allow_relay",
    "network_name",
    "network_token",
)
ACCEPTED: Mapping[str, Callable[[Any, float], bool]] = {
    "node_name": lambda value, _: bool(value),
    "region_type": lambda value, _: value in {"domestic", "overseas"},
    "connections": lambda value, _: bool(value),
    "reset_cycle": lambda value, _: value in range(32),
    "valid_until": lambda value, now: times.seconds(value) > now,
    "allow_relay": lambda value, _: value in {0, 1},
}
"""The checks of the documented server for a field at a time; the real one stores everything."""

PRIORITIES: Mapping[str, Callable[[Node, float], float]] = {
    "traffic": lambda node, now: (
        max(node.max_traffic - node.used_traffic, 0)
        / max((times.seconds(node.reset_date) - now) / DAY, 1)
        / max(node.connection_count, 1)
    ),
    "bandwidth": lambda node, _: node.tier_bandwidth / max(node.connection_count, 1),
    "latency": lambda node, _: node.max_connections - node.connection_count,
}
"""The value that a query's priority sorts by, at a time."""


class Claims(NamedTuple):
    """The claims of a session token."""

    email: str
    is_admin: bool


class EasyTierService(Service[EasyTierState]):
    """A node manager. `state.settings` selects its dialect and its features."""

    NAME = "easytier"
    ROUTES: ClassVar = RouteTable()

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        return {"email": self.account.email, "password": self.account.password}

    @property
    @override
    def other_credentials(self) -> Mapping[str, str]:
        other = self.state.accounts["3"]
        return {"email": other.email, "password": other.password}

    @property
    def account(self) -> Account:
        """The demo account."""
        return self.state.accounts["1"]

    @property
    def admin(self) -> Account:
        """The first administrator."""
        return next(account for account in self.state.accounts.values() if account.is_admin)

    def refuse_tokens(self) -> None:
        """Invalidate every session token by changing the signing secret."""
        self.state.jwt_secret = token(self.random)

    @override
    def new_state(self) -> EasyTierState:
        state = first_state(self.random, self.now(), self.options.nodes)
        agents.step(state, self.random, self.now() - self.now() % REPORT_INTERVAL)
        return state

    @override
    def elapse(self, start: float, end: float) -> None:
        for number in range(int(start // REPORT_INTERVAL) + 1, int(end // REPORT_INTERVAL) + 1):
            agents.step(self.state, self.random, number * REPORT_INTERVAL)

    @override
    def guard(self, call: Call) -> None:
        if not self._offers(call):
            raise RefusedError(self.fallback(call))
        if not (self.state.settings.initialized or call.path.startswith(WITHOUT_DATABASE)):
            raise RefusedError(self.broken(call))
        key = self.state.settings.api_key
        if call.path.startswith(EDGEONE) and key not in {None, call.headers.get("X-API-Key")}:
            raise RefusedError(_refusal(401, "API Key 验证失败"))

    @override
    def broken(self, call: Call) -> Answer:
        return _refusal(500, FAILURES.get(call.route, "服务器错误") if call.route else "服务器错误")

    @property
    def _documented(self) -> bool:
        return self.state.settings.dialect == "documented"

    def _offers(self, call: Call) -> bool:
        """Return whether this server has the endpoint."""
        settings = self.state.settings
        if call.path.startswith(EDGEONE):
            return self._documented if settings.edgeone is None else settings.edgeone
        if call.route == Route("POST", "/api/nodes/"):
            return self._documented
        if call.route == Route("POST", "/api/nodes"):
            return not self._documented
        return settings.undocumented_endpoints or call.route not in UNDOCUMENTED

    # /api/auth

    @ROUTES.on("POST", "/api/auth/register")
    def register(self, call: Call) -> Answer:
        """Register an account, or repeat a registration whose address was never verified."""
        settings = self.state.settings
        if settings.without_administrator:
            return _refusal(400, "系统尚未初始化，请先完成初始化")
        email, password = _new_credentials(self._body(call))
        account = self._find(email)
        if account is not None and account.is_verified:
            return _refusal(400, "该邮箱已被注册并激活")
        again: dict[str, object] = {"note": "您的旧账户信息已被更新"} if account else {}
        done = "重新注册成功" if account else "注册成功"
        if account is None:
            account = Account(email, password)
            self.state.accounts[_next_key(self.state.accounts)] = account
        account.password = password
        account.is_verified = not settings.email_verification
        if account.is_verified:
            return _json(
                201, message=f"{done}，账户已自动激活", email_verification_disabled=True, **again
            )
        code = account.verification_token = token(self.random)
        if not settings.mail:
            return _json(
                201,
                message=f"{done}，但邮件发送失败：邮件服务未配置",
                verification_token=code,
                warning="请联系管理员配置邮件服务",
            )
        self._mail(account)
        if self._documented:
            return _json(201, message="注册成功,请查收验证邮件", verification_token=code)
        return _json(
            201,
            message=f"{done}，请查收{'新的' if again else ''}验证邮件",
            email=email,
            verification_enabled=True,
            resend_url="/api/auth/resend-verification",
            **again,
        )

    @ROUTES.on("POST", "/api/auth/resend-verification")
    def resend_verification(self, call: Call) -> Answer:
        """Send another token, which replaces the previous one even without email."""
        email = self._body(call).get("email")
        if not email:
            return _refusal(400, "邮箱地址不能为空")
        if not MAIL_ADDRESS.fullmatch(str(email)):
            return _refusal(400, "邮箱格式不正确")
        if (account := self._find(email)) is None:
            return _refusal(404, "用户不存在")
        if account.is_verified:
            return _refusal(400, "该邮箱已经验证过了")
        account.verification_token = token(self.random)
        if not self.state.settings.mail:
            return _refusal(500, "邮件服务未配置")
        self._mail(account)
        return {"message": "验证邮件已重新发送", "details": "请查收邮箱（包括垃圾邮件文件夹）"}

    @ROUTES.on("GET", "/api/auth/verify")
    def verify(self, call: Call) -> Answer:
        """Verify an address with the emailed token."""
        if not (code := call.query.get("token")):
            return _refusal(400, "缺少验证令牌")
        for account in self.state.accounts.values():
            if account.verification_token == code:
                account.is_verified, account.verification_token = True, None
                self.state.mailbox = [mail for mail in self.state.mailbox if mail.token != code]
                return {"message": "邮箱验证成功"}
        return _refusal(400, "无效的验证令牌")

    @ROUTES.on("POST", "/api/auth/login")
    def login(self, call: Call) -> Answer:
        """Return a session token."""
        body = self._body(call)
        if not (body.get("email") and body.get("password")):
            return _refusal(400, "邮箱和密码不能为空")
        account = self._find(body["email"])
        if account is None or account.password != body["password"]:
            return _refusal(401, "邮箱或密码错误")
        if self.state.settings.email_verification and not account.is_verified:
            return _refusal(
                403,
                "请先验证您的邮箱",
                details="您的账户尚未激活，请检查邮箱中的验证邮件。\n\n"
                "如果没有收到邮件，可以重新注册获取新链接。",
                error_code="EMAIL_NOT_VERIFIED",
                email=account.email,
            )
        return self._session(account)

    @ROUTES.on("GET", "/api/auth/me")
    def me(self, call: Call) -> Answer:
        """Describe the account."""
        account = self._account(call)
        if not account.is_verified:
            return _refusal(403, "邮箱未验证")
        return {
            "email": account.email,
            "is_admin": int(account.is_admin),
            "is_super_admin": int(account.is_super_admin),
            "is_verified": int(account.is_verified),
        }

    @ROUTES.on("POST", "/api/auth/reset-token")
    def reset_token(self, call: Call) -> Answer:
        """Return another session token; the previous one stays valid."""
        return self._session(self._account(call))

    # /api/nodes

    @ROUTES.on("GET", "/api/nodes/my")
    def own_nodes(self, call: Call) -> Answer:
        """List the account's nodes, newest first."""
        user = self._user(call)
        return self._list(
            call, (n for n in self.state.nodes.values() if n.user_email == user.email)
        )

    @ROUTES.on("GET", "/api/nodes/all")
    def all_nodes(self, call: Call) -> Answer:
        """List everyone's nodes for an administrator, newest first."""
        if not self._user(call).is_admin:
            return _refusal(403, "需要管理员权限")
        return self._list(call, self.state.nodes.values())

    @ROUTES.on("GET", "/api/nodes/{id}")
    def node(self, call: Call) -> Answer:
        """Show one node."""
        node = self._node(call, "无权访问此节点")
        self._parse(call, [node])
        return {"node": self._row(node)}

    @ROUTES.on("POST", "/api/nodes")
    @ROUTES.on("POST", "/api/nodes/")
    def create(self, call: Call) -> Answer:
        """Create a node; the real server only stores bandwidth tiers from reports."""
        user = self._user(call)
        fields = {"reset_cycle": 0, **self._body(call)}
        if not all(fields.get(name) for name in ("node_name", "region_type", "connections")):
            return _refusal(400, "缺少必填字段")
        if not fields.keys() >= {"valid_until", "allow_relay"}:
            return _refusal(400, "缺少必填字段") if self._documented else self.broken(call)
        key = _next_key(self.state.nodes)
        node = self.state.nodes[key] = Node(
            id=int(key),
            user_email=user.email,
            report_token=token(self.random),
            created_at=times.sql(self.now()),
            **self._checked(call, fields),
        )
        if not self._documented:
            node.tier_bandwidth = 0
        return _json(201, message="节点创建成功", node_id=node.id)

    @ROUTES.on("PUT", "/api/nodes/{id}")
    def update(self, call: Call) -> Answer:
        """Change the fields of the call."""
        node = self._node(call, "无权修改此节点")
        fields = self._checked(call, self._body(call))
        if not fields:
            return _refusal(400, "没有要更新的字段")
        for name, value in fields.items():
            setattr(node, name, value)
        node.is_damaged = node.is_damaged and "connections" not in fields
        return {"message": "节点更新成功"}

    @ROUTES.on("DELETE", "/api/nodes/{id}")
    def delete(self, call: Call) -> Answer:
        """Delete a node."""
        del self.state.nodes[str(self._node(call, "无权删除此节点").id)]
        return {"message": "节点删除成功"}

    @ROUTES.on("POST", "/api/nodes/{id}/regenerate-token")
    def regenerate_token(self, call: Call) -> Answer:
        """Replace the report token of a node."""
        node = self._node(call, "无权修改此节点")
        node.report_token = token(self.random)
        return {"message": "Token重新生成成功", "token": node.report_token}

    # Public endpoints

    @ROUTES.on("POST", "/api/report")
    def report(self, call: Call) -> Answer:
        """Store a report. Documented servers add traffic, the real one replaces it."""
        body = self._body(call)
        counts = {"current_bandwidth", "reported_traffic", "connection_count"}
        if not all(map(body.get, ("node_name", "email", "token"))) or counts - body.keys():
            return _refusal(400, "缺少必填字段")
        wanted = (body["node_name"], body["email"])
        nodes = self.state.nodes.values()
        # The first of several nodes with the same name.
        node = next((n for n in nodes if (n.node_name, n.user_email) == wanted), None)
        if node is None:
            return _refusal(404, "节点不存在")
        if node.report_token != body["token"]:
            return _refusal(403, "Token验证失败")
        if agents.expired(node, self.now()):
            return _refusal(403, "节点已过期")
        if "status" not in body:
            return self.broken(call)
        before = agents.used_so_far(node, self.now()) if self._documented else 0
        agents.report(
            node,
            self.now(),
            bandwidth=body["current_bandwidth"],
            traffic=before + body["reported_traffic"],
            connections=body["connection_count"],
            status=body["status"],
        )
        node.tier_bandwidth = body.get("tier_bandwidth", node.tier_bandwidth)
        return {
            "message": "上报成功",
            "used_traffic": node.used_traffic,
            "max_traffic": node.max_traffic,
            "reset_date": node.reset_date,
        }

    @ROUTES.on("POST", "/api/query")
    def query(self, call: Call) -> Answer:
        """Return nodes for a client; no criteria are required."""
        wishes = call.body if isinstance(call.body, dict) else {}
        nodes = [
            node
            for node in self._public()
            if wishes.get("region") in {None, "", "all", node.region_type}
            and (wishes.get("relay_only") is not True or node.allow_relay)
        ]
        self._parse(call, nodes)
        self.random.shuffle(nodes)
        priority = PRIORITIES.get(wishes.get("priority", ""))
        if priority:
            nodes.sort(key=lambda node: priority(node, self.now()), reverse=True)
        return {"nodes": [rows.row(node, rows.QUERY) for node in nodes[:MAX_ANSWERED]]}

    @ROUTES.on("GET", "/api/public")
    def public(self, call: Call) -> Answer:
        """Return the valid nodes: online ones first, then the newest first."""
        nodes = self._public(offline=call.query.get("show_offline") == "true")
        self._parse(call, nodes)
        answer: dict[str, object] = {
            "nodes": [rows.row(node, rows.PUBLIC[self.state.settings.dialect]) for node in nodes]
        }
        if not self._documented:
            online = [node for node in nodes if node.status == "online"]
            answer["stats"] = {
                "total_connections": sum(node.connection_count for node in online),
                "avg_bandwidth": _mean(node.current_bandwidth for node in online),
                "avg_traffic": _mean(node.used_traffic for node in online),
                "avg_connections": _mean(node.connection_count for node in online),
            }
        return answer

    @ROUTES.on("GET", "/api/stats")
    def stats(self, _: Call) -> Answer:
        """Return the totals of the service."""
        nodes = list(self.state.nodes.values())
        now = agents.sample(nodes, self.now())
        domestic = sum(node.region_type == "domestic" for node in nodes)
        counted: dict[str, object] = {
            "total_nodes": len(nodes),
            "online_nodes": now.online_nodes,
            "domestic_nodes": domestic,
            "overseas_nodes": len(nodes) - domestic,
        }
        if self._documented:
            return {**counted, "total_bandwidth": now.bandwidth}
        return {
            **counted,
            "current_bandwidth_total": now.bandwidth,
            "tier_bandwidth_total": now.tierband,
            "max_bandwidth_total": sum(node.max_bandwidth for node in nodes),
            "connection_count_total": now.connections,
            "max_connections_total": sum(node.max_connections for node in nodes),
            "history": {
                name: [
                    {"value": getattr(sample, name), "timestamp": sample.timestamp}
                    for sample in self.state.history
                ]
                for name in ("online_nodes", "connections", "bandwidth", "tierband")
            },
        }

    # /api/edgeone

    @ROUTES.on("GET", "/api/edgeone/check")
    def check(self, call: Call) -> Answer:
        """Try to reach a node."""
        wanted = _check_fields(call.query)
        return self._check(*wanted) if all(wanted) else _refusal(400, "缺少必填参数")

    @ROUTES.on("POST", "/api/edgeone/batch-check")
    def batch_check(self, call: Call) -> Answer:
        """Try to reach up to twenty nodes."""
        nodes = self._body(call).get("nodes")
        if not isinstance(nodes, list) or not nodes:
            return _refusal(400, "节点列表为空")
        if len(nodes) > MAX_BATCH:
            return _refusal(400, f"节点列表超过{MAX_BATCH}个")
        wanted = [_check_fields(node) for node in nodes]
        if not all(map(all, wanted)):
            return _refusal(400, "缺少必填字段")
        return {"results": [self._check(*fields) for fields in wanted]}

    @ROUTES.on("GET", "/api/edgeone/health")
    def health(self, _: Call) -> Answer:
        """Report that checks work."""
        return {
            "status": "ok",
            "service": "edgeone-check",
            "mode": "remote",
            "timestamp": times.iso(self.now()),
        }

    # /api/system

    @ROUTES.on("GET", "/api/system/check-init")
    def check_init(self, _: Call) -> Answer:
        """Report whether the server is initialized."""
        return {"initialized": self.state.settings.initialized}

    @ROUTES.on("POST", "/api/system/initialize")
    def initialize(self, call: Call) -> Answer:
        """Create an empty database with one administrator."""
        if self.state.settings.initialized:
            return _refusal(400, "系统已经初始化")
        body = self._body(call)
        if body.get("jwt_secret") != self.state.jwt_secret:
            return _refusal(401, "JWT密钥验证失败")
        email, password = _new_credentials(body)
        self.state.accounts = {
            "1": Account(email, password, is_admin=True, is_super_admin=True),
        }
        self.state.nodes.clear()
        self.state.history.clear()
        self.state.settings.initialized = True
        return _json(201, message="系统初始化成功", admin_email=email)

    # Helpers of handlers

    def _body(self, call: Call) -> Mapping[str, Any]:
        """Return the body of a request. Invalid JSON and null are refused."""
        if not isinstance(call.body, dict | list):
            raise RefusedError(self.broken(call))
        # A list has no fields.
        fields = call.body if isinstance(call.body, dict) else {}
        return {name: _javascript_number(value) for name, value in fields.items()}

    def _find(self, email: object) -> Account | None:
        accounts = self.state.accounts.values()
        return next((account for account in accounts if account.email == email), None)

    def _mail(self, account: Account) -> None:
        """Email the link that verifies the address to an account."""
        code = account.verification_token or ""
        link = f"{self.url}/verify?token={code}"
        self.state.mailbox.append(Mail(account.email, code, link, self.now()))

    def _session(self, account: Account) -> Answer:
        """Return a session token; the real server's is not unique."""
        user: dict[str, Any] = {"email": account.email, "is_admin": account.is_admin}
        if self._documented:
            claims = {**user, "jti": token(self.random)}
        else:
            user["is_super_admin"] = account.is_super_admin
            claims = dict(user)
        lifetime = self.state.settings.token_lifetime
        if lifetime is not None:
            claims["exp"] = int(self.now() + lifetime)
        return {"token": jwt.encode(claims, self.state.jwt_secret, ALGORITHM), "user": user}

    def _user(self, call: Call, missing: str = "访问未授权") -> Claims:
        """Return the account of the session token, even if the account has changed since.

        missing: the message for a request without a token.
        """
        scheme, _, session = call.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise RefusedError(_refusal(401, missing))
        try:
            # Expiry depends on the service's clock, not on the machine's.
            claims = jwt.decode(
                session, self.state.jwt_secret, [ALGORITHM], options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            claims = {}
        if not claims or claims.get("exp", inf) <= self.now():
            raise RefusedError(_refusal(401, "无效的令牌"))
        return Claims(claims["email"], claims["is_admin"])

    def _account(self, call: Call) -> Account:
        """Return the current account of the caller."""
        if (account := self._find(self._user(call, missing="未授权").email)) is None:
            raise RefusedError(_refusal(404, "用户不存在"))
        return account

    def _node(self, call: Call, denied: str) -> Node:
        """Return the node in the path, if the caller is its owner or an administrator."""
        user = self._user(call)
        node = self.state.nodes.get(call.params["id"])
        if node is None:
            raise RefusedError(_refusal(404, "节点不存在"))
        if node.user_email != user.email and not user.is_admin:
            raise RefusedError(_refusal(403, denied))
        return node

    def _checked(self, call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the editable fields of a body as stored; raises a refusal for invalid values."""
        fields = {name: body[name] for name in EDITABLE if name in body}
        now = self.now()
        try:
            if "connections" in fields:
                fields["connections"] = [
                    Connection(row["type"], row["ip"], int(row["port"]))
                    for row in fields["connections"]
                ]
            if "reset_cycle" in fields:
                fields["reset_date"] = times.first_reset(now, fields["reset_cycle"])
            fine = isinstance(fields.get("valid_until", ""), str) and (
                not self._documented
                or all(
                    accepted(fields[name], now)
                    for name, accepted in ACCEPTED.items()
                    if name in fields
                )
            )
        except LookupError, TypeError, ValueError:
            fine = False
        if not fine:
            refusal = _refusal(400, "请求参数错误") if self._documented else self.broken(call)
            raise RefusedError(refusal)
        return fields

    def _parse(self, call: Call, nodes: Iterable[Node]) -> None:
        """Raise an internal error if a node is damaged."""
        if any(node.is_damaged for node in nodes):
            raise RefusedError(self.broken(call))

    def _list(self, call: Call, nodes: Iterable[Node]) -> Answer:
        listed = _newest_first(nodes)
        self._parse(call, listed)
        return {"nodes": [self._row(node) for node in listed]}

    def _row(self, node: Node) -> dict[str, object]:
        return rows.row(node, rows.OWN[self.state.settings.dialect])

    def _public(self, *, offline: bool = False) -> list[Node]:
        valid = [n for n in self.state.nodes.values() if not agents.expired(n, self.now())]
        online = [node for node in valid if node.status == "online"]
        rest = [node for node in valid if offline and node.status != "online"]
        return [*_newest_first(online), *_newest_first(rest)]

    def _check(self, server: str, network_name: str, network_secret: str) -> dict[str, object]:
        """Return the result of a check of an address such as tcp://198.51.100.2:11010."""
        if server.partition("://")[0] not in CHECKABLE:
            return self._finding(error="不支持的连接地址")
        for node in self.state.nodes.values():
            for way in node.connections:
                if f"{way.type.lower()}://{way.ip}:{way.port}" != server:
                    continue
                if node.status != "online" or not way.reachable:
                    return self._finding(error="连接超时")
                if (node.network_name, node.network_token) != (network_name, network_secret):
                    return self._finding(error="网络名称或密码错误")
                return self._finding(node.connection_count, way.latency_ms)
        return self._finding(error="连接超时")

    def _finding(
        self, connections: int = 0, latency_ms: int = -1, *, error: str | None = None
    ) -> dict[str, object]:
        finding: dict[str, object] = {
            "is_online": error is None,
            "connection_count": connections,
            "latency_ms": latency_ms,
            "check_time": times.iso(self.now()),
        }
        return finding if error is None else {**finding, "error": error}


def _javascript_number(value: Any) -> Any:
    """Return a number as JavaScript does, which has only floating-point numbers."""
    return float(value) if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER else value


def _json(status: int, **fields: object) -> web.Response:
    return as_response(fields, status)


def _refusal(status: int, error: str, **fields: object) -> web.Response:
    return _json(status, error=error, **fields)


def _new_credentials(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the email address and password for a new account; invalid ones are refused."""
    email, password = (str(body.get(name) or "") for name in ("email", "password"))
    if not (email and password):
        raise RefusedError(_refusal(400, "邮箱和密码不能为空"))
    if len(password) < PASSWORD_LENGTH:
        raise RefusedError(_refusal(400, f"密码长度至少为 {PASSWORD_LENGTH} 位"))
    return email, password


def _check_fields(source: Mapping[str, Any]) -> tuple[str, ...]:
    fields = ("server", "network_name", "network_secret")
    return tuple(str(source.get(name) or "") for name in fields)


def _next_key(known: Iterable[str]) -> str:
    return str(max(map(int, known), default=0) + 1)


def _newest_first(nodes: Iterable[Node]) -> list[Node]:
    """Sort nodes, the newest first; within one second, in the order of creation."""
    by_id = sorted(nodes, key=lambda node: node.id)
    return sorted(by_id, key=lambda node: node.created_at, reverse=True)


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0
