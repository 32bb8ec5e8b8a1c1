"""The control routes of a simulated service: state, calls, faults and clock over HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from ipaddress import ip_address
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import dotted_paths

if TYPE_CHECKING:
    from .service import Service

type Handler = Callable[[Service[Any], Any], object]


def add_routes(app: web.Application, service: Service[Any]) -> None:
    """Add the control routes to those of the service."""
    for (method, path), handler in ROUTES.items():
        app.router.add_route(method, f"/_control/{path}", _guarded(service, handler))


def _guarded(
    service: Service[Any], handler: Handler
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if not ip_address(request.remote or "0.0.0.0").is_loopback:
            raise web.HTTPForbidden
        try:
            result = handler(service, await request.json() if request.can_read_body else None)
        except (ValueError, TypeError, LookupError) as error:
            raise web.HTTPBadRequest(text=f"{type(error).__name__}: {error}") from error
        return web.json_response(result, dumps=partial(json.dumps, default=str, ensure_ascii=False))

    return answer


def get_state(service: Service[Any], _: None) -> object:
    """Return the whole state, including secrets."""
    service.catch_up()
    return asdict(service.state)


def patch_state(service: Service[Any], changes: dict[str, object]) -> object:
    """Set values of the state: {"tunnels.3.enabled": false}."""
    service.catch_up()
    for path, value in changes.items():
        dotted_paths.put(service.state, path, value)
    return {}


def get_addresses(service: Service[Any], _: None) -> object:
    """Return the public addresses of connected tunnels."""
    service.catch_up()
    return sorted(set(service.open_addresses))


def get_calls(service: Service[Any], _: None) -> object:
    """Return the calls since the start, oldest first."""
    return [
        {
            "method": call.method,
            "path": call.path,
            "kind": call.route.kind if call.route else None,
            "query": call.query,
            "headers": dict(call.headers),
            "body": call.body,
            "status": call.status,
            "at": call.at,
        }
        for call in service.calls
    ]


def post_fault(service: Service[Any], order: dict[str, Any]) -> object:
    """Add a fault: the arguments of `Service.fault` by name."""
    service.fault(**order)
    return {}


def delete_faults(service: Service[Any], _: None) -> object:
    """Remove all faults."""
    service.clear_faults()
    return {}


def post_advance(service: Service[Any], order: dict[str, float]) -> object:
    """Advance the clock: {"seconds": 3600}."""
    service.advance(order["seconds"])
    return {"now": service.now()}


ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "state"): get_state,
    ("PATCH", "state"): patch_state,
    ("GET", "addresses"): get_addresses,
    ("GET", "calls"): get_calls,
    ("POST", "faults"): post_fault,
    ("DELETE", "faults"): delete_faults,
    ("POST", "advance"): post_advance,
}
