"""Tests the demo: its logins, its guide and its public addresses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
import re
import shlex

from aiohttp import ClientSession
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.tunnel_hub.api.chmlfrp import account_center
from custom_components.tunnel_hub.const import DOMAIN
from demo.__main__ import guide, parse
from demo.addresses import PublicAddress, listening
from demo.hass import LANGUAGES, Hass
from demo.logins import in_words, second_logins
from demo.program import Program
from demo.provider import Answers, Facts
from demo.providers import PROVIDERS
from demo.stage import Stage
from reference.words import Language
from simulator import SERVICES, Simulator
from simulator.chmlfrp import ChmlFrpService
from simulator.control import patch_state
from simulator.frp import FrpService
from simulator.hayfrp import HayFrpService

from .documents import EACH_LANGUAGE, code, page

LOGINS = [
    *((name, way) for name, each in PROVIDERS.items() for way in range(len(each.second) or 1)),
    ("watched", 0),
]
"""The providers, and for each the ways to sign in that the demo shows."""


@pytest.fixture
def services() -> tuple[str, ...]:
    return tuple(SERVICES)


@pytest.fixture
async def others() -> AsyncIterator[Simulator]:
    """Return another server of each service."""
    async with Simulator() as running:
        for name, provider in PROVIDERS.items():
            patch_state(running.services[provider.service or name], dict(provider.elsewhere))
        yield running


def facts_of(simulator: Simulator) -> Mapping[str, Facts]:
    return {name: service.facts for name, service in simulator.services.items()}


@pytest.fixture
def logins(simulator: Simulator, others: Simulator) -> dict[tuple[str, int], Answers]:
    """Return the logins that the demo shows, by provider and way."""
    guides = second_logins(facts_of(simulator), facts_of(others), "127.0.0.1:1")
    return dict(zip(LOGINS, guides, strict=True))


async def add(hass: HomeAssistant, answers: Answers) -> None:
    """Complete the config flow, and agree to a sign-in in a browser."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    for answer in answers:
        result = await flows.async_configure(result["flow_id"], dict(answer))
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        asked = result["description_placeholders"]
        assert asked
        await agree(asked["url"])
        await hass.async_block_till_done(wait_background_tasks=True)
        result = await flows.async_configure(result["flow_id"])
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def agree(url: str) -> None:
    """Submit the form of a page with its default values."""
    async with ClientSession(headers={"User-Agent": "Mozilla/5.0"}) as session:
        async with session.get(url) as response:
            page = await response.text()
        code, account = re.findall(r'name="user_code" value="(.+?)"|<option value="(.+?)"', page)[
            :2
        ]
        filled_in = {"user_code": code[0], "account": account[1], "decision": "approve"}
        async with session.post(url, data=filled_in, raise_for_status=True):
            pass


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("login", LOGINS)
async def test_a_second_account_can_be_added(
    hass: HomeAssistant,
    simulator: Simulator,
    logins: dict[tuple[str, int], Answers],
    login: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is added besides the demo's own account."""
    monkeypatch.setattr(account_center, "sleep", at_once)
    simulator.get(ChmlFrpService).state.settings.device_interval = 0
    name, _ = login
    own = PROVIDERS.get(name)
    if own is not None:
        await add(hass, own.answers(facts_of(simulator)[own.service or name]))

    await add(hass, logins[login])

    entries = hass.config_entries.async_entries(DOMAIN)
    assert len(entries) == (1 if own is None else 2)
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    assert len({entry.unique_id for entry in entries}) == len(entries)


def test_each_field_has_its_label(logins: dict[tuple[str, int], Answers]) -> None:
    guides = {login: list(in_words(answers, "en")) for login, answers in logins.items()}

    assert guides["hayfrp", 0][:3] == [
        "HayFrp → Sign in with username and password",
        "Username: other",
        "Password: other-password",
    ]
    assert guides["hayfrp", 0][3].startswith("Service address → Base URL: http://127.0.0.1:")
    assert guides["chmlfrp", 0][1].startswith("API token: ")
    assert guides["chmlfrp", 1][:2] == [
        "ChmlFrp → Sign in with a browser",
        "Client ID: demo-client",
    ]
    assert guides["frpc", 0][0] == (
        "frp (your own server or client) → frpc: the client, with its admin interface"
    )
    assert guides["hy2scale", 0][3:5] == ["Use HTTPS: off", "Username: admin"]
    assert guides["watched", 0] == ["Watched addresses (no account needed)", "Address: 127.0.0.1:1"]


@EACH_LANGUAGE
@pytest.mark.parametrize("name", ["README", "getting-started"])
def test_the_documented_commands_start_it_in_the_language_of_the_page(
    name: str, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(variable, "en_US.UTF-8")
    (commands,) = code(page(name, language), "sh")
    program, *arguments = shlex.split(commands.splitlines()[-1], comments=True)

    assert program == "scripts/demo"
    assert parse(arguments).language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_is_in_the_language_of_the_demo(
    logins: dict[tuple[str, int], Answers], language: str
) -> None:
    text = guide("http://127.0.0.1:1", list(logins.values()), language)

    lines = [line for line in text.splitlines() if line and "Tunnel Hub → HY2 SCALE" not in line]
    assert {bool(re.search(r"[\u3400-\u9fff]", line)) for line in lines} == {language == "zh-Hans"}
    assert "http://127.0.0.1:1/tunnel-hub" in text
    assert all(str(login[-1].get("base_url", "")) in text for login in logins.values())


@pytest.fixture
async def running(simulator: Simulator, tmp_path: Path) -> AsyncIterator[Stage]:
    """Start the demo's services and public addresses, without Home Assistant."""
    listeners = {name: does for each in PROVIDERS.values() for name, does in each.listening.items()}
    async with ClientSession() as session, listening(listeners) as addresses:
        stage = Stage(
            session=session,
            program=Program("none", [], home=tmp_path, log=tmp_path / "log"),
            hass=Hass(session, ""),
            services=dict(facts_of(simulator)),
            entries={},
            addresses=addresses,
        )
        for provider in PROVIDERS:
            await stage.prepare_service(provider, tidy=False)
        yield stage


async def answers(address: PublicAddress) -> bool:
    """Return whether the port of a public address accepts connections."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", address.port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def open_now(running: Stage) -> set[str]:
    await running.follow()
    return {name for name, address in running.addresses.items() if await answers(address)}


CLOSED_AT_FIRST = {"wh.frp.example.com:20002", "photos.example.com:443"}
"""The addresses of a tunnel without a client, and of one whose node is in maintenance."""


async def test_a_public_address_answers_while_its_client_is_connected(running: Stage) -> None:
    assert await open_now(running) == set(running.addresses) - CLOSED_AT_FIRST

    await running.patch("chmlfrp", {"tunnels.2.client_running": True, "nodes.*.state": "online"})

    assert await open_now(running) == set(running.addresses)


async def test_a_forced_down_tunnel_is_closed_until_its_client_returns(
    running: Stage, simulator: Simulator
) -> None:
    address = "suzhou.frp.example.com:10001"
    hayfrp = simulator.get(HayFrpService)
    async with ClientSession(hayfrp.url, headers={"waf": "off"}) as session:

        async def ask(path: str, **fields: str) -> Mapping[str, str]:
            async with session.post(path, json=fields) as response:
                answer: Mapping[str, str] = await response.json()
                return answer

        login = {"user": hayfrp.account.username, "passwd": hayfrp.account.password}
        csrf = (await ask("/user", type="login", **login))["token"]
        own = {"csrf": csrf, "id": "1"}

        await ask("/proxy", type="toggle", toggle="false", **own)
        assert address not in await open_now(running)
        await ask("/proxy", type="forcedown", **own)
        hayfrp.advance(3600)
        assert address not in await open_now(running)

        await ask("/proxy", type="toggle", toggle="true", **own)
        assert address not in await open_now(running)
        hayfrp.advance(20)
        assert address in await open_now(running)

        await ask("/proxy", type="forcedown", **own)
        assert address not in await open_now(running)
        hayfrp.advance(20)
        assert address in await open_now(running)


async def test_a_disconnected_client_of_chmlfrp_returns(
    running: Stage, simulator: Simulator
) -> None:
    chmlfrp = simulator.get(ChmlFrpService)
    chmlfrp.kick(chmlfrp.state.tunnels["1"])
    assert "cd.frp.example.com:20001" not in await open_now(running)

    chmlfrp.advance(20)
    assert "cd.frp.example.com:20001" in await open_now(running)


async def test_frp_tunnels_are_closed_with_their_client(
    running: Stage, simulator: Simulator
) -> None:
    frp = simulator.get(FrpService).state

    frp.client.store["camera"]["enabled"] = False
    assert "frp.example.com:6101" not in await open_now(running)
    frp.client.store["camera"]["enabled"] = True
    assert "frp.example.com:6101" in await open_now(running)

    for proxy in frp.server.proxies.values():
        proxy.online = False
    of_server = {"127.0.0.1:6001", "web.example.test:8088", "shop.example.com:8443"}
    assert not of_server & await open_now(running)


async def test_an_address_that_another_program_closed_stays_closed(running: Stage) -> None:
    """Another program has closed the port, so that the tunnel fails."""
    broken = running.addresses["nas.example.com:443"]
    await broken.close()
    assert "nas.example.com:443" not in await open_now(running)

    await broken.open()
    assert "nas.example.com:443" in await open_now(running)


async def test_addresses_are_updated_automatically(running: Stage, simulator: Simulator) -> None:
    address = "cd.frp.example.com:20001"
    chmlfrp = simulator.get(ChmlFrpService)
    chmlfrp.kick(chmlfrp.state.tunnels["1"])
    async with running.following(), asyncio.timeout(10):
        while await answers(running.addresses[address]):
            pass

    chmlfrp.advance(20)
    assert not await answers(running.addresses[address])
