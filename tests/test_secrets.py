"""Tests that secrets are not in logs, states, events, repair issues, diagnostics or other files."""

from dataclasses import dataclass
import json
import logging
from typing import Any

from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from custom_components.tunnel_hub.services import ACTIONS

from .common import ENTITY_REGISTRY, HOUR, MINUTE, World

PHONE = "13800000000"
SECRET_KEY = "key-of-stcp"
NEW = {
    "name": "website",
    "protocol": "stcp",
    "local_port": 443,
    "node": "3",
    "secret_key": SECRET_KEY,
}


def assert_no_secrets(text: str, secrets: set[str]) -> None:
    """Fail if a text contains a secret."""
    assert not [secret for secret in secrets if secret in text], text


@dataclass
class Scenario:
    """Uses the integration, and records all secrets."""

    world: World
    secrets: set[str]

    def remember(self) -> None:
        """Add the current secrets of the account."""
        account = self.world.service.account
        self.secrets.update(filter(None, (account.csrf, account.link_token)))
        self.secrets.update(mail.code for mail in self.world.service.state.mailbox)

    async def act(self, action: str, **fields: object) -> None:
        """Call an action for the account or a tunnel. It may fail."""
        of_device = {"device_id": self.world.device_id("tunnel:1")}
        of_account = {"config_entry_id": self.world.entry.entry_id}
        subject = of_device if ACTIONS[action].kinds else of_account
        try:
            await self.world.call(action, **subject, **fields)
        except HomeAssistantError as err:
            assert_no_secrets(str(err), self.secrets)
        self.remember()

    async def fill(self, step: str, **fields: str) -> None:
        """Submit a form of the config flow."""
        self.secrets.update(value for name, value in fields.items() if name != "username")
        flow = self.world.hass.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": "user"})
        for choice in ("hayfrp", step):
            result = await flow.async_configure(result["flow_id"], {"next_step_id": choice})
        result = await flow.async_configure(
            result["flow_id"], {**fields, "advanced": {"base_url": self.world.service.url}}
        )
        self.remember()
        assert_no_secrets(f"{result['errors']} {result['description_placeholders']}", self.secrets)

    async def commands(self) -> None:
        """Call the actions of a user."""
        await self.act("create_tunnel", **NEW)
        for action in ("check_tunnel", "force_offline", "list_downloads", "sign_in", "retoken"):
            await self.act(action)
        await self.act("update_tunnel", secret_key=SECRET_KEY)
        for action in ("turn_on", "turn_off"):
            await self.world.act("switch", action, "tunnel:2", "force_down")

    async def wrong_input(self) -> None:
        """Submit wrong_input with wrong input."""
        await self.fill("hayfrp_password", username="demo", password="wrong-password")
        await self.fill("hayfrp_token", token="wrong-token")
        await self.fill("hayfrp_recover", username="demo@example.com")
        self.secrets.add(PHONE)
        await self.fill(
            "hayfrp_register", username="new", email="new@example.com", password="new-password"
        )

    async def failures(self) -> None:
        """Let requests fail, and let answers repeat secrets."""
        for fault in ("html", "error", "reset", "cut", "redirect", "status"):
            self.world.service.fault("*", fault, times=None)
            await self.world.live(4 * MINUTE)
            await self.act("sign_in")
            self.world.service.clear_faults()
            await self.world.live(2 * MINUTE)
        for status in (403, 404, 500):
            words = f"{' '.join(self.secrets)} csrf"
            self.world.service.fault(
                "*", "body", times=None, body={"status": status, "message": words}
            )
            await self.world.live(4 * MINUTE)
            for action in ("sign_in", "check_tunnel", "update_tunnel"):
                await self.act(action)
            self.world.service.clear_faults()
            await self.world.live(2 * MINUTE)
        await self.world.contest()
        await self.world.live(HOUR, 5 * MINUTE)
        self.remember()


async def test_no_secret_is_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, ENTITY_REGISTRY)
    world.service.account.link_token = "link-token-of-demo"
    secrets = {"demo-password", "demo@example.com", "link-token-of-demo", SECRET_KEY}
    events: list[dict[str, Any]] = []

    @callback
    def _note(event: Event[Any]) -> None:
        # The caller knows the data of the call.
        if event.event_type != "call_service":
            events.append(event.as_dict())

    world.hass.bus.async_listen(MATCH_ALL, _note)

    await world.set_up()
    life = Scenario(world, secrets)
    await life.commands()
    await life.failures()
    await life.wrong_input()

    assert len(secrets) > 12, "sessions and tokens were replaced"
    for record in caplog.records:
        ours = record.name.startswith(("custom_components", "homeassistant.config_entries"))
        if ours or record.name.startswith("homeassistant.helpers"):
            assert_no_secrets(logging.Formatter().format(record), secrets)
    assert_no_secrets(json.dumps(events, default=str), secrets)
    for state in world.hass.states.async_all():
        assert_no_secrets(str(state.as_dict()), secrets)
    for issue in ir.async_get(world.hass).issues.values():
        assert_no_secrets(str(issue), secrets)
    assert_no_secrets(
        str(await async_get_config_entry_diagnostics(world.hass, world.entry)), secrets
    )


async def test_secrets_are_not_stored_twice(world: World, hass_storage: dict[str, Any]) -> None:
    """Credentials are only stored in the entry."""
    await world.set_up()
    await world.act("switch", "turn_on", "tunnel:1", "force_down")
    await world.hass.async_stop(force=True)

    others = {key: value for key, value in hass_storage.items() if key != "core.config_entries"}
    assert_no_secrets(
        str(others), {"demo-password", world.service.account.csrf or "", "demo@example.com"}
    )
