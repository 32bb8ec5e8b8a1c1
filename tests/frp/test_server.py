"""Tests frps: devices, tunnels that go offline, actions, daily values and options."""

from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import Context
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.tunnel_hub import async_remove_config_entry_device, coordinator
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from simulator.frp import FrpService, Proxy
from simulator.frp.frps import add, close, go_offline, restart

from ..checks.servers import listening, sends_banner
from ..common import HOUR, MINUTE, World, on, on_account, refused
from .common import HALF_A_MINUTE

type Server = World[FrpService]


def state_of(world: Server) -> Any:
    """Return the state of the simulated server."""
    return world.service.state.server


NAMES = ("a b", " a", "a/b", "网盘", "a.b:c", "nas:1:online", "“x”", "+", "x" * 255)
ELSEWHERE = (".", "..")
"""Names that a URL would resolve to another path."""


@pytest.mark.parametrize("version", ["0.70.1", "0.60.0"])
async def test_special_names(world: Server, version: str) -> None:
    state_of(world).settings.version = version
    for name in (*NAMES, *ELSEWHERE):
        add(state_of(world), Proxy(name, "tcp", "", "ha", remote_port=22))

    await world.set_up()

    for name in NAMES:
        assert world.value("binary_sensor", f"tunnel:{name}", "online") == "on"
        days = await on(world, f"tunnel:{name}", "get_traffic_history")
        assert len(days["days"]) == 7, name
    for name in ELSEWHERE:
        assert world.value("binary_sensor", f"tunnel:{name}", "online") == "on"
        err = await refused(world, f"tunnel:{name}", "get_traffic_history")
        assert err.translation_key == "unknown_resource"


async def test_an_offline_tunnel_keeps_its_device_and_address(world: Server) -> None:
    """This holds after restarts of Home Assistant and of the server, which no longer lists it."""
    await world.set_up()
    device = world.device("tunnel:alice.nas")
    go_offline(state_of(world), "alice.ha", world.service.now())
    restart(state_of(world))

    for _ in range(2):
        await world.live(3 * MINUTE, HALF_A_MINUTE)
        assert world.value("binary_sensor", "tunnel:alice.nas", "online") == "off"
        assert world.value("sensor", "tunnel:alice.nas", "public_address") == "127.0.0.1:6001"
        assert world.value("sensor", "tunnel:alice.web", "protocol") == "http"
        assert world.value("binary_sensor", "client:alice.ha", "online") == "off"
        assert world.value("sensor", "server:account", "tunnels_offline") == "5"
        assert world.device("tunnel:alice.nas") == device
        await world.restart()


async def test_forget_offline_tunnels(world: Server) -> None:
    await world.set_up()
    close(state_of(world).proxies["alice.nas"], world.service.now())
    del state_of(world).proxies["alice.web"]
    await world.live(MINUTE, HALF_A_MINUTE)

    assert await on_account(world, "forget_offline_tunnels") == {"forgotten": 3}

    for name in ("nas", "web", "backup"):
        assert world.device(f"tunnel:alice.{name}") is None
        assert not world.registered(f"tunnel:alice.{name}:")
    assert world.value("sensor", "server:account", "tunnels_offline") == "0"
    assert "alice.nas" not in state_of(world).proxies
    assert await on_account(world, "forget_offline_tunnels") == {"forgotten": 0}

    add(state_of(world), Proxy("alice.nas", "tcp", "alice", "ha", remote_port=6001))
    await world.elapse(HALF_A_MINUTE)
    assert world.value("binary_sensor", "tunnel:alice.nas", "online") == "on"


async def test_actions_for_administrators_only(
    world: Server, hass_read_only_user: MockUser
) -> None:
    await world.set_up()
    hass_read_only_user.mock_policy({"entities": {POLICY_CONTROL: True}})

    with pytest.raises(Unauthorized):
        await world.hass.services.async_call(
            DOMAIN,
            "forget_offline_tunnels",
            {"config_entry_id": world.entry.entry_id},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )

    assert "alice.backup" in state_of(world).proxies


async def test_a_refusal_of_the_server(world: Server) -> None:
    await world.set_up()
    world.service.fault(
        "/api/v2/system/prune", "body", status=400, body={"code": 400, "msg": "not now"}
    )

    err = await refused(world, None, "forget_offline_tunnels")

    assert err.translation_placeholders == {"message": "not now"}
    assert world.device("tunnel:alice.backup")


async def test_remove_a_device(world: Server) -> None:
    """Only devices of tunnels that are not listed can be removed. They return with the tunnel."""
    await world.set_up()
    device = world.device("tunnel:alice.nas")
    assert device
    assert isinstance(device, dr.DeviceEntry)
    assert not await async_remove_config_entry_device(world.hass, world.entry, device)
    nas = state_of(world).proxies.pop("alice.nas")
    await world.elapse(HALF_A_MINUTE)

    assert await async_remove_config_entry_device(world.hass, world.entry, device)
    await world.live(3 * MINUTE, HALF_A_MINUTE)
    assert world.device("tunnel:alice.nas") is None

    add(state_of(world), nas)
    await world.elapse(HALF_A_MINUTE)
    assert world.value("binary_sensor", "tunnel:alice.nas", "online") == "on"


async def test_traffic_history(world: Server) -> None:
    await world.set_up()

    days = (await on(world, "tunnel:alice.nas", "get_traffic_history"))["days"]

    assert [day["day"] for day in days][-1] == "2026-10-20"
    assert days[0]["traffic_in"] == int(state_of(world).proxies["alice.nas"].traffic_in[6])
    del state_of(world).proxies["alice.nas"]
    err = await refused(world, "tunnel:alice.nas", "get_traffic_history")
    assert err.translation_key == "tunnel_gone"
    err = await refused(world, "account:account", "get_traffic_history")
    assert err.translation_key == "unsupported"


