"""The state of the simulated HayFrp: plain data that tests read and change."""

from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from simulator.shanghai import DAY, midnight

PLACES = (
    ("中国-苏州-永乐云服务器", "[|1000Mbps | 国内穿透推荐]", "suzhou"),
    ("中国-宁波-电信大带宽", "[|200Mbps | 建站推荐]", "ningbo"),
    ("中国-香港-三网直连", "[|100Mbps | 免备案]", "hongkong"),
    ("中国-枣庄-BGP高防", "[|50Mbps | 游戏推荐]", "zaozhuang"),
    ("中国-成都-移动家宽", "[|30Mbps | 仅限TCP]", "chengdu"),
    ("日本-东京-软银", "[|300Mbps | 海外穿透推荐]", "tokyo"),
    ("美国-洛杉矶-CN2", "[|500Mbps | 海外建站推荐]", "losangeles"),
    ("新加坡-国际线路", "[|100Mbps | 备用节点]", "singapore"),
)
APPLICATIONS = (
    ("homeassistant", "tcp", 8123),
    ("nas", "https", 5001),
    ("minecraft", "udp", 19132),
    ("camera", "stcp", 554),
    ("ssh", "tcp", 22),
    ("blog", "http", 8080),
    ("desktop", "xtcp", 3389),
)
LOADS = ("无负荷", "低负荷", "中负荷", "高负荷")
NOTICE = (
    '<div class="notice"><h3>节点维护公告</h3><p>苏州节点将于今晚&nbsp;02:00&ndash;04:00 维护,'
    "期间隧道会&quot;短暂离线&quot;。<br>感谢理解 &amp; 支持!</p>"
    "<style>.notice{color:#333}</style><script>console.log('notice')</script></div>"
)


@dataclass(slots=True)
class Settings:
    """The differences between versions of the real service.

    already_signed_status: body status of a second sign-in on one day, 403 or 404.
    already_signed_words: the message for it.
    sign_tells_flow: whether the response of a sign-in contains `signflow`.
    empty_list_status: body status of an empty list of tunnels, 404 or 200.
    missing_tunnel_status: body status for an unknown tunnel id, 404 or 500.
    empty_list: the value of an empty list: "list", "null" or "missing".
    check_status: body status of an offline tunnel, 500 or 200; both contain `ostatus`.
    check_words: whether that response contains a reason.
    signdate_style: "seconds", "milliseconds" or "date".
    forcedown_form_only: forcedown reads its fields from a form, not from JSON.
    downlist_style: "source" as documented, or "sources" with lists by program.
    wandering_types: the types of numbers, booleans and nulls vary; otherwise as documented.
    reconnects_after: seconds until the client of a kicked or re-enabled tunnel reconnects; None:
    never after a kick, immediately after it is enabled.
    """

    already_signed_status: int = 403
    already_signed_words: str | None = "您今天已经签到过了,请明天再来吧."
    sign_tells_flow: bool = True
    empty_list_status: int = 404
    empty_list: str = "list"
    check_status: int = 500
    check_words: bool = True
    signdate_style: str = "seconds"
    missing_tunnel_status: int = 404
    forcedown_form_only: bool = False
    downlist_style: str = "source"
    wandering_types: bool = True
    reconnects_after: float | None = None


@dataclass(slots=True)
class Account:
    """A user. Times are seconds since 1970; `traffic` is the remaining traffic in MB."""

    id: str
    username: str
    password: str
    email: str
    phone: str
    uuid: str
    link_token: str
    quota: int
    regtime: int
    csrf: str | None = None
    csrf_since: float = 0.0
    banned: bool = False
    realname: bool = True
    sprovider: bool = False
    traffic: float = 51200.0
    today_bytes: float = 0.0
    signdate: int | None = None
    totalsign: int | None = None
    totaltraffic: float | None = None
    qid: str | None = None


@dataclass(slots=True)
class Node:
    """A server. Today's traffic is in bytes and grows by the rates in bytes per second.

    `clients` are those of other accounts. An online node that is not `probed` is only in `/nodes`,
    not in `/node`.
    """

    id: str
    name: str
    description: str
    domain: str
    online: bool = True
    probed: bool = True
    version: str = "0.59.0"
    bind_port: int = 7000
    traffic_in: float = 0.0
    traffic_out: float = 0.0
    rate_in: float = 0.0
    rate_out: float = 0.0
    connections: int = 0
    clients: int = 0
    cpu: float | None = 0.0
    ram: float | None = 0.0
    disk: float | None = 0.0
    load: str = LOADS[0]


