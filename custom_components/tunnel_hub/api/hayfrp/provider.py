"""HayFrp as feeds and commands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, override

from aiohttp import ClientSession

from .. import coerce, days
from ..age import Stamp
from ..cache import Recent
from ..capabilities.account import CanRecoverPassword, CanRegister, CanResetToken, CanSignIn
from ..capabilities.collections import CanEdit, EditableCollection
from ..capabilities.nodes import CanChooseNodes
from ..capabilities.service import CanListDownloads
from ..capabilities.tunnels import CanForceDown, CanInspectTunnels, CanToggleTunnels
from ..days import SHANGHAI
from ..errors import (
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelGoneError,
    TunnelHubError,
    UnavailableError,
)
from ..feed import Feed, Probe
from ..gather import gather_all
from ..http import Transport
from ..models.account import Account, NewAccount, SignInResult
from ..models.base import Resource
from ..models.nodes import Node, NodeLoad
from ..models.service import Download, Notice, Release, ServiceTotals
from ..models.tunnels import Tunnel, TunnelDraft, TunnelState
from ..node_choice import NodeChoice
from ..pace import iterate
from ..provider import Credentials, Identity, Issue, Options, Provider, ProviderDescription
from ..rows import Listing, Memo, Row, RowMap, at
from ..tokens import Login
from .auth import Session
from .client import AlreadySignedInError, HayFrpClient, TunnelReading

HOSTS = (
    "https://api.hayfrp.com",
    "https://api.hayfrp.1zyq1.com",
    "https://v2.api.hayfrp.1zyq1.com",
)

PROTOCOLS = ("tcp", "udp", "http", "https", "stcp", "xtcp")
_PORTLESS = frozenset({"http", "https", "stcp", "xtcp"})
"""Protocols that need no port at the node."""
_NAME_LENGTH = range(3, 16)
_PORTS = range(1, 65501)

_MOST_MIRRORS = 20
_MOST_FILES = 500

_MINUTE = timedelta(minutes=1)
_FIVE_MINUTES = timedelta(minutes=5)
_HOUR = timedelta(hours=1)

_NEARLY_TWO_MINUTES = timedelta(seconds=110)
_FIFTEEN_MINUTES = timedelta(minutes=15)
_HALF_HOUR = timedelta(minutes=30)

_SAME_MOMENT = 5.0
"""Seconds for which the nodes' figures count as read now."""

_CHECK_IDLE = timedelta(minutes=15)
"""Between two checks of a tunnel while nobody looks, and nothing suggests a change."""

_READING_GOOD_FOR = 5 * _MINUTE
"""A check that old says nothing about now where a later one failed."""

_CHECKS_AT_ONCE = 3
"""One below the transport's bound, so that checks never hold up a command."""

_CHECKS_PER_SECOND = 4
"""What a person makes who opens the console's page of tunnels now and then."""

_NEVER = (None, "", 0, "0")
"""How the service writes the day of a sign-in that has not been."""

_LOADS = {
    "无负荷": NodeLoad.IDLE,
    "低负荷": NodeLoad.LOW,
    "中负荷": NodeLoad.MEDIUM,
    "高负荷": NodeLoad.HIGH,
}
_STATES = {
    TunnelReading.ONLINE: TunnelState.ONLINE,
    TunnelReading.OFFLINE: TunnelState.OFFLINE,
    TunnelReading.NODE_OFFLINE: TunnelState.NODE_OFFLINE,
}


def _last_sign_in(row: Row) -> datetime | None:
    """When the account signed in last: seconds, milliseconds or a date of the service's day."""
    return coerce.moment(row.get("signdate"), SHANGHAI)


def _signed_in_today(row: Row) -> bool | None:
    """Whether the last sign-in was on the service's day, if that can be read; null means never."""
    if (last := _last_sign_in(row)) is None:
        return False if row.get("signdate", "unknown") in _NEVER else None
    return days.day_of(last, SHANGHAI) == days.today(SHANGHAI)


def _banned(row: Row) -> bool | None:
    status = coerce.boolean(row.get("status"))
    return None if status is None else not status


def _local_address(row: Row) -> str | None:
    return coerce.host_port(coerce.text(row.get("local_ip")), coerce.count(row.get("local_port")))


