"""Tests HY2 SCALE's actions, accepted and refused."""

from datetime import timedelta
import io
from pathlib import Path
import shutil
import stat
import tarfile
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.tunnel_hub.actions.certificates import CERTIFICATE_ACTIONS
from custom_components.tunnel_hub.actions.collections import COLLECTION_ACTIONS
from custom_components.tunnel_hub.actions.mesh import MESH_ACTIONS
from custom_components.tunnel_hub.api.hy2scale import upgrade
from custom_components.tunnel_hub.const import DOMAIN
from simulator.hy2scale import Client, hashed

from ..common import MINUTE, NOON, on, on_account, refused
from .common import BOTH, OLD, POLL, SLOW_POLL, Hub

pytestmark = pytest.mark.platforms()

GIB = 1024**3


@pytest.fixture(autouse=True)
def _config_folder(hass: HomeAssistant, tmp_path: Path) -> None:
    """Let Home Assistant write files to a temporary folder."""
    hass.config.config_dir = str(tmp_path)


# Creating, updating and deleting rows

NEW: dict[str, dict[str, Any]] = {
    "client": {
        "name": "new",
        "addresses": ["new.example.com:5565", "new2.example.com:5565"],
        "password": "password-of-new",
        "server_name": "new.example.com",
        "insecure": True,
        "max_rate_in": 100,
        "max_rate_out": 0.5,
    },
    "proxy": {
        "id": "second",
        "protocol": "http",
        "listen": "127.0.0.1:3128",
        "exit_paths": ["us/us-r1"],
    },
    "rule": {
        "id": "new",
        "name": "New rule",
        "type": "domain",
        "targets": ["one.example.com", "two.example.com"],
        "exit_paths": ["us", "jp"],
        "exit_mode": "quality",
    },
    "user": {
        "name": "eve",
        "password": "password-of-eve",
        "traffic_limit": 1.5,
        "expires": "2027-01-31",
        "exit_paths": "us",
    },
    "wireguard_peer": {"name": "tablet", "address": "10.0.0.9/32", "keepalive": 25},
}
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "client": ("tunnel:us", {"addresses": ["us.example.com:5565", "other.example.com:5565"]}),
    "proxy": ("proxy:http", {"listen": "127.0.0.1:8888"}),
    "rule": ("rule:games", {"targets": ["198.51.100.0/25"], "type": "ip"}),
    "user": ("user:bob", {"traffic_limit": 2}),
    "wireguard_peer": ("wireguard_peer:laptop", {"address": "10.0.0.77/32"}),
}


def rows(world: Hub, kind: str) -> dict[str, Any]:
    """Return the node's rows of a kind, by id."""
    state = world.service.state
    all_rows: dict[str, dict[str, Any]] = {
        "client": state.clients,
        "proxy": state.proxies,
        "rule": state.rules,
        "user": state.users,
        "wireguard_peer": {peer.name: peer for peer in state.wireguard.peers},
    }
    return all_rows[kind]


def thing(world: Hub, kind: str) -> str:
    """Return the device that the changes are for."""
    name = CHANGES[kind][0]
    return world.user_thing(name.partition(":")[2]) if kind == "user" else name


@BOTH
async def test_create(world: Hub) -> None:
    """A second request is refused: the node would ignore it or replace the row."""
    await world.set_up()

    for kind, fields in NEW.items():
        before = set(rows(world, kind))
        response = await on_account(world, f"create_{kind}", **fields)
        (made,) = set(rows(world, kind)) - before
        assert response == {"id": made}
        await world.elapse(1)
        assert world.device(f"{'tunnel' if kind == 'client' else kind}:{made}")
        stored = repr(rows(world, kind))
        error = await refused(world, None, f"create_{kind}", **fields)
        assert error.translation_key == "already_exists"
        assert repr(rows(world, kind)) == stored

    client = world.service.state.clients["new"]
    assert client.addrs == NEW["client"]["addresses"]
    assert (client.addr, client.sni, client.insecure) == (
        "new.example.com:5565",
        "new.example.com",
        True,
    )
    assert (client.max_rx, client.max_tx) == (12_500_000, 62_500)
    user = world.user("eve")
    assert (user.traffic_limit, user.expiry_date, user.enabled) == (1.5 * GIB, "2027-01-31", True)
    assert (user.exit_via, user.exit_paths) == ("us", ["us"])
    rule = world.service.state.rules["new"]
    assert (rule.exit_via, rule.exit_paths, rule.exit_mode) == ("us", ["us", "jp"], "quality")
    assert rule.enabled
    peer = rows(world, "wireguard_peer")["tablet"]
    assert peer.private_key
    assert peer.public_key
    assert peer.private_key != peer.public_key


