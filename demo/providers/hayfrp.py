"""HayFrp in the demo, with which most blueprints are tested."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ..addresses import HTTPS, SILENT
from ..hass import NIGHT
from ..provider import DemoAction, Event, Provider, State, States, Trial, choice

_KEY = "hayfrp"


def _soon() -> str:
    """Returns a time of day in a few seconds."""
    return f"{datetime.now(UTC) + timedelta(seconds=5):%H:%M:%S}"


def _node_of(state: State, tunnel: str) -> str:
    node: str = state["tunnels"][tunnel]["node"]
    return node


def _enabled(states: States, tunnel: str) -> bool:
    return bool(states[_KEY]["tunnels"][tunnel]["enabled"])


_ONLINE = "binary_sensor:tunnel:2:online"
_LOOK_AT_NODES = "binary_sensor:node:1:online"

_TRIALS: Mapping[str, Trial] = {
    "tunnel_down_and_back": Trial(
        inputs=lambda entities: {
            "tunnels": [entities[_ONLINE].device_id],
            "down_for": {"seconds": 1},
        },
        events=(
            Event(
                changes=lambda _: {"tunnels.2.client_running": False},
                look=(_ONLINE,),
                notification=("nas", "is down."),
            ),
            Event(
                changes=lambda _: {"tunnels.2.client_running": True},
                look=(_ONLINE,),
                notification=("nas", "is back."),
            ),
        ),
    ),
    "tell_new_address": Trial(
        inputs=lambda entities: {"tunnels": [entities[_ONLINE].device_id]},
        events=(
            Event(
                changes=lambda _: {"tunnels.2.domain": "elsewhere.example.com"},
                look=(_ONLINE,),
                notification=("is at elsewhere.example.com now.",),
            ),
        ),
    ),
    "sign_in_every_day": Trial(
        inputs=lambda entities: {
            "account": entities["button:account:account:sign_in"].device_id,
            "from": _soon(),
            "within": 0,
        },
        events=(
            Event(
                changes=lambda _: {"accounts.demo.signdate": None},
                look=("binary_sensor:account:account:signed_in_today",),
                notification=("signed in.",),
                followed=lambda states: states[_KEY]["accounts"]["demo"]["signdate"] is not None,
            ),
        ),
    ),
    "tunnel_only_while": Trial(
        inputs=lambda entities: {
            "tunnels": [entities["switch:tunnel:3:enabled"].id],
            "schedule": [NIGHT],
        },
        events=(
            Event(helper=(NIGHT, "on"), followed=lambda states: _enabled(states, "3")),
            Event(helper=(NIGHT, "off"), followed=lambda states: not _enabled(states, "3")),
            Event(helper=(NIGHT, "on"), followed=lambda states: _enabled(states, "3")),
        ),
    ),
    "traffic_low": Trial(
        inputs=lambda entities: {
            "left": entities["sensor:account:account:traffic_left"].id,
            "lasts_until": entities["sensor:account_forecast:account:traffic_lasts_until"].id,
            "below": 5,
        },
        events=(
            Event(
                changes=lambda _: {
                    "accounts.demo.traffic": 2.0 * 1024,
                    "accounts.demo.today_bytes": 2.0**30,
                },
                look=("sensor:account:account:traffic_left",),
                notification=(" left",),
            ),
        ),
    ),
    "node_down_move_tunnel": Trial(
        inputs=lambda entities: {
            "tunnel_state": entities["sensor:tunnel:2:state"].id,
            "tunnel_node": entities["sensor:tunnel:2:node_name"].id,
            "tunnel_address": entities["sensor:tunnel:2:public_address"].id,
            "nodes": [
                entities[f"binary_sensor:node:{number}:online"].device_id for number in "134"
            ],
            "down_for": {"seconds": 1},
        },
        events=(
            Event(
                changes=lambda state: {f"nodes.{_node_of(state, '2')}.online": False},
                look=(_LOOK_AT_NODES, "sensor:tunnel:2:state"),
                notification=("nas", "has moved from"),
                followed=lambda states: _node_of(states[_KEY], "2") == "1",
            ),
        ),
    ),
}

PROVIDER = Provider(
    answers=lambda facts: (
        choice("hayfrp"),
        choice("hayfrp_password"),
        {
            "username": facts["username"],
            "password": facts["password"],
            "sign_in_daily": False,
            "advanced": {"base_url": facts["url"]},
        },
    ),
    second=(
        lambda facts: (
            choice("hayfrp"),
            choice("hayfrp_password"),
            {
                "username": facts["other_username"],
                "password": facts["other_password"],
                "advanced": {"base_url": facts["url"]},
            },
        ),
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
    actions={
        "switch a tunnel off": DemoAction(
            action="switch.turn_off",
            entity="switch:tunnel:1:enabled",
            shown={"switch:tunnel:1:enabled": "off", "sensor:tunnel:1:state": "disabled"},
            happened=lambda before, after: (
                before["tunnels"]["1"]["enabled"] and not after["tunnels"]["1"]["enabled"]
            ),
        ),
        "sign in": DemoAction(
            action="button.press",
            entity="button:account:account:sign_in",
            shown={"binary_sensor:account:account:signed_in_today": "on"},
            happened=lambda before, after: (
                before["accounts"]["demo"]["signdate"] is None
                and after["accounts"]["demo"]["signdate"] is not None
            ),
        ),
    },
    changes={"settings.reconnects_after": 10},
    listening={"suzhou.frp.example.com:10001": SILENT, "nas.example.com:443": HTTPS},
    first=("sign in",),
    broken=("binary_sensor:check:2:reachable", "nas.example.com:443"),
    held={
        "on": lambda state: not any(state["tunnels"][number]["enabled"] for number in "1234"),
        "off": lambda state: all(state["tunnels"][number]["enabled"] for number in "234"),
    },
    pictures={"account": "account:account", "tunnel": "tunnel:1", "node": "node:1"},
    trials=_TRIALS,
)
