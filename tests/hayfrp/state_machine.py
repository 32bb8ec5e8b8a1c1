"""The model of a HayFrp account: what can change, and the states that Home Assistant must show."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from simulator.hayfrp import HayFrpService
from simulator.hayfrp.state import LOADS, Node, Tunnel

from ..common import DAY, MINUTE
from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, gib, moment, nth
from ..reliability.state_machine.model import (
    STARTS,
    Options,
    Race,
    Request,
    SignInModel,
    TunnelModel,
    change,
    force_down_race,
)
from .reliability import HAYFRP, RELIABILITY

_LOADS = dict(zip(LOADS, ("idle", "low", "medium", "high"), strict=True))
_MEBIBYTE = 1024**2
_TOGGLE: Request = ("/proxy", {"type": "toggle"})
_FORCE_DOWN: Request = ("/proxy", {"type": "forcedown"})
_DAILY = {"sign_in_daily": True}
_EVENING = {**_DAILY, "sign_in_from": "18:00:00", "sign_in_until": "20:00:00"}


def _begin(machine: Any, options: Options, zone: str = "UTC") -> None:
    machine.begin(start=STARTS[0], zone=zone, options=HayFrp.options.index(options))


def a_tunnel_moves_to_an_unused_node(machine: Any) -> None:
    _begin(machine, {})
    for pick in range(0, 8, 2):
        machine.disable_entity(pick=7 * pick)
    unused = sorted(machine.model.expected({}).unused)
    machine.look()
    nodes = list(machine.service.state.nodes)
    machine.move(pick=2 * nodes.index(unused[0].partition(":")[2]))


def a_tunnel_is_released_while_it_is_disabled(machine: Any) -> None:
    _begin(machine, {})
    machine.hold(pick=0)
    machine.wait(minutes=60)
    machine.meanwhile("return client", "release", _TOGGLE, "before")


def a_later_version_was_here(machine: Any) -> None:
    _begin(machine, {})
    machine.downgrade()


def the_services_midnight_lies_in_the_hours(machine: Any) -> None:
    _begin(machine, _DAILY, "America/Los_Angeles")
    for _ in range(4):
        machine.pass_day()


def a_restart_each_noon(machine: Any) -> None:
    _begin(machine, _EVENING, "Europe/Berlin")
    machine.wait(minutes=360)
    for _ in range(4):
        machine.reload()
        machine.pass_day()


def the_clock_was_ahead_in_the_hours(machine: Any) -> None:
    _begin(machine, _DAILY, "Europe/Berlin")
    for _ in range(3):
        machine.wait(minutes=60)
    machine.set_clock(seconds=DAY, down=False)
    for _ in range(2):
        machine.pass_day()


def summer_time_ends(machine: Any) -> None:
    machine.begin(start=STARTS[1], zone="Europe/Berlin", options=HayFrp.options.index(_DAILY))
    for _ in range(3):
        machine.pass_day()


def the_machine_sleeps(machine: Any) -> None:
    _begin(machine, {})
    machine.suspend(hours=8)


def midnight_while_the_service_is_down(machine: Any) -> None:
    _begin(machine, {})
    machine.pass_midnight(around=300, at_home=False, down=True)


class HayFrp(TunnelModel, SignInModel):
    """An account with a password."""

    case = HAYFRP
    resource_changes = (RELIABILITY.resource_changes,)
    options = (
        {},
        {"nodes": "used"},
        {"nodes": "chosen", "chosen_nodes": ["2", "4"]},
        _DAILY,
        _EVENING,
        {**_DAILY, "sign_in_from": "23:00:00", "sign_in_until": "01:00:00"},
        {**_DAILY, "nodes": "used", "sign_in_from": "00:00:00", "sign_in_until": "00:10:00"},
    )
    off = frozenset(
        {
            "account.binary_sensor.service_provider",
            "node.sensor.description",
            "tunnel.sensor.checked_at",
        }
    )
    requests = (
        _TOGGLE,
        _FORCE_DOWN,
        ("/proxy", {"type": "check"}),
        ("/proxy", {"type": "list"}),
        ("/user", {"type": "login"}),
        ("/user", {"type": "sign"}),
    )
    races = (
        force_down_race(_TOGGLE, _FORCE_DOWN),
        Race(
            ("poll", "reload"),
            (("/user", {"type": "login"}),),
            ("act", "end_session", "poll", "reload"),
        ),
        Race(("act", "poll"), (("/user", {"type": "sign"}),), ("act", "poll", "reload")),
    )

    sequences = (
        a_tunnel_moves_to_an_unused_node,
        a_tunnel_is_released_while_it_is_disabled,
        a_later_version_was_here,
        the_services_midnight_lies_in_the_hours,
        a_restart_each_noon,
        the_clock_was_ahead_in_the_hours,
        summer_time_ends,
        the_machine_sleeps,
        midnight_while_the_service_is_down,
    )

    service: HayFrpService

    @override
    def tunnels(self) -> Mapping[str, Tunnel]:
        return {id_: t for id_, t in self.service.state.tunnels.items() if t.username == "demo"}

    @override
    def is_down(self, tunnel_id: str) -> bool:
        return not self.service.online(self.tunnels()[tunnel_id])

    @override
    def enabled(self, tunnel_id: str) -> bool | None:
        return self.tunnels()[tunnel_id].enabled

    @override
    def return_client(self, tunnel_id: str) -> None:
        tunnel = self.tunnels()[tunnel_id]
        tunnel.enabled, tunnel.client_running, tunnel.kicked_at = True, True, None

    @override
    def last_sign_in(self) -> datetime | None:
        return moment(self.service.account.signdate)

    @override
    def sign_ins_answered(self) -> int:
        asked = [
            call
            for call in self.service.calls
            if call.path == "/user" and call.get("type") in ("login", "sign")
        ]
        # A sign-in whose session had expired is repeated after a login.
        again = sum(
            [call.get("type") for call in calls] == ["sign", "login", "sign"]
            and calls[2].at - calls[0].at < MINUTE
            for calls in zip(asked, asked[1:], asked[2:], strict=False)
        )
        return len(self.service.calls_to("/user", type="sign")) - again

    # What can change

    @change
    def toggle(self, pick: int) -> None:
        """Enable or disable a tunnel on the service's web page."""
        if tunnels := self.tunnels():
            tunnel = nth(tunnels.values(), pick)
            tunnel.enabled = not tunnel.enabled

    @change
    def start_or_stop_client(self, pick: int) -> None:
        """Start or stop the client of a tunnel."""
        if tunnels := self.tunnels():
            tunnel = nth(tunnels.values(), pick)
            tunnel.client_running, tunnel.kicked_at = not tunnel.client_running, None

    @change
    def move(self, pick: int) -> None:
        """Move a tunnel to another node, which may have been unused."""
        if tunnels := self.tunnels():
            nth(tunnels.values(), pick).node = nth(self.service.state.nodes, pick // 2)

    @change
    def change_node(self, pick: int) -> None:
        """Set a node offline or online."""
        node = nth(self.service.state.nodes.values(), pick)
        node.online = not node.online

    @change
    def rename_node(self, pick: int) -> None:
        """Rename a node."""
        nth(self.service.state.nodes.values(), pick).name = f"节点{self._next()}"

    @change
    def release_program(self, _: int) -> None:
        """Release a new version."""
        self.service.state.frpc_version = f"0.60.{self._next()}"

    @change
    def publish_notice(self, _: int) -> None:
        """Publish a new notice."""
        self.service.state.notice = f"<p>公告{self._next()}</p>"

    # The expected states

    @override
    def on_set_up(self, options: Options) -> None:
        pass

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected = Expected()
        expected.add("account:account", self._account(), Device("hayfrp demo"))
        for id_, tunnel in self.tunnels().items():
            expected.add(f"tunnel:{id_}", self._tunnel(tunnel), Device(tunnel.proxy_name))
        used = {tunnel.node for tunnel in self.tunnels().values()}
        for id_, node in self.service.state.nodes.items():
            if id_ in self._chosen(options, used):
                device = Device(node.name, self._version(node))
                expected.add(f"node:{id_}", self._node(node), device)
                if id_ not in used:
                    expected.unused.add(f"node:{id_}")
        expected.add("service:service", self._totals(), Device(ANYTHING))
        expected.add(
            "release:service",
            {
                "sensor.frpc_version": self.service.state.frpc_version,
                "sensor.frps_version": "0.59.0",
            },
        )
        expected.add("notice:service", self._notice())
        return expected

    def _chosen(self, options: Options, used: set[str]) -> set[str]:
        nodes = set(self.service.state.nodes)
        chosen = set(options.get("chosen_nodes", ()))
        return {"all": nodes, "used": used, "chosen": chosen}[options.get("nodes", "all")]

    def _account(self) -> Mapping[str, Value]:
        account = self.service.account
        signed = account.signdate
        return {
            "binary_sensor.banned": account.banned,
            "binary_sensor.service_provider": account.sprovider,
            "binary_sensor.signed_in_today": self.service.signed_today(account),
            "binary_sensor.verified": account.realname,
            "button.sign_in": ANYTHING,
            "event.sign_in": ANYTHING,
            "sensor.last_sign_in": moment(signed),
            "sensor.sign_in_days": account.totalsign,
            "sensor.sign_in_traffic": account.totaltraffic,
            "sensor.traffic_left": round(account.traffic) / 1024,
            "sensor.traffic_today": gib(round(account.today_bytes)),
            "sensor.tunnels_allowed": account.quota,
            "sensor.tunnels_used": len(self.tunnels()),
        }

    def _tunnel(self, tunnel: Tunnel) -> Mapping[str, Value]:
        node = self.service.state.nodes[tunnel.node]
        web, secret = ("http", "https"), ("stcp", "xtcp")
        if tunnel.proxy_type in web:
            address: Value = tunnel.domain
        else:
            hidden = tunnel.proxy_type in secret
            address = None if hidden else f"{node.domain}:{tunnel.remote_port}"
        return {
            "binary_sensor.compression": tunnel.use_compression,
            "binary_sensor.encryption": tunnel.use_encryption,
            "binary_sensor.online": self.service.online(tunnel),
            "button.force_offline": ANYTHING,
            "sensor.checked_at": ANYTHING,
            "sensor.last_edit": moment(tunnel.lastupdate),
            "sensor.local_address": f"{tunnel.local_ip}:{tunnel.local_port}",
            "sensor.node_name": node.name,
            "sensor.protocol": tunnel.proxy_type,
            "sensor.public_address": address,
            "sensor.state": self._state(tunnel, node),
            "switch.enabled": tunnel.enabled,
            "switch.force_down": ANYTHING,
        }

    def _state(self, tunnel: Tunnel, node: Node) -> str:
        if self.service.online(tunnel):
            return "online"
        if not tunnel.enabled:
            return "disabled"
        return "offline" if node.online else "node_offline"

    def _version(self, node: Node) -> Value:
        # A node that is no longer in the list of probes keeps its values.
        return node.version if node.online and node.probed else ANYTHING

    def _node(self, node: Node) -> Mapping[str, Value]:
        probed = node.online and node.probed

        def if_probed[V: Value](value: V) -> V | None:
            return value if probed else None

        return {
            # The list's values of an offline node are unknown.
            "binary_sensor.online": True if probed else ANYTHING,
            "sensor.clients": if_probed(self.service.clients_at(node)),
            "sensor.connections": if_probed(node.connections),
            "sensor.cpu_usage": if_probed(node.cpu),
            "sensor.description": node.description,
            "sensor.disk_usage": if_probed(node.disk),
            "sensor.load": if_probed(_LOADS[node.load]),
            "sensor.memory_usage": if_probed(node.ram),
            "sensor.traffic_in_today": if_probed(gib(round(node.traffic_in))),
            "sensor.traffic_out_today": if_probed(gib(round(node.traffic_out))),
            "sensor.version": if_probed(node.version),
        }

    def _totals(self) -> Mapping[str, Value]:
        state, nodes = self.service.state, self.service.state.nodes.values()
        up = [node for node in nodes if node.online]
        today_in = sum(node.traffic_in for node in nodes) / _MEBIBYTE
        today_out = sum(node.traffic_out for node in nodes) / _MEBIBYTE
        return {
            "sensor.clients": sum(map(self.service.clients_at, up)),
            "sensor.runs": state.total_runs,
            "sensor.runs_today": state.today_runs,
            "sensor.traffic": round(state.total_in + state.total_out) / 1024,
            "sensor.traffic_in": round(state.total_in) / 1024,
            "sensor.traffic_in_today": round(today_in) / 1024,
            "sensor.traffic_out": round(state.total_out) / 1024,
            "sensor.traffic_out_today": round(today_out) / 1024,
            "sensor.traffic_today": round(today_in + today_out) / 1024,
        }

    def _notice(self) -> Mapping[str, Value]:
        made = self.service.state.notice.removeprefix("<p>").removesuffix("</p>")
        return {
            "event.notice": ANYTHING,
            "sensor.text": made if made.startswith("公告") else "节点维护公告",
        }


MODELS = (HayFrp,)
