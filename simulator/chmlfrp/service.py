"""The simulated ChmlFrp: authentication, tunnel states and time."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, override

from aiohttp import web

from simulator.faults import FIREWALL_PAGE
from simulator.service import Answer, Call, RefusedError, RouteTable, Service, as_response
from simulator.shanghai import midnight, spans

from . import accounts, domains, fields, nodes, oauth, panel, tunnels
from .initial_state import CLIENT_ID, first_state
from .state import Account, ChmlFrpState, Day, DeviceCode, Node, Tunnel

API_SCOPE = "chmlfrp_api"
STATELESS = {"/node", "/panelinfo"}
UNREACHABLE = {"/node", "/node_stats", "/node_uptime", "/node_status_info", "/panelinfo"}
"""Paths whose documented error is that a backend server cannot be reached."""


class ChmlFrpService(Service[ChmlFrpState]):
    """A ChmlFrp with its account center, which listens on the second port.

    `state.settings` selects the behavior of different versions.
    """

    NAME = "chmlfrp"
    ROUTES: ClassVar = RouteTable(
        accounts.ROUTES
        | tunnels.ROUTES
        | nodes.ROUTES
        | panel.ROUTES
        | domains.ROUTES
        | oauth.ROUTES
    )

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        return {
            "username": self.account.username,
            "password": self.account.password,
            "token": self.account.usertoken,
            "client_id": CLIENT_ID,
            "oauth_url": self.oauth_url,
        }

    @property
    @override
    def other_credentials(self) -> Mapping[str, str]:
        # A password alone is not sufficient for this service.
        return {"token": self.state.accounts["228"].usertoken}

    @property
    def oauth_url(self) -> str:
        """The base URL of the account center."""
        return self.mirror_url

    @property
    def account(self) -> Account:
        """The demo account."""
        return next(iter(self.state.accounts.values()))

    def approve(self, user_code: str, account: Account | None = None) -> None:
        """Approve a sign-in for the demo account, or another one."""
        code = self.device_code(user_code)
        code.status, code.userid = "approved", (account or self.account).id

    def deny(self, user_code: str) -> None:
        """Deny a sign-in."""
        self.device_code(user_code).status = "denied"

    def device_code(self, user_code: str) -> DeviceCode:
        """Return the sign-in with this code; raises LookupError."""
        return self.state.device_codes[user_code]

    def condition(self, tunnel: Tunnel) -> str:
        """Return online, offline, node_offline, node_maintenance or node_removed."""
        node = self.node(tunnel.node)
        if node is None:
            return "node_removed"
        if node.state != "online":
            return "node_offline" if node.state == "offline" else "node_maintenance"
        return "online" if tunnel.client_running and not self._gone(tunnel) else "offline"

    def online(self, tunnel: Tunnel) -> bool:
        """Return whether the tunnel can be reached."""
        return self.condition(tunnel) == "online"

    @property
    @override
    def open_addresses(self) -> Iterable[str]:
        for tunnel in filter(self.online, self.state.tunnels.values()):
            node = self.node(tunnel.node)
            if port := tunnels.WEB_PORTS.get(tunnel.kind):
                yield f"{tunnel.public}:{port}"
            elif node:
                yield f"{node.ip}:{tunnel.public}"

    def started_at(self, tunnel: Tunnel) -> float | None:
        """Return when its client last connected."""
        back_after = self.state.settings.reconnects_after
        if tunnel.kicked_at is None or back_after is None or self._gone(tunnel):
            return tunnel.started_at
        return tunnel.kicked_at + back_after

    def signed_today(self, account: Account) -> bool:
        """Return whether the account signed in on this day in Shanghai."""
        return account.last_sign_in is not None and account.last_sign_in >= midnight(self.now())

    def node(self, name: str) -> Node | None:
        """Return the node of this name."""
        return next((node for node in self.state.nodes.values() if node.name == name), None)

    def tunnels_of(self, account: Account) -> list[Tunnel]:
        """Return the account's tunnels."""
        return [tunnel for tunnel in self.state.tunnels.values() if tunnel.userid == account.id]

    def kick(self, tunnel: Tunnel) -> None:
        """Disconnect the tunnel's client."""
        if self.online(tunnel):
            tunnel.started_at = self.started_at(tunnel)
            tunnel.kicked_at = tunnel.closed_at = self.now()

    def _gone(self, tunnel: Tunnel) -> bool:
        """Return whether its client was disconnected and has not reconnected."""
        back_after = self.state.settings.reconnects_after
        return tunnel.kicked_at is not None and (
            back_after is None or self.now() < tunnel.kicked_at + back_after
        )

    @override
    def new_state(self) -> ChmlFrpState:
        options = self.options
        return first_state(self.random, self.now(), options.tunnels, options.nodes)

    @override
    def guard(self, call: Call) -> None:
        agent = call.headers.get("User-Agent", "")
        script = not agent or agent.startswith("Python/")
        if script and self.state.settings.blocks_scripts:
            raise RefusedError(
                web.Response(text=FIREWALL_PAGE, status=403, content_type="text/html")
            )
        port = self.oauth_url.rpartition(":")[2]
        at_account_center = call.headers.get("Host", "").endswith(f":{port}")
        if at_account_center != call.path.startswith("/oauth"):
            raise RefusedError(self.fallback(call))

    @override
    def fallback(self, call: Call) -> Answer:
        return self._framework_error(call, 404, "Not Found")

    @override
    def broken(self, call: Call) -> Answer:
        if call.path in UNREACHABLE:
            return {"msg": "无法连接至服务器", "code": 404, "state": "fail"}
        if call.path == "/list_available_domains":
            return self.fallback(call)
        return self._framework_error(call, 500, "Internal Server Error")

    def _framework_error(self, call: Call, status: int, reason: str) -> web.Response:
        """Return an error of the web framework that ChmlFrp uses."""
        answer = as_response(
            {
                "timestamp": fields.instant(self.now()),
                "status": status,
                "error": reason,
                "path": call.path,
            }
        )
        answer.set_status(status)
        return answer

    @override
    def elapse(self, start: float, end: float) -> None:
        for seconds, day_ends in spans(start, end):
            self._grow(seconds)
            if day_ends:
                self._new_day()

    def _grow(self, seconds: float) -> None:
        for node in self.state.nodes.values():
            if node.state == "online":
                node.traffic_in += node.rate_in * seconds
                node.traffic_out += node.rate_out * seconds
        for tunnel in self.state.tunnels.values():
            if self.online(tunnel):
                grown_in, grown_out = tunnel.rate_in * seconds, tunnel.rate_out * seconds
                owner = self.state.accounts[str(tunnel.userid)]
                owner.total_in = (owner.total_in or 0) + grown_in
                owner.total_out = (owner.total_out or 0) + grown_out
                for today in (tunnel.days[-1], owner.days[-1]):
                    today.traffic_in += grown_in
                    today.traffic_out += grown_out

    def _new_day(self) -> None:
        self.state.signed_in_elsewhere = 0
        for tunnel in self.state.tunnels.values():
            tunnel.days = [*tunnel.days[1:], Day()]
        for account in self.state.accounts.values():
            account.days = [*account.days[1:], Day()]
        for node in self.state.nodes.values():
            node.traffic_in = node.traffic_out = 0
            node.uptimes = [*node.uptimes[1:], 100.0 if node.state == "online" else 0.0]

    # Helpers of handlers

    def succeed(self, call: Call, message: str, **data: object) -> Answer:
        """Return a successful answer with `data`."""
        state = {"state": "success"}
        if call.path in STATELESS:
            state = {}
        return {"msg": message, "code": 200, **data, **state}

    def refusal(self, code: int, message: str, state: str = "fail") -> RefusedError:
        """Return the exception for a refusal."""
        follows = self.state.settings.http_status_follows_code
        answer = as_response({"msg": message, "code": code, "state": state})
        answer.set_status(code if follows else 200)
        return RefusedError(answer)

    def refuse_first(self, reasons: Mapping[str, bool]) -> None:
        """Raise the refusal for the first of these reasons that applies."""
        for reason, applies in reasons.items():
            if applies:
                raise self.refusal(400, reason)

    def signed_in(self, call: Call) -> Account:
        """Return the account of the token."""
        given = {
            "header": call.headers.get("Authorization", "").removeprefix("Bearer "),
            "query": call.query.get("token", ""),
            "body": str(call.body.get("token", "")) if isinstance(call.body, dict) else "",
        }
        token = next((given[place] for place in self.state.settings.token_in if given[place]), "")
        account = self.holder(token)
        if account is None:
            raise self.refusal(401, "错误的token" if call.path == "/nodeinfo" else "无效的Token")
        return account

    def holder(self, token: str) -> Account | None:
        """Return the account of an API token or a valid access token."""
        for account in self.state.accounts.values():
            if account.usertoken == token:
                return account
        for grant in self.state.grants.values():
            if grant.access_token == token:
                if self.now() >= grant.expires_at or API_SCOPE not in grant.scope.split():
                    raise self.refusal(401, "无效的登录状态")
                return self.state.accounts[str(grant.userid)]
        return None

    def need(self, call: Call, *names: str) -> tuple[str, ...]:
        """Return fields as text; an empty one ends the call."""
        values = tuple(fields.text(call, name) for name in names)
        for name, value in zip(names, values, strict=True):
            if not value:
                raise self.refusal(400, f"缺少 {name} 参数")
        return values

    def unknown[T](self, value: T) -> T | None:
        """Return an unknown value as a response contains it: null or this value."""
        return None if self.state.settings.nulls else value

    def new_id(self) -> int:
        """Return an unused id."""
        self.state.last_id += 1
        return self.state.last_id
