"""Starts the demo in one context: simulator, Home Assistant and accounts."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from .addresses import Behavior, PublicAddress, closed_port, listening
from .hass import Hass, free_port, prepare
from .home_assistant import OTHERS
from .program import Program
from .progress import DemoError, step, until
from .provider import Facts, State
from .providers import PROVIDERS

DOMAIN = "tunnel_hub"
FAILURES = (ClientError, DemoError, TimeoutError)

CHECKOUT = Path(__file__).resolve().parent.parent
_ENTRIES = "/api/config/config_entries/entry"
_FLOW = "/api/config/config_entries/flow"
_ANSWERING = ClientTimeout(total=30)
_STARTING = 120.0
"""Seconds, for slow machines that compile all of Home Assistant first."""
_BROWSER = {"User-Agent": "Mozilla/5.0"}
"""The services' firewalls reject programs without a User-Agent of their own."""
_APPROVING = 30.0
"""Seconds; the account center is polled every five."""
_FOLLOWING = 1.0
"""Seconds between two reads of which tunnels are connected."""
_WANTS_RESTART = 100
"""The exit code of Home Assistant that requests a restart."""
_LAST_LINES = 20


@dataclass(slots=True, kw_only=True)
class Stage:
    """The running programs.

    services: the simulated ones. entries: ids of the accounts' entries, by provider.
    addresses: the public addresses of tunnels with a server, by "host:port".
    """

    session: ClientSession
    program: Program
    hass: Hass
    services: dict[str, Facts]
    entries: dict[str, str]
    addresses: Mapping[str, PublicAddress] = field(default_factory=dict)

    async def start(self) -> None:
        """Waits until Home Assistant has started, and signs in."""

        async def _not_up() -> str:
            self.program.require_running()
            return "" if await self.hass.is_up() else "Home Assistant does not answer"

        async def _not_started() -> str:
            self.program.require_running()
            config = await self.hass.get("/api/config")
            return "" if config["state"] == "RUNNING" else "Home Assistant is still starting"

        await until(_not_up, _STARTING)
        await self.hass.sign_in()
        await until(_not_started, _STARTING)

    def facts(self, provider: str) -> Facts:
        """Returns the facts of the service of a provider."""
        return self.services[service_of(provider)]

    async def prepare_service(self, provider: str, *, tidy: bool) -> None:
        """Prepares the service and the public addresses of an account before it is added."""
        facts = PROVIDERS[provider]
        await self.patch(provider, {**facts.changes, **(facts.tidy if tidy else {})})
        await self.follow()

    async def follow(self) -> None:
        """Opens only the public addresses of tunnels that are connected at the services."""
        connected: set[str] = set()
        for facts in self.services.values():
            url = f"{facts['url']}/_control/addresses"
            async with self.session.get(url, raise_for_status=True) as response:
                connected.update(await response.json())
        for name, address in self.addresses.items():
            await address.follow(connected=name in connected)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Updates the public addresses continuously."""

        async def _follow() -> None:
            while True:
                # A service may have ended, which is reported elsewhere; a port may be in use
                # briefly.
                with suppress(ClientError, OSError):
                    await self.follow()
                await asyncio.sleep(_FOLLOWING)

        task = asyncio.create_task(_follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def add_account(self, provider: str) -> str:
        """Adds the demo account with the config flow; returns its title."""
        flow = await self.hass.post(_FLOW, {"handler": DOMAIN})
        for answer in PROVIDERS[provider].answers(self.facts(provider)):
            flow = await self.hass.post(f"{_FLOW}/{flow['flow_id']}", answer)
            if flow["type"] == "progress":
                flow = await self._approve(flow)
            if flow.get("errors"):
                raise DemoError(f"The config flow shows {flow['errors']} at {flow['step_id']}")
        if flow["type"] != "create_entry":
            raise DemoError(f"The config flow ended with {flow}")
        entry = flow["result"]
        if entry["state"] != "loaded":
            raise DemoError(f"{entry['title']} is in state {entry['state']}: {entry['reason']}")
        self.entries[provider] = entry["entry_id"]
        title: str = flow["title"]
        return title

    async def remove_account(self, provider: str) -> None:
        """Removes the demo account."""
        await self.hass.delete(f"{_ENTRIES}/{self.entries.pop(provider)}")

    async def reload_account(self, provider: str) -> None:
        """Reloads the account's entry."""
        await self.hass.post(f"{_ENTRIES}/{self.entries[provider]}/reload", {})

    async def speak(self, language: str) -> None:
        """Sets the language of entity names."""
        await self.hass.command("config/core/update", language=language)
        await asyncio.gather(*map(self.reload_account, self.entries))

    async def expose_traffic(self) -> None:
        """Exposes the traffic sensors to Assist, which Home Assistant does not do by default."""
        entities = await self.hass.command("config/entity_registry/list")
        await self.hass.command(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=[
                entity["entity_id"]
                for entity in entities
                if entity["platform"] == DOMAIN and entity["unique_id"].endswith(":traffic_left")
            ],
            should_expose=True,
        )

    async def entry_of(self, provider: str) -> dict[str, Any]:
        """Returns the entry of an account."""
        entries: list[dict[str, Any]] = await self.hass.get(f"{_ENTRIES}?domain={DOMAIN}")
        (entry,) = [each for each in entries if each["entry_id"] == self.entries[provider]]
        return entry

    async def others(self) -> list[dict[str, Any]]:
        """Returns the entries of accounts that the user has added."""
        entries = await self.hass.get(f"{_ENTRIES}?domain={DOMAIN}")
        return [entry for entry in entries if entry["entry_id"] not in self.entries.values()]

    async def _approve(self, flow: dict[str, Any]) -> dict[str, Any]:
        """Approves a sign-in as in a browser, and waits until the flow continues."""
        asked = flow["description_placeholders"]
        decision = {"user_code": asked["user_code"], "decision": "approve"}
        async with self.session.post(
            asked["url"], data=decision, headers=_BROWSER, raise_for_status=True
        ):
            pass

        async def _waits() -> str:
            nonlocal flow
            for entry in await self.others():
                if entry["state"] == "loaded":
                    flow = {"type": "create_entry", "title": entry["title"], "result": entry}
                    return ""
            # A flow that ended in the meantime no longer exists.
            with suppress(DemoError):
                flow = await self.hass.get(f"{_FLOW}/{flow['flow_id']}")
            return "The config flow still waits" if flow["type"] == "progress" else ""

        await until(_waits, _APPROVING)
        return flow

    async def state_of(self, provider: str) -> State:
        """Returns the state of a simulated service."""
        url = f"{self.facts(provider)['url']}/_control/state"
        async with self.session.get(url, raise_for_status=True) as response:
            state: State = await response.json()
        return state

    async def patch(self, provider: str, changes: State) -> None:
        """Changes values of the state of a simulated service."""
        await _patch(self.session, self.facts(provider), changes)

    async def serve(self) -> None:
        """Keeps Home Assistant running, including restarts; raises DemoError."""
        while await asyncio.to_thread(self.program.wait) == _WANTS_RESTART:
            with step("Home Assistant, restarted"):
                self.program.start()
                await self.start()
        self.program.require_running()


