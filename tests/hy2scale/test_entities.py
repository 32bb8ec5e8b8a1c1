"""Tests the entities of a node, its mesh and its users."""

from collections import Counter
from datetime import UTC, datetime

from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import HomeAssistantError
import pytest

from simulator.hy2scale import Peer, Proxy, Rule, User
from simulator.hy2scale.endpoints.vpn import REASON
from simulator.hy2scale.state import WireGuardPeer

from ..common import HOUR, MINUTE, on
from .common import BOTH, OLD, POLL, SLOW_POLL, Hub

# The node


async def test_limitations_of_a_node_are_problems(world: Hub) -> None:
    world.service.state.settings.kernel_right = False
    world.service.state.compat = True

    await world.set_up()

    for key in ("limited", "compat"):
        state = world.state("binary_sensor", "hub:account", key)
        assert (state.state, state.attributes["device_class"]) == ("on", "problem")
    capable = world.state("binary_sensor", "vpn:account", "l2tp_capable")
    assert capable.state == "off"
    assert capable.attributes["reason"] == REASON


async def test_active_paths_change(world: Hub) -> None:
    await world.set_up()
    world.service.state.active_paths = {"us/us-r1": "jp/us-r1", "kr": "kr"}

    await world.elapse(POLL)

    assert world.value("sensor", "hub:account", "active_paths") == "kr, jp/us-r1"
    world.service.state.active_paths = {}
    await world.elapse(POLL)
    assert world.value("sensor", "hub:account", "active_paths") == "unknown"


@BOTH
async def test_a_reset_counter(world: Hub) -> None:
    """After a restart no sign-in is requested, and the statistics begin a new cycle."""
    await world.set_up()
    before = float(world.value("sensor", "hub:account", "traffic_in"))

    await world.service.restart()
    await world.elapse(POLL)

    after = world.state("sensor", "hub:account", "traffic_in")
    assert 0 <= float(after.state) < before
    assert after.attributes["state_class"] == "total_increasing"
    assert not world.hass.config_entries.flow.async_progress()
    assert world.value("switch", "tunnel:us", "enabled") == "on"


async def test_one_login_for_all_requests(world: Hub) -> None:
    """There is one more login after the node lost its session tokens."""
    await world.set_up()
    await world.live(MINUTE, POLL)
    assert len(world.service.calls_to("/api/login")) == 1

    world.service.state.tokens.clear()
    await world.live(MINUTE, POLL)

    assert len(world.service.calls_to("/api/login")) == 2
    assert world.value("switch", "tunnel:us", "enabled") == "on"


@OLD
async def test_tun_mode(world: Hub) -> None:
    await world.set_up()
    assert world.value("select", "tun_mode:account", "tun_mode") == "mixed"

    world.service.state.tun_mode.enabled = False
    await world.live(5 * MINUTE)

    assert world.value("select", "tun_mode:account", "tun_mode") == "off"


# Unsupported features


@OLD
async def test_no_entities_for_what_the_older_generation_lacks(world: Hub) -> None:
    await world.set_up()

    for kind in ("upgrade:",):
        assert not world.registered(kind), kind
    assert world.value("switch", "proxy:ss", "enabled") == "on", "it is listed as a proxy there"
    assert world.value("sensor", world.user_thing("alice"), "traffic_limit") == "500.0"
    assert world.value("sensor", world.sessions("alice"), "sessions") == "2"


async def test_missing_routes_are_unsupported_features(world: Hub) -> None:
    """Everything else works, and no error is logged."""
    gone = {
        "/api/ss": "proxy:ss:",
        "/api/sessions": "user_sessions:",
        "/api/rules": "rule:",
        "/api/wireguard": "wireguard_peer:",
        "/api/l2tp": "nothing",
        "/api/users/conflicts": "nothing",
        "/api/tls": "certificates:",
        "/api/upgrade/check": "upgrade:",
    }
    world.service.state.settings.missing_routes = list(gone)

    await world.set_up()

    assert not [thing for thing in gone.values() if world.registered(thing)]
    assert world.value("switch", "proxy:socks5", "enabled") == "on"
    assert world.value("switch", world.user_thing("alice"), "enabled") == "on"
    assert "unavailable" not in {s.state for s in world.hass.states.async_all()}


