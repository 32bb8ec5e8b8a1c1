"""ChmlFrp: one account, its sign-in and its commands."""

from collections.abc import Mapping
from typing import Any, override
from urllib.parse import urlsplit

from aiohttp import ClientSession

from .. import coerce
from ..capabilities.collections import CanEdit, EditableCollection, SubdomainCollection
from ..capabilities.service import CanGetAppVersion, CanListDownloads
from ..days import SHANGHAI
from ..errors import InvalidInputError
from ..http import Transport
from ..models.service import Download
from ..models.subdomains import Subdomain
from ..models.tunnels import TunnelUpdate
from ..provider import Credentials, Identity, Options, ProviderDescription
from ..rows import Row, expected
from ..tokens import FixedToken, Login, LoginTokens, Tokens
from .account import AccountCommands
from .account_center import AccountCenter
from .auth import GrantTokens, TokenPair
from .client import ChmlFrpClient
from .feeds import Feeds
from .models import banned, downloads
from .nodes import NodeCommands
from .subdomains import SubdomainCommands
from .tunnels import TunnelCommands

HOST = "https://cf-v2.uapis.cn"
ACCOUNT_CENTER = "https://account-api.qzhua.net"

_SECRETS = ("client_secret", "password", "token", "access_token", "refresh_token")


class ChmlFrpProvider(
    AccountCommands,
    NodeCommands,
    SubdomainCommands,
    TunnelCommands,
    CanEdit,
    CanGetAppVersion,
    CanListDownloads,
):
    """One ChmlFrp account.

    credentials, one of three kinds: client_id, client_secret if the program has one, access_token,
    refresh_token and expires_at of a device sign-in; a pasted token; username and password, with
    the token of the last login. base_url and oauth_url replace the addresses of the service.
    """

    description = ProviderDescription(
        key="chmlfrp",
        name="ChmlFrp",
        console_url="https://panel.chmlfrp.cn",
        time_zone=SHANGHAI,
        has_public_tunnels=True,
    )

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
        self._tokens = self._token_source()
        self._client = ChmlFrpClient(self._transport, self._tokens)
        self._feeds = Feeds(self._client, options)
        self.feeds = self._feeds.feeds()
        self._transport.secrets.add(*(credentials.get(name) for name in _SECRETS))

    # Signing in

    def _token_source(self) -> Tokens:
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
            return LoginTokens(token, login, self.keep_token)
        return FixedToken(token or None)

    def _signs_in(self) -> tuple[str, str]:
        return self.credentials["username"], self.credentials["password"]

    async def _log_in(self) -> str:
        row = await self._client.login(*self._signs_in())
        return expected(coerce.token(row.get("usertoken")), "token")

    @override
    async def identify(self) -> Identity:
        row = await self._client.userinfo()
        account = expected(coerce.identifier(row.get("id")), "account")
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

    @override
    async def downloads(self) -> tuple[Download, ...]:
        return downloads(await self._client.download_info())

    @override
    async def app_version(self, loader: str, minecraft: str, kind: str) -> Row:
        data = await self._client.app_version(loader, minecraft, kind)
        return coerce.data(data, self._transport.secrets.hide)


def _address(credentials: Credentials, name: str, default: str) -> str:
    """Return the address to use; always HTTPS for the public service.

    Its document uses http://, which would send passwords and tokens unencrypted.
    """
    address = (credentials.get(name) or default).rstrip("/")
    return default if urlsplit(address).hostname == urlsplit(default).hostname else address
