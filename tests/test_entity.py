"""What follows from what a provider can do and tell, and from nothing else."""

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
from .minimal_provider import KickingProvider, ModestProvider


@pytest.fixture
def modest_entry(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """An account at a provider that can do next to nothing."""
    monkeypatch.setitem(api.PROVIDER_CLASSES, "modest", ModestProvider)
    return _entry(hass)


@pytest.fixture
def kicking_entry(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """An account at a provider that can disconnect clients."""
    monkeypatch.setitem(api.PROVIDER_CLASSES, "modest", KickingProvider)
    return _entry(hass)


def _entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain=DOMAIN, entry_id="modest", title="Modest", data={"provider": "modest"}
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def modest(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    modest_entry: MockConfigEntry,
) -> World:
    """Home Assistant with the modest account only."""
    return World(hass, freezer, hayfrp, modest_entry)


@pytest.fixture
def kicking(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    kicking_entry: MockConfigEntry,
) -> World:
    """Home Assistant with the kicking account only."""
    return World(hass, freezer, hayfrp, kicking_entry)


def names(world: World) -> set[str]:
    """Return the entities, as platform and unique id."""
    return {f"{entity.domain} {entity.unique_id}" for entity in world.registered()}


async def test_entities_follow_from_capabilities(modest: World) -> None:
    await modest.set_up()

    assert names(modest) == {
        "sensor modest:account:account:traffic_left",
        "binary_sensor modest:tunnel:1:online",
    }
    assert modest.value("sensor", "account:account", "traffic_left") == "1.0"


async def test_a_capability_brings_its_entities(kicking: World) -> None:
    await kicking.set_up()

    assert names(kicking) == {
        "sensor modest:account:account:traffic_left",
        "binary_sensor modest:tunnel:1:online",
        "button modest:tunnel:1:force_offline",
        "switch modest:tunnel:1:force_down",
    }


async def test_options_follow_from_capabilities(modest: World) -> None:
    await modest.set_up()

    result = await modest.hass.config_entries.options.async_init(modest.entry.entry_id)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_options")


MEANT: dict[str, object] = {
    "connections": "tcp://192.0.2.7:11010",
    "ports": "5565/udp",
    "positions": {},
    "region": "domestic",
    "type": "domain",
}
"""What fields mean that do not take just anything."""


async def test_actions_follow_from_capabilities(modest: World) -> None:
    await modest.set_up()
    subjects = (
        {"config_entry_id": modest.entry.entry_id},
        {"device_id": modest.device_id("tunnel:1")},
    )

    for name, action in ACTIONS.items():
        # Home Assistant checks the reachability of an address itself.
        if name == "check_reachability" or (action.kinds and Tunnel.kind not in action.kinds):
            continue
        needed = {
            str(field): MEANT.get(str(field), "1")
            for field in action.fields
            if isinstance(field, vol.Required)
        }

        with pytest.raises(HomeAssistantError) as refused:
            await modest.call(name, **subjects[bool(action.kinds)], **needed)

        assert refused.value.translation_key == "unsupported", name


async def test_a_flow_asks_for_what_a_provider_cannot(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api.PROVIDER_CLASSES, "hayfrp", ModestProvider)
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": "user"})
    for step in ("hayfrp", "hayfrp_recover"):
        result = await flow.async_configure(result["flow_id"], {"next_step_id": step})

    result = await flow.async_configure(result["flow_id"], {"username": "demo", "advanced": {}})

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "unsupported"}


async def test_holding_down_by_throwing_off_alone(kicking: World) -> None:
    """Where a tunnel cannot be disabled, its client is disconnected whenever it is back."""
    await kicking.set_up()
    provider = kicking.entry.runtime_data.provider
    assert isinstance(provider, KickingProvider)

    await kicking.act("switch", "turn_on", "tunnel:1", "force_down")
    assert provider.kicks == 1
    await kicking.elapse(MINUTE)
    assert kicking.value("binary_sensor", "tunnel:1", "online") == "off"

    provider.tunnel = Tunnel(id="1", name="only", online=True)
    await kicking.elapse(2 * MINUTE)
    assert provider.kicks == 2

    await kicking.act("switch", "turn_off", "tunnel:1", "force_down")
    provider.tunnel = Tunnel(id="1", name="only", online=True)
    await kicking.live(10 * MINUTE)
    assert provider.kicks == 2


async def test_a_refused_throw_is_no_hold(kicking: World) -> None:
    await kicking.set_up()
    kicking.entry.runtime_data.provider.failure = RejectedError("不行")

    with pytest.raises(HomeAssistantError, match="不行"):
        await kicking.act("switch", "turn_on", "tunnel:1", "force_down")

    assert kicking.value("switch", "tunnel:1", "force_down") == "off"


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
async def test_every_error_has_its_words(
    modest: World,
    monkeypatch: pytest.MonkeyPatch,
    error: TunnelHubError,
    reason: str,
    state: ConfigEntryState,
) -> None:
    monkeypatch.setattr(ModestProvider, "failure", error)
    monkeypatch.setitem(FLOWS, "modest", FLOWS["hayfrp"])

    await modest.set_up()

    assert modest.entry_state() is state
    assert modest.entry.reason
    assert reason in modest.entry.reason
    assert "{" not in modest.entry.reason