async def test_create_a_client_with_a_known_address(world: Hub) -> None:
    """The node answers 200 and ignores the request."""
    await world.set_up()

    error = await refused(
        world, None, "create_client", **NEW["client"] | {"addresses": ["us.example.com:5565"]}
    )

    assert error.translation_key == "already_exists"
    assert error.translation_placeholders == {"name": "us.example.com:5565"}


@BOTH
async def test_update(world: Hub) -> None:
    """Other fields stay as they were, secrets as well."""
    await world.set_up()

    for kind in NEW:
        changes = CHANGES[kind][1]
        device = thing(world, kind)
        id_ = device.partition(":")[2]
        before = rows(world, kind)[id_]
        kept = {
            name: getattr(before, name)
            for name in ("password", "private_key", "enabled", "exit_via", "name", "sni", "listen")
            if hasattr(before, name) and name not in changes
        }

        await on(world, device, f"update_{kind}", **changes)

        after = rows(world, kind)[id_]
        assert repr(after) != repr(before)
        assert {name: getattr(after, name) for name in kept} == kept


@pytest.mark.platforms("sensor")
async def test_an_update_is_shown_immediately(world: Hub) -> None:
    await world.set_up()

    await on(world, world.user_thing("bob"), "update_user", traffic_limit=2, expires="never")

    assert world.value("sensor", world.user_thing("bob"), "traffic_limit") == "2.0"
    assert world.value("sensor", world.user_thing("bob"), "expires") == "unknown"
    assert world.user("bob").expiry_date == ""


@OLD
async def test_never_expires_is_refused_in_the_older_generation(world: Hub) -> None:
    await world.set_up()

    await on(world, world.user_thing("bob"), "update_user", expires="never")

    assert world.user("bob").expiry_date == ""


@BOTH
async def test_a_changed_primary_address_is_refused(world: Hub) -> None:
    """The node would only apply a part of it. The error explains what to do."""
    await world.set_up()
    before = repr(world.service.state.clients)

    error = await refused(
        world, "tunnel:us", "update_client", addresses=["other.example.com:5565"], name="x"
    )

    assert error.translation_key == "primary_address_stays"
    assert error.translation_placeholders == {"name": "us", "now": "us.example.com:5565"}
    assert not world.writes()
    assert repr(world.service.state.clients) == before


@pytest.mark.platforms("binary_sensor", "sensor")
async def test_a_connection_that_is_created_again_with_another_address(world: Hub) -> None:
    """As the error advises. The device stays, with its name and area."""
    await world.set_up()
    device = world.device("tunnel:us")
    assert device
    dr.async_get(world.hass).async_update_device(device.id, name_by_user="My exit")
    world.service.state.remotes["other.example.com:5565"] = "us"

    await on(world, "tunnel:us", "delete_client")
    await world.live(3 * POLL, POLL)
    assert not world.device("tunnel:us")
    response = await on_account(
        world, "create_client", name="us", addresses="other.example.com:5565", password="p"
    )
    await world.live(3 * POLL, POLL)

    assert response == {"id": "us"}
    again = world.device("tunnel:us")
    assert again
    assert (again.id, again.name_by_user) == (device.id, "My exit")
    assert world.value("sensor", "tunnel:us", "public_address") == "other.example.com:5565"
    assert world.value("binary_sensor", "tunnel:us", "online") == "on"


@pytest.mark.platforms("switch")
async def test_rename_a_client(world: Hub) -> None:
    """Its device stays. When it connects, it takes the other node's name again."""
    await world.set_up()
    device = world.device("tunnel:jp")
    assert device

    await on(world, "tunnel:jp", "update_client", name="tokyo")

    assert [c.name for c in world.service.state.clients.values()][1] == "tokyo"
    renamed = world.device("tunnel:jp")
    assert renamed
    assert (renamed.id, renamed.name) == (device.id, "tokyo")
    await world.live(2 * POLL, POLL)
    back = world.device("tunnel:jp")
    assert back
    assert (back.id, back.name) == (device.id, "jp")


