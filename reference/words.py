"""The words of the tables: those of the translations, and a few of their own."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
import json
from pathlib import Path
from typing import Any

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "tunnel_hub"


class Language(StrEnum):
    """What the pages are written in."""

    ENGLISH = "en"
    CHINESE = "zh-Hans"


@cache
def _translations(language: Language) -> Mapping[str, Any]:
    path = INTEGRATION / "translations" / f"{language}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def said(language: Language, *path: str) -> Any:
    """Return a sentence of the translations, or a part of their tree; raises KeyError."""
    tree: Any = _translations(language)
    for name in path:
        tree = tree[name]
    return tree


def word(language: Language, english: str) -> str:
    """Return a word of the tables' own."""
    return english if language is Language.ENGLISH else _CHINESE[english]


def enumerated(language: Language, names: list[str]) -> str:
    """Return several names as one phrase."""
    return (", " if language is Language.ENGLISH else "、").join(names)


_CHINESE = {
    # Headings
    "Action": "操作",
    "Actions": "操作",
    "Answers": "返回",
    "Condition": "条件",
    "Device": "设备",
    "Each": "间隔",
    "While nobody looks": "无人查看时",
    "Entity": "实体",
    "Field": "字段",
    "Fields of the actions": "操作的字段",
    "For": "对象",
    "Good to know": "说明",
    "In": "所属操作",
    "Kind": "类型",
    "Looks at": "检查",
    "Meaning": "含义",
    "Option": "选项",
    "Options": "选项",
    "Part": "分组",
    "Tells": "内容",
    "Trigger": "触发器",
    "Trigger or condition": "触发器或条件",
    "Values": "取值",
    "Way": "方式",
    "What is read": "读取内容",
    "What it does": "作用",
    "What to enter": "填写内容",
    "When": "触发时机",
    # Kinds of entities
    "binary sensor": "二元传感器",
    "button": "按钮",
    "event": "事件",
    "image": "图像",
    "select": "选择",
    "sensor": "传感器",
    "switch": "开关",
    "update": "更新",
    # What an entity tells
    "a date": "日期",
    "a moment": "时间",
    # Devices
    "Account": "账户",
    "Hub": "本节点",
    "Node": "节点",
    "Peer": "对等节点",
    "Proxy": "代理",
    "Public node": "公开节点",
    "Relay node": "您的节点",
    "Rule": "规则",
    "Service": "服务",
    "Tunnel": "隧道",
    "User": "用户",
    "WireGuard peer": "WireGuard 对端",
    # What is read
    "certificates": "证书",
    "checks from outside": "外部连通性检测",
    "daily sign-in": "每日签到",
    "links": "链路",
    "messages": "消息",
    "newest versions": "最新版本",
    "nodes": "节点",
    "notices": "公告",
    "peers": "对等节点",
    "proxies": "代理",
    "public nodes": "公开节点",
    "rules": "规则",
    "sessions": "会话",
    "the account": "账户",
    "the node": "本节点",
    "today's traffic": "今日流量",
    "totals": "统计数据",
    "TUN mode": "TUN 模式",
    "tunnels": "隧道",
    "updates": "程序更新",
    "uptime of nodes": "节点在线率",
    "users": "用户",
    "VPN servers": "VPN 服务器",
    "WireGuard": "WireGuard",
    "WireGuard peers": "WireGuard 对端",
    "your nodes": "您的节点",
    "{} h": "{} 小时",
    "{} min": "{} 分钟",
    "{} s": "{} 秒",
    "{fields} of each: one request each, {at_once} at a time, at most {rate} a second": (
        "每个的{fields}各需一次请求，同时 {at_once} 个，每秒最多 {rate} 个"
    ),
    # What an action answers
    "reachable and latency of each": "每个地址能否连接及延迟",
    "reachable and latency of each connection": "每个连接能否连接及延迟",
    "which are free": "哪些端口空闲",
    "what is known of it": "节点的信息",
    "the tunnel": "隧道",
    "the file's path": "文件路径",
    "its ID": "标识",
    "build, machine and settings": "版本、主机和设置",
    "what became of it at each node": "每个节点的结果",
    "what the service tells": "服务返回的内容",
    "the PEM": "PEM",
    "positions": "位置",
    "samples, rebinds": "样本、重建次数",
    "samples, the oldest first": "样本，从最早的开始",
    "bytes by day": "每天的字节数",
    "the file": "文件内容",
    "sessions, and until when": "会话及锁定截止时间",
    "connected devices": "已连接的设备",
    "domains and names": "主域名和二级域名",
    "names, versions, addresses": "名称、版本、地址",
    "at most three, the best first": "最多三个，最佳的在前",
    "the new token": "新令牌",
    "its traffic then": "上报后的流量",
    "addresses": "地址",
    "the new token, where it can be read": "新令牌（如可读取）",
    "what was gained": "签到所得",
    # Notes
    "disabled at first": "默认停用",
    "disabled at first where none of your tunnels runs over it": "没有您的隧道使用时默认停用",
    "for administrators: it destroys or reveals something": "仅限管理员：会破坏或泄露内容",
    "only if the options ask for it": "仅在选项中选择后提供",
    "required": "必填",
    # What can be compared
    "Accounts made in the dialog": "在对话框中注册账户",
    "Configuration files for clients": "客户端配置文件",
    "Daily sign-in by itself": "自动每日签到",
    "Kinds of entities": "实体种类",
    "Switch tunnels on and off": "启用和停用隧道",
    "Hold tunnels down": "保持隧道下线",
    "History": "历史数据",
    "Make, change and delete": "创建、修改和删除",
}


ANSWERS: Mapping[str, str] = {
    "check_addresses": "reachable and latency of each",
    "check_node": "reachable and latency of each connection",
    "check_ports": "which are free",
    "check_tunnel": "the tunnel",
    "create_backup": "the file's path",
    "create_client": "its ID",
    "create_node": "its ID",
    "create_proxy": "its ID",
    "create_rule": "its ID",
    "create_tunnel": "its ID",
    "create_user": "its ID",
    "create_wireguard_peer": "its ID",
    "describe_node": "build, machine and settings",
    "force_all_offline": "what became of it at each node",
    "get_app_version": "what the service tells",
    "get_certificate": "the PEM",
    "get_graph_layout": "positions",
    "get_latency_history": "samples, rebinds",
    "get_node": "what is known of it",
    "get_node_history": "samples, the oldest first",
    "get_peers": "peers",
    "get_sessions": "connected devices",
    "get_traffic_history": "bytes by day",
    "get_tunnel_config": "the file",
    "get_wireguard_config": "the file",
    "kick_session": "sessions, and until when",
    "list_domains": "domains and names",
    "list_downloads": "names, versions, addresses",
    "query_nodes": "at most three, the best first",
    "regenerate_report_token": "the new token",
    "report_node": "its traffic then",
    "resolve_name": "addresses",
    "retoken": "the new token, where it can be read",
    "sign_in": "what was gained",
}
"""What an action answers."""
