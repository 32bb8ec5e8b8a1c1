"""The simulated frp: frps at `url` and frpc at `frpc_url`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, override

from simulator.service import Answer, Call, RefusedError, Service

from . import frpc, frps
from .wire import ROUTES, require_password, text


@dataclass(slots=True)
class FrpState:
    """The state of both programs.

    server: frps. client: frpc.
    """

    server: frps.Frps
    client: frpc.Frpc


class FrpService(Service[FrpState]):
    """A server, and a client with tunnels.

    Each program has a kind, which distinguishes its routes: "frps" or "frpc".
    """

    NAME = "frp"
    ROUTES: ClassVar = ROUTES

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        settings = self.state.server.settings
        return {"username": settings.username, "password": settings.password}

    @property
    @override
    def facts(self) -> Mapping[str, str]:
        client = self.state.client
        return {
            **super().facts,
            "frpc_url": self.frpc_url,
            "frpc_username": client.username,
            "frpc_password": client.password,
        }

    @property
    def frpc_url(self) -> str:
        """The base URL of frpc's admin API."""
        return self.mirror_url

    @override
    def new_state(self) -> FrpState:
        return FrpState(
            server=frps.first_state(self.random, self.now(), self.options),
            client=frpc.first_state(self.options.tunnels),
        )

    @override
    def kind_of(self, call: Call) -> str:
        return "frpc" if call.port == self._ports[1] else "frps"

    @override
    def guard(self, call: Call) -> None:
        if call.route is not None and call.route.kind == "frpc":
            frpc.guard(self.state.client, call, call.route)
            return
        settings = self.state.server.settings
        if call.route is None or not frps.has_route(settings, call.route):
            raise RefusedError(text("404 page not found", 404))
        if call.path != "/healthz":
            require_password(call, settings.username, settings.password)

    @override
    def fallback(self, _call: Call) -> Answer:
        return text("404 page not found", 404)

    @override
    def broken(self, _call: Call) -> Answer:
        return text("Internal Server Error", 500)

    @property
    @override
    def open_addresses(self) -> Iterable[str]:
        yield from frps.open_addresses(self.state.server, "127.0.0.1")
        yield from frpc.open_addresses(self.state.client)

    @override
    def elapse(self, start: float, end: float) -> None:
        frps.elapse(self.state.server, start, end)
