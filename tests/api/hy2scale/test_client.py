"""Tests each endpoint in both generations."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
import io
import logging
import tarfile
from typing import Any

import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient
from simulator.hy2scale import Hy2ScaleService, hashed

from .common import BOTH, OLD

# Signing in


@BOTH
async def test_login(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.login("admin", hashed("hub-password"))

    assert row["token"] in hy2scale.state.tokens
    assert row["force_password_change"] is False


async def test_login_is_refused(client: Hy2ScaleClient) -> None:
    with pytest.raises(AuthenticationError, match="invalid credentials"):
        await client.login("admin", hashed("wrong"))


@BOTH
async def test_update_password(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    with pytest.raises(RejectedError, match="current password incorrect"):
        await client.update_password({"current_password": hashed("wrong")})

    await client.update_password(
        {"current_password": hashed("hub-password"), "new_password": hashed("new")}
    )

    assert hy2scale.state.password_hash == hashed("new")
    with pytest.raises(AuthenticationError, match="unauthorized"):
        await client.node()


# The node


@BOTH
async def test_node(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.node()
    assert (row["node_id"], row["name"], row["version"]) == ("ea1b2adb", "sg-home", "1.3.4")

    await client.update_node({"exit_node": False})

    assert hy2scale.state.exit_node is False
    assert hy2scale.state.server is not None


@BOTH
async def test_stats(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.stats()

    assert row["rx_bytes"] == pytest.approx(9.9e9, rel=0.01)
    assert ("rx_rate" in row) is (hy2scale.state.settings.generation == "1.3")


@BOTH
async def test_topology(client: Hy2ScaleClient) -> None:
    rows = await client.topology()

    assert rows[0]["is_self"] is True
    assert {row["name"] for row in rows[1:]} == {"us", "jp", "kr", "sg", "de"}


# Outbound connections and peers


@BOTH
async def test_clients(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    new = {"name": "x", "addr": "x.example.com:1", "password": "p"}
    await client.create_client(new)
    assert "x" in {row["name"] for row in await client.clients()}
    await client.update_client("x", {**new, "sni": "sni.example.com"})
    assert hy2scale.state.clients["x"].sni == "sni.example.com"
    await client.disable_client("x", disabled=True)
    assert hy2scale.state.clients["x"].disabled
    await client.delete_client("x")

    assert "x" not in hy2scale.state.clients


@BOTH
async def test_peers(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    """A path is one segment of the URL."""
    (row,) = await client.peers_of("us/us-r1")
    assert row["name"] == "us-r1-r1"
    await client.nest_peer("us/us-r1", enabled=False)

    assert not hy2scale.nested("us/us-r1")
    assert len(hy2scale.calls_to("/api/peers/{name}/nested", name="us/us-r1")) == 1


async def test_disable_peer(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    await client.disable_peer("us/us-r1", disabled=True)

    assert hy2scale.state.peer_flags["us/us-r1"].disabled


@BOTH
async def test_internal_peers(client: Hy2ScaleClient) -> None:
    assert "us" in {row["name"] for row in await client.internal_peers()}


# Proxies


@BOTH
async def test_proxies(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    new = {"id": "x", "protocol": "http", "listen": "127.0.0.1:1"}
    await client.create_proxy(new)
    assert "x" in {row["id"] for row in await client.proxies()}
    await client.update_proxy("x", {**new, "enabled": True})
    assert hy2scale.state.proxies["x"].enabled
    await client.delete_proxy("x")

    assert "x" not in hy2scale.state.proxies


async def test_shadowsocks(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.shadowsocks()
    assert row["method"] == "aes-256-gcm"

    await client.update_shadowsocks({**row, "enabled": False})

    assert not hy2scale.state.proxies["ss"].enabled


# VPN


@BOTH
async def test_l2tp(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.l2tp()

    await client.update_l2tp({**row, "enabled": False})

    assert not hy2scale.state.l2tp.enabled


@BOTH
async def test_ikev2(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    """A write replaces fields that a read does not return."""
    row = await client.ikev2()
    assert "default_exit_mode" not in row

    await client.update_ikev2(row)

    assert hy2scale.state.ikev2.default_exit_mode == ""


@BOTH
async def test_wireguard(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    row = await client.wireguard()

    await client.update_wireguard({**row, "enabled": False})

    assert not hy2scale.state.wireguard.enabled
    assert len(hy2scale.state.wireguard.peers) == 2


@BOTH
async def test_wireguard_peers(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    keys = await client.generate_wireguard_key()
    new = {"name": "x", "allowed_ips": "10.0.0.9/32", **keys}
    await client.create_wireguard_peer(new)
    await client.update_wireguard_peer("x", {**new, "keepalive": 7})
    assert hy2scale.state.wireguard.peers[-1].keepalive == 7
    config = await client.wireguard_config("x", "hub.example.com")
    assert "Endpoint = hub.example.com:51820" in config
    await client.delete_wireguard_peer("x")

    assert len(hy2scale.state.wireguard.peers) == 2


async def test_wireguard_qr(client: Hy2ScaleClient) -> None:
    assert (await client.wireguard_qr(text="something")).startswith(b"\x89PNG")


@OLD
async def test_wireguard_qr_as_documented(client: Hy2ScaleClient) -> None:
    assert (await client.wireguard_qr(peer="phone")).startswith(b"\x89PNG")


# Users, sessions and rules


@BOTH
async def test_users(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    await client.create_user({"id": "x", "username": "x", "password": "p"})
    assert "x" in {row["id"] for row in await client.users()}
    await client.toggle_user("x", enabled=True)
    assert hy2scale.state.users["x"].enabled
    hy2scale.state.users["x"].traffic_used = 5
    await client.update_user("x", {"username": "y", "password": "q"})
    assert hy2scale.state.users["x"].username == "y"
    await client.reset_traffic("x")
    assert hy2scale.state.users["x"].traffic_used == 0
    await client.delete_user("x")

    assert "x" not in hy2scale.state.users


async def test_user_conflicts(client: Hy2ScaleClient) -> None:
    assert (await client.user_conflicts())["carol"] == {"hy2": ["dave"], "ss": ["dave"]}


@BOTH
async def test_sessions(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    rows = await client.sessions()
    assert len(rows) == 3
    key = "alice|203.0.113.10|hy2"

    await client.delete_session(key)

    assert key in hy2scale.state.locked
    with pytest.raises(RejectedError, match="session not found"):
        await client.delete_session(key)


@BOTH
async def test_rules(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    new = {"id": "x", "type": "ip", "targets": ["192.0.2.0/24"], "exit_via": "us"}
    await client.create_rule(new)
    available, rows = await client.rules()
    assert available is (True if hy2scale.state.settings.generation == "1.3" else None)
    assert "x" in {row["id"] for row in rows}
    await client.toggle_rule("x", enabled=True)
    assert hy2scale.state.rules["x"].enabled
    await client.update_rule("x", {**new, "name": "X"})
    assert hy2scale.state.rules["x"].name == "X"
    await client.delete_rule("x")

    assert "x" not in hy2scale.state.rules


@OLD
async def test_tun_mode(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    assert await client.tun_mode() == {"enabled": True, "mode": "mixed"}

    await client.update_tun_mode({"enabled": True, "mode": "full"})

    assert hy2scale.state.tun_mode.mode == "full"


# Certificates


@BOTH
async def test_certificates(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    await client.generate_certificate({"id": "a", "domains": ["a.example.com"], "days": 3})
    await client.sign_certificate({"ca_id": "mesh-ca", "id": "b", "cn": "b.example.com"})
    assert {"a", "b"} <= {row["id"] for row in await client.certificates()}
    pem = await client.certificate_pem("b")
    assert pem.strip() == hy2scale.state.certificates["b"].cert.strip()
    await client.import_certificate({"id": "c", "cert": pem})
    hy2scale.state.files["/c.crt"] = pem
    await client.import_certificate_path({"id": "d", "cert_path": "/c.crt"})
    for id_ in "abcd":
        await client.delete_certificate(id_)

    assert not set("abcd") & set(hy2scale.state.certificates)


async def test_no_certificates(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.certificates.clear()

    assert await client.certificates() == []


# The rest


async def test_graph_layout(client: Hy2ScaleClient) -> None:
    layout = {"positions": {"us": {"x": 1, "y": 2}}}

    await client.set_graph_layout(layout)

    assert await client.graph_layout() == layout


@BOTH
async def test_graph_layout_stream(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    """It sends the layout and each change. No log or error contains the token of the query."""
    first = await client.graph_layout()
    async with aclosing(client.graph_layout_stream()) as layouts:
        assert await anext(layouts) == first
        other = {"us": {"x": 1, "y": 2}}
        changed = {"positions": other} if "positions" in first else other
        await client.set_graph_layout(changed)
        assert await anext(layouts) == changed

    (call,) = hy2scale.calls_to("/api/graph-layout/stream")
    assert call.query["token"] in hy2scale.state.tokens
    assert "Authorization" not in call.headers


async def test_a_stream_with_an_expired_token(
    client: Hy2ScaleClient, hy2scale: Hy2ScaleService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hy2scale.state.tokens.clear()

    with pytest.raises(AuthenticationError, match="unauthorized") as info:
        await anext(client.graph_layout_stream())

    assert "the-token" not in f"{info.value!r} {caplog.text}"


async def test_an_invalid_stream(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    """A page of a proxy or a missing route is not a layout, and no error contains the token."""
    path = "/api/graph-layout/stream"
    hy2scale.fault(path, "html")
    hy2scale.fault(path, "status", status=502)
    hy2scale.fault(path, "status", status=404, body="404 page not found\n")
    for kind in (UnavailableError, UnavailableError, UnsupportedError):
        with pytest.raises(kind) as info:
            await anext(client.graph_layout_stream())
        assert "the-token" not in repr(info.value)


@BOTH
async def test_restore(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    archive = await client.backup()
    hy2scale.state.users.clear()
    with pytest.raises(RejectedError, match="invalid tar"):
        await client.restore(b"nonsense")

    await client.restore(archive)

    assert hy2scale.state.users
    assert not hy2scale.state.tokens


@BOTH
async def test_upload_upgrade(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    """The archive is the body, or in a form as documented."""
    with pytest.raises(RejectedError, match="invalid gzip"):
        await client.upload_upgrade(b"nonsense")

    await client.upload_upgrade(_archive())

    assert not hy2scale.state.tokens


def _archive() -> bytes:
    """Return an archive with a program."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("hy2scale-linux-amd64"))
    return archive.getvalue()


