"""Tests HY2 SCALE's switches, selects, buttons, updates and QR codes."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from homeassistant.components.image import async_get_image
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest

from custom_components.tunnel_hub.api import hy2scale
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix
from simulator.hy2scale.endpoints.vpn import REASON
from simulator.hy2scale.state import WireGuard

from ..clocks import Clocks
from ..common import HOUR, MINUTE, refused
from .common import BOTH, OLD, POLL, SLOW_POLL, Hub

pytestmark = pytest.mark.platforms("button", "image", "select", "switch", "update")

# Switches


def row(world: Hub, thing: str) -> str:
    """Return a row at the node."""
    kind, _, name = thing.partition(":")
    rows = {"tunnel": "clients", "rule": "rules", "proxy": "proxies"}[kind]
    return repr(getattr(world.service.state, rows)[name])


@BOTH
async def test_disable_and_enable(world: Hub) -> None:
    """All other fields stay, even those that the integration does not know."""
    await world.set_up()
    for thing, before in {
        "tunnel:us": "on",
        "tunnel:de": "off",
        "rule:video": "on",
        "rule:games": "off",
        "proxy:socks5": "on",
        "proxy:http": "off",
        "proxy:ss": "on",
    }.items():
        first = row(world, thing)
        assert world.value("switch", thing, "enabled") == before
        there, back = ("turn_off", "turn_on") if before == "on" else ("turn_on", "turn_off")

        await world.act("switch", there, thing, "enabled")
        assert world.value("switch", thing, "enabled") != before
        assert row(world, thing) != first
        await world.elapse(SLOW_POLL)
        assert world.value("switch", thing, "enabled") != before
        await world.act("switch", back, thing, "enabled")

        assert world.value("switch", thing, "enabled") == before
        assert row(world, thing) == first


@BOTH
async def test_disable_and_enable_a_user(world: Hub) -> None:
    await world.set_up()
    before = repr(world.user("bob"))

    await world.act("switch", "turn_off", world.user_thing("bob"), "enabled")
    assert not world.user("bob").enabled
    assert world.value("switch", world.user_thing("bob"), "enabled") == "off"
    await world.act("switch", "turn_on", world.user_thing("bob"), "enabled")

    assert repr(world.user("bob")) == before


@BOTH
@pytest.mark.parametrize("thing", ["link:us", "peer:us/us-r1", "peer:us/us-r1/us-r1-r1"])
async def test_nested_peers_of_a_peer(world: Hub, thing: str) -> None:
    """The whole path is encoded, or the node would look for another route."""
    await world.set_up()
    path = thing.partition(":")[2]
    before = world.value("switch", thing, "nested")

    await world.act("switch", "turn_off" if before == "on" else "turn_on", thing, "nested")

    (call,) = world.service.calls_to("/api/peers/{name}/nested", name=path)
    assert call.status == HTTPStatus.OK
    assert world.service.nested(path) is (before == "off")
    assert world.value("switch", thing, "nested") != before


async def test_disable_and_enable_a_peer(world: Hub) -> None:
    await world.set_up()
    assert world.value("switch", "peer:us/us-r1", "enabled") == "on"

    await world.act("switch", "turn_off", "peer:us/us-r1", "enabled")

    assert world.service.state.peer_flags["us/us-r1"].disabled
    assert world.value("switch", "peer:us/us-r1", "enabled") == "off"


@pytest.mark.platforms("sensor", "switch")
async def test_a_disabled_tunnel_loses_its_link(world: Hub) -> None:
    await world.set_up()

    await world.act("switch", "turn_off", "tunnel:us", "enabled")

    assert not world.service.connected("us")
    assert world.value("sensor", "tunnel:us", "state") == "disabled"
    await world.elapse(POLL)
    assert world.value("sensor", "link:us", "latency") == "unknown"


async def test_force_offline(world: Hub) -> None:
    """The link is restored afterwards."""
    await world.set_up()
    rebinds = world.service.state.peers["us"].rebinds

    await world.act("button", "press", "tunnel:us", "force_offline")

    assert world.service.connected("us")
    assert world.service.state.peers["us"].rebinds == rebinds + 1


async def test_force_down(world: Hub) -> None:
    """It lasts over a restart. Then the connection is as before."""
    await world.set_up()

    await world.act("switch", "turn_on", "tunnel:us", "force_down")
    assert not world.service.connected("us")
    state = world.state("switch", "tunnel:us", "force_down")
    assert state.attributes["method"] == "disable_and_kick"
    await world.restart()
    assert world.value("switch", "tunnel:us", "force_down") == "on"
    await world.act("switch", "turn_off", "tunnel:us", "force_down")

    assert world.service.connected("us")


@BOTH
async def test_force_down_continues_after_a_restart_without_changes(world: Hub) -> None:
    """The tunnel was enabled at the node meanwhile, so polls return no changes."""
    await world.set_up()
    await world.act("switch", "turn_on", "tunnel:us", "force_down")
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    world.service.state.clients["us"].disabled = False
    world.service.reconnect("us")

    await world.set_up()

    assert not world.service.connected("us")
    assert world.value("switch", "tunnel:us", "enabled") == "off"
    assert world.value("switch", "tunnel:us", "force_down") == "on"


@BOTH
async def test_force_down_during_force_offline(world: Hub) -> None:
    """Force offline disables a connection and enables it again. It must not be enabled last."""
    await world.set_up()
    gate = world.service.gate("/api/clients/{name}/disable", match={"disabled": False}, times=1)
    once = asyncio.create_task(world.act("button", "press", "tunnel:us", "force_offline"))
    await gate.reached()

    hold = asyncio.create_task(world.act("switch", "turn_on", "tunnel:us", "force_down"))
    for _ in range(100):
        await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(once, hold)

    assert world.service.state.clients["us"].disabled
    assert not world.service.connected("us")


@BOTH
async def test_an_ignored_write(world: Hub) -> None:
    """The node answers 200 to any request, even for rows that do not exist."""
    await world.set_up()

    world.service.state.clients.clear()
    world.service.state.rules.clear()
    world.service.state.peers.clear()

    for thing in ("tunnel:us", "rule:video", "peer:us/us-r1"):
        key = "nested" if thing.startswith("peer") else "enabled"
        with pytest.raises(ServiceValidationError) as gone:
            await world.act("switch", "turn_off", thing, key)
        assert gone.value.translation_key in ("unknown_resource", "tunnel_gone")


async def test_a_deleted_proxy_is_not_created_again(world: Hub) -> None:
    await world.set_up()
    del world.service.state.proxies["socks5"]

    with pytest.raises(ServiceValidationError):
        await world.act("switch", "turn_off", "proxy:socks5", "enabled")

    assert "socks5" not in world.service.state.proxies


async def test_a_version_without_its_own_shadowsocks(world: Hub) -> None:
    world.service.state.settings.missing_routes = ["/api/ss"]
    await world.set_up()

    await world.act("switch", "turn_off", "proxy:socks5", "enabled")

    assert not world.registered("proxy:ss:")
    assert not world.service.state.proxies["socks5"].enabled


# Servers and the node itself


@BOTH
async def test_enable_a_server(world: Hub) -> None:
    """Nothing else of it changes, neither keys nor peers."""
    await world.set_up()
    cases: tuple[tuple[str, str, str], ...] = (
        ("vpn:account", "l2tp_enabled", "l2tp"),
        ("wireguard:account", "wireguard_enabled", "wireguard"),
    )

    for thing, key, of in cases:
        before = repr(getattr(world.service.state, of))

        await world.act("switch", "turn_off", thing, key)
        assert not getattr(world.service.state, of).enabled
        assert world.value("switch", thing, key) == "off"
        await world.act("switch", "turn_on", thing, key)

        assert repr(getattr(world.service.state, of)) == before


async def test_a_server_that_fails_to_start(world: Hub) -> None:
    world.service.state.settings.kernel_right = False
    await world.set_up()

    with pytest.raises(HomeAssistantError, match="no NET_ADMIN capability"):
        await world.act("switch", "turn_off", "vpn:account", "l2tp_enabled")


@BOTH
async def test_exit_node(world: Hub) -> None:
    await world.set_up()
    before = world.service.state.server
    assert world.value("switch", "hub:account", "exit_node") == "on"

    await world.act("switch", "turn_off", "hub:account", "exit_node")

    assert not world.service.state.exit_node
    assert world.service.state.server == before
    assert world.value("switch", "hub:account", "exit_node") == "off"


@OLD
async def test_tun_mode(world: Hub) -> None:
    await world.set_up()

    for option, stored in (
        ("full", (True, "full")),
        ("off", (False, "full")),
        ("mixed", (True, "mixed")),
    ):
        await choose(world, "tun_mode:account", "tun_mode", option)
        mode = world.service.state.tun_mode
        assert (mode.enabled, mode.mode) == stored
        await world.elapse(1)
        assert world.value("select", "tun_mode:account", "tun_mode") == option


async def choose(world: Hub, thing: str, key: str, option: str) -> None:
    await world.hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: world.entity_id("select", thing, key), "option": option},
        blocking=True,
    )
    await world.settle()


@pytest.mark.parametrize(
    "why, key", [("disabled", "behind_disabled_link"), ("lost", "behind_lost_link")]
)
@pytest.mark.parametrize("path", ["us/us-r1", "us/us-r1/us-r1-r1"])
async def test_a_peer_behind_a_link(world: Hub, path: str, why: str, key: str) -> None:
    """It is not connected. The error of a command names the link that is down."""
    await world.set_up()
    if why == "disabled":
        world.service.state.clients["us"].disabled = True
    else:
        world.service.drop("us")
    await world.live(2 * POLL, POLL)

    for action, field in (("turn_off", "enabled"), ("turn_on", "nested")):
        with pytest.raises(ServiceValidationError) as info:
            await world.act("switch", action, f"peer:{path}", field)
        assert info.value.translation_key == key
        assert info.value.translation_placeholders == {"name": path, "link": "us"}
    error = await refused(world, f"peer:{path}", "get_peers")
    assert error.translation_key == key
    assert not world.writes()


async def test_a_peer_behind_one_without_nesting(world: Hub) -> None:
    await world.set_up()
    await world.act("switch", "turn_off", "peer:us/us-r1", "nested")
    await world.elapse(POLL)

    error = await refused(world, "peer:us/us-r1/us-r1-r1", "get_peers")

    assert error.translation_key == "behind_peer_not_nested"
    assert error.translation_placeholders == {"name": "us/us-r1/us-r1-r1", "link": "us/us-r1"}


# Servers that are not set up


@pytest.mark.parametrize("why", ["a new node", "no section of its own"])
async def test_servers_that_are_not_set_up(world: Hub, why: str) -> None:
    """It is not a damaged answer: the error says what is missing."""
    state = world.service.state
    state.l2tp.psk, state.l2tp.enabled = "", False
    state.wireguard.enabled = False
    if why == "no section of its own":
        state.wireguard = WireGuard(False, 51820, "", "10.0.0.1/24", "", 1420)
    await world.set_up()

    with pytest.raises(ServiceValidationError) as info:
        await world.act("switch", "turn_on", "vpn:account", "l2tp_enabled")
    assert info.value.translation_key == "l2tp_not_set_up"
    if why == "a new node":
        await world.act("switch", "turn_on", "wireguard:account", "wireguard_enabled")
        assert state.wireguard.enabled
    else:
        with pytest.raises(ServiceValidationError) as info:
            await world.act("switch", "turn_on", "wireguard:account", "wireguard_enabled")
        assert info.value.translation_key == "wireguard_not_set_up"


async def test_a_server_that_the_machine_does_not_support(world: Hub) -> None:
    """The node's own words come before what is not set up."""
    state = world.service.state
    state.settings.kernel_right, state.l2tp.psk = False, ""
    await world.set_up()

    with pytest.raises(HomeAssistantError) as info:
        await world.act("switch", "turn_on", "vpn:account", "l2tp_enabled")

    assert info.value.translation_placeholders == {"message": f"{REASON}"}
    assert not world.writes()


