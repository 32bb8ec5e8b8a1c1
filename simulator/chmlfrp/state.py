"""The state of the simulated ChmlFrp: plain data that a test can read and change."""

from dataclasses import dataclass, field

FREE_GROUP = "免费用户"
NEVER_STARTED = "尚未启动"


@dataclass(slots=True)
class Settings:
    """How this ChmlFrp behaves where versions of the real one differ.

    password_login: /login takes a username and a password; else only an access token.
    token_in: where a token is looked for, first match wins: "header", "query", "body".
    delete_style: "get" for GET /delete_tunnel, "post" for the documented POST /deletetunnel.
    newer_rows: tunnels carry the address and the secret of their node.
    nulls: what is not known is null; else 0, "" or an empty list.
    create_tells_id: the answer to a new tunnel has its id; the documented one is null.
    http_status_follows_code: a refusal's HTTP status is its code; else 200.
    already_signed_code: code of a second sign-in on one day, 400 or 409.
    captcha_passes: whether the captcha's operator believes an answer that is there.
    blocks_scripts: a firewall's page for a call without a User-Agent of its own.
    access_token_seconds, device_code_seconds: how long they last.
    device_interval: least seconds between two polls for one device code.
    history_samples: rows of /node_status_info, one every 20 s: about 2 MB.
    notices_listed_whole: whether the list of notices has their texts too.
    retoken_wants_code: whether a new token takes a mailed code.
    flow_newest_first: the order of the account's days.
    removed_style: a tunnel's row whose node was removed has "empty" fields, or the word "offline".
    maintenance_style: one whose node is in maintenance has the "word" for it, or "null".
    realname_style: "words", or "flag".
    frpc_version: of the newest client program.
    reconnects_after: seconds until the client of a kicked tunnel is back; None is never.
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
    """The bytes of one day."""

    traffic_in: float = 0.0
    traffic_out: float = 0.0


def week() -> list[Day]:
    """Return seven days without traffic."""
    return [Day() for _ in range(7)]


@dataclass(slots=True)
class Account:
    """A user. Totals are bytes, `days` the last seven with today at the end."""

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
    """A server; traffic is today's in bytes and grows by the rates, in bytes per second.

    `state` is "online", "offline" or any other word, which means maintenance. `ports` are those
    that tunnels may have. `uptimes` are percent a day, today last; None is a day without record.
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
    """A tunnel of the account `userid` at the node called `node`, which may be gone.

    `public` is its port or domain there. `client_running` says whether its frp client runs,
    `started_at` when that connected last (None is never) and `closed_at` when it left last;
    `kicked_at` is when it was forced offline and has not come back since. Rates are bytes per
    second while online, `days` the last seven with today at the end.
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
    """A message to all as the newer panel has it: with a title, in Markdown.

    `priority` is 1 normal, 2 important, 3 urgent.
    """

    id: int
    title: str
    content: str
    at: float
    priority: int = 1


@dataclass(slots=True)
class Certificate:
    """A certificate of an account; one that is not issued yet has no times."""

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
    """A message that the service sent, with the code in it."""

    to: str
    kind: str
    code: str
    at: float


@dataclass(slots=True)
class OAuthClient:
    """A program registered at the account center. secret: with which it has to be known."""

    device_grant: bool
    secret: str | None = None


@dataclass(slots=True)
class DeviceCode:
    """A sign-in that waits for the user: `status` is "pending", "approved" or "denied"."""

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
    """Everything: accounts, nodes, tunnels, subdomains and grants by id as text, clients by theirs.

    `device_codes` are by user code. `users_elsewhere` and `tunnels_elsewhere` are what the panel
    counts beside the ones here; `signed_in_elsewhere` those who signed in today.
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
