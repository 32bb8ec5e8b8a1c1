"""Tests ChmlFrp's buttons, switches and actions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import ChmlFrpService, Node, Tunnel

from ..common import HOUR, MINUTE, World, on, on_account, refused

pytestmark = pytest.mark.platforms("button", "switch")

NEW = {
    "name": "printer",
    "protocol": "TCP",
    "local_port": 631,
    "remote_port": 20631,
    "node": "1",
}
CAPTCHA = {"lot_number": "1", "captcha_output": "2", "pass_token": "3", "gen_time": "4"}


def tunnel(world: World[ChmlFrpService], number: str = "1") -> Tunnel:
    """Return a tunnel's row at the service."""
    return world.service.state.tunnels[number]


def at(world: World[ChmlFrpService], group: str, **wanted: object) -> Node:
    """Return the first node of a group that has these values."""
    return next(
        node
        for node in world.service.state.nodes.values()
        if node.nodegroup == group and all(getattr(node, k) == v for k, v in wanted.items())
    )


# Buttons and switches


@pytest.mark.platforms("button", "sensor")
async def test_force_offline(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    await world.act("button", "press", "tunnel:1", "force_offline")

    assert not world.service.online(tunnel(world))
    assert world.value("sensor", "tunnel:1", "state") == "offline", "shown immediately"


async def test_refresh(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    await world.act("button", "press", "tunnel:1", "refresh")

    (call,) = world.service.calls_to("/refresh_tunnel")
    assert call.get("tunnel_name") == "homeassistant"


async def test_refresh_on_an_offline_node(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    with pytest.raises(HomeAssistantError, match="节点不在线"):
        await world.act("button", "press", "tunnel:3", "refresh")


async def test_a_tunnel_that_was_renamed_elsewhere(world: World[ChmlFrpService]) -> None:
    """The service identifies tunnels by name, Home Assistant by id."""
    await world.set_up()
    tunnel(world).name = "renamed"

    await world.act("button", "press", "tunnel:1", "force_offline")

    assert not world.service.online(tunnel(world))


@pytest.mark.parametrize("key", ["force_offline", "refresh"])
async def test_a_tunnel_that_was_deleted_elsewhere(world: World[ChmlFrpService], key: str) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    with pytest.raises(ServiceValidationError) as gone:
        await world.act("button", "press", "tunnel:1", key)

    assert gone.value.translation_key == "tunnel_gone"


@pytest.mark.platforms("sensor", "switch")
async def test_force_down_disconnects_repeatedly(world: World[ChmlFrpService]) -> None:
    """The service cannot disable a tunnel. The switch says so."""
    world.service.state.settings.reconnects_after = 20
    await world.set_up()

    await world.act("switch", "turn_on", "tunnel:1", "force_down")
    state = world.state("switch", "tunnel:1", "force_down")
    assert (state.state, state.attributes["method"]) == ("on", "kick")
    assert len(world.service.calls_to("/offline_tunnel")) == 1

    await world.live(HOUR)
    kicks = len(world.service.calls_to("/offline_tunnel"))
    assert 4 <= kicks <= 12, "pauses grow"

    await world.act("switch", "turn_off", "tunnel:1", "force_down")
    await world.live(HOUR)
    assert len(world.service.calls_to("/offline_tunnel")) == kicks
    assert world.value("sensor", "tunnel:1", "state") == "online"


@pytest.mark.platforms("sensor", "switch")
async def test_a_disconnection_is_shown_immediately(world: World[ChmlFrpService]) -> None:
    """It does not wait for the next poll a minute later."""
    await world.set_up()
    await world.act("switch", "turn_on", "tunnel:2", "force_down")
    await world.live(2 * MINUTE)
    tunnel(world, "2").client_running, tunnel(world, "2").kicked_at = True, None

    await world.elapse(MINUTE)

    assert len(world.service.calls_to("/offline_tunnel", tunnel_name="ssh")) == 2
    assert world.value("sensor", "tunnel:2", "state") == "offline"


async def test_force_down_survives_a_restart(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    await world.act("switch", "turn_on", "tunnel:1", "force_down")
    tunnel(world).kicked_at = None

    await world.restart()

    assert world.value("switch", "tunnel:1", "force_down") == "on"
    assert not world.service.online(tunnel(world))


async def test_a_failed_force_down_stays_off(world: World[ChmlFrpService]) -> None:
    """There is nothing to enable again, so nothing has to be stored."""
    await world.set_up()
    world.service.fault("/offline_tunnel", "html")

    with pytest.raises(HomeAssistantError):
        await world.act("switch", "turn_on", "tunnel:1", "force_down")

    assert world.value("switch", "tunnel:1", "force_down") == "off"
    assert world.service.online(tunnel(world))
    await world.live(10 * MINUTE)
    assert len(world.service.calls_to("/offline_tunnel")) == 1


# Tunnels


@pytest.mark.platforms("sensor")
async def test_create_tunnel(world: World[ChmlFrpService]) -> None:
    """The answer contains no id, so the tunnel is found by its name."""
    await world.set_up()

    response = await on_account(
        world, "create_tunnel", **NEW, encryption=True, extra_parameters="bandwidth_limit = 1MB"
    )

    assert response == {"tunnel_id": "101"}
    made = tunnel(world, "101")
    assert (made.name, made.kind, made.local_ip, made.local_port, made.public) == (
        "printer",
        "tcp",
        "127.0.0.1",
        631,
        "20631",
    )
    assert (made.encryption, made.compression) == (True, False)
    assert made.extra == "bandwidth_limit = 1MB"
    await world.elapse(1)
    assert world.value("sensor", "tunnel:101", "state") == "offline"


async def test_create_tunnel_that_returns_its_id(world: World[ChmlFrpService]) -> None:
    world.service.state.settings.create_tells_id = True
    await world.set_up()

    assert await on_account(world, "create_tunnel", **NEW) == {"tunnel_id": "101"}


async def test_create_tunnel_that_is_never_listed(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    world.service.fault("/tunnel", "body", body={"code": 200, "data": []}, times=None)

    error = await refused(world, None, "create_tunnel", **NEW)

    assert error.translation_key == "unavailable_malformed"


async def test_create_a_web_tunnel_at_a_node_by_name(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    name = at(world, "user", state="online", web=True).name

    await on_account(
        world,
        "create_tunnel",
        name="site",
        protocol="https",
        local_port=443,
        node=name,
        domain="www.example.com",
    )

    made = tunnel(world, "101")
    assert (made.node, made.kind, made.public) == (name, "https", "www.example.com")


WEB = {"name": "site", "protocol": "http", "local_port": 80, "remote_port": None, "node": "1"}


async def test_invalid_tunnels_are_refused(world: World[ChmlFrpService]) -> None:
    """Each error is explained, and no request is sent."""
    await world.set_up()
    cases: tuple[tuple[Mapping[str, object], str, Mapping[str, str]], ...] = (
        ({"name": "a-b"}, "tunnel_name_characters", {"name": "a-b"}),
        ({"name": "打印机"}, "tunnel_name_characters", {"name": "打印机"}),
        (
            {"protocol": "stcp"},
            "unknown_protocol",
            {"protocol": "stcp", "known": "tcp, udp, http, https"},
        ),
        ({"domain": "www.example.com"}, "no_domain", {"protocol": "tcp"}),
        (
            {"remote_port": 9999},
            "port_out_of_range",
            {"port": "9999", "minimum": "10000", "maximum": "65535"},
        ),
        (
            {"remote_port": 30001, "node": "5"},
            "port_out_of_range",
            {"port": "30001", "minimum": "20000", "maximum": "30000"},
        ),
        (
            {"local_port": 0},
            "port_out_of_range",
            {"port": "0", "minimum": "1", "maximum": "65535"},
        ),
        (
            {"local_port": 70000},
            "port_out_of_range",
            {"port": "70000", "minimum": "1", "maximum": "65535"},
        ),
        ({"remote_port": None}, "remote_port_needed", {"protocol": "tcp"}),
        ({"node": "nowhere"}, "unknown_node", {"node": "nowhere"}),
        (WEB, "domain_needed", {"protocol": "http"}),
        (
            {**WEB, "domain": "www.example.com", "remote_port": 20080},
            "no_remote_port",
            {"protocol": "http"},
        ),
    )

    for change, key, placeholders in cases:
        data = {name: value for name, value in {**NEW, **change}.items() if value is not None}

        error = await refused(world, None, "create_tunnel", **data)

        assert isinstance(error, ServiceValidationError)
        assert (error.translation_key, error.translation_placeholders) == (key, placeholders)
        assert not world.service.calls_to("/create_tunnel")


async def test_a_vip_node_on_a_free_account(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    vip = at(world, "vip", state="online")
    assert await on_account(world, "create_tunnel", **{**NEW, "node": vip.name})

    world.service.account.usergroup = "免费用户"
    error = await refused(world, None, "create_tunnel", **{**NEW, "node": vip.name})

    assert error.translation_key == "vip_node"
    assert error.translation_placeholders == {"node": vip.name}


async def test_a_node_that_does_not_support_the_tunnel(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    cases: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("web", {"protocol": "https", "domain": "www.example.com", "remote_port": None}),
        ("udp", {"protocol": "udp"}),
    )

    for unsupported, change in cases:
        setattr(world.service.state.nodes["1"], unsupported, False)
        data = {name: value for name, value in {**NEW, **change}.items() if value is not None}

        error = await refused(world, None, "create_tunnel", **data)

        assert error.translation_key == "protocol_not_at_node"


async def test_a_node_without_a_port_range(world: World[ChmlFrpService]) -> None:
    """The service decides."""
    await world.set_up()
    world.service.fault("/nodeinfo", "patch", patch={"rport": None}, remove=("data.rport",))

    await on_account(world, "create_tunnel", **NEW)

    assert tunnel(world, "101").public == "20631"


async def test_a_refusal_of_the_service(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    cases: tuple[tuple[Mapping[str, object], str], ...] = (
        ({"name": "ssh"}, "隧道名称已存在"),
        ({"remote_port": 20001}, "外网端口或域名已被占用"),
    )

    for change, words in cases:
        error = await refused(world, None, "create_tunnel", **{**NEW, **change})

        assert error.translation_key == "rejected"
        assert error.translation_placeholders == {"message": words}


@pytest.mark.platforms("sensor")
async def test_update_tunnel_keeps_other_fields(world: World[ChmlFrpService]) -> None:
    """The service resets the fields that a request does not contain."""
    row = tunnel(world)
    row.encryption, row.compression, row.extra = True, True, "bandwidth_limit = 1MB"
    before = (row.name, row.kind, row.node, row.public, row.local_ip)
    await world.set_up()

    await on(world, "tunnel:1", "update_tunnel", local_port=8124)

    assert row.local_port == 8124
    assert not world.service.calls_to("/nodeinfo"), "these fields do not depend on the node"
    assert (row.name, row.kind, row.node, row.public, row.local_ip) == before
    assert (row.encryption, row.compression, row.extra) == (True, True, "bandwidth_limit = 1MB")
    await world.elapse(1)
    assert world.value("sensor", "tunnel:1", "local_address") == "127.0.0.1:8124"


async def test_update_tunnel_of_a_web_tunnel(world: World[ChmlFrpService]) -> None:
    row = tunnel(world, "4")
    await world.set_up()

    await on(world, "tunnel:4", "update_tunnel", name="storage", encryption=True)

    assert (row.name, row.public, row.encryption) == ("storage", "nas.example.com", True)


async def test_update_all_fields_of_a_tunnel(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    node = at(world, "user", state="online", web=True)

    await on(
        world,
        "tunnel:1",
        "update_tunnel",
        name="site",
        protocol="http",
        local_host="192.168.1.9",
        local_port=8080,
        node=node.name,
        domain="www.example.com",
        encryption=False,
        compression=True,
        extra_parameters="",
    )

    row = tunnel(world)
    assert (row.name, row.kind, row.local_ip, row.local_port) == (
        "site",
        "http",
        "192.168.1.9",
        8080,
    )
    assert (row.node, row.public) == (node.name, "www.example.com")
    assert (row.encryption, row.compression, row.extra) == (False, True, "")
    device = world.device("tunnel:1")
    assert device
    assert device.name == "site"


async def test_update_tunnel_from_a_port_to_a_domain_needs_one(
    world: World[ChmlFrpService],
) -> None:
    await world.set_up()

    error = await refused(world, "tunnel:1", "update_tunnel", protocol="http")

    assert error.translation_key == "domain_needed"


async def test_update_tunnel_from_a_domain_to_a_port_needs_one(
    world: World[ChmlFrpService],
) -> None:
    await world.set_up()

    error = await refused(world, "tunnel:4", "update_tunnel", protocol="tcp")

    assert error.translation_key == "remote_port_needed"
    assert not world.service.calls_to("/update_tunnel")


async def test_update_tunnel_that_its_node_does_not_support(
    world: World[ChmlFrpService],
) -> None:
    await world.set_up()
    cases: tuple[tuple[Mapping[str, object], str], ...] = (
        ({"remote_port": 9999}, "port_out_of_range"),
        ({"protocol": "udp"}, "protocol_not_at_node"),
    )

    for change, key in cases:
        world.service.state.nodes["1"].udp = False

        error = await refused(world, "tunnel:1", "update_tunnel", **change)

        assert error.translation_key == key
        assert not world.service.calls_to("/update_tunnel")


async def test_update_tunnel_on_a_removed_node(world: World[ChmlFrpService]) -> None:
    """The tunnel can be moved to another node."""
    await world.set_up()

    await on(world, "tunnel:5", "update_tunnel", node="1")

    assert tunnel(world, "5").node == "成都电信"


async def test_update_tunnel_deleted_elsewhere(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    error = await refused(world, "tunnel:1", "update_tunnel", local_port=1)

    assert error.translation_key == "tunnel_gone"


@pytest.mark.parametrize("style", ["get", "post"])
async def test_delete_tunnel(world: World[ChmlFrpService], style: str) -> None:
    world.service.state.settings.delete_style = style
    await world.set_up()

    await on(world, "tunnel:1", "delete_tunnel")

    assert "1" not in world.service.state.tunnels
    await world.elapse(MINUTE)
    assert world.device("tunnel:1") is None


async def test_delete_tunnel_deleted_elsewhere(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    await on(world, "tunnel:1", "delete_tunnel")


async def test_get_tunnel_config(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    one = await on(world, "tunnel:1", "get_tunnel_config")
    assert "[homeassistant]" in one["config"]
    assert await on(world, "node:1", "get_tunnel_config", format="ini") == one

    error = await refused(world, "tunnel:1", "get_tunnel_config", format="toml")
    assert error.translation_key == "unknown_format"
    assert error.translation_placeholders == {"format": "toml", "known": "ini"}


async def test_get_tunnel_config_of_a_tunnel_that_was_moved_elsewhere(
    world: World[ChmlFrpService],
) -> None:
    """The request has to contain the node's name."""
    await world.set_up()
    tunnel(world).node = at(world, "user", state="online", web=False).name

    assert "[homeassistant]" in (await on(world, "tunnel:1", "get_tunnel_config"))["config"]


@pytest.mark.platforms("sensor")
async def test_check_tunnel(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    tunnel(world).kicked_at = world.service.now()

    response = await on(world, "tunnel:1", "check_tunnel")

    assert (response["state"], response["online"], response["connections"]) == ("offline", False, 0)
    assert world.value("sensor", "tunnel:1", "state") == "offline", "shown without a poll"


async def test_force_offline_action(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    await on(world, "tunnel:1", "force_offline")

    assert not world.service.online(tunnel(world))


@pytest.mark.platforms("sensor")
async def test_force_all_offline(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    response = await on_account(world, "force_all_offline")

    assert response["nodes"]["成都电信"] == "下线成功"
    assert not any(map(world.service.online, world.service.state.tunnels.values()))
    assert world.value("sensor", "tunnel:1", "state") == "offline"


# The account


async def test_retoken_by_token(world: World[ChmlFrpService]) -> None:
    """The pasted token becomes invalid, so the user is asked for the new one."""
    await world.set_up()
    before = world.service.account.usertoken
    assert (await refused(world, None, "retoken")).translation_key == "code_needed"

    await on_account(world, "send_code")
    (mail,) = world.service.state.mailbox
    assert (mail.to, mail.kind) == ("demo@example.com", "retoken")
    error = await refused(world, None, "retoken", code="wrong")
    assert error.translation_placeholders == {"message": "验证码错误"}

    assert await on_account(world, "retoken", code=mail.code) == {"link_token": None}

    assert world.service.account.usertoken != before
    await world.elapse(1)
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_retoken_by_password(world: World[ChmlFrpService]) -> None:
    world.service.state.settings.password_login = True
    world.hass.config_entries.async_update_entry(
        world.entry,
        data={**world.entry.data, "username": "demo", "password": "demo-password"},
    )
    await world.set_up()
    await on_account(world, "send_code")

    response = await on_account(world, "retoken", code=world.service.state.mailbox[0].code)

    assert response == {"link_token": world.service.account.usertoken}
    assert world.entry.data["token"] == world.service.account.usertoken
    assert not world.hass.config_entries.flow.async_progress()


@pytest.mark.parametrize("email", ["", "签" * 2000])
async def test_send_code_without_an_address(world: World[ChmlFrpService], email: str) -> None:
    """An invalid email address is refused as well."""
    world.service.account.email = email
    await world.set_up()

    assert (await refused(world, None, "send_code")).translation_key == "no_mail_address"


@pytest.mark.platforms("binary_sensor", "button", "sensor")
async def test_sign_in(world: World[ChmlFrpService]) -> None:
    """The user solves a captcha, so there is no button and no daily sign-in."""
    await world.set_up()
    assert not [e for e in world.registered() if e.unique_id.endswith("account:sign_in")]
    before = world.service.account.integral

    response = await on_account(world, "sign_in", **CAPTCHA)

    assert response["already"] is False
    assert response["points"] == world.service.account.integral - before
    assert world.value("binary_sensor", "sign_in:account", "signed_in_today") == "on"
    assert world.value("sensor", "sign_in:account", "sign_ins") == "113"
    assert world.value("sensor", "account:account", "points") == str(before + response["points"])
    again = await on_account(world, "sign_in", **CAPTCHA)
    assert again["already"] is True


async def test_sign_in_without_a_captcha(world: World[ChmlFrpService]) -> None:
    """The error explains why a captcha is needed."""
    await world.set_up()

    for missing in (*CAPTCHA, None):
        data = {n: v for n, v in CAPTCHA.items() if missing and n != missing}
        error = await refused(world, None, "sign_in", **data)
        assert error.translation_key == "captcha_needed"

    assert not world.service.calls_to("/qiandao")


async def test_update_account(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    await on_account(
        world,
        "update_account",
        username="somebody",
        contact="10009",
        picture="https://example.com/me.png",
        password="better-password",
        current_password="demo-password",
    )

    account = world.service.account
    assert (account.username, account.qq, account.userimg, account.password) == (
        "somebody",
        "10009",
        "https://example.com/me.png",
        "better-password",
    )
    assert "password" not in world.entry.data, "it was not stored before"


async def test_update_account_changes_only_what_is_named(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    world.service.calls.clear()

    await on_account(world, "update_account", contact="10009")

    assert world.service.calls[0].path == "/update_qq"
    assert world.service.account.username == "demo"
    error = await refused(world, None, "update_account", password="better-password")
    assert error.translation_key == "current_password_needed"


@pytest.mark.parametrize("code", [400, 401])
async def test_a_wrong_current_password_keeps_the_session(
    world: World[ChmlFrpService], code: int
) -> None:
    """The service answers 401 to a wrong password as well as to an invalid token."""
    await world.set_up()
    world.service.fault("/reset_password", "body", body={"msg": "密码错误", "code": code})

    error = await refused(
        world, None, "update_account", password="better-password", current_password="typo"
    )

    assert error.translation_key == "rejected"
    assert error.translation_placeholders == {"message": "密码错误"}
    assert not world.hass.config_entries.flow.async_progress()


async def test_a_changed_password_is_stored(world: World[ChmlFrpService]) -> None:
    world.service.state.settings.password_login = True
    world.hass.config_entries.async_update_entry(
        world.entry,
        data={**world.entry.data, "username": "demo", "password": "demo-password"},
    )
    await world.set_up()

    await on_account(
        world,
        "update_account",
        username="somebody",
        password="better-password",
        current_password="demo-password",
    )

    assert world.entry.data["username"] == "somebody"
    assert world.entry.data["password"] == "better-password"


async def test_get_app_version(world: World[ChmlFrpService]) -> None:
    """The endpoint is documented, but the service answers 404."""
    await world.set_up()
    data = {"loader": "Fabric", "minecraft": "1.20.1", "kind": "mcmod"}

    assert (await refused(world, None, "get_app_version", **data)).translation_key == "unsupported"

    world.service.fault("/app_version", "body", body={"code": 200, "data": {"version": "1"}})
    assert await on_account(world, "get_app_version", **data) == {"version": "1"}


# History


async def test_get_node_history(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    response = await on(world, "node:1", "get_node_history", fields=["cpu_usage", "clients"])

    samples = response["samples"]
    assert len(samples) == 181, "an hour, every 20 seconds"
    assert all(sample.keys() == {"time", "cpu_usage", "clients"} for sample in samples)
    assert all(0 <= sample["cpu_usage"] <= 100 for sample in samples)
    times = [datetime.fromisoformat(sample["time"]) for sample in samples]
    assert times == sorted(times)
    assert times[-1] - times[0] == timedelta(hours=1)


async def test_get_node_history_between_two_moments(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    start = datetime.fromtimestamp(world.service.now(), UTC) - timedelta(hours=20)

    response = await on(
        world,
        "node:1",
        "get_node_history",
        start_time=start.isoformat(),
        end_time=(start + timedelta(minutes=2)).isoformat(),
    )

    samples = response["samples"]
    assert [s["time"] for s in samples] == [
        (start + timedelta(seconds=20 * n)).isoformat() for n in range(7)
    ]
    assert samples[0].keys() - {"time"} == set(world.entry.runtime_data.provider.history_fields)


async def test_get_node_history_without_samples(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    error = await refused(world, "node:1", "get_node_history", fields=["colour"])
    assert error.translation_key == "unknown_field"
    assert not world.service.calls_to("/node_status_info"), "two megabytes are not downloaded"

    world.service.state.settings.history_samples = 0
    assert await on(world, "node:1", "get_node_history") == {"samples": []}


async def test_get_traffic_history(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    days = (await on(world, "account:account", "get_traffic_history"))["days"]
    assert [day["day"] for day in days] == [f"2026-10-{n}" for n in range(14, 21)]
    assert days[0]["traffic_in"] == round(world.service.account.days[0].traffic_in)

    days = (await on(world, "tunnel:1", "get_traffic_history"))["days"]
    assert days[-1]["day"] == "2026-10-20"
    assert days[0]["traffic_out"] == round(tunnel(world).days[0].traffic_out)


# Subdomains


async def test_list_domains(world: World[ChmlFrpService]) -> None:
    await world.set_up()

    response = await on_account(world, "list_domains")

    assert response["domains"] == ["映射.example", "frp.example", "owo.example", "baozi.example"]
    assert response["subdomains"][0] == {
        "domain": "frp.example",
        "record": "home",
        "type": "A",
        "target": "192.0.2.10",
        "ttl": "1m",
        "remarks": None,
    }


SUBDOMAIN = {"domain": "frp.example", "record": "new", "type": "a", "target": "192.0.2.7"}


@pytest.mark.parametrize("ttl, theirs", [(None, "10分钟"), ("1d", "1天"), ("2h", "2小时")])
async def test_create_subdomain(world: World[ChmlFrpService], ttl: str | None, theirs: str) -> None:
    await world.set_up()

    await on_account(world, "create_subdomain", **SUBDOMAIN, **({"ttl": ttl} if ttl else {}))

    made = world.service.state.subdomains["101"]
    assert (made.record, made.kind, made.target, made.ttl) == ("new", "A", "192.0.2.7", theirs)


async def test_invalid_subdomains_are_refused(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    cases: tuple[tuple[Mapping[str, Any], str], ...] = (
        ({"ttl": "3m"}, "unknown_ttl"),
        ({"type": "MX"}, "unknown_record_type"),
    )

    for change, key in cases:
        error = await refused(world, None, "create_subdomain", **{**SUBDOMAIN, **change})

        assert error.translation_key == key
        assert not world.service.calls_to("/create_free_subdomain")


async def test_update_subdomain(world: World[ChmlFrpService]) -> None:
    """Only the target is changed. The TTL stays."""
    await world.set_up()
    name = {"domain": "frp.example", "record": "home"}

    await on_account(world, "update_subdomain", **name, target="192.0.2.99")
    row = world.service.state.subdomains["6"]
    assert (row.target, row.ttl) == ("192.0.2.99", "1分钟")

    await on_account(world, "update_subdomain", **name, ttl="1h")
    assert (row.target, row.ttl) == ("192.0.2.99", "1小时")

    error = await refused(world, None, "update_subdomain", **{**name, "record": "x"}, ttl="1h")
    assert error.translation_key == "unknown_subdomain"
    assert error.translation_placeholders == {"name": "x.frp.example"}


async def test_delete_subdomain(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    name = {"domain": "frp.example", "record": "home"}

    await on_account(world, "delete_subdomain", **name)
    await on_account(world, "delete_subdomain", **name)

    assert "6" not in world.service.state.subdomains


# Failures and permissions


async def test_a_command_while_the_service_fails(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    paths = {action: f"/{action}" for action in ("update_tunnel", "delete_tunnel")}
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("html", {"status": 403}, "unavailable_firewall"),
        ("html", {"status": 520}, "unavailable_server_error"),
        ("body", {"body": {"msg": "系统繁忙", "code": 400}}, "rejected"),
        ("body", {"body": {"msg": "无法连接至服务器", "code": 404}}, "unavailable_server_error"),
        ("cut", {}, "unavailable_malformed"),
        ("body", {"body": {"msg": "无效的Token", "code": 401}}, "authentication_failed"),
    )

    for kind, options, key in cases:
        for action, path in {"force_offline": "/offline_tunnel", **paths}.items():
            if key == "authentication_failed" and action != "force_offline":
                continue  # A refused token is not sent again.
            world.service.calls.clear()
            world.service.fault(path, kind, **options)

            error = await refused(world, "tunnel:1", action)

            assert error.translation_key == key
            assert len(world.service.calls_to(path)) == 1, "a write is not repeated"


async def test_actions_for_administrators_only(
    world: World[ChmlFrpService],
) -> None:
    await world.set_up()
    user = MockUser().add_to_hass(world.hass)

    for name, data in {
        "create_subdomain": SUBDOMAIN,
        "delete_subdomain": {"domain": "frp.example", "record": "home"},
        "force_all_offline": {},
        "send_code": {},
        "update_account": {"contact": "10009"},
        "update_subdomain": {"domain": "frp.example", "record": "home", "ttl": "1h"},
    }.items():
        with pytest.raises(Unauthorized):
            await world.hass.services.async_call(
                DOMAIN,
                name,
                {"config_entry_id": world.entry.entry_id, **data},
                blocking=True,
                context=Context(user_id=user.id),
            )
