"""Tests the entities of a ChmlFrp account."""

from collections import Counter
from datetime import datetime
import json

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_mock_restore_state_shutdown_restart,
)

from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from simulator.chmlfrp import ChmlFrpService, Message

from ..common import DAY, HOUR, MINUTE, World


@pytest.mark.parametrize("nulls", [True, False])
async def test_missing_values_are_unknown(world: World[ChmlFrpService], nulls: bool) -> None:
    """The service returns null or an empty text: tunnel 5 never ran, and its node was removed."""
    world.service.state.settings.nulls = nulls

    await world.set_up()

    assert world.value("sensor", "tunnel:5", "state") == "node_removed"
    unknown = {
        key
        for key in ("client_version", "last_start", "public_address")
        if world.value("sensor", "tunnel:5", key) == "unknown"
    }
    assert unknown == {"client_version", "last_start", "public_address"}
    assert world.value("sensor", "account:account", "group_expires") == "unknown", "never"
    expected = "unknown" if nulls else "0"
    assert world.value("sensor", "tunnel:5", "connections") == expected


async def test_a_group_that_expires(world: World[ChmlFrpService]) -> None:
    world.service.account.term = "2027-01-31"

    await world.set_up()

    assert world.value("sensor", "account:account", "group") == "超级会员"
    assert world.value("sensor", "account:account", "group_expires") == "2027-01-31"


@pytest.mark.parametrize("verified, shown", [(True, "on"), (False, "off")])
async def test_verified(world: World[ChmlFrpService], verified: bool, shown: str) -> None:
    world.service.account.realname = verified

    await world.set_up()

    assert world.value("binary_sensor", "account:account", "verified") == shown


