"""The providers, one row for each kind of entry: what the reliability tests know of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from hashlib import sha256
from typing import Any, NamedTuple

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import Grant
from simulator.hy2scale import hashed

from ..common import DAY, MINUTE
from .names import HOST

type AnyService = Any
"""One of the simulated services; each row knows which."""


def _named(url: str) -> str:
    """Return an address with a name in it, so that names are looked up."""
    return url.replace("127.0.0.1", HOST)


def _url(service: AnyService) -> str:
    return _named(service.url)


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
    answers: what is a fault elsewhere, but a good answer here.
    """

    action: str
    thing: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    domain: str = DOMAIN
    key: str = ""
    after: Act | None = None
    asks: bool = True
    answers: frozenset[str] = frozenset()


def press(thing: str, key: str) -> Act:
    """Press a button."""
    return Act("press", thing, domain="button", key=key)


def turn(action: str, thing: str, key: str) -> Act:
    """Turn a switch on or off."""
    return Act(f"turn_{action}", thing, domain="switch", key=key)


def _release(thing: str) -> Act:
    """Let a tunnel be that was held down."""
    return replace(turn("off", thing, "force_down"), after=turn("on", thing, "force_down"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What may happen to an account. end: makes it as it was, where time does not.

    only_later: it takes a session that has been there for a while.
    """

    begin: Callable[[AnyService], object]
    outcome: Outcome
    end: Callable[[AnyService], object] = lambda _: None
    only_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of entry.

    service: the provider, and its name at the simulator. credentials: what the entry holds.
    account: what its unique id ends with. ways: steps of the config flow that sign in, and what is
    entered there.
    steady: entities that show the same as long as nothing happens.
    acts: what a person can do; the first few are done in the quick form too.
    pace: seconds in which all steady entities are read once.
    prepare: makes the service's world as the row expects it.
    other: what the entry of another account there holds, and what its unique id ends with; None
    where a service has only one.
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
    other: Callable[[AnyService], tuple[dict[str, str], str]] | None = None
    pace: float = MINUTE
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
        "base_url": _url(service),
        "username": "demo",
        "password": "demo-password",
    },
    account=lambda service: service.account.uuid,
    ways={
        "hayfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": _url(service)},
        },
        "hayfrp_token": lambda service: {
            "token": service.account.csrf or "no-session",
            "advanced": {"base_url": _url(service)},
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
        _release("tunnel:2"),
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
    other=lambda service: (
        {"base_url": _url(service), "username": "other", "password": "other-password"},
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
        "base_url": _url(service),
        "oauth_url": _named(service.oauth_url),
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
    replace(_release("tunnel:1"), asks=False),
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


def _chmlfrp_other(service: AnyService) -> tuple[dict[str, str], str]:
    other = service.state.accounts["228"]
    return {"base_url": _url(service), "token": other.usertoken}, str(other.id)


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
            "advanced": {"base_url": _url(service), "oauth_url": _named(service.oauth_url)},
        },
    },
    steady=_CHMLFRP_STEADY,
    acts=_CHMLFRP_ACTS,
    other=_chmlfrp_other,
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
    credentials=lambda service: {"base_url": _url(service), "token": service.account.usertoken},
    account=lambda service: str(service.account.id),
    ways={
        "chmlfrp_token": lambda service: {
            "token": service.account.usertoken,
            "advanced": {"base_url": _url(service)},
        },
        "chmlfrp_password": lambda service: {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": _url(service)},
        },
    },
    steady=_CHMLFRP_STEADY,
    acts=_CHMLFRP_ACTS,
    other=_chmlfrp_other,
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
            only_later=True,
        ),
        "token replaced": Trouble(begin=_chmlfrp_replace_token, outcome=Outcome.REFUSED),
    },
)

# HY2 SCALE

_ALICE = "user:be3c9804"


def _hy2scale_secrets(service: AnyService) -> set[str | None]:
    state = service.state
    return {
        "hub-password",
        hashed("hub-password"),
        "password-of-new",
        state.server.password,
        state.l2tp.psk,
        state.ikev2.psk,
        state.wireguard.private_key,
        *state.tokens,
        *(client.password for client in state.clients.values()),
        *(user.password for user in state.users.values()),
        *(word for user in state.users.values() for word in user.proxy_passwords.values()),
        *(peer.private_key for peer in state.wireguard.peers),
        *(certificate.key for certificate in state.certificates.values()),
    }


_NULL = frozenset({"JSON: null"})
"""A good answer of a node that has no rows: what is to be deleted is not there any more."""

_RULE = {
    "id": "new",
    "name": "New",
    "type": "ip",
    "targets": ["2001:db8::/32"],
    "exit_paths": ["us"],
}


def _select(thing: str, key: str, option: str) -> Act:
    return Act("select_option", thing, {"option": option}, domain="select", key=key)


HY2SCALE = Case(
    name="hy2scale",
    service="hy2scale",
    credentials=lambda service: {
        "host": HOST,
        "port": service.url.rpartition(":")[2],
        "base_path": service.state.ui.base_path,
        "https": "false",
        "verify": "true",
        "username": "admin",
        "password_hash": hashed("hub-password"),
    },
    account=lambda service: service.state.node_id,
    ways={
        "hy2scale": lambda service: {
            "host": HOST,
            "port": int(service.url.rpartition(":")[2]),
            "https": False,
            "username": "admin",
            "password": "hub-password",
            "advanced": {"base_path": service.state.ui.base_path, "verify": True},
        },
    },
    steady=(
        Value("switch", "tunnel:us", "enabled"),
        Value("sensor", "hub:account", "version"),
        Value("switch", "proxy:http", "enabled"),
    ),
    acts=(
        turn("off", "tunnel:jp", "enabled"),
        Act("get_latency_history", "tunnel:us"),
        Act("create_rule", data=_RULE),
        _select(_ALICE, "exit_path", "jp"),
        turn("on", "tunnel:jp", "enabled"),
        turn("on", "tunnel:jp", "force_down"),
        replace(
            turn("off", "tunnel:jp", "force_down"), after=turn("on", "tunnel:jp", "force_down")
        ),
        turn("off", "proxy:socks5", "enabled"),
        turn("off", _ALICE, "enabled"),
        turn("off", "hub:account", "exit_node"),
        turn("off", "link:us", "nested"),
        turn("off", "vpn:account", "l2tp_enabled"),
        turn("off", "wireguard:account", "wireguard_enabled"),
        press("tunnel:kr", "force_offline"),
        press(_ALICE, "reset_traffic"),
        press(f"user_sessions:{_ALICE.partition(':')[2]}", "kick_sessions"),
        Act("kick_session", _ALICE),
        Act("check_ports", data={"ports": ["22/tcp"]}),
        Act("describe_node"),
        # As documented, a layout without positions.
        Act("get_graph_layout", answers=frozenset({"JSON: an empty object"})),
        Act("set_graph_layout", data={"positions": {"us": {"x": 1, "y": 2}}}),
        Act("get_peers", "tunnel:us", answers=_NULL),
        Act("resolve_name", data={"name": "example.com"}),
        Act("get_wireguard_config", "wireguard_peer:phone"),
        Act("generate_certificate", data={"id": "own", "domains": ["own.example.com"]}),
        Act("get_certificate", data={"id": "web"}),
        Act(
            "sign_certificate",
            data={"id": "signed", "authority": "mesh-ca", "host": "signed.example.com"},
        ),
        Act("delete_certificate", data={"id": "web"}, answers=_NULL),
        Act(
            "create_client",
            data={
                "name": "new",
                "addresses": ["new.example.com:5565"],
                "password": "password-of-new",
            },
        ),
        Act("update_client", "tunnel:kr", {"max_rate_in": 100}),
        Act("update_user", _ALICE, {"traffic_limit": 2}),
        Act("update_wireguard_peer", "wireguard_peer:laptop", {"address": "10.0.0.77/32"}),
        Act("delete_client", "tunnel:sg"),
        Act("delete_rule", "rule:games", answers=_NULL),
    ),
    secrets=_hy2scale_secrets,
    envelope=frozenset({"token"}),
    ids=frozenset({"id", "name", "node_id"}),
    troubles={
        "token expired": Trouble(
            begin=lambda service: service.state.tokens.clear(), outcome=Outcome.HEALED
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault("*", "status", after=1, status=401),
            outcome=Outcome.HEALED,
        ),
        "password changed": Trouble(
            begin=lambda service: service.set_password("changed-password"),
            end=lambda service: service.set_password("hub-password"),
            outcome=Outcome.REFUSED,
        ),
    },
)

# EasyTier


def _easytier_account(service: AnyService, mail: str) -> str:
    return f"{_url(service).partition('//')[2]}:{sha256(mail.encode()).hexdigest()[:16]}"


def _easytier_change_password(service: AnyService) -> None:
    service.account.password = "changed-password"
    service.refuse_tokens()


def _easytier_doubt_mail(service: AnyService) -> None:
    service.account.is_verified = False
    service.refuse_tokens()


_EASYTIER_REFUSAL = {"error": "未授权"}

EASYTIER = Case(
    name="easytier",
    service="easytier",
    credentials=lambda service: {
        "base_url": _url(service),
        "email": "demo@example.com",
        "password": "demo-password",
    },
    account=lambda service: _easytier_account(service, "demo@example.com"),
    other=lambda service: (
        {
            "base_url": _url(service),
            "email": "other@example.com",
            "password": "other-password",
        },
        _easytier_account(service, "other@example.com"),
    ),
    ways={
        "easytier_account": lambda service: {
            "base_url": _url(service),
            "email": "demo@example.com",
            "password": "demo-password",
            "advanced": {},
        },
    },
    steady=(
        Value("switch", "relay_node:1", "allow_relay"),
        Value("sensor", "relay_node:1", "bandwidth_tier"),
    ),
    acts=(
        turn("off", "relay_node:1", "allow_relay"),
        Act("query_nodes"),
        Act("update_node", "relay_node:2", {"connections_allowed": 7}),
        Act("check_node", "relay_node:1"),
        Act(
            "check_addresses",
            data={
                "addresses": "tcp://198.18.0.2:11010",
                "network_name": "demo-network",
                "network_secret": "demo-network-secret",
            },
        ),
        Act(
            "create_node",
            data={
                "name": "cabin",
                "region": "overseas",
                "connections": ["tcp://192.0.2.7:11010"],
                "valid_until": "2027-06-30",
            },
        ),
        Act(
            "report_node",
            "relay_node:1",
            {"online": True, "bandwidth": 1, "traffic": 1, "connections": 1},
        ),
        Act("regenerate_report_token", "relay_node:1"),
        Act("retoken"),
        Act("delete_node", "relay_node:4"),
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
    pace=2 * MINUTE,
    troubles={
        "token expired": Trouble(
            begin=lambda service: service.refuse_tokens(), outcome=Outcome.HEALED
        ),
        "token revoked in mid-poll": Trouble(
            begin=lambda service: service.fault(
                "/api/nodes/my", "body", status=401, body=_EASYTIER_REFUSAL
            ),
            outcome=Outcome.HEALED,
            only_later=True,
        ),
        "password changed": Trouble(
            begin=_easytier_change_password,
            end=lambda service: setattr(service.account, "password", "demo-password"),
            outcome=Outcome.REFUSED,
        ),
        "account no longer verified": Trouble(
            begin=_easytier_doubt_mail,
            end=lambda service: setattr(service.account, "is_verified", True),
            outcome=Outcome.REFUSED,
        ),
    },
)

CASES = (HAYFRP, CHMLFRP_BROWSER, CHMLFRP_TOKEN, HY2SCALE, EASYTIER)