# Exits


@BOTH
async def test_select_an_exit(world: Hub) -> None:
    """The options are all paths of the mesh, as the console writes them, and the node itself."""
    await world.set_up()
    alice = world.user_thing("alice")
    state = world.state("select", alice, "exit_path")
    assert state.attributes["options"] == [
        "this_node",
        *("de", "ea1b2adb/office", "jp", "kr", "sg", "us", "us/us-r1", "us/us-r1/us-r1-r1"),
    ]
    assert state.attributes["not_connected"] == ["de", "sg"]
    before = world.user("alice")
    used, password = before.traffic_used, before.password

    await choose(world, alice, "exit_path", "us/us-r1")

    after = world.user("alice")
    assert (after.exit_via, after.exit_paths) == ("us/us-r1", ["us/us-r1"])
    assert (after.traffic_used, after.password) == (used, password)
    assert after.traffic_limit == before.traffic_limit
    assert world.value("select", alice, "exit_path") == "us/us-r1"


@BOTH
async def test_select_the_node_itself(world: Hub) -> None:
    await world.set_up()

    for thing in ("proxy:http", "wireguard_peer:phone"):
        for option in ("us", "this_node"):
            await choose(world, thing, "exit_path", option)
            assert world.value("select", thing, "exit_path") == option

        kind, _, name = thing.partition(":")
        state = world.service.state
        peers = {peer.name: peer for peer in state.wireguard.peers}
        row = state.proxies[name] if kind == "proxy" else peers[name]
        assert (row.exit_via, row.exit_paths) == ("", [])


