"""The model of an EasyTier node manager: what can change, and the states that must be shown."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, override

from simulator.easytier import EasyTierService
from simulator.easytier.state import NO_EXPIRY, Node

from ..reliability.providers import Outcome, Trouble
from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, nth
from ..reliability.state_machine.model import STARTS, Options, Race, ServiceModel, change
from .reliability import EASYTIER, RELIABILITY

_CHECKABLE = ("TCP", "WS", "WSS")
_PUBLIC = {"public_nodes": ["1", "5"]}
_ALL = {"all_nodes": True}
_DELETED = "user deleted"


def _delete_user(service: Any) -> None:
    service.deleted = service.state.accounts.pop("1")


def _restore_user(service: Any) -> None:
    service.state.accounts = {"1": service.deleted, **service.state.accounts}


def _begin(machine: Any, options: Options) -> None:
    machine.begin(start=STARTS[0], zone="UTC", options=EasyTier.options.index(options))


def a_user_becomes_an_administrator(machine: Any) -> None:
    _begin(machine, _ALL)
    machine.promote_or_demote(pick=0)


def the_user_is_deleted(machine: Any) -> None:
    _begin(machine, {})
    machine.trouble_account(pick=list(EasyTier.troubles()).index(_DELETED))


def the_last_public_node_is_deselected(machine: Any) -> None:
    _begin(machine, _PUBLIC)
    machine.change_options(pick=0)


def a_part_of_a_device_goes_while_unloaded(machine: Any) -> None:
    _begin(machine, {})
    machine.deploy_checks(pick=0)
    machine.look()
    machine.reload()
    machine.unload()
    machine.forget_network(pick=0)
    machine.set_up()


def an_account_that_is_not_loaded(machine: Any) -> None:
    _begin(machine, {})
    machine.unload()
    machine.download_diagnostics()
    machine.remove_device(pick=1)


class EasyTier(ServiceModel):
    """An account at a node manager."""

    case = EASYTIER
    resource_changes = (RELIABILITY.resource_changes,)
    nodes = 3
    options = ({}, _PUBLIC, {"public_nodes": ["5"]}, _ALL, {**_ALL, **_PUBLIC})
    requests = (
        ("/api/nodes/my", {}),
        ("/api/nodes/all", {}),
        ("/api/auth/login", {}),
        ("/api/auth/me", {}),
        ("/api/nodes/{id}", {}),
        ("/api/public", {}),
    )

    races = (
        Race(
            ("poll", "reload"),
            (("/api/nodes/all", {}), ("/api/auth/login", {}), ("/api/auth/me", {})),
            ("end_session", "poll", "promote_or_demote", "reload"),
        ),
    )
    idle = frozenset({"hold", "release", "return_client"})

    sequences = (
        a_user_becomes_an_administrator,
        the_user_is_deleted,
        the_last_public_node_is_deselected,
        a_part_of_a_device_goes_while_unloaded,
        an_account_that_is_not_loaded,
    )

    service: EasyTierService
    _checked = False

    @classmethod
    @override
    def troubles(cls) -> Mapping[str, Trouble]:
        gone = Trouble(begin=_delete_user, end=_restore_user, outcome=Outcome.REFUSED)
        return {**super().troubles(), _DELETED: gone}

    @override
    def on_set_up(self, options: Options) -> None:
        self._checked = bool(self.service.state.settings.edgeone)

    @property
    def _may_see_all(self) -> bool:
        state = self.service.state
        account = state.accounts.get("1")
        return bool(account and account.is_admin and state.settings.undocumented_endpoints)

    # What can change

    @change
    def allow_relay(self, pick: int) -> None:
        """Allow or forbid a node to relay, on the web page."""
        if nodes := self._own():
            node = nth(nodes, pick)
            node.allow_relay = 1 - node.allow_relay

    @change
    def start_or_stop_agent(self, pick: int) -> None:
        """Start or stop the agent of a node."""
        if nodes := self._own():
            node = nth(nodes, pick)
            node.reporting = not node.reporting

    @change
    def promote_or_demote(self, _: int) -> None:
        """Make the account an administrator, or a normal user again."""
        if account := self.service.state.accounts.get("1"):
            account.is_admin = not account.is_admin

    @change
    def change_version(self, _: int) -> None:
        """Replace the server by one with other endpoints."""
        settings = self.service.state.settings
        settings.undocumented_endpoints = not settings.undocumented_endpoints

    @change
    def deploy_checks(self, _: int) -> None:
        """Enable or disable the server's checks of addresses."""
        settings = self.service.state.settings
        settings.edgeone = not settings.edgeone

    @change
    def forget_network(self, pick: int) -> None:
        """Remove a node's network, without which it cannot be checked."""
        if nodes := self._own():
            nth(nodes, pick).network_token = ""

    @change
    def change_end(self, pick: int) -> None:
        """Set the end of a node: within days, or never."""
        if nodes := self._own():
            node = nth(nodes, pick)
            end = datetime.now(UTC).date() + timedelta(days=2 + pick % 4)
            node.valid_until = NO_EXPIRY if node.valid_until != NO_EXPIRY else end.isoformat()

    @change
    def add_or_delete_node(self, pick: int) -> None:
        """Add or delete a node as another user."""
        nodes = self.service.state.nodes
        others = [id_ for id_, node in nodes.items() if node.user_email == "other@example.com"]
        if pick % 2 and len(others) > 1:
            del nodes[nth(others, pick // 2)]
        elif others and len(others) < 4:
            number = 100 + self._next()
            RELIABILITY.resource_changes.add(self.service, number)
            nodes[f"{100 + number}"].user_email = "other@example.com"

    # The expected states

    def _own(self) -> list[Node]:
        nodes = self.service.state.nodes.values()
        return [node for node in nodes if node.user_email == "demo@example.com"]

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected, state = Expected(), self.service.state
        account = state.accounts.get("1")
        expected.add(
            "account:account",
            {
                "binary_sensor.administrator": account.is_admin
                if account and state.settings.undocumented_endpoints
                else ANYTHING
            },
            Device(ANYTHING),
        )
        self._add_nodes(expected, options)
        chosen = options.get("public_nodes", ())
        for node in state.nodes.values():
            if str(node.id) in chosen and not self._has_ended(node):
                shows = self._public(node)
                shows["binary_sensor.allow_relay"] = bool(node.allow_relay)
                expected.add(f"public_node:{node.id}", shows, Device(node.node_name))
        expected.add("service:service", self._totals(state.nodes.values()), Device("EasyTier"))
        return expected

    def _add_nodes(self, expected: Expected, options: Options) -> None:
        wants_all, own = bool(options.get("all_nodes")), {node.id for node in self._own()}
        for node in self.service.state.nodes.values():
            if node.id not in own and not (wants_all and self._may_see_all):
                continue
            expected.add(f"relay_node:{node.id}", self._node(node), Device(node.node_name))
            if self.service.state.settings.edgeone and self._can_check(node):
                expected.add(f"reachability:{node.id}", self._reachability(node))
                # A server without checks is only asked for them once.
                if not self._checked:
                    expected.optional.add(f"reachability:{node.id}")

    def _can_check(self, node: Node) -> bool:
        checkable = any(way.type in _CHECKABLE for way in node.connections)
        return bool(node.network_name and node.network_token and checkable)

    def _reachability(self, node: Node) -> Mapping[str, Value]:
        ways = [way for way in node.connections if way.type in _CHECKABLE and way.reachable]
        reached = [way.latency_ms for way in ways if node.status == "online"]
        places = [
            way.ip for other in self.service.state.nodes.values() for way in other.connections
        ]
        if places.count(ways[0].ip if ways else "") > len(node.connections):
            # Two nodes have one address: either can answer, so the network may be another one.
            return {"binary_sensor.reachable": ANYTHING, "sensor.latency": ANYTHING}
        return {
            "binary_sensor.reachable": bool(reached),
            "sensor.latency": min(reached, default=None),
        }

    def _has_ended(self, node: Node) -> bool:
        return datetime.fromisoformat(node.valid_until).replace(tzinfo=UTC) < datetime.now(UTC)

    def _node(self, node: Node) -> Mapping[str, Value]:
        end = None if node.valid_until == NO_EXPIRY else date.fromisoformat(node.valid_until[:10])
        report = node.last_report_at
        return {
            **self._public(node),
            "sensor.last_report": datetime.fromisoformat(report) if report else None,
            "sensor.valid_until": end,
            "switch.allow_relay": bool(node.allow_relay),
        }

    def _public(self, node: Node) -> dict[str, Value]:
        tags = [tag.strip() for tag in node.tags.split(",") if tag.strip()]
        reset = datetime.fromisoformat(node.reset_date)
        usage = 100 * node.used_traffic / node.max_traffic if node.max_traffic else None
        return {
            "binary_sensor.online": node.status == "online",
            "sensor.availability_24_hours": ANYTHING,
            "sensor.availability_30_days": ANYTHING,
            "sensor.bandwidth": node.current_bandwidth,
            "sensor.bandwidth_maximum": node.max_bandwidth,
            "sensor.bandwidth_tier": node.tier_bandwidth or None,
            "sensor.connections": node.connection_count,
            "sensor.connections_allowed": node.max_connections,
            "sensor.load": ANYTHING,
            "sensor.place": node.region_detail or None,
            "sensor.region": node.region_type,
            "sensor.tags": ", ".join(tags) or None,
            "sensor.traffic_allowed": node.max_traffic or None,
            # The server only moves a reset on with the next report.
            "sensor.traffic_reset": reset if reset > datetime.now(UTC) else None,
            "sensor.traffic_usage": None if usage is None else round(usage, 2),
            "sensor.traffic_used": node.used_traffic,
        }

    def _totals(self, nodes: Iterable[Node]) -> Mapping[str, Value]:
        nodes = list(nodes)
        online = [node for node in nodes if node.status == "online"]
        domestic = sum(node.region_type == "domestic" for node in nodes)
        return {
            "sensor.bandwidth": round(sum(node.current_bandwidth for node in nodes), 2),
            "sensor.connections": sum(node.connection_count for node in nodes),
            "sensor.nodes": len(nodes),
            "sensor.nodes_domestic": domestic,
            "sensor.nodes_listed": sum(not self._has_ended(node) for node in nodes),
            "sensor.nodes_online": len(online),
            "sensor.nodes_overseas": len(nodes) - domestic,
        }


MODELS = (EasyTier,)
