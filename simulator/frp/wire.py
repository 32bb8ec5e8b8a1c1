"""The responses that frps and frpc have in common, because both are written in Go."""

from base64 import b64encode

from aiohttp import web

from simulator.service import Call, RefusedError, RouteTable, as_response

ROUTES = RouteTable()
"""Of both programs: the kind of a route is the name of its program."""


def text(words: str, status: int) -> web.Response:
    """Return a line of text as Go's web server sends it."""
    return web.Response(status=status, text=f"{words}\n", charset="utf-8")


def nothing() -> web.Response:
    """Return an empty successful answer without a content type."""
    response = web.Response()
    response.headers.popall("Content-Type", None)
    return response


def refuse(status: int, words: str) -> RefusedError:
    """Return the exception for a refusal, as in version 1 of the APIs."""
    return RefusedError(as_response({"Code": status, "Msg": words}, status))


def require_password(call: Call, username: str, password: str) -> None:
    """Refuse a call without valid credentials, if they are required."""
    signature = b64encode(f"{username}:{password}".encode()).decode()
    if (username or password) and call.headers.get("Authorization") != f"Basic {signature}":
        raise RefusedError(text("Unauthorized", 401))
