"""The model of frpc: what can change, and the states that Home Assistant must show."""

from collections.abc import Mapping
from typing import Any, override

from simulator.frp import FrpService
from simulator.frp.frpc import running_proxies

from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, nth
from ..reliability.state_machine.model import Options, TunnelModel, change, force_down_race
from .client_reliability import CLIENT_RELIABILITY, FRPC, proxies_of

_OUTSIDE = {"outside_address": "vpn.example.com"}
_PHASES = ("new", "wait start", "start error", "check failed", "closed")
_OF_PROXY = ("/api/store/proxies/{name}", dict[str, object]())


class Frpc(TunnelModel):
    """A client with proxies in its file and in its store."""

    case = FRPC
    resource_changes = (CLIENT_RELIABILITY.resource_changes,)
    options = ({}, _OUTSIDE)
    # The values that the client only returns while it is connected to its server are kept.
    lasting = frozenset({"tunnel"})
    tells_midnight = False
    requests = (("/api/status", {}), ("/api/store/proxies", {}), _OF_PROXY)
    races = (force_down_race(_OF_PROXY),)
    idle = frozenset({"ignore_repairs"})

    service: FrpService

    @override
    def on_set_up(self, options: Options) -> None:
        """Keep the superclass from storing anything."""

    @property
    def _client(self) -> Any:
        return self.service.state.client

    @override
    def tunnels(self) -> Mapping[str, Any]:
        return dict(self._client.store)

    @override
    def is_down(self, tunnel_id: str) -> bool:
        return self._phases().get(tunnel_id) != "running"

    def _phases(self) -> dict[str, str]:
        return {name: phase for name, _, phase, _, _ in running_proxies(self._client)}

    @override
    def enabled(self, tunnel_id: str) -> bool | None:
        return self._client.store[tunnel_id].get("enabled") is not False

    @override
    def return_client(self, tunnel_id: str) -> None:
        self._client.store[tunnel_id]["enabled"] = True

    # What can change

    @change
    def toggle(self, pick: int) -> None:
        """Enable or disable a proxy on the client's own page."""
        if store := self._client.store:
            name = nth(store, pick)
            store[name]["enabled"] = not self.enabled(name)

    @change
    def fail(self, pick: int) -> None:
        """Let a proxy fail or run again."""
        if proxies := proxies_of(self.service):
            name = nth(sorted(proxies), pick)
            if self._client.phases.pop(name, None) is None:
                self._client.phases[name] = (nth(_PHASES, pick // 4), "why so")

    @change
    def disconnect_or_connect(self, _: int) -> None:
        """Let the client lose its server, or reach it again."""
        self._client.is_connected = not self._client.is_connected

    # The expected states

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected, client = Expected(), self._client
        running = {name: row for name, *row in running_proxies(client)}
        expected.add("account:account", {}, Device(ANYTHING))
        expected.add(
            "client_status:account",
            {
                "binary_sensor.connected": True if running else ANYTHING,
                # The proxies of the file are among the remembered ones.
                "sensor.tunnels_offline": ANYTHING,
                "sensor.tunnels_online": sum(row[1] == "running" for row in running.values()),
            },
        )
        for name in running.keys() | client.store.keys():
            shows = self._tunnel(name, running.get(name), options)
            expected.add(f"tunnel:{name}", shows, Device(name))
        return expected

    def _tunnel(self, name: str, row: Any, options: Options) -> Mapping[str, Value]:
        stored = self._client.store.get(name)
        block, phase, error, address = row or (stored, None, "", "")
        host = block.get("localIP") or "127.0.0.1"
        shows: dict[str, Value] = {
            "binary_sensor.online": phase == "running",
            "sensor.error": error or None,
            "sensor.local_address": f"{host}:{block['localPort']}",
            "sensor.phase": phase.replace(" ", "_") if phase else self._idle(name),
            "sensor.protocol": block["type"],
            # A stopped proxy keeps the values that it had while it was running.
            "sensor.public_address": ANYTHING,
            "sensor.source": "file" if stored is None else "store",
        }
        if phase == "running":
            shows["sensor.public_address"] = self._address(block["type"], address, options)
        if stored is not None:
            shows |= {
                "button.force_offline": ANYTHING,
                "switch.enabled": self.enabled(name),
                "switch.force_down": ANYTHING,
            }
        return shows

    def _idle(self, name: str) -> str:
        return "offline" if self.enabled(name) else "disabled"

    def _address(self, type_: str, address: str, options: Options) -> str | None:
        host, _, port = address.rpartition(":")
        if type_ in ("tcp", "udp"):
            return f"{options.get('outside_address') or host}:{port}"
        return address or None
