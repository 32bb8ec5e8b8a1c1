"""Tests the node manager's commands in both dialects."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.capabilities.directory import ALL_NODES
from custom_components.tunnel_hub.api.easytier import EasyTierProvider
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    NodeGoneError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.models.account import NewAccount
from custom_components.tunnel_hub.api.models.directory import (
    CheckTarget,
    Region,
    RelayNodeConnection,
    RelayNodeReport,
    RelayNodeUpdate,
)
from custom_components.tunnel_hub.api.provider import Issue
from simulator.easytier import EasyTierService

from ...conftest import Dialect
from ..refusals import refused
from .conftest import Begin
from .test_client import target

NEW = RelayNodeUpdate(
    name="家里",
    region=Region.DOMESTIC,
    connections=(RelayNodeConnection(type="tcp", host="192.0.2.7", port=11010),),
)
EVERYTHING = RelayNodeUpdate(
    name="家里",
    region=Region.OVERSEAS,
    place="东京",
    connections=(
        RelayNodeConnection(type="TCP", host="192.0.2.7", port=1),
        RelayNodeConnection(type="ws", host="nodes.example.com", port=65535),
    ),
    bandwidth_tier=50,
    bandwidth_maximum=1000,
    traffic_allowed=2000,
    reset_day=31,
    connections_allowed=64,
    tags=("高速", "稳定"),
    notes="在书房",
    valid_until=date(2099, 1, 1),
    allow_relay=True,
    network_name="home",
    network_secret="open sesame",
)
RAW = {
    "node_name": "家里",
    "region_type": "overseas",
    "region_detail": "东京",
    "connections": [
        {"type": "TCP", "ip": "192.0.2.7", "port": 1},
        {"type": "WS", "ip": "nodes.example.com", "port": 65535},
    ],
    "tier_bandwidth": 50,
    "max_bandwidth": 1000,
    "max_traffic": 2000,
    "reset_cycle": 31,
    "max_connections": 64,
    "tags": "高速,稳定",
    "notes": "在书房",
    "valid_until": "2099-01-01",
    "allow_relay": 1,
    "network_name": "home",
    "network_token": "open sesame",
}
REPORT = RelayNodeReport(online=True, bandwidth=12.5, traffic=3, connections=5)


def bodies(easytier: EasyTierService, method: str, path: str) -> list[object]:
    """Return the bodies that were sent to a route, in order."""
    return [call.body for call in easytier.calls_to(path) if call.method == method]


# Identity


def test_payloads_and_reports_show_no_secret() -> None:
    shown = (
        EVERYTHING,
        replace(REPORT, token="open sesame"),
        CheckTarget(address="tcp://192.0.2.7:1", network_name="n", network_secret="open sesame"),
    )
    assert "open sesame" not in repr(shown)


async def test_the_address_is_normalized(session: ClientSession) -> None:
    pasted = {"base_url": " nodes.example.com/dashboard/ "}

    provider = EasyTierProvider(session, pasted, {})

    assert provider.credentials == {"base_url": "https://nodes.example.com"}
    with refused(InvalidInputError, "invalid_url"):
        EasyTierProvider(session, {}, {})


async def test_identity(begin: Begin, easytier: EasyTierService) -> None:
    """It contains the server and the account, but not the email address."""
    server = easytier.url.removeprefix("http://")

    identity = await begin().identify()
    other = await begin("other").identify()
    anonymous = await begin(None).identify()

    assert identity.title == f"demo ({server})"
    assert identity.id.startswith(f"{server}:")
    assert "@" not in identity.id
    assert len({identity.id, other.id, anonymous.id}) == 3
    assert identity == await begin(email="demo@example.com").identify()
    assert (anonymous.id, anonymous.title) == (server, server)


async def test_one_account_with_different_spellings(session: ClientSession, begin: Begin) -> None:
    first, second = begin(email="demo@example.com"), begin(email=" Demo@Example.com ")
    first.credentials = second.credentials = {**first.credentials}

    assert (await first.identify()).id == (await second.identify()).id


async def test_identity_of_a_refused_account(begin: Begin) -> None:
    with refused(AuthenticationError, "邮箱或密码错误"):
        await begin(password="wrong-password").identify()
    with pytest.raises(AuthenticationError) as caught:
        await begin("unverified").identify()
    assert caught.value.key == "mail_not_verified"


async def test_set_up_a_server(begin: Begin, easytier: EasyTierService) -> None:
    easytier.state.settings.initialized = False
    provider = begin(None)
    admin = NewAccount(username="", mail="first@example.com", password="first-password")
    assert await provider.is_initialized() is False

    with refused(InvalidInputError, "jwt_secret_refused"):
        await provider.initialize("wrong", admin)
    await provider.initialize(easytier.state.jwt_secret, admin)

    assert await provider.is_initialized() is True
    assert await begin("first").is_administrator()
    with refused(RejectedError, "系统已经初始化"):
        await provider.initialize(easytier.state.jwt_secret, admin)


# Accounts


@pytest.mark.parametrize("form", ["{token}", " {token} ", "{url}/verify?token={token}"])
async def test_register(begin: Begin, easytier: EasyTierService, form: str) -> None:
    new = NewAccount(username="", mail="new@example.com", password="new-password")
    anonymous = begin(None)

    assert await anonymous.begin_registration(new) is True
    (mail,) = easytier.state.mailbox
    await anonymous.finish_registration(new, form.format(token=mail.token, url=easytier.url))

    assert (await begin("new").identify()).title.startswith("new ")


async def test_register_without_email_verification(begin: Begin, easytier: EasyTierService) -> None:
    easytier.state.settings.email_verification = False
    new = NewAccount(username="", mail="new@example.com", password="new-password")

    assert await begin(None).begin_registration(new) is False


async def test_register_on_a_server_that_cannot_send_email(
    begin: Begin, easytier: EasyTierService
) -> None:
    """The server returns the token of the email."""
    easytier.state.settings.mail = False
    new = NewAccount(username="", mail="new@example.com", password="new-password")

    assert await begin(None).begin_registration(new) is False

    assert (await begin("new").identify()).title.startswith("new ")


@pytest.mark.parametrize("route", [True, False])
async def test_resend_an_email(begin: Begin, easytier: EasyTierService, *, route: bool) -> None:
    """If the server cannot, the account is registered again."""
    easytier.state.settings.undocumented_endpoints = route
    new = NewAccount(username="", mail="new@example.com", password="new-password")
    anonymous = begin(None)
    await anonymous.begin_registration(new)

    assert await anonymous.resend_registration_code(new) is True

    first, second = easytier.state.mailbox
    assert len(easytier.calls_to("/api/auth/register")) == (1 if route else 2)
    with refused(RejectedError, "无效的验证令牌"):
        await anonymous.finish_registration(new, first.token)
    await anonymous.finish_registration(new, second.token)
    assert await anonymous.resend_registration_code(new) is False, "the address is already verified"


async def test_an_email_that_cannot_be_sent_again(begin: Begin, easytier: EasyTierService) -> None:
    new = NewAccount(username="", mail="new@example.com", password="new-password")
    anonymous = begin(None)
    await anonymous.begin_registration(new)
    easytier.state.settings.mail = False

    assert await anonymous.resend_registration_code(new) is False

    assert (await begin("new").identify()).title.startswith("new ")


async def test_a_server_without_an_administrator(begin: Begin, easytier: EasyTierService) -> None:
    """Created by hand, it reports that it is initialized, but refuses every login."""
    easytier.state.accounts.clear()
    easytier.state.settings.without_administrator = True
    new = NewAccount(username="", mail="new@example.com", password="new-password")

    with refused(InvalidInputError, "no_administrator"):
        await begin().identify()
    with refused(InvalidInputError, "no_administrator"):
        await begin(None).begin_registration(new)


async def test_a_refused_password_creates_no_account(
    begin: Begin, easytier: EasyTierService
) -> None:
    with refused(AuthenticationError, "邮箱或密码错误"):
        await begin("unknown").identify()
    with pytest.raises(AuthenticationError):
        await begin("unverified").identify()

    assert len(easytier.state.accounts) == 4
    assert len(easytier.calls_to("/api/auth/register")) == 1


async def test_a_server_that_does_not_report_whether_registration_is_open(
    begin: Begin, easytier: EasyTierService
) -> None:
    easytier.fault("/api/auth/register", "error", times=None)

    with refused(AuthenticationError, "邮箱或密码错误"):
        await begin("unknown").identify()


async def test_an_existing_account(begin: Begin) -> None:
    taken = NewAccount(username="", mail="demo@example.com", password="new-password")

    with refused(RejectedError, "该邮箱已被注册并激活"):
        await begin(None).begin_registration(taken)
    with refused(RejectedError, "无效的验证令牌"):
        await begin(None).finish_registration(taken, "http://[")


async def test_administrators(begin: Begin) -> None:
    assert await begin("admin").is_administrator() is True
    assert await begin("demo").is_administrator() is False


async def test_a_login_returns_an_administrator(begin: Begin, easytier: EasyTierService) -> None:
    easytier.state.settings.undocumented_endpoints = False

    assert await begin("admin").is_administrator() is True
    assert await begin("demo").is_administrator() is False


# The session


async def test_a_refusal_that_the_login_does_not_confirm(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """The login returns the same token, so the user is not asked for a password."""
    await provider.feeds["nodes"].fetch()
    easytier.fault("/api/nodes/my", "body", status=401, body={"error": "未授权"})

    await provider.feeds["nodes"].fetch()

    easytier.fault("/api/nodes/my", "body", times=None, status=401, body={"error": "未授权"})
    with pytest.raises(UnavailableError, match="未授权"):
        await provider.feeds["nodes"].fetch()


async def test_a_login_without_a_token(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/auth/login", "body", body={"user": "demo"})

    with refused(UnavailableError):
        await provider.feeds["nodes"].fetch()


async def test_a_login_with_only_a_token(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/auth/login", "patch", remove=("user",))

    assert len(await provider.feeds["nodes"].fetch()) == 8


def test_console_url(begin: Begin, easytier: EasyTierService) -> None:
    assert begin("demo").console_url == easytier.url


async def test_reset_token(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    await provider.feeds["nodes"].fetch()
    before = provider.credentials["token"]

    assert await provider.reset_token() is None, "no other program needs it"

    token = provider.credentials["token"]
    assert (token == before) is (dialect == "real")
    await provider.feeds["nodes"].fetch()
    (*_, call) = easytier.calls_to("/api/nodes/my")
    assert call.headers["Authorization"] == f"Bearer {token}"


async def test_a_reset_without_a_new_token(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """The next request signs in again."""
    await provider.feeds["nodes"].fetch()
    easytier.fault("/api/auth/reset-token", "body", body={})
    with refused(UnavailableError):
        await provider.reset_token()
    easytier.refuse_tokens()

    assert len(await provider.feeds["nodes"].fetch()) == 8


COMMANDS: Mapping[str, Callable[[EasyTierProvider], Awaitable[object]]] = {
    "check_node": lambda p: p.check_node("1"),
    "create_node": lambda p: p.create_node(NEW),
    "delete_node": lambda p: p.delete_node("1"),
    "is_administrator": EasyTierProvider.is_administrator,
    "regenerate_report_token": lambda p: p.regenerate_report_token("1"),
    "report_node": lambda p: p.report_node("1", REPORT),
    "reset_token": EasyTierProvider.reset_token,
    "set_allow_relay": lambda p: p.set_allow_relay("1", allowed=True),
    "update_node": lambda p: p.update_node("1", NEW),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_commands_that_require_an_account(
    begin: Begin, easytier: EasyTierService, name: str
) -> None:
    """They do not start reauthentication: no credentials were refused."""
    with refused(InvalidInputError, "account_needed"):
        await COMMANDS[name](begin(None))

    assert not easytier.calls


# Nodes


async def test_create_a_node(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    assert await provider.create_node(NEW) == "12"

    node = easytier.state.nodes["12"]
    assert (node.valid_until, node.allow_relay, node.reset_cycle) == ("2999-12-31", 0, 0)
    path = "/api/nodes" if dialect == "real" else "/api/nodes/"
    assert bodies(easytier, "POST", path) == [
        {
            "node_name": "家里",
            "region_type": "domestic",
            "region_detail": "",
            "connections": [{"type": "TCP", "ip": "192.0.2.7", "port": 11010}],
            "reset_cycle": 0,
            "tags": "",
            "valid_until": "2999-12-31",
            "allow_relay": 0,
        }
    ]


async def test_create_a_node_with_all_fields(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    await provider.create_node(EVERYTHING)

    path = "/api/nodes" if dialect == "real" else "/api/nodes/"
    assert bodies(easytier, "POST", path) == [RAW]


async def test_the_bandwidth_of_a_new_node_is_sent_again(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    """The public source stores 0 for a new node."""
    created = await provider.create_node(replace(NEW, bandwidth_tier=80))

    assert easytier.state.nodes[created].tier_bandwidth == 80
    again = [{"tier_bandwidth": 80}] if dialect == "real" else []
    assert bodies(easytier, "PUT", "/api/nodes/{id}") == again


@pytest.mark.parametrize("options", [{"body": {"message": "ok"}}, {"status": 500, "body": "{}"}])
async def test_the_bandwidth_of_a_new_node_is_not_stored(
    begin: Begin, easytier: EasyTierService, options: Mapping[str, Any]
) -> None:
    easytier.state.settings.dialect = "real"
    easytier.fault("/api/nodes/{id}", "body", match={"tier_bandwidth": 80}, times=None, **options)

    with pytest.raises(InvalidInputError) as caught:
        await begin().create_node(replace(NEW, bandwidth_tier=80))

    assert (caught.value.key, caught.value.placeholders) == (
        "bandwidth_tier_not_stored",
        {"node": "12"},
    )


async def test_a_second_node_with_the_same_name(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """Reports only find the first one."""
    await provider.create_node(NEW)
    with pytest.raises(InvalidInputError) as caught:
        await provider.create_node(NEW)
    assert (caught.value.key, caught.value.placeholders) == ("node_name_taken", {"name": "家里"})

    with refused(InvalidInputError, "node_name_taken"):
        await provider.update_node("1", RelayNodeUpdate(name="家里"))
    await provider.update_node("12", RelayNodeUpdate(name="家里", tags=("新",)))

    assert len(easytier.state.nodes) == 12
    easytier.state.nodes["9"].node_name = "别人的"
    await provider.create_node(replace(NEW, name="别人的"))


async def test_a_second_node_with_the_same_name_without_a_list(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """The names are unknown then, so the node is created."""
    await provider.create_node(NEW)
    easytier.fault("/api/nodes/my", "error", times=None)

    assert await provider.create_node(NEW) == "13"


@pytest.mark.parametrize("name", ["demo", "admin"])
async def test_an_issue_with_nodes_of_one_name(
    begin: Begin, easytier: EasyTierService, name: str, dialect: Dialect
) -> None:
    """Only for one account: nodes of different known owners may have the same name."""
    provider = begin(name, {ALL_NODES: name == "admin"})

    async def shown() -> list[Mapping[str, object]]:
        await provider.feeds["nodes"].fetch()
        return [p.placeholders for p in provider.issues() if p.key == "nodes_of_one_name"]

    easytier.state.nodes["9"].node_name = easytier.state.nodes["1"].node_name = "家里"
    assert await shown() == []
    easytier.state.nodes["3"].node_name = "家里"
    known = name == "demo" or dialect == "real"
    assert await shown() == ([{"names": ("家里",)}] if known else [])
    easytier.state.nodes["3"].node_name = "那里"
    assert await shown() == []


async def test_a_report_that_only_reaches_the_first_of_a_name(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.state.nodes["3"].node_name = easytier.state.nodes["1"].node_name
    first, third = (easytier.state.nodes[number].report_token for number in "13")

    with refused(InvalidInputError, "report_reaches_namesake"):
        await provider.report_node("3", replace(REPORT, token=third))
    with refused(InvalidInputError, "report_refused"):
        await provider.report_node("1", replace(REPORT, token=third))
    await provider.report_node("1", replace(REPORT, token=first))


async def test_a_new_node_without_an_id(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("*", "patch", match={"node_name": "家里"}, times=2, remove=("node_id",))

    with refused(UnavailableError):
        await provider.create_node(NEW)


@pytest.mark.parametrize("field", ["name", "region", "connections"])
async def test_required_fields_of_a_node(
    provider: EasyTierProvider, easytier: EasyTierService, field: str
) -> None:
    missing = replace(NEW, **{field: None})

    with refused(InvalidInputError, "node_field_needed"):
        await provider.create_node(missing)

    assert not easytier.calls


def connection_at(port: int) -> RelayNodeUpdate:
    """A payload with a connection at a port."""
    connection = RelayNodeConnection(type="tcp", host="192.0.2.7", port=port)
    return RelayNodeUpdate(connections=(connection,))


TODAY = date(2026, 5, 8)
IMPOSSIBLE = [
    (RelayNodeUpdate(name=""), "node_field_needed", {"field": "name"}),
    (RelayNodeUpdate(connections=()), "node_field_needed", {"field": "connections"}),
    (connection_at(0), "port_out_of_range", {"port": "0", "minimum": "1", "maximum": "65535"}),
    (
        connection_at(65536),
        "port_out_of_range",
        {"port": "65536", "minimum": "1", "maximum": "65535"},
    ),
    (
        RelayNodeUpdate(reset_day=40),
        "reset_day_out_of_range",
        {"day": "40", "minimum": "0", "maximum": "31"},
    ),
    (
        RelayNodeUpdate(reset_day=-1),
        "reset_day_out_of_range",
        {"day": "-1", "minimum": "0", "maximum": "31"},
    ),
    (RelayNodeUpdate(valid_until=TODAY), "valid_until_past", {"date": "2026-05-08"}),
    (RelayNodeUpdate(valid_until=date(2020, 1, 1)), "valid_until_past", {"date": "2020-01-01"}),
]


@pytest.mark.parametrize("payload, key, placeholders", IMPOSSIBLE)
async def test_invalid_fields_of_a_node(
    *,
    provider: EasyTierProvider,
    easytier: EasyTierService,
    freezer: FrozenDateTimeFactory,
    payload: RelayNodeUpdate,
    key: str,
    placeholders: Mapping[str, str],
) -> None:
    """The public source would store them."""
    freezer.move_to(datetime(2026, 5, 8, 23, 59, tzinfo=UTC))
    new = replace(
        NEW,
        **{
            name: value
            for name in RelayNodeUpdate.__dataclass_fields__
            if (value := getattr(payload, name)) is not None
        },
    )

    for command in (provider.create_node(new), provider.update_node("1", payload)):
        with pytest.raises(InvalidInputError) as caught:
            await command
        assert (caught.value.key, caught.value.placeholders) == (key, placeholders)

    assert not [call for call in easytier.calls if call.method == "PUT"]
    assert not [call for call in easytier.calls if call.path.rstrip("/") == "/api/nodes"]


async def test_a_node_may_expire_tomorrow(
    provider: EasyTierProvider, easytier: EasyTierService, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime(2026, 5, 8, 23, 59, tzinfo=UTC))

    await provider.update_node("1", RelayNodeUpdate(valid_until=date(2026, 5, 9), reset_day=0))

    assert easytier.state.nodes["1"].valid_until == "2026-05-09"


async def test_an_update_sends_changed_fields(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    node = easytier.state.nodes["1"]
    payload = RelayNodeUpdate(
        name=node.node_name,
        region=Region(node.region_type),
        connections=[
            RelayNodeConnection(type=way.type.lower(), host=way.ip, port=way.port)
            for way in node.connections
        ],
        bandwidth_tier=node.tier_bandwidth,
        tags=("新",),
        allow_relay=True,
        network_name="demo-network",
    )
    easytier.state.nodes["1"].allow_relay = 1

    await provider.update_node("1", payload)

    unknown = {"allow_relay": 1, "network_name": "demo-network"} if dialect == "documented" else {}
    assert bodies(easytier, "PUT", "/api/nodes/1") == [{"tags": "新", **unknown}]


async def test_an_expiry_with_a_time(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    easytier.state.nodes["1"].valid_until = "2099-01-01T00:00:00.000Z"

    await provider.update_node("1", RelayNodeUpdate(valid_until=date(2099, 1, 1)))

    assert len(bodies(easytier, "PUT", "/api/nodes/1")) == (dialect == "documented")


async def test_an_update_of_all_fields(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    node = easytier.state.nodes["1"]
    node.allow_relay, node.tier_bandwidth, node.max_bandwidth = 0, 1, 1
    node.tags = ""

    await provider.update_node("1", EVERYTHING)

    assert bodies(easytier, "PUT", "/api/nodes/1") == [RAW]


async def test_an_update_repairs_a_node_that_cannot_be_read(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    """Its fields are unknown, so all given fields are sent."""
    node = easytier.state.nodes["1"]
    node.is_damaged = True

    await provider.update_node("1", replace(connection_at(11010), name=node.node_name))

    assert bodies(easytier, "PUT", "/api/nodes/1") == [
        {
            "node_name": node.node_name,
            "connections": [{"type": "TCP", "ip": "192.0.2.7", "port": 11010}],
        }
    ]
    assert not node.is_damaged


async def test_an_update_of_a_node_that_remains_unreadable(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.state.nodes["1"].is_damaged = True

    await provider.update_node("1", RelayNodeUpdate(tags=("新",)))

    assert easytier.state.nodes["1"].tags == "新"


async def test_an_update_while_the_server_is_unavailable(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/nodes/{id}", "reset", times=None)

    with refused(UnavailableError):
        await provider.update_node("1", RelayNodeUpdate(tags=("新",)))

    assert not bodies(easytier, "PUT", "/api/nodes/1")


async def test_an_update_without_effect(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/nodes/{id}", "body", match={"tags": "新"}, body={"message": "ok"})

    with pytest.raises(InvalidInputError) as caught:
        await provider.update_node("1", RelayNodeUpdate(tags=("新",)))

    assert (caught.value.key, caught.value.placeholders) == ("not_stored", {"fields": "tags"})


@pytest.mark.parametrize("number", [10**30, float("inf"), float("nan"), 1e19, 2**63])
async def test_numbers_that_cannot_be_stored(
    provider: EasyTierProvider, easytier: EasyTierService, number: float
) -> None:
    token = easytier.state.nodes["1"].report_token
    payload = RelayNodeUpdate(connections_allowed=cast("int", number))
    report = replace(REPORT, connections=cast("int", number), token=token)

    for command in (
        provider.create_node(replace(NEW, traffic_allowed=number)),
        provider.update_node("1", payload),
        provider.report_node("1", report),
    ):
        with refused(InvalidInputError, "number_too_large"):
            await command

    assert not [call for call in easytier.calls if call.method == "PUT"]
    assert not easytier.calls_to("/api/report")


async def test_a_trailing_space_in_a_secret(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    await provider.update_node("1", RelayNodeUpdate(network_secret="open sesame "))
    assert easytier.state.nodes["1"].network_token == "open sesame "

    await provider.update_node("1", RelayNodeUpdate(network_secret="open sesame "))
    assert len(bodies(easytier, "PUT", "/api/nodes/1")) == (1 if dialect == "real" else 2)
    await provider.update_node("1", RelayNodeUpdate(network_secret="open sesame"))
    assert easytier.state.nodes["1"].network_token == "open sesame"


async def test_an_update_without_changes(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    """The second of two equal updates changes nothing that can be read."""
    await provider.update_node("1", EVERYTHING)
    await provider.update_node("1", EVERYTHING)
    await provider.update_node("1", RelayNodeUpdate())

    sent = bodies(easytier, "PUT", "/api/nodes/1")
    hidden = {"allow_relay", "network_name", "network_token", "notes", "reset_cycle", "valid_until"}
    assert sent[1:] == (
        [] if dialect == "real" else [{name: RAW[name] for name in RAW if name in hidden}]
    )


async def test_an_update_without_the_endpoint_for_one_node(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.state.settings.undocumented_endpoints = False

    await provider.update_node("1", RelayNodeUpdate(tags=("新",)))
    await provider.update_node("1", RelayNodeUpdate(tags=("新",)))

    # The newest node comes first in the list.
    easytier.state.nodes["1"].created_at = "2099-01-01 00:00:00"
    await provider.update_node("4", RelayNodeUpdate(tags=("新",)))

    assert bodies(easytier, "PUT", "/api/nodes/1") == [{"tags": "新"}]
    assert bodies(easytier, "PUT", "/api/nodes/4") == [{"tags": "新"}]
    with refused(NodeGoneError, "node_gone"):
        await provider.update_node("99", RelayNodeUpdate(tags=("新",)))


# Reports


async def test_report_a_node(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    node = easytier.state.nodes["4"]
    before = node.used_traffic if dialect == "documented" else 0
    report = replace(REPORT, token=None if dialect == "real" else node.report_token)

    result = await provider.report_node("4", report)

    assert (node.status, node.current_bandwidth, node.connection_count) == ("online", 12.5, 5)
    assert node.used_traffic == before + 3
    assert result.traffic_used == round(node.used_traffic * 1024**3)
    assert result.traffic_allowed == round(node.max_traffic * 1024**3)
    assert result.traffic_reset == datetime.fromisoformat(node.reset_date)


async def test_report_a_node_offline(provider: EasyTierProvider, easytier: EasyTierService) -> None:
    node = easytier.state.nodes["1"]
    report = replace(REPORT, online=False, bandwidth_tier=77, token=node.report_token)

    await provider.report_node("1", report)

    assert (node.status, node.tier_bandwidth) == ("offline", 77)


async def test_a_report_requires_a_token(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    if dialect == "documented":
        with refused(InvalidInputError, "report_token_needed"):
            await provider.report_node("1", REPORT)
    with refused(InvalidInputError, "report_refused"):
        await provider.report_node("1", replace(REPORT, token="wrong"))

    token = await provider.regenerate_report_token("1")

    await provider.report_node("1", replace(REPORT, token=token))
    assert easytier.state.nodes["1"].used_traffic


# Checks


@pytest.fixture
def checking(easytier: EasyTierService) -> EasyTierService:
    """The node manager with checks, in both dialects."""
    easytier.state.settings.edgeone = True
    return easytier


@pytest.fixture
def knowing(begin: Begin, checking: EasyTierService) -> EasyTierProvider:
    """The demo account, whose nodes' network is known even if the service does not return it."""
    node = checking.state.nodes["1"]
    return begin(network_name="demo-network", network_secret=node.network_token)


