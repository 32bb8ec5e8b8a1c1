"""The state of the simulated ChmlFrp: plain data that tests read and change."""

from dataclasses import dataclass, field

FREE_GROUP = "免费用户"
NEVER_STARTED = "尚未启动"


@dataclass(slots=True)
class Settings:
    """The differences between versions of the real service.

    password_login: /login accepts a username and a password; otherwise only an access token.
    token_in: where the token is read from, the first match wins: "header", "query", "body".
    delete_style: "get" for GET /delete_tunnel, "post" for the documented POST /deletetunnel.
    newer_rows: tunnels contain the address and the secret of their node.
    nulls: unknown values are null; otherwise 0, "" or an empty list.
    create_tells_id: the response for a new tunnel contains its id; the documented one is null.
    http_status_follows_code: the HTTP status of an error is its code; otherwise 200.
    already_signed_code: the code for a second sign-in on one day, 400 or 409.
    captcha_passes: whether any solution of the captcha is accepted.
    blocks_scripts: a firewall blocks requests with the User-Agent of an HTTP library.
    access_token_seconds, device_code_seconds: their lifetimes.
    device_interval: the minimum seconds between two polls for one device code.
    history_samples: rows of /node_status_info, one every 20 s: about 2 MB.
    notices_listed_whole: whether the list of notices contains their texts.
    retoken_wants_code: whether a new token requires an emailed code.
    flow_newest_first: the order of the account's days.
    removed_style: a tunnel whose node was removed has "empty" fields, or the word "offline".
    maintenance_style: a tunnel whose node is in maintenance has a "word" for it, or "null".
    realname_style: "words" or "flag".
    frpc_version: the newest version of the client program.
    reconnects_after: seconds until the client of a kicked tunnel reconnects; None: never.
    """

    password_login: bool = False
    token_in: list[str] = field(default_factory=lambda: ["header", "query", "body"])
    delete_style: str = "get"
    newer_rows: bool = True
    nulls: bool = True
    create_tells_id: bool = False
    http_status_follows_code: bool = False
    already_signed_code: int = 400
    captcha_passes: bool = True
    blocks_scripts: bool = True
    access_token_seconds: int = 600
    device_code_seconds: int = 300
    device_interval: int = 5
    history_samples: int = 4800
    notices_listed_whole: bool = False
    retoken_wants_code: bool = True
    flow_newest_first: bool = False
    removed_style: str = "empty"
    maintenance_style: str = "word"
    realname_style: str = "words"
    frpc_version: str = "0.51.2_251023"
    reconnects_after: float | None = None


@dataclass(slots=True)
class Day:
    """The traffic of one day in bytes."""

    traffic_in: float = 0.0
    traffic_out: float = 0.0


def week() -> list[Day]:
    """Return seven days without traffic."""
    return [Day() for _ in range(7)]


@dataclass(slots=True)
class Account:
    """A user. Totals are in bytes; `days` are the last seven, today last."""

    id: int
    username: str
    password: str
    email: str
    qq: str
    userimg: str
    usertoken: str
    usergroup: str
    bandwidth: int
    quota: int
    term: str
    regtime: str
    realname: bool = False
    login_attempts: int = 0
    integral: int = 0
    total_in: float | None = None
    total_out: float | None = None
    last_sign_in: float | None = None
    total_sign_ins: int = 0
    total_points: int = 0
    days: list[Day] = field(default_factory=week)


@dataclass(slots=True)
class Node:
    """A server. Today's traffic is in bytes and grows by the rates in bytes per second.

    `state` is "online", "offline" or another word, which means maintenance. `ports` are the ports
    for tunnels. `uptimes` are daily percentages, today last; None is a day without a record.
    """

    id: int
    name: str
    area: str
    nodegroup: str
    china: bool
    web: bool
    coordinates: str
    ip: str
    real_ip: str
    api_token: str
    node_token: str
    booted_at: float
    ipv6: str | None = None
    udp: bool = True
    fangyu: bool = True
    notes: str = ""
    state: str = "online"
    ports: str = "10000-65535"
    port: int = 7000
    admin_port: int = 8233
    version: str = "ChmlFrp-0.51.2_251023"
    cpu_info: str = "Intel(R) Xeon(R) Gold 6146 CPU @ 3.20GHz"
    num_cores: int = 8
    memory_total: int = 16_779_546_624
    memory_used: int = 4_194_304_000
    storage_total: int = 160_801_107_968
    storage_used: int = 17_889_017_856
    load1: float = 0.0
    load5: float = 0.0
    load15: float = 0.0
    cpu_usage: float | None = 0.0
    bandwidth_usage_percent: int = 0
    connections: int = 0
    clients: int = 0
    tunnels: int = 0
    traffic_in: float = 0.0
    traffic_out: float = 0.0
    rate_in: float = 0.0
    rate_out: float = 0.0
    uptimes: list[float | None] = field(default_factory=list)


