"""The model of frps: what can change, and the states that Home Assistant must show."""

from collections.abc import Mapping
from typing import Any, override

from simulator.frp import Client, FrpService, Proxy
from simulator.frp.frps import WITH_CLIENTS, WITH_VERSION_2, close, go_offline, restart

from ..reliability.state_machine.expected import ANYTHING, Device, Expected, Value, moment, nth
from ..reliability.state_machine.model import Options, Race, ServiceModel, change
from .client_state_machine import Frpc
from .reliability import FRPS, RELIABILITY

_OUTSIDE = {"outside_address": "vpn.example.com"}
_VERSIONS = ("0.70.1", "0.69.0", "0.60.0")


class Frps(ServiceModel):
    """A server with proxies and two clients."""

    case = FRPS
    resource_changes = (RELIABILITY.resource_changes,)
    options = ({}, _OUTSIDE)
    # Tunnels that the server no longer lists are kept for a week.
    lasting = frozenset({"client", "tunnel"})
    # Only some versions of the server return it.
    tells_midnight = False
    off = frozenset({"client.sensor.address", "client.sensor.host_name"})
    requests = (
        ("/api/v2/system/info", {}),
        ("/api/v2/proxies", {}),
        ("/api/v2/clients", {}),
        ("/api/proxy/{name}", {}),
    )
    races = (
        Race(
            ("poll", "reload"),
            (("/api/v2/proxies", {}), ("/api/v2/system/info", {})),
            ("poll", "reload", "restart", "change_version"),
        ),
    )
    idle = frozenset({"hold", "ignore_repairs", "release", "return_client", "switch"})

    service: FrpService

    @override
    def on_set_up(self, options: Options) -> None:
        """Keep the superclass from storing anything."""

    @property
    def _server(self) -> Any:
        return self.service.state.server

    # What can change

    @change
    def start_or_stop_proxy(self, pick: int) -> None:
        """Let a client start or stop a proxy."""
        if proxies := self._server.proxies:
            proxy = nth(proxies.values(), pick)
            if proxy.online:
                close(proxy, self.service.now())
            else:
                proxy.online, proxy.last_start = True, self.service.now()

    @change
    def connect(self, pick: int) -> None:
        """Connect to a proxy."""
        if proxies := [proxy for proxy in self._server.proxies.values() if proxy.online]:
            nth(proxies, pick).connections += 1

    @change
    def start_or_stop_client(self, pick: int) -> None:
        """Stop a client with all its proxies, or start it without them."""
        client = nth(self._server.clients.values(), pick) if self._server.clients else None
        if client is None:
            return
        if client.online:
            go_offline(self._server, client.key, self.service.now())
        else:
            client.online, client.last_connected = True, self.service.now()
            client.run_id = f"{self._next():016x}"

    @change
    def restart(self, _: int) -> None:
        """Restart the server, which loses its history."""
        restart(self._server)

    @change
    def change_version(self, pick: int) -> None:
        """Replace the server by another version."""
        self._server.settings.version = nth(_VERSIONS, pick)

    @change
    def change_ports(self, pick: int) -> None:
        """Change the server's port for websites."""
        self._server.settings.vhost_http_port = nth((80, 8088, 0), pick)

    # The expected states

    @override
    def expected(self, options: Options) -> Expected:
        self.service.catch_up()
        expected, server = Expected(), self._server
        online = [proxy for proxy in server.proxies.values() if proxy.online]
        expected.add("account:account", {}, Device(ANYTHING, server.settings.version))
        expected.add(
            "server:account",
            {
                "binary_sensor.heartbeats": server.settings.heartbeat_timeout > 0,
                "sensor.clients": sum(client.online for client in server.clients.values()),
                "sensor.connections": sum(proxy.connections for proxy in online),
                "sensor.port": server.settings.bind_port,
                "sensor.traffic_in_today": ANYTHING,
                "sensor.traffic_out_today": ANYTHING,
                # The tunnels that the server no longer lists are among them.
                "sensor.tunnels_offline": ANYTHING,
                "sensor.tunnels_online": len(online),
                "sensor.version": server.settings.version,
            },
        )
        host = options.get("outside_address") or "tunnels.example.com"
        for name, proxy in server.proxies.items():
            expected.add(f"tunnel:{name}", self._tunnel(proxy, host), Device(name))
        if server.settings.is_at_least(WITH_CLIENTS):
            for key, client in server.clients.items():
                expected.add(f"client:{key}", self._client(client), Device(key, client.version))
        return expected

    def _tunnel(self, proxy: Proxy, host: str) -> Mapping[str, Value]:
        settings = self._server.settings
        shows: dict[str, Value] = {
            "binary_sensor.online": proxy.online,
            "sensor.connections": proxy.connections,
            "sensor.protocol": proxy.type,
            # An offline tunnel keeps the values that it had while it was online.
            "sensor.public_address": self._address(proxy, host) if proxy.online else ANYTHING,
            "sensor.traffic_in_today": ANYTHING,
            "sensor.traffic_out_today": ANYTHING,
        }
        if settings.is_at_least(WITH_CLIENTS):
            shows["sensor.client"] = proxy.client
        if settings.is_at_least(WITH_VERSION_2):
            shows["sensor.last_close"] = moment(proxy.last_close or None)
            shows["sensor.last_start"] = moment(proxy.last_start or None)
        return shows

    def _address(self, proxy: Proxy, host: str) -> str | None:
        if proxy.type in ("tcp", "udp"):
            return f"{host}:{proxy.remote_port}"
        settings = self._server.settings
        ports = {"http": (settings.vhost_http_port, 80), "https": (settings.vhost_https_port, 443)}
        port, usual = ports[proxy.type]
        domain = (proxy.custom_domains or [f"{proxy.subdomain}.{settings.subdomain_host}"])[0]
        return domain if port in (0, usual) else f"{domain}:{port}"

    def _client(self, client: Client) -> Mapping[str, Value]:
        return {
            "binary_sensor.online": client.online,
            "sensor.address": client.ip,
            "sensor.connected_since": moment(client.last_connected) if client.online else None,
            "sensor.host_name": client.hostname,
            "sensor.last_seen": None if client.online else moment(client.disconnected or None),
            "sensor.version": client.version,
        }


MODELS = (Frps, Frpc)