@dataclass(slots=True)
class Tunnel:
    """A tunnel of `username` at the node with the id `node`.

    client_running: whether its frp client runs. kicked_at: when it was forced offline or enabled
    again; None if it has reconnected since. rate: its traffic in bytes per second while online.
    """

    id: str
    username: str
    proxy_name: str
    proxy_type: str
    node: str
    local_ip: str = "127.0.0.1"
    local_port: int = 80
    remote_port: int | None = None
    use_encryption: bool = False
    use_compression: bool = False
    sk: str = ""
    domain: str = ""
    locations: str = ""
    header_x_from_where: str = ""
    host_header_rewrite: str = ""
    enabled: bool = True
    lastupdate: int = 0
    client_running: bool = True
    kicked_at: float | None = None
    rate: float = 4096.0


@dataclass(slots=True)
class Mail:
    """An email from the service, with its code or token."""

    to: str
    kind: str
    code: str
    user: str
    at: float


@dataclass(slots=True)
class HayFrpState:
    """The whole state: accounts by username, nodes and tunnels by id, all traffic in MB."""

    settings: Settings = field(default_factory=Settings)
    accounts: dict[str, Account] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    tunnels: dict[str, Tunnel] = field(default_factory=dict)
    mailbox: list[Mail] = field(default_factory=list)
    notice: str = NOTICE
    frpc_version: str = "0.59.0"
    total_in: float = 1_208_662.0
    total_out: float = 5_352_284.0
    total_runs: int = 114_842_262
    today_runs: int = 34_580


def first_state(random: Random, now: float, tunnels: int, nodes: int) -> HayFrpState:
    """Return a demo account, an account without tunnels, nodes and tunnels.

    Of eight nodes, the sixth has no probe data and the eighth is offline. Of five tunnels, the
    fourth has no running client and the fifth is disabled.
    """
    state = HayFrpState()
    state.accounts = {
        "demo": new_account(
            random,
            now,
            "114514",
            username="demo",
            password="demo-password",
            email="demo@example.com",
        ),
        "other": new_account(
            random,
            now,
            "114515",
            username="other",
            password="other-password",
            email="other@example.com",
        ),
    }
    demo = state.accounts["demo"]
    demo.phone = "13800000000"
    demo.quota = tunnels + 10
    state.nodes = {str(number): _node(random, number, now) for number in range(1, nodes + 1)}
    state.tunnels = {
        tunnel.id: tunnel
        for tunnel in (_tunnel(random, number, nodes, now) for number in range(1, tunnels + 1))
    }
    demo.today_bytes = sum(
        tunnel.rate * (now - midnight(now)) for tunnel in state.tunnels.values() if tunnel.enabled
    )
    return state


def new_account(
    random: Random, now: float, number: str, *, username: str, password: str, email: str
) -> Account:
    """Return an account as it is after registration."""
    return Account(
        id=number,
        username=username,
        password=password,
        email=email,
        phone="",
        uuid=str(UUID(int=random.getrandbits(128), version=4)).upper(),
        link_token=token(random),
        quota=10,
        regtime=int(now - 400 * DAY),
    )


def token(random: Random) -> str:
    """Return a token in HayFrp's format."""
    return f"{random.getrandbits(128):032x}"


def _node(random: Random, number: int, now: float) -> Node:
    name, description, city = PLACES[(number - 1) % len(PLACES)]
    lap = (number - 1) // len(PLACES)
    rate_in, rate_out = random.randrange(1000, 50_000), random.randrange(5000, 500_000)
    today = now - midnight(now)
    cpu = random.randrange(10_000) / 100
    return Node(
        id=str(number),
        name=f"{name}{lap + 1}" if lap else name,
        description=description,
        domain=f"{city}{lap or ''}.frp.example.com",
        online=number % 8 != 0,
        probed=number % 8 != 6,
        traffic_in=rate_in * today,
        traffic_out=rate_out * today,
        rate_in=rate_in,
        rate_out=rate_out,
        connections=random.randrange(200),
        clients=random.randrange(80),
        cpu=cpu,
        ram=random.randrange(10_000) / 100,
        disk=None if number % 8 == 7 else random.randrange(10_000) / 100,
        load=LOADS[int(cpu // 25)],
    )


def _tunnel(random: Random, number: int, nodes: int, now: float) -> Tunnel:
    name, protocol, port = APPLICATIONS[(number - 1) % len(APPLICATIONS)]
    lap = (number - 1) // len(APPLICATIONS)
    web = protocol in {"http", "https"}
    secret = protocol in {"stcp", "xtcp"}
    return Tunnel(
        id=str(number),
        username="demo",
        proxy_name=f"{name[:11]}{lap}" if lap else name,
        proxy_type=protocol,
        node=str((number - 1) % max(nodes, 1) + 1),
        local_ip="127.0.0.1" if number % 2 else "192.168.1.20",
        local_port=port,
        remote_port=None if web or secret else 10_000 + number,
        use_encryption=number % 2 == 1,
        use_compression=number % 3 == 0,
        sk=token(random)[:12] if secret else "",
        domain=f"{name}{lap or ''}.example.com" if web else "",
        enabled=number % 5 != 0,
        lastupdate=int(now) - number * 3600,
        client_running=number % 5 != 4,
        rate=random.randrange(256, 16_384),
    )