async def test_setup_only_requires_the_account(world: World[ChmlFrpService]) -> None:
    """All other values can be read later."""
    world.service.fault("/userinfo", "html", status=520, times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY

    world.service.clear_faults()
    world.service.fault("/tunnel", "html", status=520, times=None)
    await world.elapse(MINUTE)
    assert world.entry_state() is ConfigEntryState.LOADED
    assert not world.registered("tunnel:")

    world.service.clear_faults()
    await world.elapse(MINUTE)
    assert world.value("sensor", "tunnel:1", "state") == "online"


async def test_unused_nodes_are_disabled_by_default(world: World[ChmlFrpService]) -> None:
    """Tunnels use the nodes 1, 2, 7 and 8, by name."""
    await world.set_up()

    used = {
        node
        for node in "12345678"
        if not all(e.disabled for e in world.registered(f"node:{node}:"))
    }
    assert used == in_use(world)
    assert all(e.disabled for e in world.registered("node_uptime:3:"))
    assert not any(e.disabled for e in world.registered("node_uptime:1:"))


def in_use(world: World[ChmlFrpService]) -> set[str]:
    """Return the ids of the nodes that tunnels use."""
    names = {tunnel.node for tunnel in world.service.state.tunnels.values()}
    return {str(node.id) for node in world.service.state.nodes.values() if node.name in names}


async def test_only_used_nodes(world: World[ChmlFrpService]) -> None:
    await world.set_up(nodes="used")

    assert {n for n in "12345678" if world.device(f"node:{n}")} == in_use(world)
    uptimes = {entity.unique_id.split(":")[2] for entity in world.registered("node_uptime:")}
    assert uptimes == in_use(world)


async def test_a_node_on_the_map(world: World[ChmlFrpService]) -> None:
    await world.set_up(node_details=True)

    place = world.state("sensor", "node:1", "place")
    assert place.state == "中国四川成都"
    assert (place.attributes["latitude"], place.attributes["longitude"]) == (30.572961, 104.066301)


async def test_a_node_without_coordinates(world: World[ChmlFrpService]) -> None:
    world.service.state.nodes["1"].coordinates = "somewhere"

    await world.set_up(node_details=True)

    assert "latitude" not in world.state("sensor", "node:1", "place").attributes


async def test_details_stay_between_polls(world: World[ChmlFrpService]) -> None:
    """They are read after each poll. The previous values are shown until then."""
    await world.set_up(node_details=True)
    assert world.value("sensor", "node:1", "load_1") == "3.18"
    started = world.value("sensor", "node:1", "started")
    device = world.device("node:1")
    assert device
    assert device.sw_version == "ChmlFrp-0.51.2_251023"
    world.service.state.nodes["1"].load1 = 1.5
    world.service.fault("/nodeinfo", "html", times=None)

    await world.elapse(5 * MINUTE)
    assert world.value("sensor", "node:1", "load_1") == "3.18"

    world.service.clear_faults()
    await world.elapse(5 * MINUTE)
    assert world.value("sensor", "node:1", "load_1") == "1.5"
    assert world.value("sensor", "node:1", "started") == started, "no drift"


async def test_details_are_only_requested_of_online_nodes(world: World[ChmlFrpService]) -> None:
    """Tunnels use the nodes 1, 2, 7 and 8. Node 7 is in maintenance and node 8 offline."""
    await world.set_up(node_details=True)

    names = {str(node.id): node.name for node in world.service.state.nodes.values()}
    asked = {str(call.get("node")) for call in world.service.calls_to("/nodeinfo")}
    assert asked == {names["1"], names["2"]}


async def test_uptime_of_thirty_days(world: World[ChmlFrpService]) -> None:
    """Days without a record do not count. The value is read once an hour."""
    node = world.service.state.nodes["1"]
    node.uptimes = [100.0] * 60 + [50.0] * 10 + [None] * 10 + [100.0] * 10
    await world.set_up()
    assert world.value("sensor", "node_uptime:1", "uptime_30_days") == "75.0"
    assert [call.get("time") for call in world.service.calls_to("/node_uptime")] == ["30"]

    await world.live(HOUR - MINUTE)

    assert len(world.service.calls_to("/node_uptime")) == 1


async def test_an_expired_certificate_hides_no_other(world: World[ChmlFrpService]) -> None:
    """The sensor shows the certificate that expires next."""
    first, second = world.service.state.certificates
    first.expires_at, now = world.service.now() - 5, world.service.now()
    second.issued_at, second.expires_at = now, now + HOUR

    await world.set_up()

    state = world.state("sensor", "certificates:account", "certificates")
    assert datetime.fromisoformat(state.state).timestamp() == pytest.approx(now + HOUR, abs=1)
    assert [c["domains"] for c in state.attributes["certificates"]] == [
        second.domains,
        first.domains,
    ]


async def test_todays_traffic_starts_at_0(world: World[ChmlFrpService]) -> None:
    await world.set_up()
    before = float(world.value("sensor", "account_traffic:account", "traffic_in_today"))
    assert before > 0

    await world.live(13 * HOUR, HOUR)

    today = float(world.value("sensor", "account_traffic:account", "traffic_in_today"))
    assert 0 < today < before
    assert float(world.value("sensor", "tunnel:1", "traffic_in_today")) == pytest.approx(today)


async def test_no_row_for_today(world: World[ChmlFrpService]) -> None:
    """Yesterday's traffic is not shown as today's."""
    world.service.fault("/flow_last_7_days", "patch", patch={"data.6.time": "01-01"}, times=None)

    await world.set_up()

    assert world.value("sensor", "account_traffic:account", "traffic_in_today") == "unknown"


async def test_a_server_without_the_undocumented_endpoints(world: World[ChmlFrpService]) -> None:
    """Everything that is documented works."""
    for path in ("/qiandao_info", "/flow_last_7_days", "/ssl/list", "/messages", "/message/list"):
        world.service.fault(path, "body", body={"status": 404, "path": path}, times=None)

    await world.set_up()

    assert world.value("sensor", "account:account", "points") == "15168"
    assert world.value("sensor", "tunnel:1", "state") == "online"
    assert not world.registered("sign_in:")
    assert world.value("sensor", "inbox:account", "messages") == "unknown"


async def test_secrets_are_never_shown(
    world: World[ChmlFrpService], caplog: pytest.LogCaptureFixture
) -> None:
    """The service sends them, but states, diagnostics and the log do not contain them."""
    caplog.set_level("DEBUG")
    await world.set_up_enabled(node_details=True)
    state = world.service.state
    secrets = {
        world.service.account.usertoken,
        world.service.account.password,
        world.service.account.email,
        *(node.api_token for node in state.nodes.values()),
        *(node.node_token for node in state.nodes.values()),
        *(node.real_ip for node in state.nodes.values()),
    }
    diagnostics = json.dumps(
        await async_get_config_entry_diagnostics(world.hass, world.entry), default=str
    )
    shown = " ".join(str(s.as_dict()) for s in world.hass.states.async_all())
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("custom_components")]
    assert len(ours) > 10
    for words in (diagnostics, shown, *ours):
        assert [secret for secret in secrets if secret in words] == []
    assert state.certificates[0].domains not in diagnostics
    assert state.messages[1].content not in diagnostics


@pytest.mark.parametrize("status", [403, 520])
async def test_a_firewall_keeps_the_last_values(world: World[ChmlFrpService], status: int) -> None:
    """A firewall's answer does not count as a refused login."""
    await world.set_up()
    world.service.fault("*", "html", status=status, times=None)

    await world.elapse(MINUTE)

    assert world.value("sensor", "tunnel:1", "state") == "online"
    assert not world.hass.config_entries.flow.async_progress()
    await world.live(2 * MINUTE)
    assert world.value("sensor", "tunnel:1", "state") == "unavailable"
    world.service.clear_faults()
    await world.live(2 * MINUTE)
    assert world.value("sensor", "tunnel:1", "state") == "online"


