"""ChmlFrp in the demo."""

from typing import Any

from ..addresses import HTTPS, SILENT, SSH
from ..provider import Answers, DemoAction, Facts, Provider, State, choice


def _days(state: State) -> Any:
    """Returns a tunnel's traffic, which may grow at any time."""
    return state["tunnels"]["1"]["days"]


def _by_browser(facts: Facts) -> Answers:
    """Returns the input of a sign-in with a browser."""
    return (
        choice("chmlfrp"),
        choice("chmlfrp_device"),
        {
            "client_id": facts["client_id"],
            "advanced": {"base_url": facts["url"], "oauth_url": facts["oauth_url"]},
        },
    )


PROVIDER = Provider(
    answers=_by_browser,
    second=(
        lambda facts: (
            choice("chmlfrp"),
            choice("chmlfrp_token"),
            {"token": facts["other_token"], "advanced": {"base_url": facts["url"]}},
        ),
        _by_browser,
    ),
    shown={
        "sensor:account:account:tunnels_used": "5",
        "binary_sensor:sign_in:account:signed_in_today": "off",
        "binary_sensor:node:1:online": "on",
        "sensor:tunnel:1:state": "online",
        "binary_sensor:check:1:reachable": "on",
        "sensor:tunnel:3:state": "node_offline",
        "sensor:tunnel:5:state": "node_removed",
        "switch:tunnel:1:force_down": "off",
    },
    actions={
        "force a tunnel offline": DemoAction(
            action="button.press",
            entity="button:tunnel:1:force_offline",
            shown={"sensor:tunnel:1:state": "offline"},
            happened=lambda before, after: (
                before["tunnels"]["1"]["kicked_at"] is None
                and after["tunnels"]["1"]["kicked_at"] is not None
            ),
        ),
        "edit a tunnel": DemoAction(
            action="tunnel_hub.update_tunnel",
            entity="sensor:tunnel:1:local_address",
            data={"local_port": 8124},
            shown={"sensor:tunnel:1:local_address": "127.0.0.1:8124"},
            happened=lambda before, after: (
                after["tunnels"]["1"]
                == {**before["tunnels"]["1"], "local_port": 8124, "days": _days(after)}
            ),
        ),
    },
    listening={
        "cd.frp.example.com:20001": SILENT,
        "wh.frp.example.com:20002": SSH,
        "photos.example.com:443": HTTPS,
    },
    changes={
        "settings.reconnects_after": 10,
        # The domain of another account's tunnel in the simulator.
        "tunnels.4.public": "photos.example.com",
    },
    tidy={"nodes.*.state": "online", "tunnels.2.client_running": True},
)
