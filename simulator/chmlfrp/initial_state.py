"""The initial state of the simulated ChmlFrp."""

from random import Random
import string

from simulator.shanghai import DAY, local, midnight

from .state import (
    FREE_GROUP,
    Account,
    Certificate,
    ChmlFrpState,
    Day,
    Domain,
    Message,
    Node,
    Notice,
    OAuthClient,
    Subdomain,
    Tunnel,
)

CLIENT_ID = "demo-client"
CLIENT_WITHOUT_DEVICE_GRANT = "browser-client"
FREE_QUOTA = 4
UPTIME_DAYS = 90

PLACES = (
    ("成都电信", "中国四川成都", "user", "yes", "yes", "104.066301,30.572961", "cd"),
    ("武汉联通", "中国湖北武汉", "user", "yes", "no", "114.305392,30.593099", "wh"),
    ("香港CN2", "中国香港", "vip", "no", "yes", "114.169361,22.319304", "hk"),
    ("东京直连", "日本东京", "user", "no", "yes", "139.691706,35.689487", "tyo"),
    ("宁波移动", "中国浙江宁波", "user", "yes", "no", "121.550357,29.874556", "nb"),
    ("洛杉矶9929", "美国洛杉矶", "vip", "no", "yes", "-118.243683,34.052235", "lax"),
    ("新加坡", "新加坡", "user", "no", "yes", "103.819836,1.352083", "sg"),
    ("法兰克福", "德国法兰克福", "user", "no", "yes", "8.682127,50.110924", "fra"),
)
APPLICATIONS = (
    ("homeassistant", "tcp", 8123),
    ("ssh", "tcp", 22),
    ("minecraft", "udp", 19132),
    ("nas", "https", 5001),
    ("desktop", "tcp", 3389),
    ("blog", "http", 8080),
    ("camera", "tcp", 554),
)
REMOVED_NODE = "郑州多线"


def first_state(random: Random, now: float, tunnels: int, nodes: int) -> ChmlFrpState:
    """Return a demo account, a free account without tunnels, nodes and tunnels.

    With three nodes or more, the last is offline and the one before is in maintenance. Of five
    tunnels, the second has no running client, the third's node is offline, the fourth's is in
    maintenance, and the fifth's was removed before its client ever ran.
    """
    demo = new_account(
        random,
        now - 450 * DAY,
        227,
        username="demo",
        password="demo-password",
        email="demo@example.com",
        qq="10001",
    )
    demo.usergroup, demo.term, demo.realname = "超级会员", "9999-09-09", True
    demo.bandwidth, demo.quota, demo.integral = 50, tunnels + 10, 15_168
    demo.last_sign_in, demo.total_sign_ins, demo.total_points = now - 1.5 * DAY, 112, 1_204
    other = new_account(
        random,
        now - 30 * DAY,
        228,
        username="other",
        password="other-password",
        email="other@example.com",
        qq="10002",
    )
    state = ChmlFrpState()
    state.accounts = {str(account.id): account for account in (demo, other)}
    rows = [_node(random, number, nodes, now) for number in range(1, nodes + 1)]
    state.nodes = {str(node.id): node for node in rows}
    state.tunnels = {
        str(number): _tunnel(random, number, demo.id, rows, now) for number in range(1, tunnels + 1)
    }
    for index in range(7):
        days = [tunnel.days[index] for tunnel in state.tunnels.values()]
        demo.days[index] = Day(sum(d.traffic_in for d in days), sum(d.traffic_out for d in days))
    demo.total_in = 40 * sum(day.traffic_in for day in demo.days)
    demo.total_out = 40 * sum(day.traffic_out for day in demo.days)
    state.last_id = max(tunnels, 100)
    _fill_panel(state, demo, now)
    return state


def new_account(
    random: Random,
    at: float,
    number: int,
    *,
    username: str,
    password: str,
    email: str,
    qq: str,
) -> Account:
    """Return an account as it is after registration."""
    return Account(
        id=number,
        username=username,
        password=password,
        email=email,
        qq=qq,
        userimg=f"https://q.qlogo.cn/g?b=qq&nk={qq}&s=100",
        usertoken=token(random),
        usergroup=FREE_GROUP,
        bandwidth=8,
        quota=FREE_QUOTA,
        term="9999-09-09",
        regtime=f"{local(at):%Y-%m-%d}",
    )


