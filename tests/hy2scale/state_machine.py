"""The model of a HY2 SCALE node: what can change, and the states that must be shown."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from itertools import accumulate
from types import MappingProxyType
from typing import Any, override

from simulator.hy2scale import Hy2ScaleService, documented
from simulator.hy2scale.state import (
    Certificate,
    Client,
    Peer,
    PeerFlags,
    Proxy,
    Rule,
    User,
    WireGuardPeer,
)

from ..reliability.providers import ResourceChanges, UserAction
from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, gib, nth
from ..reliability.state_machine.model import (
    STARTS,
    Options,
    Race,
    Request,
    TunnelModel,
    change,
    force_down_race,
)
from .reliability import HY2SCALE, RELIABILITY

_SHADOWSOCKS = "ss"
_NOT_DOCUMENTED = {
    "hub": {
        "sensor.active_paths",
        "sensor.connections",
        "sensor.exit_clients",
        "sensor.rate_in",
        "sensor.rate_out",
    },
    "peer": {"binary_sensor.connected", "switch.enabled"},
    "user": {"binary_sensor.conflicts"},
}
"""Entities whose values only version 1.3 returns, by kind."""
_NAMES = ("de", "de:443", "hk", "us:443")
"""Names of new clients. A name can contain a colon."""
_HIDING = ("native", "incompatible", "conflict", "unsupported")
"""The flags that hide a peer's own peers."""


def _add_rule(service: Any, number: int) -> None:
    rule = deepcopy(next(iter(service.state.rules.values())))
    rule.id, rule.name = f"rule{number}", f"Rule {number}"
    service.state.rules[rule.id] = rule


def _add_proxy(service: Any, number: int) -> None:
    service.state.proxies[f"proxy{number}"] = Proxy(
        f"proxy{number}", "socks5", f"0.0.0.0:{2000 + number}", enabled=True
    )


_RULES = ResourceChanges(
    kind="rule",
    rows=lambda service: service.state.rules,
    add=_add_rule,
    rename=lambda service, id_, n: setattr(service.state.rules[id_], "name", f"Renamed {n}"),
)
_PROXIES = ResourceChanges(
    kind="proxy",
    rows=lambda service: service.state.proxies,
    is_ours=lambda proxy: proxy.protocol != _SHADOWSOCKS,
    add=_add_proxy,
    rename=lambda service, id_, n: None,
)


_CHANGE_PASSWORD = "change password"
_DISABLE: Request = ("/api/clients/{name}/disable", {})
_SET_PASSWORD: Request = ("/api/settings/password", {})


def _begin(machine: Any) -> None:
    machine.begin(start=STARTS[0], zone="UTC", options=0)


def a_held_tunnel_returns_while_nobody_looks(machine: Any) -> None:
    _begin(machine)
    machine.hold(pick=0)
    machine.unload()
    machine.return_client(pick=0)
    machine.set_up()


def the_password_changes_during_a_poll(machine: Any) -> None:
    _begin(machine)
    machine.meanwhile(_CHANGE_PASSWORD, "refresh", _SET_PASSWORD)


def the_password_changes_during_a_reload(machine: Any) -> None:
    _begin(machine)
    machine.meanwhile(_CHANGE_PASSWORD, "reload", _SET_PASSWORD)


def a_version_that_lacks_fields_starts_badly(machine: Any) -> None:
    _begin(machine)
    machine.change_version(pick=0)
    machine.start_with_faults(pick=2, fault="error", times=1)


def an_id_begins_like_another(machine: Any) -> None:
    _begin(machine)
    for name in ("de", "de:443"):
        machine.add_or_delete_client(pick=2 * _NAMES.index(name))
        machine.look()
    machine.add_or_delete_client(pick=2 * _NAMES.index("de"))


def an_ignored_repair_and_a_reload(machine: Any) -> None:
    _begin(machine)
    machine.issue_certificate(pick=0)
    machine.pass_day()
    machine.ignore_repairs()
    assert machine.choices.ignored
    machine.reload()


def another_build_runs(machine: Any) -> None:
    _begin(machine)
    machine.change_program(pick=0)


