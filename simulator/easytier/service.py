"""The node manager's endpoints."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
import re
from typing import Any, ClassVar, override

from aiohttp import web
import jwt

from simulator.service import Answer, Call, RefusedError, Route, RouteTable, Service, as_response

from . import agents, rows, times
from .state import DAY, STEP, Account, Connection, EasyTierState, Mail, Node, first_state, token

UNDOCUMENTED = frozenset(
    {
        Route("GET", "/api/auth/me"),
        Route("POST", "/api/auth/reset-token"),
        Route("GET", "/api/nodes/all"),
        Route("GET", "/api/nodes/{id}"),
        Route("POST", "/api/nodes/{id}/regenerate-token"),
    }
)
EDGEONE = "/api/edgeone/"
WITHOUT_DATABASE = ("/api/system/", EDGEONE)
"""Where the paths start that a server answers before it is initialized."""

ALGORITHM = "HS256"
PASSWORD_LENGTH = 6
ANSWERED = 3
"""How many nodes a query answers at most."""
BATCH = 20
"""How many nodes a batch check takes at most."""
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
"""What the documented server wants of a field at a time; the real one stores what it gets."""

PRIORITIES: Mapping[str, Callable[[Node, float], float]] = {
    "traffic": lambda node, now: (
        max(node.max_traffic - node.used_traffic, 0)
        / max((times.seconds(node.reset_date) - now) / DAY, 1)
        / max(node.connection_count, 1)
    ),
    "bandwidth": lambda node, _: node.tier_bandwidth / max(node.connection_count, 1),
    "latency": lambda node, _: node.max_connections - node.connection_count,
}
"""What a query's priority wants to be high, at a time."""


