"""ChmlFrp's endpoints for the panel: totals, versions, messages, certificates."""

from typing import TYPE_CHECKING

from simulator.service import Answer, Call, RouteTable

from .fields import instant, text, yes
from .state import Certificate, Notice

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()


@ROUTES.on("GET", "/panelinfo")
def panelinfo(service: ChmlFrpService, call: Call) -> Answer:
    """Return the numbers of users, tunnels and nodes, and links to friends' pages."""
    state = service.state
    return service.succeed(
        call,
        "获取成功",
        data={
            "tunnel_amount": state.tunnels_elsewhere + len(state.tunnels),
            "friend_links": [
                {"name": "示例社区", "description": "技术分享", "url": "https://club.example.com"},
                {"name": "云上小站", "description": None, "url": "https://cloud.example.com/"},
            ],
            "node_amount": len(state.nodes),
            "user_amount": state.users_elsewhere + len(state.accounts),
        },
    )


@ROUTES.on("GET", "/app_version")
def app_version(service: ChmlFrpService, call: Call) -> Answer:
    """Documented, but missing on the real service."""
    return service.fallback(call)


@ROUTES.on("GET", "/messages")
def messages(service: ChmlFrpService, call: Call) -> Answer:
    """List the messages to the account and to all. Undocumented."""
    account = service.signed_in(call)
    return service.succeed(
        call,
        "获取消息成功",
        data=[
            {
                "id": message.id,
                "userid": message.userid or 0,
                "content": message.content,
                "quanti": yes(message.userid is None),
                "time": instant(message.at),
            }
            for message in service.state.messages
            if message.userid in {None, account.id}
        ],
    )


@ROUTES.on("GET", "/message/list")
def message_list(service: ChmlFrpService, call: Call) -> Answer:
    """Return the notices in pages, the newest first. Undocumented."""
    priority, page, size = text(call, "priority"), text(call, "page"), text(call, "size")
    rows = sorted(
        (row for row in service.state.notices if priority in {"", str(row.priority)}),
        key=lambda row: row.at,
        reverse=True,
    )
    number, length = int(page or 1), int(size or 20)
    whole = service.state.settings.notices_listed_whole
    return service.succeed(
        call,
        "获取消息列表成功",
        data={
            "messages": [
                {**_notice(row), **({"contentMd": row.content} if whole else {})}
                for row in rows[(number - 1) * length : number * length]
            ],
            "total": len(rows),
            "page": number,
            "size": length,
            "totalPages": -(-len(rows) // length),
        },
    )


@ROUTES.on("GET", "/message/detail")
def message_detail(service: ChmlFrpService, call: Call) -> Answer:
    """Return one notice with its text. Undocumented."""
    (number,) = service.need(call, "id")
    for row in service.state.notices:
        if str(row.id) == number:
            data = {**_notice(row), "contentMd": row.content, "targetUsers": None}
            return service.succeed(call, "获取消息详情成功", data=data)
    raise service.refusal(400, "消息不存在")


@ROUTES.on("GET", "/download_info")
def download_info(service: ChmlFrpService, call: Call) -> Answer:
    """Return the newest client program and its files. Undocumented."""
    version = service.state.settings.frpc_version
    return service.succeed(
        call,
        "获取成功",
        data={
            "system": {
                "windows": [{"route": "frpc_windows_amd64.zip", "architecture": "amd64"}],
                "linux": [
                    {"route": "frpc_linux_amd64.tar.gz", "architecture": "amd64"},
                    {"route": "frpc_linux_arm64.tar.gz", "architecture": "arm64"},
                ],
                "freebsd": [],
                "darwin": [],
            },
            "update_time": "2025-10-23",
            "link": "https://download.example.com/frpc/",
            "version": version,
        },
    )


@ROUTES.on("GET", "/ssl/list")
def ssl_list(service: ChmlFrpService, call: Call) -> Answer:
    """List the account's certificates. Undocumented."""
    account = service.signed_in(call)
    wanted = text(call, "status")
    rows = [
        _certificate(row)
        for row in service.state.certificates
        if row.userid == account.id and wanted in {"", row.status}
    ]
    return service.succeed(
        call, "获取证书列表成功", data={"certificates": rows, "total": len(rows)}
    )


def _notice(row: Notice) -> dict[str, object]:
    return {
        "id": row.id,
        "title": row.title,
        "priority": row.priority,
        "publishTime": instant(row.at),
        "createdAt": instant(row.at),
    }


def _certificate(row: Certificate) -> dict[str, object]:
    issued = {"issuedAt": instant(row.issued_at), "expiresAt": instant(row.expires_at)}
    return {
        "id": row.id,
        "provider": row.provider,
        "domains": row.domains,
        "status": row.status,
        "createdAt": instant(row.created_at),
        **(issued if row.issued_at else {}),
    }
