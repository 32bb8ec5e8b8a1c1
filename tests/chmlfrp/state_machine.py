"""The model of a ChmlFrp account: what can change, and the states that Home Assistant must show."""

from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import fmean
from typing import override

from simulator.chmlfrp import ChmlFrpService
from simulator.chmlfrp.state import NEVER_STARTED, Message, Node, Tunnel

from ..common import HOUR
from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, gib, moment, nth
from ..reliability.state_machine.model import Options, Race, TunnelModel, change, force_down_race
from .reliability import CHMLFRP_BROWSER, CHMLFRP_TOKEN, RELIABILITY

_DETAILS = {"node_details": True}
_STATES = ("online", "offline", "maintenance")


class ChmlFrp(TunnelModel):
    """An account with a pasted token."""

    case = CHMLFRP_TOKEN
    resource_changes = (RELIABILITY.resource_changes,)
    options = (
        {},
        {"nodes": "used"},
        {"nodes": "chosen", "chosen_nodes": ["2", "4"]},
        _DETAILS,
        {**_DETAILS, "nodes": "used"},
    )
    slowest = 6 * HOUR
    off = frozenset(
        {
            "node.binary_sensor.defended",
            "node.binary_sensor.ipv6",
            "node.binary_sensor.mainland",
            "node.sensor.description",
        }
    )
    requests = (
        ("/offline_tunnel", {}),
        ("/tunnel", {}),
        ("/userinfo", {}),
        ("/node_stats", {}),
    )
    races = (
        force_down_race(("/offline_tunnel", {})),
        Race(("poll", "reload"), (("/oauth2/token", {}),), ("act", "poll", "reload")),
    )
    idle = frozenset({"ignore_repairs", "switch"})

    service: ChmlFrpService
    _detailed = False

    @override
    def on_set_up(self, options: Options) -> None:
        self._detailed = bool(options.get("node_details"))

    @override
    def tunnels(self) -> Mapping[str, Tunnel]:
        return {str(tunnel.id): tunnel for tunnel in self._tunnels()}

    def _tunnels(self) -> list[Tunnel]:
        return self.service.tunnels_of(self.service.account)

    @override
    def is_down(self, tunnel_id: str) -> bool:
        return not self.service.online(self.tunnels()[tunnel_id])

    @override
    def enabled(self, tunnel_id: str) -> bool | None:
        return None

    @override
    def return_client(self, tunnel_id: str) -> None:
        tunnel = self.tunnels()[tunnel_id]
        tunnel.client_running, tunnel.kicked_at = True, None

    # What can change

    @change
    def start_or_stop_client(self, pick: int) -> None:
        """Start or stop the client of a tunnel."""
        if tunnels := self._tunnels():
            tunnel = nth(tunnels, pick)
            tunnel.client_running, tunnel.kicked_at = not tunnel.client_running, None

    @change
    def move(self, pick: int) -> None:
        """Move a tunnel to another node, which may have been unused."""
        if tunnels := self._tunnels():
            nth(tunnels, pick).node = nth(self.service.state.nodes.values(), pick // 2).name

    @change
    def change_node(self, pick: int) -> None:
        """Set a node offline, into maintenance or online."""
        nth(self.service.state.nodes.values(), pick).state = nth(_STATES, pick // 4)

    @change
    def rename_node(self, pick: int) -> None:
        """Rename a node."""
        node = nth(self.service.state.nodes.values(), pick)
        name = f"节点{self._next()}"
        for tunnel in self.service.state.tunnels.values():
            if tunnel.node == node.name:
                tunnel.node = name
        node.name = name

    @change
    def remove_node(self, pick: int) -> None:
        """Remove a node, even if tunnels use it."""
        if len(nodes := self.service.state.nodes) > 2:
            del nodes[nth(nodes, pick)]

    @change
    def send_message(self, _: int) -> None:
        """Send the account a message."""
        number = self._next()
        message = Message(100 + number, None, f"消息{number}", self.service.now())
        self.service.state.messages.append(message)

    @change
    def sign_in_elsewhere(self, _: int) -> None:
        """Sign in on the service's web page."""
        account = self.service.account
        if not self.service.signed_today(account):
            account.last_sign_in = self.service.now()
            account.total_sign_ins += 1

    @change
    def release_program(self, _: int) -> None:
        """Release a new version of the client program."""
        self.service.state.settings.frpc_version = f"0.52.{self._next()}"

    # The expected states

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected, state = Expected(), self.service.state
        expected.add("account:account", self._account(), Device(ANYTHING))
        expected.add("sign_in:account", self._sign_in())
        today = self.service.account.days[-1]
        expected.add(
            "account_traffic:account",
            {
                "sensor.traffic_in_today": gib(round(today.traffic_in)),
                "sensor.traffic_out_today": gib(round(today.traffic_out)),
            },
        )
        expected.add("certificates:account", {"sensor.certificates": ANYTHING})
        expected.add("inbox:account", self._inbox())
        for id_, tunnel in self.tunnels().items():
            expected.add(f"tunnel:{id_}", self._tunnel(tunnel), Device(tunnel.name))
        used = {node.id for t in self._tunnels() if (node := self.service.node(t.node))}
        for node in state.nodes.values():
            if self._is_chosen(options, node, used):
                self._add_node(expected, node, is_used=node.id in used)
        expected.add(
            "service:service",
            {
                "sensor.nodes": len(state.nodes),
                "sensor.tunnels": state.tunnels_elsewhere + len(state.tunnels),
                "sensor.users": state.users_elsewhere + len(state.accounts),
            },
            Device("ChmlFrp"),
        )
        expected.add("release:service", {"sensor.frpc_version": state.settings.frpc_version})
        return expected

    def _is_chosen(self, options: Options, node: Node, used: set[int]) -> bool:
        match options.get("nodes", "all"):
            case "used":
                return node.id in used
            case "chosen":
                return str(node.id) in options["chosen_nodes"]
        return True

    def _account(self) -> Mapping[str, Value]:
        account = self.service.account
        return {
            "binary_sensor.banned": False,
            "binary_sensor.verified": account.realname,
            "sensor.bandwidth": account.bandwidth,
            "sensor.connections": sum(
                t.connections for t in self._tunnels() if self.service.online(t)
            ),
            "sensor.group": account.usergroup,
            "sensor.group_expires": None,
            "sensor.points": account.integral,
            "sensor.traffic_in": ANYTHING,
            "sensor.traffic_out": ANYTHING,
            "sensor.tunnels_allowed": account.quota,
            "sensor.tunnels_used": len(self._tunnels()),
        }

    def _sign_in(self) -> Mapping[str, Value]:
        account = self.service.account
        return {
            "binary_sensor.signed_in_today": self.service.signed_today(account),
            "sensor.last_sign_in": moment(account.last_sign_in),
            "sensor.sign_in_points": account.total_points,
            "sensor.sign_ins": account.total_sign_ins,
        }

    def _inbox(self) -> Mapping[str, Value]:
        state = self.service.state
        # Of messages that were sent in parallel, the last one is shown.
        last = max(reversed(state.messages), key=lambda message: message.at)
        notices = [notice for notice in state.notices if notice.at > last.at]
        return {
            "event.message": ANYTHING,
            "sensor.messages": notices[0].title if notices else last.content,
        }

    def _tunnel(self, tunnel: Tunnel) -> Mapping[str, Value]:
        node = self.service.node(tunnel.node)
        ran, online = tunnel.started_at is not None, self.service.online(tunnel)
        today = tunnel.days[-1]
        if tunnel.kind in ("http", "https"):
            address: Value = tunnel.public
        else:
            address = f"{node.ip}:{tunnel.public}" if node else None
        version = tunnel.client_version
        return {
            "binary_sensor.client_outdated": None
            if version == NEVER_STARTED
            else self._outdated(version),
            "binary_sensor.compression": tunnel.compression,
            "binary_sensor.encryption": tunnel.encryption,
            "binary_sensor.online": online,
            "button.force_offline": ANYTHING,
            "button.refresh": ANYTHING,
            "sensor.client_version": None if version == NEVER_STARTED else version,
            "sensor.connections": tunnel.connections * online if ran else None,
            "sensor.last_start": moment(self.service.started_at(tunnel)),
            "sensor.local_address": f"{tunnel.local_ip}:{tunnel.local_port}",
            "sensor.node_name": tunnel.node,
            "sensor.protocol": tunnel.kind,
            "sensor.public_address": address,
            "sensor.state": self.service.condition(tunnel),
            "sensor.traffic_in_today": gib(round(today.traffic_in)) if ran else ANYTHING,
            "sensor.traffic_out_today": gib(round(today.traffic_out)) if ran else ANYTHING,
            "switch.force_down": ANYTHING,
        }

    def _outdated(self, version: str) -> bool:
        return version != f"ChmlFrp-{self.service.state.settings.frpc_version}"

    def _add_node(self, expected: Expected, node: Node, *, is_used: bool) -> None:
        thing, uptime = f"node:{node.id}", f"node_uptime:{node.id}"
        shows = self._node(node)
        if self._detailed:
            shows |= self._details(node)
        is_known = self._detailed and is_used and node.state == "online"
        version = node.version if is_known else ANYTHING
        expected.add(thing, shows, Device(node.name, version))
        days = [day for day in node.uptimes[-30:] if day is not None]
        expected.add(uptime, {"sensor.uptime_30_days": fmean(days)})
        if not is_used:
            expected.unused |= {thing, uptime}

    def _node(self, node: Node) -> dict[str, Value]:
        protocols = ["tcp", *["udp"] * node.udp, *["http", "https"] * node.web]
        return {
            "binary_sensor.defended": node.fangyu,
            "binary_sensor.ipv6": node.ipv6 is not None,
            "binary_sensor.mainland": node.china,
            "binary_sensor.online": node.state == "online",
            "sensor.bandwidth_usage": node.bandwidth_usage_percent,
            "sensor.clients": node.clients,
            "sensor.connections": node.connections,
            "sensor.cpu_usage": node.cpu_usage,
            "sensor.description": node.notes,
            "sensor.group": node.nodegroup,
            "sensor.place": node.area,
            "sensor.protocols": ", ".join(protocols),
            "sensor.state": node.state,
            "sensor.traffic_in_today": gib(round(node.traffic_in)),
            "sensor.traffic_out_today": gib(round(node.traffic_out)),
            "sensor.tunnels": node.tunnels,
        }

    def _details(self, node: Node) -> dict[str, Value]:
        """Return the details of a node: those of an offline node keep their last values."""
        details: dict[str, Value] = {
            "sensor.disk_usage": 100 * node.storage_used / node.storage_total,
            "sensor.load_1": node.load1,
            "sensor.load_15": node.load15,
            "sensor.load_5": node.load5,
            "sensor.memory_total": gib(node.memory_total),
            "sensor.started": datetime.fromtimestamp(int(node.booted_at), UTC),
            "sensor.version": node.version,
        }
        return details if node.state == "online" else dict.fromkeys(details, ANYTHING)


class ChmlFrpByBrowser(ChmlFrp):
    """The same account, signed in with a browser: its tokens are renewed all the time."""

    case = CHMLFRP_BROWSER


MODELS = (
    ChmlFrpByBrowser,
    ChmlFrp,
)
