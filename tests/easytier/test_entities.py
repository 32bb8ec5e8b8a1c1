"""Tests the entities of a node manager, in both dialects."""

from datetime import timedelta
import json
import logging

from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from simulator.easytier import EasyTierService

from ..common import DAY, HOUR, MINUTE, NOON, World, on
from .common import BOTH, DOCUMENTED, FIVE_MINUTES, TWO_MINUTES, secrets_of


async def test_availability(world: World[EasyTierService]) -> None:
    """Each report is one digit, the newest last: 1 is offline, 2 to 9 are loads."""
    node = world.service.state.nodes["1"]
    node.recent_status = "2" * (4320 - 144) + "1" * 72 + "5" * 71 + "9"
    node.reporting = False

    await world.set_up()

    assert world.value("sensor", "relay_node:1", "availability_24_hours") == "50.0"
    share = 100 * (4320 - 72) / 4320
    assert float(world.value("sensor", "relay_node:1", "availability_30_days")) == pytest.approx(
        share, abs=0.1
    )


async def test_a_node_that_stops_reporting(world: World[EasyTierService]) -> None:
    """Its values become unknown, and its availability decreases."""
    node = world.service.state.nodes["1"]
    node.recent_status, node.reporting = "69", False
    await world.set_up()
    assert world.value("sensor", "relay_node:1", "availability_24_hours") == "100.0"
    assert world.value("sensor", "relay_node:1", "load") != "unknown"

    await world.live(3 * HOUR, 10 * MINUTE)

    assert world.value("sensor", "relay_node:1", "load") == "unknown"
    assert float(world.value("sensor", "relay_node:1", "availability_24_hours")) < 11
    assert float(world.value("sensor", "relay_node:1", "availability_30_days")) < 11


async def test_missing_values_are_unknown(world: World[EasyTierService]) -> None:
    """A node has never reported, has no end, or has no network."""
    await world.set_up()

    assert world.value("sensor", "relay_node:2", "valid_until") == "unknown", "2999-12-31"
    assert world.value("sensor", "relay_node:6", "last_report") == "unknown"
    assert world.value("sensor", "relay_node:6", "load") == "unknown"
    assert world.value("binary_sensor", "relay_node:4", "online") == "off"
    assert world.value("sensor", "relay_node:4", "load") == "unknown"


async def test_without_an_account(world: World[EasyTierService]) -> None:
    """There are totals and the selected public nodes. No sign-in is needed."""
    data = {"provider": "easytier", "base_url": world.service.url}
    world.hass.config_entries.async_update_entry(world.entry, data=data)

    await world.set_up(public_nodes=["1"])
    await world.live(HOUR, FIVE_MINUTES)

    assert world.value("sensor", "service:service", "nodes") == str(len(world.service.state.nodes))
    assert world.value("binary_sensor", "public_node:1", "online") == "on"
    assert not world.registered("relay_node:")
    assert not world.hass.config_entries.flow.async_progress()
    assert not world.service.calls_to("/api/nodes/my")


async def test_a_deleted_node(world: World[EasyTierService]) -> None:
    await world.set_up()
    del world.service.state.nodes["3"]

    await world.live(2 * TWO_MINUTES, TWO_MINUTES)

    assert not world.device("relay_node:3")
    assert world.device("relay_node:1")


@BOTH
async def test_a_refused_token_is_renewed(world: World[EasyTierService]) -> None:
    """One login serves all requests that were refused. Nothing is logged."""
    await world.set_up()
    world.service.refuse_tokens()
    before = len(world.service.calls_to("/api/auth/login"))

    await world.live(HOUR, FIVE_MINUTES)

    assert len(world.service.calls_to("/api/auth/login")) == before + 1
    assert world.value("binary_sensor", "relay_node:1", "online") == "on"
    assert not world.hass.config_entries.flow.async_progress()


async def test_a_stored_token_is_used_again(world: World[EasyTierService]) -> None:
    await world.set_up()

    await world.restart()

    assert len(world.service.calls_to("/api/auth/login")) == 1


