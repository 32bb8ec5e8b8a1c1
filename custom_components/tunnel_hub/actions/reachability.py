"""Actions that check addresses from home."""

from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse

from ..api.capabilities import capable
from ..api.models.tunnels import Tunnel
from ..checks.addresses import NotCheckable
from ..checks.verdicts import Verdict
from ..reachability import AddressChecks
from ..watched_addresses import WatchedAddress
from .base import Action, ActionTarget, to_response


async def _check_reachability(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    found = await capable(target.data.checks, AddressChecks).async_check(target.key.id)
    if isinstance(found, NotCheckable):
        return {"verdict": Verdict.NOT_CHECKABLE.value, "reason": found.value}
    checked, findings = found
    result = checked.result
    certificate = result.certificate
    response: dict[str, Any] = {
        "verdict": findings.verdict.value,
        "reachable": result.is_reached,
        "contradicts_service": findings.contradicts_service,
        "response_time": checked.response_time,
        "http_status": result.http_status,
        "banner": result.banner,
        "certificate": certificate and to_response(certificate),
    }
    return {name: value for name, value in response.items() if value is not None}


REACHABILITY_ACTIONS: dict[str, Action] = {
    "check_reachability": Action(
        run=_check_reachability,
        kinds=(Tunnel.kind, WatchedAddress.kind),
        response=SupportsResponse.OPTIONAL,
    )
}