async def test_an_exit_can_be_restored(world: Hub) -> None:
    """The previous value can be no option: the path is gone or written in another form."""
    for name, path in (("alice", "office"), ("bob", "gone/for-ever")):
        world.user(name).exit_via, world.user(name).exit_paths = path, [path]
    await world.set_up()

    for name, path in (("alice", "office"), ("bob", "gone/for-ever")):
        person = world.user_thing(name)
        assert world.value("select", person, "exit_path") == path
        await choose(world, person, "exit_path", "us")
        assert world.user(name).exit_via == "us"
        assert path in world.state("select", person, "exit_path").attributes["options"]
        await choose(world, person, "exit_path", path)
        assert (world.user(name).exit_via, world.user(name).exit_paths) == (path, [path])
        assert world.value("select", person, "exit_path") == path


async def test_exits_that_fail_and_recover(world: Hub) -> None:
    await world.set_up()
    alice = world.user_thing("alice")

    world.service.drop("us")
    await world.live(2 * SLOW_POLL, SLOW_POLL)
    down = world.state("select", alice, "exit_path").attributes["not_connected"]
    assert set(down) >= {"us", "de", "sg"}
    assert world.value("select", alice, "exit_path") == "us", "it is the configured exit"

    world.service.reconnect("us")
    await world.live(2 * SLOW_POLL, SLOW_POLL)
    assert world.state("select", alice, "exit_path").attributes["not_connected"] == ["de", "sg"]


