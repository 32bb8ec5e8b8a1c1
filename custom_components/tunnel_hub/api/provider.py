"""What a provider is, and what it may be able to do.

Capabilities are small protocols, asked with isinstance: an action or a switch exists for
every provider that has the methods, and nobody asks for a provider's name.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Protocol, runtime_checkable

from aiohttp import ClientSession

from .errors import UnsupportedError
from .feed import Feed
from .http import Transport
from .resource import Node, Resource, Tunnel

type Credentials = Mapping[str, str]
"""What signs in: user name, password, session token, base URL... by name; all secret."""

type Options = Mapping[str, object]
"""What the user chose: see NODES, CHOSEN_NODES and NODE_DETAILS."""

NODES = "nodes"
"""Option: which nodes to read, one of the NODES_ values; all without it."""
NODES_ALL = "all"
NODES_USED = "used"
NODES_CHOSEN = "chosen"
CHOSEN_NODES = "chosen_nodes"
"""Option: the ids of the nodes to read, a list, with NODES_CHOSEN."""
NODE_DETAILS = "node_details"
"""Option: whether to read what costs a request for each node; not without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose account it is. id: tells it from all others; title: what a person calls it.

    known_by: what Provider.is_account_of recognises it by, where the id can change.
    """

    id: str
    title: str
    known_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a person says of the account to be made. contact: a number at a messenger."""

    username: str
    mail: str
    password: str = field(repr=False)
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What is to change of an account; None leaves it.

    contact: a number at a messenger. picture: its URL.
    current_password: needed to change the password.
    """

    username: str | None = None
    contact: str | None = None
    picture: str | None = None
    password: str | None = field(default=None, repr=False)
    current_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person needs to let us in with a browser. url: where; user_code: what to check there.

    minutes: how long that is possible.
    """

    user_code: str
    url: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Captcha:
    """The answers of a solved GeeTest captcha."""

    lot_number: str
    captcha_output: str
    pass_token: str
    gen_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subdomain:
    """A name under one of the service's domains: record.domain.

    type: A, AAAA, CNAME or SRV. target: an address or a name. ttl: one of CanManageSubdomains.ttls.
    """

    domain: str
    record: str
    type: str | None = None
    target: str | None = None
    ttl: str | None = None
    remarks: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTraffic:
    """What went through on one day, in bytes. day: "YYYY-MM-DD"."""

    day: str
    traffic_in: int | None
    traffic_out: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """What a daily sign-in brought.

    already: it had been done today. points: gained. traffic: bytes gained. traffic_left: bytes.
    message: the service's own words.
    """

    already: bool
    message: str
    points: int | None = None
    traffic: int | None = None
    traffic_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that the service offers. urls: one for each mirror.

    platform: the operating system, where the service tells it apart from the architecture.
    """

    name: str
    version: str | None
    platform: str | None
    architecture: str | None
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelDraft:
    """What a user says about a tunnel; None leaves it to the service, or as it is.

    local_port, remote_port: 1 to 65535. node: a node's id or name.
    extra_parameters: further lines for the client's configuration.
    secret_key: shared by both ends of stcp and xtcp.
    """

    name: str | None = None
    protocol: str | None = None
    local_host: str | None = None
    local_port: int | None = None
    remote_port: int | None = None
    node: str | None = None
    domain: str | None = None
    encryption: bool | None = None
    compression: bool | None = None
    extra_parameters: str | None = None
    secret_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that lasts until a person acts.

    key: one of the keys under `issues` in the translations. placeholders: named in its text.
    fixable: whether we can do it for the person, by the step of that name in repairs.py.
    """

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)
    fixable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDescription:
    """What is known of a provider without an account.

    key: its name in stored entries. name: its proper name. console_url: the service's own page.
    model: what an account there is called in a device's model.
    time_zone: whose midnight begins the service's days.
    """

    key: str
    name: str
    console_url: str
    model: str = "Account"
    time_zone: tzinfo = UTC