@dataclass(slots=True)
class Tunnel:
    """A tunnel of the account `userid` at the node named `node`, which may have been removed.

    public: its port or domain there. client_running: whether its frp client runs.
    started_at, closed_at: when the client last connected and disconnected; None is never.
    kicked_at: when it was forced offline; None if it has reconnected since. Rates are in bytes
    per second while online. days: the last seven, today last.
    """

    id: int
    userid: int
    name: str = ""
    kind: str = "tcp"
    node: str = ""
    local_ip: str = "127.0.0.1"
    local_port: int = 80
    public: str = ""
    encryption: bool = False
    compression: bool = False
    extra: str = ""
    client_running: bool = False
    started_at: float | None = None
    closed_at: float | None = None
    kicked_at: float | None = None
    client_version: str = NEVER_STARTED
    connections: int = 0
    rate_in: float = 1024.0
    rate_out: float = 4096.0
    days: list[Day] = field(default_factory=week)


@dataclass(slots=True)
class Subdomain:
    """A DNS record under one of the service's domains."""

    id: int
    userid: int
    domain: str
    record: str
    kind: str
    target: str
    ttl: str
    remarks: str | None = None


@dataclass(slots=True)
class Domain:
    """A domain under which users may have records."""

    id: int
    domain: str
    remarks: str | None = None
    icp_filing: bool = False


@dataclass(slots=True)
class Message:
    """A message to one account, or to all when `userid` is None."""

    id: int
    userid: int | None
    content: str
    at: float


@dataclass(slots=True)
class Notice:
    """A message to all users in the newer panel: with a title, in Markdown.

    `priority` is 1 normal, 2 important, 3 urgent.
    """

    id: int
    title: str
    content: str
    at: float
    priority: int = 1


@dataclass(slots=True)
class Certificate:
    """A certificate of an account. A certificate that is not issued yet has no times."""

    id: int
    userid: int
    domains: str
    status: str
    created_at: float
    provider: str = "letsencrypt"
    issued_at: float | None = None
    expires_at: float | None = None


@dataclass(slots=True)
class Mail:
    """An email from the service, with its code."""

    to: str
    kind: str
    code: str
    at: float


@dataclass(slots=True)
class OAuthClient:
    """A program registered at the account center. secret: its client secret, if it has one."""

    device_grant: bool
    secret: str | None = None


@dataclass(slots=True)
class DeviceCode:
    """A device sign-in; `status` is "pending", "approved" or "denied"."""

    device_code: str
    client_id: str
    scope: str
    expires_at: float
    interval: int
    userid: int
    status: str = "pending"
    polled_at: float | None = None


@dataclass(slots=True)
class Grant:
    """The tokens of an approved sign-in. Each refresh replaces both."""

    userid: int
    client_id: str
    scope: str
    access_token: str
    refresh_token: str | None
    expires_at: float
    refreshes: int = 0


@dataclass(slots=True)
class ChmlFrpState:
    """The whole state. Accounts, nodes, tunnels, subdomains, grants and clients are by id as text.

    `device_codes` are by user code. `users_elsewhere` and `tunnels_elsewhere` are numbers that the
    panel adds to those of this state; `signed_in_elsewhere` are other sign-ins today.
    """

    settings: Settings = field(default_factory=Settings)
    accounts: dict[str, Account] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    tunnels: dict[str, Tunnel] = field(default_factory=dict)
    domains: list[Domain] = field(default_factory=list)
    subdomains: dict[str, Subdomain] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    mailbox: list[Mail] = field(default_factory=list)
    oauth_clients: dict[str, OAuthClient] = field(default_factory=dict)
    device_codes: dict[str, DeviceCode] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    last_id: int = 0
    users_elsewhere: int = 22_201
    tunnels_elsewhere: int = 22_900
    signed_in_elsewhere: int = 1_204
