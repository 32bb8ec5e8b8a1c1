"""Tests that single-use tokens survive a power cut, a new sign-in and a damaged file."""

import asyncio
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import ChmlFrpService

from ..api.event_loop import run_pending
from ..common import HOUR, World
from ..sampling import EXTENDED
from ..test_config_flow import choose
from .common import grant
from .test_config_flow import Browser, browser, fill

pytestmark = pytest.mark.platforms("binary_sensor")

__all__ = ["browser"]

ENTRY = "entry-by-browser"
FILE = f"{DOMAIN}.{ENTRY}.credentials"

type Stored = dict[str, Any]


@pytest.fixture
def signed_in(chmlfrp: ChmlFrpService) -> MockConfigEntry:
    """Return the config entry of an account that was just signed in with a browser."""
    urls = {"base_url": chmlfrp.url, "oauth_url": chmlfrp.oauth_url}
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=ENTRY,
        title="ChmlFrp demo",
        unique_id=f"chmlfrp:{chmlfrp.account.id}",
        data={"provider": "chmlfrp", **urls, **grant(chmlfrp)},
    )


async def cut_power(world: World[ChmlFrpService], entry_on_disk: Mapping[str, str]) -> None:
    """Start again from the disk: the stored files, and an entry that may be older."""
    if world.entry_state() is ConfigEntryState.LOADED:
        assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    world.hass.config_entries.async_update_entry(world.entry, data=entry_on_disk)
    world.hass.config_entries.async_update_entry(world.entry, options={})
    await world.set_up()


def is_signed_in(world: World[ChmlFrpService], grant: str = "g") -> bool:
    """Return whether the tokens of a grant work and are stored in the entry."""
    held, alive = world.entry.data, world.service.state.grants[grant]
    return (
        world.entry_state() is ConfigEntryState.LOADED
        and not list(world.entry.async_get_active_flows(world.hass, {SOURCE_REAUTH}))
        and (held["access_token"], held["refresh_token"])
        == (alive.access_token, alive.refresh_token)
    )


async def test_tokens_are_stored_before_they_are_used(
    world: World[ChmlFrpService], hass_storage: Stored
) -> None:
    await world.set_up()
    assert FILE not in hass_storage, "the entry holds all tokens"
    gate = world.service.gate("/userinfo")

    world.freezer.tick(HOUR)
    async_fire_time_changed(world.hass)
    await gate.reached()

    grant = world.service.state.grants["g"]
    assert grant.refreshes == 1
    written = hass_storage[FILE]["data"]["credentials"]
    assert written["refresh_token"] == grant.refresh_token
    assert written["access_token"] == grant.access_token
    gate.open()
    await world.settle()
    assert is_signed_in(world)


@pytest.mark.parametrize("refreshes", [1, 2, pytest.param(40, marks=EXTENDED)])
async def test_tokens_survive_an_outdated_entry(
    world: World[ChmlFrpService], refreshes: int
) -> None:
    """Home Assistant was killed within a second, or an old copy of the entry was restored."""
    before = dict(world.entry.data)
    await world.set_up()
    for _ in range(refreshes):
        await world.elapse(HOUR)
    assert world.service.state.grants["g"].refreshes == refreshes

    for _ in range(2):
        await cut_power(world, before)
        assert is_signed_in(world)
        await world.elapse(HOUR)
        assert is_signed_in(world)

    tokens = [
        call.get("refresh_token")
        for call in world.service.calls_to("/oauth2/token", grant_type="refresh_token")
    ]
    assert len(set(tokens)) == len(tokens), "no token was used twice"


async def sign_in_again(world: World[ChmlFrpService], person: Browser, source: str) -> None:
    """Sign in with a browser again."""
    flow = await (
        world.entry.start_reauth_flow(world.hass)
        if source == "reauth"
        else world.entry.start_reconfigure_flow(world.hass)
    )
    form = await choose(world.hass, flow, "chmlfrp_device")
    progress = await fill(world.hass, form, world.service, client_id="demo-client")
    result = await person.decide(progress)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == f"{'reauth' if source == 'reauth' else 'reconfigure'}_successful"
    await world.settle()


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_a_new_sign_in_replaces_the_file(
    world: World[ChmlFrpService], browser: Browser, source: str
) -> None:
    """The previous file is not used, even after a power cut right after the new sign-in."""
    await world.set_up()
    await world.elapse(HOUR)
    before = dict(world.entry.data)

    await sign_in_again(world, browser, source)

    (newer,) = (name for name in world.service.state.grants if name != "g")
    assert is_signed_in(world, newer)
    await cut_power(world, before)
    assert is_signed_in(world, newer)
    await world.elapse(HOUR)
    assert is_signed_in(world, newer)


