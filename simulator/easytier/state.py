"""The state of the simulated node manager: plain data that tests read and change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from . import times

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
REPORT_INTERVAL = 10 * MINUTE
"""Seconds between two reports of an agent, and between two samples of the history."""
SAMPLES_PER_DAY = DAY // REPORT_INTERVAL
MAX_DIGITS = 30 * SAMPLES_PER_DAY
"""The maximum number of digits of a recent status: 30 days of reports."""
NO_EXPIRY = "2999-12-31"
"""The date that the web page enters for a node that does not expire."""

PLACES = (
    ("北京联通", "domestic", "北京", "高速,稳定"),
    ("东京软银", "overseas", "日本东京", "国际,低延迟"),
    ("广州移动", "domestic", "广东广州", "大流量"),
    ("香港专线", "overseas", "中国香港", "国际"),
    ("上海电信", "domestic", "上海", "高速"),
    ("成都家宽", "domestic", "四川成都", ""),
    ("新加坡云", "overseas", "新加坡", "备用"),
    ("武汉教育网", "domestic", "湖北武汉", "IPv6,稳定"),
)
SCHEMES = (("TCP", 11010), ("UDP", 11010), ("WS", 11011))
RESET_CYCLES = (1, 0, 31, 15)
OTHER_NODES = 3
"""The number of nodes of other accounts."""
OLDEST_NODE_AGE = 400 * DAY
"""Seconds since the oldest node was created."""
GIGABYTES_PER_MEGABIT = 100
"""The monthly traffic limit of a node for each Mbit/s of its tier: about a third of it."""

DIGITS = b"".join(
    digit * often
    for digit, often in {
        b"1": 2,
        b"2": 60,
        b"3": 82,
        b"4": 60,
        b"5": 30,
        b"6": 10,
        b"7": 6,
        b"8": 4,
        b"9": 2,
    }.items()
)
"""The digit of a node's recent status for each random byte."""

# Properties by number % 8
SECONDS_SINCE_REPORT: Mapping[int, int] = {4: 2 * HOUR, 0: 10 * DAY}
"""Seconds since the last report of the agent at the start."""
EXPIRIES: Mapping[int, str | int] = {2: NO_EXPIRY, 5: 5 * DAY, 0: -10 * DAY}
"""The expiry of the node, as a date or in seconds from the start."""
NEARLY_USED_UP = 3
NEVER_REPORTED = 6
WITHOUT_NETWORK = 7


@dataclass(slots=True)
class Settings:
    """The differences between versions and installations.

    dialect: "real" for the public source, "documented" for the document (simulator/README.md).
    initialized: False until someone initializes the server.
    without_administrator: True for a server whose tables were created manually: it reports that
        it is initialized, but refuses registrations. Clear `accounts`, too.
    email_verification: whether a new account must verify its address before it can sign in.
    mail: whether the server can send email; otherwise registering returns the token.
    undocumented_endpoints: whether the server has endpoints that are not documented.
    edgeone: whether /api/edgeone/ is deployed; None: only in the documented dialect.
    api_key: the X-API-Key header that /api/edgeone/ requires; None: not required.
    token_lifetime: seconds until a session token expires; None: never.
    """

    dialect: Literal["real", "documented"] = "real"
    initialized: bool = True
    without_administrator: bool = False
    email_verification: bool = True
    mail: bool = True
    undocumented_endpoints: bool = True
    edgeone: bool | None = None
    api_key: str | None = None
    token_lifetime: float | None = None


@dataclass(slots=True)
class Account:
    """A user."""

    email: str
    password: str
    is_admin: bool = False
    is_super_admin: bool = False
    is_verified: bool = True
    verification_token: str | None = None


@dataclass(slots=True)
class Connection:
    """An address of a node. If the node is online, a check returns reachable and latency."""

    type: str
    ip: str
    port: int
    reachable: bool = True
    latency_ms: int = 40


@dataclass(slots=True)
class Node:
    """A relay node, with the fields of the real server's rows.

    Bandwidth is in Mbit/s, traffic in GB; `recent_status` has a digit for each report. While
    `reporting`, an agent at the node reports every ten minutes, around the typical bandwidth and
    connections. While `is_damaged`, its connections cannot be read, and every list with it fails.
    """

    id: int
    user_email: str
    node_name: str
    region_type: str
    connections: list[Connection]
    valid_until: str
    report_token: str
    created_at: str
    reset_date: str
    region_detail: str = ""
    current_bandwidth: float = 0.0
    tier_bandwidth: float = 0.0
    max_bandwidth: float = 1.0
    used_traffic: float = 0.0
    correction_traffic: float = 0.0
    max_traffic: float = 0.0
    reset_cycle: int = 0
    connection_count: int = 0
    max_connections: int = 100
    tags: str = ""
    status: str = "offline"
    recent_status: str = ""
    notes: str = ""
    allow_relay: int = 0
    last_report_at: str | None = None
    network_name: str = ""
    network_token: str = ""
    is_damaged: bool = False
    reporting: bool = False
    typical_bandwidth: float = 0.0
    typical_connections: int = 0


