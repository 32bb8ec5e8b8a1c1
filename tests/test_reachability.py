"""Tests whether tunnels can be reached. They listen on local ports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from datetime import timedelta
import socket
from typing import Any

from homeassistant.components import network
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_socket import socket_allow_hosts

from custom_components.tunnel_hub import reachability
from custom_components.tunnel_hub.checks.addresses import SocketAddress, resolve
from custom_components.tunnel_hub.checks.certificates import TlsContexts
from custom_components.tunnel_hub.reachability import UPTIMES

from .automations import armed, asked, of
from .checks.rows import FRP_PAGE, OK
from .checks.servers import (
    Authorities,
    Incoming,
    Listener,
    http_handler,
    listening,
    refusing,
    sends_banner,
)
from .common import DAY, MINUTE, SMALL, World, look_up, on

pytestmark = SMALL

FRP_404 = b"HTTP/1.1 404 Not Found\r\n\r\n"
"""The head of the page that a node sends for an offline tunnel."""

CHECK = "check:1"
"""The results for the tunnel with the id 1."""

type Open = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def listen(world: World) -> AsyncIterator[Open]:
    """Let a tunnel of the world listen; return it."""
    async with AsyncExitStack() as stack:

        async def _listen(
            server: AbstractAsyncContextManager[Listener],
            protocol: str = "tcp",
            tunnel_id: str = "1",
        ) -> Listener:
            listener = await stack.enter_async_context(server)
            tunnel = world.service.state.tunnels[tunnel_id]
            world.service.state.nodes[tunnel.node].domain = "127.0.0.1"
            tunnel.proxy_type = protocol
            tunnel.remote_port = listener.port if protocol == "tcp" else None
            tunnel.domain = "" if protocol == "tcp" else f"127.0.0.1:{listener.port}"
            return listener

        yield _listen


def found(world: World, *keys: str) -> tuple[str, ...]:
    """Return the results of the checks of tunnel 1."""
    binary = {"reachable", "certificate_trusted"}
    return tuple(
        world.value("binary_sensor" if key in binary else "sensor", CHECK, key) for key in keys
    )


async def next_check(world: World) -> None:
    """Let time pass until the next check."""
    await world.live(6 * MINUTE)


async def test_a_tcp_tunnel(world: World, listen: Open) -> None:
    server = await listen(listening(sends_banner(b"SSH-2.0-OpenSSH\r\n")))
    await world.set_up()

    assert found(world, "reachable", "verdict", "availability") == ("on", "reachable", "100")
    assert float(*found(world, "response_time")) >= 0
    assert dt_util.parse_datetime(*found(world, "last_check")) == dt_util.utcnow()
    # Neither a certificate nor a status is shown.
    shown = {entity.unique_id.rpartition(":")[2] for entity in world.registered(CHECK)}
    assert shown == {
        "reachable",
        "verdict",
        "availability",
        "response_time",
        "last_check",
        *UPTIMES,
    }
    assert server.port


async def test_an_http_tunnel(world: World, listen: Open) -> None:
    server = await listen(listening(http_handler(b"HTTP/1.1 302 Found\r\n\r\n")), "http")
    await world.set_up()
    assert found(world, "reachable", "http_status") == ("on", "302")
    assert [request.split(b" ")[0] for request in server.requests] == [b"HEAD"]


async def test_an_https_tunnel_with_a_certificate_of_its_own(world: World, listen: Open) -> None:
    certificate = Authorities().certificate(issuer=None, days=90)
    await listen(listening(http_handler(OK), certificate=certificate), "https")
    await world.set_up()
    assert found(world, "reachable", "certificate_trusted", "http_status") == ("on", "off", "200")
    state = world.state("binary_sensor", CHECK, "certificate_trusted")
    assert state.attributes["reason"] == "self_signed"
    expires = dt_util.parse_datetime(*found(world, "certificate_expires"))
    assert expires
    assert expires - dt_util.utcnow() == timedelta(days=89)


async def test_down_and_up_again(world: World, listen: Open) -> None:
    """A change is shown when two checks agree."""
    answering = listening(http_handler(OK))
    port = (await answering.__aenter__()).port
    tunnel = world.service.state.tunnels["1"]
    world.service.state.nodes[tunnel.node].domain = "127.0.0.1"
    tunnel.proxy_type, tunnel.domain = "http", f"127.0.0.1:{port}"
    await world.set_up()
    await answering.__aexit__(None, None, None)

    await next_check(world)
    assert found(world, "reachable", "verdict") == ("on", "reachable")
    await next_check(world)
    assert found(world, "reachable", "verdict", "availability") == ("off", "port_closed", "0")
    assert found(world, "response_time", "http_status") == ("unknown", "unknown")

    async with listening(http_handler(OK), port=port):
        await next_check(world)
        assert found(world, "reachable", "verdict") == ("off", "port_closed")
        await next_check(world)
        assert found(world, "reachable", "verdict") == ("on", "reachable")


async def test_checks_respect_the_interval(world: World, listen: Open) -> None:
    """It does not depend on how often Home Assistant is asked to update an entity."""
    server = await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    for _ in range(5):
        await async_update_entity(world.hass, world.entity_id("sensor", CHECK, "verdict"))
        await world.elapse(30)
    assert len(server.requests) == 1
    await next_check(world)
    assert len(server.requests) == 2


async def test_moving_a_tunnel_checks_no_other_ports(world: World, listen: Open) -> None:
    """The last port is checked soon, but not immediately. Ports in between are not checked."""
    servers = [await listen(listening(http_handler(OK)), "http") for _ in range(4)]
    await world.set_up()
    tunnels = world.entry.runtime_data.coordinators["tunnels"]
    for server in servers:
        world.service.state.tunnels["1"].domain = f"127.0.0.1:{server.port}"
        await tunnels.async_refresh()
        await world.elapse(2)
    assert [len(server.requests) for server in servers] == [0, 0, 0, 1]
    await world.elapse(11)
    await world.elapse(2)
    assert [len(server.requests) for server in servers] == [0, 0, 0, 2]


async def test_without_internet_the_result_is_unknown(world: World) -> None:
    """Names cannot be resolved here, and neither can the unrelated hosts."""
    await world.set_up()
    assert found(world, "reachable", "verdict", "availability") == ("unknown",) * 3
    await next_check(world)
    assert found(world, "reachable", "verdict", "availability") == ("unknown",) * 3


@pytest.mark.parametrize(
    "body, running, verdict",
    [
        (FRP_PAGE, True, "no_local_service"),
        (FRP_PAGE, False, "no_client"),
    ],
)
async def test_the_node_answers_for_an_offline_tunnel(
    world: World, listen: Open, body: bytes, running: bool, verdict: str
) -> None:
    await listen(listening(http_handler(FRP_404, body=body)), "http")
    world.service.state.tunnels["1"].client_running = running
    await world.set_up()
    await next_check(world)
    assert found(world, "reachable", "verdict") == ("off", verdict)


async def test_the_node_is_down(world: World, listen: Open) -> None:
    await listen(refusing())
    world.service.state.nodes[world.service.state.tunnels["1"].node].online = False
    await world.set_up()
    await next_check(world)
    assert found(world, "reachable", "verdict") == ("off", "node_down")


async def test_a_new_address_is_checked_immediately(world: World, listen: Open) -> None:
    await listen(refusing())
    await world.set_up()
    await next_check(world)
    assert found(world, "reachable") == ("off",)

    await listen(listening(sends_banner(b"hello")))
    await world.elapse(MINUTE)
    await world.elapse(MINUTE)
    assert found(world, "reachable", "verdict") == ("on", "reachable")


# Which tunnels are checked


@pytest.mark.parametrize("chosen, checked", [("enabled", False), ("all", True)])
async def test_a_disabled_tunnel(world: World, listen: Open, chosen: str, checked: bool) -> None:
    server = await listen(listening(http_handler(OK)), "http")
    world.service.state.tunnels["1"].enabled = False
    await world.set_up(checks=chosen)
    assert bool(server.requests) is checked
    assert found(world, "reachable") == (("on",) if checked else ("unknown",))


async def test_a_result_for_an_old_address_is_not_shown(world: World, listen: Open) -> None:
    server = await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    await world.elapse(MINUTE)
    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    assert found(world, "reachable", "verdict", "last_check") == ("unknown",) * 3
    assert len(server.requests) == 1

    await world.act("switch", "turn_on", "tunnel:1", "enabled")
    await world.elapse(2)
    assert found(world, "reachable", "verdict") == ("on", "reachable")
    assert len(server.requests) == 2

    # At most once a minute, however often it changes.
    for _ in range(5):
        tunnel.enabled = not tunnel.enabled
        await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
        await world.elapse(2)
    tunnel.enabled = True
    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    await world.elapse(2)
    assert len(server.requests) == 2
    assert found(world, "verdict") == ("unknown",)
    await world.elapse(MINUTE)
    assert len(server.requests) == 3
    assert found(world, "reachable", "verdict") == ("on", "reachable")


async def test_no_checks(world: World, listen: Open) -> None:
    server = await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    assert world.registered(CHECK)
    world.hass.config_entries.async_update_entry(world.entry, options={"checks": "off"})
    await world.restart()
    assert not world.registered("check:")
    assert len(server.requests) == 1
    # The action still returns a result.
    response = await on(world, "tunnel:1", "check_reachability")
    assert response["verdict"] == "reachable"


@pytest.mark.parametrize("protocol", ["udp", "stcp", "xtcp"])
async def test_addresses_that_cannot_be_checked(world: World, protocol: str) -> None:
    world.service.state.tunnels["1"].proxy_type = protocol
    await world.set_up()
    assert not world.registered(CHECK)
    response = await on(world, "tunnel:1", "check_reachability")
    assert response == {"verdict": "not_checkable", "reason": "protocol"}


async def test_local_addresses_are_not_checked_for_a_public_service(
    world: World, listen: Open
) -> None:
    """A public service may not cause checks of local addresses."""
    server = await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    checks = world.entry.runtime_data.checks
    assert len(server.requests) == 1
    data = {key: value for key, value in world.entry.data.items() if key != "base_url"}
    world.hass.config_entries.async_update_entry(world.entry, data=data)
    public = reachability.TunnelChecks(
        world.hass,
        world.entry,
        world.entry.runtime_data.provider,
        world.entry.runtime_data.coordinators["tunnels"],
    )
    await world.elapse(11)
    checked = await public.async_check("1")
    assert checks
    assert isinstance(checked, tuple)
    assert checked[1].verdict == "not_checkable"
    assert len(server.requests) == 1


# The action


async def test_action(world: World, listen: Open) -> None:
    server = await listen(listening(http_handler(OK, head=b"HTTP/1.1 500 No\r\n\r\n")), "http")
    await world.set_up()
    await world.elapse(MINUTE)
    asked = len(server.requests)
    response = await on(world, "tunnel:1", "check_reachability")
    assert response.pop("response_time") >= 0
    assert response == {
        "verdict": "reachable",
        "reachable": True,
        "contradicts_service": False,
        "http_status": 200,
    }
    assert len(server.requests) == asked + 2


async def test_the_result_is_newer_than_the_call(world: World, listen: Open) -> None:
    """Calls within ten seconds of a check share the next check."""
    async with AsyncExitStack() as until_kicked:
        server = await until_kicked.enter_async_context(listening(http_handler(OK)))
        await listen(nullcontext(server), "http")
        await world.set_up()
    await world.elapse(3)
    await world.act("button", "press", "tunnel:1", "force_offline")
    node = await listen(listening(http_handler(FRP_404, body=FRP_PAGE), port=server.port), "http")

    asking = [asyncio.create_task(on(world, "tunnel:1", "check_reachability")) for _ in range(2)]
    await world.elapse(6)
    assert (node.requests, [task.done() for task in asking]) == ([], [False, False])
    await world.elapse(2)
    for response in await asyncio.gather(*asking):
        assert (response["verdict"], response["reachable"]) == ("no_client", False)
    assert len(node.requests) == 4, "HEAD and GET of one check and its retry"


async def test_a_running_check_does_not_answer_a_later_call(world: World, listen: Open) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def _slowly(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await go_on.wait()
        await http_handler(OK)(reader, writer)

    go_on.set()
    server = await listen(listening(_slowly), "http")
    await world.set_up()
    await world.elapse(MINUTE)
    begun.clear()
    go_on.clear()
    early = asyncio.create_task(on(world, "tunnel:1", "check_reachability"))
    await begun.wait()
    world.freezer.tick(1)
    late = asyncio.create_task(on(world, "tunnel:1", "check_reachability"))
    go_on.set()
    await early
    assert (len(server.requests), late.done()) == (2, False)

    await world.elapse(11)
    await late
    assert len(server.requests) == 3


async def test_an_address_that_changes_during_a_call(world: World, listen: Open) -> None:
    first = await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    await world.elapse(3)
    asking = asyncio.create_task(on(world, "tunnel:1", "check_reachability"))
    second = await listen(listening(http_handler(OK)), "http")
    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    await world.elapse(11)
    assert (await asking)["reachable"] is True
    assert len(second.requests) == 1
    assert len(first.requests) == 1


async def test_the_service_contradicts_the_check(world: World, listen: Open) -> None:
    await listen(refusing())
    await world.set_up()
    response = await on(world, "tunnel:1", "check_reachability")
    assert (response["verdict"], response["contradicts_service"]) == ("port_closed", True)


async def test_a_deleted_tunnel(world: World) -> None:
    await world.set_up()
    checks = world.entry.runtime_data.checks
    del world.service.state.tunnels["1"]
    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    with pytest.raises(HomeAssistantError):
        await on(world, "tunnel:1", "check_reachability")
    assert checks


# Certificates that expire


def _trusting(authorities: Authorities) -> Callable[[], Any]:
    contexts: TlsContexts = authorities.contexts()
    return lambda: contexts.trusting


@pytest.mark.parametrize("age, ends_soon", [(60, False), (80, True)])
async def test_a_certificate_that_expires(
    world: World,
    listen: Open,
    monkeypatch: pytest.MonkeyPatch,
    age: float,
    ends_soon: bool,
) -> None:
    authorities = Authorities()
    monkeypatch.setattr(reachability, "get_default_context", _trusting(authorities))
    certificate = authorities.certificate(issuer=authorities.trusted, start=-age * DAY, days=90)
    server = await listen(listening(http_handler(OK), certificate=certificate), "https")
    await world.set_up()
    await next_check(world)
    issue = world.issue("tunnel_certificate_ending")
    assert bool(issue) is ends_soon
    if issue:
        assert issue.translation_placeholders
        assert f"127.0.0.1:{server.port}" in issue.translation_placeholders["certificates"]


# Automations


async def test_triggers_and_condition(world: World, listen: Open) -> None:
    running = AsyncExitStack()
    server = await running.enter_async_context(listening(http_handler(OK)))
    await listen(nullcontext(server), "http")
    await world.set_up()
    reachable = world.entity_id("binary_sensor", CHECK, "reachable")
    gone = await armed(world.hass, "became_unreachable", of(world, "tunnel:1"))
    lasting = await armed(
        world.hass, "became_unreachable", of(world, "tunnel:1"), **{"for": {"minutes": 20}}
    )
    back = await armed(world.hass, "became_reachable", of(world, "tunnel:1"))
    is_reachable = await asked(world.hass, "is_reachable", of(world, "tunnel:1"))
    assert is_reachable.async_check() is True

    await running.aclose()
    await world.live(12 * MINUTE)
    assert (gone, lasting, back) == ([reachable], [], [])
    assert is_reachable.async_check() is False
    await world.live(20 * MINUTE)
    assert (gone, lasting, back) == ([reachable], [reachable], [])

    await listen(listening(http_handler(OK), port=server.port), "http")
    await world.live(12 * MINUTE)
    assert back == [reachable]
    is_reachable.async_unload()


async def test_the_address_changes(world: World) -> None:
    """It is also noticed after the address was unknown, but the first one is not a change."""
    await world.set_up()
    changed = await armed(world.hass, "address_changed", of(world, "tunnel:1"))
    address = world.entity_id("sensor", "tunnel:1", "public_address")
    tunnel = world.service.state.tunnels["1"]
    await world.live(2 * MINUTE)
    assert changed == []

    tunnel.remote_port = 40_000
    await world.elapse(MINUTE)
    assert changed == [address]

    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)
    await world.live(5 * MINUTE)
    assert world.value("sensor", "tunnel:1", "public_address") == "unavailable"
    world.service.clear_faults()
    await world.live(2 * MINUTE)
    assert changed == [address]

    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)
    await world.live(5 * MINUTE)
    tunnel.remote_port = 40_001
    world.service.clear_faults()
    await world.live(2 * MINUTE)
    assert changed == [address, address]


async def test_without_the_recorder_there_is_no_history(world: World, listen: Open) -> None:
    await listen(listening(http_handler(OK)), "http")
    await world.set_up()
    await next_check(world)
    assert found(world, "uptime_24_hours", "uptime_7_days", "uptime_30_days") == ("unknown",) * 3


# The local service


def _own_address() -> str | None:
    """Return an address of this machine on a network, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            # No packet is sent.
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(sock.getsockname()[0])


