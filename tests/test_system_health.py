"""Tests the system information page."""

from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.tunnel_hub.const import DOMAIN

from .common import MINUTE, World, account_entry
from .translations import translations


# Home Assistant's own HTTP server, which the page needs, causes this warning.
@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
async def test_information(world: World) -> None:
    await world.set_up()
    account_entry(world.service, world.service.state.accounts["other"]).add_to_hass(world.hass)
    # This entry is not an account.
    watched = MockConfigEntry(domain=DOMAIN, data={"provider": "watched"}, unique_id="watched")
    watched.add_to_hass(world.hass)
    await world.hass.config_entries.async_setup(watched.entry_id)
    assert await async_setup_component(world.hass, "system_health", {})
    calls = len(world.service.calls)

    info = await get_system_health_info(world.hass, DOMAIN)
    assert translations("en")["system_health"]["info"].keys() == info.keys()
    assert info == {
        "accounts": 2,
        "accounts_loaded": 1,
        "feeds": 9,
        "feeds_available": 9,
        "requests": calls,
    }
    assert len(world.service.calls) == calls, "the page causes no request"

    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)
    await world.live(3 * MINUTE)
    info = await get_system_health_info(world.hass, DOMAIN)
    assert info["feeds_available"] == 8
