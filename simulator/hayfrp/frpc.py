"""The configuration files for frpc."""

from collections.abc import Callable, Iterable, Mapping
import json

from .state import Account, Node, Tunnel
from .varying_types import documented


def ini(account: Account, node: Node, tunnels: Iterable[Tunnel]) -> str:
    """Return the file in frp's old format."""
    sections: dict[str, Mapping[str, object]] = {
        "common": {
            "server_addr": node.domain,
            "server_port": node.bind_port,
            "user": account.link_token,
        },
        **{
            tunnel.proxy_name: {
                "type": tunnel.proxy_type,
                "local_ip": tunnel.local_ip,
                "local_port": tunnel.local_port,
                "remote_port": tunnel.remote_port,
                "custom_domains": tunnel.domain or None,
                "sk": tunnel.sk or None,
                "use_encryption": tunnel.use_encryption,
                "use_compression": tunnel.use_compression,
            }
            for tunnel in tunnels
        },
    }
    return "\n".join(
        f"[{title}]\n{_lines(fields, documented)}" for title, fields in sections.items()
    )


def toml(account: Account, node: Node, tunnels: Iterable[Tunnel]) -> str:
    """Return the file in frp's new format."""
    common: Mapping[str, object] = {
        "serverAddr": node.domain,
        "serverPort": node.bind_port,
        "user": account.link_token,
    }
    proxies = (
        {
            "name": tunnel.proxy_name,
            "type": tunnel.proxy_type,
            "localIP": tunnel.local_ip,
            "localPort": tunnel.local_port,
            "remotePort": tunnel.remote_port,
            "customDomains": [tunnel.domain] if tunnel.domain else None,
            "secretKey": tunnel.sk or None,
            "transport.useEncryption": tunnel.use_encryption,
            "transport.useCompression": tunnel.use_compression,
        }
        for tunnel in tunnels
    )
    return "\n[[proxies]]\n".join(_lines(fields, json.dumps) for fields in (common, *proxies))


def _lines(fields: Mapping[str, object], written: Callable[[object], object]) -> str:
    return "".join(
        f"{name} = {written(value)}\n" for name, value in fields.items() if value is not None
    )