# Peers


async def test_addresses_of_a_connection(world: Hub) -> None:
    world.service.state.peers["jp"].address_status = {"jp2.example.com:5565": "offline"}

    await world.set_up()

    addresses = world.state("sensor", "link:jp", "latency").attributes["addresses"]
    assert addresses == [
        {"address": "jp.example.com:5565", "status": "online"},
        {"address": "jp2.example.com:5565", "status": "offline"},
    ]
    assert "addresses" not in world.state("sensor", "link:us", "latency").attributes


async def test_problems_of_a_peer(world: Hub) -> None:
    await world.set_up()

    for thing in ("link:jp", "peer:office"):
        for key in ("conflict", "incompatible", "unsupported"):
            assert world.value("binary_sensor", thing, key) == "off"
            setattr(world.service.state.peers[thing.partition(":")[2]], key, True)
            await world.elapse(POLL)
            state = world.state("binary_sensor", thing, key)
            assert (state.state, state.attributes["device_class"]) == ("on", "problem")


@BOTH
async def test_unknown_latency(world: Hub) -> None:
    """The node returns -1."""
    await world.set_up()

    if world.service.state.settings.generation == "1.3":
        assert world.value("sensor", "peer:office", "latency") == "unknown"
    assert world.value("sensor", "link:sg", "latency") == "unknown"
    assert not [s for s in world.hass.states.async_all("sensor") if s.state.startswith("-")]


@BOTH
async def test_negative_rates(world: Hub) -> None:
    """A second after a reconnect the counters wrap around to 1.8e19."""
    await world.set_up()
    before = world.value("sensor", "link:us", "rate_in")
    for path in ("us", "us/us-r1"):
        world.service.drop(path)
    await world.elapse(POLL)
    for path in ("us", "us/us-r1"):
        world.service.reconnect(path)
        world.service.state.peers[path].linked_at += POLL

    await world.elapse(POLL)

    assert world.service.rates("us")[0] > 2**63
    assert world.value("sensor", "link:us", "rate_in") == "unknown"
    await world.elapse(POLL)
    assert world.value("sensor", "link:us", "rate_in") == before


async def test_peers_connect_and_disconnect(world: Hub) -> None:
    """An offline peer keeps its entities, whether the node still lists it or not."""
    await world.set_up()
    world.service.drop("office")
    world.service.state.peers["us/new"] = Peer(latency_ms=99, version="1.3.4")
    world.service.drop("us/us-r1")

    await world.live(3 * POLL, POLL)

    assert world.value("sensor", "peer:us/new", "latency") == "99"
    for peer in ("peer:office", "peer:us/us-r1"):
        assert world.value("binary_sensor", peer, "connected") == "off"
        assert world.value("sensor", peer, "latency") == "unknown"
    world.service.reconnect("office")
    await world.elapse(POLL)
    assert world.value("binary_sensor", "peer:office", "connected") == "on"


async def test_rates_of_other_nodes_are_disabled_by_default(world: Hub) -> None:
    """The dashboard shows those of the node's own connections."""
    await world.set_up()
    registered = {entity.unique_id: entity for entity in world.registered()}
    rates = {name: entity for name, entity in registered.items() if ":rate_" in name}

    assert {name for name, entity in rates.items() if entity.disabled_by} == {
        name for name in rates if ":peer:" in name
    }
    assert any(":peer:" in name for name in rates)
    assert any(":link:" in name for name in rates)
    await world.enable_all()
    assert world.value("sensor", "peer:office", "rate_in") != "unknown"


