"""Sentences that Assist understands without a language model, in English and Chinese.

They are sentence triggers, because a custom integration cannot add sentences in another way.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
import logging
from typing import Any

from homeassistant.components.conversation import DOMAIN as CONVERSATION
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.script import ScriptRunResult
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.setup import async_when_setup

from .assist import Assist, RefusedError, async_assist
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

_SOON = 30
"""Days."""
_MOST = 5
"""The number of names in a spoken answer."""

type Answer = Callable[[Assist, Mapping[str, Any]], Awaitable[str]]


def _listed(assist: Assist, rows: Iterable[str], key: str | None = None) -> str:
    """Return sentences for the first rows, and the number of the others.

    key: of the first sentence, which contains the total number.
    """
    named = list(rows)
    words = [] if key is None else [assist.text(f"common.assist_{key}", count=len(named))]
    words += named[:_MOST]
    if len(named) > _MOST:
        words.append(assist.text("common.assist_more", count=len(named) - _MOST))
    return " ".join(words)


def _complete(assist: Assist, words: str) -> str:
    """Return an answer with a note if resources are missing because they are not exposed."""
    return f"{words} {assist.text('common.assist_left_out')}" if assist.leaves_out else words


async def _down(assist: Assist, _: Mapping[str, Any]) -> str:
    rows = assist.down()
    broken = [row for row in rows if "switched_off" not in row]
    words = assist.text("common.assist_none_down")
    if broken:
        told = (assist.text("common.assist_down_one", **row) for row in broken)
        words = _listed(assist, told, "down")
    if off := [row["name"] for row in rows if "switched_off" in row]:
        names = assist.names(off[:_MOST])
        words += " " + assist.text("common.assist_switched_off", count=len(off), names=names)
    return _complete(assist, words)


async def _why(assist: Assist, slots: Mapping[str, Any]) -> str:
    row = assist.why(str(slots["tunnel"]))
    return assist.text(f"common.assist_{'down_one' if 'problem' in row else 'not_down'}", **row)


async def _traffic(assist: Assist, _: Mapping[str, Any]) -> str:
    if not (rows := assist.traffic()):
        return assist.text("common.assist_no_traffic")
    words = (
        assist.text(
            "common.assist_traffic_until" if "lasts_until" in row else "common.assist_traffic",
            **row,
        )
        for row in rows
    )
    return _complete(assist, _listed(assist, words))


async def _certificates(assist: Assist, _: Mapping[str, Any]) -> str:
    if not (rows := assist.certificates(_SOON)):
        return _complete(assist, assist.text("common.assist_no_certificates", days=_SOON))
    told = (assist.text("common.assist_certificate", **row) for row in rows)
    return _complete(assist, _listed(assist, told, "certificates"))


async def _connected(assist: Assist, _: Mapping[str, Any]) -> str:
    if not (rows := assist.connected()):
        return _complete(assist, assist.text("common.assist_none_connected"))
    words = assist.text(
        "common.assist_connected_more" if len(rows) > _MOST else "common.assist_connected",
        count=len(rows),
        names=assist.names(row["name"] for row in rows[:_MOST]),
        more=len(rows) - _MOST,
    )
    return _complete(assist, words)


async def _sign_in(assist: Assist, _: Mapping[str, Any]) -> str:
    accounts = assist.names(await assist.sign_in())
    return assist.text("common.assist_signed_in", accounts=accounts)


def _command(command: str) -> Answer:
    async def _run(assist: Assist, slots: Mapping[str, Any]) -> str:
        name = await assist.command(str(slots["tunnel"]), command)
        return assist.text(f"common.assist_{command}", name=name)

    return _run


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Sentences with the same meaning.

    answer: returns the answer.
    by_language: hassil templates by language.
    """

    answer: Answer
    by_language: Mapping[str, tuple[str, ...]]


