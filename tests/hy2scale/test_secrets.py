"""Tests that passwords and keys, which a node sends to each signed-in user, are not shown."""

from collections.abc import Iterator
import json
import logging
from typing import Any

from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.tunnel_hub.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from simulator.hy2scale import hashed

from ..common import ENTITY_REGISTRY, MINUTE, on, on_account
from .common import BOTH, POLL, Hub


def secrets_of(world: Hub) -> set[str]:
    """Return all secrets."""
    state = world.service.state
    server = state.server
    assert server
    return {
        "hub-password",
        hashed("hub-password"),
        server.password,
        state.l2tp.psk,
        state.ikev2.psk,
        state.wireguard.private_key,
        *state.tokens,
        *(client.password for client in state.clients.values()),
        *(user.password for user in state.users.values()),
        *(word for user in state.users.values() for word in user.proxy_passwords.values()),
        *(peer.private_key for peer in state.wireguard.peers),
        *(certificate.key for certificate in state.certificates.values()),
    }


async def attempt(world: Hub, thing: str | None, action: str, **data: Any) -> None:
    """Call an action that may fail, and keep its error."""
    try:
        await (on(world, thing, action, **data) if thing else on_account(world, action, **data))
    except HomeAssistantError as err:
        logging.getLogger("custom_components.tests").info(
            "%s %s", err.translation_key, err.translation_placeholders
        )


@BOTH
async def test_secrets_are_never_shown(world: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """Logs, states, events, repair issues and diagnostics do not contain them."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, ENTITY_REGISTRY)
    events: list[dict[str, Any]] = []

    @callback
    def _note(event: Event[Any]) -> None:
        # The caller knows the data of the call.
        if event.event_type != "call_service":
            events.append(event.as_dict())

    world.hass.bus.async_listen(MATCH_ALL, _note)
    await world.set_up_enabled()
    secrets = secrets_of(world)
    assert len(secrets) > 15
    for bad in ("error", "html", "reset", "cut", "redirect"):
        world.service.fault("*", bad, times=None)
        await attempt(world, world.user_thing("alice"), "update_user", traffic_limit=1)
        await attempt(world, "tunnel:us", "update_client", insecure=True)
        world.service.clear_faults()
    for status in (400, 403):
        words = " ".join(secrets_known(world))
        world.service.fault("/api/users/{id}", "body", status=status, body=words)
        await attempt(world, world.user_thing("alice"), "update_user", traffic_limit=1)
        world.service.clear_faults()
    await attempt(world, "wireguard_peer:phone", "update_wireguard_peer", keepalive=30)
    await world.act("switch", "turn_off", "vpn:account", "l2tp_enabled")
    await world.act("button", "press", world.user_thing("alice"), "reset_traffic")
    await world.live(MINUTE, POLL)
    secrets |= secrets_of(world)

    shown = [
        *(
            logging.Formatter().format(record)
            for record in caplog.records
            if record.name.startswith(("custom_components", "homeassistant"))
        ),
        json.dumps(events, default=str),
        *(str(state.as_dict()) for state in world.hass.states.async_all()),
        *(str(issue) for issue in ir.async_get(world.hass).issues.values()),
        str(await async_get_config_entry_diagnostics(world.hass, world.entry)),
    ]
    for thing in (world.user_thing("alice"), "wireguard_peer:phone", "tunnel:us"):
        device = world.device(thing)
        assert device
        shown.append(str(await async_get_device_diagnostics(world.hass, world.entry, device)))
    for words in shown:
        assert not [secret for secret in secrets if secret in words], words[:2000]


def secrets_known(world: Hub) -> set[str]:
    """Return the stored credentials, and the secrets that were sent."""
    *_, token = world.service.state.tokens
    return {hashed("hub-password"), token, world.user("alice").password}


async def test_diagnostics_contain_no_address(world: Hub) -> None:
    await world.set_up()

    diagnostics = str(await async_get_config_entry_diagnostics(world.hass, world.entry))

    assert "203.0.113.10" not in diagnostics
    assert "example.com:5565" not in diagnostics
    assert "password_hash" in diagnostics, "only the names of credentials"


async def test_diagnostics_contain_no_names(world: Hub) -> None:
    await world.set_up()

    diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)

    users = world.service.state.users
    for feed in ("users", "sessions"):
        assert diagnostics["feeds"][feed]["resources"].keys() == users.keys()
    shown = [*_texts(diagnostics["feeds"])]
    names = {
        *(user.username for user in users.values()),
        *(peer.name for peer in world.service.state.wireguard.peers),
        *(target for rule in world.service.state.rules.values() for target in rule.targets),
        *(address for client in world.service.state.clients.values() for address in client.addrs),
        *world.service.state.clients,
        *world.service.state.rules,
        world.service.state.node_id,
    }
    assert len(names) > 10
    assert not names & set(shown)
    assert not [word for word in shown if "." in word and any(name in word for name in names)]


def _texts(value: Any) -> Iterator[str]:
    """Return all texts in diagnostics, including keys."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


async def test_diagnostics_use_the_same_number_for_the_same_row(world: Hub) -> None:
    """A tunnel and its link have the same number in place of a name."""
    await world.set_up()

    feeds = (await async_get_config_entry_diagnostics(world.hass, world.entry))["feeds"]

    assert feeds["tunnels"]["resources"]
    assert feeds["tunnels"]["resources"].keys() == feeds["links"]["resources"].keys()
