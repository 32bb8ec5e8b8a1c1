"""Tests repair issues in general. Each issue is tested where its cause is."""

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.tunnel_hub.api.provider import Issue
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.issues import clear_all

from .common import HOUR, MINUTE, SMALL, World, account_entry

pytestmark = SMALL


def shown(world: World) -> set[str]:
    """Return the ids of the repair issues."""
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


async def test_providers_keep_issues_of_others(world: World) -> None:
    await world.set_up()
    issues = world.entry.runtime_data.issues
    issues.show(Issue(key="sign_in_failing", placeholders={"message": "不行"}))

    await world.contest()
    await world.live(30 * MINUTE)
    assert shown(world) == {"entry-demo:sign_in_failing"}

    issues.clear("sign_in_failing")
    issues.clear("sign_in_failing")
    assert not shown(world)


@pytest.mark.parametrize("language, names", [("en", "nas, web"), ("zh-Hans", "nas、web")])
async def test_names_are_listed_in_the_language(world: World, language: str, names: str) -> None:
    world.hass.config.language = language
    await world.set_up()

    world.entry.runtime_data.issues.show(
        Issue(key="nodes_of_one_name", placeholders={"names": ("nas", "web")})
    )

    placeholders = issue(world, "entry-demo:nodes_of_one_name").translation_placeholders
    assert placeholders
    assert placeholders["names"] == names


# Ignored issues


CONTESTED = "entry-demo:session_contested"


def ignored(world: World) -> set[str]:
    """Return the ids of the issues that the user ignores."""
    return {issue_id for issue_id in shown(world) if issue(world, issue_id).dismissed_version}


def issue(world: World, issue_id: str) -> ir.IssueEntry:
    """Return a repair issue that exists."""
    found = ir.async_get(world.hass).async_get_issue(DOMAIN, issue_id)
    assert found
    return found


async def test_it_stays_ignored(world: World) -> None:
    """It stays ignored over reloads, even if it is found again later."""
    await world.set_up()
    await world.contest()
    ir.async_ignore_issue(world.hass, DOMAIN, CONTESTED, ignore=True)

    for _ in range(2):
        await world.restart()
        await world.live(5 * MINUTE)
        assert ignored(world) == {CONTESTED}
        await world.contest()
        assert ignored(world) == {CONTESTED}

    await world.live(HOUR)
    assert not shown(world), "the issue is removed"
    await world.contest()
    assert shown(world) == {CONTESTED}
    assert not ignored(world), "this is a new issue"


async def test_an_unloaded_entry_has_no_issues(world: World) -> None:
    await world.set_up()
    await world.contest()

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    assert not shown(world)


async def test_an_ignored_issue_is_removed_with_its_entry(world: World) -> None:
    await world.set_up()
    await world.contest()
    ir.async_ignore_issue(world.hass, DOMAIN, CONTESTED, ignore=True)

    await world.hass.config_entries.async_remove(world.entry.entry_id)

    assert not shown(world)
