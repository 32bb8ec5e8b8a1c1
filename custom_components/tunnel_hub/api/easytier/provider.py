"""An EasyTier node manager, with an account or without: sign-in and commands."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, override

from aiohttp import ClientSession
from yarl import URL

from .. import coerce
from ..address import base_url
from ..capabilities.collections import CanEdit, EditableCollection
from ..errors import AuthenticationError, InvalidInputError, TunnelHubError
from ..http import Transport
from ..models.directory import RelayNodeUpdate
from ..provider import Credentials, Identity, Issue, Options, ProviderDescription
from ..rows import Row, expected
from ..time_slices import iterate
from ..tls import trust
from ..tokens import FixedToken, Login, LoginTokens, Tokens
from .account import AccountCommands
from .client import EasyTierClient
from .directory import DirectoryCommands
from .feeds import Feeds
from .server_identity import digests_of, is_same

_ENDS_SOON = timedelta(days=7)
_SECRETS = ("api_key", "email", "network_secret", "password", "token")


def _normal(mail: str | None) -> str:
    """Return an email address for comparison; "" for none."""
    return (mail or "").strip().lower()


def _account_id(address: URL, email: str | None) -> str:
    """Return the id of an account at an address, without its email address in readable form."""
    if email is None:
        return address.authority
    return f"{address.authority}:{sha256(_normal(email).encode()).hexdigest()[:16]}"


class EasyTierProvider(AccountCommands, DirectoryCommands, CanEdit):
    """One node manager, with an account or without.

    credentials: base_url; verify and ca as in tls.trust; email and password, and the token of the
    last login; api_key, if checks require it; network_name and network_secret, for nodes whose
    network the service does not provide.
    """

    description = ProviderDescription(
        key="easytier",
        name="EasyTier",
        console_url="https://github.com/PIKACHUIM/easytier-worker",
    )

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        address = base_url(credentials.get("base_url", ""))
        self.credentials = {**credentials, "base_url": address}
        if self.credentials.get("verify") == "true":
            # This is the default.
            del self.credentials["verify"]
        self._address = URL(address)
        self._email = credentials.get("email")
        self._transport = Transport(session, (address,), ssl=trust(credentials))
        login = Login(self._signs_in, self._log_in)
        self._login_tokens = LoginTokens(credentials.get("token"), login, self.keep_token)
        without_account = FixedToken(error=lambda: InvalidInputError("account_needed"))
        self._tokens: Tokens = self._login_tokens if self._email else without_account
        self._client = EasyTierClient(self._transport, self._tokens, credentials.get("api_key"))
        self._feeds = Feeds(self._client, credentials, options, self._tokens.renew)
        self._feeds.on_own_listed = self._know_by_own
        self._feeds.on_public_listed = self._know_by_public
        self._own_digests = None if self._email else ""
        self._public_digests = ""
        self.feeds = self._feeds.feeds()
        self._transport.secrets.add(*(credentials.get(name) for name in _SECRETS))

    # Signing in

    def _signs_in(self) -> tuple[str, str]:
        return self.credentials["email"], self.credentials.get("password", "")

    async def _log_in(self) -> str:
        row = await self._client.login(*self._signs_in())
        token = expected(coerce.token(row.get("token")), "token")
        if isinstance(user := row.get("user"), dict):
            self._feeds.administrator = coerce.boolean(user.get("is_admin"))
        return token

    @override
    async def keep_token(self, token: str) -> None:
        self._feeds.forget_right()
        await super().keep_token(token)

    @property
    @override
    def console_url(self) -> str:
        return f"{self._address}"

    @override
    async def identify(self) -> Identity:
        """Return the identity of the account at the server; it does not contain the email address.

        Raises InvalidInputError for another service, and for a server that is not initialized or
        has no administrator.
        """
        if not await self._client.check_init():
            raise InvalidInputError("not_initialized")
        if self._email is None:
            await self._look_at_public_nodes()
            return self._identity()
        try:
            self._own_digests = await digests_of(await self._client.my())
        except AuthenticationError as err:
            if err.key is None and await self.lacks_administrator():
                raise InvalidInputError("no_administrator") from None
            raise
        if not self._own_digests:
            await self._look_at_public_nodes()
        return self._identity()

    def _identity(self) -> Identity:
        """Return the identity at the current address.

        It is recognized by its own nodes, or by the public ones if it has none.
        """
        server = self._address.authority
        name = self._email and self._email.partition("@")[0]
        return Identity(
            id=_account_id(self._address, self._email),
            title=f"{name} ({server})" if name else server,
            known_by=self._own_digests or self._public_digests,
        )

    @classmethod
    @override
    def id_in(cls, credentials: Credentials) -> str:
        address = base_url(credentials.get("base_url", ""))
        return _account_id(URL(address), credentials.get("email"))

    @override
    def is_account_of(self, stored: Credentials, known_by: str) -> bool | None:
        """Compare the nodes, because a server can have several addresses, or move."""
        if _normal(stored.get("email")) != _normal(self._email):
            return False
        return is_same(self._identity().known_by, known_by)

    async def _look_at_public_nodes(self) -> None:
        with suppress(TunnelHubError):
            self._public_digests = await digests_of(await self._client.public())

    async def _know_by_own(self, listed: list[Row]) -> None:
        """Store digests of the account's nodes; an administrator may have listed all nodes."""
        mail = _normal(self._email)
        own = [
            row
            async for row in iterate(listed)
            if _normal(coerce.text(row.get("user_email"))) in ("", mail)
        ]
        self._own_digests = await digests_of(own)
        self._tell_identity()

    async def _know_by_public(self, listed: list[Row]) -> None:
        """Identify the server by its public nodes."""
        self._public_digests = await digests_of(listed)
        if self._own_digests is not None:
            self._tell_identity()

    def _tell_identity(self) -> None:
        if self.on_identity is not None:
            self.on_identity(self._identity())

    @override
    def issues(self) -> Iterable[Issue]:
        soon = datetime.now(UTC).date() + _ENDS_SOON
        ending = sorted(
            (node.valid_until, node.name or node.id)
            for node in self._feeds.nodes.values()
            if node.valid_until is not None and node.valid_until <= soon
        )
        if ending:
            nodes = [f"{name} {day}" for day, name in ending]
            yield Issue(key="nodes_ending", placeholders={"nodes": nodes})
        if self._feeds.namesakes:
            yield Issue(
                key="nodes_of_one_name",
                placeholders={"names": self._feeds.namesakes},
            )
        if self._feeds.key_refused:
            yield Issue(key="api_key_refused")
        if (words := self._feeds.not_verified) is not None:
            yield Issue(key="mail_not_verified", placeholders={"message": words})

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            RelayNodeUpdate: EditableCollection(
                create=self.create_node, update=self.update_node, delete=self.delete_node
            )
        }

    @override
    def statistics(self) -> Mapping[str, int]:
        return {"requests": self._transport.requests, "token_renewals": self._tokens.renewals}
