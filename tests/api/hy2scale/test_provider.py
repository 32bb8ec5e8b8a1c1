"""What the provider makes of a node: secrets, problems, and what it shares between feeds."""

import asyncio
from collections.abc import Mapping

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider, upgrade
from custom_components.tunnel_hub.api.hy2scale.recent import Recent
from custom_components.tunnel_hub.api.mesh import Peer, Proxy, Rule, User
from custom_components.tunnel_hub.api.mesh_provider import RuleDraft, VpnServer, WireGuardPeerDraft
from custom_components.tunnel_hub.api.provider import AccountChanges, Credentials, Problem
from simulator.hy2scale import Hy2ScaleService, hashed


def test_only_the_hash_is_kept(session: ClientSession, credentials: Credentials) -> None:
    entered = {k: v for k, v in credentials.items() if k != "password_hash"}

    provider = Hy2ScaleProvider(session, {**entered, "password": "hub-password"}, {})

    assert provider.credentials == credentials


async def test_identity(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    assert (await provider.identify()).title == "sg-home"
    hy2scale.state.name = ""
    identity = await provider.identify()
    assert (identity.id, identity.title) == ("ea1b2adb", "ea1b2adb")
    hy2scale.state.node_id = ""
    with pytest.raises(UnavailableError):
        await provider.identify()


async def test_statistics(provider: Hy2ScaleProvider) -> None:
    await provider.identify()
    await provider.identify()

    assert provider.statistics() == {"requests": 3, "sign_ins": 1}


async def test_console(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    assert provider.console_url == f"{hy2scale.url}/scale/"


async def test_problems(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    assert list(provider.problems()) == []
    hy2scale.issue_certificate("short", days=3)
    await provider.feeds["certificates"].fetch()

    (problem,) = provider.problems()

    assert problem.key == "certificate_expiring"
    assert problem.placeholders["certificates"].startswith("short (")


async def test_a_new_password_is_stored(
    session: ClientSession, credentials: Credentials, hy2scale: Hy2ScaleService
) -> None:
    hy2scale.set_password("admin")
    provider = Hy2ScaleProvider(session, {**credentials, "password_hash": hashed("admin")}, {})
    await provider.identify()
    assert list(provider.problems()) == [Problem(key="default_password", fixable=True)]
    stored: list[Mapping[str, str]] = []

    async def _store(credentials: Credentials) -> None:
        stored.append(credentials)

    provider.on_credentials = _store
    await provider.update_account(AccountChanges(username="root", password="new"))

    assert [s["password_hash"] for s in stored] == [hashed("new")]
    assert list(provider.problems()) == []
    await provider.identify()
    assert hy2scale.state.username == "root"


async def test_one_reading_for_all_that_need_it(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    await asyncio.gather(*(feed.fetch() for feed in provider.feeds.values()))

    for route in ("/api/topology", "/api/users", "/api/sessions", "/api/wireguard"):
        assert len(hy2scale.calls_to(route)) == 1, route


async def test_a_write_makes_forget(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    await provider.feeds["links"].fetch()

    await provider.set_peer_nested("jp", nested=True)

    links = await provider.feeds["links"].fetch()
    link = links["jp"]
    assert isinstance(link, Peer)
    assert link.nested is True


async def test_what_was_read_before_a_write_is_not_kept() -> None:
    """A reading that was under way when something was written."""
    answers = iter("abc")
    gate = asyncio.Event()

    async def _read() -> str:
        await gate.wait()
        return next(answers)

    recent = Recent(_read)
    reading = asyncio.create_task(recent.get(60))
    await asyncio.sleep(0)
    recent.forget()
    gate.set()

    assert await reading == "a"
    assert await recent.get(60) == "b"
    assert await recent.get(60) == "b"


async def test_a_write_that_changes_nothing(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    """The node says yes, and does something else."""
    for route in ("/api/rules/{id}/toggle", "/api/rules/{id}", "/api/peers/{name}/nested"):
        hy2scale.fault(route, "body", body={"status": "ok"}, times=None)

    for command in (
        provider.set_enabled(Rule, "video", enabled=False),
        provider.update("video", RuleDraft(name="Other")),
        provider.set_peer_nested("us", nested=False),
        provider.delete(Rule, "video"),
    ):
        with pytest.raises(InvalidInputError) as info:
            await command
        assert info.value.key == "not_taken"


async def test_servers_and_exit_that_do_not_change(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    for route in ("/api/node", "/api/l2tp", "/api/wireguard"):
        hy2scale.fault(route, "body", body={"enabled": True, "exit_node": True}, times=None)

    for command in (
        provider.set_exit_node(enabled=False),
        provider.set_server_enabled(VpnServer.L2TP, enabled=False),
        provider.set_server_enabled(VpnServer.WIREGUARD, enabled=False),
    ):
        with pytest.raises(InvalidInputError) as info:
            await command
        assert info.value.key == "not_taken"


async def test_a_session_that_ended_by_itself(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    alice = next(u for u in hy2scale.state.users.values() if u.username == "alice")
    hy2scale.fault("/api/sessions/{id}", "status", status=404, body="session not found")

    kick = await provider.kick_sessions(alice.id)

    assert len(kick.keys) == 2
    assert len(hy2scale.state.locked) == 1


async def test_kick_a_user_who_is_gone(provider: Hy2ScaleProvider) -> None:
    with pytest.raises(InvalidInputError) as info:
        await provider.kick_sessions("nobody")
    assert info.value.key == "unknown_resource"


async def test_force_offline_of_a_disabled_connection(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    """There is nothing to drop, and it stays disabled."""
    await provider.force_tunnel_offline("de")

    assert hy2scale.state.clients["de"].disabled
    assert not hy2scale.calls_to("/api/clients/{name}/disable")


async def test_exits(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    """Not the disabled ones, not one that is no exit; a plain server is one."""
    hy2scale.state.peers["us/us-r1"].exit_node = False
    hy2scale.state.peers["kr"].exit_node = False

    users = await provider.feeds["users"].fetch()

    user = next(iter(users.values()))
    assert isinstance(user, User)
    assert user.exits == ("jp", "kr", "office", "sg", "us", "us/us-r1/us-r1-r1")


async def test_two_changes_at_once(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    """Each replaces the whole row; neither undoes the other."""
    hy2scale.fault("/api/proxies/{id}", "delay", seconds=0.05, times=None)

    await asyncio.gather(
        provider.set_enabled(Proxy, "http", enabled=True),
        provider.select_exit(Proxy, "http", "us"),
    )

    proxy = hy2scale.state.proxies["http"]
    assert (proxy.enabled, proxy.exit_via) == (True, "us")


async def test_a_wireguard_peer_with_keys_of_its_own(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    await provider.create(WireGuardPeerDraft(name="x", address="10.0.0.9/32", public_key="public"))

    assert hy2scale.state.wireguard.peers[-1].public_key == "public"
    assert not hy2scale.calls_to("/api/wireguard/generate-key")


async def test_a_node_without_vpn(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.settings.missing_routes = ["/api/l2tp", "/api/ikev2"]

    assert await provider.feeds["vpn"].fetch() == {}


# Upgrades


@pytest.fixture
def _time_passes(monkeypatch: pytest.MonkeyPatch, hy2scale: Hy2ScaleService) -> None:
    async def _sleep(seconds: float) -> None:
        hy2scale.advance(seconds)

    monkeypatch.setattr(upgrade, "sleep", _sleep)


@pytest.mark.usefixtures("_time_passes")
async def test_an_upgrade(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    steps: list[float | None] = []

    await provider.install_upgrade(steps.append)

    assert hy2scale.state.version == "1.3.5"
    assert steps[0] == 0
    assert steps[-1] is None
    assert steps[:-1] == sorted(step for step in steps if step is not None)


@pytest.mark.usefixtures("_time_passes")
async def test_an_upgrade_that_was_ready(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    """It is not fetched again."""
    hy2scale.state.upgrade.state, hy2scale.state.upgrade.latest = "ready", "1.3.5"

    await provider.install_upgrade(lambda _: None)

    assert hy2scale.state.version == "1.3.5"
    assert not hy2scale.calls_to("/api/upgrade/download")


@pytest.mark.usefixtures("_time_passes")
async def test_a_download_that_fails(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    hy2scale.fault(
        "/api/upgrade/status",
        "body",
        body={"state": "error", "error": "disk full"},
        times=None,
        after=1,
    )

    with pytest.raises(RejectedError, match="disk full"):
        await provider.install_upgrade(lambda _: None)


@pytest.mark.usefixtures("_time_passes")
async def test_a_node_that_does_not_come_back(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    hy2scale.state.upgrade.state, hy2scale.state.upgrade.latest = "ready", "1.3.5"
    hy2scale.fault("/api/node", "status", status=502, times=None)

    with pytest.raises(UnavailableError) as info:
        await provider.install_upgrade(lambda _: None)

    assert info.value.detail == "restart"
