"""Tests Assist's pipelines, one with Home Assistant's own agent and one with a language model.

The model is simulated: it calls the tool that a test names, over Home Assistant's API, and repeats
the answer.
"""

import json
from typing import Any, Literal, override

from homeassistant.components.conversation import (
    AbstractConversationAgent,
    AssistantContent,
    ConversationInput,
    ConversationResult,
    async_get_chat_log,
    async_get_result_from_chat_log,
    async_set_agent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.chat_session import async_get_chat_session
from homeassistant.helpers.llm import LLM_API_ASSIST, ToolInput
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.tunnel_hub.const import DOMAIN

from .assist import expose, name_of, set_up_assist
from .common import MINUTE, SMALL, World
from .test_assist import ANSWERS, LANGUAGES, ORDER, SAID

pytestmark = [
    SMALL,
    # Home Assistant itself causes this warning.
    pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning"),
]

OWN = "conversation.home_assistant"
MODEL = "model"
COMMAND = f"{DOMAIN}__command_tunnel"

OF_OTHERS = (
    ("Why is the kitchen lamp down?", "为什么厨房灯离线了？"),
    ("Why is {tunnel} slow?", "为什么{tunnel}很慢？"),
    ("Who is connected to my VPN?", "谁连着我的VPN？"),
    ("Release the hounds", "恢复出厂设置"),
)
"""Questions that do not concern the account."""


@pytest.fixture
async def home(world: World) -> World:
    """Return Home Assistant with a pipeline for each language. The first tunnel is exposed."""
    await set_up_assist(world)
    assert await async_setup_component(world.hass, "assist_pipeline", {})
    for key in ("enabled", "force_down"):
        expose(world, "switch", "tunnel:1", key)
    expose(world, "button", "account:account", "sign_in")
    return world


@pytest.fixture
async def client(home: World, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    """Return the owner's WebSocket connection."""
    return await hass_ws_client(home.hass)


class Model(AbstractConversationAgent):
    """A simulated language model. wanted: the tool that it calls. heard: its input."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.heard: list[str] = []
        self.wanted = ToolInput(f"{DOMAIN}__get_tunnels_down", {})

    @property
    @override
    def supported_languages(self) -> Literal["*"]:
        return "*"

    @override
    async def async_process(self, user_input: ConversationInput) -> ConversationResult:
        self.heard.append(user_input.text)
        with (
            async_get_chat_session(self._hass, user_input.conversation_id) as session,
            async_get_chat_log(self._hass, session, user_input) as log,
        ):
            await log.async_provide_llm_data(user_input.as_llm_context("test"), LLM_API_ASSIST)
            call = AssistantContent(agent_id=user_input.agent_id, tool_calls=[self.wanted])
            (answer,) = [answer async for answer in log.async_add_assistant_content(call)]
            words = json.dumps(answer.result.data, ensure_ascii=False)
            log.async_add_assistant_content_without_tools(
                AssistantContent(agent_id=user_input.agent_id, content=words)
            )
            return async_get_result_from_chat_log(user_input, log)


@pytest.fixture
def model(home: World) -> Model:
    """Return a language model that can use Assist."""
    entry = MockConfigEntry(domain="test", title="Model", entry_id=MODEL)
    entry.add_to_hass(home.hass)
    model = Model(home.hass)
    async_set_agent(home.hass, entry, model)
    return model


async def pipeline(client: MockHAClientWebSocket, agent: str, language: str = "en") -> str:
    """Create a pipeline and return its id."""
    unset = ("stt_engine", "stt_language", "tts_engine", "tts_language", "tts_voice")
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/pipeline/create",
            "name": "Home",
            "language": language,
            "conversation_engine": agent,
            "conversation_language": language,
            **dict.fromkeys((*unset, "wake_word_entity", "wake_word_id")),
        }
    )
    created = await client.receive_json()
    assert created["success"], created
    return str(created["result"]["id"])


async def run(client: MockHAClientWebSocket, pipeline_id: str, text: str) -> tuple[str, bool]:
    """Run the pipeline; return the answer, and whether the language model was skipped."""
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/run",
            "pipeline": pipeline_id,
            "start_stage": "intent",
            "end_stage": "intent",
            "input": {"text": text},
        }
    )
    events: dict[str, Any] = {}
    while "run-end" not in events:
        message = await client.receive_json()
        assert message.get("success", True), message
        if "event" in message:
            events[message["event"]["type"]] = message["event"]["data"]
    ended = events["intent-end"]
    speech = ended["intent_output"]["response"]["speech"]["plain"]["speech"]
    return str(speech), bool(ended["processed_locally"])


@pytest.mark.parametrize("at", [0, 1], ids=LANGUAGES)
async def test_every_sentence(home: World, client: MockHAClientWebSocket, at: int) -> None:
    own = await pipeline(client, OWN, LANGUAGES[at])
    tunnel = name_of(home, "tunnel:1")

    for name in ORDER:
        answer, is_local = await run(client, own, SAID[name][at].format(tunnel=tunnel))
        await home.settle()
        assert answer == ANSWERS[name][at].format(tunnel=tunnel)
        assert is_local
    assert home.service.account.totalsign == 1


async def test_a_language_model_uses_the_tools(
    home: World, client: MockHAClientWebSocket, model: Model
) -> None:
    english, chinese = [await pipeline(client, MODEL, language) for language in LANGUAGES]
    name = name_of(home, "tunnel:1")
    home.service.state.tunnels["1"].client_running = False
    await home.elapse(MINUTE)

    for pipeline_id, problem in ((english, "Disconnected"), (chinese, "已断开")):
        answer, is_local = await run(client, pipeline_id, "Is anything wrong?")
        assert not is_local
        (found,) = json.loads(answer)["found"]
        assert (found["name"], found["problem"]) == (name, problem)
    model.wanted = ToolInput(COMMAND, {"tunnel": name, "command": "disable"})
    answer, _ = await run(client, english, "Lock everything up")
    assert json.loads(answer) == {"done": name}
    assert not home.service.state.tunnels["1"].enabled


async def test_a_language_model_has_the_permissions_of_the_user(
    home: World,
    client: MockHAClientWebSocket,
    model: Model,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    with_model = await pipeline(client, MODEL)
    name = name_of(home, "tunnel:1")
    model.wanted = ToolInput(COMMAND, {"tunnel": name, "command": "disable"})
    guest = await hass_ws_client(home.hass, hass_read_only_access_token)

    answer, _ = await run(guest, with_model, "Lock everything up")

    assert json.loads(answer) == {"error": f"You are not allowed to control {name}."}
    assert home.service.state.tunnels["1"].enabled


@pytest.mark.parametrize("at", [0, 1], ids=LANGUAGES)
async def test_other_questions_are_left_to_others(
    home: World, client: MockHAClientWebSocket, model: Model, at: int
) -> None:
    """A sentence of the integration hides others, so it must only match its own entities."""
    with_model = await pipeline(client, MODEL, LANGUAGES[at])
    name = name_of(home, "tunnel:1")
    others = [pair[at].format(tunnel=name) for pair in OF_OTHERS]

    for said in others:
        _, is_local = await run(client, with_model, said)
        assert not is_local
    assert model.heard == others
    model.heard.clear()

    dr.async_get(home.hass).async_update_device(
        home.device_id("tunnel:1"), name_by_user=("Kitchen lamp", "厨房灯")[at]
    )
    await home.settle()
    answer, is_local = await run(client, with_model, others[0])
    assert is_local
    assert answer == ANSWERS["why"][at].format(tunnel=name_of(home, "tunnel:1"))
