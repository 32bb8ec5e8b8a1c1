"""ChmlFrp's endpoints for tunnels."""

from collections.abc import Iterable, Mapping
import re
from typing import TYPE_CHECKING

from simulator.service import Answer, Call, RouteTable
from simulator.shanghai import DAY

from .fields import day, form, frp_time, instant, text, word
from .state import FREE_GROUP, NEVER_STARTED, Account, Node, Tunnel

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()

NAME = re.compile(r"[A-Za-z0-9_]+")
LOCAL_PORTS = range(1, 65536)
ANY_PORT = "0"
PORT_KINDS = ("tcp", "udp")
WEB_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
WEB_KINDS = tuple(WEB_PORTS)
FLAGS = {"": False, "false": False, "true": True}


@ROUTES.on("GET", "/tunnel")
def tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """List the account's tunnels."""
    rows = [_row(service, row) for row in service.tunnels_of(service.signed_in(call))]
    return service.succeed(call, "获取隧道数据成功", data=rows or service.unknown(rows))


@ROUTES.on("POST", "/create_tunnel")
def create_tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Create a tunnel."""
    account = service.signed_in(call)
    service.need(call, "encryption", "compression")
    new = Tunnel(0, account.id)
    _describe(service, call, account, new)
    if len(service.tunnels_of(account)) >= account.quota:
        raise service.refusal(400, "隧道数量已达上限")
    new.id = service.new_id()
    service.state.tunnels[str(new.id)] = new
    id_ = new.id if service.state.settings.create_tells_id else None
    return service.succeed(call, "隧道创建成功", data={**_bare_row(new), "id": id_})


@ROUTES.on("POST", "/update_tunnel")
def update_tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Replace a tunnel: missing fields get their defaults."""
    account = service.signed_in(call)
    old = _own(service, call, account)
    _describe(service, call, account, old)
    return service.succeed(call, "隧道更新成功", data=_bare_row(old))


@ROUTES.on("GET", "/delete_tunnel")
def delete_tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Delete a tunnel, as current servers do."""
    return _delete(service, call, "get")


@ROUTES.on("POST", "/deletetunnel")
def deletetunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Delete a tunnel, as documented."""
    return _delete(service, call, "post")


@ROUTES.on("GET", "/tunnel_config")
def tunnel_config(service: ChmlFrpService, call: Call) -> Answer:
    """Return frpc's file for some tunnels of a node, or for all of them."""
    account = service.signed_in(call)
    node = _node(service, call)
    wanted = text(call, "tunnel_names")
    names = set(filter(None, wanted.split(",")))
    rows = [
        row
        for row in service.tunnels_of(account)
        if row.node == node.name and (not names or row.name in names)
    ]
    if not rows or len(rows) < len(names):
        raise service.refusal(400, "隧道不存在")
    return service.succeed(call, "配置文件获取成功", data=_ini(account, node, rows))


@ROUTES.on("POST", "/offline_tunnel")
def offline_tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Disconnect the client of a tunnel. Undocumented."""
    row = _named(service, call)
    node = service.node(row.node)
    if node is None or node.state != "online":
        raise service.refusal(400, "节点不在线，无法下线隧道")
    service.kick(row)
    return service.succeed(call, "隧道下线成功")


@ROUTES.on("POST", "/refresh_tunnel")
def refresh_tunnel(service: ChmlFrpService, call: Call) -> Answer:
    """Make the node update a tunnel. Undocumented."""
    row = _named(service, call)
    node = service.node(row.node)
    if node is None or node.state != "online":
        raise service.refusal(400, "节点不在线，无法刷新隧道")
    online = service.online(row)
    return service.succeed(
        call,
        "隧道数据刷新成功",
        data={
            "today_traffic_in": round(row.days[-1].traffic_in),
            "today_traffic_out": round(row.days[-1].traffic_out),
            "cur_conns": row.connections * online,
            "last_start_time": frp_time(service.started_at(row)),
            "last_close_time": frp_time(row.closed_at),
            "status": "online" if online else "offline",
        },
    )


@ROUTES.on("GET", "/tunnel/last7days")
def last7days(service: ChmlFrpService, call: Call) -> Answer:
    """Return a tunnel's bytes of each of seven days, the oldest first. Undocumented."""
    row = _own(service, call, service.signed_in(call), "tunnel_id")
    return service.succeed(
        call,
        "获取成功",
        data={
            "traffic_in": [round(day.traffic_in) for day in row.days],
            "traffic_out": [round(day.traffic_out) for day in row.days],
        },
    )


