"""Returns the texts of the tables: those of the translations, and a few others."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
import json
from pathlib import Path
from typing import Any

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "tunnel_hub"


class Language(StrEnum):
    """A language of the pages."""

    ENGLISH = "en"
    CHINESE = "zh-Hans"


@cache
def _translations(language: Language) -> Mapping[str, Any]:
    path = INTEGRATION / "translations" / f"{language}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def translated(language: Language, *path: str) -> Any:
    """Returns a text of the translations, or a subtree; raises KeyError."""
    tree: Any = _translations(language)
    for name in path:
        tree = tree[name]
    return tree


def word(language: Language, english: str) -> str:
    """Returns an additional text in a language."""
    return english if language is Language.ENGLISH else _CHINESE[english]


def enumerated(language: Language, names: list[str]) -> str:
    """Returns several names as a list."""
    return (", " if language is Language.ENGLISH else "、").join(names)


def in_brackets(language: Language, text: str) -> str:
    """Returns a text in brackets."""
    return f" ({text})" if language is Language.ENGLISH else f"（{text}）"


def after_colon(language: Language, name: str, text: str) -> str:
    """Returns a name and its description."""
    return f"{name}{': ' if language is Language.ENGLISH else '：'}{text}"


_CHINESE = {
    "select the device": "选择设备",
    "All of them in YAML": "全部 YAML",
    "Show the table": "展开表格",
    # Headings
    "Action": "动作",
    "Actions": "动作",
    "Response": "返回",
    "Condition": "条件",
    "Device": "设备",
    "Interval": "间隔",
    "Interval when idle": "无人查看时",
    "Entity": "实体",
    "Field": "字段",
    "Fields of the actions": "动作的字段",
    "For": "对象",
    "Notes": "说明",
    "Kind": "类型",
    "Entities": "实体",
    "Meaning": "含义",
    "Option": "选项",
    "Options": "选项",
    "Part": "分组",
    "Value": "取值",
    "Trigger": "触发器",
    "Trigger or condition": "触发器或条件",
    "Values": "取值",
    "Method": "方式",
    "Data": "数据",
    "Description": "说明",
    "Fields": "填写内容",
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
    # Values of entities
    "a date": "日期",
    "a date and time": "时间",
    # Devices
    "Account": "账户",
    "Client": "客户端",
    "Hub": "本节点",
    "Node": "节点",
    "Peer": "对等节点",
    "Proxy": "代理",
    "Public node": "公开节点",
    "Relay node": "您的节点",
    "Rule": "规则",
    "Server": "服务端",
    "Service": "服务",
    "Tunnel": "隧道",
    "User": "用户",
    "WireGuard peer": "WireGuard 对端",
    # Data that are polled
    "certificates": "证书",
    "clients": "客户端",
    "external checks": "外部连通性检测",
    "reachability checks": "连通性检测",
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
    "the client": "本客户端",
    "the node": "本节点",
    "the server": "服务端",
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
    "{fields}: one request per item, {at_once} at a time, at most {rate} per second": (
        "{fields}：每项各需一次请求，同时 {at_once} 个，每秒最多 {rate} 个"
    ),
    # Responses of actions
    "the first broken link, response time and certificate": "中断的环节、响应时间和证书",
    "reachability and latency of each address": "每个地址能否连接及延迟",
    "reachability and latency of each connection": "每个连接能否连接及延迟",
    "free ports": "空闲的端口",
    "forecasts": "预计",
    "name, version, and the path of the backup": "名称、版本和备份的路径",
    "number of rows written": "写入的行数",
    "the number of forgotten tunnels": "清除的隧道数",
    "all data of the node": "节点的信息",
    "the tunnel": "隧道",
    "the path of the file": "文件路径",
    "the ID": "标识",
    "version, host and settings": "版本、主机和设置",
    "result for each node": "每个节点的结果",
    "response of the service": "服务返回的内容",
    "the certificate in PEM format": "PEM 格式的证书",
    "positions": "位置",
    "latencies and rebinds": "延迟和重建次数",
    "measurements, oldest first": "测量数据，最早的在前",
    "bytes per day": "每天的字节数",
    "the content of the file": "文件内容",
    "sessions and end of the lockout": "会话及锁定截止时间",
    "connected devices": "已连接的设备",
    "domains and subdomains": "主域名和二级域名",
    "names, versions and addresses": "名称、版本、地址",
    "up to three nodes, best first": "最多三个，最佳的在前",
    "the new token": "新令牌",
    "traffic after the report": "上报后的流量",
    "addresses": "地址",
    "the new token, if available": "新令牌（如可读取）",
    "reward": "签到所得",
    "nodes, best first, with connect times and reasons": "节点（最佳的在前）、连接时间和原因",
    # Notes
    "disabled by default": "默认停用",
    "disabled by default if none of your tunnels uses the node": "没有您的隧道使用时默认停用",
    "for administrators only": "仅限管理员",
    "only if selected in the options": "仅在选项中选择后提供",
    "required": "必填",
    # Compared features
    "Create an account during setup": "在对话框中注册账户",
    "Client configuration files": "客户端配置文件",
    "Automatic daily sign-in": "自动每日签到",
    "Entity types": "实体种类",
    "Enable and disable tunnels": "启用和停用隧道",
    "Force tunnels down": "保持隧道下线",
    "History": "历史数据",
    "Create, update and delete": "创建、修改和删除",
}


ANSWERS: Mapping[str, str] = {
    "check_addresses": "reachability and latency of each address",
    "check_node": "reachability and latency of each connection",
    "check_ports": "free ports",
    "check_reachability": "the first broken link, response time and certificate",
    "check_tunnel": "the tunnel",
    "create_backup": "the path of the file",
    "create_client": "the ID",
    "create_node": "the ID",
    "create_proxy": "the ID",
    "create_rule": "the ID",
    "create_tunnel": "the ID",
    "create_user": "the ID",
    "create_wireguard_peer": "the ID",
    "describe_node": "version, host and settings",
    "forget_offline_tunnels": "the number of forgotten tunnels",
    "force_all_offline": "result for each node",
    "get_app_version": "response of the service",
    "get_certificate": "the certificate in PEM format",
    "get_graph_layout": "positions",
    "get_latency_history": "latencies and rebinds",
    "get_node": "all data of the node",
    "get_node_history": "measurements, oldest first",
    "get_peers": "peers",
    "get_sessions": "connected devices",
    "get_traffic_history": "bytes per day",
    "get_tunnel_config": "the content of the file",
    "get_wireguard_config": "the content of the file",
    "import_history": "number of rows written",
    "kick_session": "sessions and end of the lockout",
    "list_domains": "domains and subdomains",
    "list_downloads": "names, versions and addresses",
    "query_nodes": "up to three nodes, best first",
    "regenerate_report_token": "the new token",
    "report_node": "traffic after the report",
    "resolve_name": "addresses",
    "restore_backup": "name, version, and the path of the backup",
    "retoken": "the new token, if available",
    "sign_in": "reward",
    "suggest_node": "nodes, best first, with connect times and reasons",
    "upload_upgrade": "name, version, and the path of the backup",
}
"""The responses of actions."""
