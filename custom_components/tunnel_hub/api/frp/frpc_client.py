"""The admin API of frpc, one method for each endpoint that is used.

The routes of the store exist since frpc 0.68, and only if its file sets `store.path`. A name is
part of the path, and frpc's router uses the decoded path: a proxy whose name contains a slash
cannot be requested. See `client/http` in github.com/fatedier/frp.
"""

import asyncio
from itertools import chain
import re

from ..errors import Reason, UnavailableError
from ..http import Answer
from ..rows import Row, rows_in, rows_of
from .client import ProgramClient
from .frps_models import name_of

STATUS = "/api/status"
_STORE = "/api/store/proxies"
_STORED = "/api/store/proxies/{name}"
_SECRET_LINE = re.compile(
    r"""\b\w*(?:token|password|secret|key|sk)\w*["']?\s*[:=]\s*["']?([^"'\s,}]+)""",
    re.IGNORECASE,
)
"""A line of a configuration file, in any of its formats, with a secret."""
_MOST_SECRETS = 100
_VISITORS = "/api/store/visitors"
_VISITOR = "/api/store/visitors/{name}"


class FrpcClient(ProgramClient):
    """Sends requests to frpc. Rows have its own field names."""

    async def status(self) -> list[Row]:
        """GET /api/status: the proxies that frpc runs; none while it is not connected to frps."""
        return _proxies(await self.ask("GET", STATUS))

    async def config(self) -> str:
        """GET /api/config: frpc's configuration file, which contains the token of the server."""
        text = (await self.ask("GET", "/api/config")).text()
        # Searching a long file takes a while.
        secrets = await asyncio.to_thread(_SECRET_LINE.findall, text)
        self._transport.secrets.learn([{"token": secret} for secret in secrets[:_MOST_SECRETS]])
        return text

    async def proxy_config(self, name: str) -> Row:
        """GET /api/proxy/<name>/config: a proxy that runs or is in the store."""
        return (await self.ask("GET", "/api/proxy/{name}/config", name)).mapping()

    async def stop(self) -> None:
        """POST /api/stop: stop frpc."""
        await self.ask("POST", "/api/stop", read=False)

    async def reload(self) -> None:
        """GET /api/reload: reload the configuration file."""
        _expect_nothing(await self.ask("GET", "/api/reload", read=False))

    async def stored(self) -> list[Row]:
        """GET /api/store/proxies: the proxies of the store, including disabled ones."""
        # frpc may have been restarted with another file.
        self.routes.forget()
        answer = await self.ask("GET", _STORE)
        return rows_in(answer.mapping().get("proxies"), "proxies")

    async def stored_proxy(self, name: str) -> Row:
        """GET /api/store/proxies/<name>; raises TunnelGoneError."""
        return (await self.ask("GET", _STORED, name)).mapping()

    async def create(self, proxy: Row) -> None:
        """POST /api/store/proxies: add a proxy, which replaces one of the same name in the file."""
        await self.ask("POST", _STORE, json=proxy, read=False)

    async def replace(self, name: str, proxy: Row) -> None:
        """PUT /api/store/proxies/<name>: replace a proxy; raises TunnelGoneError."""
        await self.ask("PUT", _STORED, name, json=proxy, read=False)

    async def delete(self, name: str) -> None:
        """DELETE /api/store/proxies/<name>; raises TunnelGoneError."""
        _expect_nothing(await self.ask("DELETE", _STORED, name, read=False))

    async def visitors(self) -> list[Row]:
        """GET /api/store/visitors: visitors, which connect to tunnels of other clients."""
        answer = await self.ask("GET", _VISITORS)
        return rows_in(answer.mapping().get("visitors"), "visitors")

    async def visitor(self, name: str) -> Row:
        """GET /api/store/visitors/<name>: one of them."""
        return (await self.ask("GET", _VISITOR, name)).mapping()

    async def create_visitor(self, visitor: Row) -> None:
        """POST /api/store/visitors: add a visitor."""
        await self.ask("POST", _VISITORS, json=visitor, read=False)

    async def replace_visitor(self, name: str, visitor: Row) -> None:
        """PUT /api/store/visitors/<name>: replace a visitor."""
        await self.ask("PUT", _VISITOR, name, json=visitor, read=False)

    async def delete_visitor(self, name: str) -> None:
        """DELETE /api/store/visitors/<name>: delete a visitor."""
        await self.ask("DELETE", _VISITOR, name, read=False)


def _proxies(answer: Answer) -> list[Row]:
    by_type = answer.mapping()
    if not all(isinstance(rows, list) for rows in by_type.values()):
        raise UnavailableError(Reason.MALFORMED, "no proxies")
    return list(chain.from_iterable(map(rows_of, by_type.values())))


def _expect_nothing(answer: Answer) -> None:
    if answer.body.strip():
        raise UnavailableError(Reason.MALFORMED, "an answer where there is none")


def is_usable(name: str) -> bool:
    """Return whether a proxy can be requested by its name."""
    return "/" not in name and name not in {".", ".."} and name_of({"name": name}) == name