def _delete(service: ChmlFrpService, call: Call, style: str) -> Answer:
    if service.state.settings.delete_style != style:
        return service.fallback(call)
    row = _own(service, call, service.signed_in(call))
    del service.state.tunnels[str(row.id)]
    return service.succeed(call, "隧道删除成功")


def _own(service: ChmlFrpService, call: Call, account: Account, name: str = "tunnelid") -> Tunnel:
    (number,) = service.need(call, name)
    row = service.state.tunnels.get(number)
    if row is None:
        raise service.refusal(400, "隧道不存在")
    if row.userid != account.id:
        raise service.refusal(400, "隧道不属于你")
    return row


def _named(service: ChmlFrpService, call: Call) -> Tunnel:
    """Return the account's tunnel in a form."""
    account = service.signed_in(call)
    name = form(call, "tunnel_name")
    if not name:
        raise service.refusal(400, "缺少 tunnel_name 参数")
    for row in service.tunnels_of(account):
        if row.name == name:
            return row
    raise service.refusal(400, "隧道不存在")


def _node(service: ChmlFrpService, call: Call) -> Node:
    (name,) = service.need(call, "node")
    node = service.node(name)
    if node is None:
        raise service.refusal(400, "节点不存在")
    return node


def _describe(service: ChmlFrpService, call: Call, account: Account, row: Tunnel) -> None:
    """Apply the call to the tunnel, after the server's checks."""
    (name,) = service.need(call, "tunnelname")
    others = [other for other in service.state.tunnels.values() if other is not row]
    own_names = {other.name for other in others if other.userid == account.id}
    service.refuse_first(
        {
            "隧道名称只能包含字母、数字和下划线": not NAME.fullmatch(name),
            "隧道名称已存在": name in own_names,
        }
    )
    kind = text(call, "porttype").lower()
    node = _node(service, call)
    _check_node(service, account, node, kind)
    public = _public(service, call, node, kind)
    taken = (node.name, kind, public) in {
        (other.node, other.kind, other.public) for other in others
    }
    service.refuse_first({"外网端口或域名已被占用": taken})
    local_port = _port(service, call, "localport", LOCAL_PORTS)
    encryption, compression = (_flag(service, call, n) for n in ("encryption", "compression"))
    row.name, row.kind, row.node, row.public = name, kind, node.name, public
    row.local_ip, row.local_port = text(call, "localip") or "127.0.0.1", local_port
    row.encryption, row.compression = encryption, compression
    row.extra = text(call, "extraparams")


def _check_node(service: ChmlFrpService, account: Account, node: Node, kind: str) -> None:
    """Refuse a type or account that the node does not support."""
    service.refuse_first(
        {
            "端口类型缺失": not kind,
            "端口类型错误": kind not in PORT_KINDS + WEB_KINDS,
            "您没有权限使用VIP节点": node.nodegroup == "vip" and account.usergroup == FREE_GROUP,
            "此节点不支持UDP": kind == "udp" and not node.udp,
            "此节点不允许建站": kind in WEB_KINDS and not node.web,
        }
    )


def _public(service: ChmlFrpService, call: Call, node: Node, kind: str) -> str:
    """Return the port or domain at the node; the call must contain exactly one."""
    wanted, forbidden = "remoteport", "banddomain"
    if kind in WEB_KINDS:
        wanted, forbidden = forbidden, wanted
    if text(call, forbidden):
        raise service.refusal(400, f"{kind} 类型禁止传递 {forbidden} 参数")
    if kind in WEB_KINDS:
        (domain,) = service.need(call, wanted)
        return domain
    low, high = map(int, node.ports.split("-"))
    if text(call, wanted) == ANY_PORT:
        taken = {other.public for other in service.state.tunnels.values()}
        return next(str(port) for port in range(low, high + 1) if str(port) not in taken)
    return str(_port(service, call, wanted, range(low, high + 1)))