@pytest.mark.parametrize("listens, verdict", [(True, "port_closed"), (False, "no_local_service")])
async def test_the_local_service_is_checked(
    world: World,
    listen: Open,
    monkeypatch: pytest.MonkeyPatch,
    listens: bool,
    verdict: str,
) -> None:
    """The first broken link is the nearest one, even if the service says the client is online."""
    socket_allow_hosts(["127.0.0.1", "192.0.2.1"])
    if (address := _own_address()) is None:
        pytest.skip("NOT RUN: this machine is on no network")
    socket_allow_hosts(["127.0.0.1", address])

    async def _look_up(host: str, port: int) -> Sequence[SocketAddress]:
        return await (resolve if host == address else look_up)(host, port)

    async def _adapters(_: HomeAssistant) -> list[dict[str, Any]]:
        """Return the network of this machine instead of a simulated one."""
        ipv4 = [{"address": address, "network_prefix": 24}]
        return [{"enabled": True, "ipv4": ipv4, "ipv6": []}]

    monkeypatch.setattr(network, "async_get_adapters", _adapters)
    monkeypatch.setattr(reachability, "resolve", _look_up)
    await listen(refusing())
    async with AsyncExitStack() as stack:
        local = await stack.enter_async_context(listening(sends_banner(b"hello"), host=address))
        tunnel = world.service.state.tunnels["1"]
        tunnel.local_ip, tunnel.local_port = address, local.port
        if not listens:
            await stack.aclose()
        await world.set_up()
        await next_check(world)
        assert found(world, "reachable", "verdict") == ("off", verdict)


async def test_a_local_address_on_another_network_is_not_checked(
    world: World, listen: Open
) -> None:
    """It is on no network of Home Assistant, so its state is unknown."""
    await listen(refusing())
    tunnel = world.service.state.tunnels["1"]
    tunnel.local_ip, tunnel.local_port = "198.51.100.7", 80
    await world.set_up()
    await next_check(world)
    assert found(world, "reachable", "verdict") == ("off", "port_closed")