# Reachability


@DOCUMENTED
async def test_reachability(world: World[EasyTierService]) -> None:
    first = world.service.state.nodes["1"]
    for way in first.connections:
        way.latency_ms = 77
    world.hass.config_entries.async_update_entry(
        world.entry,
        data={
            **world.entry.data,
            "network_name": first.network_name,
            "network_secret": first.network_token,
        },
    )

    await world.set_up()

    assert world.value("binary_sensor", "reachability:1", "reachable") == "on"
    latency = world.state("sensor", "reachability:1", "latency")
    assert latency.state == "77"
    finding = latency.attributes["findings"][0]
    assert finding["address"].startswith("tcp://198.18.")
    assert finding["reachable"] is True
    checked = [
        address
        for call in world.service.calls_to("/api/edgeone/batch-check")
        for address in call.body["nodes"]
    ]
    assert all(
        len(c.body["nodes"]) <= 20 for c in world.service.calls_to("/api/edgeone/batch-check")
    )
    assert not [row for row in checked if row["server"].startswith("udp")]


async def test_diagnostics_contain_no_address(world: World[EasyTierService]) -> None:
    world.service.state.settings.edgeone = True
    await world.set_up()

    shown = await async_get_config_entry_diagnostics(world.hass, world.entry)

    assert shown["feeds"]["reachability"]["resources"]["1"]["reachable"] is True
    assert "198.18." not in json.dumps(shown["feeds"]), "it can be written as JSON"


@DOCUMENTED
async def test_nothing_is_checked_without_a_network(world: World[EasyTierService]) -> None:
    """The documented rows contain no network."""
    await world.set_up()

    assert not world.registered("reachability:")
    assert not world.service.calls_to("/api/edgeone/batch-check")


async def test_checks_that_are_not_offered(world: World[EasyTierService]) -> None:
    await world.set_up()
    await world.live(6 * HOUR, HOUR)

    assert not world.registered("reachability:")
    assert len(world.service.calls_to("/api/edgeone/health")) == 1


async def test_a_refused_api_key(world: World[EasyTierService]) -> None:
    """A repair issue reports it. Everything else works."""
    world.service.state.settings.edgeone = True
    world.service.state.settings.api_key = "right"

    await world.set_up()

    issues = ir.async_get(world.hass)
    key = (DOMAIN, f"{world.entry.entry_id}:api_key_refused")
    assert key in issues.issues
    assert world.value("binary_sensor", "relay_node:1", "online") == "on"
    world.service.state.settings.api_key = None
    await world.live(2 * HOUR, 30 * MINUTE)
    assert key not in issues.issues


# Repair issues


async def test_an_ignored_issue_that_a_check_creates(world: World[EasyTierService]) -> None:
    """After a reload the issue appears later than the others, and stays ignored."""
    world.service.state.settings.edgeone = True
    world.service.state.settings.api_key = "right"
    await world.set_up()
    issues = ir.async_get(world.hass)
    key = (DOMAIN, f"{world.entry.entry_id}:api_key_refused")
    issues.async_ignore(*key, ignore=True)

    await world.restart()
    assert issues.issues[key].dismissed_version

    await world.hass.config_entries.async_unload(world.entry.entry_id)
    world.service.state.settings.api_key = None
    await world.set_up()
    assert key not in issues.issues


async def test_nodes_with_the_same_name(world: World[EasyTierService]) -> None:
    """The server assigns all reports to the first one. The issue ends with their own names."""
    for number in "13":
        world.service.state.nodes[number].node_name = "家里"
    await world.set_up()
    issues = ir.async_get(world.hass)
    key = (DOMAIN, f"{world.entry.entry_id}:nodes_of_one_name")
    assert issues.issues[key].translation_placeholders == {
        "account": world.entry.title,
        "names": "家里",
    }

    await on(world, "relay_node:3", "update_node", name="那里")

    assert key not in issues.issues
    assert world.service.state.nodes["3"].node_name == "那里"


