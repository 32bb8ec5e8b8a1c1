"""HayFrp's tunnels: created, edited, toggled, forced offline, deleted; their state and files."""

from configparser import ConfigParser
import tomllib
from typing import Any

import pytest

from simulator.hayfrp import HayFrpService

from .conftest import BROKEN, DAY, HOUR, NOON, Client

NEW_TUNNEL: dict[str, object] = {
    "proxy_name": "jellyfin",
    "proxy_type": "tcp",
    "local_ip": "192.168.1.9",
    "local_port": 8096,
    "remote_port": 20000,
    "use_encryption": "true",
    "use_compression": "false",
    "node": "2",
}


def without_port(protocol: str) -> dict[str, object]:
    return {**NEW_TUNNEL, "proxy_type": protocol, "remote_port": None}


async def test_a_row_of_the_list(demo: Client) -> None:
    answer = await demo.ask("/proxy", "list", id="1")

    assert answer == {
        "status": 200,
        "message": "获取成功.",
        "proxies": [
            {
                "id": "1",
                "uuid": None,
                "username": "demo",
                "proxy_name": "homeassistant",
                "proxy_type": "tcp",
                "local_ip": "127.0.0.1",
                "local_port": "8123",
                "use_encryption": "true",
                "use_compression": "false",
                "domain": "",
                "locations": "",
                "host_header_rewrite": "",
                "remote_port": "10001",
                "sk": "",
                "header_X-From-Where": "",
                "status": "true",
                "lastupdate": str(int(NOON) - HOUR),
                "node": "1",
                "node_name": "中国-苏州-永乐云服务器",
                "node_domain": "suzhou.frp.example.com",
            }
        ],
    }


async def test_the_list_has_the_own_tunnels_only(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.tunnels["2"].username = "other"

    for everything in ({}, {"id": ""}):
        answer = await demo.ask("/proxy", "list", **everything)
        assert [row["id"] for row in answer["proxies"]] == ["1", "3", "4", "5"]
    assert (await demo.ask("/proxy", "list", id="2"))["status"] == 404
    for kind in ("remove", "check", "forcedown"):
        assert await demo.ask("/proxy", kind, id="2") == {"status": 404, "message": "隧道不存在."}


async def test_an_empty_list_of_either_version(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.tunnels.clear()

    assert (await demo.ask("/proxy", "list"))["status"] == 404
    hayfrp.state.settings.empty_list_status = 200
    answer = await demo.ask("/proxy", "list")
    assert (answer["status"], answer["proxies"]) == (200, [])


async def test_a_row_whose_node_was_removed(hayfrp: HayFrpService, demo: Client) -> None:
    del hayfrp.state.nodes["1"]

    (row,) = (await demo.ask("/proxy", "list", id="1"))["proxies"]

    assert (row["node"], row["node_name"], row["node_domain"]) == ("1", "", "")
    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "offline"
    assert (await demo.ask("/proxy", "config", proxy="1", format="ini"))["status"] == 500


async def test_a_tunnel_is_created(hayfrp: HayFrpService, demo: Client) -> None:
    answer = await demo.ask("/proxy", "add", **NEW_TUNNEL, header_X_From_Where="here")

    assert answer == {"status": 200, "message": "隧道创建成功.", "id": "6"}
    (row,) = (await demo.ask("/proxy", "list", id="6"))["proxies"]
    assert (
        row.items()
        >= {
            "proxy_name": "jellyfin",
            "local_ip": "192.168.1.9",
            "local_port": "8096",
            "remote_port": "20000",
            "use_encryption": "true",
            "use_compression": "false",
            "header_X-From-Where": "here",
            "status": "true",
            "node": "2",
            "lastupdate": str(int(NOON)),
        }.items()
    )
    assert (await demo.ask("/proxy", "check", id="6"))["status"] == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"proxy_name": "abc"},
        {"proxy_name": "x" * 15},
        {"local_port": 1},
        {"local_port": "65500"},
        {"proxy_type": "udp", "node": 3},
        {"sk": "secret", **without_port("stcp")},
        {"sk": "secret", **without_port("xtcp")},
        {"domain": "a.example.com", **without_port("http")},
        {"domain": "a.example.com", **without_port("https")},
    ],
)
async def test_a_tunnel_that_is_allowed(demo: Client, fields: dict[str, Any]) -> None:
    assert (await demo.ask("/proxy", "add", **{**NEW_TUNNEL, **fields}))["status"] == 200


