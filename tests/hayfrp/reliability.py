"""HayFrp's cases for the reliability tests."""

from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelUpdate

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
)
from ..reliability.tunnel_calls import tunnel_calls

_REFUSAL = {"status": 403, "message": "登录无效或已过期."}


def _revoke_in_mid_poll(service: AnyService) -> None:
    csrf = service.account.csrf or ""
    service.fault("*", "body", match={"csrf": csrf}, times=1, after=1, body=_REFUSAL)


def _change_password(service: AnyService) -> None:
    service.account.password, service.account.csrf = "changed-password", None


HAYFRP = Case(
    name="hayfrp",
    service="hayfrp",
    credentials=lambda service: {
        "base_url": url_of(service),
        "username": "demo",
        "password": "demo-password",
    },
    account=lambda service: service.account.uuid,
    ways={
        "hayfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": url_of(service)},
        },
        "hayfrp_token": lambda service: {
            "token": service.account.csrf or "no-session",
            "advanced": {"base_url": url_of(service)},
        },
    },
    steady=(
        Value("sensor", "account:account", "tunnels_used"),
        Value("switch", "tunnel:1", "enabled"),
        Value("sensor", "tunnel:1", "local_address"),
    ),
    user_actions=(
        turn("off", "tunnel:2", "enabled"),
        UserAction("check_tunnel", "tunnel:1"),
        UserAction("update_tunnel", "tunnel:3", {"name": "renamed"}),
        UserAction("sign_in"),
        turn("on", "tunnel:2", "enabled"),
        turn("on", "tunnel:2", "force_down"),
        release("tunnel:2"),
        press("account:account", "sign_in"),
        press("tunnel:2", "force_offline"),
        UserAction("force_offline", "tunnel:2"),
        UserAction("get_tunnel_config", "tunnel:1"),
        UserAction("get_tunnel_config", "node:1", {"format": "ini"}),
        UserAction("list_downloads"),
        UserAction("suggest_node", data={"protocol": "tcp"}),
        UserAction(
            "create_tunnel",
            data={
                "name": "website",
                "protocol": "stcp",
                "local_port": 443,
                "node": "3",
                "secret_key": "key-of-stcp",
            },
        ),
        UserAction("delete_tunnel", "tunnel:4"),
        UserAction("retoken"),
    ),
    other=lambda service: (
        {"base_url": url_of(service), "username": "other", "password": "other-password"},
        service.state.accounts["other"].uuid,
    ),
    secrets=lambda service: {
        "demo-password",
        "changed-password",
        "demo@example.com",
        "13800000000",
        "key-of-stcp",
        service.account.csrf,
        service.account.link_token,
        *(mail.code for mail in service.state.mailbox),
    },
    envelope=frozenset({"status", "message", "token"}),
    ids=frozenset({"id", "uuid"}),
    troubles={
        "token expired": Trouble(
            begin=lambda service: setattr(
                service.account, "csrf_since", service.account.csrf_since - 8 * DAY
            ),
            outcome=Outcome.HEALED,
        ),
        "token revoked in mid-poll": Trouble(begin=_revoke_in_mid_poll, outcome=Outcome.HEALED),
        "password changed": Trouble(
            begin=_change_password,
            end=lambda service: setattr(service.account, "password", "demo-password"),
            outcome=Outcome.REFUSED,
        ),
        "account banned": Trouble(
            begin=lambda service: setattr(service.account, "banned", True),
            end=lambda service: setattr(service.account, "banned", False),
            outcome=Outcome.ODD,
        ),
    },
)


def _end_session(service: AnyService) -> None:
    service.account.csrf = None


def _end_client(service: AnyService) -> None:
    service.state.tunnels["1"].client_running = False


RELIABILITY = Reliability(
    cases=(HAYFRP,),
    variants={
        "hayfrp": Variant(
            HAYFRP,
            options={
                "sign_in_daily": True,
                "sign_in_from": "08:00:00",
                "sign_in_until": "10:00:00",
            },
        )
    },
    resource_changes=ResourceChanges(
        kind="tunnel",
        rows=lambda service: service.state.tunnels,
        add=lambda service, n: another(
            service.state.tunnels, f"{100 + n}", id=f"{100 + n}", proxy_name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(
            service.state.tunnels[id_], "proxy_name", f"other{n}"
        ),
        end_tokens=_end_session,
    ),
    commands={
        **tunnel_calls(
            TunnelUpdate(name="new", protocol="tcp", local_port=1, remote_port=2, node="1"),
            TunnelUpdate(name="changed"),
        ),
        "downloads": lambda provider: provider.downloads(),
        "reset_token": lambda provider: provider.reset_token(),
        "set_enabled of a tunnel": lambda provider: provider.set_enabled(
            Tunnel, "1", enabled=False
        ),
        "sign_in": lambda provider: provider.sign_in(),
    },
    limits=Limits(100, 120, Value("binary_sensor", "tunnel:1", "online"), _end_client),
)
