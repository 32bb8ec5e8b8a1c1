"""Tests HayFrp's commands and sign-in."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
import logging
import traceback
from typing import Any

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.hayfrp import HayFrpProvider, provider as module
from custom_components.tunnel_hub.api.models.account import SignInResult
from custom_components.tunnel_hub.api.models.service import Download
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelState, TunnelUpdate
from custom_components.tunnel_hub.api.provider import Credentials, Identity, Issue
from simulator import Simulator
from simulator.hayfrp import HayFrpService
from simulator.hayfrp.state import Tunnel as SimulatedTunnel

GB = 1024**3
NEW = TunnelUpdate(
    name="printer",
    protocol="tcp",
    local_host="192.168.1.7",
    local_port=631,
    remote_port=20631,
    node="2",
    encryption=True,
    compression=False,
    secret_key="open-sesame",
)


@contextmanager
def invalid(key: str, **placeholders: str) -> Iterator[None]:
    """Expect an error before the service is called."""
    with pytest.raises(InvalidInputError) as caught:
        yield
    assert (caught.value.key, caught.value.placeholders) == (key, placeholders)


def pasted(service: HayFrpService, session: ClientSession, token: str) -> HayFrpProvider:
    """Return an account with only a csrf token."""
    return HayFrpProvider(session, {"base_url": service.url, "token": token}, {})


# Signing in


async def test_identity(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    identity = await provider.identify()

    assert identity == Identity(id=hayfrp.account.uuid, title="demo")
    assert [call.get("type") for call in hayfrp.calls] == ["login", "info"]


@pytest.mark.parametrize("username", ["demo", "demo@example.com", "13800000000"])
async def test_an_account_is_the_same_with_each_username(
    hayfrp: HayFrpService, session: ClientSession, username: str
) -> None:
    credentials = {
        "base_url": f"{hayfrp.url}/",
        "username": username,
        "password": "demo-password",
    }

    identity = await HayFrpProvider(session, credentials, {}).identify()

    assert identity == Identity(id=hayfrp.account.uuid, title="demo")


async def test_a_pasted_csrf_is_checked_first(
    hayfrp: HayFrpService, session: ClientSession, csrf: str
) -> None:
    provider = pasted(hayfrp, session, csrf)

    assert (await provider.identify()).title == "demo"
    assert [call.get("type") for call in hayfrp.calls] == ["csrf", "info"]
    assert provider.credentials["token"] == csrf

    with pytest.raises(AuthenticationError):
        await pasted(hayfrp, session, "of-yesterday").identify()
    assert [call.get("type") for call in hayfrp.calls[2:]] == ["csrf"]


@pytest.mark.parametrize(
    "patch, identity",
    [
        ({"uuid": None}, Identity(id="114514", title="demo")),
        ({"uuid": "", "username": ""}, Identity(id="114514", title="114514")),
    ],
)
async def test_an_account_without_a_uuid(
    hayfrp: HayFrpService, provider: HayFrpProvider, patch: dict[str, object], identity: Identity
) -> None:
    hayfrp.fault("/user", "patch", match={"type": "info"}, patch=patch)

    assert await provider.identify() == identity


async def test_an_account_without_a_unique_id_is_refused(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    hayfrp.fault("/user", "patch", match={"type": "info"}, patch={"uuid": None, "id": ""})

    with pytest.raises(RejectedError, match="成功获取用户数据"):
        await provider.identify()


@pytest.mark.parametrize("username, password", [("demo", "wrong"), ("unknown", "demo-password")])
async def test_a_refused_sign_in(
    hayfrp: HayFrpService, session: ClientSession, username: str, password: str
) -> None:
    credentials = {"base_url": hayfrp.url, "username": username, "password": password}

    with pytest.raises(AuthenticationError if username == "demo" else RejectedError):
        await HayFrpProvider(session, credentials, {}).identify()


async def test_hosts_of_the_service(
    hayfrp: HayFrpService, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, unless the user enters another one."""
    assert [host.removeprefix("https://") for host in module.HOSTS] == [
        "api.hayfrp.com",
        "api.hayfrp.1zyq1.com",
        "v2.api.hayfrp.1zyq1.com",
    ]
    monkeypatch.setattr(module, "HOSTS", ("http://127.0.0.1:1", hayfrp.mirror_url))
    provider = HayFrpProvider(session, {"username": "demo", "password": "demo-password"}, {})

    await provider.feeds["account"].fetch()

    assert f"http://{hayfrp.calls[0].headers['Host']}" == hayfrp.mirror_url
    assert {call.headers["waf"] for call in hayfrp.calls} == {"off"}


