"""HayFrp: one account, its sign-in and its commands."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, override

from aiohttp import ClientSession

from .. import coerce
from ..capabilities.account import CanRecoverPassword, CanRegister, CanResetToken, CanSignIn
from ..capabilities.collections import CanEdit, EditableCollection
from ..capabilities.nodes import CanChooseNodes
from ..capabilities.service import CanListDownloads
from ..capabilities.tunnels import CanForceDown, CanInspectTunnels
from ..days import SHANGHAI
from ..errors import InvalidInputError, Reason, RejectedError, TunnelGoneError, UnavailableError
from ..http import Transport
from ..models.account import NewAccount, SignInResult
from ..models.base import Resource
from ..models.nodes import Node, NodeEndpoint
from ..models.service import Download
from ..models.tunnels import Tunnel, TunnelUpdate
from ..provider import Credentials, Identity, Issue, Options, Provider, ProviderDescription
from ..rows import Row
from ..tokens import Login
from .auth import Session
from .client import AlreadySignedInError, HayFrpClient
from .feeds import Feeds
from .models import TUNNEL, banned, downloads
from .tunnels import PROTOCOLS, tunnel_fields

HOSTS = (
    "https://api.hayfrp.com",
    "https://api.hayfrp.1zyq1.com",
    "https://v2.api.hayfrp.1zyq1.com",
)

_DEVICE = "Home Assistant"
"""The device name that registration requires."""


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
):
    """One HayFrp account.

    credentials: username and password, or only token (a csrf token); base_url to replace the
    service's hosts. A renewed csrf token is stored in token with on_credentials.
    """

    description = ProviderDescription(
        key="hayfrp",
        name="HayFrp",
        console_url="https://console.hayfrp.com",
        time_zone=SHANGHAI,
        has_public_tunnels=True,
    )
    protocols = PROTOCOLS
    toggled = (Tunnel,)

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
            self.keep_token,
        )
        self._feeds = Feeds(self._client, self._session, options, self._transport.secrets.hide)
        self.feeds = self._feeds.feeds()

    # Account and session

    @override
    async def identify(self) -> Identity:
        if "password" not in self.credentials:
            await self._session.use(self._client.csrf)
        row = await self._session.use(self._client.get_info)
        account = coerce.identifier(row.get("uuid")) or coerce.identifier(row.get("id"))
        if account is None:
            raise RejectedError(self._transport.redact(row.get("message")))
        if banned(row):
            raise InvalidInputError("account_banned")
        return Identity(id=account, title=coerce.text(row.get("username")) or account)

    @override
    def issues(self) -> tuple[Issue, ...]:
        return (Issue(key="session_contested"),) if self._session.contested else ()

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            TunnelUpdate: EditableCollection(
                create=self.create_tunnel, update=self.update_tunnel, delete=self.delete_tunnel
            )
        }

    @override
    def statistics(self) -> Mapping[str, int]:
        return {"requests": self._transport.requests, "logins": self._session.renewals}

    def _signs_in(self) -> tuple[str, str]:
        return self.credentials["username"], self.credentials["password"]

    async def _log_in(self) -> str:
        return await self._client.login(*self._signs_in())

    # Commands

    @override
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        return await self._feeds.check_tunnel(self._feeds.tunnel(tunnel_id))

    @override
    async def set_enabled(self, of: type[Resource], row_id: str, *, enabled: bool) -> None:
        await self._on_tunnel(
            row_id, lambda csrf: self._client.toggle_tunnel(csrf, row_id, toggle=enabled)
        )

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        await self._on_tunnel(
            tunnel_id, lambda csrf: self._client.force_down_tunnel(csrf, tunnel_id)
        )

    async def create_tunnel(self, payload: TunnelUpdate) -> str:
        """Create a tunnel and return its id."""
        fields = await self._fields(payload, {})
        created = await self._session.use(lambda csrf: self._client.add_tunnel(csrf, fields))
        if created is None:
            rows = await self._session.use(self._client.list_tunnel)
            named = [t.id for t in (await TUNNEL.many(rows)).values() if t.name == payload.name]
            if not named:
                raise UnavailableError(Reason.MALFORMED, "no id")
            created = named[-1]
        return created

    async def update_tunnel(self, tunnel_id: str, payload: TunnelUpdate) -> None:
        """Change the values in the payload. An edit replaces the row, so all fields are sent."""
        fields = await self._fields(payload, await self._feeds.tunnel_row(tunnel_id))
        await self._on_tunnel(
            tunnel_id, lambda csrf: self._client.edit_tunnel(csrf, tunnel_id, fields)
        )

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; succeeds if it does not exist."""
        with suppress(TunnelGoneError):
            await self._on_tunnel(
                tunnel_id, lambda csrf: self._client.delete_tunnel(csrf, tunnel_id)
            )

    @override
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        return await self._session.use(
            lambda csrf: self._client.tunnel_config(
                csrf, file_format or "toml", node=node_id or "", proxy=tunnel_id or ""
            )
        )

    @override
    async def sign_in(self) -> SignInResult:
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
        """Replace the link token, which ends the csrf token, too: the next request logs in."""
        token = await self._session.use(self._client.re_token)
        self._session.forget()
        return token

    @override
    async def downloads(self) -> tuple[Download, ...]:
        return downloads(*await self._client.download_list())

    @override
    async def node_names(self) -> Mapping[str, str]:
        return await self._feeds.node_names()

    @override
    async def all_nodes(self) -> Mapping[str, Node]:
        return await self._feeds.all_nodes()

    @override
    async def closed_groups(self) -> Collection[str]:
        return ()

    @override
    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Return a node's address, which is only known if the account has a tunnel there."""
        return await self._feeds.node_endpoint(node_id)

    # Without an account or a password

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        await self._client.register_send_email(new.username, _DEVICE, new.mail)
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        self._transport.secrets.add(new.password)
        await self._client.register(new.username, _DEVICE, new.mail, new.password, code)

    @override
    async def send_recovery_code(self, username: str) -> None:
        await self._client.reset_passwd_send_code(username)

    @override
    async def recover_password(self, code: str, new_password: str) -> None:
        self._transport.secrets.add(code, new_password)
        await self._client.reset_passwd(code, new_password)

    # Helpers of commands

    async def _on_tunnel(self, tunnel_id: str, request: Callable[[str], Awaitable[None]]) -> None:
        """Send a command; if it is refused, find out whether the tunnel exists."""
        try:
            await self._session.use(request)
        except RejectedError:
            await self._feeds.tunnel_row(tunnel_id)
            raise

    async def _fields(self, payload: TunnelUpdate, row: Row) -> dict[str, object]:
        """Return all fields of a tunnel with the id of its node; its key becomes a secret."""
        node = await self._feeds.node_id(payload.node) if payload.node else None
        fields = tunnel_fields(payload, row, node)
        self._transport.secrets.add(str(fields["sk"]))
        return fields
