"""Tests that diagnostics contain no private data."""

from homeassistant.components.diagnostics import REDACTED
from syrupy.assertion import SnapshotAssertion

from custom_components.tunnel_hub.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)

from .common import MINUTE, SMALL, World

PRIVATE = ("demo", "127.0.0.1", "192.168.1.20", "example.com", "13800000000")


@SMALL
async def test_of_an_account(world: World, snapshot: SnapshotAssertion) -> None:
    await world.set_up(nodes="all", sign_in_daily=False)

    diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)

    assert diagnostics == snapshot
    assert not [word for word in (*PRIVATE, world.entry.data["token"]) if word in str(diagnostics)]


async def test_of_an_account_while_the_service_fails(world: World) -> None:
    await world.set_up()
    await world.contest()
    world.service.fault("/nodes", "html", times=None)
    await world.live(5 * MINUTE)

    diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)

    assert diagnostics["problems"] == ["session_contested"]
    assert diagnostics["feeds"]["nodes"]["last_error"]
    assert diagnostics["feeds"]["nodes"]["available"] is True, "one failure is tolerated"
    assert "unavailable_contested" in diagnostics["feeds"]["tunnels"]["last_error"]
    assert diagnostics["feeds"]["service"]["last_error"] is None


async def test_of_a_device(world: World) -> None:
    await world.set_up()
    cases: tuple[tuple[str, set[str], set[str]], ...] = (
        ("account:account", {"account", "account_forecast"}, {"name"}),
        (
            "tunnel:1",
            {"tunnels", "checks"},
            {"name", "node_name", "local_address", "public_address"},
        ),
        ("node:1", {"nodes"}, {"description"}),
        ("service:service", {"service", "release", "notice"}, {"text"}),
    )

    for thing, feeds, redacted in cases:
        device = world.device(thing)
        assert device

        diagnostics = await async_get_device_diagnostics(world.hass, world.entry, device)

        assert diagnostics.keys() == feeds
        assert {
            key for feed in diagnostics.values() for key, value in feed.items() if value == REDACTED
        } == redacted
