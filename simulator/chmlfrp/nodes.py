"""ChmlFrp's endpoints for nodes."""

from typing import TYPE_CHECKING
from zlib import crc32

from simulator.service import Answer, Call, RouteTable
from simulator.shanghai import DAY

from .fields import day, instant, text, word, yes
from .state import FREE_GROUP, Node

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()

SAMPLE_SECONDS = 20


@ROUTES.on("GET", "/node")
def node(service: ChmlFrpService, call: Call) -> Answer:
    """List the nodes."""
    rows = [{**_kind(row), "ipv6": row.ipv6 is not None} for row in service.state.nodes.values()]
    return service.succeed(call, "获取成功", data=rows)


@ROUTES.on("GET", "/nodeinfo")
def nodeinfo(service: ChmlFrpService, call: Call) -> Answer:
    """Return a node, including its secrets."""
    account = service.signed_in(call)
    row = _named(service, call, "node")
    if row.nodegroup == "vip" and account.usergroup == FREE_GROUP:
        raise service.refusal(403, "您没有权限查看此节点")
    return service.succeed(
        call,
        "获取成功",
        data={
            **_kind(row),
            **_details(service, row),
            "state": row.state,
            "rport": row.ports,
            "apitoken": row.api_token,
            "nodetoken": row.node_token,
            "realIp": row.real_ip,
            "ip": row.ip,
            "ipv6": row.ipv6,
            "port": row.port,
            "adminPort": row.admin_port,
            "toowhite": False,
            "bandwidth_usage_percent": row.bandwidth_usage_percent,
        },
    )


@ROUTES.on("GET", "/node_stats")
def node_stats(service: ChmlFrpService, call: Call) -> Answer:
    """Return the load of each node."""
    return service.succeed(
        call,
        "节点统计数据获取成功",
        data=[
            {
                "total_traffic_in": round(row.traffic_in),
                "total_traffic_out": round(row.traffic_out),
                "cur_counts": row.connections,
                "node_name": row.name,
                "id": row.id,
                "state": row.state,
                "bandwidth_usage_percent": row.bandwidth_usage_percent,
                "cpu_usage": row.cpu_usage,
                "nodegroup": row.nodegroup,
                "client_counts": row.clients,
                "tunnel_counts": row.tunnels,
            }
            for row in service.state.nodes.values()
        ],
    )


@ROUTES.on("GET", "/node_uptime")
def node_uptime(service: ChmlFrpService, call: Call) -> Answer:
    """Return the daily uptimes in percent of one node or of all nodes, the oldest day first."""
    (time,) = service.need(call, "time")
    if not time.isdecimal() or int(time) not in range(1, 91):
        raise service.refusal(400, "time 应在 1-90 之间")
    rows = service.state.nodes.values()
    chosen = [_named(service, call, "node")] if text(call, "node") else rows
    return service.succeed(
        call,
        "获取节点uptime信息成功",
        data=[
            {
                "node_name": row.name,
                "state": row.state,
                "id": row.id,
                "history_uptime": _history(service.now(), row, int(time)),
                "group": row.nodegroup,
            }
            for row in chosen
        ],
    )


@ROUTES.on("GET", "/node_status_info")
def node_status_info(service: ChmlFrpService, call: Call) -> Answer:
    """Return all measurements of a node on a day, the newest first. Sizes are in megabytes."""
    row = _named(service, call, "nodename")
    newest = int(service.now() // SAMPLE_SECONDS)
    count = service.state.settings.history_samples
    return service.succeed(
        call,
        "节点状态信息获取成功",
        data={
            "node_name": row.name,
            "node_details": _details(service, row),
            "status_list": [_sample(row, tick) for tick in range(newest, newest - count, -1)],
        },
    )


def _named(service: ChmlFrpService, call: Call, field: str) -> Node:
    (name,) = service.need(call, field)
    row = service.node(name)
    if row is None:
        raise service.refusal(400, "节点不存在")
    return row


def _kind(row: Node) -> dict[str, object]:
    """Return the properties of a node."""
    return {
        "id": row.id,
        "name": row.name,
        "area": row.area,
        "nodegroup": row.nodegroup,
        "china": yes(row.china),
        "web": yes(row.web),
        "udp": word(row.udp),
        "fangyu": word(row.fangyu),
        "notes": row.notes,
    }


def _details(service: ChmlFrpService, row: Node) -> dict[str, object]:
    """Return the properties of a node's machine."""
    return {
        "total_traffic_in": round(row.traffic_in),
        "total_traffic_out": round(row.traffic_out),
        "cpu_info": row.cpu_info,
        "num_cores": row.num_cores,
        "coordinates": row.coordinates,
        "storage_total": row.storage_total,
        "storage_used": row.storage_used,
        "memory_total": row.memory_total,
        "load1": row.load1,
        "load5": row.load5,
        "load15": row.load15,
        "version": row.version,
        "uptime_seconds": int(service.now() - row.booted_at),
    }


def _history(now: float, row: Node, days: int) -> list[dict[str, object]]:
    """Return the uptimes of the last days; days without a record are left out."""
    past = row.uptimes[-days:]
    return [
        {"recorded_at": day(now - ago * DAY), "uptime": percent}
        for ago, percent in zip(range(len(past) - 1, -1, -1), past, strict=True)
        if percent is not None
    ]


def _sample(row: Node, tick: int) -> dict[str, object]:
    """Return the measurements at a time. The same time always gives the same values."""
    busy = crc32(f"{row.id}/{tick}".encode()) / 2**32
    return {
        "proxy_https": 13,
        "download_bandwidth_usage_percent": round(busy * 30),
        "cur_conns": round(busy * 120),
        "sent_packets": 700_000_000 + tick % 10**7 * 1600,
        "memory_used": row.memory_used + round(busy * 10**7),
        "active_conn": round(busy * 200),
        "recv_packets": 1_300_000_000 + tick % 10**7 * 2900,
        "proxy_tcp": 151,
        "proxy_udp": 12,
        "proxy_http": 30,
        "upload_bandwidth_usage_percent": round(busy * 20),
        "cpu_usage": round(busy * 100, 6),
        "page_tables": 4_030_464,
        "passive_conn": round(busy),
        "timestamp": instant(tick * SAMPLE_SECONDS),
        "client_counts": row.clients,
    }