async def test_new_credentials_are_stored_before_use(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    handed: list[tuple[Credentials, int]] = []

    async def keep(credentials: Credentials) -> None:
        await asyncio.sleep(0)
        handed.append((credentials, len(hayfrp.calls)))

    provider.on_credentials = keep
    before = provider.credentials
    await provider.feeds["account"].fetch()
    await provider.feeds["account"].fetch()

    assert handed == [({**before, "token": hayfrp.account.csrf}, 1)]
    assert provider.credentials == handed[0][0]
    assert "token" not in before
    assert provider.statistics() == {"requests": 3, "logins": 1}


async def test_a_stored_csrf_requires_no_login(
    hayfrp: HayFrpService, session: ClientSession, csrf: str
) -> None:
    credentials = {"base_url": hayfrp.url, "username": "demo", "password": "x", "token": csrf}
    provider = HayFrpProvider(session, credentials, {})

    await provider.feeds["account"].fetch()

    assert hayfrp.calls_to("/user", type="login") == []
    assert provider.statistics() == {"requests": 1, "logins": 0}


async def test_a_contested_account_is_an_issue(
    hayfrp: HayFrpService, provider: HayFrpProvider, freezer: FrozenDateTimeFactory
) -> None:
    await provider.identify()
    freezer.tick(3600)
    hayfrp.account.csrf = "of-another-program"
    await provider.identify()
    assert provider.issues() == ()

    hayfrp.account.csrf = "of-another-program"
    with pytest.raises(UnavailableError, match=Reason.CONTESTED):
        await provider.identify()
    assert provider.issues() == (Issue(key="session_contested"),)


# Changing tunnels


def _tunnel(tunnel_id: str, payload: TunnelUpdate) -> SimulatedTunnel:
    """Return the tunnel that a payload should create."""
    return SimulatedTunnel(
        id=tunnel_id,
        username="demo",
        proxy_name=payload.name or "",
        proxy_type=payload.protocol or "",
        node=payload.node or "",
        local_ip=payload.local_host or "127.0.0.1",
        local_port=payload.local_port or 0,
        remote_port=payload.remote_port,
        use_encryption=bool(payload.encryption),
        use_compression=bool(payload.compression),
        sk=payload.secret_key or "",
        domain=payload.domain or "",
    )


def _same(one: SimulatedTunnel, other: SimulatedTunnel) -> bool:
    """Return whether two tunnels only differ in the time of their last change."""
    return one == replace(other, lastupdate=one.lastupdate, rate=one.rate)


@pytest.mark.parametrize(
    "payload",
    [
        NEW,
        TunnelUpdate(name="ssh", protocol="udp", local_port=1, remote_port=65500, node="1"),
        TunnelUpdate(name="a" * 15, protocol="tcp", local_port=65500, remote_port=1, node="1"),
        TunnelUpdate(name="blog", protocol="http", local_port=80, node="1", domain="blog.example"),
        TunnelUpdate(name="blog", protocol="https", local_port=80, node="1", domain="b.example"),
        TunnelUpdate(name="peer", protocol="stcp", local_port=80, node="1", secret_key="word"),
        TunnelUpdate(name="peer", protocol="xtcp", local_port=80, node="1", compression=True),
    ],
    ids=lambda payload: payload.protocol,
)
async def test_create_a_tunnel(
    hayfrp: HayFrpService, provider: HayFrpProvider, payload: TunnelUpdate
) -> None:
    assert await provider.create_tunnel(payload) == "6"

    assert _same(hayfrp.state.tunnels["6"], _tunnel("6", payload))


async def test_formats_of_ports_and_flags(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    """The service fails for a JSON bool and for a port as text."""
    await provider.create_tunnel(NEW)

    (call,) = hayfrp.calls_to("/proxy", type="add")
    assert {type(call.get(name)) for name in ("local_port", "remote_port")} == {int}
    assert (call.get("use_encryption"), call.get("use_compression")) == ("true", "false")


async def test_a_new_tunnel_without_an_id_is_found_by_its_name(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """The newest of several is listed last."""
    hayfrp.state.tunnels["2"].proxy_name = "printer"
    hayfrp.fault("/proxy", "patch", match={"type": "add"}, remove=["id"], times=None)

    assert await provider.create_tunnel(NEW) == "6"

    hayfrp.fault("/proxy", "body", match={"type": "list"}, body={"status": 404, "message": "无"})
    with pytest.raises(UnavailableError) as caught:
        await provider.create_tunnel(NEW)
    assert caught.value.reason is Reason.MALFORMED


@pytest.fixture
def filled(hayfrp: HayFrpService) -> SimulatedTunnel:
    """A tunnel with a value in every field."""
    hayfrp.state.tunnels["1"] = SimulatedTunnel(
        id="1",
        username="demo",
        proxy_name="everything",
        proxy_type="tcp",
        node="1",
        local_ip="192.168.1.9",
        local_port=8123,
        remote_port=18123,
        use_encryption=True,
        use_compression=True,
        sk="a secret",
        domain="every.example.com",
        locations="/here,/there",
        header_x_from_where="frp",
        host_header_rewrite="inner.example.com",
        enabled=False,
        rate=0.0,
    )
    return replace(hayfrp.state.tunnels["1"])


@pytest.mark.parametrize(
    "payload, changes",
    [
        ({}, {}),
        ({"name": "renamed"}, {"proxy_name": "renamed"}),
        ({"local_host": "10.0.0.1"}, {"local_ip": "10.0.0.1"}),
        ({"local_port": 1}, {"local_port": 1}),
        ({"remote_port": 65500}, {"remote_port": 65500}),
        ({"node": "4"}, {"node": "4"}),
        ({"domain": "new.example.com"}, {"domain": "new.example.com"}),
        ({"domain": ""}, {"domain": ""}),
        ({"encryption": False}, {"use_encryption": False}),
        ({"compression": False}, {"use_compression": False}),
        ({"secret_key": "another"}, {"sk": "another"}),
        ({"protocol": "udp"}, {"proxy_type": "udp"}),
        (
            {"protocol": "http", "name": "web"},
            {"proxy_type": "http", "proxy_name": "web", "remote_port": None},
        ),
    ],
)
async def test_only_given_fields_change(
    hayfrp: HayFrpService,
    provider: HayFrpProvider,
    filled: SimulatedTunnel,
    payload: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    """An edit replaces the whole row, so all other fields are written back."""
    await provider.update_tunnel("1", TunnelUpdate(**payload))

    assert _same(hayfrp.state.tunnels["1"], replace(filled, **changes))


@pytest.mark.parametrize("seed", [1, 2])
async def test_writing_back_loses_no_field(session: ClientSession, seed: int) -> None:
    async with Simulator(services=("hayfrp",), tunnels=7, seed=seed) as running:
        service = running.get(HayFrpService)
        before = {id_: replace(tunnel) for id_, tunnel in service.state.tunnels.items()}
        credentials = {"base_url": service.url, "username": "demo", "password": "demo-password"}
        provider = HayFrpProvider(session, credentials, {})

        for id_ in before:
            await provider.update_tunnel(id_, TunnelUpdate())

        for id_, tunnel in service.state.tunnels.items():
            expected = replace(before[id_], lastupdate=tunnel.lastupdate)
            assert asdict(tunnel) == asdict(expected)


async def test_a_header_is_listed_under_either_name(
    hayfrp: HayFrpService, provider: HayFrpProvider, filled: SimulatedTunnel
) -> None:
    hayfrp.fault(
        "/proxy",
        "patch",
        match={"type": "list"},
        patch={"proxies.0.header_X_From_Where": "frp"},
        remove=["proxies.0.header_X-From-Where"],
    )

    await provider.update_tunnel("1", TunnelUpdate(name="renamed"))

    assert hayfrp.state.tunnels["1"].header_x_from_where == filled.header_x_from_where


@pytest.mark.parametrize("status", [404, 500])
async def test_a_tunnel_deleted_during_a_change(
    hayfrp: HayFrpService, provider: HayFrpProvider, status: int
) -> None:
    hayfrp.state.settings.missing_tunnel_status = status
    row = {"id": "1", "proxy_name": "name", "proxy_type": "stcp", "local_port": "1", "node": "1"}
    hayfrp.fault("/proxy", "body", match={"type": "list"}, body={"status": 200, "proxies": [row]})
    del hayfrp.state.tunnels["1"]

    with invalid("tunnel_gone"):
        await provider.update_tunnel("1", TunnelUpdate(name="renamed"))


async def test_a_check_starts_from_the_known_tunnel(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """A command may have changed it since the tunnels were listed."""
    feed = provider.feeds["tunnels"]
    listed = await feed.fetch()
    assert feed.probe

    await provider.set_enabled(Tunnel, "5", enabled=True)
    await provider.set_enabled(Tunnel, "1", enabled=False)

    assert (hayfrp.state.tunnels["5"].enabled, hayfrp.state.tunnels["1"].enabled) == (True, False)
    for id_, expected in (("5", TunnelState.ONLINE), ("1", TunnelState.DISABLED)):
        tunnel = listed[id_]
        assert isinstance(tunnel, Tunnel)
        known = replace(tunnel, enabled=hayfrp.state.tunnels[id_].enabled)
        assert feed.probe.is_worth_it(known) == known.enabled
        read = await feed.probe.read(known)
        assert isinstance(read, Tunnel)
        assert (read.enabled, read.state) == (known.enabled, expected)
        assert (await feed.fetch())[id_] == read


async def test_a_tunnel_can_be_toggled_before_the_first_list(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await provider.set_enabled(Tunnel, "5", enabled=True)
    assert hayfrp.state.tunnels["5"].enabled

    await provider.feeds["tunnels"].fetch()
    hayfrp.state.tunnels["6"] = replace(hayfrp.state.tunnels["5"], id="6")
    await provider.set_enabled(Tunnel, "6", enabled=False)
    assert not hayfrp.state.tunnels["6"].enabled


# Other commands


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("status", [403, 404])
async def test_a_daily_sign_in(session: ClientSession, seed: int, status: int) -> None:
    async with Simulator(services=("hayfrp",), seed=seed) as running:
        service = running.get(HayFrpService)
        service.state.settings.already_signed_status = status
        credentials = {"base_url": service.url, "username": "demo", "password": "demo-password"}
        provider = HayFrpProvider(session, credentials, {})

        result = await provider.sign_in()
        again = await provider.sign_in()

    account = service.account
    assert account.totaltraffic
    assert result == SignInResult(
        already=False,
        message=result.message,
        traffic=round(account.totaltraffic * GB),
        traffic_left=round(round(account.traffic / 1024, 2) * GB),
    )
    assert result.message.startswith("🎉签到成功")
    assert again == SignInResult(already=True, message="您今天已经签到过了,请明天再来吧.")


async def test_a_sign_in_without_a_result(hayfrp: HayFrpService, provider: HayFrpProvider) -> None:
    hayfrp.state.settings.sign_tells_flow = False

    result = await provider.sign_in()

    assert (result.already, result.traffic) == (False, None)
    assert result.traffic_left


async def test_reset_link_token_only_ends_the_session(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    await provider.feeds["account"].fetch()

    assert await provider.reset_token() == hayfrp.account.link_token
    hayfrp.calls.clear()

    await asyncio.gather(*(provider.feeds[key].fetch() for key in ("account", "tunnels")))
    assert len(hayfrp.calls_to("/user", type="login")) == 1
    assert hayfrp.calls[0].get("type") == "login", "the invalid csrf token is not sent"
    assert provider.credentials["token"] == hayfrp.account.csrf
    assert provider.issues() == ()


async def test_a_refused_password_is_not_sent_again(
    provider: HayFrpProvider, hayfrp: HayFrpService
) -> None:
    """The service may count failed logins; only the user can correct it."""
    hayfrp.account.password = "changed elsewhere"

    for _ in range(3):
        with pytest.raises(AuthenticationError, match="密码有误"):
            await provider.identify()

    assert len(hayfrp.calls_to("/user", type="login")) == 1


async def test_reset_link_token_without_a_password_requires_reauthentication(
    hayfrp: HayFrpService, session: ClientSession, csrf: str
) -> None:
    provider = pasted(hayfrp, session, csrf)

    assert await provider.reset_token() == hayfrp.account.link_token
    with pytest.raises(AuthenticationError):
        await provider.feeds["account"].fetch()


@pytest.mark.parametrize("style", ["source", "sources"])
async def test_downloads(hayfrp: HayFrpService, provider: HayFrpProvider, style: str) -> None:
    hayfrp.state.settings.downlist_style = style

    downloads = await provider.downloads()

    assert len(downloads) == 3
    assert downloads[1] == Download(
        name="Frpc Linux版",
        version="0.59.0",
        platform=None,
        architecture="linux_amd64",
        urls=("https://down.example.com/HayFrp/Releases/frpc_linux_amd64",),
    )


async def test_downloads_from_several_mirrors(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    """A file without an address is left out; one without a name uses its address."""
    body = {
        "status": 200,
        "source": [{"url": "https://a.example"}, {"url": ""}, {"url": "https://b.example/"}],
        "lists": [{"url": "frpc"}, {"name": "nothing"}],
    }
    hayfrp.fault("/downlist", "body", body=body)

    urls = ("https://a.example/frpc", "https://b.example/frpc")
    assert await provider.downloads() == (
        Download(name="frpc", version=None, platform=None, architecture=None, urls=urls),
    )


async def test_a_download_with_a_platform_and_a_full_url(
    hayfrp: HayFrpService, provider: HayFrpProvider
) -> None:
    hayfrp.state.settings.downlist_style = "platforms"

    downloads = await provider.downloads()

    assert downloads[1] == Download(
        name="Frpc Linux版",
        version="0.59.0",
        platform="linux",
        architecture="amd64",
        urls=("https://mirror.example.com/frp/frpc_linux_amd64",),
    )
    assert downloads[0].urls == ("https://down.example.com/HayFrp/Releases/hayfrps_linux_amd64",), (
        "of the mirrors"
    )


# Secrets


async def test_no_secret_is_logged_or_raised(
    hayfrp: HayFrpService, provider: HayFrpProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """With any command and any answer."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    secrets = {"demo-password", "new-password", "open-sesame", "demo@example.com"}

    async def attempt(call: Awaitable[object]) -> None:
        try:
            await call
        except TunnelHubError as err:
            said.append("".join(traceback.format_exception(err)) + repr(err))
        secrets.update(filter(None, (hayfrp.account.csrf, hayfrp.account.link_token)))

    async def everything() -> None:
        for feed in provider.feeds.values():
            await attempt(feed.fetch())
        await attempt(provider.create_tunnel(NEW))
        await attempt(provider.update_tunnel("1", NEW))
        await attempt(provider.set_enabled(Tunnel, "1", enabled=True))
        await attempt(provider.tunnel_config(tunnel_id="1", file_format="toml"))
        await attempt(provider.sign_in())
        await attempt(provider.reset_token())
        await attempt(provider.send_recovery_code("demo@example.com"))
        secrets.update(mail.code for mail in hayfrp.state.mailbox)
        for mail in list(hayfrp.state.mailbox):
            await attempt(provider.recover_password(mail.code, "new-password"))
        hayfrp.account.password = "demo-password"

    await everything()
    assert not said

    words = " ".join(secrets)
    for status in (403, 404, 500):
        body = {"status": status, "message": f"服务器异常 {words}"}
        hayfrp.fault("*", "body", after=1, times=None, body=body)
        await everything()
        hayfrp.clear_faults()
    hayfrp.fault("*", "html", times=None)
    await everything()

    assert len(said) > 40
    texts = "".join(said) + caplog.text
    assert "POST /user" in texts
    assert [secret for secret in secrets if secret in texts] == []
