"""An EasyTier node manager: one account, or nobody's, its sign-in and its commands."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, override

from aiohttp import ClientSession
from yarl import URL

from .. import coerce
from ..address import base_url
from ..capabilities.account import CanRegister, CanResetToken
from ..capabilities.collections import CanEdit, EditableCollection
from ..capabilities.directory import NodeDirectory
from ..errors import (
    AccountNeededError,
    AuthenticationError,
    InvalidInputError,
    NodeGoneError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..http import Transport
from ..models.account import NewAccount
from ..models.directory import (
    CheckTarget,
    Finding,
    ProposedNode,
    QueryPriority,
    Region,
    RelayNodeReport,
    RelayNodeUpdate,
    ReportResult,
)
from ..provider import Credentials, Identity, Issue, Options, Provider, ProviderDescription
from ..rows import Row
from ..throttling import iterate
from ..tls import trust
from ..tokens import Login, LoginTokens, NoToken, Tokens
from . import models
from .client import EasyTierClient
from .feeds import BATCH, Feeds, Network
from .identity import digests_of, is_same
from .payloads import changed_fields, new_fields, not_stored

_ENDS_SOON = timedelta(days=7)
_SECRETS = ("api_key", "email", "network_secret", "password", "token")
_NOT_INITIALIZED = "尚未初始化"
"""What a server says to new accounts whose tables were made by hand: it has no administrator, but
says that it is initialized."""
_STATUS_WORDS = {True: "online", False: "offline"}


def _normal(mail: str | None) -> str:
    """Return an email address as it is compared; "" for none."""
    return (mail or "").strip().lower()


def _account_id(address: URL, email: str | None) -> str:
    """Return the id of an account at an address, or of nobody's; no email address shows in it."""
    if email is None:
        return address.authority
    return f"{address.authority}:{sha256(_normal(email).encode()).hexdigest()[:16]}"


