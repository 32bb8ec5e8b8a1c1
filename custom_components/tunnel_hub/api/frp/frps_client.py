"""The API of frps's dashboard, one method for each endpoint.

Version 2 exists since frps 0.70. It wraps answers in `{code, msg, data}` and splits lists into
pages; the methods return `data`. Traffic is in bytes, and "today" is the server's day, since frps
was started. See `server/http` in github.com/fatedier/frp.
"""

from collections.abc import Mapping
from http import HTTPStatus

from .. import coerce
from ..errors import Reason, UnavailableError
from ..rows import Row, row_in, rows_in
from .client import ProgramClient

TYPES = ("tcp", "udp", "http", "https", "tcpmux", "stcp", "xtcp", "sudp")
"""Types of proxies. Version 1 has one list for each."""
PAGE_SIZE = 200
"""The maximum number of rows of a page."""
_MOST_PAGES = 100
"""The maximum number of pages that are read."""


class FrpsClient(ProgramClient):
    """Sends requests to frps. Rows have its own field names."""

    # Version 1

    async def serverinfo(self) -> Row:
        """GET /api/serverinfo: version, ports, settings and totals in one object."""
        return (await self.ask("GET", "/api/serverinfo")).mapping()

    async def clients(self) -> list[Row]:
        """GET /api/clients: the clients, including disconnected ones; frps 0.68 and later."""
        rows = rows_in((await self.ask("GET", "/api/clients")).json())
        self.routes.found("/api/clients")
        return rows

    async def proxies_of(self, proxy_type: str) -> list[Row]:
        """GET /api/proxy/<type>: the proxies of a type; `conf` is null if a proxy is offline."""
        answer = await self.ask("GET", "/api/proxy/{name}", proxy_type)
        return rows_in(answer.mapping().get("proxies"), null=True)

    async def proxy(self, name: str) -> Row:
        """GET /api/proxies/<name>: one proxy; raises TunnelGoneError."""
        return (await self.ask("GET", "/api/proxies/{name}", name)).mapping()

    async def traffic(self, name: str) -> Row:
        """GET /api/traffic/<name>: trafficIn and trafficOut of seven days, today first."""
        return (await self.ask("GET", "/api/traffic/{name}", name)).mapping()

    async def delete_offline_proxies(self) -> None:
        """DELETE /api/proxies?status=offline: remove the proxies that are offline."""
        params = {"status": "offline"}
        answer = await self.ask("DELETE", "/api/proxies", read=False, params=params)
        if answer.mapping().get("Code") != HTTPStatus.OK:
            raise UnavailableError(Reason.MALFORMED, "no result")

    # Version 2

    async def system_info(self) -> Row:
        """GET /api/v2/system/info: version, `config` and `status`."""
        return await self._data("GET", "/api/v2/system/info")

    async def clients_v2(self) -> list[Row]:
        """GET /api/v2/clients: the clients, including disconnected ones."""
        return await self._all("/api/v2/clients")

    async def client(self, key: str) -> Row:
        """GET /api/v2/clients/<key>: one client, with its number of proxies and connections."""
        return await self._data("GET", "/api/v2/clients/{name}", key)

    async def users(self) -> list[Row]:
        """GET /api/v2/users: users, with their number of clients and proxies."""
        return await self._all("/api/v2/users")

    async def proxies_v2(self) -> list[Row]:
        """GET /api/v2/proxies: all proxies; the `spec` of an offline one only contains its type."""
        return await self._all("/api/v2/proxies")

    async def proxy_v2(self, name: str) -> Row:
        """GET /api/v2/proxies/<name>: one proxy; raises TunnelGoneError."""
        return await self._data("GET", "/api/v2/proxies/{name}", name)

    async def traffic_v2(self, name: str) -> list[Row]:
        """GET /api/v2/proxies/<name>/traffic: date, trafficIn and trafficOut, the oldest first."""
        data = await self._data("GET", "/api/v2/proxies/{name}/traffic", name)
        return rows_in(data.get("history"))

    async def prune(self) -> None:
        """POST /api/v2/system/prune: remove the proxies that are offline."""
        params = {"type": "offline_proxies"}
        await self._data("POST", "/api/v2/system/prune", read=False, params=params)

    async def _data(
        self,
        method: str,
        route: str,
        name: str | None = None,
        *,
        read: bool = True,
        params: Mapping[str, str] | None = None,
    ) -> Row:
        """Return the data of a version 2 answer."""
        answer = await self.ask(method, route, name, read=read, params=params)
        return row_in(answer.mapping(), "data")

    async def _all(self, route: str) -> list[Row]:
        """Return the rows of all pages of a list.

        If a row was added or removed in the meantime, rows move to other pages, so all are read
        again.
        """
        rows, is_whole = await self._read_pages(route)
        return rows if is_whole else (await self._read_pages(route))[0]

    async def _read_pages(self, route: str) -> tuple[list[Row], bool]:
        """Read pages until one is not full; return the rows and whether the list was unchanged."""
        rows: list[Row] = []
        totals = set[object]()
        for number in range(1, _MOST_PAGES + 1):
            params = {"page": f"{number}", "pageSize": f"{PAGE_SIZE}"}
            page = await self._data("GET", route, params=params)
            items = rows_in(page.get("items"), null=True)
            rows += items
            totals.add(coerce.count(page.get("total")))
            if len(items) < PAGE_SIZE:
                break
        return rows, len(totals) == 1
