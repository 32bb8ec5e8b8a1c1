"""What a provider is, and what it may be able to do.

Capabilities are small protocols, asked with isinstance: an action or a switch exists for
every provider that has the methods, and nobody asks for a provider's name.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from aiohttp import ClientSession

from .feed import Feed
from .resource import Resource, Tunnel

type Credentials = Mapping[str, str]
"""What signs in: user name, password, session token, base URL... by name; all secret."""

type Options = Mapping[str, object]
"""What the user chose: see NODES and CHOSEN_NODES."""

NODES = "nodes"
"""Option: which nodes to read, one of the NODES_ values; all without it."""
NODES_ALL = "all"
NODES_USED = "used"
NODES_CHOSEN = "chosen"
CHOSEN_NODES = "chosen_nodes"
"""Option: the ids of the nodes to read, a list, with NODES_CHOSEN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose account it is. id: never changes; title: what a person calls it."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """What a daily sign-in brought.

    already: it had been done today. traffic: bytes gained. traffic_left: bytes.
    message: the service's own words.
    """

    already: bool
    message: str
    traffic: int | None = None
    traffic_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that the service offers. urls: one for each mirror."""

    name: str
    version: str | None
    architecture: str | None
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelDraft:
    """What a user says about a tunnel; None leaves it to the service, or as it is.

    local_port, remote_port: 1 to 65535. node: a node's id or name.
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
    secret_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that lasts until a person acts.

    key: one of the keys under `issues` in the translations. placeholders: named in its text.
    """

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDescription:
    """What is known of a provider without an account.

    key: its name in stored entries. name: its proper name. console_url: the service's own page.
    """

    key: str
    name: str
    console_url: str


class Provider(ABC):
    """One account at one service, as feeds and commands.

    description: what is known without an account.
    feeds: what can be read, by key.
    credentials: as they are now. on_credentials: called, and awaited, with the new ones
    before they are used, whenever the provider renews them.
    """

    description: ClassVar[ProviderDescription]
    feeds: Mapping[str, Feed[Resource]]
    credentials: Credentials
    on_credentials: Callable[[Credentials], Awaitable[None]] | None = None

    @abstractmethod
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        """Prepare; nothing is sent before the first use."""

    @abstractmethod
    async def identify(self) -> Identity:
        """Sign in where needed and tell whose account it is."""

    def problems(self) -> Iterable[Problem]:
        """Tell what stands wrong now, as far as is known without asking."""
        return ()

    @abstractmethod
    def statistics(self) -> Mapping[str, int]:
        """Figures for diagnostics: requests sent, logins made..."""


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
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str
    ) -> str:
        """Return the file for one tunnel, or for all of a node's.

        file_format: "ini" or "toml". The file holds the link token.
        """


@runtime_checkable
class CanSignIn(Protocol):
    """The service rewards a daily sign-in."""

    async def sign_in(self) -> SignInResult:
        """Do today's sign-in."""


@runtime_checkable
class CanResetToken(Protocol):
    """The link token of client programs can be replaced."""

    async def reset_token(self) -> str:
        """Replace the link token; the new one."""


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
class CanRegister(Protocol):
    """Accounts can be made without a browser."""

    async def send_registration_code(self, username: str, mail: str) -> None:
        """Have a code mailed to a new user."""

    async def register(self, username: str, mail: str, password: str, code: str) -> None:
        """Make the account with the mailed code."""


@runtime_checkable
class CanRecoverPassword(Protocol):
    """A forgotten password can be replaced without a browser."""

    async def send_recovery_code(self, username: str) -> None:
        """Have a code mailed to the user."""

    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the mailed code."""