SENTENCES: Mapping[str, Sentences] = {
    "certificates": Sentences(
        answer=_certificates,
        by_language={
            "en": (
                "(which|what) [tunnel] certificates (end|expire|are ending|are expiring) [soon]",
                "when do (my|the) [tunnel] certificates (end|expire)",
            ),
            "zh-Hans": ("哪些[隧道]证书[快要|即将|快]到期[了]", "[隧道]证书什么时候到期"),
        },
    ),
    "connected": Sentences(
        answer=_connected,
        by_language={
            "en": ("who is connected to (my|the) (tunnel[s]|mesh|vpn|node|server)",),
            "zh-Hans": ("(谁|哪些人)(连|连接)[着|到|了][我的](隧道|节点|服务器|VPN)",),
        },
    ),
    "disable": Sentences(
        answer=_command("disable"),
        by_language={
            "en": ("disable [the] tunnel {tunnel}", "disable [the] {tunnel} tunnel"),
            "zh-Hans": ("(停用|禁用)隧道{tunnel}", "(停用|禁用){tunnel}隧道"),
        },
    ),
    "down": Sentences(
        answer=_down,
        by_language={
            "en": (
                "(which|what) (tunnels|addresses) are (down|offline|broken)",
                "are [all] [of] (my|the) tunnels (up|online|ok|down|offline)",
            ),
            "zh-Hans": (
                "(哪些|哪个|哪条|有哪些)(隧道|地址)(掉线|离线|断开|断|不通)[了]",
                "[我的]隧道[都](正常|在线)吗",
            ),
        },
    ),
    "enable": Sentences(
        answer=_command("enable"),
        by_language={
            "en": ("enable [the] tunnel {tunnel}", "enable [the] {tunnel} tunnel"),
            "zh-Hans": ("启用隧道{tunnel}", "启用{tunnel}隧道"),
        },
    ),
    "hold_down": Sentences(
        answer=_command("hold_down"),
        by_language={
            "en": (
                "(hold|force|keep) [the] tunnel {tunnel} down",
                "(hold|force|keep) [the] {tunnel} tunnel down",
            ),
            "zh-Hans": ("(强制|保持)隧道{tunnel}下线", "[把]隧道{tunnel}(强制|保持)下线"),
        },
    ),
    "release": Sentences(
        answer=_command("release"),
        by_language={
            "en": ("release [the] tunnel {tunnel}", "release [the] {tunnel} tunnel"),
            "zh-Hans": ("(解除|取消)隧道{tunnel}的(强制|保持)下线", "(恢复|放行)隧道{tunnel}"),
        },
    ),
    "sign_in": Sentences(
        answer=_sign_in,
        by_language={
            "en": ("[do] [the] tunnel sign-in", "sign in to (my|the) tunnel (account|accounts)"),
            "zh-Hans": ("[给]隧道[账户|账号]签到",),
        },
    ),
    "traffic": Sentences(
        answer=_traffic,
        by_language={
            "en": (
                "how much [tunnel] traffic (is left|do I have [left]|remains)",
                "how long (does|will) (my|the) [tunnel] traffic last",
            ),
            "zh-Hans": (
                "[隧道](还剩|还有|剩余)多少流量",
                "[隧道]流量(还剩多少|还能用多久|能用到什么时候)",
            ),
        },
    ),
    "why": Sentences(
        answer=_why,
        by_language={
            "en": ("why is [the] [tunnel] {tunnel} (down|offline|unreachable|not reachable)",),
            "zh-Hans": ("为什么[隧道]{tunnel}(离线|掉线|断开|断|不通)[了]",),
        },
    ),
}


@callback
def async_setup_sentences(hass: HomeAssistant) -> None:
    """Register the sentences once the conversation integration is set up."""
    async_when_setup(hass, CONVERSATION, _set_up)


async def _set_up(hass: HomeAssistant, _: str) -> None:
    for name, sentences in SENTENCES.items():
        for language, templates in sentences.by_language.items():
            config = [{"platform": CONVERSATION, "command": list(templates)}]
            await async_initialize_triggers(
                hass,
                await async_validate_trigger_config(hass, config),
                partial(_answer, hass, sentences.answer, language),
                DOMAIN,
                name,
                _LOGGER.log,
            )


async def _answer(
    hass: HomeAssistant,
    answer: Answer,
    language: str,
    variables: Mapping[str, Any],
    _: Context | None = None,
) -> ScriptRunResult:
    """Answer a sentence in its own language."""
    trigger = variables["trigger"]
    said = trigger["user_input"]["context"]
    context = Context(user_id=said["user_id"], parent_id=said["id"])
    assist = await async_assist(hass, assistant=CONVERSATION, context=context, language=language)
    try:
        words = await answer(assist, trigger["slots"])
    except RefusedError as err:
        words = assist.text(f"common.{err.key}", **err.names)
    return ScriptRunResult(conversation_response=words, service_response=None, variables={})
