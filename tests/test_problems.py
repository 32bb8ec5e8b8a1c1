"""Repairs. Which ones there are, is shown where their causes are tested."""

from homeassistant.helpers import issue_registry as ir

from custom_components.tunnel_hub.api.provider import Problem
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.problems import clear_all

from .common import MINUTE, World, account_entry


def shown(world: World) -> set[str]:
    """Return the ids of the repairs."""
    return {issue_id for domain, issue_id in ir.async_get(world.hass).issues if domain == DOMAIN}


async def test_each_account_has_its_own(world: World) -> None:
    other = account_entry(world.service, world.service.state.accounts["other"])
    other.add_to_hass(world.hass)
    await world.set_up()
    if other.entry_id not in {
        e.entry_id for e in world.hass.config_entries.async_loaded_entries(DOMAIN)
    }:
        await world.hass.config_entries.async_setup(other.entry_id)

    await world.contest()
    assert shown(world) == {"entry-demo:session_contested"}
    await world.contest("other")
    assert shown(world) == {"entry-demo:session_contested", "entry-other:session_contested"}

    clear_all(world.hass, other)
    assert shown(world) == {"entry-demo:session_contested"}


async def test_the_providers_leave_the_others_alone(world: World) -> None:
    await world.set_up()
    problems = world.entry.runtime_data.problems
    problems.show(Problem(key="sign_in_failing", placeholders={"message": "不行"}))

    await world.contest()
    await world.live(30 * MINUTE)
    assert shown(world) == {"entry-demo:sign_in_failing"}

    problems.clear("sign_in_failing")
    problems.clear("sign_in_failing")
    assert not shown(world)
