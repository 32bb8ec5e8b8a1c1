"""Tests frpc's feeds, and changes to the proxies of its store."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelGoneError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.frp.frpc_provider import FrpcProvider
from custom_components.tunnel_hub.api.frp.frpc_proxies import names_in
from custom_components.tunnel_hub.api.models.tunnels import (
    Tunnel,
    TunnelPhase,
    TunnelSource,
    TunnelUpdate,
)
from simulator.frp import FrpService
from simulator.frp.frpc import CONFIG

from ...clocks import Clocks
from ..refusals import refused


@pytest.fixture
def simulated() -> dict[str, Any]:
    """A client with two proxies in its file, and one in its store."""
    return {"tunnels": 2}


@pytest.fixture
def provider(session: ClientSession, frp: FrpService) -> FrpcProvider:
    return of(session, frp)


def of(session: ClientSession, frp: FrpService, **credentials: str) -> FrpcProvider:
    client = frp.state.client
    known = {"username": client.username, "password": client.password}
    return FrpcProvider(session, {"base_url": frp.frpc_url, **known, **credentials}, {})


async def tunnels(provider: FrpcProvider) -> Mapping[str, Tunnel]:
    """Read the proxies."""
    return await read(provider, "tunnels")


async def read(provider: FrpcProvider, key: str) -> Mapping[str, Any]:
    feed = provider.feeds["tunnels"]
    assert feed.forget_shared is not None
    feed.forget_shared()
    return await provider.feeds[key].fetch()


async def create(provider: FrpcProvider, **fields: Any) -> str:
    update = TunnelUpdate(**{"name": "new", "protocol": "tcp", "local_port": 80, **fields})
    return await provider.collection(TunnelUpdate).create(update)


async def change(provider: FrpcProvider, tunnel_id: str, **fields: Any) -> None:
    await provider.collection(TunnelUpdate).update(tunnel_id, TunnelUpdate(**fields))


# Reading


@pytest.mark.parametrize(
    "status, phase, online",
    [
        ("new", TunnelPhase.NEW, False),
        ("wait start", TunnelPhase.WAIT_START, False),
        ("start error", TunnelPhase.START_ERROR, False),
        ("running", TunnelPhase.RUNNING, True),
        ("check failed", TunnelPhase.CHECK_FAILED, False),
        ("closed", TunnelPhase.CLOSED, False),
        ("of a later version", None, None),
    ],
)
async def test_the_phases_of_a_proxy(
    provider: FrpcProvider,
    frp: FrpService,
    status: str,
    phase: TunnelPhase | None,
    online: bool | None,
) -> None:
    frp.state.client.phases["nas"] = (status, "why so")

    tunnel = (await tunnels(provider))["nas"]

    assert (tunnel.phase, tunnel.online, tunnel.error) == (phase, online, "why so")


async def test_a_disabled_proxy_is_in_the_store_only(
    provider: FrpcProvider, frp: FrpService
) -> None:
    before = (await tunnels(provider))["camera"]

    await provider.set_enabled(Tunnel, "camera", enabled=False)

    tunnel = (await tunnels(provider))["camera"]
    assert (tunnel.enabled, tunnel.online, tunnel.phase) == (False, False, TunnelPhase.DISABLED)
    assert tunnel.public_address == before.public_address == "frp.example.com:6101"
    assert tunnel.local_address == "192.0.2.100:9001"
    status = (await read(provider, "client"))["account"]
    assert (status.connected, status.tunnels_offline) == (True, 1)


@pytest.mark.parametrize(
    "block, expected",
    [
        ({"type": "tcp", "remotePort": 7}, "frp.example.com:7"),
        ({"type": "udp", "remotePort": 7}, "frp.example.com:7"),
        (
            {"type": "http", "customDomains": ["a.example.org", "b.example.org"]},
            "a.example.org:8088",
        ),
        ({"type": "http", "subdomain": "w"}, "w.example.test:8088"),
        ({"type": "https", "customDomains": ["a.example.org"]}, "a.example.org:8443"),
        ({"type": "tcpmux", "subdomain": "w", "multiplexer": "httpconnect"}, "w.example.test:8088"),
        ({"type": "stcp", "secretKey": "s"}, None),
        ({"type": "xtcp"}, None),
        ({"type": "sudp"}, None),
    ],
)
async def test_public_addresses(
    provider: FrpcProvider, frp: FrpService, block: dict[str, Any], expected: str | None
) -> None:
    frp.state.client.https_port = 8443
    frp.state.client.file["x"] = {"name": "x", **block}

    assert (await tunnels(provider))["x"].public_address == expected


@pytest.mark.parametrize(
    "server, expected",
    [
        ("203.0.113.7", "203.0.113.7:6001"),
        ("::1", "[::1]:6001"),
        ("[2001:db8::7]", "[2001:db8::7]:6001"),
        ("", None),
        ("0.0.0.0", None),
    ],
)
async def test_server_address_of_the_file(
    provider: FrpcProvider, frp: FrpService, server: str, expected: str | None
) -> None:
    frp.state.client.server = server

    assert (await tunnels(provider))["nas"].public_address == expected


async def test_a_proxy_of_the_store_that_never_started(
    provider: FrpcProvider, frp: FrpService
) -> None:
    await tunnels(provider)
    await create(provider, name="taken", remote_port=6001)

    tunnel = (await tunnels(provider))["taken"]

    assert (tunnel.phase, tunnel.error) == (TunnelPhase.START_ERROR, "port already used")
    assert tunnel.public_address == "frp.example.com:6001"


async def test_a_proxy_whose_type_is_not_text(provider: FrpcProvider, frp: FrpService) -> None:
    frp.fault("/api/status", "body", body={}, times=None)
    frp.fault("/api/store/proxies", "patch", patch={"proxies.0.type": ["tcp"]}, times=None)

    assert (await tunnels(provider))["camera"].protocol is None


# Without a server, and without a store


async def test_proxies_are_kept_while_the_server_is_unavailable(
    session: ClientSession, provider: FrpcProvider, frp: FrpService
) -> None:
    memories: list[Mapping[str, Any]] = []

    async def _store(memory: Mapping[str, Any]) -> None:
        memories.append(memory)

    provider.on_memory = _store
    before = await tunnels(provider)
    frp.state.client.is_connected = False
    restarted = of(session, frp)
    restarted.restore(memories[-1])

    for known in (provider, restarted):
        now = await tunnels(known)
        assert now.keys() == before.keys()
        assert {tunnel.phase for tunnel in now.values()} == {TunnelPhase.OFFLINE}
        assert {tunnel.online for tunnel in now.values()} == {False}
        for name, tunnel in now.items():
            assert tunnel.public_address == before[name].public_address
            assert tunnel.local_address == before[name].local_address
            assert tunnel.protocol == before[name].protocol
        # frpc does not report those of its file: a user may have removed them.
        assert known.feeds["tunnels"].kept() == {"nas", "game"}
        assert (await read(known, "client"))["account"].connected is False

    forget = provider.feeds["tunnels"].forget
    assert forget is not None
    await forget("nas")
    assert (await tunnels(provider)).keys() == {"game", "camera"}
    assert memories[-1]["proxies"].keys() == {"game", "camera"}

    frp.state.client.is_connected = True
    assert await tunnels(provider) == before
    assert provider.feeds["tunnels"].kept() == set()


async def test_damaged_storage(provider: FrpcProvider) -> None:
    memories: list[dict[str, Any]] = [
        {},
        {"proxies": []},
        {"proxies": {"x": 1, "y": {}}, "server": 7},
    ]
    for memory in memories:
        provider.restore(memory)
        assert len(await tunnels(provider)) == 3


async def test_a_proxy_removed_from_the_file(provider: FrpcProvider, frp: FrpService) -> None:
    await tunnels(provider)
    del frp.state.client.file["nas"]

    assert (await tunnels(provider)).keys() == {"game", "camera"}


async def test_a_client_without_a_store(provider: FrpcProvider, frp: FrpService) -> None:
    frp.state.client.has_store = False

    found = await tunnels(provider)

    assert found.keys() == {"nas", "game"}
    assert not any(tunnel.editable for tunnel in found.values())
    assert [issue.key for issue in provider.issues()] == ["frpc_without_store"]
    with refused(InvalidInputError, "store_needed"):
        await create(provider)
    with refused(InvalidInputError, "store_needed"):
        await provider.set_enabled(Tunnel, "nas", enabled=False)
    with refused(InvalidInputError, "store_needed"):
        await provider.collection(TunnelUpdate).delete("nas")

    # The file was changed, and frpc restarted.
    frp.state.client.has_store = True
    assert (await tunnels(provider))["camera"].editable
    assert [issue.key for issue in provider.issues()] == []


async def test_a_missing_store_is_confirmed_once(provider: FrpcProvider, frp: FrpService) -> None:
    await tunnels(provider)
    frp.state.client.has_store = False

    with pytest.raises(UnavailableError, match="no store"):
        await tunnels(provider)
    assert (await tunnels(provider)).keys() == {"nas", "game"}


async def test_a_lasting_error_is_an_issue(
    provider: FrpcProvider, frp: FrpService, clocks: Clocks, freezer: FrozenDateTimeFactory
) -> None:
    frp.state.client.phases["nas"] = ("start error", "port already used")
    await tunnels(provider)
    assert list(provider.issues()) == []

    freezer.tick(90)
    await tunnels(provider)
    (issue,) = provider.issues()
    assert issue.key == "proxies_not_started"
    assert issue.placeholders == {"proxies": ["nas (port already used)"]}

    frp.state.client.phases.clear()
    await tunnels(provider)
    assert list(provider.issues()) == []


# Signing in


async def test_identify(session: ClientSession, provider: FrpcProvider, frp: FrpService) -> None:
    place = frp.frpc_url.removeprefix("http://")
    identity = await provider.identify()
    assert (identity.id, identity.title) == (place, place)

    with refused(AuthenticationError):
        await of(session, frp, password="wrong").identify()
    for other in ({"base_url": frp.url}, {"base_url": f"{frp.frpc_url}/below"}):
        with refused(InvalidInputError, "no_frp_here"):
            await of(session, frp, **other).identify()


@pytest.mark.parametrize("password", ["", "a: ü密 码"])
async def test_passwords(session: ClientSession, frp: FrpService, password: str) -> None:
    frp.state.client.username, frp.state.client.password = "管理" if password else "", password
    provider = of(session, frp)

    await provider.feeds["client"].fetch()

    assert provider.is_open is (not password)
    issues = [issue.key for issue in provider.issues()]
    assert issues == ([] if password else ["frpc_without_password"])


async def test_a_client_without_a_password(session: ClientSession, frp: FrpService) -> None:
    frp.state.client.username = frp.state.client.password = ""
    provider = of(session, frp, username="admin", password="secret")

    await provider.feeds["client"].fetch()

    assert [issue.key for issue in provider.issues()] == ["frpc_without_password"]


@pytest.mark.parametrize(
    "body", [[], {"tcp": {}}, {"tcp": [{"type": "tcp"}]}, "<html></html>", {"code": 200}]
)
async def test_invalid_answers(provider: FrpcProvider, frp: FrpService, body: object) -> None:
    before = await tunnels(provider)
    frp.fault("/api/status", "body", body=body)

    with pytest.raises(UnavailableError):
        await tunnels(provider)

    assert await tunnels(provider) == before


# Changes in the store


async def test_a_new_proxy(provider: FrpcProvider, frp: FrpService) -> None:
    assert await create(provider, local_host="192.0.2.9", remote_port=6200) == "new"

    assert frp.state.client.store["new"] == {
        "name": "new",
        "type": "tcp",
        "localIP": "192.0.2.9",
        "localPort": 80,
        "remotePort": 6200,
    }
    (call,) = frp.calls_to("/api/store/proxies", type="tcp")
    assert call.method == "POST"


@pytest.mark.parametrize(
    "fields, stored",
    [
        (
            {"protocol": "http", "domain": "a.example.org, w", "encryption": True},
            {
                "customDomains": ["a.example.org"],
                "subdomain": "w",
                "transport": {"useEncryption": True},
            },
        ),
        ({"protocol": "https", "domain": "w"}, {"customDomains": [], "subdomain": "w"}),
        ({"protocol": "xtcp", "secret_key": "the-secret"}, {"secretKey": "the-secret"}),
        (
            {"protocol": "tcpmux", "domain": "m.example.org"},
            {"multiplexer": "httpconnect", "customDomains": ["m.example.org"], "subdomain": ""},
        ),
        (
            {
                "compression": False,
                "extra_parameters": 'metadatas.a = "b"\ntransport.bandwidthLimit = "1MB"',
            },
            {
                "metadatas": {"a": "b"},
                "transport": {"bandwidthLimit": "1MB", "useCompression": False},
            },
        ),
    ],
)
async def test_fields_of_a_new_proxy(
    provider: FrpcProvider, frp: FrpService, fields: dict[str, Any], stored: dict[str, Any]
) -> None:
    await create(provider, **fields)

    block = frp.state.client.store["new"]
    assert {name: block[name] for name in stored} == stored
    assert block.keys() == {"name", "type", "localPort", *stored}


@pytest.mark.parametrize("name", ["中文 隧道", "a.b", "a b?c#d&e%f+g", " around ", "名=1;2"])
async def test_names(provider: FrpcProvider, frp: FrpService, name: str) -> None:
    await create(provider, name=name)
    await provider.set_enabled(Tunnel, name, enabled=False)
    await change(provider, name, local_port=81)

    assert frp.state.client.store[name]["enabled"] is False
    assert frp.state.client.store[name]["localPort"] == 81
    assert (await tunnels(provider))[name].phase is TunnelPhase.DISABLED

    await provider.collection(TunnelUpdate).delete(name)
    assert name not in frp.state.client.store


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\nb", "x" * 256])
async def test_names_that_the_api_cannot_contain(
    provider: FrpcProvider, frp: FrpService, name: str
) -> None:
    with refused(InvalidInputError, "proxy_name_unusable"):
        await create(provider, name=name)
    assert frp.calls_to("/api/store/proxies") == []


async def test_stored_proxies_that_the_api_cannot_contain(
    provider: FrpcProvider, frp: FrpService
) -> None:
    frp.state.client.store["a/b"] = {"name": "a/b", "type": "tcp", "localPort": 1}
    frp.state.client.file["c/d"] = {"name": "c/d", "type": "tcp", "localPort": 1}

    found = await tunnels(provider)

    assert (found["a/b"].source, found["a/b"].editable) == (TunnelSource.STORE, False)
    with refused(InvalidInputError, "proxy_name_unusable"):
        await provider.set_enabled(Tunnel, "a/b", enabled=False)
    with refused(InvalidInputError, "proxy_of_file"):
        await provider.set_enabled(Tunnel, "c/d", enabled=False)


@pytest.mark.parametrize(
    "fields, key",
    [
        ({"protocol": "ftp"}, "unknown_protocol"),
        ({"local_port": 0}, "port_out_of_range"),
        ({"remote_port": 65536}, "port_out_of_range"),
        ({"node": "a"}, "no_nodes"),
        ({"protocol": "http"}, "domain_needed"),
        ({"protocol": "http", "domain": " , "}, "invalid_domain"),
        ({"protocol": "http", "domain": "a,b"}, "invalid_domain"),
        ({"protocol": "http", "domain": "a.b", "remote_port": 1}, "no_remote_port"),
        ({"domain": "a.example.org"}, "no_domain"),
        ({"secret_key": "s"}, "no_secret_key"),
        ({"extra_parameters": "a = "}, "invalid_extra_parameters"),
        ({"extra_parameters": "day = 2026-11-29"}, "invalid_extra_parameters"),
        ({"extra_parameters": 'name = "x"'}, "invalid_extra_parameters"),
        ({"name": "camera"}, "already_exists"),
        ({"name": "nas"}, "proxy_of_file"),
    ],
)
async def test_invalid_proxies(
    provider: FrpcProvider, frp: FrpService, fields: dict[str, Any], key: str
) -> None:
    with refused(InvalidInputError, key):
        await create(provider, **fields)

    assert frp.state.client.store.keys() == {"camera"}


async def test_a_refusal_has_the_message_of_frpc(provider: FrpcProvider, frp: FrpService) -> None:
    words = "parse JSON error: json: cannot unmarshal value into Go struct field .healthCheck"
    with refused(RejectedError, words):
        await create(provider, extra_parameters="healthCheck = 1")


@pytest.mark.parametrize("is_connected", [True, False])
async def test_proxies_of_the_file_are_not_replaced(
    provider: FrpcProvider, frp: FrpService, is_connected: bool
) -> None:
    """Frpc would accept their names, also while it does not report the proxies of its file."""
    await tunnels(provider)
    frp.state.client.is_connected = is_connected
    frp.state.client.config += (
        '[[proxies]]\nname = "off"\ntype = "tcp"\nlocalPort = 1\nenabled = false\n'
    )

    for name in ("game", "off"):
        with refused(InvalidInputError, "proxy_of_file"):
            await create(provider, name=name)

    assert frp.state.client.store.keys() == {"camera"}


async def test_a_client_without_a_file(provider: FrpcProvider, frp: FrpService) -> None:
    words = "invalid argument: frpc has no config file path"
    frp.fault("/api/config", "body", status=400, body={"Code": 400, "Msg": words})

    assert await create(provider) == "new"


@pytest.mark.parametrize(
    "file, names",
    [
        (CONFIG + '[[proxies]]\nname = "a\\u4e2d"\ntype = "tcp"\n', {"a中"}),
        (CONFIG, set()),
        ('proxies:\n- name: a b\n  type: tcp\n- type: tcp\n  name: "c" # d\n', {"a b", "c"}),
        ('{"proxies": [\n{\n"name": "a",\n"type": "tcp"\n}\n]}', {"a"}),
        ("[common]\nserver_addr = x\n[a b]\ntype = tcp\n", {"common", "a b"}),
        ('[[proxies]]\nname = "a"\n{{ range . }}\n', {"a"}),
    ],
)
def test_names_in_a_file(file: str, names: set[str]) -> None:
    assert names_in(file) == names


async def test_a_change_keeps_all_fields(provider: FrpcProvider, frp: FrpService) -> None:
    more: dict[str, Any] = {
        "annotations": {"a": "b"},
        "transport": {"bandwidthLimit": "1MB", "proxyProtocolVersion": "v2"},
        "metadatas": {"c": "d"},
        "loadBalancer": {"group": "g", "groupKey": "k"},
        "healthCheck": {"type": "tcp", "intervalSeconds": 5, "timeoutSeconds": 3},
        "plugin": {"type": "static_file", "localPath": "/srv", "httpPassword": "p"},
    }
    before = frp.state.client.store["camera"] = {**frp.state.client.store["camera"], **more}

    await change(provider, "camera", local_port=99, encryption=True)
    await provider.set_enabled(Tunnel, "camera", enabled=False)
    await provider.set_enabled(Tunnel, "camera", enabled=True)

    assert frp.state.client.store["camera"] == {
        **before,
        "localPort": 99,
        "enabled": True,
        "transport": {**more["transport"], "useEncryption": True},
    }


async def test_a_change_without_effect(provider: FrpcProvider, frp: FrpService) -> None:
    frp.fault("/api/store/proxies/{name}", "body", match={"type": "tcp"}, body={})

    with refused(InvalidInputError, "not_stored"):
        await provider.set_enabled(Tunnel, "camera", enabled=False)
    with refused(InvalidInputError, "not_stored"):
        await change(provider, "camera", extra_parameters="no.such.field = 1")


async def test_change_the_protocol(provider: FrpcProvider, frp: FrpService) -> None:
    frp.state.client.store["camera"]["metadatas"] = {"a": "b"}

    await change(provider, "camera", protocol="http", domain="a.example.org")

    block = frp.state.client.store["camera"]
    assert (block["type"], block["customDomains"]) == ("http", ["a.example.org"])
    assert block["metadatas"] == {"a": "b"}
    with refused(InvalidInputError, "unknown_protocol"):
        await change(provider, "camera", protocol="ftp")


async def test_changes_that_are_refused(provider: FrpcProvider, frp: FrpService) -> None:
    with refused(InvalidInputError, "proxy_name_stays"):
        await change(provider, "camera", name="another")
    for name, error, words in (
        ("nas", InvalidInputError, "proxy_of_file"),
        ("unknown", TunnelGoneError, "tunnel_gone"),
    ):
        with refused(error, words):
            await change(provider, name, local_port=1)
        with refused(error, words):
            await provider.set_enabled(Tunnel, name, enabled=False)
        with refused(error, words):
            await provider.force_tunnel_offline(name)
    with refused(InvalidInputError, "proxy_of_file"):
        await provider.collection(TunnelUpdate).delete("nas")
    # A removed proxy counts as deleted.
    await provider.collection(TunnelUpdate).delete("unknown")

    assert frp.state.client.file.keys() == {"nas", "game"}
    assert [call for call in frp.calls if call.method != "GET"] == []


async def test_force_down_disconnects_once(provider: FrpcProvider, frp: FrpService) -> None:
    await provider.force_tunnel_offline("camera")

    calls = [call for call in frp.calls if call.method == "PUT"]
    assert [call.body["tcp"]["enabled"] for call in calls] == [False, True]

    await provider.set_enabled(Tunnel, "camera", enabled=False)
    await provider.force_tunnel_offline("camera")
    assert frp.state.client.store["camera"]["enabled"] is False


async def test_no_secrets_in_errors(provider: FrpcProvider, frp: FrpService) -> None:
    """Neither secrets of the file and the proxies, nor the credentials."""
    frp.fault(
        "/api/store/proxies",
        "body",
        match={"type": "xtcp"},
        status=400,
        body={"Code": 400, "Msg": "no the-secret, group-key, web-password nor frpc-password"},
    )
    further = 'loadBalancer.groupKey = "group-key"\nhttpPassword = "web-password"'

    with refused(RejectedError, "no **, **, ** nor **"):
        await create(provider, protocol="xtcp", secret_key="the-secret", extra_parameters=further)


async def test_secrets_of_the_file_are_redacted(provider: FrpcProvider, frp: FrpService) -> None:
    await create(provider)
    words = "the-token-of-the-server is not the-token"
    frp.fault("/api/reload", "body", status=400, body={"Code": 400, "Msg": words})

    with refused(RejectedError, "** is not the-token"):
        await provider.reload_configuration()


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "damage", "to": "absent", "keep": ["name", "type"]},
        {"kind": "damage", "to": "null", "keep": ["name", "type"]},
        {"kind": "damage", "to": "object", "keep": ["name", "type"]},
        {"kind": "patch", "patch": {"tcp.remotePort": None}},
        {"kind": "patch", "remove": ["tcp.localPort"]},
        {"kind": "patch", "remove": ["tcp.healthCheck"]},
        {"kind": "patch", "patch": {"name": "another"}},
        {"kind": "patch", "patch": {"type": "udp"}},
    ],
)
async def test_a_damaged_row_is_not_written_back(
    provider: FrpcProvider, frp: FrpService, damage: dict[str, Any]
) -> None:
    """Its missing fields would be lost."""
    before = dict(frp.state.client.store["camera"])
    frp.fault("/api/store/proxies/{name}", **damage)

    with pytest.raises(UnavailableError, match="without all of its fields"):
        await provider.set_enabled(Tunnel, "camera", enabled=False)

    assert frp.state.client.store["camera"] == before
