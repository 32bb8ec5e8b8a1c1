"""What the web APIs of frps and frpc have in common: authentication and errors.

All methods raise:
- AuthenticationError: username and password are rejected;
- RejectedError: the program refuses, in its own words;
- UnsupportedError: this version or configuration does not have the route;
- UnavailableError: there is no usable answer.
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
"""The fields with the reason, in versions 1 and 2 of the APIs."""
_NO_ROUTE = "404 page not found"


class ProgramClient:
    """Sends requests to a program of frp.

    routes: those that this version does not have.
    """

    def __init__(self, transport: Transport, username: str = "", password: str = "") -> None:
        self._transport = transport
        self.routes = MissingRoutes()
        self._headers: dict[str, str] = {}
        if username or password:
            signature = b64encode(f"{username}:{password}".encode()).decode()
            transport.secrets.add(password, signature)
            self._headers["Authorization"] = f"Basic {signature}"

    async def healthz(self) -> None:
        """GET /healthz: whether the program is running; requires no password."""
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
        """Send a request.

        name: replaces {name} in the route.
        """
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
        """Return the error for an answer.

        of_one: whether the request is about a single thing.
        """
        words = self._words(answer)
        if answer.status == HTTPStatus.UNAUTHORIZED and not answer.is_json:
            return AuthenticationError()
        if words == _NO_ROUTE:
            return self.routes.missing(route)
        if not answer.is_json or not words or answer.repeats_its_status(words):
            # A proxy in front of the program answers.
            return UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
        if answer.status == HTTPStatus.NOT_FOUND and of_one:
            return TunnelGoneError()
        return RejectedError(words)

    def _words(self, answer: Answer) -> str:
        if not answer.is_json:
            return self._transport.redact(answer.text())
        row = answer.mapping()
        return self._transport.redact(next((row[name] for name in _WORDS if name in row), ""))