@pytest.mark.platforms("binary_sensor", "sensor", "switch")
async def test_two_connections_with_the_same_name(world: Hub) -> None:
    """They are distinguished by their addresses, and each action changes the right one."""
    await world.set_up()
    world.service.state.clients["us again"] = Client(
        name="us", addr="198.51.100.9:5565", addrs=["198.51.100.9:5565"], password="p"
    )
    await world.live(3 * POLL, POLL)

    first, second = world.device("tunnel:us"), world.device("tunnel:us~2")
    assert first
    assert second
    assert (first.name, second.name) == ("us (us.example.com:5565)", "us (198.51.100.9:5565)")
    for link in ("link:us", "link:us~2"):
        assert world.value("binary_sensor", link, "conflict") == "on"
    assert world.value("sensor", "tunnel:us~2", "public_address") == "198.51.100.9:5565"

    await world.act("switch", "turn_off", "tunnel:us~2", "enabled")
    assert world.service.state.clients["us again"].disabled
    assert not world.service.state.clients["us"].disabled
    await on(world, "tunnel:us~2", "update_client", server_name="second.example.com")
    assert world.service.state.clients["us again"].sni == "second.example.com"
    assert world.service.state.clients["us"].sni == "us.example.com"
    await on(world, "tunnel:us", "delete_client")
    assert [c.addr for c in world.service.state.clients.values() if c.name == "us"] == [
        "198.51.100.9:5565"
    ]
    await world.live(3 * POLL, POLL)
    assert not world.device("tunnel:us")
    left = world.device("tunnel:us~2")
    assert left
    assert left.name == "us"
    assert world.value("binary_sensor", "link:us~2", "conflict") == "off"


@BOTH
async def test_update_is_refused(world: Hub) -> None:
    """A row that was deleted at the node is not created again."""
    await world.set_up()

    devices = {kind: thing(world, kind) for kind in NEW}
    world.service.state.wireguard.peers.clear()
    for name in ("clients", "proxies", "rules", "users"):
        getattr(world.service.state, name).clear()

    for kind, device in devices.items():
        error = await refused(world, device, f"update_{kind}", **CHANGES[kind][1])
        assert error.translation_key == "unknown_resource"
        assert not rows(world, kind)


@BOTH
async def test_delete(world: Hub) -> None:
    await world.set_up()

    devices = {kind: thing(world, kind) for kind in NEW}

    for kind, device in devices.items():
        await on(world, device, f"delete_{kind}")
        assert device.partition(":")[2] not in rows(world, kind)

    await world.live(2 * SLOW_POLL, SLOW_POLL)
    assert not any(world.device(device) for device in devices.values())


async def test_delete_is_refused(world: Hub) -> None:
    await world.set_up()

    world.service.fault("*", "body", status=400, body="not now", match=None, times=None)

    for kind in NEW:
        error = await refused(world, thing(world, kind), f"delete_{kind}")
        assert error.translation_key == "rejected"
        assert error.translation_placeholders == {"message": "not now"}


async def test_shadowsocks_cannot_be_deleted(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, "proxy:ss", "delete_proxy")

    assert error.translation_key == "unsupported"
    assert "ss" in world.service.state.proxies


async def test_a_refusal_of_the_node(world: Hub) -> None:
    """The error contains the node's message without the password."""
    await world.set_up()

    error = await refused(world, None, "create_user", name="eve", password=server_password(world))

    assert error.translation_key == "rejected"
    assert server_password(world) not in str(error.translation_placeholders)


def server_password(world: Hub) -> str:
    """Return the password of inbound peers."""
    server = world.service.state.server
    assert server
    return server.password


async def test_invalid_data(world: Hub) -> None:
    await world.set_up()
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("create_rule", {**NEW["rule"], "type": "other"}),
        ("create_user", {**NEW["user"], "expires": "soon"}),
        ("create_user", {**NEW["user"], "traffic_limit": -1}),
        ("create_proxy", {**NEW["proxy"], "exit_mode": "direct"}),
        ("create_client", {"name": "new", "addresses": []}),
        ("check_ports", {"ports": ["22"]}),
        ("check_ports", {"ports": ["70000/tcp"]}),
        ("set_graph_layout", {"positions": {"us": {"x": 1}}}),
    )

    for action, fields in cases:
        with pytest.raises(vol.Invalid):
            await on_account(world, action, **fields)

        assert not world.writes()


async def test_a_name_that_a_path_cannot_contain(world: Hub) -> None:
    """The node would create it and never find it again. Users have ids that the node chooses."""
    await world.set_up()

    for name in ("..", "."):
        for kind in ("client", "proxy", "rule", "wireguard_peer"):
            field = "id" if "id" in NEW[kind] else "name"

            error = await refused(world, None, f"create_{kind}", **{**NEW[kind], field: name})

            assert error.translation_key == "invalid_name"
            if field == "name":
                error = await refused(world, thing(world, kind), f"update_{kind}", name=name)
                assert error.translation_key == "invalid_name"
            assert not world.writes()


async def test_a_second_shadowsocks_server(world: Hub) -> None:
    """The node would create a SOCKS5 proxy instead."""
    await world.set_up()
    cases: tuple[tuple[str, str], ...] = (
        ("second", "shadowsocks_exists"),
        ("ss", "already_exists"),
    )

    for id_, key in cases:
        error = await refused(
            world, None, "create_proxy", id=id_, protocol="ss", listen="127.0.0.1:8389"
        )

        assert error.translation_key == key
        assert not world.writes()


