"""Tests watched addresses, which belong to no tunnel: config flow, checks and entities."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    SubentryFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics

from .automations import armed, asked
from .checks.rows import OK
from .checks.servers import http_handler, listening, sends_banner
from .common import MINUTE, World

SECRET = "s3cr3t-in-the-query"


class Watched:
    """Home Assistant with watched addresses. Its methods add, edit and remove addresses."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        """Watch nothing yet."""
        self.hass = hass
        self.freezer = freezer

    @property
    def entry(self) -> ConfigEntry[Any]:
        """The config entry of all watched addresses."""
        (entry,) = self.hass.config_entries.async_entries(DOMAIN)
        return entry

    @property
    def ids(self) -> dict[str, str]:
        """The ids of the subentries by their titles."""
        return {each.title: each.subentry_id for each in self.entry.subentries.values()}

    async def begin(self, **entered: str) -> Mapping[str, Any]:
        """Add the entry with a first address, and return the result."""
        flow = self.hass.config_entries.flow
        menu = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        shown = await flow.async_configure(menu["flow_id"], {"next_step_id": "watched"})
        if shown["type"] is FlowResultType.FORM:
            shown = await flow.async_configure(menu["flow_id"], entered)
        await self.settle()
        return shown

    async def add(self, **entered: str) -> Mapping[str, Any]:
        """Add another address, and return the result."""
        return await self._subentry(SubentryFlowContext(source=SOURCE_USER), entered)

    async def edit(self, title: str, **entered: str) -> Mapping[str, Any]:
        """Edit an address after a while, and return the result."""
        await self.world().elapse(11)
        context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=self.ids[title])
        return await self._subentry(context, entered)

    async def remove(self, title: str) -> None:
        """Remove an address."""
        self.hass.config_entries.async_remove_subentry(self.entry, self.ids[title])
        await self.settle()

    async def _subentry(
        self, context: SubentryFlowContext, entered: dict[str, str]
    ) -> Mapping[str, Any]:
        flow = self.hass.config_entries.subentries
        handler = (self.entry.entry_id, "watched_address")
        form = await flow.async_init(handler, context=context)
        shown = await flow.async_configure(form["flow_id"], entered) if entered else form
        await self.settle()
        return shown

    async def settle(self) -> None:
        """Wait until all tasks have ended."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    def world(self) -> World[Any, ConfigEntry]:
        """Return the entry as a world without a service."""
        return World(self.hass, self.freezer, None, self.entry)

    def found(self, title: str, *keys: str) -> tuple[str, ...]:
        """Return the results for an address."""
        binary = {"reachable", "certificate_trusted"}
        thing = f"watched_address:{self.ids[title]}"
        return tuple(
            self.world().value("binary_sensor" if key in binary else "sensor", thing, key)
            for key in keys
        )


@pytest.fixture
def watched(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Watched:
    return Watched(hass, freezer)


async def test_without_any_account(watched: Watched) -> None:
    """A local address has the same entities as that of a tunnel."""
    async with listening(http_handler(OK)) as server:
        shown = await watched.begin(address=f"http://127.0.0.1:{server.port}/health")
        assert shown["type"] is FlowResultType.CREATE_ENTRY
        assert shown["title"] == "Watched addresses"
        title = f"127.0.0.1:{server.port}"
        assert watched.found(
            title, "reachable", "verdict", "http_status", "availability", "address", "protocol"
        ) == ("on", "reachable", "200", "100", title, "http")
        assert server.requests[0].startswith(b"HEAD /health HTTP/1.1\r\n")
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(watched.hass), watched.entry.entry_id
    )
    assert (device.name, device.model, device.manufacturer) == (
        title,
        "Watched address",
        "Tunnel Hub",
    )
    assert device.config_subentry_id == watched.ids[title]
    entities = er.async_entries_for_config_entry(er.async_get(watched.hass), watched.entry.entry_id)
    assert {entity.config_subentry_id for entity in entities} == {watched.ids[title]}