async def test_peers_behind_a_link_that_is_down(world: Hub) -> None:
    """The node does not list them. Their devices stay, without a link, until they return."""
    await world.set_up()
    world.service.drop("us")
    await world.live(6 * POLL, POLL)

    for path in ("us/us-r1", "us/us-r1/us-r1-r1"):
        assert world.value("binary_sensor", f"peer:{path}", "connected") == "off"
        assert world.value("sensor", f"peer:{path}", "latency") == "unknown"
    world.service.reconnect("us")
    await world.elapse(POLL)
    assert world.value("binary_sensor", "peer:us/us-r1", "connected") == "on"


async def test_peers_that_are_no_longer_nested(world: Hub) -> None:
    """They stay, because they can be shown again. Those behind a deleted connection are removed."""
    await world.set_up()

    await world.act("switch", "turn_off", "link:us", "nested")
    await world.live(3 * POLL, POLL)

    for path in ("us/us-r1", "us/us-r1/us-r1-r1"):
        assert world.value("binary_sensor", f"peer:{path}", "connected") == "off"
    await on(world, "tunnel:us", "delete_client")
    await world.live(3 * POLL, POLL)
    assert not world.device("peer:us/us-r1")
    assert not world.device("peer:us/us-r1/us-r1-r1")
    assert world.device("peer:office")


# Users


async def test_users_with_the_same_password(world: Hub) -> None:
    await world.set_up()

    state = world.state("binary_sensor", world.user_thing("carol"), "conflicts")
    assert (state.state, state.attributes["users"]) == ("on", ["dave"])
    assert world.value("binary_sensor", world.user_thing("alice"), "conflicts") == "off"
    world.service.state.users[world.user("carol").id].password = "another"
    await world.elapse(SLOW_POLL)
    assert world.value("binary_sensor", world.user_thing("carol"), "conflicts") == "off"


@BOTH
async def test_expiry_with_a_time(world: Hub) -> None:
    """A day begins at midnight UTC, in both generations."""
    world.user("dave").expiry_date = "2027-01-31"

    await world.set_up()

    expected = datetime(2027, 1, 31, tzinfo=UTC).isoformat()
    assert world.value("sensor", world.user_thing("dave"), "expires") == expected


@BOTH
async def test_sessions(world: Hub) -> None:
    await world.set_up()

    assert world.value("sensor", world.sessions("alice"), "sessions") == "2"
    assert world.value("sensor", world.sessions("carol"), "sessions") == "0"
    world.service.connect("dave", "203.0.113.30")
    await world.elapse(POLL)
    assert world.value("sensor", world.sessions("dave"), "sessions") == "1"


@BOTH
async def test_new_rows_appear(world: Hub) -> None:
    await world.set_up()
    state = world.service.state
    state.users["new"] = User(id="new", username="eve", password="secret-of-eve", enabled=True)
    state.rules["new"] = Rule("new", "New", "ip", ["192.0.2.0/24"], "us", ["us"])
    state.proxies["new"] = Proxy("new", "http", "127.0.0.1:3128")
    state.wireguard.peers.append(WireGuardPeer("tablet", "k", "k", "10.0.0.9/32"))

    await world.elapse(SLOW_POLL)
    await world.elapse(POLL)

    assert world.value("switch", "user:new", "enabled") == "on"
    assert world.value("sensor", "user_sessions:new", "sessions") == "0"
    assert world.value("switch", "rule:new", "enabled") == "off"
    assert world.value("switch", "proxy:new", "enabled") == "off"
    assert world.value("sensor", "wireguard_peer:tablet", "address") == "10.0.0.9/32"
    device = world.device("user:new")
    assert device
    assert device.name == "eve"


@BOTH
async def test_deleted_rows_are_removed(world: Hub) -> None:
    await world.set_up()
    thing = world.user_thing("alice")
    world.service.state.users.pop(world.user("alice").id)
    world.service.state.rules.clear()
    world.service.state.wireguard.peers.clear()
    world.service.state.certificates.clear()

    await world.live(3 * SLOW_POLL, SLOW_POLL)

    assert not world.device(thing)
    assert not world.device("rule:video")
    assert not world.device("wireguard_peer:phone"), "null is an empty list"
    assert not world.registered(thing)


