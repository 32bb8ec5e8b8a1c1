"""What the demo tells a person: logins that add other accounts than the demo's."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.tunnel_hub.api.chmlfrp import account_center
from custom_components.tunnel_hub.const import DOMAIN
from demo.logins import Answers, in_words, second_logins
from demo.provider import Facts
from demo.providers import PROVIDERS
from simulator import SERVICES, Simulator
from simulator.chmlfrp import ChmlFrpService
from simulator.control import patch_state

NAMES = [*PROVIDERS, "watched"]


@pytest.fixture
def services() -> tuple[str, ...]:
    return tuple(SERVICES)


@pytest.fixture
async def others() -> AsyncIterator[Simulator]:
    """Another server of each service."""
    async with Simulator() as running:
        for name, provider in PROVIDERS.items():
            patch_state(running.services[provider.service or name], dict(provider.elsewhere))
        yield running


def facts_of(simulator: Simulator) -> Mapping[str, Facts]:
    return {name: service.facts for name, service in simulator.services.items()}


@pytest.fixture
def logins(simulator: Simulator, others: Simulator) -> dict[str, Answers]:
    """The logins that the demo tells, by provider."""
    told = second_logins(facts_of(simulator), facts_of(others), "127.0.0.1:1")
    return dict(zip(NAMES, told, strict=True))


async def add(hass: HomeAssistant, answers: Answers) -> ConfigFlowResult:
    """Answer the config flow."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    for answer in answers:
        result = await flows.async_configure(result["flow_id"], dict(answer))
    return result


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", NAMES)
async def test_a_second_account_can_be_added(
    hass: HomeAssistant,
    simulator: Simulator,
    logins: dict[str, Answers],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside the demo's own account."""
    monkeypatch.setattr(account_center, "sleep", at_once)
    simulator.get(ChmlFrpService).state.settings.device_interval = 0
    if name in PROVIDERS:
        own = PROVIDERS[name].answers(facts_of(simulator)[PROVIDERS[name].service or name])
        result = await add(hass, own)
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            asked = result["description_placeholders"]
            assert asked
            simulator.get(ChmlFrpService).approve(asked["user_code"])
            await hass.async_block_till_done(wait_background_tasks=True)
            await hass.config_entries.flow.async_configure(result["flow_id"])

    result = await add(hass, logins[name])

    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entries = hass.config_entries.async_entries(DOMAIN)
    assert len(entries) == (2 if name in PROVIDERS else 1)
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    assert len({entry.unique_id for entry in entries}) == len(entries)


def test_each_field_has_its_label(logins: dict[str, Answers]) -> None:
    told = {name: list(in_words(login)) for name, login in logins.items()}

    assert told["hayfrp"][:3] == [
        "HayFrp → Sign in with username and password",
        "Username: other",
        "Password: other-password",
    ]
    assert told["hayfrp"][3].startswith("Service address → Base URL: http://127.0.0.1:")
    assert told["chmlfrp"][1].startswith("API token: ")
    assert told["frpc"][0] == (
        "frp (your own server or client) → frpc: the client, with its admin API"
    )
    assert told["hy2scale"][3:5] == ["Use HTTPS: off", "Username: admin"]
    assert told["watched"] == ["Watched addresses (no account needed)", "Address: 127.0.0.1:1"]