async def test_check_a_node(knowing: EasyTierProvider, checking: EasyTierService) -> None:
    node = checking.state.nodes["5"]
    node.connections[0].reachable = False
    node.connections.append(
        replace(node.connections[0], type="WSS", port=11012, reachable=True, latency_ms=77)
    )

    findings = await knowing.check_node("5")

    found = {finding.address: finding for finding in findings}
    assert {address.partition(":")[0] for address in found} == {"tcp", "ws", "wss"}
    tcp = found[f"tcp://{node.connections[0].ip}:11010"]
    assert (tcp.reachable, tcp.latency, tcp.connections, tcp.message) == (
        False,
        None,
        None,
        "连接超时",
    )
    wss = found[f"wss://{node.connections[0].ip}:11012"]
    assert (wss.reachable, wss.latency, wss.connections, wss.message) == (
        True,
        77,
        node.connection_count,
        None,
    )


async def test_a_node_that_cannot_be_checked(
    knowing: EasyTierProvider, checking: EasyTierService
) -> None:
    for way in checking.state.nodes["1"].connections:
        way.type = "UDP"

    with refused(InvalidInputError, "nothing_to_check"):
        await knowing.check_node("1")


def check_query(service: EasyTierService, number: str = "1") -> CheckTarget:
    """Return the query for a check of a node's first connection."""
    fields = target(service, number)
    return CheckTarget(
        address=fields["server"],
        network_name=fields["network_name"],
        network_secret=fields["network_secret"],
    )