async def test_several_addresses(watched: Watched) -> None:
    """They are added, edited and removed while others are checked."""
    async with listening(http_handler(OK)) as web, listening(sends_banner(b"SSH-2.0\r\n")) as ssh:
        await watched.begin(address=f"http://127.0.0.1:{web.port}", name="Web")
        shown = await watched.add(address=f" 127.0.0.1:{ssh.port} ", name="  SSH at\n home ")
        assert shown["type"] is FlowResultType.CREATE_ENTRY
        assert watched.ids.keys() == {"Web", "SSH at home"}
        assert watched.found("SSH at home", "reachable", "protocol") == ("on", "tcp")
        assert len(web.requests) == 1

        shown = await watched.edit("SSH at home", address=f"http://127.0.0.1:{ssh.port}", name="X")
        assert shown["reason"] == "reconfigure_successful"
        device = watched.world().device(f"watched_address:{watched.ids['X']}")
        assert device
        assert device.name == "X"
        assert watched.found("X", "protocol", "http_status") == ("http", "unknown")

        await watched.remove("X")
        assert watched.world().device(f"watched_address:{watched.ids['Web']}")
        devices = dr.async_entries_for_config_entry(
            dr.async_get(watched.hass), watched.entry.entry_id
        )
        assert [device.name for device in devices] == ["Web"]
        await watched.world().live(12 * MINUTE)
        assert len(web.requests) == 3


@pytest.mark.parametrize(
    "address, reason",
    [
        ("example.com", "invalid_address"),
        ("http://", "invalid_address"),
        ("https://ex ample.com", "invalid_address"),
        ("example.com:0", "invalid_address"),
        ("example.com:65536", "invalid_address"),
        ("http://[::1", "invalid_address"),
        ("", "invalid_address"),
        ("udp://example.com:53", "protocol_not_checkable"),
        ("file:///etc/passwd", "protocol_not_checkable"),
        (f"https://admin:{SECRET}@example.com/", "credentials_in_address"),
        (f"https://{SECRET}@example.com/", "credentials_in_address"),
    ],
)
async def test_invalid_addresses(
    watched: Watched, caplog: pytest.LogCaptureFixture, address: str, reason: str
) -> None:
    shown = await watched.begin(address=address, name="Mine")
    assert shown["errors"] == {"address": reason}
    assert not watched.hass.config_entries.async_entries(DOMAIN)
    await watched.begin(address="example.com:22")
    assert (await watched.add(address=address))["errors"] == {"address": reason}
    edited = await watched.edit("example.com:22", address=address, name="Y")
    assert edited["errors"] == {"address": reason}
    assert watched.ids.keys() == {"example.com:22"}
    assert SECRET not in caplog.text


async def test_each_address_once(watched: Watched) -> None:
    """Another spelling is the same address. All addresses share one entry."""
    await watched.begin(address="https://example.com", name="Mine")
    assert (await watched.begin(address="https://example.org"))["reason"] == "watched_configured"
    again = await watched.add(address="HTTPS://EXAMPLE.com:443/", name="Again")
    assert again["errors"] == {"address": "already_watched"}
    assert (await watched.add(address="https://example.com/other"))["type"] == "create_entry"
    edited = await watched.edit("example.com", address="https://example.com", name="Z")
    assert edited["errors"] == {"address": "already_watched"}
    # Its own address is accepted.
    kept = await watched.edit("Mine", address="https://example.com", name="Still mine")
    assert kept["reason"] == "reconfigure_successful"
    assert watched.ids.keys() == {"Still mine", "example.com"}