def _public_address(row: Row) -> str | None:
    """Where the tunnel is reached: its domain, or its node's with the port."""
    host = coerce.text(row.get("node_domain"))
    match coerce.text(row.get("proxy_type")):
        case "http" | "https":
            return coerce.text(row.get("domain")) or host
        case "stcp" | "xtcp":
            return None
        case _:
            return coerce.host_port(host, coerce.count(row.get("remote_port")))


_ACCOUNT = RowMap(
    Account,
    id=lambda _: "account",
    name=at("username", coerce.text),
    banned=_banned,
    last_sign_in=_last_sign_in,
    service_provider=at("sprovider", coerce.boolean),
    sign_in_days=at("totalsign", coerce.count),
    sign_in_traffic=at("totaltraffic", coerce.gigabytes),
    signed_in_today=_signed_in_today,
    traffic_left=at("traffic", coerce.megabytes),
    traffic_today=at("todaytraffic", coerce.count),
    tunnels_allowed=at("proxies", coerce.count),
    tunnels_used=at("useproxies", coerce.count),
    verified=at("realname", coerce.boolean),
)

_TUNNEL = RowMap(
    Tunnel,
    id=at("id", coerce.identifier),
    name=at("proxy_name", coerce.text),
    compression=at("use_compression", coerce.boolean),
    enabled=at("status", coerce.boolean),
    encryption=at("use_encryption", coerce.boolean),
    last_edit=at("lastupdate", coerce.epoch),
    local_address=_local_address,
    node_id=at("node", coerce.text),
    node_name=at("node_name", coerce.text),
    protocol=at("proxy_type", coerce.text),
    public_address=_public_address,
)

_NODE = RowMap(
    Node,
    id=at("id", coerce.identifier),
    name=at("name", coerce.text),
    clients=at("client_counts", coerce.count),
    connections=at("cur_conns", coerce.count),
    cpu_usage=at("cpu_usage", coerce.percentage),
    disk_usage=at("disk_usage", coerce.percentage),
    load=lambda row: _LOADS.get(coerce.text(row.get("status")) or ""),
    memory_usage=at("ram_usage", coerce.percentage),
    online=lambda _: True,
    traffic_in_today=at("total_traffic_in", coerce.count),
    traffic_out_today=at("total_traffic_out", coerce.count),
    version=at("version", coerce.text),
)

_LISTED_NODE = RowMap(
    Node,
    id=at("id", coerce.identifier),
    name=at("name", coerce.text),
    description=at("description", coerce.text),
    online=lambda _: True,
)

_SERVICE = RowMap(
    ServiceTotals,
    id=lambda _: "service",
    clients=at("oclient", coerce.count),
    runs=at("totalrun", coerce.count),
    runs_today=at("todayrun", coerce.count),
    traffic=at("aflow", coerce.megabytes),
    traffic_in=at("aflowin", coerce.megabytes),
    traffic_in_today=at("eflowin", coerce.megabytes),
    traffic_out=at("aflowout", coerce.megabytes),
    traffic_out_today=at("eflowout", coerce.megabytes),
    traffic_today=at("eflow", coerce.megabytes),
)

_RELEASE = RowMap(
    Release,
    id=lambda _: "service",
    frpc_version=at("ver_frpc", coerce.text),
    frps_version=at("ver_hayfrps", coerce.text),
)

_DEVICE = "Home Assistant"
"""What registration wants as the name of the device."""