async def test_a_path_that_is_longer_than_a_state(world: Hub) -> None:
    """It is shown shortened, can be selected, and differs from others with the same beginning."""
    same_begin = [f"us/{'y' * 300}{end}" for end in "12"]
    world.user("carol").exit_via, world.user("carol").exit_paths = same_begin[0], same_begin[:1]
    await world.set_up()
    shown = world.value("select", world.user_thing("carol"), "exit_path")
    assert len(shown) == 255
    world.user("carol").exit_via, world.user("carol").exit_paths = same_begin[1], same_begin[1:]
    await world.elapse(SLOW_POLL)
    other = world.value("select", world.user_thing("carol"), "exit_path")
    assert len(other) == 255
    assert other != shown

    await choose(world, world.user_thing("carol"), "exit_path", shown)

    assert world.user("carol").exit_via == same_begin[0]


@BOTH
async def test_an_exit_of_shadowsocks(world: Hub) -> None:
    """Version 1.3 has none, and removes the entity of an older version. Before, it was a proxy."""
    er.async_get(world.hass).async_get_or_create(
        "select", DOMAIN, f"{id_prefix(world.entry)}:proxy:ss:exit_path", config_entry=world.entry
    )

    await world.set_up()

    has_exit = world.service.state.settings.generation == "documented"
    assert bool(world.registered("proxy:ss:exit_path")) is has_exit
    assert world.value("switch", "proxy:ss", "enabled") == "on"


async def test_select_the_exit_of_a_rule(world: Hub) -> None:
    await world.set_up()

    options = world.state("select", "rule:video", "exit_path").attributes["options"]

    assert "this_node" not in options


async def test_an_exit_that_is_offline_stays_selected(world: Hub) -> None:
    world.user("alice").exit_via = "away/for-good"
    world.user("alice").exit_paths = ["away/for-good"]

    await world.set_up()

    state = world.state("select", world.user_thing("alice"), "exit_path")
    assert state.state == "away/for-good"
    assert state.state in state.attributes["options"]


async def test_an_invalid_option(world: Hub) -> None:
    await world.set_up()

    with pytest.raises(ServiceValidationError):
        await choose(world, world.user_thing("alice"), "exit_path", "mars")

    assert not world.writes()


async def test_a_new_exit_is_an_option(world: Hub) -> None:
    await world.set_up()
    world.service.state.peers["us/fresh"] = world.service.state.peers["us/us-r1"]

    await world.live(2 * SLOW_POLL, POLL)

    options = world.state("select", world.user_thing("bob"), "exit_path").attributes["options"]
    assert "us/fresh" in options


# Buttons


