"""Settings, ports, upgrades, backups, diagnostics."""

from datetime import datetime, timedelta
import io
import itertools
import tarfile
from typing import Any, Literal

import aiohttp
import pytest

from simulator.hy2scale import Hy2ScaleService
from simulator.hy2scale.endpoints.upgrade import SIZE

from .conftest import Api


def archive(mode: Literal["w", "w:gz"], name: str) -> bytes:
    """Return a tar archive with one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        tar.addfile(tarfile.TarInfo(name))
    return packed.getvalue()


async def test_settings(api: Api) -> None:
    settings = await api.get("/settings/ui")
    assert (settings["listen"], settings["base_path"]) == ("0.0.0.0:5565", "/scale")

    assert await api.put("/settings/ui", {"dns": "192.0.2.1"}) == {
        "status": "ok",
        "note": "in effect",
    }
    assert await api.get("/settings/ui") == {**settings, "dns": "192.0.2.1"}


async def test_an_upgrade_from_check_to_restart(api: Api, hy2scale: Hy2ScaleService) -> None:
    assert (await api.get("/upgrade/status"))["state"] == "idle"
    assert "check for" in await api.post("/upgrade/download", status=400)
    check = await api.get("/upgrade/check")
    assert (check["current"], check["latest"], check["size"]) == ("1.3.4", "1.3.5", SIZE)
    assert check["update_available"] is True

    assert (await api.post("/upgrade/download"))["state"] == "downloading"
    hy2scale.advance(3)
    status = await api.get("/upgrade/check")
    assert (status["state"], status["progress"]) == ("downloading", 50)
    assert "no downloaded update ready" in await api.post("/upgrade/apply", status=400)
    hy2scale.advance(3)
    status = await api.get("/upgrade/status")
    assert (status["state"], status["progress"], status["bytes_done"]) == ("ready", 100, SIZE)

    assert (await api.post("/upgrade/apply"))["status"] == "ok"
    await api.get("/node", status=401)
    await api.sign_in()
    assert (await api.get("/node"))["version"] == "1.3.5"
    assert (await api.get("/upgrade/check"))["update_available"] is False
    hy2scale.state.latest_version = "1.2.9"
    assert (await api.get("/upgrade/check"))["update_available"] is False


async def test_another_check_forgets_what_was_ready(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.upgrade.state = "ready"
    await api.get("/upgrade/check")

    assert "no downloaded update ready" in await api.post("/upgrade/apply", status=400)


async def test_only_docker_upgrades_itself(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.settings.in_docker = False

    for path in ("", "/download", "/apply"):
        assert "Docker" in await api.post(f"/upgrade{path}", status=403)
    assert (await api.get("/system/arch"))["in_docker"] is False


async def test_uploading_an_upgrade(api: Api) -> None:
    assert "invalid gzip" in await api.post("/upgrade", data=b"nonsense", status=400)
    assert "no program" in await api.post("/upgrade", data=archive("w:gz", "other"), status=400)
    form = aiohttp.FormData()
    form.add_field("file", archive("w:gz", "hy2scale"), filename="hy2scale.tar.gz")
    assert "invalid gzip" in await api.post("/upgrade", data=form, status=400)

    answer = await api.post("/upgrade", data=archive("w:gz", "bin/hy2scale-linux-amd64"))
    assert "restarting" in answer["message"]
    await api.get("/node", status=401)


async def test_a_backup_brings_everything_back(api: Api, hy2scale: Hy2ScaleService) -> None:
    before = {path: await api.get(path) for path in ("/clients", "/users", "/rules", "/tls")}
    backup = await api.get("/backup")
    with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
        assert tar.getnames() == ["node-id", "config.yaml"]

    await api.delete("/clients/us")
    await api.delete("/rules/video")
    hy2scale.state.users.clear()
    await api.post("/restore", data=backup)

    await api.get("/node", status=401)
    await api.sign_in()
    assert {path: await api.get(path) for path in before} == before


async def test_a_backup_has_what_was_set_only_in_memory_not(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    backup = await api.get("/backup")

    assert api.token.encode() not in backup
    assert hy2scale.state.password_hash.encode() in backup


async def test_what_is_no_backup_is_refused(api: Api, hy2scale: Hy2ScaleService) -> None:
    assert "invalid tar" in await api.post("/restore", data=b"nonsense", status=400)
    await api.get("/node")

    await api.post("/restore", data=archive("w", "node-id"))
    assert hy2scale.state.clients
    await api.get("/node", status=401)


async def test_looking_up_a_name(api: Api) -> None:
    assert await api.get("/diag/resolve?name=example.com&exit_via=us") == {
        "name": "example.com",
        "exit_via": "us",
        "ips": ["192.0.2.80", "2001:db8::80"],
    }
    unknown = await api.get("/diag/resolve?name=nowhere.example.com")
    assert (unknown["ips"], unknown["error"]) == (
        None,
        "lookup nowhere.example.com: no such host",
    )
    assert await api.get("/diag/resolve", status=400) == "name required\n"


async def linked(api: Api, what: str) -> dict[str, Any]:
    """Return what is told of the direct peers, by name."""
    return {row["name"]: row for row in (await api.get(f"/diag/peer-{what}"))["peers"]}


async def test_the_history_of_latencies(api: Api, hy2scale: Hy2ScaleService) -> None:
    """Of the links that there are, each since it was made."""
    latency = hy2scale.state.peers["us"].latency_ms
    hy2scale.advance(20)
    hy2scale.drop("us")
    hy2scale.advance(10)

    assert "us" not in await linked(api, "latency")
    assert "us" not in await linked(api, "health")
    hy2scale.reconnect("us")
    hy2scale.advance(20)
    us = (await linked(api, "latency"))["us"]
    assert us["latency_ms"] == latency
    assert [sample["ms"] for sample in us["history"]] == [latency] * 4
    moments = [datetime.fromisoformat(sample["at"]) for sample in us["history"]]
    assert {later - one for one, later in itertools.pairwise(moments)} == {timedelta(seconds=5)}
    assert (await linked(api, "health"))["us"]["ping_ok"] == 4
    assert (await linked(api, "latency"))["office"]["history"] == [], "it measures by itself"
    hy2scale.advance(3600)
    assert len((await linked(api, "latency"))["us"]["history"]) == 120


@pytest.mark.parametrize("generation", ["1.3", "documented"])
async def test_every_route_answers(api: Api, hy2scale: Hy2ScaleService, generation: str) -> None:
    hy2scale.state.settings.generation = generation
    routes = [route for route in hy2scale.ROUTES if "stream" not in route.path]
    for route in routes:
        path = route.path.replace("{name}", "us").replace("{id}", "video")
        url = hy2scale.url + hy2scale.base_path + path
        headers = {"Authorization": f"Bearer {api.token}"}
        async with api.session.request(route.method, url, json={}, headers=headers) as response:
            await response.read()
        if response.status == 401 and route.path != "/api/login":
            pytest.fail(f"{route} lost the token")
        if not hy2scale.state.tokens:
            await api.sign_in()

    assert {call.route for call in hy2scale.calls} >= set(routes)
    assert {call.status for call in hy2scale.calls} <= {200, 400, 401, 403, 404, 405}
