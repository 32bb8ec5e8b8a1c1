"""Tests that entities, options and actions follow from a provider's capabilities and values."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.tunnel_hub import api
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.flows import FLOWS
from custom_components.tunnel_hub.services import ACTIONS
from simulator.hayfrp import HayFrpService

from .common import MINUTE, World
from .minimal_provider import DisconnectingProvider, MinimalProvider


@pytest.fixture
def minimal_entry(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return the entry of an account whose provider has a minimum of capabilities."""
    monkeypatch.setitem(api.PROVIDER_CLASSES, "minimal", MinimalProvider)
    return _entry(hass)


@pytest.fixture
def disconnecting_entry(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return the entry of an account whose provider can disconnect clients."""
    monkeypatch.setitem(api.PROVIDER_CLASSES, "minimal", DisconnectingProvider)
    return _entry(hass)


def _entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain=DOMAIN, entry_id="minimal", title="Modest", data={"provider": "minimal"}
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def minimal(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    minimal_entry: MockConfigEntry,
) -> World:
    """Set up only the account with a minimum of capabilities."""
    return World(hass, freezer, hayfrp, minimal_entry)


@pytest.fixture
def disconnecting(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    disconnecting_entry: MockConfigEntry,
) -> World:
    """Set up only the account that can disconnect clients."""
    return World(hass, freezer, hayfrp, disconnecting_entry)


def names(world: World) -> set[str]:
    """Return the entities, as platform and unique id."""
    return {f"{entity.domain} {entity.unique_id}" for entity in world.registered()}


async def test_entities_follow_from_capabilities(minimal: World) -> None:
    await minimal.set_up()

    assert names(minimal) == {
        "sensor minimal:account:account:traffic_left",
        "binary_sensor minimal:tunnel:1:online",
    }
    assert minimal.value("sensor", "account:account", "traffic_left") == "1.0"


async def test_a_capability_brings_its_entities(disconnecting: World) -> None:
    await disconnecting.set_up()

    assert names(disconnecting) == {
        "sensor minimal:account:account:traffic_left",
        "binary_sensor minimal:tunnel:1:online",
        "button minimal:tunnel:1:force_offline",
        "switch minimal:tunnel:1:force_down",
    }


async def test_options_follow_from_capabilities(minimal: World) -> None:
    await minimal.set_up()

    result = await minimal.hass.config_entries.options.async_init(minimal.entry.entry_id)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_options")


VALUES: dict[str, object] = {
    "connections": "tcp://192.0.2.7:11010",
    "ports": "5565/udp",
    "positions": {},
    "region": "domestic",
    "type": "domain",
}
"""Valid values of fields that do not accept any text."""


async def test_actions_follow_from_capabilities(minimal: World) -> None:
    await minimal.set_up()
    subjects = (
        {"config_entry_id": minimal.entry.entry_id},
        {"device_id": minimal.device_id("tunnel:1")},
    )

    for name, action in ACTIONS.items():
        # Home Assistant checks the reachability of an address itself.
        if name == "check_reachability" or (action.kinds and Tunnel.kind not in action.kinds):
            continue
        needed = {
            str(field): VALUES.get(str(field), "1")
            for field in action.fields
            if isinstance(field, vol.Required)
        }

        with pytest.raises(HomeAssistantError) as refused:
            await minimal.call(name, **subjects[bool(action.kinds)], **needed)

        assert refused.value.translation_key == "unsupported", name


async def test_a_config_flow_asks_for_an_id_that_a_provider_cannot_return(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api.PROVIDER_CLASSES, "hayfrp", MinimalProvider)
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": "user"})
    for step in ("hayfrp", "hayfrp_recover"):
        result = await flow.async_configure(result["flow_id"], {"next_step_id": step})

    result = await flow.async_configure(result["flow_id"], {"username": "demo", "advanced": {}})

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "unsupported"}


async def test_force_down_without_disabling(disconnecting: World) -> None:
    """If a tunnel cannot be disabled, its client is disconnected whenever it connects."""
    await disconnecting.set_up()
    provider = disconnecting.entry.runtime_data.provider
    assert isinstance(provider, DisconnectingProvider)

    await disconnecting.act("switch", "turn_on", "tunnel:1", "force_down")
    assert provider.kicks == 1
    await disconnecting.elapse(MINUTE)
    assert disconnecting.value("binary_sensor", "tunnel:1", "online") == "off"

    provider.tunnel = Tunnel(id="1", name="only", online=True)
    await disconnecting.elapse(2 * MINUTE)
    assert provider.kicks == 2

    await disconnecting.act("switch", "turn_off", "tunnel:1", "force_down")
    provider.tunnel = Tunnel(id="1", name="only", online=True)
    await disconnecting.live(10 * MINUTE)
    assert provider.kicks == 2


async def test_force_down_is_refused(disconnecting: World) -> None:
    await disconnecting.set_up()
    disconnecting.entry.runtime_data.provider.failure = RejectedError("不行")

    with pytest.raises(HomeAssistantError, match="不行"):
        await disconnecting.act("switch", "turn_on", "tunnel:1", "force_down")

    assert disconnecting.value("switch", "tunnel:1", "force_down") == "off"


@pytest.mark.parametrize(
    "error, reason, state",
    [
        (AuthenticationError("不行"), "不行", ConfigEntryState.SETUP_ERROR),
        (RejectedError("不行"), "不行", ConfigEntryState.SETUP_RETRY),
        (
            InvalidInputError("unknown_node", node="9"),
            'no node "9" in service',
            ConfigEntryState.SETUP_RETRY,
        ),
        (UnsupportedError(), "does not support this feature", ConfigEntryState.SETUP_RETRY),
        (TunnelHubError(), "Unexpected error", ConfigEntryState.SETUP_RETRY),
        (
            UnavailableError(Reason.RATE_LIMITED, retry_after=30),
            "Too many requests",
            ConfigEntryState.SETUP_RETRY,
        ),
        *(
            (UnavailableError(reason, "detail"), "", ConfigEntryState.SETUP_RETRY)
            for reason in Reason
        ),
    ],
)
async def test_every_error_has_a_translation(
    minimal: World,
    monkeypatch: pytest.MonkeyPatch,
    error: TunnelHubError,
    reason: str,
    state: ConfigEntryState,
) -> None:
    monkeypatch.setattr(MinimalProvider, "failure", error)
    monkeypatch.setitem(FLOWS, "minimal", FLOWS["hayfrp"])

    await minimal.set_up()

    assert minimal.entry_state() is state
    assert minimal.entry.reason
    assert reason in minimal.entry.reason
    assert "{" not in minimal.entry.reason
