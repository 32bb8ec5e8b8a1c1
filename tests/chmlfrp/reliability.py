"""ChmlFrp's cases for the reliability tests: signed in with a browser, and with a pasted token."""

from dataclasses import replace
import json
from typing import Any

from custom_components.tunnel_hub.api.models.account import AccountChanges, Captcha
from custom_components.tunnel_hub.api.models.subdomains import Subdomain
from custom_components.tunnel_hub.api.models.tunnels import TunnelUpdate

from ..common import DAY
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
    press,
    release,
    turn,
    url_of,
    with_host_name,
)
from ..reliability.tunnel_calls import ignore_rejection, tunnel_calls
from .common import grant

_CAPTCHA = Captcha(lot_number="1", captcha_output="2", pass_token="3", gen_time="4")
_NAME = Subdomain(domain="frp.example", record="home", ttl="10m")


def _granted(service: AnyService) -> dict[str, str]:
    given = grant(
        service, str(service.new_id()), seconds=service.state.settings.access_token_seconds
    )
    return {"base_url": url_of(service), "oauth_url": with_host_name(service.oauth_url), **given}


_REFUSAL = {"code": 401, "state": "error", "msg": "无效的Token"}

_ACTS = (
    press("tunnel:1", "force_offline"),
    UserAction("check_tunnel", "tunnel:1"),
    UserAction("update_tunnel", "tunnel:2", {"local_port": 8124}),
    UserAction("list_domains"),
    press("tunnel:1", "refresh"),
    turn("on", "tunnel:1", "force_down"),
    # ChmlFrp cannot disable a tunnel, so there is nothing to enable again.
    replace(release("tunnel:1"), asks=False),
    UserAction("force_offline", "tunnel:1"),
    UserAction("force_all_offline"),
    UserAction("get_tunnel_config", "tunnel:1"),
    UserAction("get_tunnel_config", "node:1"),
    UserAction("get_traffic_history", "account:account"),
    UserAction("get_traffic_history", "tunnel:1"),
    UserAction("get_node_history", "node:1"),
    UserAction("suggest_node", data={"protocol": "tcp"}),
    UserAction("send_code"),
    UserAction("retoken", data={"code": "a-wrong-code"}),
    UserAction(
        "sign_in",
        data={"lot_number": "1", "captcha_output": "2", "pass_token": "3", "gen_time": "4"},
    ),
    UserAction("update_account", data={"contact": "10002"}),
    UserAction("get_app_version", data={"loader": "fabric", "minecraft": "1.21", "kind": "mod"}),
    UserAction(
        "create_subdomain",
        data={"domain": "frp.example", "record": "new", "type": "A", "target": "192.0.2.1"},
    ),
    UserAction("update_subdomain", data={"domain": "frp.example", "record": "home", "ttl": "10m"}),
    UserAction("delete_subdomain", data={"domain": "frp.example", "record": "home"}),
    UserAction(
        "create_tunnel",
        data={
            "name": "printer",
            "protocol": "tcp",
            "local_port": 631,
            "remote_port": 20631,
            "node": "1",
        },
    ),
    UserAction("delete_tunnel", "tunnel:4"),
)


def _other(service: AnyService) -> tuple[dict[str, str], str]:
    other = service.state.accounts["228"]
    return {"base_url": url_of(service), "token": other.usertoken}, str(other.id)


def _secrets(service: AnyService) -> set[str | None]:
    return {
        "demo-password",
        "demo@example.com",
        service.account.usertoken,
        *(node.api_token for node in service.state.nodes.values()),
        *(node.node_token for node in service.state.nodes.values()),
        *(grant.access_token for grant in service.state.grants.values()),
        *(grant.refresh_token for grant in service.state.grants.values()),
        *(mail.code for mail in service.state.mailbox),
    }


_STEADY = (
    Value("sensor", "account:account", "tunnels_used"),
    Value("sensor", "tunnel:1", "local_address"),
)


def _replace_token(service: AnyService) -> None:
    service.account.usertoken = f"another-token-{service.new_id()}"


def _end_grant(service: AnyService) -> None:
    service.state.grants.clear()


def _lose_renewal(service: AnyService) -> None:
    service.state.grants["g"].expires_at = 0
    service.fault("/oauth2/token", "cut")


