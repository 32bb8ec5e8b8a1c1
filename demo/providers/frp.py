"""frp in the demo."""

from ..addresses import HTTP, HTTPS, SSH
from ..provider import DemoAction, Provider, choice

PROVIDER = Provider(
    answers=lambda facts: (
        choice("frp"),
        choice("frp_server"),
        {
            "base_url": facts["url"],
            "username": facts["username"],
            "password": facts["password"],
            "advanced": {},
        },
    ),
    shown={
        "sensor:server:account:tunnels_online": "4",
        "binary_sensor:tunnel:alice.nas:online": "on",
        "binary_sensor:tunnel:alice.backup:online": "off",
        "binary_sensor:client:alice.ha:online": "on",
        "binary_sensor:check:alice.nas:reachable": "on",
        "binary_sensor:check:alice.web:reachable": "on",
        "binary_sensor:check:alice.shop:reachable": "on",
    },
    listening={
        "127.0.0.1:6001": SSH,
        "web.example.test:8088": HTTP,
        "shop.example.com:8443": HTTPS,
    },
    actions={
        "forget offline tunnels": DemoAction(
            action="tunnel_hub.forget_offline_tunnels",
            entity="sensor:server:account:tunnels_online",
            of_account=True,
            shown={"sensor:server:account:tunnels_offline": "0"},
            happened=lambda before, after: (
                "alice.backup" in before["server"]["proxies"]
                and "alice.backup" not in after["server"]["proxies"]
            ),
        ),
    },
)
