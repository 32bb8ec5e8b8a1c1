"""What the web APIs of frps and frpc have in common: how they are signed in to, and say no.

All methods raise:
- AuthenticationError: username and password are refused;
- RejectedError: the program says no, in its own words;
- UnsupportedError: this version, or this configuration, lacks the route;
- UnavailableError: it says nothing usable.
"""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus

from ..errors import (
    AuthenticationError,
    Reason,
    RejectedError,
    TunnelGoneError,
    TunnelHubError,
    UnavailableError,
)
from ..http import Answer, Transport
from ..routes import MissingRoutes, segment

_WORDS = ("Msg", "msg")
"""Where v1 and v2 of the APIs say why not."""
_NO_ROUTE = "404 page not found"


class ProgramClient:
    """Speaks with a program of frp. routes: which of them this version has."""

    def __init__(self, transport: Transport, username: str = "", password: str = "") -> None:
        self._transport = transport
        self.routes = MissingRoutes()
        self._headers: dict[str, str] = {}
        if username or password:
            signature = b64encode(f"{username}:{password}".encode()).decode()
            transport.secrets.add(password, signature)
            self._headers["Authorization"] = f"Basic {signature}"

    async def healthz(self) -> None:
        """GET /healthz: whether the program runs; it asks for no password."""
        await self.ask("GET", "/healthz")

    async def ask(
        self,
        method: str,
        route: str,
        name: str | None = None,
        *,
        read: bool = True,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send a request; name: what stands for {name} in the route."""
        self.routes.check(route)
        path = route if name is None else route.replace("{name}", segment(name))
        answer = await self._transport.request(
            method, path, read=read, params=params, json=json, headers=self._headers
        )
        if answer.status != HTTPStatus.OK:
            raise self._refusal(route, answer, of_one=name is not None)
        if answer.is_object:
            self.routes.found(route)
        return answer

    def _refusal(self, route: str, answer: Answer, *, of_one: bool) -> TunnelHubError:
        """Return what an answer that is no success means. of_one: whether it is about one thing."""
        words = self._words(answer)
        if answer.status == HTTPStatus.UNAUTHORIZED and not answer.is_json:
            return AuthenticationError()
        if words == _NO_ROUTE:
            return self.routes.missing(route)
        if not answer.is_json or not words or answer.repeats_its_status(words):
            # Something in front of the program answers.
            return UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
        if answer.status == HTTPStatus.NOT_FOUND and of_one:
            return TunnelGoneError()
        return RejectedError(words)

    def _words(self, answer: Answer) -> str:
        """Return what is said, free of secrets."""
        if not answer.is_json:
            return self._transport.redact(answer.text())
        row = answer.mapping()
        return self._transport.redact(next((row[name] for name in _WORDS if name in row), ""))