@BOTH
async def test_exit_mode_with_one_path(world: Hub) -> None:
    """An exit can have several paths. If only one is set, the mode is cleared."""
    await world.set_up()

    bob = world.user_thing("bob")

    for mode in ("quality", "aggregate"):
        await on(world, bob, "update_user", exit_paths="jp", exit_mode=mode)
        assert (world.user("bob").exit_paths, world.user("bob").exit_mode) == (["jp"], mode)
        await on(world, bob, "update_user", exit_paths="us")
        assert (world.user("bob").exit_paths, world.user("bob").exit_mode) == (["us"], "")
        await on(world, bob, "update_user", exit_paths=[], exit_mode=mode)
        assert (world.user("bob").exit_via, world.user("bob").exit_mode) == ("", "")


# Sessions


@BOTH
async def test_get_sessions(world: Hub) -> None:
    await world.set_up()

    response = await on(world, world.user_thing("alice"), "get_sessions")

    assert len(response["sessions"]) == 2
    first = response["sessions"][0]
    assert first["key"] == "alice|203.0.113.10|hy2"
    assert (first["address"], first["protocol"], first["connections"]) == ("203.0.113.10", "hy2", 2)


@BOTH
@pytest.mark.platforms("sensor")
async def test_kick_one_session(world: Hub) -> None:
    await world.set_up()
    key = "alice|203.0.113.10|hy2"

    response = await on(world, world.user_thing("alice"), "kick_session", key=key)

    until = NOON + timedelta(seconds=60)
    assert response == {"sessions": [key], "locked_until": until.isoformat()}
    assert key in world.service.state.locked
    assert world.value("sensor", world.sessions("alice"), "sessions") == "1"
    assert world.value("sensor", world.sessions("alice"), "locked_until") == until.isoformat()
    assert world.value("sensor", "hub:account", "sessions") == "2"


async def test_kick_all(world: Hub) -> None:
    await world.set_up()

    response = await on(world, world.user_thing("alice"), "kick_session")

    assert len(response["sessions"]) == 2
    assert len(world.service.state.locked) == 2


async def test_kick_all_of_a_user_without_sessions(world: Hub) -> None:
    await world.set_up()

    response = await on(world, world.user_thing("carol"), "kick_session")

    assert response == {"sessions": [], "locked_until": None}


async def test_kick_a_session_of_another_user(world: Hub) -> None:
    await world.set_up()

    for key in ("bob|203.0.113.20|l2tp", "gone"):
        error = await refused(world, world.user_thing("alice"), "kick_session", key=key)

        assert error.translation_key == "unknown_session"
        assert not world.service.state.locked


async def test_kick_where_there_are_no_sessions(world: Hub) -> None:
    world.service.state.settings.missing_routes = ["/api/sessions"]
    await world.set_up()

    error = await refused(world, world.user_thing("alice"), "kick_session")

    assert error.translation_key == "unsupported"


# Queries


@BOTH
async def test_check_ports(world: Hub) -> None:
    await world.set_up()

    response = await on_account(world, "check_ports", ports=["22/tcp", "9999/udp"])

    assert response == {
        "ports": [
            {"port": 22, "protocol": "tcp", "free": False},
            {"port": 9999, "protocol": "udp", "free": True},
        ]
    }


async def test_check_ports_that_are_all_free(world: Hub) -> None:
    await world.set_up()

    response = await on_account(world, "check_ports", ports="9999/udp")

    assert [port["free"] for port in response["ports"]] == [True]


async def test_resolve_name(world: Hub) -> None:
    await world.set_up()

    response = await on_account(world, "resolve_name", name="example.com", exit_path="us")

    assert response == {"addresses": ["192.0.2.80", "2001:db8::80"]}
    (call,) = world.service.calls_to("/api/diag/resolve")
    assert call.get("exit_via") == "us"


async def test_resolve_a_name_without_addresses(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, None, "resolve_name", name="nowhere.example.com")

    assert error.translation_placeholders == {"message": "lookup nowhere.example.com: no such host"}


@OLD
async def test_actions_that_the_older_generation_does_not_have(world: Hub) -> None:
    await world.set_up()
    cases: tuple[tuple[str | None, str, dict[str, str]], ...] = (
        (None, "resolve_name", {"name": "example.com"}),
        ("tunnel:us", "get_latency_history", {}),
    )

    for subject, action, fields in cases:
        error = await refused(world, subject, action, **fields)

        assert error.translation_key == "unsupported"


async def test_latency_history(world: Hub) -> None:
    """A peer that connects to the node measures the latency itself."""
    await world.set_up()
    await world.live(MINUTE, POLL)

    for device, measured in {"tunnel:us": 12, "peer:office": 0}.items():
        response = await on(world, device, "get_latency_history")
        assert (response["connected"], response["rebinds"]) == (True, 0)
        samples = response["samples"]
        assert len(samples) == measured
        for sample in samples:
            assert sample["latency"] == world.service.state.peers["us"].latency_ms
        assert samples == sorted(samples, key=lambda sample: sample["time"])