async def test_rules_that_cannot_be_applied(world: Hub) -> None:
    world.service.state.settings.host_network = False
    world.service.drop("us")

    await world.set_up()

    assert world.value("binary_sensor", "rule:video", "unavailable") == "on"
    assert world.value("binary_sensor", "rule:office", "tun_active") == "off", (
        "although it requires TUN"
    )


@BOTH
async def test_no_certificates_and_no_wireguard_peers(world: Hub) -> None:
    world.service.state.certificates.clear()
    world.service.state.wireguard.peers.clear()

    await world.set_up()

    assert world.value("sensor", "certificates:account", "certificates") == "unknown"
    assert world.value("sensor", "wireguard:account", "wireguard_peers") == "0"
    assert not world.registered("wireguard_peer:")


async def test_ikev2_has_no_switch(world: Hub) -> None:
    """A write would delete settings of IKEv2 that reads do not return."""
    await world.set_up()

    assert world.value("switch", "vpn:account", "l2tp_enabled") == "on"
    assert world.value("binary_sensor", "vpn:account", "ikev2_enabled") == "on"
    switches = {e.unique_id for e in world.registered() if e.domain == "switch"}
    assert not [one for one in switches if "ikev2" in one]


# Polling


async def test_requests_in_a_minute(world: Hub) -> None:
    """Values that change often are read every ten seconds.

    All features share one request for the mesh.
    """
    await world.set_up()
    await world.live(MINUTE, POLL)
    world.service.calls.clear()

    await world.live(MINUTE, POLL)

    count = Counter(call.path.removeprefix("/scale/api") for call in world.service.calls)
    assert count["/node"] == count["/stats"] == 6
    assert count["/topology"] == 6
    assert count["/clients"] == 6
    assert count["/sessions"] <= 12
    assert count["/users"] <= 8
    assert count["/rules"] == count["/proxies"] == 2
    for slow in ("/l2tp", "/ikev2", "/tls", "/upgrade/check", "/upgrade/status"):
        assert count[slow] == 0, slow
    assert all(call.method == "GET" for call in world.service.calls)


async def test_slow_feeds(world: Hub) -> None:
    await world.set_up()
    world.service.calls.clear()

    await world.live(HOUR, 5 * MINUTE)

    for route in ("/api/l2tp", "/api/ikev2", "/api/tls"):
        assert len(world.service.calls_to(route)) == 1, route


async def test_a_base_path_that_changed(world: Hub) -> None:
    """Setup fails instead of treating all features as unsupported. Devices stay."""
    await world.set_up()
    devices = {entity.device_id for entity in world.registered()}
    world.service.state.ui.base_path = "/elsewhere"
    await world.service.restart()

    with pytest.raises(HomeAssistantError) as info:
        await world.act("switch", "turn_off", "proxy:socks5", "enabled")
    assert info.value.translation_key == "no_node_here"
    await world.live(MINUTE, POLL)
    assert world.value("switch", "tunnel:us", "enabled") == "unavailable"
    await world.restart()

    assert world.entry.state is ConfigEntryState.SETUP_RETRY
    assert world.entry.error_reason_translation_key == "no_node_here"
    assert {entity.device_id for entity in world.registered()} == devices
    assert not world.hass.config_entries.flow.async_progress()


async def test_an_outage(world: Hub) -> None:
    """The last values are kept for two polls."""
    await world.set_up()
    await world.service.stop()

    await world.live(2 * POLL, POLL)
    assert world.value("switch", "tunnel:us", "enabled") == "on"
    await world.live(2 * POLL, POLL)
    assert world.value("switch", "tunnel:us", "enabled") == "unavailable"
    await world.service.start(int(world.entry.data["port"]))
    await world.live(MINUTE, POLL)

    assert world.value("switch", "tunnel:us", "enabled") == "on"
    assert world.value("sensor", "hub:account", "sessions") == "3"
