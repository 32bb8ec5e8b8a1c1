"""Creates, changes and deletes the proxies of frpc's store, with all of their fields.

frpc replaces a whole row and drops unknown fields. Therefore every change reads the row first,
sends all of it, and verifies the result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
import json
import re
import tomllib

from .. import coerce
from ..errors import (
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelGoneError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..models.tunnels import TunnelUpdate
from ..ports import PORTS, check_port
from ..rows import Row
from .frpc_client import FrpcClient, is_usable
from .frpc_models import PROXY_TYPES, WITH_DOMAIN, WITH_PORT, WITH_SECRET, fields_of

_REMOTE_PORTS = range(PORTS.stop)
"""With 0 the server selects one."""
_ENABLED: Row = {"enabled": True}
"""The default of a proxy."""
_ALWAYS: Mapping[str, str] = {
    "transport": "bandwidthLimit",
    "loadBalancer": "group",
    "healthCheck": "type",
}
"""Text fields that every proxy of the store has, by the object that contains them."""
_NEW: Mapping[str, Row] = {"tcpmux": {"multiplexer": "httpconnect"}}
"""Fields that a new proxy of a type requires and that have only one possible value."""
_NAME_LINE = re.compile(
    r"""^[\s\-{]*["']?name["']?\s*[:=]\s*(?P<quote>["']?)(?P<name>.*?)(?P=quote)\s*[,}]?\s*(?:\#.*)?$"""
    r"""|^\s*\[(?P<section>[^\[\]]+)\]\s*$""",
    re.MULTILINE,
)
"""A name in YAML, JSON or INI, or in TOML that cannot be parsed."""


class StoredProxies:
    """Changes the proxies of the store.

    of_file: reads the names of the proxies in the file, as far as frpc lists them.
    written: called after each write.
    """

    def __init__(
        self,
        client: FrpcClient,
        of_file: Callable[[], Awaitable[Collection[str]]],
        written: Callable[[], None],
    ) -> None:
        self._client = client
        self._of_file = of_file
        self._written = written
        self._changing = asyncio.Lock()

    async def create(self, payload: TunnelUpdate) -> str:
        """Create a proxy and return its name."""
        name, type_ = payload.name or "", payload.protocol or ""
        if not is_usable(name):
            raise InvalidInputError("proxy_name_unusable", name=name)
        _check_type(type_)
        check_port(payload.local_port)
        changes = _changes(payload, type_)
        if type_ in WITH_DOMAIN and not ({"customDomains", "subdomain"} & changes.keys()):
            raise InvalidInputError("domain_needed", protocol=type_)
        async with self._changing:
            await self._check_free(name)
            block = _merged(_NEW.get(type_, {}), changes)
            try:
                await self._client.create({"name": name, "type": type_, type_: block})
            finally:
                self._written()
            await self._expect(name, type_, block)
        return name

    async def update(self, name: str, payload: TunnelUpdate) -> None:
        """Change only the values in the payload."""
        if payload.name not in (None, name):
            raise InvalidInputError("proxy_name_stays", name=name)
        async with self._changing:
            row = await self.row(name)
            type_ = payload.protocol or coerce.text(row.get("type")) or ""
            _check_type(type_)
            changes = _changes(payload, type_)
            await self._replace(row, name, type_, changes)

    async def set_enabled(self, name: str, *, enabled: bool) -> None:
        """Enable or disable a proxy."""
        async with self._changing:
            row = await self.row(name)
            type_ = coerce.text(row.get("type")) or ""
            await self._replace(row, name, type_, {"enabled": enabled})

    async def delete(self, name: str) -> None:
        """Delete a proxy; succeeds if it does not exist."""
        async with self._changing:
            with suppress(TunnelGoneError):
                await self.row(name)
                await self._client.delete(name)
            self._written()

    async def row(self, name: str) -> Row:
        """Read a proxy of the store; raises InvalidInputError if it is not there."""
        failure: TunnelHubError = InvalidInputError("proxy_name_unusable", name=name)
        if is_usable(name):
            try:
                return await self._client.stored_proxy(name)
            except UnsupportedError:
                raise InvalidInputError("store_needed") from None
            except TunnelGoneError as err:
                failure = err
        if name in await self._of_file():
            failure = InvalidInputError("proxy_of_file", name=name)
        raise failure

    async def _replace(self, row: Row, name: str, type_: str, changes: Row) -> None:
        _check_complete(name, row)
        block = _merged(fields_of(row), changes)
        # Fields outside of the object belong to other types.
        own = {key: value for key, value in row.items() if not isinstance(value, dict)}
        try:
            await self._client.replace(name, {**own, "name": name, "type": type_, type_: block})
        finally:
            self._written()
        # A proxy of another type has different fields.
        await self._expect(name, type_, block if row.get("type") == type_ else changes)

    async def _expect(self, name: str, type_: str, fields: Row) -> None:
        """Raise InvalidInputError unless a proxy has these fields now."""
        row = await self.row(name)
        sent, stored = ({**_ENABLED, **block} for block in (fields, fields_of(row)))
        lost = ["type"] if row.get("type") != type_ else list(_lost(sent, stored))
        if lost:
            raise InvalidInputError("not_stored", fields=", ".join(lost))

    async def _check_free(self, name: str) -> None:
        """Raise InvalidInputError for a name that another proxy has, which would be replaced."""
        with suppress(TunnelGoneError):
            await self.row(name)
            raise InvalidInputError("already_exists", name=name)
        # Only the file contains its disabled proxies. It also contains the server's token, so
        # nothing else of it is kept.
        with suppress(RejectedError, UnsupportedError):
            file = await self._client.config()
            if name in await asyncio.to_thread(names_in, file):
                raise InvalidInputError("proxy_of_file", name=name)