async def test_a_pending_refresh_does_not_replace_a_new_sign_in(
    world: World[ChmlFrpService], browser: Browser, hass_storage: Stored
) -> None:
    """Its answer arrives after the user has signed in again."""
    await world.set_up()
    gate = world.service.gate("/oauth2/token", "after", match={"refresh_token": "refresh-0"})
    world.freezer.tick(HOUR)
    async_fire_time_changed(world.hass)
    await gate.reached()
    flow = await world.entry.start_reconfigure_flow(world.hass)
    form = await choose(world.hass, flow, "chmlfrp_device")
    addresses = {"base_url": world.service.url, "oauth_url": world.service.oauth_url}
    await world.hass.config_entries.flow.async_configure(
        form["flow_id"], {"client_id": "demo-client", "advanced": addresses}
    )
    (user_code,) = world.service.state.device_codes
    world.service.approve(user_code)
    browser.decided.set()
    await world.until(lambda: len(world.service.state.grants) == 2)
    result = form
    while result["type"] in (FlowResultType.FORM, FlowResultType.SHOW_PROGRESS):
        await asyncio.sleep(0)
        result = await world.hass.config_entries.flow.async_configure(form["flow_id"])
        assert not result.get("errors")
    assert result["reason"] == "reconfigure_successful"

    gate.open()
    await run_pending(2000)
    await world.settle()

    (newer,) = (name for name in world.service.state.grants if name != "g")
    assert is_signed_in(world, newer)
    assert FILE not in hass_storage, "the entry itself holds the new one"


async def test_tokens_that_a_user_stores_in_the_entry_are_used(
    world: World[ChmlFrpService],
) -> None:
    """Unless they were used before."""
    await world.set_up()
    await world.elapse(HOUR)
    grant(world.service, "by-hand", key="other")

    await cut_power(
        world,
        {
            **world.entry.data,
            "access_token": "access-by-hand",
            "refresh_token": "refresh-by-hand",
        },
    )

    assert is_signed_in(world, "other")


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"credentials": None, "replaced": []},
        {"credentials": {}, "replaced": []},
        {"credentials": {"refresh_token": "x"}},
        {"credentials": ["refresh_token"], "replaced": {}},
        {"credentials": {"refresh_token": 7}, "replaced": [None, 7]},
        {"credentials": {"refresh_token": "of-another"}, "replaced": ["0123456789abcdef"]},
    ],
)
async def test_a_damaged_file(
    world: World[ChmlFrpService], hass_storage: Stored, damaged: Stored
) -> None:
    """The tokens of the entry are used."""
    hass_storage[FILE] = {"version": 1, "minor_version": 1, "key": FILE, "data": damaged}

    await world.set_up()

    assert is_signed_in(world)
    await world.elapse(HOUR)
    assert is_signed_in(world)


async def test_a_file_of_a_newer_version(
    world: World[ChmlFrpService], hass_storage: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    hass_storage[FILE] = {"version": 2, "minor_version": 1, "key": FILE, "data": {}}

    await world.set_up()

    assert is_signed_in(world)
    assert "The newest sign-in of ChmlFrp demo cannot be read" in caplog.text


async def test_the_file_is_removed_with_the_entry(
    world: World[ChmlFrpService], hass_storage: Stored
) -> None:
    await world.set_up()
    await world.elapse(HOUR)
    assert FILE in hass_storage
    gate = world.service.gate("/oauth2/token", "after")
    world.freezer.tick(HOUR)
    async_fire_time_changed(world.hass)
    await gate.reached()

    assert await world.hass.config_entries.async_remove(ENTRY)
    gate.open()
    await run_pending(2000)

    assert FILE not in hass_storage, "a pending refresh does not create it again"


async def test_the_file_is_removed_when_a_token_replaces_the_browser_sign_in(
    world: World[ChmlFrpService], hass_storage: Stored
) -> None:
    """An API token does not expire, so it is only stored in the entry."""
    await world.set_up()
    await world.elapse(HOUR)
    flow = await world.entry.start_reconfigure_flow(world.hass)
    form = await choose(world.hass, flow, "chmlfrp_token")

    await fill(world.hass, form, world.service, token=world.service.account.usertoken)
    await world.settle()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert FILE not in hass_storage
