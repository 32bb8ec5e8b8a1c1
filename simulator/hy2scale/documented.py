"""Translates between the documented API and 1.3: other bodies, other responses, fewer routes.

If the document does not define a structure, the simplest one is used: lists without an object
around them, and only documented fields. Empty lists of users, proxies and rules are null, as in
versions of that time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from simulator.service import Answer, Call

from .wire import body_of, refuse

GENERATION = "documented"
GIGABYTE = 1024**3

MISSING = frozenset(
    {
        "GET /api/clients/{name}",
        "GET /api/diag/peer-health",
        "GET /api/diag/peer-latency",
        "GET /api/diag/peer-rebinds",
        "GET /api/diag/resolve",
        "GET /api/peers",
        "PUT /api/peers/{name}/disable",
        "GET /api/ss",
        "PUT /api/ss",
        "GET /api/system/arch",
        "GET /api/upgrade/check",
        "GET /api/upgrade/status",
        "POST /api/upgrade/apply",
        "POST /api/upgrade/download",
        "GET /api/users/conflicts",
    }
)
"""The routes of 1.3 that the document does not have."""

CLIENT = (
    *("name", "addr", "addrs", "password", "sni", "insecure", "ca", "max_tx", "max_rx"),
    *("disabled", "connected"),
)
NODE = ("node_id", "name", "exit_node", "hy2_user_auth", "compat", "limited", "server", "version")
PEER = (
    *("name", "direction", "connected", "latency_ms", "nested", "version"),
    *("tx_rate", "rx_rate"),
)
SELF = ("name", "direction", "latency_ms", "is_self")
NESTED = ("name", "direction", "latency_ms", "nested")
RULE = (*("id", "name", "type", "targets", "exit_via", "exit_paths", "exit_mode", "enabled"),)
UI = ("listen", "base_path", "dns", "session_timeout_h")
CAPABILITY = ("capable", "host_network", "reason")


def perform(handle: Callable[[Call], Answer], call: Call) -> Answer:
    """Translate a documented request to 1.3, and its response back."""
    key = f"{call.route.method} {call.route.path}" if call.route else ""
    translated = replace(call, body=BODIES[key](body_of(call))) if key in BODIES else call
    answer = handle(translated)
    return ANSWERS[key](call, answer) if key in ANSWERS else answer


def _only(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _rows(names: Iterable[str]) -> Callable[[Call, Any], Answer]:
    return lambda _, rows: [_only(row, names) for row in rows]


def _or_null(rows: list[dict[str, Any]]) -> Answer:
    return rows or web.json_response(None)


def _row(names: Iterable[str]) -> Callable[[Call, Any], Answer]:
    return lambda _, row: _only(row, names)


def _topology(_: Call, rows: Any) -> Answer:
    return [_peer(row, SELF if row.get("is_self") else PEER) for row in rows]


def _peer(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    children = [_peer(child, NESTED) for child in row.get("children", ())]
    return {**_only(row, names), **({"children": children} if children else {})}


def _users(_: Call, rows: Any) -> Answer:
    return _or_null([_user(row) for row in rows])


def _user(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in row.items()
        if name not in {"traffic_limit", "expiry_date", "proxy_passwords"}
    }
    return {
        **kept,
        "traffic_limit_gb": row["traffic_limit"] / GIGABYTE,
        "expiry": f"{row['expiry_date']}T00:00:00Z" if row["expiry_date"] else "",
    }


def _user_body(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {
        **body,
        "traffic_limit": int((body.get("traffic_limit_gb") or 0) * GIGABYTE),
        "expiry_date": (body.get("expiry") or "").partition("T")[0],
    }


def _sessions(_: Call, answer: Any) -> Answer:
    return [
        {"id": row["key"], **{name: row[name] for name in row if name != "key"}}
        for row in answer["devices"]
    ]


def _ports_body(body: Any) -> Any:
    if not isinstance(body, dict) or not isinstance(body.get("ports"), list):
        raise refuse(400, "json: cannot unmarshal array into Go value of type struct")
    return [
        {"port": port, "proto": proto, "desc": ""}
        for port in body["ports"]
        for proto in ("tcp", "udp")
    ]


def _ports(call: Call, answer: Any) -> Answer:
    taken = {row["port"] for row in answer["conflicts"] or ()}
    return {"results": {str(port): port not in taken for port in body_of(call)["ports"]}}


def _without_capability(_: Call, answer: Any) -> Answer:
    return {name: value for name, value in answer.items() if name not in CAPABILITY}


BODIES: Mapping[str, Callable[[Any], Any]] = {
    "POST /api/check-ports": _ports_body,
    "POST /api/users": _user_body,
    "PUT /api/users/{id}": _user_body,
}
ANSWERS: Mapping[str, Callable[[Call, Any], Answer]] = {
    "GET /api/clients": _rows(CLIENT),
    "GET /api/ikev2": _without_capability,
    "GET /api/l2tp": _without_capability,
    "GET /api/node": _row(NODE),
    "GET /api/proxies": lambda _, rows: _or_null(rows),
    "GET /api/rules": lambda _, answer: _or_null([_only(row, RULE) for row in answer["rules"]]),
    "GET /api/sessions": _sessions,
    "GET /api/settings/ui": _row(UI),
    "GET /api/stats": _row(("tx_bytes", "rx_bytes")),
    "GET /api/topology": _topology,
    "GET /api/users": _users,
    "POST /api/check-ports": _ports,
}