@dataclass(slots=True)
class Mail:
    """An email from the service, with the token that verifies the address, and its link."""

    to: str
    token: str
    link: str
    at: float


@dataclass(slots=True)
class Sample:
    """The totals of the service at one time."""

    timestamp: str
    online_nodes: int
    connections: int
    bandwidth: float
    tierband: float


@dataclass(slots=True)
class EasyTierState:
    """The whole state: accounts and nodes by id as text. `jwt_secret` signs the session tokens."""

    jwt_secret: str
    settings: Settings = field(default_factory=Settings)
    accounts: dict[str, Account] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    mailbox: list[Mail] = field(default_factory=list)
    history: list[Sample] = field(default_factory=list)


def token(random: Random) -> str:
    """Return a secret of 32 hexadecimal digits."""
    return f"{random.getrandbits(128):032x}"


def first_state(random: Random, now: float, nodes: int) -> EasyTierState:
    """Return four accounts, `nodes` nodes of the demo account and three of another account.

    Of the demo account's eight nodes, the second does not expire, the third has nearly used up its
    traffic, the fourth is offline, the fifth expires in five days, the sixth has never reported,
    the seventh has no network name, and the eighth expired ten days ago.
    """
    state = EasyTierState(jwt_secret=token(random))
    state.accounts = {
        "1": Account("demo@example.com", "demo-password"),
        "2": Account("admin@example.com", "admin-password", is_admin=True, is_super_admin=True),
        "3": Account("other@example.com", "other-password"),
        "4": Account(
            "unverified@example.com",
            "unverified-password",
            is_verified=False,
            verification_token=token(random),
        ),
    }
    for owner, network, count in (
        ("1", "demo-network", nodes),
        ("3", "other-network", OTHER_NODES),
    ):
        secret = token(random)[:16]
        for place in range(1, count + 1):
            node = _node(random, now, len(state.nodes) + 1, place)
            node.user_email = state.accounts[owner].email
            if place % 8 != WITHOUT_NETWORK:
                node.network_name, node.network_token = network, secret
            state.nodes[str(node.id)] = node
    online = [node for node in state.nodes.values() if node.reporting]
    state.history = [
        Sample(
            times.iso(now - now % REPORT_INTERVAL - ago * REPORT_INTERVAL),
            len(online),
            sum(round(_around(random, node.typical_connections)) for node in online),
            round(sum(_around(random, node.typical_bandwidth) for node in online), 2),
            sum(node.tier_bandwidth for node in online),
        )
        for ago in range(SAMPLES_PER_DAY, 0, -1)
    ]
    return state


def _node(random: Random, now: float, number: int, place: int) -> Node:
    """Return a node without an owner."""
    name, region, detail, tags = PLACES[(place - 1) % len(PLACES)]
    lap = (place - 1) // len(PLACES)
    kind = place % 8
    new = kind == NEVER_REPORTED
    silent = SECONDS_SINCE_REPORT.get(kind, 0)
    valid = EXPIRIES.get(kind, 300 * DAY)
    cycle = RESET_CYCLES[number % len(RESET_CYCLES)]
    tier = random.choice((50.0, 100.0, 200.0))
    traffic = tier * GIGABYTES_PER_MEGABIT
    address = f"198.18.{number // 250}.{number % 250 + 1}"
    used = 0.96 if kind == NEARLY_USED_UP else random.randrange(5, 60) / 100
    return Node(
        id=number,
        user_email="",
        node_name=f"{name}{lap + 1}" if lap else name,
        region_type=region,
        region_detail=detail,
        connections=[
            Connection(scheme, address, port, latency_ms=10 * number + gap)
            for gap, (scheme, port) in enumerate(SCHEMES[: 1 + number % len(SCHEMES)])
        ],
        tier_bandwidth=0.0 if new else tier,
        max_bandwidth=tier * 5,
        used_traffic=0.0 if new else traffic * used,
        max_traffic=traffic,
        reset_cycle=cycle,
        reset_date=times.first_reset(now, cycle),
        max_connections=random.choice((50, 100, 200)),
        tags=tags,
        created_at=times.sql(now - OLDEST_NODE_AGE + number * MINUTE),
        valid_until=valid if isinstance(valid, str) else times.day(now + valid),
        recent_status="" if new else _recent(random),
        notes="演示节点" if number == 1 else "",
        allow_relay=number % 2,
        last_report_at=None if new else times.iso(now - now % REPORT_INTERVAL - silent),
        report_token=token(random),
        reporting=not (new or silent),
        typical_bandwidth=tier * random.randrange(5, 25) / 100,
        typical_connections=random.randrange(3, 40),
    )


def _recent(random: Random) -> str:
    """Return the digits of 30 days of reports, a few of them offline."""
    return random.randbytes(MAX_DIGITS).translate(DIGITS).decode()


def _around(random: Random, typical: float) -> float:
    return typical * random.uniform(0.7, 1.3)
