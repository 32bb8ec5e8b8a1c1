"""HY2 SCALE: one node, its sign-in and its commands."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, override

from aiohttp import ClientSession

from .. import coerce
from ..capabilities.account import CanUpdateAccount
from ..capabilities.collections import EditableCollection
from ..capabilities.tunnels import CanForceDown
from ..errors import InvalidInputError, UnsupportedError
from ..http import Transport
from ..models.account import AccountChanges
from ..models.base import Resource
from ..models.mesh import (
    ClientUpdate,
    Edited,
    MeshUpdate,
    Proxy,
    ProxyUpdate,
    Rule,
    RuleUpdate,
    User,
    UserUpdate,
    WireGuardPeer,
    WireGuardPeerUpdate,
)
from ..models.tunnels import Tunnel
from ..provider import Credentials, Identity, Issue, Options, Provider, ProviderDescription
from ..rows import Row, expected
from ..tls import trust
from ..tokens import Login, LoginTokens
from .address import base_url
from .certificates import CertificateCommands
from .client import Hy2ScaleClient
from .collections import EditableRows, RowCollections
from .feeds import Feeds
from .mesh import MeshCommands
from .payloads import row_fields

_SECRETS = ("password_hash", "token")
_NOTICE = timedelta(days=14)
"""How long before its expiry a certificate is reported."""


def hashed(password: str) -> str:
    """Return the hash of a password, which the node expects and stores."""
    return sha256(password.encode()).hexdigest()


def _identity(row: Row) -> Identity | None:
    if (node_id := coerce.identifier(row.get("node_id"))) is None:
        return None
    return Identity(id=node_id, title=coerce.text(row.get("name")) or node_id)


_EDITED: Mapping[type[MeshUpdate], Edited] = {
    ClientUpdate: Tunnel,
    ProxyUpdate: Proxy,
    RuleUpdate: Rule,
    UserUpdate: User,
    WireGuardPeerUpdate: WireGuardPeer,
}
"""The resources of each class of payloads."""


class Hy2ScaleProvider(
    Provider,
    CanForceDown,
    CanUpdateAccount,
    CertificateCommands,
    MeshCommands,
):
    """One node.

    credentials: host, port, base_path; https, verify ("true" or "false") and ca (PEM); username and
    password_hash. A password is immediately replaced by its hash. token and default_password
    ("true" or "false") are from the last login.
    """

    description = ProviderDescription(
        key="hy2scale",
        name="HY2 SCALE",
        console_url="https://github.com/FrankoonG/hy2scale",
        model="Hub",
    )
    disables_to_disconnect = True

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        known = dict(credentials)
        if password := known.pop("password", None):
            known["password_hash"] = hashed(password)
        self.credentials = known
        self._url = base_url(known)
        self._transport = Transport(session, (self._url,), ssl=trust(known))
        self._transport.secrets.add(password, *(known.get(name) for name in _SECRETS))
        login = Login(self._signs_in, self._log_in)
        self._tokens = LoginTokens(known.get("token"), login, self.keep_token)
        self._client = Hy2ScaleClient(self._transport, self._tokens)
        self._feeds = Feeds(self._client)
        self._client.on_write = self._feeds.forget
        self._client.on_node = self._tell_identity
        self._around = self._feeds.around
        self._around.on_memory = self.remember
        self._collections = RowCollections(self._client, self._around)
        self._editable_of: Mapping[type[Resource], EditableRows] = {
            Proxy: self._collections.proxies,
            Rule: self._collections.rules,
            Tunnel: self._collections.clients,
            User: self._collections.users,
            WireGuardPeer: self._collections.wireguard_peers,
        }
        self.feeds = self._feeds.feeds()

    @property
    @override
    def console_url(self) -> str:
        return f"{self._url}/"

    @override
    def restore(self, memory: Mapping[str, Any]) -> None:
        self._around.restore(memory)

    def _signs_in(self) -> tuple[str, str]:
        return self.credentials.get("username", ""), self.credentials.get("password_hash", "")

    async def _log_in(self) -> str:
        """Return a new token; store whether the password is the default one."""
        row = await self._client.login(*self._signs_in())
        token = expected(coerce.token(row.get("token")), "token")
        default = bool(coerce.boolean(row.get("force_password_change")))
        self.credentials = {**self.credentials, "default_password": str(default).lower()}
        return token

    @override
    async def identify(self) -> Identity:
        return expected(_identity(await self._client.node()), "node")

    @override
    def is_account_of(self, stored: Credentials, known_by: str) -> bool:
        """Compare addresses, because a node can be renamed."""
        with suppress(InvalidInputError):
            return base_url(stored) == self._url
        return False

    def _tell_identity(self, row: Row) -> None:
        """Report the current name of the node."""
        if self.on_identity is not None and (identity := _identity(row)) is not None:
            self.on_identity(identity)

    @override
    def issues(self) -> Iterable[Issue]:
        if self.credentials.get("default_password") == "true":
            yield Issue(key="default_password", fixable=True)
        soon = datetime.now(UTC) + _NOTICE
        known = self._feeds.certificates
        ending = [c for c in known.certificates if c.expires and c.expires <= soon] if known else []
        if ending:
            words = [f"{c.id} ({c.expires:%Y-%m-%d})" for c in ending]
            yield Issue(key="certificate_expiring", placeholders={"certificates": words})

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        edited = {
            payload: EditableCollection(
                create=self.create, update=self.update, delete=partial(self.delete, of)
            )
            for payload, of in _EDITED.items()
        }
        return {**edited, **self._certificate_collections()}

    @override
    def statistics(self) -> Mapping[str, int]:
        return {
            "requests": self._transport.requests,
            "token_renewals": self._tokens.renewals,
        }

    @override
    async def update_account(self, changes: AccountChanges) -> None:
        """Change username and password of the node's console, which ends all sessions."""
        if changes.contact or changes.picture:
            raise UnsupportedError
        known = self.credentials["password_hash"]
        current = hashed(changes.current_password) if changes.current_password else known
        new = hashed(changes.password) if changes.password else known
        username = changes.username or self.credentials["username"]
        self._transport.secrets.add(new, changes.password, changes.current_password)
        kept = {"username": username, "password_hash": new}
        await self._client.update_password(
            {"current_password": current, "new_username": username, "new_password": new},
            lambda: self.keep({**kept, "default_password": "false"} if changes.password else kept),
        )

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Disconnect the link once; an enabled connection connects again."""
        row = await self._collections.clients.row(tunnel_id)
        if coerce.boolean(row.get("disabled")):
            return
        name = self._around.handle_of(tunnel_id)
        try:
            await self._client.disable_client(name, disabled=True)
        finally:
            # The connection must not stay disabled in any case.
            await self._client.disable_client(name, disabled=False)

    # Editing

    async def create(self, payload: MeshUpdate) -> str:
        """Create a row and return its id."""
        return await self._editable_of[_EDITED[type(payload)]].create(row_fields(payload))

    async def update(self, resource_id: str, payload: MeshUpdate) -> None:
        """Change only the values in the payload."""
        rows = self._editable_of[_EDITED[type(payload)]]
        await rows.change(resource_id, row_fields(payload))

    async def delete(self, of: Edited, resource_id: str) -> None:
        """Delete a row; succeeds if it does not exist."""
        await self._editable_of[of].remove(resource_id)
