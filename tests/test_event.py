"""Tests event entities: notices and sign-ins."""

import pytest
from pytest_homeassistant_custom_component.common import async_mock_restore_state_shutdown_restart

from custom_components.tunnel_hub.event import PUBLISHED

from .common import HOUR, World


async def test_a_notice_fires_once(world: World) -> None:
    world.service.state.notice = "<p>Old</p>"
    await world.set_up()
    first = world.state("event", "notice:service", "notice")
    assert first.attributes["event_type"] == PUBLISHED
    assert first.attributes["text"] == "Old"

    await world.live(2 * HOUR, HOUR)
    assert world.state("event", "notice:service", "notice").state == first.state

    world.service.state.notice = "<p>New</p>"
    await world.elapse(HOUR)
    second = world.state("event", "notice:service", "notice")
    assert second.state > first.state
    assert second.attributes["text"] == "New"


async def test_a_notice_that_alternates_fires_once(world: World) -> None:
    """Two mirrors of the service answer alternately, one of them with old data."""
    await world.set_up()
    texts = []
    for notice in ("<p>Old</p>", "<p>New</p>", "<p>Old</p>", "<p>New</p>", "<p>Newest</p>"):
        world.service.state.notice = notice
        before = world.value("event", "notice:service", "notice")
        await world.elapse(HOUR)
        if world.value("event", "notice:service", "notice") != before:
            texts.append(world.state("event", "notice:service", "notice").attributes["text"])

    assert texts == ["Old", "New", "Newest"]


async def test_notices_are_stored_over_restarts(world: World) -> None:
    world.service.state.notice = "<p>Old</p>"
    await world.set_up()
    world.service.state.notice = "<p>New</p>"
    await world.elapse(HOUR)
    before = world.state("event", "notice:service", "notice")
    assert before.attributes["text"] == "New"
    await async_mock_restore_state_shutdown_restart(world.hass)

    world.service.state.notice = "<p>Old</p>"
    await world.restart()

    assert world.state("event", "notice:service", "notice").state == before.state


@pytest.mark.parametrize("now, again", [("<p>Old</p>", False), ("<p>New</p>", True)])
async def test_a_restart_fires_no_notice_again(world: World, now: str, again: bool) -> None:
    world.service.state.notice = "<p>Old</p>"
    await world.set_up()
    before = world.value("event", "notice:service", "notice")
    await async_mock_restore_state_shutdown_restart(world.hass)

    world.service.state.notice = now
    world.freezer.tick(HOUR)
    await world.restart()

    assert (world.value("event", "notice:service", "notice") != before) is again


async def test_an_empty_notice_fires_no_event(world: World) -> None:
    world.service.state.notice = "<p> </p>"

    await world.set_up()

    assert world.value("event", "notice:service", "notice") == "unknown"


async def test_a_long_notice_fits_the_recorder(world: World) -> None:
    world.service.state.notice = f"<p>{'长' * 20_000}</p>"

    await world.set_up()

    text = world.state("event", "notice:service", "notice").attributes["text"]
    assert text == "长" * 3500
    assert len(text.encode()) < 16 * 1024


async def test_sign_ins(world: World) -> None:
    await world.set_up()
    assert world.value("event", "account:account", "sign_in") == "unknown"

    await world.act("button", "press", "account:account", "sign_in")
    state = world.state("event", "account:account", "sign_in")
    assert state.attributes["event_type"] == "signed_in"
    assert state.attributes["traffic"] > 0
    assert state.attributes["traffic_left"] > 50 * 1024**3
    assert "签到成功" in state.attributes["message"]

    await world.act("button", "press", "account:account", "sign_in")
    state = world.state("event", "account:account", "sign_in")
    assert state.attributes["event_type"] == "already_signed_in"
    assert "traffic" not in state.attributes
