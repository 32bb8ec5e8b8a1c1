"""HY2 SCALE in the demo."""

from yarl import URL

from ..provider import DemoAction, Provider, State, choice

_ALICE = "be3c9804"
"""The id of the simulated node's first user."""


def _all_disabled(state: State) -> bool:
    return all(client["disabled"] for client in state["clients"].values())


PROVIDER = Provider(
    answers=lambda facts: (
        choice("hy2scale"),
        {
            "host": URL(facts["url"]).host,
            "port": URL(facts["url"]).port,
            "https": False,
            "username": facts["username"],
            "password": facts["password"],
            "advanced": {},
        },
    ),
    elsewhere={"node_id": "7c02f1e9", "name": "sg-office"},
    shown={
        "sensor:hub:account:sessions": "3",
        "sensor:tunnel:us:state": "online",
        "sensor:tunnel:de:state": "disabled",
        "switch:link:us:nested": "on",
        "binary_sensor:peer:us/us-r1:connected": "on",
        "sensor:peer:office:latency": "unknown",
        f"sensor:user:{_ALICE}:traffic_used": "123.0",
        "switch:rule:games:enabled": "off",
        "switch:proxy:ss:enabled": "on",
        "update:upgrade:account:program": "on",
    },
    actions={
        "drop a link": DemoAction(
            action="switch.turn_off",
            entity="switch:tunnel:us:enabled",
            shown={
                "switch:tunnel:us:enabled": "off",
                "sensor:tunnel:us:state": "disabled",
                "sensor:link:us:latency": "unknown",
            },
            happened=lambda before, after: (
                not before["clients"]["us"]["disabled"] and after["clients"]["us"]["disabled"]
            ),
        ),
        "reset a user's traffic": DemoAction(
            action="button.press",
            entity=f"button:user:{_ALICE}:reset_traffic",
            shown={f"sensor:user:{_ALICE}:traffic_used": "0.0"},
            happened=lambda before, after: (
                before["users"][_ALICE]["traffic_used"] > 0
                and after["users"][_ALICE]["traffic_used"] == 0
            ),
        ),
    },
    held={"on": _all_disabled, "off": lambda state: not _all_disabled(state)},
    pictures={"hub": "account:account"},
)
