"""frp in the demo."""

from ..provider import Deed, Provider, choice

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
    },
    deeds={
        "forget offline tunnels": Deed(
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