def only_counters_move(machine: Any) -> None:
    _begin(machine)
    machine.use_sessions(pick=0)
    machine.use_sessions(pick=2)


class Hy2Scale(TunnelModel):
    """A node with its mesh."""

    case = HY2SCALE
    resource_changes = (RELIABILITY.resource_changes, _RULES, _PROXIES)
    nodes = 5
    named = MappingProxyType({"tunnel": "tunnel", "link": "tunnel", "peer": "peer"})
    lasting = frozenset({"peer"})
    off = frozenset(
        {
            "link.binary_sensor.native",
            "peer.binary_sensor.native",
            "peer.sensor.rate_in",
            "peer.sensor.rate_out",
            "rule.sensor.priority",
            "wireguard_peer.image.qr_code",
            "wireguard_peer.sensor.keepalive",
        }
    )
    requests = (
        _DISABLE,
        ("/api/login", {}),
        ("/api/topology", {}),
        ("/api/clients", {}),
        _SET_PASSWORD,
        ("/api/users", {}),
    )
    races = (
        force_down_race(_DISABLE),
        Race(
            (_CHANGE_PASSWORD,),
            (_SET_PASSWORD,),
            ("act", "end_session", "poll", "refresh", "reload"),
        ),
        Race(("poll", "reload"), (("/api/login", {}),), (_CHANGE_PASSWORD, "end_session", "poll")),
    )

    sequences = (
        a_held_tunnel_returns_while_nobody_looks,
        the_password_changes_during_a_poll,
        the_password_changes_during_a_reload,
        a_version_that_lacks_fields_starts_badly,
        an_id_begins_like_another,
        an_ignored_repair_and_a_reload,
        another_build_runs,
        only_counters_move,
    )

    service: Hy2ScaleService
    _was_documented = False

    def __init__(self, service: Hy2ScaleService) -> None:
        """Store the initial state of the node."""
        super().__init__(service)
        self._away: dict[str, Peer] = {}

    @override
    def on_set_up(self, options: Options) -> None:
        self._was_documented = self.service.documented

    @override
    def tunnels(self) -> Mapping[str, Client]:
        """Return the clients by their addresses, because their names change."""
        return {client.addr: client for client in self.service.state.clients.values()}

    @override
    def thing(self, tunnel_id: str) -> str:
        return f"tunnel:{self.tunnels()[tunnel_id].name}"

    @override
    def is_down(self, tunnel_id: str) -> bool:
        return not self._up(self.tunnels()[tunnel_id].name)

    @override
    def enabled(self, tunnel_id: str) -> bool | None:
        return not self.tunnels()[tunnel_id].disabled

    @override
    def return_client(self, tunnel_id: str) -> None:
        client = self.tunnels()[tunnel_id]
        client.disabled = False
        self.service.reconnect(client.name)

    @override
    def own_actions(self) -> Mapping[str, UserAction]:
        password = f"password-{self._next()}"
        return {_CHANGE_PASSWORD: UserAction("update_account", data={"password": password})}

    # What can change

    @change
    def toggle(self, pick: int) -> None:
        """Enable or disable a client at the node."""
        if clients := self.tunnels():
            client = nth(clients.values(), pick)
            client.disabled = not client.disabled

    @change
    def add_or_delete_client(self, pick: int) -> None:
        """Add or delete a client."""
        state, name = self.service.state, nth(_NAMES, pick // 2)
        address = f"{name.replace(':', '-')}.example.com:5565"
        if address in (there := self.tunnels()):
            gone = there[address]
            state.clients = {key: one for key, one in state.clients.items() if one is not gone}
            state.peers.pop(gone.name)
        elif len(there) < 4 and name not in state.peers:
            state.clients[name] = Client(
                name=name, addr=address, addrs=[address], password="password-of-client"
            )
            state.peers[name] = Peer(latency_ms=30 + pick, version="1.3.4")

    @change
    def add_or_remove_peer(self, pick: int) -> None:
        """Add or remove a peer: one that connects to the node, or one below a client."""
        peers = self.service.state.peers
        path = nth(("office", "cabin", "us/us-r1", "us/us-r9", "us/us-r1/deep"), pick)
        if path in peers:
            self._away[path] = peers.pop(path)
        elif path.rpartition("/")[0] in ("", *peers):
            direction = "outbound" if "/" in path else "inbound"
            new = Peer(direction=direction, latency_ms=20 + pick, version="1.3.4")
            peers[path] = self._away.pop(path, new)

    @change
    def rename_node(self, pick: int) -> None:
        """Rename a node on its own console. It connects again under its new name."""
        path = nth(sorted(self.service.state.peers), pick)
        if self._up(path) and path not in self.service.state.new_names:
            self.service.rename(path, f"renamed{self._next()}")

    @change
    def break_or_restore_link(self, pick: int) -> None:
        """Break or restore a link."""
        path = nth(sorted(self.service.state.peers), pick)
        if self.service.state.peers[path].online:
            self.service.drop(path)
        else:
            self.service.reconnect(path)

    @change
    def change_flags(self, pick: int) -> None:
        """Change which peers of a peer are shown, and which are used."""
        flags = self.service.state.peer_flags
        of_peer = flags.setdefault(nth(sorted(self.service.state.peers), pick // 2), PeerFlags())
        if pick % 2:
            of_peer.nested = not of_peer.nested
        else:
            of_peer.disabled = not of_peer.disabled

    @change
    def toggle_row(self, pick: int) -> None:
        """Enable or disable a user, a rule or a proxy."""
        state = self.service.state
        rows: list[User | Rule | Proxy] = [
            *state.users.values(),
            *state.rules.values(),
            *state.proxies.values(),
        ]
        row = nth(rows, pick)
        row.enabled = not row.enabled

    @change
    def add_or_remove_wireguard_peer(self, pick: int) -> None:
        """Add or remove a WireGuard peer."""
        peers = self.service.state.wireguard.peers
        if pick % 2 and peers:
            del peers[pick // 2 % len(peers)]
        elif peers and len(peers) < 4:
            peer = deepcopy(peers[0])
            number = self._next()
            peer.name, peer.allowed_ips = f"new{number}", f"10.0.1.{number}/32"
            peer.public_key, peer.private_key = f"public-{number}", f"private-{number}"
            peers.append(peer)

    @change
    def change_version(self, _: int) -> None:
        """Restart the node with another version."""
        settings, others = self.service.state.settings, {documented.GENERATION: "1.3"}
        settings.generation = others.get(settings.generation, documented.GENERATION)
        self.service.reboot()

    @change
    def change_program(self, pick: int) -> None:
        """Run another build, and release the next one."""
        self.service.state.version = f"1.3.{10 + pick}"
        self.service.state.latest_version = f"1.3.{11 + pick}"

    @change
    def change_kernel_right(self, _: int) -> None:
        """Change what the node's machine supports."""
        settings = self.service.state.settings
        settings.kernel_right = not settings.kernel_right

    @change
    def issue_certificate(self, pick: int) -> None:
        """Add a certificate."""
        self.service.issue_certificate(f"certificate{pick % 4}", days=5 + pick)

    @change
    def use_sessions(self, pick: int) -> None:
        """Connect and disconnect devices. A device's traffic is counted when it disconnects."""
        state = self.service.state
        if pick % 2 and state.sessions:
            self.service.disconnect(nth(sorted(state.sessions), pick // 2))
        elif state.users:
            user = nth(state.users.values(), pick // 2)
            self.service.connect(user.username, f"203.0.113.{pick}")

    # The expected states

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected, state = Expected(), self.service.state
        is_documented = self.service.documented
        expected.add("account:account", {}, Device(ANYTHING, state.version))
        expected.add("hub:account", self._hub())
        for client in state.clients.values():
            name = client.name
            expected.add(f"tunnel:{name}", self._tunnel(client), Device(name, ANYTHING))
            link = self._peer(name)
            for of_tunnel in ("binary_sensor.connected", "switch.enabled"):
                del link[of_tunnel]
            expected.add(f"link:{name}", link)
        self._add_peers(expected)
        for id_, user in state.users.items():
            expected.add(f"user:{id_}", self._user(user), Device(user.username))
            expected.add(f"user_sessions:{id_}", self._sessions(user))
        for id_, rule in state.rules.items():
            expected.add(f"rule:{id_}", self._rule(rule), Device(rule.name or id_))
        for id_, proxy in state.proxies.items():
            expected.add(f"proxy:{id_}", self._proxy(proxy), Device(id_))
        for peer in state.wireguard.peers:
            name = f"wireguard_peer:{peer.name}"
            expected.add(name, self._wireguard_peer(peer), Device(peer.name))
        expected.add("wireguard:account", self._wireguard())
        expected.add("vpn:account", self._vpn())
        expected.add("certificates:account", self._certificates(state.certificates))
        if is_documented:
            expected.add("tun_mode:account", {"select.tun_mode": ANYTHING})
        else:
            expected.add("upgrade:account", {"update.program": ANYTHING})
        for thing, shows in expected.entities.items():
            lacking = _NOT_DOCUMENTED.get(thing.partition(":")[0], set())
            if is_documented:
                expected.entities[thing] = {k: v for k, v in shows.items() if k not in lacking}
        del expected.entities["account:account"]
        return expected

    def _hub(self) -> Mapping[str, Value]:
        state = self.service.state
        linked = [p for path, p in state.peers.items() if "/" not in path and self._up(path)]
        paths = [path for _, path in sorted(state.active_paths.items()) if path]
        return {
            "binary_sensor.compat": state.compat,
            "binary_sensor.limited": not state.settings.kernel_right,
            "sensor.active_paths": ", ".join(paths) or None,
            "sensor.connections": sum(s.conn_count for s in state.sessions.values()),
            "sensor.exit_clients": sum(peer.direction == "inbound" for peer in linked),
            "sensor.rate_in": ANYTHING,
            "sensor.rate_out": ANYTHING,
            "sensor.sessions": len(state.sessions),
            "sensor.traffic_in": gib(int(state.rx_bytes)),
            "sensor.traffic_out": gib(int(state.tx_bytes)),
            "sensor.version": state.version,
            "switch.exit_node": state.exit_node,
        }

    def _tunnel(self, client: Client) -> Mapping[str, Value]:
        up = self._up(client.name)
        return {
            "binary_sensor.online": up,
            "button.force_offline": ANYTHING,
            "sensor.protocol": "hysteria2",
            "sensor.public_address": client.addr,
            "sensor.state": "disabled" if client.disabled else "online" if up else "offline",
            "switch.enabled": not client.disabled,
            "switch.force_down": ANYTHING,
        }

    # The mesh

    def _up(self, path: str) -> bool:
        return self.service.connected(path)

    def _flags(self, path: str) -> PeerFlags:
        return self.service.state.peer_flags.get(path, PeerFlags())

    def _shows_below(self, path: str) -> bool:
        """Return whether the peers of a peer are shown."""
        hides = any(getattr(self.service.state.peers[path], flag) for flag in _HIDING)
        return self._flags(path).nested and self.service.lists(path) and not hides

    def _add_peers(self, expected: Expected) -> None:
        """Add the peers that the node shows. The state of other peers is unknown."""
        state = self.service.state
        clients = {client.name for client in state.clients.values()}
        for path, peer in state.peers.items():
            above = list(accumulate(path.split("/"), "{}/{}".format))[:-1]
            if path in clients or not all(hop in state.peers for hop in above):
                continue
            if not above and path not in clients and peer.direction != "inbound":
                continue
            listed = self._up(path) or (above and peer.direction == "outbound")
            if listed and all(map(self._shows_below, above)):
                expected.add(f"peer:{path}", self._peer(path), Device(path, ANYTHING))

    def _peer(self, path: str) -> dict[str, Value]:
        """Return the values of a peer in the topology."""
        return {
            "binary_sensor.conflict": ANYTHING,
            "binary_sensor.connected": self._up(path),
            "binary_sensor.exit_node": ANYTHING,
            "binary_sensor.incompatible": ANYTHING,
            "binary_sensor.native": ANYTHING,
            "binary_sensor.unsupported": ANYTHING,
            "sensor.direction": self.service.state.peers[path].direction,
            "sensor.latency": ANYTHING,
            "sensor.rate_in": ANYTHING,
            "sensor.rate_out": ANYTHING,
            "sensor.version": ANYTHING,
            "switch.enabled": not self._flags(path).disabled,
            "switch.nested": self._flags(path).nested,
        }

    # Users, rules and proxies

    def _exit(self, row: User | Rule | Proxy | WireGuardPeer) -> Value:
        return row.exit_via or "this_node"

    def _user(self, user: User) -> Mapping[str, Value]:
        limit = user.traffic_limit or None
        day = f"{user.expiry_date}T00:00:00+00:00" if user.expiry_date else None
        return {
            "binary_sensor.conflicts": ANYTHING,
            "button.reset_traffic": ANYTHING,
            "select.exit_path": self._exit(user),
            "sensor.expires": datetime.fromisoformat(day) if day else None,
            "sensor.traffic_limit": gib(limit),
            "sensor.traffic_usage": round(user.traffic_used / limit * 100, 1) if limit else None,
            "sensor.traffic_used": gib(user.traffic_used),
            "switch.enabled": user.enabled,
        }

    def _sessions(self, user: User) -> Mapping[str, Value]:
        sessions = self.service.state.sessions.values()
        return {
            "button.kick_sessions": ANYTHING,
            "sensor.locked_until": ANYTHING,
            "sensor.sessions": sum(s.username == user.username for s in sessions),
        }

    def _rule(self, rule: Rule) -> Mapping[str, Value]:
        state = self.service.state
        return {
            "binary_sensor.tun_active": ANYTHING,
            "binary_sensor.unavailable": None
            if self.service.documented
            else not state.settings.host_network,
            "select.exit_path": self._exit(rule),
            "sensor.priority": ANYTHING,
            "sensor.targets": ", ".join(rule.targets),
            "sensor.type": rule.type,
            "switch.enabled": rule.enabled,
        }

    def _proxy(self, proxy: Proxy) -> Mapping[str, Value]:
        # Shadowsocks has no exit.
        alone = proxy.id == _SHADOWSOCKS and not self.service.documented
        return {
            **({} if alone else {"select.exit_path": self._exit(proxy)}),
            "sensor.listen": proxy.listen,
            "sensor.method": proxy.method or None,
            "sensor.protocol": proxy.protocol,
            "switch.enabled": proxy.enabled,
        }

    def _wireguard_peer(self, peer: WireGuardPeer) -> Mapping[str, Value]:
        return {
            "image.qr_code": ANYTHING,
            "select.exit_path": self._exit(peer),
            "sensor.address": peer.allowed_ips,
            "sensor.keepalive": peer.keepalive or None,
        }

    def _wireguard(self) -> Mapping[str, Value]:
        server, connected = self.service.state.wireguard, self.service.state.wireguard_connected
        there = [peer for peer in server.peers if server.enabled and peer.name in connected]
        return {
            "binary_sensor.wireguard_running": server.enabled,
            "sensor.wireguard_connected": len(there),
            "sensor.wireguard_peers": len(server.peers),
            "sensor.wireguard_port": server.listen_port,
            "switch.wireguard_enabled": server.enabled,
        }

    def _vpn(self) -> Mapping[str, Value]:
        state = self.service.state
        capable = ANYTHING if self.service.documented else state.settings.kernel_right
        return {
            "binary_sensor.ikev2_capable": capable,
            "binary_sensor.ikev2_enabled": state.ikev2.enabled,
            "binary_sensor.l2tp_capable": capable,
            "switch.l2tp_enabled": state.l2tp.enabled,
        }

    def _certificates(self, certificates: Mapping[str, Certificate]) -> Mapping[str, Value]:
        return {"sensor.certificates": ANYTHING if certificates else None}


MODELS = (Hy2Scale,)