@BOTH
async def test_backup(client: Hy2ScaleClient) -> None:
    with tarfile.open(fileobj=io.BytesIO(await client.backup())) as tar:
        assert "config.yaml" in tar.getnames()


@BOTH
async def test_build(client: Hy2ScaleClient) -> None:
    assert (await client.build_info())["version"] == "1.3.4"
    assert (await client.build_id())["build_id"]


@BOTH
async def test_ui_settings(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    assert (await client.ui_settings())["base_path"] == "/scale"

    await client.update_ui_settings({"session_timeout_h": 24})

    assert hy2scale.state.ui.session_timeout_h == 24
    assert hy2scale.state.ui.base_path == "/scale"


async def test_check_ports(client: Hy2ScaleClient) -> None:
    wanted = [{"port": 22, "proto": "tcp", "desc": ""}]

    assert await client.check_ports(wanted) == {"conflicts": wanted}


@OLD
async def test_check_ports_as_documented(client: Hy2ScaleClient) -> None:
    assert await client.check_ports({"ports": [22, 23]}) == {"results": {"22": False, "23": True}}


async def test_diag(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    hy2scale.advance(60)

    assert (await client.resolve("example.com", ""))["ips"] == ["192.0.2.80", "2001:db8::80"]
    health, rebinds, latency = [
        {row["name"]: row for row in rows}
        for rows in (
            await client.peer_health(),
            await client.peer_rebinds(),
            await client.peer_latency(),
        )
    ]
    assert (health["us"]["ping_ok"], health["us"]["ping_fail"]) == (12, 0)
    assert rebinds["us"]["rebind_checks"] == 0
    samples = latency["us"]["history"]
    assert isinstance(samples, list)
    assert len(samples) == 12


async def test_upgrade(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    assert (await client.arch())["in_docker"] is True
    assert (await client.check_upgrade())["latest"] == "1.3.5"
    await client.download_upgrade()
    assert (await client.upgrade_status())["state"] == "downloading"
    hy2scale.advance(60)
    await client.apply_upgrade()

    assert hy2scale.state.version == "1.3.5"


# Failures

READS: list[Callable[[Hy2ScaleClient], Awaitable[Any]]] = [
    Hy2ScaleClient.arch,
    Hy2ScaleClient.check_upgrade,
    Hy2ScaleClient.peer_health,
    Hy2ScaleClient.peer_latency,
    Hy2ScaleClient.peer_rebinds,
    Hy2ScaleClient.shadowsocks,
    Hy2ScaleClient.upgrade_status,
    Hy2ScaleClient.user_conflicts,
]


@OLD
@pytest.mark.parametrize("read", READS)
async def test_a_missing_route(
    client: Hy2ScaleClient, read: Callable[[Hy2ScaleClient], Awaitable[Any]]
) -> None:
    """404, or 405 where a rule or user could have this name."""
    with pytest.raises(UnsupportedError):
        await read(client)


async def test_tun_mode_is_the_path_of_a_rule(client: Hy2ScaleClient) -> None:
    with pytest.raises(UnsupportedError):
        await client.tun_mode()


@pytest.mark.parametrize(
    "fault, options, reason",
    [
        ("html", {}, Reason.FIREWALL),
        ("redirect", {}, Reason.REDIRECT),
        ("status", {"status": 500}, Reason.SERVER_ERROR),
        ("wrong_type", {}, Reason.MALFORMED),
        ("empty", {}, Reason.MALFORMED),
        ("cut", {}, Reason.MALFORMED),
        ("huge", {}, Reason.TOO_LARGE),
    ],
)
async def test_unusable_answers(
    client: Hy2ScaleClient,
    hy2scale: Hy2ScaleService,
    fault: str,
    options: dict[str, Any],
    reason: Reason,
) -> None:
    hy2scale.fault("/api/node", fault, times=None, **options)

    with pytest.raises(UnavailableError) as info:
        await client.node()

    assert info.value.reason is reason


async def test_an_error_has_its_message(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    with pytest.raises(UnavailableError) as info:
        await client.sign_certificate({"ca_id": "x", "id": "b", "cn": "b.example.com"})

    assert info.value.detail == "HTTP 500 CA cert not found: open /data/tls/x.crt: no such file"


async def test_an_error_without_message(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    hy2scale.fault("/api/node", "status", status=418, times=None)

    with pytest.raises(RejectedError, match="HTTP 418"):
        await client.node()


async def test_sent_values_are_not_repeated(
    client: Hy2ScaleClient, hy2scale: Hy2ScaleService
) -> None:
    words = "no: hush, hush-too, hush-key"
    hy2scale.fault("/api/users/{id}", "body", status=400, body=words, times=None)

    with pytest.raises(RejectedError) as info:
        await client.update_user(
            "x", {"password": "hush", "proxy_passwords": {"hy2": "hush-too"}, "key": "hush-key"}
        )

    assert info.value.message == "no: **, **, **"


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_is_not_one_segment_of_a_path(client: Hy2ScaleClient, name: str) -> None:
    """It would lead to another route."""
    with pytest.raises(InvalidInputError):
        await client.delete_user(name)


async def test_every_write_is_reported(client: Hy2ScaleClient) -> None:
    reported: list[None] = []
    client.on_write = lambda: reported.append(None)
    await client.node()
    assert not reported

    await client.delete_user("unknown")
    with pytest.raises(RejectedError):
        await client.delete_session("unknown")

    assert len(reported) == 2
