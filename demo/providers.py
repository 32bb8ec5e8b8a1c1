"""What the demo does with each provider: one table row each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

type Facts = Mapping[str, str]
"""What the simulator tells of a service: its url, and the credentials of the demo account."""

type State = Mapping[str, Any]
"""What a simulated service knows, as its control route tells it."""

type Shown = Mapping[str, str]
"""Entities and their states. An entity is named by its platform, what it belongs to and its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that a person does in Home Assistant.

    action: Home Assistant's, with the entity as its target; one of ours has the entity's device.
    data: what else it takes.
    shown: the states that follow from it in Home Assistant.
    happened: tells from the service's state before and after that it has really been done.
    """

    action: str
    entity: str
    shown: Shown
    happened: Callable[[State, State], bool]
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How to add the demo account, and what to expect of it then.

    answers: what a person answers to the config flow, step after step.
    shown: some of the states that Home Assistant shows when all is read.
    deeds: what to try, by name.
    """

    answers: Callable[[Facts], Sequence[Mapping[str, Any]]]
    shown: Shown
    deeds: Mapping[str, Deed]


def _choice(step_id: str) -> dict[str, str]:
    """Return the answer to a menu."""
    return {"next_step_id": step_id}


_ALICE = "be3c9804"
"""The id of the simulated node's first user."""


def _days(state: State) -> Any:
    """Return a tunnel's traffic, which may grow at any time."""
    return state["tunnels"]["1"]["days"]


PROVIDERS: dict[str, Provider] = {
    "chmlfrp": Provider(
        answers=lambda facts: (
            _choice("chmlfrp"),
            _choice("chmlfrp_device"),
            {
                "client_id": facts["client_id"],
                "advanced": {"base_url": facts["url"], "oauth_url": facts["oauth_url"]},
            },
        ),
        shown={
            "sensor:account:account:tunnels_used": "5",
            "binary_sensor:sign_in:account:signed_in_today": "off",
            "binary_sensor:node:1:online": "on",
            "sensor:tunnel:1:state": "online",
            "sensor:tunnel:3:state": "node_offline",
            "sensor:tunnel:5:state": "node_removed",
            "switch:tunnel:1:force_down": "off",
        },
        deeds={
            "force a tunnel offline": Deed(
                action="button.press",
                entity="button:tunnel:1:force_offline",
                shown={"sensor:tunnel:1:state": "offline"},
                happened=lambda before, after: (
                    before["tunnels"]["1"]["kicked_at"] is None
                    and after["tunnels"]["1"]["kicked_at"] is not None
                ),
            ),
            "edit a tunnel": Deed(
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
    ),
    "easytier": Provider(
        answers=lambda facts: (
            _choice("easytier"),
            _choice("easytier_account"),
            {
                "base_url": facts["url"],
                "email": facts["email"],
                "password": facts["password"],
                "advanced": {},
            },
        ),
        shown={
            "binary_sensor:relay_node:1:online": "on",
            "binary_sensor:relay_node:4:online": "off",
            "sensor:relay_node:2:valid_until": "unknown",
            "switch:relay_node:1:allow_relay": "on",
            "sensor:service:service:nodes": "11",
        },
        deeds={
            "stop relaying": Deed(
                action="switch.turn_off",
                entity="switch:relay_node:1:allow_relay",
                shown={"switch:relay_node:1:allow_relay": "off"},
                happened=lambda before, after: (
                    before["nodes"]["1"]["allow_relay"] == 1
                    and after["nodes"]["1"]["allow_relay"] == 0
                ),
            ),
            "report a node": Deed(
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
    ),
    "hayfrp": Provider(
        answers=lambda facts: (
            _choice("hayfrp"),
            _choice("hayfrp_password"),
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
    ),
    "hy2scale": Provider(
        answers=lambda facts: (
            _choice("hy2scale"),
            {
                "host": URL(facts["url"]).host,
                "port": URL(facts["url"]).port,
                "https": False,
                "username": facts["username"],
                "password": facts["password"],
                "advanced": {},
            },
        ),
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
        deeds={
            "drop a link": Deed(
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
            "reset a user's traffic": Deed(
                action="button.press",
                entity=f"button:user:{_ALICE}:reset_traffic",
                shown={f"sensor:user:{_ALICE}:traffic_used": "0.0"},
                happened=lambda before, after: (
                    before["users"][_ALICE]["traffic_used"] > 0
                    and after["users"][_ALICE]["traffic_used"] == 0
                ),
            ),
        },
    ),
}
