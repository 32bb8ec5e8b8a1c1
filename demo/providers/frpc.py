"""frpc in the demo."""

from ..addresses import SILENT, SSH
from ..provider import DemoAction, Provider, State, choice


def _is_enabled(state: State) -> bool:
    return state["client"]["store"]["camera"].get("enabled") is not False


PROVIDER = Provider(
    service="frp",
    answers=lambda facts: (
        choice("frp"),
        choice("frp_client"),
        {
            "base_url": facts["frpc_url"],
            "username": facts["frpc_username"],
            "password": facts["frpc_password"],
            "advanced": {},
        },
    ),
    shown={
        "binary_sensor:client_status:account:connected": "on",
        "sensor:tunnel:nas:phase": "running",
        "sensor:tunnel:nas:source": "file",
        "binary_sensor:check:camera:reachable": "on",
        "binary_sensor:check:nas:reachable": "on",
        "switch:tunnel:camera:enabled": "on",
    },
    listening={
        "frp.example.com:6001": SSH,
        "frp.example.com:6011": SSH,
        "frp.example.com:6101": SILENT,
        "frp.example.com:6102": SILENT,
    },
    actions={
        "disable a stored tunnel": DemoAction(
            action="switch.turn_off",
            entity="switch:tunnel:camera:enabled",
            shown={
                "switch:tunnel:camera:enabled": "off",
                "sensor:tunnel:camera:phase": "disabled",
            },
            happened=lambda before, after: _is_enabled(before) and not _is_enabled(after),
        ),
        "enable it again": DemoAction(
            action="switch.turn_on",
            entity="switch:tunnel:camera:enabled",
            shown={"switch:tunnel:camera:enabled": "on", "sensor:tunnel:camera:phase": "running"},
            happened=lambda before, after: not _is_enabled(before) and _is_enabled(after),
        ),
    },
)
