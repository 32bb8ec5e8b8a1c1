"""The node as the document has it."""

import io
import json
import tarfile
from typing import Any

import aiohttp
import pytest

from simulator.hy2scale import Hy2ScaleService

from .conftest import Api

GIGABYTE = 1024**3


@pytest.fixture(autouse=True)
def documented(hy2scale: Hy2ScaleService) -> None:
    """Let the node speak as documented."""
    hy2scale.state.settings.generation = "documented"


async def test_the_node(api: Api) -> None:
    assert set(await api.get("/node")) == {
        *("node_id", "name", "exit_node", "hy2_user_auth", "compat", "limited"),
        *("server", "version"),
    }
    assert set(await api.get("/stats")) == {"tx_bytes", "rx_bytes"}


async def test_the_topology(api: Api) -> None:
    this, *others = await api.get("/topology")

    assert set(this) == {"name", "direction", "latency_ms", "is_self", "children"}
    assert set(this["children"][0]) == {"name", "direction", "latency_ms", "nested"}
    us = next(row for row in others if row["name"] == "us")
    assert set(us) == {
        *("name", "direction", "connected", "latency_ms", "nested", "version"),
        *("tx_rate", "rx_rate", "children"),
    }
    assert us["children"][0]["children"][0]["name"] == "us-r1-r1"


async def test_clients(api: Api) -> None:
    rows = await api.get("/clients")

    assert set(rows[0]) == {
        *("name", "addr", "addrs", "password", "sni", "insecure", "ca", "max_tx", "max_rx"),
        *("disabled", "connected"),
    }
    await api.get("/clients/us", status=405)
    await api.put("/clients/us/disable", {"disabled": True})
    assert (await api.get("/clients"))[0]["disabled"] is True


async def test_nothing_is_null(api: Api, hy2scale: Hy2ScaleService) -> None:
    state = hy2scale.state
    for rows in (state.users, state.proxies, state.rules):
        rows.clear()

    for path in ("/users", "/proxies", "/rules"):
        assert await api.get(path) is None


async def test_users(api: Api, hy2scale: Hy2ScaleService) -> None:
    alice, bob, *_ = await api.get("/users")
    assert (alice["traffic_limit_gb"], alice["expiry"]) == (500, "")
    assert bob["expiry"] == "2026-12-20T00:00:00Z"
    assert not {"traffic_limit", "expiry_date"} & set(alice)

    await api.put(
        f"/users/{alice['id']}",
        {
            **alice,
            "traffic_limit_gb": 1.5,
            "expiry": "2026-12-31T00:00:00Z",
            "exit_mode": "direct",
            "traffic_limit": 7,
        },
    )
    changed = hy2scale.state.users[alice["id"]]
    assert (changed.traffic_limit, changed.expiry_date) == (3 * GIGABYTE // 2, "2026-12-31")
    assert changed.exit_mode == "direct"
    await api.post("/users", {"username": "erin", "password": "secret"})
    erin = next(row for row in await api.get("/users") if row["username"] == "erin")
    assert (erin["traffic_limit_gb"], erin["expiry"]) == (0, "")
    assert "cannot unmarshal" in await api.post("/users", [], status=400)


async def test_sessions_are_a_list(api: Api) -> None:
    first, *_ = await api.get("/sessions")

    assert first["id"] == "alice|203.0.113.10|hy2"
    assert "key" not in first
    await api.delete("/sessions/alice%7C203.0.113.10%7Chy2")
    assert len(await api.get("/sessions")) == 2


async def test_rules_are_a_list_and_there_is_a_tun_mode(api: Api) -> None:
    rows = await api.get("/rules")
    assert [row["id"] for row in rows] == ["video", "office", "games"]
    assert not {"priority", "use_tun", "tun_active"} & set().union(*rows)

    assert await api.get("/rules/tun-mode") == {"enabled": True, "mode": "mixed"}
    await api.put("/rules/tun-mode", {"enabled": False, "mode": "full"})
    assert await api.get("/rules/tun-mode") == {"enabled": False, "mode": "full"}
    assert len(await api.get("/rules")) == 3


async def test_shadowsocks_is_a_proxy(api: Api, hy2scale: Hy2ScaleService) -> None:
    ss = {
        "id": "ss",
        "protocol": "ss",
        "listen": "0.0.0.0:8388",
        "enabled": True,
        "method": "aes-256-gcm",
    }
    assert (await api.get("/proxies"))[-1] == ss

    await api.put("/proxies/ss", {**ss, "enabled": False})
    hy2scale.state.settings.generation = "1.3"
    assert (await api.get("/ss"))["enabled"] is False


async def test_servers_do_not_tell_what_they_can(api: Api, hy2scale: Hy2ScaleService) -> None:
    for path in ("/l2tp", "/ikev2"):
        assert not {"capable", "reason", "host_network"} & set(await api.get(path))
    hy2scale.state.settings.kernel_right = False
    await api.put("/l2tp", {"enabled": False}, status=403)


async def test_a_qr_code_of_a_peer(api: Api) -> None:
    assert (await api.get("/wireguard/qr?peer=phone")).startswith(b"\x89PNG")
    await api.get("/wireguard/qr?peer=nobody", status=404)
    await api.get("/wireguard/qr?text=anything", status=404)


async def test_a_certificate_is_text_without_its_key(api: Api) -> None:
    pem = await api.get("/tls/web/pem")

    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in pem


async def test_ports(api: Api) -> None:
    assert await api.post("/check-ports", {"ports": [5565, 1701, 8080]}) == {
        "results": {"5565": False, "1701": False, "8080": True}
    }
    for body in ([{"port": 5565, "proto": "tcp"}], {"ports": 5565}):
        assert "cannot unmarshal" in await api.post("/check-ports", body, status=400)


async def test_the_layout_is_bare(api: Api, hy2scale: Hy2ScaleService) -> None:
    layout = {"us": {"x": 1, "y": 2}}
    await api.put("/graph-layout", layout)

    assert await api.get("/graph-layout") == layout
    headers = {"Authorization": f"Bearer {api.token}"}
    url = f"{hy2scale.api_url}/graph-layout/stream"
    async with api.session.get(url, headers=headers) as stream:
        line = await stream.content.readline()
    assert json.loads(line.removeprefix(b"data: ")) == layout


async def test_settings_are_few(api: Api) -> None:
    assert set(await api.get("/settings/ui")) == {
        *("listen", "base_path", "dns", "session_timeout_h"),
    }


async def test_an_upgrade_comes_in_a_form(api: Api) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("hy2scale"))
    form = aiohttp.FormData()
    form.add_field("note", "a field that is no file")
    form.add_field("file", packed.getvalue(), filename="hy2scale.tar.gz")

    assert "invalid gzip" in await api.post("/upgrade", data=packed.getvalue(), status=400)
    assert (await api.post("/upgrade", data=form))["status"] == "ok"


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/clients/us", 405),
        ("GET", "/diag/peer-latency", 404),
        ("GET", "/peers", 404),
        ("PUT", "/peers/us/disable", 404),
        ("GET", "/ss", 404),
        ("GET", "/system/arch", 404),
        ("GET", "/upgrade/check", 404),
        ("GET", "/upgrade/status", 404),
        ("GET", "/users/conflicts", 405),
    ],
)
async def test_what_came_with_1_3_is_missing(api: Api, method: str, path: str, status: int) -> None:
    body: Any = {} if method == "PUT" else None
    await api.ask(method, path, body, status=status)