def _port(service: ChmlFrpService, call: Call, name: str, ports: range) -> int:
    (written,) = service.need(call, name)
    if not written.isdecimal() or int(written) not in ports:
        raise service.refusal(400, f"{name} 应在 {ports[0]}-{ports[-1]} 之间")
    return int(written)


def _flag(service: ChmlFrpService, call: Call, name: str) -> bool:
    """Read true or false, as text or as a JSON bool."""
    flag = FLAGS.get(text(call, name).lower())
    if flag is None:
        raise service.refusal(400, f"{name} 参数错误")
    return flag


def _row(service: ChmlFrpService, row: Tunnel) -> dict[str, object]:
    """Return a tunnel as the list contains it."""
    node = service.node(row.node)
    online = service.online(row)
    never, gone = service.unknown(0), service.unknown("")
    ran = row.started_at is not None
    newer = {
        "server_port": node.port if node else never,
        "node_ip": node.real_ip if node else gone,
        "node_ipv6": node.ipv6 if node else gone,
        "node_token": node.node_token if node else gone,
        "traffic_date": day(service.now() - _days_ago(service, row) * DAY),
    }
    counted = row.days[-1 - _days_ago(service, row)]
    return {
        **_bare_row(row),
        "state": word(online),
        "uptime": instant(service.started_at(row)),
        "client_version": row.client_version,
        "today_traffic_in": round(counted.traffic_in) if ran else never,
        "today_traffic_out": round(counted.traffic_out) if ran else never,
        "cur_conns": row.connections * online if ran else never,
        "nodestate": _node_state(service, node),
        "ip": node.ip if node else gone,
        **(newer if service.state.settings.newer_rows else {}),
    }


def _days_ago(service: ChmlFrpService, row: Tunnel) -> int:
    """Return the days since the counters were updated: more than 0 without traffic today."""
    today = row.days[-1]
    still = today.traffic_in + today.traffic_out == 0
    return int(service.state.settings.newer_rows and still)


def _node_state(service: ChmlFrpService, node: Node | None) -> str | None:
    """Return the state of a tunnel's node in the words of this version."""
    settings = service.state.settings
    if node is None:
        return "offline" if settings.removed_style == "offline" else service.unknown("")
    in_maintenance = node.state not in ("online", "offline")
    return None if in_maintenance and settings.maintenance_style == "null" else node.state


def _bare_row(row: Tunnel) -> dict[str, object]:
    """Return a tunnel as it was sent, without its state."""
    return {
        "id": row.id,
        "name": row.name,
        "localip": row.local_ip,
        "type": row.kind,
        "nport": row.local_port,
        "dorp": row.public,
        "node": row.node,
        "state": "false",
        "userid": row.userid,
        "encryption": word(row.encryption),
        "compression": word(row.compression),
        "ap": row.extra,
        "uptime": None,
        "client_version": NEVER_STARTED,
        "today_traffic_in": 0,
        "today_traffic_out": 0,
        "cur_conns": 0,
        "nodestate": None,
        "ip": None,
    }


def _ini(account: Account, node: Node, rows: Iterable[Tunnel]) -> str:
    """Return frpc's file."""
    common = (
        f"[common]\nserver_addr = {node.ip}\nserver_port = {node.port}\ntls_enable = false\n"
        f"user = {account.usertoken}\ntoken = ChmlFrpToken\n\n"
    )
    return common + "".join(_section(row) for row in rows)


def _section(row: Tunnel) -> str:
    lines = [
        f"[{row.name}]",
        f"type = {row.kind}",
        f"local_ip = {row.local_ip}",
        f"local_port = {row.local_port}",
        f"{'custom_domains' if row.kind in WEB_KINDS else 'remote_port'} = {row.public}",
        *(["use_encryption = true"] if row.encryption else []),
        *(["use_compression = true"] if row.compression else []),
        *([row.extra] if row.extra else []),
    ]
    return "\n".join(lines) + "\n\n"