def token(random: Random, length: int = 24) -> str:
    """Return letters and digits."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def _node(random: Random, number: int, nodes: int, now: float) -> Node:
    name, area, group, china, web, coordinates, city = PLACES[(number - 1) % len(PLACES)]
    lap = (number - 1) // len(PLACES)
    words = {nodes: "offline", nodes - 1: "maintenance"} if nodes >= 3 else {}
    state = words.get(number, "online")
    up = state == "online"
    rate_in, rate_out = random.randrange(1000, 50_000), random.randrange(5000, 500_000)
    today = now - midnight(now)
    load = random.randrange(400) / 100
    return Node(
        id=number,
        name=f"{name}-{lap + 1}" if lap else name,
        area=area,
        nodegroup=group,
        china=china == "yes",
        web=web == "yes",
        coordinates=coordinates,
        ip=f"{city}{lap or ''}.frp.example.com",
        real_ip=f"192.0.2.{number % 250 + 1}",
        api_token=f"{token(random)}|{number}",
        node_token=token(random),
        booted_at=now - random.randrange(3600, 100 * DAY),
        ipv6=f"2001:db8::{number:x}" if number % 4 == 0 else None,
        notes="大带宽,适合建站" if web == "yes" else "推荐游戏,ssh等服务",
        state=state,
        ports="20000-30000" if number % 5 == 0 else "10000-65535",
        load1=load,
        load5=load / 2,
        load15=load / 4,
        cpu_usage=random.randrange(60_000_000) / 1_000_000 if up else 0.0,
        bandwidth_usage_percent=random.randrange(60) if up else 0,
        connections=random.randrange(200) if up else 0,
        clients=random.randrange(1, 80) if up else 0,
        tunnels=random.randrange(80, 300) if up else 0,
        traffic_in=rate_in * today,
        traffic_out=rate_out * today,
        rate_in=rate_in,
        rate_out=rate_out,
        uptimes=_uptimes(random, up),
    )


def _uptimes(random: Random, up: bool) -> list[float | None]:
    """Return daily percentages; the day 40 days ago was not recorded."""
    days: list[float | None] = [
        round(100 - random.random() * (2 if up else 80), 4) for _ in range(UPTIME_DAYS)
    ]
    days[-41] = None
    if not up:
        days[-10:] = [0.0] * 10
    return days


def _tunnel(random: Random, number: int, userid: int, nodes: list[Node], now: float) -> Tunnel:
    name, kind, port = APPLICATIONS[(number - 1) % len(APPLICATIONS)]
    lap = (number - 1) // len(APPLICATIONS)
    web = kind in {"http", "https"}
    node = _place(number, web, nodes)
    started = number % 5 != 0
    runs = number % 5 != 2
    tunnel = Tunnel(
        id=number,
        userid=userid,
        name=f"{name}{lap}" if lap else name,
        kind=kind,
        node=node.name if node else REMOVED_NODE,
        local_ip="127.0.0.1" if number % 2 else "192.168.1.20",
        local_port=port,
        public=f"{name}{lap or ''}.example.com" if web else str(20_000 + number),
        encryption=number % 2 == 1,
        compression=number % 3 == 0,
        client_running=started and runs,
        started_at=now - number * 3600 if started else None,
        closed_at=None if runs or not started else now - 600,
        connections=random.randrange(1, 20),
        rate_in=random.randrange(128, 4096),
        rate_out=random.randrange(256, 16_384),
    )
    if started:
        tunnel.client_version = "ChmlFrp-0.51.2_251023"
        busy = now - midnight(now) if node and node.state == "online" and runs else 0.0
        tunnel.days = [
            *(Day(random.randrange(10**8), random.randrange(10**9)) for _ in range(6)),
            Day(tunnel.rate_in * busy, tunnel.rate_out * busy),
        ]
    return tunnel


def _place(number: int, web: bool, nodes: list[Node]) -> Node | None:
    """Return the node of a tunnel, or None if it was removed."""
    state = {3: "offline", 4: "maintenance"}.get(number % 5, "online")
    fit = [node for node in nodes if node.state == state and (node.web or not web)]
    fit = fit or [node for node in nodes if node.state == "online"]
    return fit[(number - 1) % len(fit)] if fit and number % 5 else None


def _fill_panel(state: ChmlFrpState, demo: Account, now: float) -> None:
    """Add the data of the panel."""
    state.domains = [
        Domain(1, "映射.example"),
        Domain(2, "frp.example"),
        Domain(3, "owo.example", "支持CNAME"),
        Domain(4, "baozi.example", icp_filing=True),
    ]
    state.subdomains = {
        "6": Subdomain(6, demo.id, "frp.example", "home", "A", "192.0.2.10", "1分钟"),
        "7": Subdomain(
            7, demo.id, "owo.example", "mc", "CNAME", "cd.frp.example.com", "10分钟", ""
        ),
    }
    state.messages = [
        Message(1, None, "<p>新节点已上线,欢迎使用!</p>", now - 3 * DAY),
        Message(2, demo.id, "您的实名认证已通过。", now - 2 * DAY),
    ]
    state.notices = [
        Notice(1, "节点维护公告", "**新加坡** 节点将于今晚 02:00 维护。", now - DAY, priority=2),
        Notice(2, "API 更新", "旧的登录方式已停用,请使用 *设备码* 登录。", now - 40 * DAY),
    ]
    state.certificates = [
        Certificate(
            *(1, demo.id, "home.example.com,*.home.example.com", "issued", now - 30 * DAY),
            issued_at=now - 30 * DAY,
            expires_at=now + 60 * DAY,
        ),
        Certificate(2, demo.id, "blog.example.com", "pending", now - DAY, "zerossl"),
    ]
    state.oauth_clients = {
        CLIENT_ID: OAuthClient(device_grant=True),
        CLIENT_WITHOUT_DEVICE_GRANT: OAuthClient(device_grant=False),
    }