async def test_latency_history_without_a_link(world: Hub) -> None:
    await world.set_up()

    for device in ("tunnel:sg", "tunnel:us", "peer:office"):
        world.service.drop(device.partition(":")[2])

        response = await on(world, device, "get_latency_history")

        assert response == {"connected": False, "rebinds": None, "samples": []}


async def test_latency_history_of_a_nested_peer(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, "peer:us/us-r1", "get_latency_history")

    assert error.translation_key == "no_link_of_its_own"


@BOTH
@pytest.mark.platforms("switch")
async def test_peers_of_a_peer(world: Hub) -> None:
    """Peers that are not used are returned as well."""
    await world.set_up()
    await world.act("switch", "turn_off", "link:us", "nested")

    response = await on(world, "tunnel:us", "get_peers")

    peer, this = response["peers"]
    assert peer["id"] == "us/us-r1"
    assert this["id"] == "us/sg-home"
    assert peer["latency"] == world.service.state.peers["us/us-r1"].latency_ms


async def test_peers_of_a_peer_without_a_link(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, "tunnel:sg", "get_peers")

    assert error.translation_placeholders == {"message": 'relay: peer "sg" not connected'}


@BOTH
async def test_describe_node(world: Hub) -> None:
    await world.set_up()

    response = await on_account(world, "describe_node")

    assert response["build"]["version"] == "1.3.4"
    assert response["build"]["build_id"]
    assert response["settings"]["base_path"] == "/scale"
    newer = world.service.state.settings.generation == "1.3"
    assert response["machine"].get("in_docker") is (True if newer else None)


async def test_describe_node_is_refused(world: Hub) -> None:
    world.service.state.settings.missing_routes = ["/api/build-info"]
    await world.set_up()

    error = await refused(world, None, "describe_node")

    assert error.translation_key == "unsupported"


# Backups


@BOTH
async def test_backup(world: Hub, tmp_path: Path) -> None:
    """Each backup is a new file that only its owner can read."""
    await world.set_up()

    first = await on_account(world, "create_backup")
    second = await on_account(world, "create_backup")

    path = Path(first["path"])
    assert path.parent == tmp_path / "tunnel_hub_backups"
    assert path.name == "hy2_scale_sg_home_2026-10-19_21-00-00.tar"
    assert Path(second["path"]).name == "hy2_scale_sg_home_2026-10-19_21-00-00_2.tar"
    saved = files(path.parent)
    assert len(saved) == 2
    assert mode(path) == 0o600
    with tarfile.open(fileobj=io.BytesIO(saved[path.name])) as tar:
        assert tar.getnames() == ["node-id", "config.yaml"]


@pytest.fixture
async def backed_up(world: Hub, tmp_path: Path) -> Path:
    """Return a node that is set up and has a backup."""
    await world.set_up()
    return Path((await on_account(world, "create_backup"))["path"])