@pytest.mark.parametrize(
    "fields, status, message",
    [
        ({"proxy_name": "ab"}, 500, "隧道名称长度应在3-15内."),
        ({"proxy_name": "x" * 16}, 500, "隧道名称长度应在3-15内."),
        ({"proxy_type": "sctp"}, 500, "隧道类型有误."),
        ({"local_port": 0}, 500, "端口范围应在1-65500内."),
        ({"local_port": "http"}, 500, "端口范围应在1-65500内."),
        ({"remote_port": 65501}, 500, "端口范围应在1-65500内."),
        ({"remote_port": 70000}, 500, "端口范围应在1-65500内."),
        ({"remote_port": -1}, 500, "端口范围应在1-65500内."),
        ({"remote_port": None}, 404, "remote_port不能为空."),
        (without_port("http"), 404, "domain不能为空."),
        ({"node": "99"}, 500, "节点不存在."),
        ({"node": ""}, 404, "node不能为空."),
        ({"use_encryption": True}, 500, BROKEN),
        ({"use_compression": False}, 500, BROKEN),
        ({"use_compression": "yes"}, 500, BROKEN),
    ],
)
@pytest.mark.parametrize("kind", ["add", "edit"])
async def test_a_tunnel_that_is_not_allowed(
    hayfrp: HayFrpService,
    demo: Client,
    *,
    kind: str,
    fields: dict[str, Any],
    status: int,
    message: str,
) -> None:
    before = dict(hayfrp.state.tunnels)

    answer = await demo.ask("/proxy", kind, id="1", **{**NEW_TUNNEL, **fields})

    assert answer == {"status": status, "message": message}
    assert hayfrp.state.tunnels == before