_READING_FIELDS = frozenset({"checked_at", "online", "state"})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one check told of a tunnel, when, and whether the tunnel was enabled then."""

    state: TunnelState
    enabled: bool | None
    checked_at: datetime
    read: Stamp


def _with_reading(tunnel: Tunnel, reading: _Reading | None) -> Tunnel:
    """Add the last reading; a disabled tunnel counts as offline without one."""
    if reading is not None and reading.enabled != tunnel.enabled:
        reading = None
    state = reading.state if reading else None
    if tunnel.enabled is False and state is not TunnelState.ONLINE:
        state = TunnelState.DISABLED
    return replace(
        tunnel,
        checked_at=reading.checked_at if reading else None,
        online=None if state is None else state is TunnelState.ONLINE,
        state=state,
    )


class HayFrpProvider(
    Provider,
    CanChooseNodes,
    CanEdit,
    CanForceDown,
    CanInspectTunnels,
    CanListDownloads,
    CanRecoverPassword,
    CanRegister,
    CanResetToken,
    CanSignIn,
    CanToggleTunnels,
):
    """One HayFrp account.

    credentials: username and password, or token (a csrf) alone; base_url in place of the
    service's own hosts. The csrf is kept in token and given to on_credentials when renewed.
    """

    description = ProviderDescription(
        key="hayfrp",
        name="HayFrp",
        console_url="https://console.hayfrp.com",
        time_zone=SHANGHAI,
    )

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        self.credentials = credentials
        base_url = credentials.get("base_url")
        self._transport = Transport(
            session, (base_url.rstrip("/"),) if base_url else HOSTS, headers={"waf": "off"}
        )
        self._transport.secrets.add(credentials.get("password"), credentials.get("token"))
        self._client = HayFrpClient(self._transport)
        self._session = Session(
            credentials.get("token"),
            Login(self._signs_in, self._log_in) if credentials.get("password") else None,
            self._keep_csrf,
        )
        self._nodes = NodeChoice(options)
        self._listing = asyncio.Lock()
        self._listed = Listing(_TUNNEL)
        self._with_readings = Memo(_with_reading)
        self._tunnels: dict[str, Tunnel] | None = None
        self._readings: dict[str, _Reading] = {}
        self._unanswered: set[str] = set()
        self._node_rows = Recent(self._client.get_node_info)
        self._node_clients: dict[str, int | None] | None = None
        self._known_nodes: dict[str, Node] = {}
        self.feeds = {
            feed.key: feed
            for feed in (
                Feed[Resource](
                    key="account",
                    resource=Account,
                    interval=_MINUTE,
                    idle_interval=_FIFTEEN_MINUTES,
                    fields=_ACCOUNT.fields,
                    fetch=self._account,
                    essential=True,
                ),
                Feed[Resource](
                    key="tunnels",
                    resource=Tunnel,
                    interval=_MINUTE,
                    idle_interval=_NEARLY_TWO_MINUTES,
                    fields=_TUNNEL.fields | _READING_FIELDS,
                    fetch=self._list_tunnels,
                    probe=Probe[Resource](
                        fields=_READING_FIELDS,
                        candidates=self._enabled_tunnels,
                        read=self.check_tunnel,
                        concurrency=_CHECKS_AT_ONCE,
                        rate=_CHECKS_PER_SECOND,
                        idle_interval=_CHECK_IDLE,
                        stirred=self._stirred_tunnels,
                    ),
                ),
                Feed[Resource](
                    key="nodes",
                    resource=Node,
                    interval=_FIVE_MINUTES,
                    idle_interval=_HALF_HOUR,
                    fields=_NODE.fields | {"description"},
                    fetch=self._list_nodes,
                ),
                Feed[Resource](
                    key="service",
                    resource=ServiceTotals,
                    interval=_FIVE_MINUTES,
                    idle_interval=_HALF_HOUR,
                    fields=_SERVICE.fields,
                    fetch=self._totals,
                ),
                Feed[Resource](
                    key="release",
                    resource=Release,
                    interval=_HOUR,
                    fields=_RELEASE.fields,
                    fetch=self._release,
                ),
                Feed[Resource](
                    key="notice",
                    resource=Notice,
                    interval=_HOUR,
                    fields=frozenset({"text"}),
                    fetch=self._notice,
                ),
            )
        }

    # The account and its session

    @override
    async def identify(self) -> Identity:
        if "password" not in self.credentials:
            await self._session.use(self._client.csrf)
        row = await self._session.use(self._client.get_info)
        account = coerce.identifier(row.get("uuid")) or coerce.identifier(row.get("id"))
        if account is None:
            raise RejectedError(self._transport.redact(row.get("message")))
        if _banned(row):
            raise InvalidInputError("account_banned")
        return Identity(id=account, title=coerce.text(row.get("username")) or account)

    @override
    def issues(self) -> tuple[Issue, ...]:
        return (Issue(key="session_contested"),) if self._session.contested else ()

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            TunnelDraft: EditableCollection(
                create=self.create_tunnel, update=self.update_tunnel, delete=self.delete_tunnel
            )
        }

    @override
    def statistics(self) -> Mapping[str, int]:
        return {"requests": self._transport.requests, "logins": self._session.logins}

    def _signs_in(self) -> tuple[str, str]:
        """Return user name and password."""
        return self.credentials["username"], self.credentials["password"]

    async def _log_in(self) -> str:
        return await self._client.login(*self._signs_in())

    async def _keep_csrf(self, csrf: str) -> None:
        await self.keep({"token": csrf})

    # Feeds

    async def _account(self) -> Mapping[str, Account]:
        return await _ACCOUNT.many([await self._session.use(self._client.get_info)])

    async def _list_tunnels(self) -> dict[str, Tunnel]:
        async with self._listing:
            rows = await self._session.use(self._client.list_tunnel)
            listed = await self._listed.read(rows)
            self._readings = {
                id_: reading
                for id_, reading in self._readings.items()
                if id_ in listed and reading.read.age < self._reading_good_for(id_).total_seconds()
            }
            self._tunnels = await self._with_readings.all(
                (id_, (tunnel, self._readings.get(id_))) for id_, tunnel in listed.items()
            )
            return self._tunnels

    def _reading_good_for(self, tunnel_id: str) -> timedelta:
        """For how long a check counts: until the next one, or a little longer if that fails."""
        round_ = timedelta(seconds=len(self._readings) / _CHECKS_PER_SECOND)
        usual = _READING_GOOD_FOR + (timedelta() if tunnel_id in self._unanswered else _CHECK_IDLE)
        return max(usual, 2 * round_)

    async def _stirred_tunnels(self) -> list[str]:
        """Return the tunnels whose client may have come or gone: their node counts others now.

        One public request for all tunnels, in place of one for each.
        """
        rows = await self._node_rows.get(_SAME_MOMENT)
        nodes = {id_: node.clients for id_, node in (await _NODE.many(rows)).items()}
        before, self._node_clients = self._node_clients, nodes
        if before is None:
            return []
        stirred = {id_ for id_ in nodes.keys() | before.keys() if nodes.get(id_) != before.get(id_)}
        return [t.id for t in (self._tunnels or {}).values() if t.node_id in stirred]

    def _enabled_tunnels(self) -> list[str]:
        return [tunnel.id for tunnel in (self._tunnels or {}).values() if tunnel.enabled]

    async def _used_nodes(self) -> dict[str, str | None]:
        """Names of the nodes that the account's tunnels run over, by id."""
        async with self._listing:
            tunnels = self._tunnels
        if tunnels is None:
            tunnels = await self._list_tunnels()
        return {t.node_id: t.node_name for t in tunnels.values() if t.node_id is not None}

    async def _list_nodes(self) -> Mapping[str, Node]:
        """Nodes with figures, nodes without, and those known before, which are offline now."""
        probed, listed, used = await gather_all(
            self._node_rows.get(0), self._client.get_node_list(), self._used_nodes()
        )
        described = await _LISTED_NODE.many(listed)
        nodes = {id_: Node(id=id_, name=name, online=False) for id_, name in used.items()}
        async for id_, node in iterate(self._known_nodes.items()):
            nodes[id_] = Node(id=id_, name=node.name, description=node.description, online=False)
        nodes |= described
        async for id_, node in iterate((await _NODE.many(probed)).items()):
            known = described.get(id_)
            nodes[id_] = replace(node, description=known.description if known else None)
        self._known_nodes = nodes
        return self._nodes.select(nodes, used)

    async def _totals(self) -> Mapping[str, ServiceTotals]:
        return await _SERVICE.many([await self._client.hayfrp_info()])

    async def _release(self) -> Mapping[str, Release]:
        return await _RELEASE.many([await self._client.version()])

    async def _notice(self) -> Mapping[str, Notice]:
        words = coerce.plain_text(await self._client.get_notice())
        text = coerce.told(self._transport.secrets.hide(words))
        return {"service": Notice(id="service", text=text)}

    # Commands

    @override
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Ask for one tunnel's online state."""
        try:
            reading = await self._session.use(
                lambda csrf: self._client.get_tunnel_status(csrf, tunnel_id)
            )
        except TunnelHubError as err:
            self._unanswered.add(tunnel_id)
            if isinstance(err, RejectedError):
                await self._tunnel_row(tunnel_id)
            raise
        self._unanswered.discard(tunnel_id)
        tunnel = (self._tunnels or {}).get(tunnel_id) or Tunnel(id=tunnel_id)
        self._readings[tunnel_id] = _Reading(
            _STATES[reading], tunnel.enabled, checked_at=datetime.now(UTC), read=Stamp.now()
        )
        return _with_reading(tunnel, self._readings[tunnel_id])

    @override
    async def set_tunnel_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Enable or disable a tunnel."""
        await self._on_tunnel(
            tunnel_id, lambda csrf: self._client.toggle_tunnel(csrf, tunnel_id, toggle=enabled)
        )
        if self._tunnels and (tunnel := self._tunnels.get(tunnel_id)):
            self._tunnels[tunnel_id] = _with_reading(
                replace(tunnel, enabled=enabled), self._readings.get(tunnel_id)
            )

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Throw the client off, once; it may come back by itself."""
        await self._on_tunnel(
            tunnel_id, lambda csrf: self._client.force_down_tunnel(csrf, tunnel_id)
        )

    async def create_tunnel(self, draft: TunnelDraft) -> str:
        """Make a tunnel; its id."""
        fields = await self._tunnel_fields(draft, {})
        created = await self._session.use(lambda csrf: self._client.add_tunnel(csrf, fields))
        if created is None:
            rows = await self._session.use(self._client.list_tunnel)
            named = [t.id for t in (await _TUNNEL.many(rows)).values() if t.name == draft.name]
            if not named:
                raise UnavailableError(Reason.MALFORMED, "no id")
            created = named[-1]
        return created

    async def update_tunnel(self, tunnel_id: str, draft: TunnelDraft) -> None:
        """Change what the draft names; an edit replaces the row, so all of it is sent."""
        fields = await self._tunnel_fields(draft, await self._tunnel_row(tunnel_id))
        await self._on_tunnel(
            tunnel_id, lambda csrf: self._client.edit_tunnel(csrf, tunnel_id, fields)
        )

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; one that is gone already counts as deleted."""
        with suppress(TunnelGoneError):
            await self._on_tunnel(
                tunnel_id, lambda csrf: self._client.delete_tunnel(csrf, tunnel_id)
            )

    @override
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the file for one tunnel, or for all of a node's; it holds the link token."""
        return await self._session.use(
            lambda csrf: self._client.tunnel_config(
                csrf, file_format or "toml", node=node_id or "", proxy=tunnel_id or ""
            )
        )

    @override
    async def sign_in(self) -> SignInResult:
        """Do today's sign-in."""
        try:
            row = await self._session.use(self._client.sign)
        except AlreadySignedInError as err:
            return SignInResult(already=True, message=err.message)
        return SignInResult(
            already=False,
            message=self._transport.redact(row.get("message")),
            traffic=coerce.gigabytes(row.get("signflow")),
            traffic_left=coerce.gigabytes(row.get("flow")),
        )

    @override
    async def reset_token(self, code: str | None = None) -> str:
        """Replace the link token, which ends the csrf too: the next request logs in."""
        token = await self._session.use(self._client.re_token)
        self._session.forget()
        return token

    @override
    async def downloads(self) -> tuple[Download, ...]:
        """List the files that the service offers."""
        mirrors, files = await self._client.download_list()
        bases = [
            base.rstrip("/")
            for mirror in mirrors[:_MOST_MIRRORS]
            if (base := coerce.text(mirror.get("url")))
        ]
        return tuple(
            Download(
                name=coerce.text(file.get("name")) or path,
                version=coerce.text(file.get("version")),
                platform=coerce.text(file.get("platform")),
                architecture=coerce.text(file.get("arch")),
                urls=_urls(path, bases),
            )
            for file in files[:_MOST_FILES]
            if (path := coerce.text(file.get("url")))
        )

    @override
    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whichever are chosen."""
        if not self._known_nodes:
            await self._list_nodes()
        return {id_: node.name or id_ for id_, node in self._known_nodes.items()}

    # Before there is an account, or a password

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        await self._client.register_send_email(new.username, _DEVICE, new.mail)
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Make the account with the mailed code."""
        self._transport.secrets.add(new.password)
        await self._client.register(new.username, _DEVICE, new.mail, new.password, code)

    @override
    async def send_recovery_code(self, username: str) -> None:
        """Have a token mailed to the user."""
        await self._client.reset_passwd_send_code(username)

    @override
    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the mailed token."""
        self._transport.secrets.add(code, new_password)
        await self._client.reset_passwd(code, new_password)

    # What commands share

    async def _tunnel_row(self, tunnel_id: str) -> Row:
        """Read one tunnel as the service has it now."""
        rows = await self._session.use(lambda csrf: self._client.list_tunnel(csrf, tunnel_id))
        for row in rows:
            if coerce.identifier(row.get("id")) == tunnel_id:
                return row
        raise TunnelGoneError

    async def _on_tunnel(self, tunnel_id: str, request: Callable[[str], Awaitable[None]]) -> None:
        """Send a command; when it is refused, tell whether the tunnel exists at all."""
        try:
            await self._session.use(request)
        except RejectedError:
            await self._tunnel_row(tunnel_id)
            raise

    async def _tunnel_fields(self, draft: TunnelDraft, row: Row) -> dict[str, object]:
        """All fields of a tunnel in the service's words: the draft's, else the row's."""

        def chosen(value: str | None, name: str, default: str = "") -> str:
            return value if value is not None else coerce.verbatim(row.get(name)) or default

        def port(value: int | None, name: str) -> int | None:
            return value if value is not None else coerce.count(row.get(name))

        def word(value: bool | None, name: str) -> str:
            flag = value if value is not None else coerce.boolean(row.get(name))
            return "true" if flag else "false"

        fields: dict[str, object] = {
            "proxy_name": chosen(draft.name, "proxy_name"),
            "proxy_type": chosen(draft.protocol, "proxy_type"),
            "local_ip": chosen(draft.local_host, "local_ip", "127.0.0.1"),
            "local_port": port(draft.local_port, "local_port"),
            "remote_port": port(draft.remote_port, "remote_port"),
            "use_encryption": word(draft.encryption, "use_encryption"),
            "use_compression": word(draft.compression, "use_compression"),
            "sk": chosen(draft.secret_key, "sk"),
            "node": await self._node_id(draft.node) if draft.node else chosen(None, "node"),
            "domain": chosen(draft.domain, "domain"),
            "locations": chosen(None, "locations"),
            "header_X_From_Where": chosen(None, "header_X-From-Where")
            or chosen(None, "header_X_From_Where"),
            "host_header_rewrite": chosen(None, "host_header_rewrite"),
        }
        self._transport.secrets.add(str(fields["sk"]))
        _check_tunnel_fields(fields)
        return {name: "" if value is None else value for name, value in fields.items()}

    async def _node_id(self, node: str) -> str:
        """Find a node by id or name among those in service."""
        nodes = await _LISTED_NODE.many(await self._client.get_node_list())
        for id_, listed in nodes.items():
            if node in (id_, listed.name):
                return id_
        raise InvalidInputError("unknown_node", node=node)