@BOTH
async def test_restore(world: Hub, backed_up: Path) -> None:
    """Another backup is created first. The action ends when the node responds again."""
    users = dict(world.service.state.users)
    world.service.state.users.clear()

    result = await on_account(world, "restore_backup", file=backed_up.name, confirm="sg-home")

    assert world.service.state.users.keys() == users.keys()
    saved = Path(result.pop("backup"))
    assert saved != backed_up
    assert saved.parent == backed_up.parent
    assert result == {
        "name": world.service.state.node_id,
        "version": "1.3.4",
        "version_before": "1.3.4",
    }
    # A path that create_backup returned is accepted as well.
    await on_account(world, "restore_backup", file=str(backed_up), confirm="sg-home")
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_upload_an_upgrade(world: Hub, backed_up: Path) -> None:
    with tarfile.open(backed_up.parent / "new.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("hy2scale-linux-amd64"))
    before = len(world.service.state.tokens)

    result = await on_account(world, "upload_upgrade", file="new.tar.gz", confirm="sg-home")

    assert before
    assert result["version_before"] == "1.3.4"
    assert Path(result["backup"]).name in files(backed_up.parent)


@pytest.mark.parametrize("action", ["restore_backup", "upload_upgrade"])
async def test_the_name_must_be_repeated(world: Hub, backed_up: Path, action: str) -> None:
    for name in ("", "SG-HOME", "HY2 SCALE sg-home", "ea1b2adb"):
        error = await refused(world, None, action, file=backed_up.name, confirm=name)
        assert error.translation_key == "confirmation_differs"

    assert not world.service.calls_to("/api/restore")
    assert not world.service.calls_to("/api/upgrade")
    assert len(files(backed_up.parent)) == 1


@pytest.mark.parametrize("action", ["restore_backup", "upload_upgrade"])
async def test_archives_outside_the_folder_are_refused(
    world: Hub, backed_up: Path, tmp_path: Path, action: str
) -> None:
    """Neither dots, absolute paths nor links lead out of it."""
    outside = tmp_path / "secrets.tar.gz"
    with tarfile.open(outside, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("hy2scale-linux-amd64"))
    (backed_up.parent / "link.tar.gz").symlink_to(outside)
    (backed_up.parent / "below").mkdir()
    shutil.copy(outside, backed_up.parent / "below" / "deep.tar.gz")
    (backed_up.parent / "words.tar").write_text("password: swordfish")
    (backed_up.parent / "cut.tar.gz").write_bytes(outside.read_bytes()[:40])
    for file in (
        "../secrets.tar.gz",
        str(outside),
        "link.tar.gz",
        "below/deep.tar.gz",
        "words.tar",
        "cut.tar.gz",
        "missing.tar",
        "",
        ".",
        "\0",
        "x" * 5000,
    ):
        error = await refused(world, None, action, file=file, confirm="sg-home")
        assert error.translation_key == "no_such_archive", file

    assert not world.service.calls_to("/api/restore")
    assert not world.service.calls_to("/api/upgrade")


@pytest.mark.parametrize("action", ["restore_backup", "upload_upgrade"])
async def test_an_unreadable_archive(world: Hub, action: str) -> None:
    """The error is not reported as invalid input."""
    await world.set_up()
    # The file exists, but its first byte cannot be read.
    link(Path(world.hass.config.path("tunnel_hub_backups")), "/proc/self")

    error = await refused(world, None, action, file="mem", confirm="sg-home")

    assert error.translation_key == "archive_not_read"
    assert error.translation_placeholders == {"file": "mem", "reason": "Input/output error"}
    assert not isinstance(error, ServiceValidationError)
    assert not world.service.calls_to("/api/restore")


async def test_a_failed_backup_stops_the_restore(world: Hub, backed_up: Path) -> None:
    world.service.fault("/api/backup", "error", times=None)

    await refused(world, None, "restore_backup", file=backed_up.name, confirm="sg-home")

    assert not world.service.calls_to("/api/restore")


async def test_a_node_that_stops_before_it_responds(
    world: Hub, backed_up: Path, looks: list[float]
) -> None:
    """It needs some time to restart."""
    world.service.fault("/api/restore", "lost")
    world.service.fault("/api/login", "status", status=502, times=3)

    result = await on_account(world, "restore_backup", file=backed_up.name, confirm="sg-home")

    assert result["version"] == "1.3.4"
    assert looks


async def test_a_node_that_does_not_restart(
    world: Hub, backed_up: Path, looks: list[float]
) -> None:
    world.service.fault("/api/login", "status", status=502, times=None)

    error = await refused(world, None, "restore_backup", file=backed_up.name, confirm="sg-home")

    assert error.translation_key == "unavailable_timeout"
    assert sum(looks) == 120


async def test_a_backup_with_another_password(world: Hub, backed_up: Path) -> None:
    """One login is attempted, then the user is asked for the backup's password."""
    world.service.state.password_hash = hashed("another")
    archive = Path((await on_account(world, "create_backup"))["path"])
    world.service.state.password_hash = hashed("hub-password")

    error = await refused(world, None, "restore_backup", file=archive.name, confirm="sg-home")

    assert error.translation_key == "authentication_failed"
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for a node without real pauses; return the length of each."""
    waited: list[float] = []

    async def _wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(upgrade, "sleep", _wait)
    return waited


def files(folder: Path) -> dict[str, bytes]:
    """Return the names of the files of a folder. Without a folder, there are none."""
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_backup_overwrites_nothing(world: Hub, tmp_path: Path) -> None:
    await world.set_up()
    first = Path((await on_account(world, "create_backup"))["path"])
    write(first, "precious")

    await on_account(world, "create_backup")

    saved = files(first.parent)
    assert len(saved) == 2
    assert saved[first.name] == b"precious"


def link(path: Path, target: str) -> None:
    """Make a path a link."""
    path.symlink_to(target)


def write(path: Path, words: str) -> None:
    """Write to a file."""
    path.write_text(words)


async def test_a_backup_that_cannot_be_saved(world: Hub, tmp_path: Path) -> None:
    await world.set_up()
    write(tmp_path / "tunnel_hub_backups", "a file in the way")

    error = await refused(world, None, "create_backup")

    assert error.translation_key == "backup_not_saved"
    assert error.translation_placeholders == {"reason": "File exists"}
    assert not isinstance(error, ServiceValidationError), "it is not reported as invalid input"


async def test_a_failed_backup(world: Hub, tmp_path: Path) -> None:
    await world.set_up()
    world.service.fault("/api/backup", "error", times=None)

    await refused(world, None, "create_backup")

    assert not files(tmp_path)


# WireGuard


@BOTH
async def test_wireguard_config(world: Hub) -> None:
    await world.set_up()

    response = await on(
        world, "wireguard_peer:phone", "get_wireguard_config", endpoint="hub.example.com"
    )

    assert "Endpoint = hub.example.com:51820" in response["config"]
    assert (
        f"PrivateKey = {world.service.state.wireguard.peers[0].private_key}" in (response["config"])
    )
    response = await on(world, "wireguard_peer:phone", "get_wireguard_config")
    assert "Endpoint = 127.0.0.1:51820" in response["config"]


async def test_wireguard_config_of_a_deleted_peer(world: Hub) -> None:
    await world.set_up()
    world.service.state.wireguard.peers.clear()

    error = await refused(world, "wireguard_peer:phone", "get_wireguard_config")

    assert error.translation_key == "unknown_resource"


async def test_wireguard_config_without_a_key(world: Hub) -> None:
    """The peer was created with its own key, so the node's file cannot work."""
    world.service.state.wireguard.peers[0].private_key = ""
    await world.set_up()

    error = await refused(world, "wireguard_peer:phone", "get_wireguard_config")

    assert error.translation_key == "peer_without_key"
    assert error.translation_placeholders == {"name": "phone"}


@pytest.mark.platforms("sensor")
async def test_a_wireguard_peer_is_renamed(world: Hub) -> None:
    """Device, entities and their names stay, because the key is the same."""
    await world.set_up()
    device = world.device("wireguard_peer:phone")
    assert device

    await on(world, "wireguard_peer:phone", "update_wireguard_peer", name="pocket")
    world.service.state.wireguard.peers[1].name = "desk"
    await world.live(3 * SLOW_POLL, SLOW_POLL)

    renamed = world.device("wireguard_peer:phone")
    assert renamed
    assert (renamed.id, renamed.name) == (device.id, "pocket")
    assert {peer.name for peer in world.service.state.wireguard.peers} == {"pocket", "desk"}
    other = world.device("wireguard_peer:laptop")
    assert other
    assert other.name == "desk"
    config = await on(world, "wireguard_peer:phone", "get_wireguard_config")
    assert world.service.state.wireguard.peers[0].private_key in config["config"]
    await on(world, "wireguard_peer:laptop", "delete_wireguard_peer")
    assert [peer.name for peer in world.service.state.wireguard.peers] == ["pocket"]


# Certificates


@BOTH
@pytest.mark.platforms("sensor")
async def test_create_and_delete_certificates(world: Hub) -> None:
    """They are created, signed, downloaded, imported and deleted. The sensor follows."""
    await world.set_up()
    certificates = world.service.state.certificates

    await on_account(world, "generate_certificate", id="own", domains=["own.example.com"], days=20)
    assert await first_to_end(world) == "own"
    await on_account(
        world, "sign_certificate", id="signed", authority="mesh-ca", host="hub.example.com", days=15
    )
    assert await first_to_end(world) == "signed"
    pem = (await on_account(world, "get_certificate", id="signed"))["certificate"]
    assert pem == certificates["signed"].cert
    assert "PRIVATE" not in pem
    await on_account(
        world,
        "import_certificate",
        id="copy",
        certificate=pem,
        key=certificates["signed"].key,
        name="Copy",
    )
    assert certificates["copy"].name == "Copy"
    for id_ in ("signed", "copy", "own"):
        await on_account(world, "delete_certificate", id=id_)
    assert set(certificates) == {"default", "mesh-ca", "web"}
    assert await first_to_end(world) == "web"


async def first_to_end(world: Hub) -> str:
    """Return which certificate expires first, as the sensor shows it a second later."""
    await world.elapse(1)
    state = world.state("sensor", "certificates:account", "certificates")
    return str(state.attributes["certificates"][0]["id"])


@OLD
async def test_create_an_authority(world: Hub) -> None:
    await world.set_up()

    await on_account(world, "generate_certificate", id="ca", domains="My CA", is_ca=True)
    await on_account(world, "sign_certificate", id="new", authority="ca", host="a.example.com")

    assert {"ca", "new"} <= set(world.service.state.certificates)


async def test_a_version_that_does_not_create_authorities(world: Hub) -> None:
    """Version 1.3 creates an ordinary certificate and answers 200. It is deleted again."""
    await world.set_up()
    before = set(world.service.state.certificates)

    error = await refused(world, None, "generate_certificate", id="ca", domains="My CA", is_ca=True)

    assert error.translation_key == "makes_no_authorities"
    assert set(world.service.state.certificates) == before
    error = await refused(
        world, None, "generate_certificate", id="web", domains="My CA", is_ca=True
    )
    assert error.translation_key == "already_exists"
    assert set(world.service.state.certificates) == before
    error = await refused(
        world, None, "sign_certificate", id="new", authority="web", host="a.example.com"
    )
    assert error.translation_key == "no_authority"
    await on_account(world, "sign_certificate", id="new", authority="mesh-ca", host="a.example.com")
    assert "new" in world.service.state.certificates


async def test_import_from_the_disk_of_the_node(world: Hub) -> None:
    await world.set_up()
    web = world.service.state.certificates["web"]
    world.service.state.files = {"/etc/web.crt": web.cert, "/etc/web.key": web.key}

    await on_account(
        world,
        "import_certificate",
        id="copy",
        certificate_path="/etc/web.crt",
        key_path="/etc/web.key",
    )

    assert world.service.state.certificates["copy"].key == web.key


async def test_a_certificate_is_refused(world: Hub) -> None:
    await world.set_up()
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("generate_certificate", {"id": "own", "domains": []}, "rejected"),
        (
            "sign_certificate",
            {"id": "own", "authority": "nobody", "host": "a.example.com"},
            "unknown_resource",
        ),
        ("import_certificate", {"id": "own", "certificate": "nonsense"}, "rejected"),
        ("import_certificate", {"id": "own", "certificate_path": "/nowhere"}, "rejected"),
        ("import_certificate", {"id": "own"}, "rejected"),
        ("get_certificate", {"id": "nobody"}, "unknown_resource"),
    )

    for action, fields, key in cases:
        error = await refused(world, None, action, **fields)

        assert error.translation_key == key
        assert set(world.service.state.certificates) == {"default", "mesh-ca", "web"}