async def test_the_quota_is_kept(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.account.quota = 5

    assert (await demo.ask("/proxy", "add", **NEW_TUNNEL))["status"] == 500
    assert len(hayfrp.state.tunnels) == 5


async def test_an_edit_replaces_the_row(hayfrp: HayFrpService, demo: Client) -> None:
    tunnel = hayfrp.state.tunnels["5"]
    tunnel.locations, tunnel.header_x_from_where, tunnel.host_header_rewrite = "/", "x", "y"
    tunnel.sk, tunnel.use_compression = "secret", True
    sent = {**NEW_TUNNEL}
    del sent["use_encryption"], sent["use_compression"], sent["local_ip"]

    answer = await demo.ask("/proxy", "edit", id="5", **sent)

    assert answer == {"status": 200, "message": "隧道更新成功.", "id": "5"}
    (row,) = (await demo.ask("/proxy", "list", id="5"))["proxies"]
    assert (
        row.items()
        >= {
            "proxy_name": "jellyfin",
            "proxy_type": "tcp",
            "local_ip": "127.0.0.1",
            "use_encryption": "false",
            "use_compression": "false",
            "sk": "",
            "domain": "",
            "locations": "",
            "header_X-From-Where": "",
            "host_header_rewrite": "",
            "lastupdate": str(int(NOON)),
            "status": "false",
        }.items()
    )


async def test_an_edit_leaves_the_running_tunnel_as_it_was(
    hayfrp: HayFrpService, demo: Client
) -> None:
    await demo.ask("/proxy", "forcedown", id="1")
    rate = hayfrp.state.tunnels["1"].rate

    await demo.ask("/proxy", "edit", id="1", **NEW_TUNNEL)
    await demo.ask("/proxy", "edit", id="4", **NEW_TUNNEL)

    tunnel = hayfrp.state.tunnels["1"]
    assert (tunnel.enabled, tunnel.client_running, tunnel.rate) == (True, True, rate)
    assert not hayfrp.online(tunnel)
    assert not hayfrp.state.tunnels["4"].client_running


async def test_a_deleted_tunnel_is_gone(hayfrp: HayFrpService, demo: Client) -> None:
    answer = await demo.ask("/proxy", "remove", id="3")

    assert answer == {"status": 200, "message": "隧道删除成功."}
    gone = {"toggle": "true", **NEW_TUNNEL, "id": "3"}
    for status in (404, 500):
        hayfrp.state.settings.missing_tunnel_status = status
        for kind in ("remove", "toggle", "check", "forcedown", "edit"):
            assert (await demo.ask("/proxy", kind, **gone)) == {
                "status": status,
                "message": "隧道不存在.",
            }


async def test_a_disabled_tunnel_is_offline(demo: Client) -> None:
    off = await demo.ask("/proxy", "toggle", id="1", toggle="false")
    offline = await demo.ask("/proxy", "check", id="1")
    (row,) = (await demo.ask("/proxy", "list", id="1"))["proxies"]
    on = await demo.ask("/proxy", "toggle", id="1", toggle="true")
    online = await demo.ask("/proxy", "check", id="1")

    assert off == {"status": 200, "message": "隧道状态已成功修改为 禁用."}
    assert offline == {
        "status": 500,
        "message": "隧道离线,请检查隧道配置.",
        "ostatus": "offline",
    }
    assert row["status"] == "false"
    assert on == {"status": 200, "message": "隧道状态已成功修改为 启用."}
    assert online == {"status": 200, "message": "隧道在线.", "ostatus": "online"}


@pytest.mark.parametrize(
    "toggle, status, message",
    [(True, 500, BROKEN), (False, 500, BROKEN), ("on", 500, BROKEN)],
)
async def test_toggle_wants_its_words(
    hayfrp: HayFrpService, demo: Client, toggle: object, status: int, message: str
) -> None:
    answer = await demo.ask("/proxy", "toggle", id="1", toggle=toggle)

    assert answer == {"status": status, "message": message}
    assert hayfrp.state.tunnels["1"].enabled


async def test_a_tunnel_needs_its_client_and_its_node(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.tunnels["1"].client_running = False
    assert (await demo.ask("/proxy", "check", id="1"))["message"] == "隧道离线,请检查隧道配置."

    hayfrp.state.nodes["1"].online = False
    assert await demo.ask("/proxy", "check", id="1") == {
        "status": 500,
        "message": "隧道离线,隧道对应节点已离线.",
        "ostatus": "offline",
    }
    assert await demo.ask("/proxy", "forcedown", id="1") == {
        "status": 500,
        "message": "隧道对应节点已离线,无法强制下线.",
    }


async def test_force_down_lasts(hayfrp: HayFrpService, demo: Client) -> None:
    answer = await demo.ask("/proxy", "forcedown", id="1")

    assert answer == {"status": 200, "message": "隧道已强制下线."}
    hayfrp.advance(DAY)
    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "offline"
    assert hayfrp.state.tunnels["1"].enabled


async def test_force_down_lasts_until_the_client_is_back(
    hayfrp: HayFrpService, demo: Client
) -> None:
    hayfrp.state.settings.reconnects_after = 30
    await demo.ask("/proxy", "forcedown", id="1")

    hayfrp.advance(29)
    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "offline"
    hayfrp.advance(1)
    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "online"


async def test_force_down_that_reads_forms_only(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.forcedown_form_only = True
    form = {"type": "forcedown", "csrf": demo.csrf, "id": "1"}

    assert await demo.ask("/proxy", "forcedown", id="1") == {
        "status": 404,
        "message": "csrf不能为空.",
    }
    assert hayfrp.online(hayfrp.state.tunnels["1"])
    async with demo.session.post(f"{demo.url}/proxy", data=form) as response:
        assert (await response.json())["status"] == 200
    assert not hayfrp.online(hayfrp.state.tunnels["1"])


async def test_config_of_one_tunnel_as_ini(hayfrp: HayFrpService, demo: Client) -> None:
    file = ConfigParser()
    file.read_string(await demo.ask("/proxy", "config", proxy="1", node="", format="ini"))

    assert file.sections() == ["common", "homeassistant"]
    assert file["common"]["user"] == hayfrp.account.link_token
    assert dict(file["homeassistant"]) == {
        "type": "tcp",
        "local_ip": "127.0.0.1",
        "local_port": "8123",
        "remote_port": "10001",
        "use_encryption": "true",
        "use_compression": "false",
    }


async def test_config_of_a_node_as_toml(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.tunnels["2"].node = "1"
    hayfrp.state.tunnels["3"].node = "1"
    hayfrp.state.tunnels["3"].username = "other"

    file = tomllib.loads(await demo.ask("/proxy", "config", node="1", proxy="", format="toml"))

    assert file["user"] == hayfrp.account.link_token
    assert (file["serverAddr"], file["serverPort"]) == ("suzhou.frp.example.com", 7000)
    assert [proxy["name"] for proxy in file["proxies"]] == ["homeassistant", "nas"]
    assert file["proxies"][1] == {
        "name": "nas",
        "type": "https",
        "localIP": "192.168.1.20",
        "localPort": 5001,
        "customDomains": ["nas.example.com"],
        "transport": {"useEncryption": False, "useCompression": False},
    }


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"format": "ini", "node": "1", "proxy": "1"}, 404),
        ({"format": "yaml", "node": "1"}, 404),
        ({"format": "ini", "node": "99"}, 500),
        ({"format": "ini", "proxy": "99"}, 404),
    ],
)
async def test_config_that_cannot_be_had(
    demo: Client, fields: dict[str, object], status: int
) -> None:
    assert (await demo.ask("/proxy", "config", **fields))["status"] == status


async def test_a_token_to_run_once(demo: Client) -> None:
    first, second = [await demo.ask("/esirun", "create", id="1") for _ in range(2)]

    assert first["status"] == 200
    assert first["token"] != second["token"]
    assert (await demo.ask("/esirun", "create", id="99"))["status"] == 404


async def test_the_client_of_a_tunnel_that_is_enabled_again_takes_a_while(
    hayfrp: HayFrpService, demo: Client
) -> None:
    """Whether it was kicked besides or not."""
    hayfrp.state.settings.reconnects_after = 30
    await demo.ask("/proxy", "forcedown", id="1")
    for number in "12":
        await demo.ask("/proxy", "toggle", id=number, toggle="false")
    hayfrp.advance(DAY)
    for number in "12":
        await demo.ask("/proxy", "toggle", id=number, toggle="true")
        # A tunnel that is enabled already keeps its client.
        hayfrp.advance(15)
        await demo.ask("/proxy", "toggle", id=number, toggle="true")

    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "online"
    assert (await demo.ask("/proxy", "check", id="2"))["ostatus"] == "offline"
    hayfrp.advance(15)
    assert (await demo.ask("/proxy", "check", id="2"))["ostatus"] == "online"