@pytest.mark.parametrize("name", ["demo", None])
async def test_check_addresses(begin: Begin, checking: EasyTierService, name: str | None) -> None:
    findings = await begin(name).check_targets([check_query(checking, "4"), check_query(checking)])

    assert [finding.reachable for finding in findings] == [False, True]
    assert findings[1].address == check_query(checking).address


@pytest.mark.parametrize("count", [0, 21])
async def test_limits_of_check_counts(
    provider: EasyTierProvider, checking: EasyTierService, count: int
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await provider.check_targets([check_query(checking)] * count)
    assert (caught.value.key, caught.value.placeholders) == (
        "check_count",
        {"count": str(count), "maximum": "20"},
    )
    assert not checking.calls

    assert len(await provider.check_targets([check_query(checking)] * 20)) == 20


async def test_a_service_that_only_checks_single_nodes(
    provider: EasyTierProvider, checking: EasyTierService
) -> None:
    checking.fault("/api/edgeone/batch-check", "status", status=404, body="404 Not Found")

    findings = await provider.check_targets([check_query(checking), check_query(checking, "4")])

    assert [finding.reachable for finding in findings] == [True, False]


async def test_a_refused_api_key(begin: Begin, checking: EasyTierService) -> None:
    """It is an issue until it is changed or removed."""
    checking.state.settings.api_key = "the-key"
    provider = begin(api_key="wrong")

    with refused(InvalidInputError, "api_key_refused"):
        await provider.check_targets([check_query(checking)])

    assert list(provider.issues()) == [Issue(key="api_key_refused")]
    checking.state.settings.api_key = "wrong"
    await provider.check_targets([check_query(checking)])
    assert list(provider.issues()) == []


# Queries


async def test_query_nodes_without_criteria(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    easytier.fault("/api/query", "patch", patch={"nodes.0.id": None})

    assert len(await provider.query_nodes()) == 2
    assert easytier.calls[-1].body == {"relay_only": False}


async def test_messages_of_the_service(begin: Begin, easytier: EasyTierService) -> None:
    provider = begin(api_key="a-key", token="a-token")
    words = "demo@example.com demo-password a-key a-token"
    easytier.fault("*", "body", status=400, body={"error": words}, times=None)

    with refused(RejectedError, "** ** ** **"):
        await provider.query_nodes()


async def test_errors_are_our_classes(
    provider: EasyTierProvider, easytier: EasyTierService
) -> None:
    await easytier.stop()

    for command in COMMANDS.values():
        with pytest.raises(TunnelHubError):
            await command(provider)


# Issues


async def test_extended_nodes(
    provider: EasyTierProvider, easytier: EasyTierService, dialect: Dialect
) -> None:
    await provider.feeds["nodes"].fetch()
    # The documented service does not return the expiry.
    expected = ["nodes_ending"] if dialect == "real" else []
    assert [issue.key for issue in provider.issues()] == expected
    for number in "58":
        easytier.state.nodes[number].valid_until = "2999-12-31"

    await provider.feeds["nodes"].fetch()

    assert list(provider.issues()) == []