@BOTH
@pytest.mark.platforms("button", "sensor")
async def test_reset_traffic(world: Hub) -> None:
    await world.set_up()

    await world.act("button", "press", world.user_thing("alice"), "reset_traffic")

    assert world.user("alice").traffic_used == 0
    assert world.value("sensor", world.user_thing("alice"), "traffic_used") == "0.0"


@BOTH
@pytest.mark.platforms("button", "sensor")
async def test_kick_all_sessions(world: Hub) -> None:
    """They cannot connect for a minute, which is shown, and then return."""
    await world.set_up()

    await world.act("button", "press", world.sessions("alice"), "kick_sessions")

    assert not [k for k in world.service.state.sessions if k.startswith("alice|")]
    assert world.value("sensor", world.sessions("alice"), "sessions") == "0"
    until = world.value("sensor", world.sessions("alice"), "locked_until")
    expected = world.freezer.time_to_freeze + timedelta(seconds=60)
    assert until.startswith(expected.strftime("%Y-%m-%dT%H:%M"))
    assert world.value("sensor", world.sessions("bob"), "locked_until") == "unknown"
    await world.live(MINUTE + 2 * POLL, POLL)
    assert world.value("sensor", world.sessions("alice"), "locked_until") == "unknown"
    assert world.value("sensor", world.sessions("alice"), "sessions") == "2"


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
@pytest.mark.platforms("button", "sensor")
async def test_a_lockout_ends_although_the_clock_was_set(
    world: Hub, clocks: Clocks, seconds: float
) -> None:
    """It lasts a minute, regardless of the clock."""
    await world.set_up()
    await world.act("button", "press", world.sessions("alice"), "kick_sessions")
    clocks.set(seconds, world.service)

    await world.live(MINUTE + 2 * POLL, POLL)

    assert world.value("sensor", world.sessions("alice"), "locked_until") == "unknown"


@pytest.mark.platforms("button", "sensor")
async def test_kick_all_without_sessions(world: Hub) -> None:
    await world.set_up()

    await world.act("button", "press", world.sessions("carol"), "kick_sessions")

    assert not world.writes()
    assert world.value("sensor", world.sessions("carol"), "locked_until") == "unknown"


async def test_buttons_of_an_area_reset_no_counter(world: Hub) -> None:
    """It cannot be undone, so it is a configuration entity, which Home Assistant leaves out."""
    await world.set_up()
    alice = world.user("alice")
    used = alice.traffic_used
    area = ar.async_get(world.hass).async_create("Attic")
    device_id = world.device_id(world.user_thing("alice"))
    dr.async_get(world.hass).async_update_device(device_id, area_id=area.id)

    await world.hass.services.async_call(
        "button", "press", target={"area_id": area.id}, blocking=True
    )
    await world.settle()

    assert alice.traffic_used == used > 0


async def test_reset_traffic_of_a_deleted_user(world: Hub) -> None:
    await world.set_up()
    thing = world.user_thing("alice")
    world.service.state.users.clear()

    with pytest.raises(ServiceValidationError) as gone:
        await world.act("button", "press", thing, "reset_traffic")

    assert gone.value.translation_key == "unknown_resource"


# Updates