class Provider(ABC):
    """One account at one service, as feeds and commands.

    description: what is known without an account.
    feeds: what can be read, by key.
    credentials: as they are now. on_credentials: called, and awaited, with the new ones
    before they are used, whenever the provider renews them.
    on_identity: called with what the account is now, when it is read and that can change.
    """

    description: ClassVar[ProviderDescription]
    feeds: Mapping[str, Feed[Resource]]
    credentials: Credentials
    on_credentials: Callable[[Credentials], Awaitable[None]] | None = None
    on_identity: Callable[[Identity], None] | None = None
    _transport: Transport

    @abstractmethod
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        """Prepare; nothing is sent before the first use."""

    def close(self) -> None:
        """Send nothing more: nobody waits for it. A sign-in that is being renewed is finished."""
        self._transport.close()

    async def keep(self, renewed: Credentials) -> None:
        """Store renewed credentials beside the others; only then may they be used."""
        self.credentials = {**self.credentials, **renewed}
        if self.on_credentials is not None:
            await self.on_credentials(self.credentials)

    @property
    def console_url(self) -> str:
        """The account's own page, for a browser."""
        return self.description.console_url

    @abstractmethod
    async def identify(self) -> Identity:
        """Sign in where needed and tell whose account it is."""

    @classmethod
    def id_in(cls, credentials: Credentials) -> str | None:
        """Return the account's id as stored credentials tell it; None if one has to ask for it.

        Raises InvalidInputError for credentials that nobody could have entered.
        """
        return None

    def is_account_of(self, stored: Credentials, known_by: str) -> bool | None:
        """Tell whether stored credentials are of this account, although it had another id.

        known_by: as in the identity that it had last. None if that remains open. Asked after
        identify.
        """
        return False

    def problems(self) -> Iterable[Problem]:
        """Tell what stands wrong now, as far as is known without asking."""
        return ()

    @abstractmethod
    def statistics(self) -> Mapping[str, int]:
        """Figures for diagnostics: requests sent, logins made..."""


@runtime_checkable
class CanRemember(Protocol):
    """The provider finds things out that the service does not tell again.

    on_memory: called, and awaited, with all that is to be remembered when that has changed: JSON.
    """

    on_memory: Callable[[Mapping[str, Any]], Awaitable[None]] | None

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take back what was remembered, before anything is read."""


def capable[T](part: object, kind: type[T]) -> T:
    """Return something as what it has to be here; raises UnsupportedError."""
    if not isinstance(part, kind):
        raise UnsupportedError
    return part


@runtime_checkable
class CanToggleTunnels(Protocol):
    """The service can refuse clients of a tunnel."""

    async def set_tunnel_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Enable or disable a tunnel."""


@runtime_checkable
class CanForceDown(Protocol):
    """The service can throw a running client off a tunnel."""

    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Throw the client off, once; it may come back by itself."""


@runtime_checkable
class CanCheckTunnel(Protocol):
    """The service can be asked for one tunnel's online state."""

    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Ask now."""


@runtime_checkable
class CanRefreshTunnels(Protocol):
    """The service can be told to ask a tunnel's node anew."""

    async def refresh_tunnel(self, tunnel_id: str) -> Tunnel:
        """Have the node asked; the tunnel as it is now."""


@runtime_checkable
class CanForceAllDown(Protocol):
    """The service can throw the clients of all tunnels off at once."""

    async def force_all_offline(self) -> Mapping[str, str]:
        """Throw them off, once; what became of it at each node, in the service's words."""


@runtime_checkable
class CanEditTunnels(Protocol):
    """Tunnels can be made, changed and deleted."""

    async def create_tunnel(self, draft: TunnelDraft) -> str:
        """Make a tunnel; its id."""

    async def update_tunnel(self, tunnel_id: str, draft: TunnelDraft) -> None:
        """Change what the draft names and nothing else."""

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; one that is gone already counts as deleted."""


@runtime_checkable
class CanGetTunnelConfig(Protocol):
    """The service writes configuration files for the client program."""

    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the file for one tunnel, or for all of a node's.

        file_format: "ini" or "toml", None for what the service prefers. The file holds the
        link token.
        """