# The layout of the graph


@BOTH
async def test_graph_layout(world: Hub) -> None:
    await world.set_up()
    positions = {"us": {"x": 1.5, "y": -2.0}, "us/us-r1": {"x": 0.0, "y": 3.0}}

    await on_account(world, "set_graph_layout", positions=positions)

    assert world.service.state.layout == positions
    assert await on_account(world, "get_graph_layout") == {"positions": positions}


async def test_graph_layout_is_refused(world: Hub) -> None:
    world.service.state.settings.missing_routes = ["/api/graph-layout"]
    await world.set_up()

    for error in (
        await refused(world, None, "get_graph_layout"),
        await refused(world, None, "set_graph_layout", positions={}),
    ):
        assert error.translation_key == "unsupported"


# The password


@pytest.mark.platforms("switch")
async def test_change_the_password(world: Hub) -> None:
    """Other sessions end. Home Assistant uses the new password, also after a restart."""
    await world.set_up()

    await on_account(world, "update_account", password="another", username="root")

    assert world.service.state.username == "root"
    assert "password" not in world.entry.data
    await world.live(MINUTE, POLL)
    await world.restart()
    assert world.value("switch", "tunnel:us", "enabled") == "on"
    assert not world.hass.config_entries.flow.async_progress()


@pytest.mark.platforms("switch")
async def test_change_the_password_with_a_wrong_one(world: Hub) -> None:
    await world.set_up()

    error = await refused(
        world, None, "update_account", password="another", current_password="wrong"
    )

    assert error.translation_key == "rejected"
    assert "wrong" not in str(error.translation_placeholders)
    await world.elapse(POLL)
    assert world.value("switch", "tunnel:us", "enabled") == "on"


