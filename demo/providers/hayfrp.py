"""HayFrp in the demo."""

from ..addresses import HTTPS, SILENT
from ..provider import Deed, Provider, choice

PROVIDER = Provider(
    answers=lambda facts: (
        choice("hayfrp"),
        choice("hayfrp_password"),
        {
            "username": facts["username"],
            "password": facts["password"],
            "advanced": {"base_url": facts["url"]},
        },
    ),
    shown={
        "binary_sensor:account:account:signed_in_today": "off",
        "sensor:account:account:tunnels_used": "5",
        "binary_sensor:node:1:online": "on",
        "switch:tunnel:1:enabled": "on",
        "binary_sensor:tunnel:1:online": "on",
        "binary_sensor:check:1:reachable": "on",
        "binary_sensor:check:2:reachable": "on",
        "sensor:check:2:http_status": "200",
        "binary_sensor:check:2:certificate_trusted": "off",
        "switch:tunnel:5:enabled": "off",
    },
    deeds={
        "switch a tunnel off": Deed(
            action="switch.turn_off",
            entity="switch:tunnel:1:enabled",
            shown={"switch:tunnel:1:enabled": "off", "sensor:tunnel:1:state": "disabled"},
            happened=lambda before, after: (
                before["tunnels"]["1"]["enabled"] and not after["tunnels"]["1"]["enabled"]
            ),
        ),
        "sign in": Deed(
            action="button.press",
            entity="button:account:account:sign_in",
            shown={"binary_sensor:account:account:signed_in_today": "on"},
            happened=lambda before, after: (
                before["accounts"]["demo"]["signdate"] is None
                and after["accounts"]["demo"]["signdate"] is not None
            ),
        ),
    },
    listening={"suzhou.frp.example.com:10001": SILENT, "nas.example.com:443": HTTPS},
    first=("sign in",),
)