async def test_traffic_is_shown_as_reported(world: World[EasyTierService]) -> None:
    """No digits are added, and no limit is shown if there is none."""
    world.service.state.nodes["1"].used_traffic = 77.7
    world.service.state.nodes["1"].max_traffic = 0
    world.service.state.nodes["1"].reporting = False
    await world.set_up()

    assert world.value("sensor", "relay_node:1", "traffic_used") == "77.7"
    assert world.value("sensor", "relay_node:1", "traffic_allowed") == "unknown"
    assert world.value("sensor", "relay_node:1", "traffic_usage") == "unknown"


async def test_an_overdue_reset(world: World[EasyTierService]) -> None:
    """The server moves the date with the next report, which the node does not send."""
    node = world.service.state.nodes["1"]
    node.reporting = False
    node.reset_date = f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"
    await world.set_up()
    assert world.value("sensor", "relay_node:1", "traffic_reset") == "2026-10-20T05:00:00+00:00"

    await world.live(HOUR, 10 * MINUTE)

    assert world.value("sensor", "relay_node:1", "traffic_reset") == "unknown"


async def test_nodes_that_are_about_to_end(world: World[EasyTierService]) -> None:
    """An issue appears seven days before, and is removed if the date moves."""
    for node in world.service.state.nodes.values():
        node.valid_until = f"{NOON + timedelta(days=8):%Y-%m-%d}"
    await world.set_up()
    issues = ir.async_get(world.hass)
    key = (DOMAIN, f"{world.entry.entry_id}:nodes_ending")
    assert key not in issues.issues

    node = world.service.state.nodes["3"]
    node.valid_until = f"{NOON + timedelta(days=7):%Y-%m-%d}"
    await world.elapse(TWO_MINUTES)
    issue = issues.issues[key]
    assert issue.translation_placeholders == {
        "account": "EasyTier demo",
        "nodes": f"{node.node_name} {node.valid_until}",
    }
    node.valid_until = "2999-12-31"
    await world.elapse(TWO_MINUTES)
    assert key not in issues.issues


# Failures


async def test_the_last_values_are_kept(world: World[EasyTierService]) -> None:
    await world.set_up()
    world.service.fault("*", "status", times=None)

    await world.live(2 * TWO_MINUTES, TWO_MINUTES)
    assert world.value("binary_sensor", "relay_node:1", "online") == "on"
    await world.live(2 * TWO_MINUTES, TWO_MINUTES)
    assert world.value("binary_sensor", "relay_node:1", "online") == "unavailable"
    world.service.clear_faults()
    await world.live(DAY // 24, TWO_MINUTES)

    assert world.value("binary_sensor", "relay_node:1", "online") == "on"


@BOTH
async def test_secrets_are_never_shown(
    world: World[EasyTierService], caplog: pytest.LogCaptureFixture
) -> None:
    """Logs, states, attributes, repair issues and diagnostics do not contain them."""
    caplog.set_level(logging.DEBUG)
    world.service.state.settings.edgeone = True
    world.hass.config_entries.async_update_entry(
        world.entry,
        data={
            **world.entry.data,
            "api_key": "an-api-key",
            "network_name": "home",
            "network_secret": "demo-network-secret",
        },
    )
    await world.set_up_enabled(public_nodes=["1", "2"])
    for kind in ("status", "html", "empty", "wrong_type", "reset"):
        world.service.fault("*", kind, times=None)
        await world.elapse(FIVE_MINUTES)
        world.service.clear_faults()
    world.service.account.password = "another"
    world.service.refuse_tokens()
    await world.elapse(FIVE_MINUTES)

    entry: MockConfigEntry = world.entry
    shown = json.dumps(
        [
            caplog.text,
            [state.as_dict() for state in world.hass.states.async_all()],
            [issue.translation_placeholders for issue in ir.async_get(world.hass).issues.values()],
            await async_get_config_entry_diagnostics(world.hass, entry),
            [entity.unique_id for entity in world.registered()],
        ],
        default=str,
        ensure_ascii=False,
    )
    assert not [secret for secret in secrets_of(world.service, entry) if secret in shown]
