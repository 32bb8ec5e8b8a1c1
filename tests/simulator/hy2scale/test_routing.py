"""Proxies, Shadowsocks and rules."""

import pytest

from simulator.hy2scale import Hy2ScaleService

from .conftest import Api

RULE = {"id": "music", "type": "domain", "targets": ["music.example.com"], "exit_via": "us"}


async def test_changing_proxies(api: Api) -> None:
    await api.post("/proxies", {"id": "second", "listen": "0.0.0.0:1081", "exit_via": "jp"})
    await api.post("/proxies", {"id": "socks5", "listen": "0.0.0.0:9"})
    await api.put("/proxies/http", {"listen": "0.0.0.0:8080", "enabled": True})
    await api.put("/proxies/third", {"listen": "0.0.0.0:1082"})

    rows = {row["id"]: row for row in await api.get("/proxies")}
    assert rows["second"]["protocol"] == "socks5"
    assert rows["second"]["exit_paths"] == ["jp"]
    assert rows["socks5"]["listen"] == "0.0.0.0:1080"
    assert rows["http"] == {
        "id": "http",
        "protocol": "socks5",
        "listen": "0.0.0.0:8080",
        "enabled": True,
    }
    assert "third" in rows
    await api.delete("/proxies/third")
    await api.delete("/proxies/nobody")
    assert len(await api.get("/proxies")) == 3
    assert "listen required" in await api.put("/proxies/http", {}, status=400)
    assert "required" in await api.post("/proxies", {"id": "x"}, status=400)


async def test_rules(api: Api, hy2scale: Hy2ScaleService) -> None:
    answer = await api.get("/rules")

    assert answer["available"] is True
    video, office, games = answer["rules"]
    assert (video["enabled"], video["targets"]) == (True, ["video.example.com"])
    assert "tun_active" not in video
    assert (office["use_tun"], office["tun_active"]) == (True, True)
    assert (games["enabled"], games["priority"]) == (False, 5)

    hy2scale.state.settings.host_network = False
    hy2scale.drop("us")
    answer = await api.get("/rules")
    assert answer["available"] is False
    assert "tun_active" not in answer["rules"][1]


async def test_changing_rules(api: Api) -> None:
    await api.post("/rules", RULE)
    await api.put("/rules/music/toggle", {"enabled": True})
    await api.put("/rules/office", {"name": "Office", "exit_via": "jp"})
    await api.delete("/rules/video")

    office, games, music = (await api.get("/rules"))["rules"]
    assert (office["id"], office["exit_paths"]) == ("office", ["jp"])
    assert (office["targets"], office["enabled"]) == ([], False)
    assert "use_tun" not in office
    assert games["id"] == "games"
    assert (music["enabled"], music["name"]) == (True, "")


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"id": ""}, "id, exit_via, targets required"),
        ({"targets": []}, "id, exit_via, targets required"),
        ({"exit_via": ""}, "id, exit_via, targets required"),
        ({"type": "port"}, "unknown type"),
        ({"exit_mode": "fastest"}, "invalid exit_mode"),
    ],
)
async def test_a_rule_is_checked(api: Api, change: dict[str, object], reason: str) -> None:
    assert reason in await api.post("/rules", {**RULE, **change}, status=400)


async def test_writes_for_an_unknown_rule_say_that_all_is_well(api: Api) -> None:
    before = await api.get("/rules")
    for method, path, body in (
        ("PUT", "/rules/nobody", RULE),
        ("PUT", "/rules/nobody/toggle", {"enabled": True}),
        ("DELETE", "/rules/nobody", None),
    ):
        assert await api.ask(method, path, body) == {"status": "ok"}
        assert await api.get("/rules") == before


async def test_tun_mode_is_but_a_rule_s_name(api: Api, hy2scale: Hy2ScaleService) -> None:
    await api.get("/rules/tun-mode", status=405)
    assert await api.put("/rules/tun-mode", {"enabled": False, "mode": "full"}) == {"status": "ok"}

    assert hy2scale.state.tun_mode.enabled
    await api.post("/rules", {**RULE, "id": "tun-mode"})
    await api.put("/rules/tun-mode", {"enabled": True, "mode": "full"})
    rule = hy2scale.state.rules["tun-mode"]
    assert (rule.enabled, rule.targets) == (True, [])