def _urls(path: str, bases: Iterable[str]) -> tuple[str, ...]:
    """Return where a file is: at a place of its own, or at each mirror."""
    whole = (path, *(f"{base}/{path.lstrip('/')}" for base in bases))
    known = tuple(url for each in whole if (url := coerce.web_address(each)))
    return known[:1] if coerce.web_address(path) else known


def _check_tunnel_fields(fields: Mapping[str, object]) -> None:
    """Raise InvalidInputError for what the service would refuse or, worse, take."""
    name, protocol = str(fields["proxy_name"]), str(fields["proxy_type"])
    if len(name) not in _NAME_LENGTH:
        raise InvalidInputError(
            "tunnel_name_length",
            name=name,
            minimum=f"{_NAME_LENGTH[0]}",
            maximum=f"{_NAME_LENGTH[-1]}",
        )
    if protocol not in PROTOCOLS:
        raise InvalidInputError("unknown_protocol", protocol=protocol, known=", ".join(PROTOCOLS))
    needed = ("local_port",) if protocol in _PORTLESS else ("local_port", "remote_port")
    for field in needed:
        if fields[field] not in _PORTS:
            raise InvalidInputError(
                "port_out_of_range",
                port=f"{'' if fields[field] is None else fields[field]}",
                minimum=f"{_PORTS[0]}",
                maximum=f"{_PORTS[-1]}",
            )
    if protocol in ("http", "https") and not fields["domain"]:
        raise InvalidInputError("domain_needed", protocol=protocol)