async def _patch(session: ClientSession, facts: Facts, changes: State) -> None:
    url = f"{facts['url']}/_control/state"
    async with session.patch(url, json=changes, raise_for_status=True):
        pass


def service_of(provider: str) -> str:
    """Returns the simulated service of a provider."""
    return PROVIDERS[provider].service or provider


def home_assistant(home: Path, ports: Mapping[str, int]) -> Program:
    """Returns the Home Assistant program with its configuration folder in `home`.

    ports: by name, see home_assistant.py.
    """
    config = str(home / "config")
    # requirements_test.txt contains the packages that it would install.
    return Program(
        "demo.home_assistant",
        [config, json.dumps(ports), "--config", config, "--skip-pip", "--log-no-color"],
        home=CHECKOUT,
        log=home / "homeassistant.log",
    )


@asynccontextmanager
async def stage(
    providers: Iterable[str],
    archive: Path | None = None,
    *,
    language: str = "en",
    tidy: bool = False,
) -> AsyncIterator[Stage]:
    """Starts everything, adds the accounts, and removes everything at the end.

    archive, language: see prepare.
    tidy: whether to apply Provider.tidy first.
    """
    with TemporaryDirectory(prefix=".demo-", dir=CHECKOUT) as name:
        home = Path(name)
        port = free_port()
        prepare(home / "config", CHECKOUT, port, archive, language)
        simulator = _simulator(home, map(service_of, providers))
        async with AsyncExitStack() as stack:
            addresses = await stack.enter_async_context(listening(_behaviors(providers)))
            ports = {address: public.port for address, public in addresses.items()}
            ports[OTHERS] = stack.enter_context(closed_port())
            program = home_assistant(home, ports)
            stack.enter_context(simulator)
            stack.enter_context(program)
            try:
                async with ClientSession(timeout=_ANSWERING) as session:
                    hass = Hass(session, f"http://127.0.0.1:{port}")
                    with step("simulator") as current:
                        services = await _services(simulator)
                        current.result = ", ".join(facts["url"] for facts in services.values())
                    running = Stage(
                        session=session,
                        program=program,
                        hass=hass,
                        services=services,
                        entries={},
                        addresses=addresses,
                    )
                    with step("Home Assistant") as current:
                        await running.start()
                        current.result = hass.url
                    for provider in providers:
                        with step(f"account at {provider}") as current:
                            await running.prepare_service(provider, tidy=tidy)
                            current.result = await running.add_account(provider)
                    async with running.following():
                        yield running
            except FAILURES as err:
                for program_ in (simulator, program):
                    _add_last_lines(err, program_)
                raise


@asynccontextmanager
async def more_services(session: ClientSession) -> AsyncIterator[dict[str, Facts]]:
    """Starts further simulated servers of services with only one account."""
    only = [name for name, provider in PROVIDERS.items() if not provider.second]
    with (
        TemporaryDirectory(prefix=".demo-", dir=CHECKOUT) as home,
        _simulator(Path(home), map(service_of, only)) as simulator,
    ):
        services = await _services(simulator)
        for name in only:
            await _patch(session, services[service_of(name)], PROVIDERS[name].elsewhere)
        yield services


def _simulator(home: Path, services: Iterable[str]) -> Program:
    return Program(
        "simulator",
        ["--json", "--services", *dict.fromkeys(services)],
        home=CHECKOUT,
        log=home / "simulator.log",
    )


def _behaviors(providers: Iterable[str]) -> Mapping[str, Behavior]:
    """Returns the servers at the public addresses of the accounts' tunnels."""
    return {
        address: behavior
        for provider in providers
        for address, behavior in PROVIDERS[provider].listening.items()
    }


async def _services(simulator: Program) -> dict[str, Facts]:
    """Returns the facts of the services when the simulator is ready."""

    async def _silent() -> str:
        simulator.require_running()
        return "" if simulator.output.endswith("\n") else "The simulator has not started"

    await until(_silent, _STARTING)
    services: dict[str, Facts] = json.loads(simulator.output.splitlines()[-1])
    return services


def _add_last_lines(err: BaseException, program: Program) -> None:
    """Adds the last output of a program to an error."""
    lines = program.output.splitlines()[-_LAST_LINES:]
    if lines:
        err.add_note("\n".join((f"The last lines of {program.module}:", *lines)))