class EasyTierProvider(
    Provider,
    CanEdit,
    CanRegister,
    CanResetToken,
    NodeDirectory,
):
    """One node manager, with an account or without.

    credentials: base_url; verify and ca as in tls.trust; email and password, and the token that the
    last login gave; api_key, if checks want one; network_name and network_secret of nodes of which
    the service tells none.
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
            # As without it.
            del self.credentials["verify"]
        self._address = URL(address)
        self._email = credentials.get("email")
        self._transport = Transport(session, (address,), ssl=trust(credentials))
        login = Login(self._signs_in, self._log_in)
        self._login_tokens = LoginTokens(credentials.get("token"), login, self._keep_token)
        self._tokens: Tokens = self._login_tokens if self._email else NoToken(AccountNeededError)
        self._client = EasyTierClient(self._transport, self._tokens, credentials.get("api_key"))
        network = Network(
            credentials.get("network_name", ""), credentials.get("network_secret", "")
        )
        self._feeds = Feeds(
            self._client,
            options,
            network,
            self._tokens.renew,
            signed_in=self._email is not None,
        )
        self._feeds.on_own_listed = self._know_by_own
        self._feeds.on_public_listed = self._know_by_public
        self._own_digests = None if self._email else ""
        self._public_digests = ""
        self.feeds = self._feeds.feeds()
        self._transport.secrets.add(*(credentials.get(name) for name in _SECRETS))

    # Signing in

    def _signs_in(self) -> tuple[str, str]:
        """Return the email address and the password."""
        return self.credentials["email"], self.credentials.get("password", "")

    async def _log_in(self) -> str:
        row = await self._client.login(*self._signs_in())
        if (token := coerce.token(row.get("token"))) is None:
            raise UnavailableError(Reason.MALFORMED, "no token")
        if isinstance(user := row.get("user"), dict):
            self._feeds.administrator = coerce.boolean(user.get("is_admin"))
        return token

    async def _keep_token(self, token: str) -> None:
        self._feeds.forget_right()
        await self.keep({"token": token})

    @property
    @override
    def console_url(self) -> str:
        return f"{self._address}"

    @override
    async def identify(self) -> Identity:
        """Tell which account it is at which server; an email address shows in neither.

        Raises OtherServiceError, and InvalidInputError for a server that nobody has set up, or
        that has no administrator.
        """
        if not await self._client.check_init():
            raise InvalidInputError("not_initialized")
        if self._email is None:
            await self._look_at_public_nodes()
            return self._identity()
        try:
            self._own_digests = await digests_of(await self._client.my())
        except AuthenticationError as err:
            if err.key is None and await self._lacks_administrator():
                raise InvalidInputError("no_administrator") from None
            raise
        if not self._own_digests:
            await self._look_at_public_nodes()
        return self._identity()

    def _identity(self) -> Identity:
        """Return the account, or nobody's, at the address that is asked now.

        It is known by its nodes, or by everyone's if it has none.
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
        """A server can have several addresses, or move: it is known again by its nodes."""
        if _normal(stored.get("email")) != _normal(self._email):
            return False
        return is_same(self._identity().known_by, known_by)

    async def _look_at_public_nodes(self) -> None:
        with suppress(TunnelHubError):
            self._public_digests = await digests_of(await self._client.public())

    async def _know_by_own(self, listed: list[Row]) -> None:
        """Note the account's nodes; an administrator may have listed everyone's."""
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

    async def _lacks_administrator(self) -> bool:
        """Ask for an account without an address, which no server makes, to hear why not."""
        try:
            await self._client.register("", "")
        except RejectedError as err:
            return _NOT_INITIALIZED in err.message
        except TunnelHubError:
            pass
        return False

    @override
    def issues(self) -> Iterable[Issue]:
        soon = datetime.now(UTC).date() + _ENDS_SOON
        ending = sorted(
            (node.valid_until, node.name or node.id)
            for node in self._feeds.nodes.values()
            if node.valid_until is not None and node.valid_until <= soon
        )
        if ending:
            nodes = ", ".join(f"{name} ({day})" for day, name in ending)
            yield Issue(key="nodes_ending", placeholders={"nodes": nodes})
        if self._feeds.namesakes:
            yield Issue(
                key="nodes_of_one_name",
                placeholders={"names": ", ".join(self._feeds.namesakes)},
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

    @override
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the session token, which nobody else needs; some servers give the same again."""
        if (token := await self._client.reset_token()) is None:
            raise UnavailableError(Reason.MALFORMED, "no token")
        await self._login_tokens.adopt(token)
        return None

    @override
    async def is_administrator(self) -> bool:
        """Tell whether the account is one, as far as the service says."""
        await self._feeds.account()
        return bool(self._feeds.administrator)

    # Before there is an account

    @override
    async def is_initialized(self) -> bool:
        """Tell whether the server is set up; raises OtherServiceError for another kind."""
        return await self._client.check_init()

    @override
    async def initialize(self, jwt_secret: str, admin: NewAccount) -> None:
        """Create an empty database with one administrator."""
        self._transport.secrets.add(jwt_secret, admin.password)
        await self._client.initialize(jwt_secret, admin.mail, admin.password)

    @override
    async def begin_registration(self, new: NewAccount) -> bool:
        """Make an account; whether its address must be proved before it can be used.

        A server that can send no mail tells the token that would have been in it.
        """
        self._transport.secrets.add(new.password)
        try:
            row = await self._client.register(new.mail, new.password)
        except RejectedError as err:
            if _NOT_INITIALIZED in err.message:
                raise InvalidInputError("no_administrator") from None
            raise
        if "warning" in row and (token := coerce.token(row.get("verification_token"))):
            self._transport.secrets.add(token)
            await self._client.verify(token)
        return not await self._can_sign_in(new)

    @override
    async def resend_registration_code(self, new: NewAccount) -> bool:
        """Have another mail sent; whether the address must still be proved.

        To make the account again does the same, for servers that cannot do it otherwise or that
        can send no mail.
        """
        self._transport.secrets.add(new.password)
        if await self._can_sign_in(new):
            return False
        try:
            await self._client.resend_verification(new.mail)
        except RejectedError, UnavailableError, UnsupportedError:
            return await self.begin_registration(new)
        return True

    async def _can_sign_in(self, new: NewAccount) -> bool:
        try:
            await self._client.login(new.mail, new.password)
        except AuthenticationError:
            return False
        return True

    @override
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Prove the address. code: the mailed token, or the whole link with it."""
        with suppress(ValueError):
            code = URL(code.strip()).query.get("token", code)
        await self._client.verify(code.strip())

    # Nodes

    async def create_node(self, payload: RelayNodeUpdate) -> str:
        """Create a node and return its id."""
        fields = new_fields(payload)
        name = coerce.verbatim(payload.name) or ""
        if await self._namesakes(name, self._email):
            raise InvalidInputError("node_name_taken", name=name)
        if (created := await self._client.create(fields)) is None:
            raise UnavailableError(Reason.MALFORMED, "no id of the new node")
        if payload.bandwidth_tier:
            # Servers that want it from reports alone do not store it with a new node.
            try:
                tier = RelayNodeUpdate(bandwidth_tier=payload.bandwidth_tier)
                await self.update_node(created, tier)
            except TunnelHubError as err:
                raise InvalidInputError("bandwidth_tier_not_stored", node=created) from err
        return created

    async def update_node(self, node_id: str, payload: RelayNodeUpdate) -> None:
        """Change what the payload names and is not so yet, and look whether it came about."""
        row = await self._row_to_change(node_id)
        if not (changed := changed_fields(payload, row)):
            return
        if "node_name" in changed:
            name = coerce.verbatim(payload.name) or ""
            if await self._namesakes(name, models.owner(row) or self._email, node_id):
                raise InvalidInputError("node_name_taken", name=name)
        await self._client.update(node_id, changed)
        if missing := not_stored(payload, await self._row_to_change(node_id)):
            raise InvalidInputError("not_stored", fields=", ".join(missing))

    async def _row_to_change(self, node_id: str) -> Row:
        """Read a node; nothing is known of one that the server itself fails to read."""
        try:
            return await self._feeds.node_row(node_id)
        except UnavailableError as err:
            if err.reason is Reason.SERVER_ERROR:
                return {}
            raise

    async def _namesakes(
        self, name: str, owner: str | None, node_id: str | None = None
    ) -> list[str]:
        """Read the ids of the other nodes of an account that go by a name.

        Where the server fails to list the nodes, nobody can tell.
        """
        with suppress(UnavailableError, RejectedError):
            found = await self._feeds.nodes_called(name, owner)
            return [known for known in found if known != node_id]
        return []

    async def delete_node(self, node_id: str) -> None:
        """Delete a node; one that is gone already counts as deleted."""
        with suppress(NodeGoneError):
            await self._client.delete(node_id)

    @override
    async def set_allow_relay(self, node_id: str, *, allowed: bool) -> None:
        """Allow or forbid a node to carry traffic between others."""
        await self._client.update(node_id, {"allow_relay": int(allowed)})

    @override
    async def report_node(self, node_id: str, report: RelayNodeReport) -> ReportResult:
        """Say how a node is doing, with the token that its agent would use."""
        row = await self._feeds.node_row(node_id)
        if (token := report.token or coerce.token(row.get("report_token"))) is None:
            raise InvalidInputError("report_token_needed")
        fields: dict[str, object] = {
            "node_name": row.get("node_name"),
            "email": models.owner(row) or self._email,
            "token": token,
            "current_bandwidth": report.bandwidth,
            "reported_traffic": report.traffic,
            "connection_count": report.connections,
            "status": _STATUS_WORDS[report.online],
        }
        if report.bandwidth_tier is not None:
            fields["tier_bandwidth"] = report.bandwidth_tier
        try:
            return models.report_result(await self._client.report(fields))
        except InvalidInputError as err:
            if err.key == "report_refused":
                name = coerce.text(row.get("node_name")) or ""
                others = await self._namesakes(name, models.owner(row) or self._email, node_id)
                # The server gives them to the first node that it finds.
                if any(_age(other) < _age(node_id) for other in others):
                    raise InvalidInputError("report_reaches_namesake", name=name) from None
            raise

    @override
    async def regenerate_report_token(self, node_id: str) -> str | None:
        """Replace the token that a node's agent reports with; the new one."""
        return await self._client.regenerate_token(node_id)

    # Checks and questions

    @override
    async def check_node(self, node_id: str) -> tuple[Finding, ...]:
        """Have all connections of a node tried now that can be."""
        if not (targets := self._feeds.targets(await self._feeds.node_row(node_id))):
            raise InvalidInputError("nothing_to_check")
        return await self._feeds.check(targets)

    @override
    async def check_targets(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        """Check up to twenty addresses."""
        if not 0 < len(targets) <= BATCH:
            raise InvalidInputError("check_count", count=str(len(targets)), maximum=str(BATCH))
        for target in targets:
            if not models.is_checkable(target.address):
                raise InvalidInputError("address_not_checkable", address=target.address)
        return await self._feeds.check(targets)

    @override
    async def query_nodes(
        self,
        *,
        region: Region | None = None,
        priority: QueryPriority | None = None,
        relay_only: bool = False,
    ) -> tuple[ProposedNode, ...]:
        """Return a few nodes that are online, the best first."""
        wishes: dict[str, object] = {"relay_only": relay_only}
        if region is not None:
            wishes["region"] = region.value
        if priority is not None:
            wishes["priority"] = priority.value
        return tuple(
            ProposedNode(node=node, addresses=models.addresses(row))
            for row in (await self._client.query(wishes))[: coerce.MAX_ITEMS]
            if (node := models.PUBLIC_NODE.one(row)) is not None
        )

    @override
    async def public_node_names(self) -> Mapping[str, str]:
        """Return the names of all public nodes by id, whichever are chosen."""
        nodes = await self._feeds.public_nodes()
        return {id_: node.name or id_ for id_, node in nodes.items()}


def _age(node_id: str) -> tuple[int, str]:
    """Sort nodes by when they were made: their ids count up."""
    return coerce.count(node_id) or 0, node_id
