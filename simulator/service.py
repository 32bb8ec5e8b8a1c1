"""The base class of simulated services: routes, recorded calls, a clock, faults."""

from abc import abstractmethod
import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import json
import random
import ssl
from typing import Any, ClassVar

from aiohttp import web
from multidict import CIMultiDict

from . import control
from .faults import Exchange, Fault, raw_or_json
from .gates import Gate, Moment

CATCH_ALL = "/{unmatched:.*}"
STEP = 1.0
"""The shortest time for which the state advances, so that a burst of calls does not compute it each
time.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The initial size and time of a simulated world."""

    tunnels: int
    nodes: int
    latency: float
    clock: Callable[[], float]
    seed: int


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `kind` distinguishes those with the same method and path."""

    method: str
    path: str
    kind: str = ""


@dataclass(slots=True)
class Call:
    """A received request. `status` is None until it is answered.

    `body` is the parsed JSON or form, otherwise bytes. `at` is the service's own time, `port` the
    local port.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: CIMultiDict[str]
    body: Any
    at: float
    params: Mapping[str, str] = field(default_factory=dict)
    route: Route | None = None
    status: int | None = None
    port: int = 0

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field of the body, the query, or the path parameters, in this order."""
        for source in (self.body, self.query, self.params):
            if isinstance(source, Mapping) and name in source:
                return source[name]
        return default

    def matches(self, path: str, wanted: Mapping[str, object]) -> bool:
        """Whether this is a call to the path with these fields or headers, compared as text."""
        return path in ("*", self.path, self.route.path if self.route else None) and all(
            str(self.get(name, self.headers.get(name))) == str(value)
            for name, value in wanted.items()
        )


type Answer = web.Response | Mapping[str, object] | Sequence[object]
"""A response, or an object to send as JSON."""


_LONGEST_LINE = 128 * 1024
"""Bytes of a request line, which can contain long names."""


class RefusedError(Exception):
    """Raised in a handler to send this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class RouteTable(dict[Route, Callable[[Any, Call], Answer]]):
    """The handlers by route; iterating yields the routes."""

    def on[Handler: Callable[[Any, Call], Answer]](
        self, method: str, path: str, kind: str = ""
    ) -> Callable[[Handler], Handler]:
        """Register the decorated method."""

        def enter(handler: Handler) -> Handler:
            self[Route(method, path, kind)] = handler
            return handler

        return enter


