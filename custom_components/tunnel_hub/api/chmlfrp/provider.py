"""ChmlFrp: one account, its sign-in and its commands."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
import re
from typing import Any, override
from urllib.parse import urlsplit

from aiohttp import ClientSession

from .. import coerce, days
from ..capabilities.account import (
    CanGetTrafficHistory,
    CanRegister,
    CanResetToken,
    CanSendCode,
    CanSignInByDevice,
    CanSignInWithCaptcha,
    CanUpdateAccount,
)
from ..capabilities.collections import CanEdit, EditableCollection, SubdomainCollection
from ..capabilities.nodes import CanAskNodes, CanChooseNodes
from ..capabilities.service import CanGetAppVersion, CanListDownloads
from ..capabilities.tunnels import CanForceDown, CanInspectTunnels
from ..days import SHANGHAI
from ..errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelGoneError,
    UnavailableError,
    UnsupportedError,
)
from ..http import Transport
from ..models.account import (
    AccountChanges,
    Captcha,
    DayTraffic,
    DeviceCode,
    NewAccount,
    SignInResult,
)
from ..models.nodes import DayUptime, Node, NodeEndpoint
from ..models.service import Download
from ..models.subdomains import Subdomain
from ..models.tunnels import Tunnel, TunnelUpdate
from ..provider import Credentials, Identity, Options, Provider, ProviderDescription
from ..rows import Row
from ..throttling import iterate
from ..tokens import Login, LoginTokens, NoToken, PastedToken, Tokens
from . import history, subdomains
from .account_center import AccountCenter, DeviceAuthorization
from .auth import GrantTokens, TokenPair
from .client import AlreadySignedInError, ChmlFrpClient, CodeWantedError, GoneError
from .feeds import Feeds
from .models import FREE_GROUP, VIP, banned, day_uptimes, downloads, node_endpoint
from .traffic import account_days, tunnel_days
from .tunnels import PROTOCOLS, check_node, tunnel_fields

HOST = "https://cf-v2.uapis.cn"
ACCOUNT_CENTER = "https://account-api.qzhua.net"

_POINTS = re.compile(r"\d+")
_SECRETS = ("client_secret", "password", "token", "access_token", "refresh_token")


class ChmlFrpProvider(
    Provider,
    CanAskNodes,
    CanChooseNodes,
    CanEdit,
    CanForceDown,
    CanGetAppVersion,
    CanGetTrafficHistory,
    CanInspectTunnels,
    CanListDownloads,
    CanRegister,
    CanResetToken,
    CanSendCode,
    CanSignInByDevice,
    CanSignInWithCaptcha,
    CanUpdateAccount,
):
    """One ChmlFrp account.

    credentials, one of three ways: client_id, client_secret of a program that has one,
    access_token, refresh_token and expires_at out of a sign-in by device; a pasted token; username
    and password, with the token that the last login gave. base_url and oauth_url in place of the
    service's own addresses.
    """

    description = ProviderDescription(
        key="chmlfrp",
        name="ChmlFrp",
        console_url="https://panel.chmlfrp.cn",
        time_zone=SHANGHAI,
        has_public_tunnels=True,
    )

    ttls = subdomains.TTLS.keys()
    history_fields = history.FIELDS.keys()
    protocols = PROTOCOLS

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        self.credentials = credentials
        self._transport = Transport(session, (_address(credentials, "base_url", HOST),))
        self._center_transport = Transport(
            session,
            (_address(credentials, "oauth_url", ACCOUNT_CENTER),),
            secrets=self._transport.secrets,
        )
        self._center = AccountCenter(
            self._center_transport,
            credentials.get("client_id", ""),
            credentials.get("client_secret", ""),
        )
        self._authorization: DeviceAuthorization | None = None
        self._tokens = self._token_source()
        self._client = ChmlFrpClient(self._transport, self._tokens)
        self._feeds = Feeds(self._client, options)
        self.feeds = self._feeds.feeds()
        self._transport.secrets.add(*(credentials.get(name) for name in _SECRETS))

    # Signing in

    def _token_source(self) -> Tokens:
        """Return where tokens come from with these credentials."""
        if "access_token" in self.credentials:
            return GrantTokens(
                _address(self.credentials, "oauth_url", ACCOUNT_CENTER),
                TokenPair.stored_in(self.credentials),
                self._center.refresh,
                lambda pair: self.keep(pair.to_store()),
            )
        token = self.credentials.get("token")
        if "password" in self.credentials:
            login = Login(self._signs_in, self._log_in)
            return LoginTokens(token, login, lambda new: self.keep({"token": new}))
        return PastedToken(token) if token else NoToken()

    def _signs_in(self) -> tuple[str, str]:
        """Return the username and the password."""
        return self.credentials["username"], self.credentials["password"]

    async def _log_in(self) -> str:
        row = await self._client.login(*self._signs_in())
        if (token := coerce.token(row.get("usertoken"))) is None:
            raise UnavailableError(Reason.MALFORMED, "no token")
        return token

    @override
    async def begin_device_sign_in(self) -> DeviceCode:
        """Ask for a code that the person can agree to."""
        self._authorization = await self._center.device_authorization()
        return DeviceCode(
            user_code=self._authorization.user_code,
            url=self._authorization.url,
            minutes=round(self._authorization.expires_in / 60),
        )

    @override
    async def finish_device_sign_in(self) -> Credentials:
        """Wait until the person has agreed; the credentials that sign in from then on."""
        if self._authorization is None:
            raise UnsupportedError
        pair = await self._center.wait(self._authorization)
        return {**self.credentials, **pair.to_store()}

    @override
    async def identify(self) -> Identity:
        row = await self._client.userinfo()
        if (account := coerce.identifier(row.get("id"))) is None:
            raise UnavailableError(Reason.MALFORMED, "no account")
        if banned(row):
            raise InvalidInputError("account_banned")
        return Identity(id=account, title=coerce.text(row.get("username")) or account)

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            Subdomain: SubdomainCollection(
                create=self.create_subdomain,
                update=self.update_subdomain,
                delete=self.delete_subdomain,
                list=self.subdomains,
                domains=self.domains,
            ),
            TunnelUpdate: EditableCollection(
                create=self.create_tunnel, update=self.update_tunnel, delete=self.delete_tunnel
            ),
        }

    @override
    def statistics(self) -> Mapping[str, int]:
        return {
            "requests": self._transport.requests + self._center_transport.requests,
            "token_renewals": self._tokens.renewals,
        }

    # The account

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        await self._client.sendmailcode("register", new.mail)
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Create the account with the code from the email."""
        self._transport.secrets.add(new.password)
        await self._client.register(new.username, new.password, new.mail, new.contact or "", code)

    @override
    async def send_code(self) -> None:
        """Have a code for reset_token mailed to the account's address."""
        mail = coerce.identifier((await self._client.userinfo()).get("email"))
        if mail is None:
            raise InvalidInputError("no_mail_address")
        await self._client.sendmailcode("retoken", mail)

    @override
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the API token, which client programs use too.

        code: the mailed one, where the service wants one.
        The new one is None where only the old one could have read it.
        """
        try:
            await self._client.retoken(code)
        except CodeWantedError:
            raise InvalidInputError("code_needed") from None
        with suppress(AuthenticationError):
            return coerce.token((await self._client.userinfo()).get("usertoken"))
        return None

    @override
    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        """Do today's sign-in with the answers of a captcha that a person has solved."""
        try:
            message = await self._client.qiandao(captcha)
        except AlreadySignedInError as err:
            return SignInResult(already=True, message=err.message)
        points = _POINTS.search(message)
        return SignInResult(
            already=False, message=message, points=coerce.count(points[0]) if points else None
        )

    @override
    async def update_account(self, changes: AccountChanges) -> None:
        """Change username, QQ number, picture and password, in this order."""
        if changes.password and not changes.current_password:
            raise InvalidInputError("current_password_needed")
        if changes.username:
            await self._client.update_username(
                changes.username, partial(self._keep_if_stored, "username", changes.username)
            )
        if changes.contact:
            await self._client.update_qq(changes.contact)
        if changes.picture:
            await self._client.update_userimg(changes.picture)
        if changes.password and changes.current_password:
            self._transport.secrets.add(changes.password, changes.current_password)
            await self._client.reset_password(
                changes.current_password,
                changes.password,
                partial(self._keep_if_stored, "password", changes.password),
            )

    async def _keep_if_stored(self, name: str, value: str) -> None:
        if name in self.credentials:
            await self.keep({name: value})

    @override
    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return the last seven days of a tunnel, or of the account, the oldest first."""
        if tunnel_id is None:
            return account_days(await self._client.flow_last_7_days())
        while True:
            day = days.today(SHANGHAI)
            row = await self._on_tunnel(tunnel_id, lambda t: self._client.tunnel_last7days(t.id))
            # Its days have no dates: what was asked for before midnight may end on either day.
            if day == days.today(SHANGHAI):
                return tunnel_days(row)

    # Tunnels

    @override
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Read whether a tunnel is online."""
        return await self.refresh_tunnel(tunnel_id)

    @override
    async def refresh_tunnel(self, tunnel_id: str) -> Tunnel:
        """Have the tunnel's node asked again; the tunnel as it is now."""
        return await self._on_tunnel(tunnel_id, self._feeds.refreshed_tunnel)

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Throw the client off, once; it may come back by itself."""
        await self._on_tunnel(tunnel_id, lambda t: self._client.offline_tunnel(t.name or ""))

    @override
    async def force_all_offline(self) -> Mapping[str, str]:
        """Throw the clients of all tunnels off; what became of it at each node."""
        results = (await self._client.offline_user_nodes()).get("results")
        return {
            node: self._transport.redact(result) for node, result in coerce.data(results).items()
        }

    async def create_tunnel(self, payload: TunnelUpdate) -> str:
        """Make a tunnel; its id, which the service often does not tell."""
        fields = tunnel_fields(payload, {}, await self._feeds.node_name(payload.node or ""))
        await self._check_node(fields)
        if (created := await self._client.create_tunnel(fields)) is not None:
            return created
        for tunnel in (await self._feeds.tunnels()).values():
            if tunnel.name == fields["tunnelname"]:
                return tunnel.id
        raise UnavailableError(Reason.MALFORMED, "the new tunnel is not listed")

    async def update_tunnel(self, tunnel_id: str, payload: TunnelUpdate) -> None:
        """Change what the payload names; an update replaces the row, so all of it is sent."""
        row = await self._feeds.tunnel_row(tunnel_id)
        node = coerce.text(row.get("node")) or ""
        if payload.node:
            node = await self._feeds.node_name(payload.node)
        fields = tunnel_fields(payload, row, node)
        if (payload.node, payload.protocol, payload.remote_port) != (None, None, None):
            await self._check_node(fields)
        await self._on_tunnel(tunnel_id, lambda t: self._client.update_tunnel(t.id, fields))

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; one that is gone already counts as deleted."""
        with suppress(GoneError):
            await self._client.deletetunnel(tunnel_id)

    @override
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the INI file for one tunnel, or for all of a node's; it holds the API token."""
        if file_format not in (None, "ini"):
            raise InvalidInputError("unknown_format", format=str(file_format), known="ini")
        if tunnel_id is not None:
            return await self._on_tunnel(
                tunnel_id, lambda t: self._client.tunnel_config(t.node_name or "", t.name or "")
            )
        return await self._client.tunnel_config(await self._feeds.node_name(node_id or ""))

    async def _check_node(self, fields: Mapping[str, object]) -> None:
        """Raise InvalidInputError where the node does not take such a tunnel.

        What everyone is told of a node comes first: its details are refused to some.
        """
        name = str(fields["node"])
        rows = await self._client.node()
        listed: Row = next((row for row in rows if coerce.text(row.get("name")) == name), {})
        group = None
        if coerce.text(listed.get("nodegroup")) == VIP:
            group = coerce.text((await self._client.userinfo()).get("usergroup"))
        check_node(fields, listed, group)
        with suppress(RejectedError):
            check_node(fields, await self._client.nodeinfo(name), group)

    async def _on_tunnel[T](self, tunnel_id: str, request: Callable[[Tunnel], Awaitable[T]]) -> T:
        """Send a command for a tunnel, a second time if it has been renamed elsewhere."""
        tunnel = await self._feeds.tunnel(tunnel_id)
        try:
            return await request(tunnel)
        except RejectedError:
            listed = (await self._feeds.tunnels()).get(tunnel_id)
            if listed is None:
                raise TunnelGoneError from None
            if (listed.name, listed.node_name) == (tunnel.name, tunnel.node_name):
                raise
        return await request(listed)

    # Nodes

    @override
    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whichever are chosen."""
        return await self._feeds.node_names()

    @override
    async def node_details(self, node_id: str) -> Node:
        """Ask for what costs a request for each node."""
        return await self._feeds.node_details(node_id)

    @override
    async def all_nodes(self) -> Mapping[str, Node]:
        return await self._feeds.nodes()

    @override
    async def closed_groups(self) -> Collection[str]:
        group = coerce.text((await self._client.userinfo()).get("usergroup"))
        return {VIP} if group == FREE_GROUP else ()

    @override
    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Ask for the details of a node, which some nodes refuse."""
        with suppress(RejectedError):
            return node_endpoint(await self._client.nodeinfo(await self._feeds.node_name(node_id)))
        return NodeEndpoint()

    @override
    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[history.Sample]:
        """Return what was measured at a node; megabytes, so another thread cuts them."""
        history.check_fields(fields)
        info = await self._client.node_status_info(await self._feeds.node_name(node_id))
        return await asyncio.to_thread(history.samples, info, fields, start, end)

    @override
    async def uptime_history(self, number: int) -> Mapping[str, tuple[DayUptime, ...]]:
        """Return the last days of all nodes by id, the oldest first."""
        rows = await self._client.node_uptime(number)
        return {
            id_: day_uptimes(row)
            async for row in iterate(rows)
            if (id_ := coerce.identifier(row.get("id"))) is not None
        }

    @override
    async def downloads(self) -> tuple[Download, ...]:
        """Return the client programs that the service offers."""
        return downloads(await self._client.download_info())

    @override
    async def app_version(self, loader: str, minecraft: str, kind: str) -> Row:
        """Return the latest version of a program."""
        return coerce.data(await self._client.app_version(loader, minecraft, kind))

    # Free subdomains

    async def domains(self) -> tuple[str, ...]:
        """Return the domains under which there may be names."""
        rows = await self._client.list_available_domains()
        named = [coerce.text(row.get("domain")) async for row in iterate(rows)]
        return tuple(filter(None, named))

    async def subdomains(self) -> tuple[Subdomain, ...]:
        """Return the subdomains of the account."""
        rows = await self._client.get_user_free_subdomains()
        return tuple([subdomains.subdomain(row) async for row in iterate(rows)])

    async def create_subdomain(self, subdomain: Subdomain) -> str:
        """Create a subdomain and return its id."""
        await self._client.create_free_subdomain(subdomains.new_fields(subdomain))
        return subdomain.id

    async def update_subdomain(self, subdomain_id: str, changes: Subdomain) -> None:
        """Change target, ttl or remarks; the service allows no more."""
        for old in await self.subdomains():
            if old.id == subdomain_id:
                fields = subdomains.changed_fields(old, changes)
                return await self._client.update_free_subdomain(fields)
        raise InvalidInputError("unknown_subdomain", name=f"{changes.record}.{changes.domain}")

    async def delete_subdomain(self, subdomain_id: str) -> None:
        """Delete a name; one that is gone already counts as deleted."""
        with suppress(GoneError):
            record, _, domain = subdomain_id.partition("/")
            await self._client.delete_free_subdomain(domain, record)


def _address(credentials: Credentials, name: str, default: str) -> str:
    """Return the address to use; the public service's is never spoken to without TLS.

    Its document prints it with http://, which would show password and token to everyone.
    """
    address = (credentials.get(name) or default).rstrip("/")
    return default if urlsplit(address).hostname == urlsplit(default).hostname else address