async def test_secrets_in_an_address(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """The query is sent, but not shown, not even in the dialog that edits the address."""
    async with listening(http_handler(OK)) as server:
        url = f"http://127.0.0.1:{server.port}/check"
        await watched.begin(address=f"{url}?key={SECRET}", name="Mine")
        assert SECRET.encode() in server.requests[0]
        form = await watched.edit("Mine")
        shown = {str(key): key.description for key in form["data_schema"].schema}
        assert shown["address"] == {"suggested_value": url}
        await watched.edit("Mine", address=url, name="Renamed")
        await watched.world().live(6 * MINUTE)
        assert SECRET.encode() in server.requests[-1]
        await watched.edit("Renamed", address=f"{url}?", name="Renamed")
        await watched.world().live(6 * MINUTE)
        assert SECRET.encode() not in server.requests[-1]
        await watched.edit("Renamed", address=f"{url}?key={SECRET}", name="Renamed")
    states = [state.as_dict() for state in watched.hass.states.async_all()]
    diagnostics = await async_get_config_entry_diagnostics(watched.hass, watched.entry)
    (subentry,) = watched.entry.subentries.values()
    assert SECRET not in f"{states} {diagnostics} {subentry.title} {subentry.unique_id}"
    assert SECRET not in caplog.text


@pytest.mark.filterwarnings(
    "ignore::aiohttp.web.NotAppKeyWarning"
)  # Home Assistant itself causes this warning.
async def test_only_administrators_add_addresses(
    watched: Watched, hass_client: ClientSessionGenerator, hass_admin_user: MockUser
) -> None:
    await watched.begin(address="example.com:22")
    await async_setup_component(watched.hass, "config", {})
    client = await hass_client()
    steps = {
        "/api/config/config_entries/flow": {"handler": DOMAIN},
        "/api/config/config_entries/subentries/flow": {
            "handler": [watched.entry.entry_id, "watched_address"]
        },
    }
    for path, body in steps.items():
        assert (await client.post(path, json=body)).status == HTTPStatus.OK
    hass_admin_user.groups = []
    for path, body in steps.items():
        assert (await client.post(path, json=body)).status == HTTPStatus.UNAUTHORIZED


async def test_an_address_goes_offline_and_online(watched: Watched) -> None:
    """It uses the triggers, the condition and the action of tunnels."""
    answering = listening(http_handler(OK))
    port = (await answering.__aenter__()).port
    await watched.begin(address=f"http://127.0.0.1:{port}", name="Web")
    world = watched.world()
    thing = f"watched_address:{watched.ids['Web']}"
    target = {"device_id": [world.device_id(thing)]}
    gone = await armed(watched.hass, "became_unreachable", target)
    back = await armed(watched.hass, "became_reachable", target)
    is_reachable = await asked(watched.hass, "is_reachable", target)
    assert is_reachable.async_check() is True

    await answering.__aexit__(None, None, None)
    await world.live(12 * MINUTE)
    reachable = world.entity_id("binary_sensor", thing, "reachable")
    assert (gone, back) == ([reachable], [])
    assert watched.found("Web", "verdict") == ("port_closed",)
    async with listening(http_handler(OK), port=port) as server:
        await world.live(12 * MINUTE)
        assert back == [reachable]
        assert is_reachable.async_check() is True
        await world.elapse(MINUTE)
        found = await world.call("check_reachability", device_id=world.device_id(thing))
        assert (found["verdict"], found["http_status"]) == ("reachable", 200)
        assert server.requests
    is_reachable.async_unload()


async def test_closed_immediately(watched: Watched) -> None:
    """No tunnel is involved whose local service could be missing."""
    async with listening(sends_banner(b"")) as server:
        pass
    async with listening(_hangs_up, port=server.port):
        await watched.begin(address=f"127.0.0.1:{server.port}", name="Mine")
        await watched.world().live(6 * MINUTE)
        assert watched.found("Mine", "reachable", "verdict") == ("off", "wrong_answer")


async def _hangs_up(*_: object) -> None:
    """Close a connection immediately."""


async def test_no_reauthentication(watched: Watched) -> None:
    await watched.begin(address="example.com:22")
    result = await watched.hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": watched.entry.entry_id}
    )
    assert result["reason"] == "no_account"
    assert not watched.entry.supports_options


async def test_the_entry_is_removed_meanwhile(watched: Watched) -> None:
    await watched.begin(address="example.com:22")
    entry_id = watched.entry.entry_id
    flow = watched.hass.config_entries.subentries
    await watched.hass.config_entries.async_remove(entry_id)
    with pytest.raises(HomeAssistantError):
        await flow.async_init((entry_id, "watched_address"), context={"source": SOURCE_USER})


async def test_the_interval_continues_after_a_reload(watched: Watched) -> None:
    """The result is known immediately, and the address is not checked before its time."""
    async with listening(http_handler(OK)) as server:
        await watched.begin(address=f"http://127.0.0.1:{server.port}", name="Web")
        for _ in range(5):
            await watched.hass.config_entries.async_reload(watched.entry.entry_id)
            await watched.settle()
            await watched.world().elapse(10)
        assert len(server.requests) == 1
        assert watched.found("Web", "reachable") == ("on",)
        await watched.world().live(6 * MINUTE)
        assert len(server.requests) == 2