@runtime_checkable
class CanSignIn(Protocol):
    """The service rewards a daily sign-in."""

    async def sign_in(self) -> SignInResult:
        """Do the sign-in of the service's day, see ProviderDescription.time_zone."""


@runtime_checkable
class CanSignInWithCaptcha(Protocol):
    """The service rewards a daily sign-in by people: a captcha keeps programs out."""

    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        """Do today's sign-in with the answers of a captcha that a person has solved."""


@runtime_checkable
class CanSendCode(Protocol):
    """A change of the link token needs a code that is mailed first."""

    async def send_code(self) -> None:
        """Have the code mailed to the account's address."""


@runtime_checkable
class CanResetToken(Protocol):
    """The link token of client programs can be replaced."""

    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the link token; the new one, None where it can no longer be read.

        code: the mailed one, where the service wants one.
        """


@runtime_checkable
class CanUpdateAccount(Protocol):
    """An account can be changed without a browser."""

    async def update_account(self, changes: AccountChanges) -> None:
        """Change what is named; what comes after a refusal is left as it was."""


@runtime_checkable
class CanManageSubdomains(Protocol):
    """The service gives away names under its domains.

    ttls: the times that a record may live, such as "10m".
    """

    ttls: Collection[str]

    async def domains(self) -> tuple[str, ...]:
        """Return the domains under which there may be names."""

    async def subdomains(self) -> tuple[Subdomain, ...]:
        """Return the account's names."""

    async def create_subdomain(self, subdomain: Subdomain) -> None:
        """Make a name."""

    async def update_subdomain(self, changes: Subdomain) -> None:
        """Change the target or the ttl of the name that is meant."""

    async def delete_subdomain(self, subdomain: Subdomain) -> None:
        """Delete a name."""


@runtime_checkable
class CanGetTrafficHistory(Protocol):
    """The service keeps the traffic of the last days."""

    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return the days of a tunnel, or of the account, the oldest first."""


@runtime_checkable
class CanListDownloads(Protocol):
    """The service offers client programs."""

    async def downloads(self) -> tuple[Download, ...]:
        """List the files."""


@runtime_checkable
class CanChooseNodes(Protocol):
    """The service has more nodes than most people want to see."""

    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whichever are chosen."""


@runtime_checkable
class CanDetailNodes(Protocol):
    """The service tells more of a node, one at a time."""

    async def node_details(self, node_id: str) -> Node:
        """Ask now."""


@runtime_checkable
class CanGetNodeHistory(Protocol):
    """The service keeps what was measured at a node.

    history_fields: what can be asked for.
    """

    history_fields: Collection[str]

    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[Mapping[str, float | str | None]]:
        """Return samples between two moments with these fields and their `time`, oldest first.

        start: an hour before the newest sample if None. end: the newest sample if None.
        """


@runtime_checkable
class CanGetAppVersion(Protocol):
    """The service knows the newest version of programs that others write for it."""

    async def app_version(self, loader: str, minecraft: str, kind: str) -> Mapping[str, Any]:
        """Return what it tells of a program. loader, minecraft: what it runs in."""


@runtime_checkable
class CanRegister(Protocol):
    """Accounts can be made without a browser."""

    async def send_registration_code(self, new: NewAccount) -> None:
        """Have a code mailed to a new user."""

    async def register(self, new: NewAccount, code: str) -> None:
        """Make the account with the mailed code."""


@runtime_checkable
class CanSignInByDevice(Protocol):
    """A person lets us in with a browser, wherever that is (RFC 8628)."""

    async def begin_device_sign_in(self) -> DeviceCode:
        """Ask for a code that the person can agree to."""

    async def finish_device_sign_in(self) -> Credentials:
        """Wait until the person has agreed; the credentials that sign in from then on."""


@runtime_checkable
class CanRecoverPassword(Protocol):
    """A forgotten password can be replaced without a browser."""

    async def send_recovery_code(self, username: str) -> None:
        """Have a code mailed to the user."""

    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the mailed code."""