# Daily values


async def values_around(world: Server, seconds: float) -> list[str]:
    """Let time pass up to a moment, then in small steps; return the values at these."""
    await world.elapse(seconds - 40)
    values = []
    for _ in range(12):
        await world.elapse(10)
        values.append(world.value("sensor", "tunnel:alice.nas", "traffic_in_today"))
    return values


@pytest.mark.parametrize("version", ["0.70.1", "0.60.0"])
async def test_values_stay_at_other_midnights(world: Server, version: str) -> None:
    """The server's day does not begin at midnight in UTC or in Home Assistant's time zone."""
    settings = state_of(world).settings
    # It is 04:00 in UTC and 11:00 at the server.
    settings.version, settings.ahead = version, -5 * HOUR
    await world.hass.config.async_set_time_zone("America/New_York")
    await world.set_up()
    await world.live(2 * HOUR, HOUR)

    at_midnight_in_utc = await values_around(world, 18 * HOUR)
    at_midnight_in_new_york = await values_around(world, 4 * HOUR - 80)
    shown = [*at_midnight_in_utc, *at_midnight_in_new_york]
    assert not {"unknown", "unavailable"} & set(shown)
    assert shown == sorted(shown, key=float)

    at_its_own = await values_around(world, HOUR - 80)
    assert float(at_its_own[0]) > float(at_its_own[-1])


async def test_yesterdays_traffic_is_not_shown_as_todays(
    world: Server,
) -> None:
    state_of(world).settings.ahead = 8 * HOUR
    await world.set_up()
    # It is noon at the server.
    await world.elapse(12 * HOUR - 30)
    assert float(world.value("sensor", "tunnel:alice.nas", "traffic_in_today"))
    await world.service.stop()

    await world.elapse(40)

    assert world.value("binary_sensor", "tunnel:alice.nas", "online") == "on"
    assert world.value("sensor", "tunnel:alice.nas", "traffic_in_today") == "unknown"
    await world.service.start()


async def test_counters_of_a_restarted_server(world: Server) -> None:
    await world.set_up()
    before = float(world.value("sensor", "server:account", "traffic_in_today"))
    restart(state_of(world))

    await world.elapse(HALF_A_MINUTE)

    entity_id = world.entity_id("sensor", "server:account", "traffic_in_today")
    state = world.hass.states.get(entity_id)
    assert state
    assert state.attributes["state_class"] == "total_increasing"
    assert float(state.state) < before


# Repair issues and options


async def test_a_dashboard_without_a_password(world: Server) -> None:
    settings = state_of(world).settings
    settings.username = settings.password = ""
    await world.set_up()
    issue = world.issue("frps_without_password")
    assert issue
    assert issue.translation_placeholders

    settings.username, settings.password = "admin", "demo-password"
    await world.restart()

    assert world.issue("frps_without_password") is None


async def test_too_many_tunnels(world: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "MAX_RESOURCES", 4)
    await world.set_up()

    issue = world.issue("too_many_things")

    assert issue
    assert issue.translation_placeholders
    assert issue.translation_placeholders["lists"] == "tunnels: 5"


async def options(world: Server, address: str) -> Any:
    """Submit the public address of the server in the options."""
    flow = world.hass.config_entries.options
    form = await flow.async_init(world.entry.entry_id)
    result = await flow.async_configure(
        form["flow_id"],
        {"outside_address": {"outside_address": address}, "reachability": {"checks": "off"}},
    )
    await world.settle()
    return result


async def test_options_for_the_public_address(world: Server) -> None:
    await world.set_up()
    cases: tuple[tuple[str, str], ...] = (
        ("vpn.example.com", "vpn.example.com:6001"),
        (" https://VPN.example.com:7000/x ", "vpn.example.com:6001"),
        ("2001:db8::7", "[2001:db8::7]:6001"),
        ("203.0.113.7", "203.0.113.7:6001"),
    )

    for entered, shown in cases:
        result = await options(world, entered)

        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert world.value("sensor", "tunnel:alice.nas", "public_address") == shown
        diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)
        assert diagnostics["options"] == {"outside_address": REDACTED, "checks": "off"}

        await options(world, " ")
        assert world.value("sensor", "tunnel:alice.nas", "public_address") == "127.0.0.1:6001"


async def test_an_invalid_public_address(world: Server) -> None:
    await world.set_up()

    result = await options(world, "not an address")

    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"base": "invalid_host"})
    assert "outside_address" not in world.entry.options


async def test_diagnostics_contain_no_personal_data(world: Server) -> None:
    await world.set_up()

    diagnostics = str(await async_get_config_entry_diagnostics(world.hass, world.entry))

    assert "0.70.1" in diagnostics
    private = ("alice", "nas", "198.51.100", "ha-host", "example", "127.0.0.1", "demo-password")
    assert not [word for word in private if word in diagnostics]


# Reachability


async def test_a_tunnel_is_checked(world: Server) -> None:
    async with listening(sends_banner(b"SSH-2.0-OpenSSH\r\n")) as listener:
        state_of(world).proxies["alice.nas"].remote_port = listener.port
        await world.set_up()
        await world.live(15 * MINUTE)
        assert world.value("binary_sensor", "check:alice.nas", "reachable") == "on"

    close(state_of(world).proxies["alice.nas"], world.service.now())
    await world.live(15 * MINUTE)

    assert world.value("binary_sensor", "check:alice.nas", "reachable") == "off"
    assert world.value("sensor", "check:alice.nas", "verdict") == "no_client"