@pytest.mark.platforms("sensor", "update")
async def test_update(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is downloaded with progress and installed. The node restarts with the new version."""
    await world.set_up()
    update = world.state("update", "upgrade:account", "program")
    assert update.state == "on"
    assert update.attributes["installed_version"] == "1.3.4"
    assert update.attributes["latest_version"] == "1.3.5"
    seen: list[object] = []

    async def _wait(seconds: float) -> None:
        state = world.state("update", "upgrade:account", "program")
        seen.append((state.attributes["in_progress"], state.attributes["update_percentage"]))
        world.service.advance(seconds)

    monkeypatch.setattr(hy2scale.upgrade, "sleep", _wait)

    await world.act("update", "install", "upgrade:account", "program")

    assert world.service.state.version == "1.3.5"
    update = world.state("update", "upgrade:account", "program")
    assert update.state == "off"
    assert update.attributes["in_progress"] is False
    assert len(set(seen)) > 2, "the progress was shown"
    await world.live(MINUTE, POLL)
    assert world.value("sensor", "hub:account", "version") == "1.3.5"


async def test_a_node_that_does_not_support_updates(world: Hub) -> None:
    world.service.state.settings.in_docker = False
    await world.set_up()
    assert world.value("update", "upgrade:account", "program") == "on"

    with pytest.raises(HomeAssistantError):
        await world.act("update", "install", "upgrade:account", "program")

    assert not world.service.calls_to("/api/upgrade/download")


async def test_a_version_without_a_file_for_the_machine(world: Hub) -> None:
    """The version is newer, but cannot be installed."""
    world.service.state.settings.published_for_platform = False
    await world.set_up()

    update = world.state("update", "upgrade:account", "program")
    assert update.state == "off"
    assert update.attributes["latest_version"] == update.attributes["installed_version"] == "1.3.4"

    world.service.state.settings.published_for_platform = True
    await world.elapse(HOUR)
    update = world.state("update", "upgrade:account", "program")
    assert (update.state, update.attributes["latest_version"]) == ("on", "1.3.5")


async def test_an_upgrade_that_fails(world: Hub) -> None:
    await world.set_up()
    world.service.fault("/api/upgrade/download", "status", status=403)

    with pytest.raises(HomeAssistantError):
        await world.act("update", "install", "upgrade:account", "program")

    update = world.state("update", "upgrade:account", "program")
    assert (update.state, update.attributes["in_progress"]) == ("on", False)


async def test_a_node_without_internet(world: Hub) -> None:
    """The latest version is unknown. Nothing else is affected."""
    world.service.state.settings.internet = False

    await world.set_up()

    assert world.value("switch", "tunnel:us", "enabled") == "on"
    update = world.state("update", "upgrade:account", "program")
    assert update.state == "unknown"
    assert update.attributes["installed_version"] == "1.3.4"


async def test_an_upgrade_that_was_started_elsewhere(world: Hub) -> None:
    """A request for the latest version would make the node discard its download."""
    world.service.state.upgrade.state = "ready"
    world.service.state.upgrade.latest = "1.3.5"

    await world.set_up()

    assert world.service.state.upgrade.state == "ready"
    assert not world.service.calls_to("/api/upgrade/check")


# QR codes


@BOTH
@pytest.mark.platforms("image")
async def test_qr_code(world: Hub) -> None:
    """It is disabled by default, because it contains a private key."""
    await world.set_up()
    entity_id = world.entity_id("image", "wireguard_peer:phone", "qr_code")
    registered = er.async_get(world.hass).async_get(entity_id)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert not world.service.calls_to("/api/wireguard/qr")

    await world.enable_all()
    assert not world.service.calls_to("/api/wireguard/qr"), "it has not been requested"
    image = await async_get_image(world.hass, entity_id)

    assert image.content_type == "image/png"
    assert image.content.startswith(b"\x89PNG")


@pytest.mark.platforms("image")
async def test_qr_code_changes_with_the_peer(world: Hub) -> None:
    await world.set_up_enabled()
    # Home Assistant reloads an entry some time after its entities were enabled.
    await world.live(MINUTE, SLOW_POLL)
    before = world.value("image", "wireguard_peer:phone", "qr_code")
    await world.live(3 * SLOW_POLL, SLOW_POLL)
    assert world.value("image", "wireguard_peer:phone", "qr_code") == before

    world.service.state.wireguard.peers[0].allowed_ips = "10.0.0.99/32"
    await world.elapse(SLOW_POLL)

    assert world.value("image", "wireguard_peer:phone", "qr_code") != before


@pytest.mark.platforms("image")
async def test_no_qr_code(world: Hub) -> None:
    await world.set_up_enabled()
    world.service.fault("/api/wireguard/peers/{name}/config", "status", status=500, times=None)

    with pytest.raises(HomeAssistantError):
        await async_get_image(
            world.hass, world.entity_id("image", "wireguard_peer:phone", "qr_code")
        )


async def test_force_down_uses_the_current_state(
    world: Hub,
) -> None:
    """The connection was disabled on the node's console right after a poll."""
    await world.set_up()
    await world.elapse(MINUTE)
    world.service.state.clients["us"].disabled = True

    await world.act("switch", "turn_on", "tunnel:us", "force_down")
    await world.act("switch", "turn_off", "tunnel:us", "force_down")

    assert world.service.state.clients["us"].disabled


async def test_invalid_keys(world: Hub) -> None:
    """An invalid pair of keys in the node's answer is not sent back to it."""
    await world.set_up()

    for key in ("", "x" * 100_000, None, ["x"]):
        before = list(world.service.state.wireguard.peers)
        keys = {"private_key": key, "public_key": "p", "name": "injected"}
        world.service.fault("/api/wireguard/generate-key", "body", body=keys)

        error = await refused(
            world, None, "create_wireguard_peer", name="tablet", address="10.9.0.9"
        )

        assert error.translation_key == "unavailable_malformed"
        assert list(world.service.state.wireguard.peers) == before