class EasyTierService(Service[EasyTierState]):
    """One node manager. `state.settings` chooses its dialect and what is installed."""

    NAME = "easytier"
    ROUTES: ClassVar = RouteTable()

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        return {"email": self.account.email, "password": self.account.password}

    @property
    def account(self) -> Account:
        """The demo account."""
        return self.state.accounts["1"]

    @property
    def admin(self) -> Account:
        """The first administrator."""
        return next(account for account in self.state.accounts.values() if account.is_admin)

    def refuse_tokens(self) -> None:
        """Make every session token there is invalid, by signing with another secret from now on."""
        self.state.jwt_secret = token(self.random)

    @override
    def new_state(self) -> EasyTierState:
        state = first_state(self.random, self.now(), self.options.nodes)
        agents.step(state, self.random, self.now() - self.now() % STEP)
        return state

    @override
    def elapse(self, start: float, end: float) -> None:
        for number in range(int(start // STEP) + 1, int(end // STEP) + 1):
            agents.step(self.state, self.random, number * STEP)

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
    def broken(self, _call: Call) -> Answer:
        return _refusal(500, "服务器错误")

    @property
    def _documented(self) -> bool:
        return self.state.settings.dialect == "documented"

    def _offers(self, call: Call) -> bool:
        """Whether this server has the endpoint."""
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
        """Open an account, or try again with one that never verified its address."""
        email, password = _new_credentials(self._body(call))
        account = self._find(email)
        if account is not None and account.is_verified:
            return _refusal(400, "该邮箱已注册")
        if account is None:
            account = Account(email, password)
            self.state.accounts[_next_key(self.state.accounts)] = account
        account.password = password
        account.is_verified = not self.state.settings.email_verification
        if account.is_verified:
            return _json(201, message="注册成功,账户已激活")
        account.verification_token = token(self.random)
        link = f"{self.url}/verify?token={account.verification_token}"
        self.state.mailbox.append(Mail(email, account.verification_token, link, self.now()))
        told = {"verification_token": account.verification_token} if self._documented else {}
        return _json(201, message="注册成功,请查收验证邮件", **told)

    @ROUTES.on("GET", "/api/auth/verify")
    def verify(self, call: Call) -> Answer:
        """Verify an address with the token that was mailed to it."""
        code = call.query.get("token") or ""
        for account in self.state.accounts.values():
            if account.verification_token == code:
                account.is_verified, account.verification_token = True, None
                self.state.mailbox = [mail for mail in self.state.mailbox if mail.token != code]
                return {"message": "邮箱验证成功"}
        return _refusal(400, "验证令牌无效")

    @ROUTES.on("POST", "/api/auth/login")
    def login(self, call: Call) -> Answer:
        """Hand out a session token."""
        body = self._body(call)
        account = self._find(body.get("email"))
        if account is None or account.password != body.get("password"):
            return _refusal(401, "邮箱或密码错误")
        if self.state.settings.email_verification and not account.is_verified:
            told = {"error_code": "EMAIL_NOT_VERIFIED"} if self._documented else {}
            return _refusal(403, "邮箱未验证", **told)
        return self._session(account)

    @ROUTES.on("GET", "/api/auth/me")
    def me(self, call: Call) -> Answer:
        """Describe the account."""
        account = self._user(call)
        return {
            "email": account.email,
            "is_admin": int(account.is_admin),
            "is_verified": int(account.is_verified),
        }

    @ROUTES.on("POST", "/api/auth/reset-token")
    def reset_token(self, call: Call) -> Answer:
        """Hand out another session token; the one before stays good."""
        return self._session(self._user(call))

    # /api/nodes

    @ROUTES.on("GET", "/api/nodes/my")
    def own_nodes(self, call: Call) -> Answer:
        """List the account's nodes, newest first."""
        user = self._user(call)
        return self._list(n for n in self.state.nodes.values() if n.user_email == user.email)

    @ROUTES.on("GET", "/api/nodes/all")
    def all_nodes(self, call: Call) -> Answer:
        """List everybody's nodes for an administrator, newest first."""
        if not self._user(call).is_admin:
            return _refusal(403, "需要管理员权限")
        return self._list(self.state.nodes.values())

    @ROUTES.on("GET", "/api/nodes/{id}")
    def node(self, call: Call) -> Answer:
        """Show one node."""
        return {"node": self._row(self._node(call, "无权查看此节点"))}

    @ROUTES.on("POST", "/api/nodes")
    @ROUTES.on("POST", "/api/nodes/")
    def create(self, call: Call) -> Answer:
        """Create a node; the real server wants bandwidth tiers from reports alone."""
        user = self._user(call)
        fields = {"reset_cycle": 0, **self._body(call)}
        if not all(fields.get(name) for name in ("node_name", "region_type", "connections")):
            return _refusal(400, "请求参数错误")
        if not fields.keys() >= {"valid_until", "allow_relay"}:
            return _refusal(400, "请求参数错误") if self._documented else self.broken(call)
        key = _next_key(self.state.nodes)
        node = self.state.nodes[key] = Node(
            id=int(key),
            user_email=user.email,
            report_token=token(self.random),
            created_at=times.sql(self.now()),
            **self._checked(fields),
        )
        if not self._documented:
            node.tier_bandwidth = 0
        return _json(201, message="节点创建成功", node_id=node.id)

    @ROUTES.on("PUT", "/api/nodes/{id}")
    def update(self, call: Call) -> Answer:
        """Change the fields that the call brings."""
        node = self._node(call, "无权修改此节点")
        fields = self._checked(self._body(call))
        if not fields:
            return _refusal(400, "没有要更新的字段")
        for name, value in fields.items():
            setattr(node, name, value)
        return {"message": "节点更新成功"}

    @ROUTES.on("DELETE", "/api/nodes/{id}")
    def delete(self, call: Call) -> Answer:
        """Delete a node."""
        del self.state.nodes[str(self._node(call, "无权删除此节点").id)]
        return {"message": "节点删除成功"}

    @ROUTES.on("POST", "/api/nodes/{id}/regenerate-token")
    def regenerate_token(self, call: Call) -> Answer:
        """Replace what the node's agent reports with."""
        node = self._node(call, "无权修改此节点")
        node.report_token = token(self.random)
        return {"message": "上报令牌已更新", "token": node.report_token}

    # Open to all

    @ROUTES.on("POST", "/api/report")
    def report(self, call: Call) -> Answer:
        """Take what an agent says. Documented servers add up traffic, the real one replaces it."""
        body = self._body(call)
        needed = ("current_bandwidth", "reported_traffic", "connection_count", "status")
        if not (all(map(body.get, ("node_name", "email", "token"))) and body.keys() >= set(needed)):
            return _refusal(400, "请求参数错误")
        wanted = (body["node_name"], body["email"])
        nodes = self.state.nodes.values()
        node = next((n for n in nodes if (n.node_name, n.user_email) == wanted), None)
        if node is None:
            return _refusal(404, "节点不存在")
        if node.report_token != body["token"]:
            return _refusal(403, "Token验证失败")
        if agents.expired(node, self.now()):
            return _refusal(403, "节点已过期")
        agents.start_anew(node, self.now())
        before = node.used_traffic if self._documented else 0
        node.used_traffic = before + body["reported_traffic"]
        node.current_bandwidth = body["current_bandwidth"]
        node.connection_count = body["connection_count"]
        node.status = body["status"]
        node.tier_bandwidth = body.get("tier_bandwidth", node.tier_bandwidth)
        node.last_report_at = times.iso(self.now())
        return {
            "message": "上报成功",
            "used_traffic": node.used_traffic,
            "max_traffic": node.max_traffic,
            "reset_date": node.reset_date,
        }

    @ROUTES.on("POST", "/api/query")
    def query(self, call: Call) -> Answer:
        """Choose nodes for somebody who wants to connect; no wishes are fine too."""
        wishes = call.body if isinstance(call.body, dict) else {}
        nodes = [
            node
            for node in self._public()
            if wishes.get("region") in {None, "", "all", node.region_type}
            and (wishes.get("relay_only") is not True or node.allow_relay)
        ]
        self.random.shuffle(nodes)
        priority = PRIORITIES.get(wishes.get("priority", ""))
        if priority:
            nodes.sort(key=lambda node: priority(node, self.now()), reverse=True)
        return {"nodes": [rows.row(node, rows.QUERY) for node in nodes[:ANSWERED]]}

    @ROUTES.on("GET", "/api/public")
    def public(self, call: Call) -> Answer:
        """List the nodes that are valid, online ones first, then newest first."""
        nodes = self._public(offline=call.query.get("show_offline") == "true")
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
        """Count the whole service."""
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
        if len(nodes) > BATCH:
            return _refusal(400, f"节点列表超过{BATCH}个")
        wanted = [_check_fields(node) for node in nodes]
        if not all(map(all, wanted)):
            return _refusal(400, "缺少必填字段")
        return {"results": [self._check(*fields) for fields in wanted]}

    @ROUTES.on("GET", "/api/edgeone/health")
    def health(self, _: Call) -> Answer:
        """Tell that checks work."""
        return {
            "status": "ok",
            "service": "edgeone-check",
            "mode": "remote",
            "timestamp": times.iso(self.now()),
        }

    # /api/system

    @ROUTES.on("GET", "/api/system/check-init")
    def check_init(self, _: Call) -> Answer:
        """Tell whether somebody has initialized the server."""
        return {"initialized": self.state.settings.initialized}

    @ROUTES.on("POST", "/api/system/initialize")
    def initialize(self, call: Call) -> Answer:
        """Begin an empty world with one administrator."""
        if self.state.settings.initialized:
            return _refusal(400, "系统已初始化")
        body = self._body(call)
        if body.get("jwt_secret") != self.state.jwt_secret:
            return _refusal(401, "JWT 密钥验证失败")
        email, password = _new_credentials(body)
        self.state.accounts = {"1": Account(email, password, is_admin=True)}
        self.state.nodes.clear()
        self.state.history.clear()
        self.state.settings.initialized = True
        return _json(201, message="系统初始化成功", admin_email=email)

    # What the handlers share

    def _body(self, call: Call) -> Mapping[str, Any]:
        if not isinstance(call.body, dict):
            raise RefusedError(self.broken(call))
        return call.body

    def _find(self, email: object) -> Account | None:
        accounts = self.state.accounts.values()
        return next((account for account in accounts if account.email == email), None)

    def _session(self, account: Account) -> Answer:
        """Answer a session token; the real server puts nothing in that would make it a new one."""
        user: dict[str, Any] = {"email": account.email, "is_admin": account.is_admin}
        claims = {**user, "jti": token(self.random)} if self._documented else dict(user)
        lifetime = self.state.settings.token_lifetime
        if lifetime is not None:
            claims["exp"] = int(self.now() + lifetime)
        return {"token": jwt.encode(claims, self.state.jwt_secret, ALGORITHM), "user": user}

    def _user(self, call: Call) -> Account:
        """Return the account whose session token the call carries."""
        scheme, _, session = call.headers.get("Authorization", "").partition(" ")
        try:
            # The service's clock decides whether a token has expired, not the machine's.
            claims = jwt.decode(
                session, self.state.jwt_secret, [ALGORITHM], options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            claims = {}
        account = self._find(claims.get("email"))
        if scheme != "Bearer" or account is None or claims.get("exp", inf) <= self.now():
            raise RefusedError(_refusal(401, "未授权"))
        return account

    def _node(self, call: Call, denied: str) -> Node:
        """Return the node in the path for its owner or an administrator; others are denied."""
        user = self._user(call)
        node = self.state.nodes.get(call.params["id"])
        if node is None:
            raise RefusedError(_refusal(404, "节点不存在"))
        if node.user_email != user.email and not user.is_admin:
            raise RefusedError(_refusal(403, denied))
        return node

    def _checked(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the editable fields in a body as the state has them; a bad one ends the call."""
        fields = {name: body[name] for name in EDITABLE if name in body}
        now = self.now()
        try:
            if "connections" in fields:
                fields["connections"] = [
                    Connection(row["type"], row["ip"], int(row["port"]))
                    for row in fields["connections"]
                ]
            if "reset_cycle" in fields:
                fields["reset_date"] = times.next_reset(now, fields["reset_cycle"])
            if "valid_until" in fields:
                times.seconds(fields["valid_until"])
            fine = not self._documented or all(
                accepted(fields[name], now) for name, accepted in ACCEPTED.items() if name in fields
            )
        except LookupError, TypeError, ValueError:
            fine = False
        if not fine:
            raise RefusedError(_refusal(400, "请求参数错误"))
        return fields

    def _list(self, nodes: Iterable[Node]) -> Answer:
        return {"nodes": [self._row(node) for node in _newest_first(nodes)]}

    def _row(self, node: Node) -> dict[str, object]:
        return rows.row(node, rows.OWN[self.state.settings.dialect])

    def _public(self, *, offline: bool = False) -> list[Node]:
        valid = [n for n in self.state.nodes.values() if not agents.expired(n, self.now())]
        online = [node for node in valid if node.status == "online"]
        rest = [node for node in valid if offline and node.status != "online"]
        return [*_newest_first(online), *_newest_first(rest)]

    def _check(self, server: str, network_name: str, network_secret: str) -> dict[str, object]:
        """Return what a check of an address such as tcp://198.51.100.2:11010 finds."""
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


def _json(status: int, **fields: object) -> web.Response:
    return as_response(fields, status)


def _refusal(status: int, error: str, **fields: object) -> web.Response:
    return _json(status, error=error, **fields)


def _new_credentials(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the mail address and password for a new account; bad ones end the call."""
    email, password = (str(body.get(name) or "") for name in ("email", "password"))
    if not MAIL_ADDRESS.fullmatch(email) or len(password) < PASSWORD_LENGTH:
        raise RefusedError(_refusal(400, "请求参数错误"))
    return email, password


def _check_fields(source: Mapping[str, Any]) -> tuple[str, ...]:
    fields = ("server", "network_name", "network_secret")
    return tuple(str(source.get(name) or "") for name in fields)


def _next_key(known: Iterable[str]) -> str:
    return str(max(map(int, known), default=0) + 1)


def _newest_first(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda node: (node.created_at, node.id), reverse=True)


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0
