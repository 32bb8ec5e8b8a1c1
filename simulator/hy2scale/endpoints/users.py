"""The endpoints for users and their connected devices."""

from collections import defaultdict
from typing import TYPE_CHECKING

from simulator.hy2scale.state import User
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, decode, refuse, shown
from simulator.service import Answer, Call

from .shared import Toggle, settle_exit

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

PASSWORD_ONLY = ("hy2", "ss")
"""The proxies that identify users by password only, so passwords must be unique."""


@ROUTES.on("GET", "/api/users")
def get_users(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the users, with passwords in plain text."""
    return [shown(user) for user in service.state.users.values()]


@ROUTES.on("POST", "/api/users")
def post_user(service: Hy2ScaleService, call: Call) -> Answer:
    """Add a user. One with an existing name is ignored."""
    user = _user(service, call)
    if not (user.username and user.password):
        raise refuse(400, "username and password required")
    user.id = user.id or f"{service.random.getrandbits(32):08x}"
    users = service.state.users
    if user.username not in {other.username for other in users.values()}:
        users[user.id] = user
    return OK


@ROUTES.on("PUT", "/api/users/{id}")
def put_user(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace a user except the used traffic; an unknown one is ignored."""
    user = _user(service, call)
    user.id = call.params["id"]
    old = service.state.users.get(user.id)
    if old:
        user.traffic_used = old.traffic_used
        service.state.users[user.id] = user
    return OK


@ROUTES.on("DELETE", "/api/users/{id}")
def delete_user(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a user; an unknown one is ignored."""
    service.state.users.pop(call.params["id"], None)
    return OK


@ROUTES.on("PUT", "/api/users/{id}/toggle")
def toggle_user(service: Hy2ScaleService, call: Call) -> Answer:
    """Enable or disable a user; an unknown one is ignored."""
    enabled = decode(Toggle, call).enabled
    user = service.state.users.get(call.params["id"])
    if user:
        user.enabled = enabled
    return OK


@ROUTES.on("PUT", "/api/users/{id}/reset-traffic")
def reset_traffic(service: Hy2ScaleService, call: Call) -> Answer:
    """Reset a user's traffic; an unknown one is ignored."""
    user = service.state.users.get(call.params["id"])
    if user:
        user.traffic_used = 0
    return OK


@ROUTES.on("GET", "/api/users/conflicts")
def get_conflicts(service: Hy2ScaleService, _: Call) -> Answer:
    """Return users with the same password: username -> proxy -> usernames."""
    conflicts: dict[str, dict[str, list[str]]] = defaultdict(dict)
    users = service.state.users.values()
    for user in users:
        for proxy in PASSWORD_ONLY:
            password = _effective_password(user, proxy)
            others = [
                other.username
                for other in users
                if other is not user and _effective_password(other, proxy) == password
            ]
            if others:
                conflicts[user.username][proxy] = others
    return conflicts


def _effective_password(user: User, proxy: str) -> str:
    return user.proxy_passwords.get(proxy) or user.password


def _user(service: Hy2ScaleService, call: Call) -> User:
    user = settle_exit(decode(User, call), documented=service.documented)
    server = service.state.server
    if server and user.password and user.password == server.password:
        raise refuse(400, "the server has the same password")
    return user


@ROUTES.on("GET", "/api/sessions")
def get_sessions(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the connected devices."""
    devices = [
        {
            "key": key,
            "username": session.username,
            "remote_ip": session.remote_ip,
            "protocol": session.protocol,
            "connect_at": int(session.connect_at),
            "duration": int(service.now() - session.connect_at),
            "conn_count": session.conn_count,
            "tx_bytes": session.tx_bytes,
            "rx_bytes": session.rx_bytes,
        }
        for key, session in service.state.sessions.items()
    ]
    return {"devices": devices, "total": len(devices)}


@ROUTES.on("DELETE", "/api/sessions/{id}")
def delete_session(service: Hy2ScaleService, call: Call) -> Answer:
    """Disconnect a device, and lock it out for a minute."""
    if not service.kick(call.params["id"]):
        raise refuse(404, "session not found")
    return OK