class Service[State]:
    """A server on loopback with a state that behaves like the real service.

    A subclass defines its name, `ROUTES` and the initial state (`new_state`). The defaults of the
    other hooks are sufficient for most services.
    """

    NAME: ClassVar[str]
    ROUTES: ClassVar[RouteTable]

    base_path: str = ""
    """The prefix of every route's path; applied by `start`."""
    ssl_context: ssl.SSLContext | None = None
    """Makes the service use HTTPS; applied by `start`."""

    def __init__(self, options: Options) -> None:
        """Create the state; `start` opens the port."""
        self.options = options
        self.latency = options.latency
        self.random = random.Random(f"{self.NAME}:{options.seed}")
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.gates: list[Gate] = []
        self._offset = 0.0
        self._told = self.now()
        self._ports = [0, 0]
        self._runner: web.AppRunner | None = None
        self.state = self.new_state()

    # Hooks for subclasses

    @property
    @abstractmethod
    def credentials(self) -> Mapping[str, str]:
        """The credentials of the demo account."""

    @property
    def other_credentials(self) -> Mapping[str, str]:
        """The credentials of another account; empty if there is only one."""
        return {}

    @property
    def facts(self) -> Mapping[str, str]:
        """The credentials and addresses that are required to add the demo account and another."""
        others = {f"other_{name}": value for name, value in self.other_credentials.items()}
        return {"url": self.url, **self.credentials, **others}

    @abstractmethod
    def new_state(self) -> State:
        """Return the initial state."""

    def kind_of(self, _call: Call) -> str:
        """Return the kind of a call, for routes with the same method and path."""
        return ""

    def guard(self, call: Call) -> None:
        """Raise `RefusedError` for a call that is not authorized."""

    def perform(self, call: Call) -> Answer:
        """Answer a call that `guard` accepted."""
        handler = self.ROUTES[call.route] if call.route else type(self).fallback
        return handler(self, call)

    def fallback(self, _call: Call) -> Answer:
        """Answer a call without a route."""
        return web.Response(status=404, text="404 Not Found")

    def broken(self, _call: Call) -> Answer:
        """Answer as the service does after an internal error."""
        return web.Response(status=500, text="Internal Server Error")

    def elapse(self, start: float, end: float) -> None:
        """Advance the state from one time of the service's clock to another."""

    @property
    def open_addresses(self) -> Iterable[str]:
        """Return the public addresses ("host:port") of connected tunnels."""
        return ()

    # For tests

    @property
    def url(self) -> str:
        """The base URL of the service."""
        return self._url(0)

    @property
    def mirror_url(self) -> str:
        """A second base URL of the same service, for failover."""
        return self._url(1)

    def now(self) -> float:
        """Return the service's own time in seconds since 1970."""
        return self.options.clock() + self._offset

    def advance(self, seconds: float) -> None:
        """Advance the service's clock and state."""
        self._offset += seconds
        self.catch_up()

    def catch_up(self) -> None:
        """Advance the state to the current time."""
        now = self.now()
        if now >= self._told + STEP:
            self.elapse(self._told, now)
            self._told = now

    def calls_to(self, path: str, **fields: object) -> list[Call]:
        """Return the calls to a path (or a route's) with these fields, oldest first."""
        return [call for call in self.calls if call.matches(path, fields)]

    def fault(
        self,
        route: str,
        kind: str,
        *,
        match: Mapping[str, object] | None = None,
        times: int | None = 1,
        after: int = 0,
        **options: object,
    ) -> Fault:
        """Add a fault for the next matching calls; the oldest one that applies is used."""
        order = Fault(route, kind, match or {}, times, after, options)
        self.faults.append(order)
        return order

    def gate(
        self,
        route: str,
        moment: Moment = "before",
        *,
        match: Mapping[str, object] | None = None,
        times: int | None = None,
        after: int = 0,
    ) -> Gate:
        """Hold the next matching calls, before or after handling them, until they are released."""
        gate = Gate(route, moment, match or {}, times, after)
        self.gates.append(gate)
        return gate

    def clear_faults(self) -> None:
        """Remove all faults, and open all gates."""
        self.faults.clear()
        while self.gates:
            self.gates.pop().open()

    async def start(self, port: int = 0) -> None:
        """Open the port: the given one, the previous one, or a free one."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        control.add_routes(app, self)
        for method, path in dict.fromkeys((route.method, route.path) for route in self.ROUTES):
            app.router.add_route(method, self.base_path + path, self._serve)
        app.router.add_route("*", CATCH_ALL, self._serve)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=0.1,
            max_line_size=_LONGEST_LINE,
        )
        await self._runner.setup()
        for index, wanted in enumerate((port or self._ports[0], self._ports[1])):
            site = web.TCPSite(self._runner, "127.0.0.1", wanted, ssl_context=self.ssl_context)
            await site.start()
            self._ports[index] = self._runner.addresses[index][1]

    async def stop(self) -> None:
        """Close the port and all connections; keeps the state."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _url(self, index: int) -> str:
        return f"http{'s' if self.ssl_context else ''}://127.0.0.1:{self._ports[index]}"

    # Answering calls

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await self._read(request)
        self.calls.append(call)
        if self.latency:
            await asyncio.sleep(self.latency)
        await self._pass_gates(call, "before")
        self.catch_up()
        exchange = Exchange(
            request, lambda: self._answer(call), lambda: as_response(self.broken(call))
        )
        fault = next(
            (
                order
                for order in self.faults
                if call.matches(order.route, order.match) and order.take()
            ),
            None,
        )
        response = await fault.damage_answer(exchange) if fault else exchange.genuine()
        await self._pass_gates(call, "after")
        call.status = response.status
        return response

    async def _pass_gates(self, call: Call, moment: Moment) -> None:
        for gate in list(self.gates):
            if gate.moment == moment and call.matches(gate.route, gate.match):
                await gate.stop()

    async def _read(self, request: web.Request) -> Call:
        call = Call(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=CIMultiDict(request.headers),
            body=await _parsed(request),
            at=self.now(),
            params=dict(request.match_info),
            port=request.transport.get_extra_info("sockname")[1] if request.transport else 0,
        )
        resource = request.match_info.route.resource
        path = resource.canonical.removeprefix(self.base_path) if resource else ""
        route = Route(call.method, path, self.kind_of(call))
        call.route = route if route in self.ROUTES else None
        return call

    def _answer(self, call: Call) -> web.Response:
        try:
            self.guard(call)
            return as_response(self.perform(call))
        except RefusedError as refused:
            return as_response(refused.answer)


async def _parsed(request: web.Request) -> Any:
    """Return the body by its content type; bytes if it cannot be parsed."""
    if request.content_type == "application/x-www-form-urlencoded":
        return dict(await request.post())
    raw = await request.read()
    if request.content_type == "application/json":
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    return raw


def as_response(answer: Answer, status: int = 200) -> web.Response:
    """Return a response unchanged, and anything else as JSON with this status."""
    if isinstance(answer, web.Response):
        return answer
    return web.Response(
        body=raw_or_json(answer), status=status, headers={"Content-Type": "application/json"}
    )