def names_in(file: str) -> frozenset[str]:
    """Return all possible names of proxies in frpc's file, in any of its formats."""
    with suppress(tomllib.TOMLDecodeError):
        proxies = tomllib.loads(file).get("proxies")
        rows = [row for row in proxies if isinstance(row, dict)] if proxies else []
        return frozenset(str(row.get("name")) for row in rows)
    found = _NAME_LINE.finditer(file)
    return frozenset((match["name"] or match["section"] or "").strip() for match in found)


def _check_complete(name: str, row: Row) -> None:
    """Raise UnavailableError for a damaged row, whose other fields would be lost.

    frpc returns name and type twice, some fields always, and null only for the plugin.
    """
    block = fields_of(row)
    parts = (block.get(part, {}) for part in _ALWAYS)
    is_complete = (
        row.get("name") == block.get("name") == name
        and row.get("type") == block.get("type")
        and all(
            isinstance(part, dict) and isinstance(part.get(field), str)
            for part, field in zip(parts, _ALWAYS.values(), strict=True)
        )
        and (isinstance(block.get("localPort"), int) or isinstance(block.get("plugin"), dict))
        and all(value is not None for field, value in block.items() if field != "plugin")
    )
    if not is_complete:
        raise UnavailableError(Reason.MALFORMED, "a proxy without all of its fields")


def _check_type(type_: str) -> None:
    if type_ not in PROXY_TYPES:
        known = ", ".join(PROXY_TYPES)
        raise InvalidInputError("unknown_protocol", protocol=type_, known=known)


def _changes(payload: TunnelUpdate, type_: str) -> Row:
    """Return the fields of a payload in frpc's words."""
    if payload.node is not None:
        raise InvalidInputError("no_nodes", node=payload.node)
    if payload.remote_port is not None and type_ not in WITH_PORT:
        raise InvalidInputError("no_remote_port", protocol=type_)
    if payload.domain is not None and type_ not in WITH_DOMAIN:
        raise InvalidInputError("no_domain", protocol=type_)
    if payload.secret_key is not None and type_ not in WITH_SECRET:
        raise InvalidInputError("no_secret_key", protocol=type_)
    for port, possible in ((payload.local_port, PORTS), (payload.remote_port, _REMOTE_PORTS)):
        if port is not None:
            check_port(port, possible)
    fields = {
        "localIP": payload.local_host,
        "localPort": payload.local_port,
        "remotePort": payload.remote_port,
        "secretKey": payload.secret_key,
        **_domains(payload.domain),
    }
    transport = {"useEncryption": payload.encryption, "useCompression": payload.compression}
    named = _without_none(fields)
    if of_transport := _without_none(transport):
        named["transport"] = of_transport
    return _merged(_extra(payload.extra_parameters), named)


def _without_none(fields: Row) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _domains(domain: str | None) -> Row:
    """Return domains that are separated by commas; one without a dot is a subdomain."""
    if domain is None:
        return {}
    names = [name.strip() for name in domain.split(",") if name.strip()]
    whole = [name for name in names if "." in name]
    below = [name for name in names if "." not in name]
    if len(below) > 1 or not names:
        raise InvalidInputError("invalid_domain", domain=domain)
    return {"customDomains": whole, "subdomain": "".join(below)}


def _extra(lines: str | None) -> Row:
    """Return additional fields, which are written as in frpc's file."""
    try:
        fields = tomllib.loads(lines or "")
        # TOML has dates, which frpc does not use.
        json.dumps(fields)
    except (TypeError, ValueError) as err:
        raise InvalidInputError("invalid_extra_parameters", reason=str(err)) from err
    for name in ("name", "type"):
        if name in fields:
            raise InvalidInputError("invalid_extra_parameters", reason=name)
    return fields


def _merged(row: Row, changes: Row) -> dict[str, object]:
    """Return a row with changes, including nested ones."""
    merged = dict(row)
    for name, value in changes.items():
        match merged.get(name), value:
            case dict() as old, dict() as new:
                merged[name] = _merged(old, new)
            case _:
                merged[name] = value
    return merged


def _lost(sent: Row, stored: Row, within: str = "") -> Iterator[str]:
    """Return the names of fields that differ from those that were sent, except empty ones."""
    for name, value in sent.items():
        now = stored.get(name)
        if isinstance(value, dict) and isinstance(now, dict):
            yield from _lost(value, now, f"{within}{name}.")
        elif now != value and (now or value):
            yield f"{within}{name}"
