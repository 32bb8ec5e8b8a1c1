"""EasyTier's cases for the reliability tests."""

from hashlib import sha256
from typing import Any

from custom_components.tunnel_hub.api.models.directory import (
    CheckTarget,
    Region,
    RelayNodeConnection,
    RelayNodeReport,
    RelayNodeUpdate,
)

from ..common import MINUTE
from ..reliability.providers import (
    AnyService,
    Case,
    Limits,
    Outcome,
    Reliability,
    ResourceChanges,
    Trouble,
    UserAction,
    Value,
    Variant,
    another,
    turn,
    url_of,
    with_settings,
)

_TARGET = CheckTarget(
    address="tcp://198.18.0.2:11010",
    network_name="demo-network",
    network_secret="demo-network-secret",
)

_NETWORK = {"network_name": "demo-network", "network_secret": "demo-network-secret"}
"""The network that checks of nodes use."""


def _account(service: AnyService, mail: str) -> str:
    return f"{url_of(service).partition('//')[2]}:{sha256(mail.encode()).hexdigest()[:16]}"


def _change_password(service: AnyService) -> None:
    service.account.password = "changed-password"
    service.refuse_tokens()


def _doubt_mail(service: AnyService) -> None:
    service.account.is_verified = False
    service.refuse_tokens()


_REFUSAL = {"error": "未授权"}

EASYTIER = Case(
    name="easytier",
    service="easytier",
    credentials=lambda service: {
        "base_url": url_of(service),
        "email": "demo@example.com",
        "password": "demo-password",
    },
    account=lambda service: _account(service, "demo@example.com"),
    other=lambda service: (
        {
            "base_url": url_of(service),
            "email": "other@example.com",
            "password": "other-password",
        },
        _account(service, "other@example.com"),
    ),
    ways={
        "easytier_account": lambda service: {
            "base_url": url_of(service),
            "email": "demo@example.com",
            "password": "demo-password",
            "advanced": {},
        },
    },
    steady=(
        Value("switch", "relay_node:1", "allow_relay"),
        Value("sensor", "relay_node:1", "bandwidth_tier"),
    ),
    user_actions=(
        turn("off", "relay_node:1", "allow_relay"),
        UserAction("query_nodes"),
        UserAction("update_node", "relay_node:2", {"connections_allowed": 7}),
        UserAction("check_node", "relay_node:1"),
        UserAction(
            "check_addresses",
            data={
                "addresses": "tcp://198.18.0.2:11010",
                "network_name": "demo-network",
                "network_secret": "demo-network-secret",
            },
        ),
        UserAction(
            "create_node",
            data={
                "name": "cabin",
                "region": "overseas",
                "connections": ["tcp://192.0.2.7:11010"],
                "valid_until": "2027-06-30",
            },
        ),
        UserAction(
            "report_node",
            "relay_node:1",
            {"online": True, "bandwidth": 1, "traffic": 1, "connections": 1},
        ),
        UserAction("regenerate_report_token", "relay_node:1"),
        UserAction("retoken"),
        UserAction("delete_node", "relay_node:4"),
    ),
    secrets=lambda service: {
        "demo-password",
        "changed-password",
        "demo@example.com",
        "demo-network-secret",
        *(node.report_token for node in service.state.nodes.values()),
        *(node.network_token for node in service.state.nodes.values()),
    },
    envelope=frozenset({"token", "initialized"}),
    ids=frozenset({"id", "email"}),
    interval=2 * MINUTE,
    troubles={
        "token expired": Trouble(
            begin=lambda service: service.refuse_tokens(), outcome=Outcome.HEALED
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("/api/nodes/my", "body", status=401, body=_REFUSAL),
            outcome=Outcome.HEALED,
            only_later=True,
        ),
        "password changed": Trouble(
            begin=_change_password,
            end=lambda service: setattr(service.account, "password", "demo-password"),
            outcome=Outcome.REFUSED,
        ),
        "account no longer verified": Trouble(
            begin=_doubt_mail,
            end=lambda service: setattr(service.account, "is_verified", True),
            outcome=Outcome.REFUSED,
        ),
    },
)


async def _issues(provider: Any) -> object:
    await provider.feeds["nodes"].fetch()
    return tuple(words for each in provider.issues() for words in each.placeholders.values())


async def _proposed_nodes(provider: Any) -> object:
    proposed = await provider.query_nodes()
    return *proposed, *(each.node for each in proposed)


def _end_node(service: AnyService) -> None:
    service.state.nodes["1"].status = "offline"


def _measure(service: AnyService) -> None:
    """Measure a node's second address again. The node's latency is that of its first one."""
    for node in service.state.nodes.values():
        node.network_name, node.network_token = _NETWORK.values()
        for connection in node.connections[1:]:
            connection.latency_ms += 1


RELIABILITY = Reliability(
    cases=(EASYTIER,),
    variants={
        "easytier": Variant(
            EASYTIER,
            prepare=with_settings(dialect="real", edgeone=True),
            options={"public_nodes": ["2"]},
        ),
        "easytier-documented": Variant(
            EASYTIER,
            base="easytier",
            prepare=with_settings(dialect="documented", edgeone=True),
            options={"public_nodes": ["2"]},
        ),
    },
    resource_changes=ResourceChanges(
        kind="relay_node",
        rows=lambda service: service.state.nodes,
        is_ours=lambda node: node.user_email == "demo@example.com",
        add=lambda service, n: another(
            service.state.nodes, f"{100 + n}", id=100 + n, node_name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.nodes[id_], "node_name", f"other{n}"),
        end_tokens=lambda service: service.refuse_tokens(),
        daily=False,
    ),
    commands={
        "check_node": lambda provider: provider.check_node("1"),
        "check_targets": lambda provider: provider.check_targets([_TARGET]),
        "create_node": lambda provider: provider.create_node(
            RelayNodeUpdate(
                name="new",
                region=Region.OVERSEAS,
                connections=(RelayNodeConnection(type="tcp", host="192.0.2.7", port=11010),),
            )
        ),
        "delete_node": lambda provider: provider.delete_node("1"),
        "issues": _issues,
        "public_node_names": lambda provider: provider.public_node_names(),
        "query_nodes": _proposed_nodes,
        "regenerate_report_token": lambda provider: provider.regenerate_report_token("1"),
        "report_node": lambda provider: provider.report_node(
            "1", RelayNodeReport(online=True, bandwidth=1, traffic=1, connections=1)
        ),
        "reset_token": lambda provider: provider.reset_token(),
        "set_allow_relay": lambda provider: provider.set_allow_relay("1", allowed=False),
        "update_node": lambda provider: provider.update_node("1", RelayNodeUpdate(tags=("x",))),
    },
    limits=Limits(100, 120, Value("binary_sensor", "relay_node:1", "online"), _end_node),
    settings={"edgeone": True},
    measure=_measure,
    extra=_NETWORK,
)
