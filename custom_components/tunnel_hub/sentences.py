"""Sentences that Assist understands without a language model, in both languages.

They are sentence triggers, because a custom integration cannot add sentences in another way. If a
trigger matches, neither Home Assistant's own sentences nor a language model are tried. Therefore a
sentence is only registered while there are devices that it is about, and "why is X down" only with
the names of tunnels and watched addresses.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import batched
import logging
import re
from typing import Any, NamedTuple

from homeassistant.components.conversation import DOMAIN as CONVERSATION
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.script import ScriptRunResult
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.setup import async_when_setup

from .api.models.account import Account
from .api.models.directory import RelayNode
from .api.models.mesh import Peer, User
from .api.models.server import Client
from .api.models.tunnels import Tunnel
from .assist import Assist, RefusedError, async_assist, enabled_entries
from .const import DOMAIN
from .ids import device_key_of
from .watched_addresses import WatchedAddress

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
    return assist.sentences(words)


def _current(assist: Assist, words: str) -> str:
    """Return an answer with a note if accounts have no current data."""
    if not assist.silent:
        return words
    accounts = assist.names(sorted(assist.silent))
    return assist.sentences((words, assist.text("common.assist_silent", accounts=accounts)))


def _complete(assist: Assist, words: str) -> str:
    """Return an answer with a note if something is missing in it."""
    words = _current(assist, words)
    notes = [assist.text("common.assist_left_out")] if assist.leaves_out else []
    return assist.sentences((words, *notes))


async def _down(assist: Assist, _: Mapping[str, Any]) -> str:
    rows = assist.down()
    broken = [row for row in rows if "switched_off" not in row]
    words = assist.text("common.assist_none_down")
    if broken:
        lines = (assist.text("common.assist_down_one", **row) for row in broken)
        words = _listed(assist, lines, "down")
    if off := [row["name"] for row in rows if "switched_off" in row]:
        names = assist.names(off[:_MOST])
        off_words = assist.text("common.assist_switched_off", count=len(off), names=names)
        words = assist.sentences((words, off_words))
    return _complete(assist, words)


async def _why(assist: Assist, slots: Mapping[str, Any]) -> str:
    rows = (
        assist.text(f"common.assist_{'down_one' if 'problem' in row else 'not_down'}", **row)
        for row in assist.why(str(slots["tunnel"]))
    )
    return _listed(assist, rows)


async def _traffic(assist: Assist, _: Mapping[str, Any]) -> str:
    if not (rows := assist.traffic()):
        return _current(assist, assist.text("common.assist_no_traffic"))
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
    lines = (assist.text("common.assist_certificate", **row) for row in rows)
    return _complete(assist, _listed(assist, lines, "certificates"))


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


_NAMED = "{named}"
"""Placeholder in a template for the names of the devices that the sentence is about."""
_PART = 100
"""Names in one template. Home Assistant needs about 0.1 ms to validate each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Sentences with the same meaning.

    answer: returns the answer.
    by_language: hassil templates by language.
    about: kinds of devices. The sentences are registered while there is at least one of them.
    """

    answer: Answer
    by_language: Mapping[str, tuple[str, ...]]
    about: frozenset[str]

    def parts(self, language: str, devices: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
        """Yield the templates to register, in parts.

        devices: names of the existing devices, by kind.
        """
        if not (present := self.about & devices.keys()):
            return
        templates = self.by_language[language]
        yield tuple(template for template in templates if _NAMED not in template)
        if named := [template for template in templates if _NAMED in template]:
            names = (name for kind in present for name in devices[kind])
            forms = sorted({form for name in names for form in _forms(name)})
            for some in batched(forms, _PART, strict=False):
                one_of = f"({'|'.join(some)})"
                yield tuple(template.replace(_NAMED, one_of) for template in named)

    def named(self, language: str, said: str) -> str | None:
        """Return the name in a sentence that matches a template with names."""
        for template in self.by_language[language]:
            pattern = template.replace("[", "(?:").replace("]", ")?").replace(" ", r"\s*")
            pattern = pattern.replace(_NAMED, "(?P<named>.+?)") + r"\W*"
            if _NAMED in template and (found := re.fullmatch(pattern, said, re.IGNORECASE)):
                return found["named"]
        return None


_OUTER = r"_|(?<![^\W_])[.':]|[.':](?![^\W_])"
_SYMBOLS = r"()（）\[\]【】{}<>/\\|&@#%*+=~^$\"“”\u2600-\u27bf\ufe0f\U0001f000-\U0001faff"
_SIGNS = (
    re.compile(rf"{_OUTER}|[^\w.':{_SYMBOLS}]"),
    re.compile(rf"{_OUTER}|[^\w.':]"),
    re.compile(r"[\W_]"),
)
"""What is removed from a name as it is displayed, as it is written, and as it is spoken."""
_SYMBOL = re.compile(r"\s*([(（])\s*|\s*([)）])|[^\w\s.':]")


def _symbol_template(found: re.Match[str]) -> str:
    """Return the template of a symbol. Parentheses match in either width, also without a space."""
    opening, closing = found.groups()
    return r"[ ](\(|（)" if opening else r"(\)|）)" if closing else f"\\{found[0]}"


@lru_cache(4096)
def _forms(name: str) -> frozenset[str]:
    """Return templates of a name as it is displayed, written and spoken.

    hassil matches hyphens and underscores of a sentence with spaces.
    """
    forms = {" ".join(signs.sub(" ", name.replace("’", "'")).split()) for signs in _SIGNS}
    return frozenset(_SYMBOL.sub(_symbol_template, f) for f in forms if re.search(r"\w", f))


_ACCOUNTS = frozenset({Account.kind})
_LIMITED = frozenset({Account.kind, RelayNode.kind, User.kind})
_PEOPLE = frozenset({Client.kind, Peer.kind, User.kind})
_REACHABLE = frozenset({Tunnel.kind, WatchedAddress.kind})
_TUNNELS = frozenset({Tunnel.kind})


SENTENCES: Mapping[str, Sentences] = {
    "certificates": Sentences(
        answer=_certificates,
        about=_ACCOUNTS | _REACHABLE,
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
        about=_PEOPLE,
        by_language={
            "en": ("who is connected to (my|the) (tunnel[s]|mesh|vpn|node|server)",),
            "zh-Hans": ("(谁|哪些人)(连|连接)[着|到|了][我的](隧道|节点|服务器|VPN)",),
        },
    ),
    "disable": Sentences(
        answer=_command("disable"),
        about=_TUNNELS,
        by_language={
            "en": ("disable [the] tunnel {tunnel}", "disable [the] {tunnel} tunnel"),
            "zh-Hans": ("(停用|禁用)隧道{tunnel}", "(停用|禁用){tunnel}隧道"),
        },
    ),
    "down": Sentences(
        answer=_down,
        about=_REACHABLE,
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
        about=_TUNNELS,
        by_language={
            "en": ("enable [the] tunnel {tunnel}", "enable [the] {tunnel} tunnel"),
            "zh-Hans": ("启用隧道{tunnel}", "启用{tunnel}隧道"),
        },
    ),
    "hold_down": Sentences(
        answer=_command("hold_down"),
        about=_TUNNELS,
        by_language={
            "en": (
                "(hold|force|keep) [the] tunnel {tunnel} down",
                "(hold|force|keep) [the] {tunnel} tunnel down",
                "force down [the] tunnel {tunnel}",
                "force down [the] {tunnel} tunnel",
                "force down [the] {named}",
            ),
            "zh-Hans": (
                "(强制|保持)隧道{tunnel}下线",
                "[把|将|让]隧道{tunnel}(强制|保持)下线",
                "(强制|保持)下线隧道{tunnel}",
                "(强制|保持)下线[ ]{named}",
                "(把|将|让)[ ]{named}[ ](强制|保持)下线",
            ),
        },
    ),
    "release": Sentences(
        answer=_command("release"),
        about=_TUNNELS,
        by_language={
            "en": ("release [the] tunnel {tunnel}", "release [the] {tunnel} tunnel"),
            "zh-Hans": ("(解除|取消)隧道{tunnel}的(强制|保持)下线", "(恢复|放行)隧道{tunnel}"),
        },
    ),
    "sign_in": Sentences(
        answer=_sign_in,
        about=_ACCOUNTS,
        by_language={
            "en": ("[do] [the] tunnel sign-in", "sign in to (my|the) tunnel (account|accounts)"),
            "zh-Hans": ("[给]隧道[账户|账号]签到",),
        },
    ),
    "traffic": Sentences(
        answer=_traffic,
        about=_LIMITED,
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
        about=_REACHABLE,
        by_language={
            "en": (
                "why is [the] {named} (down|offline|unreachable|not reachable)",
                "why is [the] tunnel {tunnel} (down|offline|unreachable|not reachable)",
                "why is [the] {tunnel} tunnel (down|offline|unreachable|not reachable)",
            ),
            "zh-Hans": (
                "为什么[ ]{named}[ ](离线|掉线|断开|断|不通)[了]",
                "为什么[ ]隧道{tunnel}(离线|掉线|断开|断|不通)[了]",
                "为什么{tunnel}隧道(离线|掉线|断开|断|不通)[了]",
            ),
        },
    ),
}


@callback
def async_setup_sentences(hass: HomeAssistant) -> None:
    """Register the sentences once the conversation integration is set up."""
    async_when_setup(hass, CONVERSATION, _set_up)


async def _set_up(hass: HomeAssistant, _: str) -> None:
    await _Registered(hass).async_start()


_NAMES = {"disabled_by", "name", "name_by_user"}


class _Part(NamedTuple):
    """Templates of one trigger. name: key in SENTENCES."""

    name: str
    language: str
    templates: tuple[str, ...]


class _Registered:
    """Keeps the registered triggers in step with the devices."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._triggers: dict[_Part, CALLBACK_TYPE] = {}
        self._lock = asyncio.Lock()
        self._is_due = False

    async def async_start(self) -> None:
        """Register the sentences now, and again when devices are added, renamed or removed."""
        self._hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._changed)
        await self._async_sync()

    @callback
    def _changed(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        data = event.data
        if self._is_due or (data["action"] == "update" and not data["changes"].keys() & _NAMES):
            return
        if data["action"] == "remove":
            identifiers = data["device"]["identifiers"]
        else:
            device = dr.async_get(self._hass).async_get(data["device_id"])
            identifiers = device.identifiers if device else ()
        # Devices of other integrations change nothing here.
        if not any(domain == DOMAIN for domain, *_ in identifiers):
            return
        self._is_due = True
        # Devices that are added together cause one update.
        self._hass.async_create_task(self._async_sync(), "sentences", eager_start=False)

    async def _async_sync(self) -> None:
        async with self._lock:
            self._is_due = False
            devices = _names_by_kind(self._hass)
            wanted = {
                _Part(name, language, templates)
                for name, sentences in SENTENCES.items()
                for language in sentences.by_language
                for templates in sentences.parts(language, devices)
            }
            for part in self._triggers.keys() - wanted:
                self._triggers.pop(part)()
            for part in wanted - self._triggers.keys():
                if forget := await self._async_register(part):
                    self._triggers[part] = forget
                # Validating templates blocks the event loop.
                await asyncio.sleep(0)

    async def _async_register(self, part: _Part) -> CALLBACK_TYPE | None:
        config = [{"platform": CONVERSATION, "command": list(part.templates)}]
        return await async_initialize_triggers(
            self._hass,
            await async_validate_trigger_config(self._hass, config),
            partial(_answer, self._hass, SENTENCES[part.name], part.language),
            DOMAIN,
            part.name,
            _LOGGER.log,
        )


@callback
def _names_by_kind(hass: HomeAssistant) -> Mapping[str, set[str]]:
    """Return the names of our devices, from the service and from the user.

    What has the same name at another account also has its full name.
    """
    owners: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    found: defaultdict[str, set[str]] = defaultdict(set)
    registry = dr.async_get(hass)
    for entry in enabled_entries(hass):
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            if (key := device_key_of(device, entry)) is not None:
                for name in filter(None, (device.name, device.name_by_user)):
                    found[key.kind].add(name)
                    owners[name.removesuffix(f" ({entry.title})")].add((key.kind, entry.title))
    for name, of in owners.items():
        is_ambiguous = len({title for _, title in of}) > 1
        for kind, title in of:
            found[kind].update((name, f"{name} ({title})") if is_ambiguous else (name,))
    return found


async def _answer(
    hass: HomeAssistant,
    sentences: Sentences,
    language: str,
    variables: Mapping[str, Any],
    _: Context | None = None,
) -> ScriptRunResult:
    """Answer a sentence in its own language."""
    trigger = variables["trigger"]
    said = trigger["user_input"]["context"]
    context = Context(user_id=said["user_id"], parent_id=said["id"])
    assist = await async_assist(hass, assistant=CONVERSATION, context=context, language=language)
    slots = trigger["slots"] or {"tunnel": sentences.named(language, trigger["sentence"])}
    try:
        words = await sentences.answer(assist, slots)
    except RefusedError as err:
        words = assist.text(f"common.{err.key}", **err.names)
    return ScriptRunResult(conversation_response=words, service_response=None, variables={})
