"""The providers, one row for each kind of entry: what the reliability tests know of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import Grant

from ..common import DAY

type AnyService = Any
"""One of the simulated services; each row knows which."""


class Outcome(Enum):
    """What a trouble comes to."""

    UNAVAILABLE = "unavailable"
    """No usable answer at all: wait, keep the last good values for a while, come back."""
    REFUSED = "refused"
    """The login is refused: ask the user."""
    HEALED = "healed"
    """Nobody notices."""
    ODD = "odd"
    """Answers that make some sense: no exception, no new login, all as before afterwards."""


class Value(NamedTuple):
    """An entity. thing: such as "tunnel:1"."""

    platform: str
    thing: str
    key: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person does: an action of ours, or of an entity (key).

    after: what must have been done before. asks: whether the service is asked at all.
    """

    action: str
    thing: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    domain: str = DOMAIN
    key: str = ""
    after: Act | None = None
    asks: bool = True


def press(thing: str, key: str) -> Act:
    """Press a button."""
    return Act("press", thing, domain="button", key=key)


def turn(action: str, thing: str, key: str) -> Act:
    """Turn a switch on or off."""
    return Act(f"turn_{action}", thing, domain="switch", key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What may happen to an account. end: makes it as it was, where time does not.

    at_sign_in: whether signing in takes long enough for it.
    """

    begin: Callable[[AnyService], object]
    outcome: Outcome
    end: Callable[[AnyService], object] = lambda _: None
    at_sign_in: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of entry.

    service: the provider, and its name at the simulator. credentials: what the entry holds.
    account: what its unique id ends with. ways: steps of the config flow that sign in, and what is
    entered there.
    steady: entities that show the same as long as nothing happens, of feeds polled every minute.
    acts: what a person can do; the first few are done in the quick form too.
    prepare: makes the service's world as the row expects it.
    secrets: what nobody must see. envelope: the fields that tell whether an answer is one; ids:
    those that tell which thing a row is about.
    """

    name: str
    service: str
    credentials: Callable[[AnyService], dict[str, str]]
    account: Callable[[AnyService], str]
    ways: Mapping[str, Callable[[AnyService], dict[str, Any]]]
    steady: tuple[Value, ...]
    acts: tuple[Act, ...]
    secrets: Callable[[AnyService], set[str | None]]
    envelope: frozenset[str]
    ids: frozenset[str]
    troubles: Mapping[str, Trouble]
    prepare: Callable[[AnyService], object] = lambda _: None


# HayFrp

_HAYFRP_REFUSAL = {"status": 403, "message": "登录无效或已过期."}


def _hayfrp_revoke_in_mid_poll(service: AnyService) -> None:
    csrf = service.account.csrf or ""
    service.fault("*", "body", match={"csrf": csrf}, times=1, after=1, body=_HAYFRP_REFUSAL)


def _hayfrp_change_password(service: AnyService) -> None:
    service.account.password, service.account.csrf = "changed-password", None


HAYFRP = Case(
    name="hayfrp",
    service="hayfrp",
    credentials=lambda service: {
        "base_url": service.url,
        "username": "demo",
        "password": "demo-password",
    },
    account=lambda service: service.account.uuid,
    ways={
        "hayfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": service.url},
        },
        "hayfrp_token": lambda service: {
            "token": service.account.csrf or "no-session",
            "advanced": {"base_url": service.url},
        },
    },
    steady=(
        Value("sensor", "account:account", "tunnels_used"),
        Value("switch", "tunnel:1", "enabled"),
        Value("sensor", "tunnel:1", "local_address"),
    ),
    acts=(
        turn("off", "tunnel:2", "enabled"),
        Act("check_tunnel", "tunnel:1"),
        Act("update_tunnel", "tunnel:3", {"name": "renamed"}),
        Act("sign_in"),
        turn("on", "tunnel:2", "enabled"),
        turn("on", "tunnel:2", "force_down"),
        replace(turn("off", "tunnel:2", "force_down"), after=turn("on", "tunnel:2", "force_down")),
        press("account:account", "sign_in"),
        press("tunnel:2", "force_offline"),
        Act("force_offline", "tunnel:2"),
        Act("get_tunnel_config", "tunnel:1"),
        Act("get_tunnel_config", "node:1", {"format": "ini"}),
        Act("list_downloads"),
        Act(
            "create_tunnel",
            data={
                "name": "website",
                "protocol": "stcp",
                "local_port": 443,
                "node": "3",
                "secret_key": "key-of-stcp",
            },
        ),
        Act("delete_tunnel", "tunnel:4"),
        Act("retoken"),
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
        "token revoked in mid-poll": Trouble(
            begin=_hayfrp_revoke_in_mid_poll, outcome=Outcome.HEALED
        ),
        "password changed": Trouble(
            begin=_hayfrp_change_password,
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

# ChmlFrp, signed in to by a browser and with a pasted API token


def _chmlfrp_granted(service: AnyService) -> dict[str, str]:
    end = service.now() + service.state.settings.access_token_seconds
    number = service.new_id()
    grant = Grant(
        userid=service.account.id,
        client_id="demo-client",
        scope="profile email offline_access chmlfrp_api",
        access_token=f"access-token-{number}",
        refresh_token=f"refresh-token-{number}",
        expires_at=end,
    )
    service.state.grants = {"g": grant}
    return {
        "base_url": service.url,
        "oauth_url": service.oauth_url,
        "client_id": "demo-client",
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token or "",
        "expires_at": str(end),
    }


_CHMLFRP_REFUSAL = {"code": 401, "state": "error", "msg": "无效的Token"}

_CHMLFRP_ACTS = (
    press("tunnel:1", "force_offline"),
    Act("check_tunnel", "tunnel:1"),
    Act("update_tunnel", "tunnel:2", {"local_port": 8124}),
    Act("list_domains"),
    press("tunnel:1", "refresh"),
    turn("on", "tunnel:1", "force_down"),
    # There is nothing to enable again.
    replace(
        turn("off", "tunnel:1", "force_down"),
        after=turn("on", "tunnel:1", "force_down"),
        asks=False,
    ),
    Act("force_offline", "tunnel:1"),
    Act("force_all_offline"),
    Act("get_tunnel_config", "tunnel:1"),
    Act("get_tunnel_config", "node:1"),
    Act("get_traffic_history", "account:account"),
    Act("get_traffic_history", "tunnel:1"),
    Act("get_node_history", "node:1"),
    Act("send_code"),
    Act("retoken", data={"code": "a-wrong-code"}),
    Act(
        "sign_in",
        data={"lot_number": "1", "captcha_output": "2", "pass_token": "3", "gen_time": "4"},
    ),
    Act("update_account", data={"contact": "10002"}),
    Act("get_app_version", data={"loader": "fabric", "minecraft": "1.21", "kind": "mod"}),
    Act(
        "create_subdomain",
        data={"domain": "frp.example", "record": "new", "type": "A", "target": "192.0.2.1"},
    ),
    Act("update_subdomain", data={"domain": "frp.example", "record": "home", "ttl": "10m"}),
    Act("delete_subdomain", data={"domain": "frp.example", "record": "home"}),
    Act(
        "create_tunnel",
        data={
            "name": "printer",
            "protocol": "tcp",
            "local_port": 631,
            "remote_port": 20631,
            "node": "1",
        },
    ),
    Act("delete_tunnel", "tunnel:4"),
)


def _chmlfrp_secrets(service: AnyService) -> set[str | None]:
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


_CHMLFRP_STEADY = (
    Value("sensor", "account:account", "tunnels_used"),
    Value("sensor", "tunnel:1", "local_address"),
)


def _chmlfrp_replace_token(service: AnyService) -> None:
    service.account.usertoken = f"another-token-{service.new_id()}"


def _chmlfrp_end_grant(service: AnyService) -> None:
    service.state.grants.clear()


def _chmlfrp_lose_renewal(service: AnyService) -> None:
    service.state.grants["g"].expires_at = 0
    service.fault("/oauth2/token", "cut")


CHMLFRP_BROWSER = Case(
    name="chmlfrp, browser",
    service="chmlfrp",
    credentials=_chmlfrp_granted,
    account=lambda service: str(service.account.id),
    ways={
        "chmlfrp_device": lambda service: {
            "client_id": "demo-client",
            "advanced": {"base_url": service.url, "oauth_url": service.oauth_url},
        },
    },
    steady=_CHMLFRP_STEADY,
    acts=_CHMLFRP_ACTS,
    secrets=_chmlfrp_secrets,
    envelope=frozenset({"code", "state", "msg"}),
    ids=frozenset({"id"}),
    # A refresh token works once: what becomes of a spoilt renewal is one of the troubles.
    prepare=lambda service: setattr(service.state.settings, "access_token_seconds", 10 * DAY),
    troubles={
        "token expired": Trouble(
            begin=lambda service: setattr(service.state.grants["g"], "expires_at", 0),
            outcome=Outcome.HEALED,
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("/tunnel", "body", body=_CHMLFRP_REFUSAL),
            outcome=Outcome.HEALED,
        ),
        "token expired, the answer with another cut off": Trouble(
            begin=_chmlfrp_lose_renewal, outcome=Outcome.REFUSED
        ),
        "sign-in revoked": Trouble(begin=_chmlfrp_end_grant, outcome=Outcome.REFUSED),
    },
)

CHMLFRP_TOKEN = Case(
    name="chmlfrp, token",
    service="chmlfrp",
    credentials=lambda service: {"base_url": service.url, "token": service.account.usertoken},
    account=lambda service: str(service.account.id),
    ways={
        "chmlfrp_token": lambda service: {
            "token": service.account.usertoken,
            "advanced": {"base_url": service.url},
        },
        "chmlfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": service.url},
        },
    },
    steady=_CHMLFRP_STEADY,
    acts=_CHMLFRP_ACTS,
    secrets=_chmlfrp_secrets,
    envelope=frozenset({"code", "state", "msg"}),
    ids=frozenset({"id"}),
    prepare=lambda service: setattr(service.state.settings, "password_login", True),
    troubles={
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault(
                "*", "body", times=None, after=1, body=_CHMLFRP_REFUSAL
            ),
            outcome=Outcome.REFUSED,
            at_sign_in=False,
        ),
        "token replaced": Trouble(begin=_chmlfrp_replace_token, outcome=Outcome.REFUSED),
    },
)

CASES = (HAYFRP, CHMLFRP_BROWSER, CHMLFRP_TOKEN)