async def test_requests_in_an_hour(world: World[ChmlFrpService]) -> None:
    """Account and tunnels are read every minute.

    No request is large or for a single node or tunnel.
    """
    await world.set_up()
    world.service.calls.clear()

    await world.live(HOUR)

    count = Counter(call.path for call in world.service.calls)
    assert count == {
        "/userinfo": 60,
        "/tunnel": 60,
        "/qiandao_info": 12,
        "/flow_last_7_days": 12,
        "/node": 12,
        "/node_stats": 12,
        "/node_uptime": 1,
        "/panelinfo": 1,
        "/messages": 1,
        "/message/list": 1,
        "/ssl/list": 1,
    }


# Messages


async def test_messages(world: World[ChmlFrpService]) -> None:
    """The newest message fires at first, then each new one once, in order."""
    await world.set_up()
    state = world.state("event", "inbox:account", "message")
    assert state.attributes["title"] == "节点维护公告"
    assert world.value("sensor", "inbox:account", "messages") == "节点维护公告"
    heard = async_capture_events(world.hass, EVENT_STATE_CHANGED)
    world.service.state.messages += [
        Message(3, 228, "for another user", world.service.now() - 3),
        Message(4, None, "<p>second</p><p>line</p>", world.service.now() - 1),
        Message(5, 227, "first", world.service.now() - 2),
    ]

    await world.elapse(HOUR)

    entity_id = world.entity_id("event", "inbox:account", "message")
    events = [
        new.attributes
        for event in heard
        if event.data["entity_id"] == entity_id and (new := event.data["new_state"])
    ]
    assert [t["text"] for t in events] == ["first", "second\nline"]
    assert {t["event_type"] for t in events} == {"received"}

    await world.elapse(HOUR)
    await world.restart()
    now = world.state("event", "inbox:account", "message")
    assert now.attributes["text"] == "second\nline", "no message fires twice"


async def test_each_message_fires_once_regardless_of_its_date(
    world: World[ChmlFrpService],
) -> None:
    """It may have a future date, the same second as another, or appear after a newer one."""
    world.service.state.notices.clear()
    now = world.service.now()
    world.service.state.messages = [Message(1, None, "dated ahead", now + DAY)]
    await world.set_up()
    heard = async_capture_events(world.hass, EVENT_STATE_CHANGED)
    entity_id = world.entity_id("event", "inbox:account", "message")

    world.service.state.messages += [
        Message(2, None, "one of two", now),
        Message(3, None, "two of two", now),
    ]
    await world.elapse(HOUR)
    world.service.state.messages.append(Message(4, None, "seen late", now - DAY))
    await world.elapse(HOUR)
    await world.elapse(HOUR)
    await async_mock_restore_state_shutdown_restart(world.hass)
    await world.restart()

    texts = [
        new.attributes["text"]
        for event in heard
        if event.data["entity_id"] == entity_id
        and (new := event.data["new_state"])
        and (old := event.data["old_state"])
        and "unavailable" not in (old.state, new.state)
    ]
    assert texts == ["one of two", "two of two", "seen late"]


async def test_a_long_message_without_a_title(world: World[ChmlFrpService]) -> None:
    """Its first line becomes the title, and the recorder can store it."""
    world.service.state.notices.clear()
    text = "<p>Dear all</p><p>" + "长" * 9000 + "</p>"
    world.service.state.messages = [Message(3, None, text, world.service.now())]

    await world.set_up()

    assert world.value("sensor", "inbox:account", "messages") == "Dear all"
    attributes = world.state("event", "inbox:account", "message").attributes
    assert attributes["title"] == "Dear all"
    assert attributes["text"].startswith("Dear all\n长")
    assert len(json.dumps(dict(attributes), default=str, ensure_ascii=False).encode()) < 16 * 1024

    world.service.state.messages = [Message(4, None, "长" * 9000, world.service.now() + 1)]
    await world.elapse(HOUR)
    attributes = world.state("event", "inbox:account", "message").attributes
    assert attributes["title"] == "长" * 255
    assert len(json.dumps(dict(attributes), default=str, ensure_ascii=False).encode()) < 16 * 1024


async def test_no_messages(world: World[ChmlFrpService]) -> None:
    world.service.state.messages.clear()
    world.service.state.notices.clear()

    await world.set_up()

    assert world.value("event", "inbox:account", "message") == "unknown"
    assert world.value("sensor", "inbox:account", "messages") == "unknown"
