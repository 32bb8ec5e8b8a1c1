"""EasyTier in the demo."""

from ..provider import DemoAction, Provider, choice

PROVIDER = Provider(
    answers=lambda facts: (
        choice("easytier"),
        choice("easytier_account"),
        {
            "base_url": facts["url"],
            "email": facts["email"],
            "password": facts["password"],
            "advanced": {},
        },
    ),
    second=(
        lambda facts: (
            choice("easytier"),
            choice("easytier_account"),
            {
                "base_url": facts["url"],
                "email": facts["other_email"],
                "password": facts["other_password"],
                "advanced": {},
            },
        ),
    ),
    shown={
        "binary_sensor:relay_node:1:online": "on",
        "binary_sensor:relay_node:4:online": "off",
        "sensor:relay_node:2:valid_until": "unknown",
        "switch:relay_node:1:allow_relay": "on",
        "sensor:service:service:nodes": "11",
    },
    actions={
        "stop relaying": DemoAction(
            action="switch.turn_off",
            entity="switch:relay_node:1:allow_relay",
            shown={"switch:relay_node:1:allow_relay": "off"},
            happened=lambda before, after: (
                before["nodes"]["1"]["allow_relay"] == 1 and after["nodes"]["1"]["allow_relay"] == 0
            ),
        ),
        "report a node": DemoAction(
            action="tunnel_hub.report_node",
            entity="switch:relay_node:4:allow_relay",
            data={"online": True, "bandwidth": 25, "traffic": 300, "connections": 6},
            shown={
                "binary_sensor:relay_node:4:online": "on",
                "sensor:relay_node:4:connections": "6",
            },
            happened=lambda before, after: (
                before["nodes"]["4"]["status"] == "offline"
                and after["nodes"]["4"]["connection_count"] == 6
            ),
        ),
    },
    tidy={"nodes.4.reporting": True, "nodes.8.valid_until": "2999-12-31"},
    pictures={"relay": "relay_node:1"},
)