CHMLFRP_BROWSER = Case(
    name="chmlfrp, browser",
    service="chmlfrp",
    credentials=_granted,
    account=lambda service: str(service.account.id),
    ways={
        "chmlfrp_device": lambda service: {
            "client_id": "demo-client",
            "advanced": {
                "base_url": url_of(service),
                "oauth_url": with_host_name(service.oauth_url),
            },
        },
    },
    steady=_STEADY,
    user_actions=_ACTS,
    other=_other,
    secrets=_secrets,
    envelope=frozenset({"code", "state", "msg"}),
    ids=frozenset({"id"}),
    # A refresh token works once, so a refresh with a damaged answer is one of the failures.
    prepare=lambda service: setattr(service.state.settings, "access_token_seconds", 10 * DAY),
    troubles={
        "token expired": Trouble(
            begin=lambda service: setattr(service.state.grants["g"], "expires_at", 0),
            outcome=Outcome.HEALED,
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("/tunnel", "body", body=_REFUSAL),
            outcome=Outcome.HEALED,
        ),
        "token expired, the answer with another cut off": Trouble(
            begin=_lose_renewal, outcome=Outcome.REFUSED
        ),
        "sign-in revoked": Trouble(begin=_end_grant, outcome=Outcome.REFUSED),
    },
)

CHMLFRP_TOKEN = Case(
    name="chmlfrp, token",
    service="chmlfrp",
    credentials=lambda service: {"base_url": url_of(service), "token": service.account.usertoken},
    account=lambda service: str(service.account.id),
    ways={
        "chmlfrp_token": lambda service: {
            "token": service.account.usertoken,
            "advanced": {"base_url": url_of(service)},
        },
        "chmlfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": url_of(service)},
        },
    },
    steady=_STEADY,
    user_actions=_ACTS,
    other=_other,
    secrets=_secrets,
    envelope=frozenset({"code", "state", "msg"}),
    ids=frozenset({"id"}),
    prepare=lambda service: setattr(service.state.settings, "password_login", True),
    troubles={
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("*", "body", times=None, after=1, body=_REFUSAL),
            outcome=Outcome.REFUSED,
            only_later=True,
        ),
        "token replaced": Trouble(begin=_replace_token, outcome=Outcome.REFUSED),
    },
)


async def _node_history(provider: Any) -> object:
    samples = await provider.node_history("1", provider.history_fields, None, None)
    return tuple(json.dumps(sample) for sample in samples)


def _end_client(service: AnyService) -> None:
    service.state.tunnels["1"].client_running = False


RELIABILITY = Reliability(
    cases=(CHMLFRP_BROWSER, CHMLFRP_TOKEN),
    variants={
        "chmlfrp": Variant(CHMLFRP_TOKEN, options={"node_details": True}),
        "chmlfrp-browser": Variant(CHMLFRP_BROWSER, base="chmlfrp", options={"node_details": True}),
    },
    resource_changes=ResourceChanges(
        kind="tunnel",
        rows=lambda service: service.state.tunnels,
        add=lambda service, n: another(
            service.state.tunnels, f"{10_000 + n}", id=10_000 + n, name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.tunnels[id_], "name", f"other{n}"),
    ),
    commands={
        **tunnel_calls(
            TunnelUpdate(name="new", protocol="tcp", local_port=1, remote_port=20631, node="1"),
            TunnelUpdate(local_port=2, node="1"),
        ),
        "app_version": ignore_rejection(
            lambda provider: provider.app_version("fabric", "1.21", "mod")
        ),
        "create_subdomain": lambda provider: provider.create_subdomain(
            Subdomain(domain="frp.example", record="new", type="A", target="192.0.2.1")
        ),
        "delete_subdomain": lambda provider: provider.delete_subdomain(_NAME.id),
        "domains": lambda provider: provider.domains(),
        "force_all_offline": lambda provider: provider.force_all_offline(),
        "node_details": lambda provider: provider.node_details("1"),
        "node_history": _node_history,
        "reset_token": ignore_rejection(lambda provider: provider.reset_token("123456")),
        "send_code": lambda provider: provider.send_code(),
        "sign_in_with_captcha": lambda provider: provider.sign_in_with_captcha(_CAPTCHA),
        "subdomains": lambda provider: provider.subdomains(),
        "traffic_history": lambda provider: provider.traffic_history(),
        "traffic_history of a tunnel": lambda provider: provider.traffic_history("1"),
        "uptime_history": lambda provider: provider.uptime_history(90),
        "update_account": lambda provider: provider.update_account(AccountChanges(contact="1")),
        "update_subdomain": lambda provider: provider.update_subdomain(_NAME.id, _NAME),
    },
    limits=Limits(100, 120, Value("binary_sensor", "tunnel:1", "online"), _end_client),
    settings={"history_samples": 8},
)
