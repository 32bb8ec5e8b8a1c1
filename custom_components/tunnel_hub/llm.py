"""Tools for language models that control Home Assistant through Assist."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, override

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)
import voluptuous as vol

from .assist import COMMANDS, Assist, RefusedError, async_assist, enabled_entries
from .const import DOMAIN

_READ_ONLY = ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False)
_COMMAND = ToolAnnotations(destructive=True, idempotent=True, open_world=True)

_SOON = 30
"""Days."""

PROMPT = (
    "Tunnel Hub connects services at home to the internet through tunnels. Use its tools for "
    "tunnels, their traffic, certificates and connected users. They only know what is exposed. "
    "If is_complete is false, say that what is not exposed to Assist is missing. Nothing is known "
    "at the moment of the accounts in no_current_data."
)


class _Tool(Tool, ABC):
    """A tool of the integration."""

    integration = DOMAIN

    def __init__(self, name: str, title: str, description: str) -> None:
        self.name = f"{DOMAIN}__{name}"
        self.title = title
        self.description = description

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Return the answer, or the reason why there is none."""
        assist = await async_assist(
            hass,
            assistant=llm_context.assistant,
            context=llm_context.context,
            language=llm_context.language or hass.config.language,
        )
        arguments = self.parameters(tool_input.tool_args)
        try:
            return ToolResult(data=await self._answer(assist, arguments))
        except RefusedError as err:
            message = assist.text(f"common.{err.key}", **err.names)
            return ToolResult(data={"error": message}, error=True)

    @abstractmethod
    async def _answer(self, assist: Assist, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer; raises RefusedError."""


class _Question(_Tool):
    """Asks a question.

    ask: returns the answer; its arguments are those of the tool.
    """

    annotations = _READ_ONLY

    def __init__(
        self,
        name: str,
        title: str,
        description: str,
        ask: Callable[..., list[dict[str, Any]]],
        parameters: vol.Schema | None = None,
    ) -> None:
        super().__init__(name, title, description)
        self._ask = ask
        if parameters is not None:
            self.parameters = parameters

    @override
    async def _answer(self, assist: Assist, arguments: Mapping[str, Any]) -> dict[str, Any]:
        found = self._ask(assist, **arguments)
        silent = {"no_current_data": sorted(assist.silent)} if assist.silent else {}
        return {"found": found, "is_complete": not assist.leaves_out, **silent}


class _TunnelCommand(_Tool):
    """Runs a command for a tunnel."""

    annotations = _COMMAND
    parameters = vol.Schema(
        {vol.Required("tunnel"): str, vol.Required("command"): vol.In(sorted(COMMANDS))}
    )

    @override
    async def _answer(self, assist: Assist, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"done": await assist.command(arguments["tunnel"], arguments["command"])}


class _SignIn(_Tool):
    """Signs in to all accounts."""

    annotations = _COMMAND

    @override
    async def _answer(self, assist: Assist, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"signed_in": await assist.sign_in()}


TOOLS: list[Tool] = [
    _Question(
        "get_certificates",
        "Get ending certificates",
        "Get the TLS certificates that end within a number of days, or have ended.",
        Assist.certificates,
        vol.Schema({vol.Optional("days", default=_SOON): vol.All(int, vol.Range(min=0, max=3650))}),
    ),
    _Question(
        "get_connected",
        "Get who is connected",
        "Get the users, clients and mesh peers that are connected now.",
        Assist.connected,
    ),
    _Question(
        "get_traffic",
        "Get remaining traffic",
        "Get how much traffic accounts, users and relay nodes have left in GiB, and until when it "
        "lasts with the use of the last week, if that is known.",
        Assist.traffic,
    ),
    _Question(
        "get_tunnels_down",
        "Get tunnels that are down",
        "Get the tunnels and watched addresses that are not usable from the internet, where each "
        "of them breaks, and what to do about it. The user has turned off what is switched_off.",
        Assist.down,
    ),
    _SignIn(
        "sign_in",
        "Sign in for today",
        "Do the daily sign-in of the tunnel accounts, which rewards them with traffic.",
    ),
    _TunnelCommand(
        "command_tunnel",
        "Control a tunnel",
        "Hold a tunnel down, so that its client cannot reconnect, or release it; enable or disable "
        "it at the service.",
    ),
]


@callback
def async_get_tools(hass: HomeAssistant, llm_context: LLMContext, api_id: str) -> LLMTools | None:
    """Return the tools if there is an account."""
    if api_id != LLM_API_ASSIST or not enabled_entries(hass):
        return None
    return LLMTools(tools=TOOLS, prompt=PROMPT)