async def test_no_picture(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, None, "update_account", contact="10001")

    assert error.translation_key == "unsupported"


# Permissions


ALL = {**CERTIFICATE_ACTIONS, **COLLECTION_ACTIONS, **MESH_ACTIONS}


def test_actions_for_administrators_only() -> None:
    assert {name for name, action in ALL.items() if not action.admin} == {
        "get_certificate",
        "get_graph_layout",
        "get_latency_history",
        "get_peers",
    }


async def test_users_without_permission(world: Hub, hass_read_only_user: MockUser) -> None:
    await world.set_up()

    peer, user = world.device_id("wireguard_peer:phone"), world.device_id(world.user_thing("alice"))

    for action, target in {
        "create_backup": {"config_entry_id": world.entry.entry_id},
        "get_wireguard_config": {"device_id": peer},
        "delete_user": {"device_id": user},
    }.items():
        with pytest.raises(Unauthorized):
            await world.hass.services.async_call(
                DOMAIN,
                action,
                target,
                blocking=True,
                context=Context(user_id=hass_read_only_user.id),
                return_response=action != "delete_user",
            )

    assert not world.writes()


async def test_a_device_of_another_kind(world: Hub) -> None:
    await world.set_up()

    error = await refused(world, "rule:video", "delete_user")

    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == "wrong_device"
    assert "video" in world.service.state.rules
