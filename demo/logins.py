"""Describes how to add a second account at each simulated service, in the texts of the dialogs."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
from typing import Any

from .provider import Answers, Facts, choice
from .providers import PROVIDERS

_FOLDER = Path(__file__).parent.parent / "custom_components/tunnel_hub/translations"
_SWITCHES = {"en": {"True": "on", "False": "off"}, "zh-Hans": {"True": "开", "False": "关"}}


def second_logins(
    services: Mapping[str, Facts], others: Mapping[str, Facts], address: str
) -> list[Answers]:
    """Returns the config flow input for each account that can be added.

    services: those of the demo's accounts.
    others: more services of kinds with only one account.
    address: an address to watch.
    """
    logins: list[Answers] = []
    for name, provider in PROVIDERS.items():
        service = provider.service or name
        facts = (services if provider.second else others)[service]
        logins += [answers(facts) for answers in provider.second or (provider.answers,)]
    return [*logins, (choice("watched"), {"address": address})]


def in_words(answers: Answers, language: str) -> Iterator[str]:
    """Yields lines with the options to select and the input of each field."""
    texts = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))["config"]["step"]
    step, selected = "user", []
    for answer in answers[:-1]:
        chosen = answer["next_step_id"]
        selected.append(texts[step]["menu_options"][chosen])
        step = chosen
    yield " → ".join(selected)
    yield from _fields(texts[step], answers[-1], language)


def _fields(texts: Mapping[str, Any], entered: Mapping[str, Any], language: str) -> Iterator[str]:
    colon = ": " if language == "en" else "："
    for name, value in entered.items():
        if isinstance(value, Mapping):
            within = texts["sections"][name]
            for line in _fields(within, value, language):
                yield f"{within['name']} → {line}"
        else:
            shown = _SWITCHES[language].get(str(value), value)
            yield f"{texts['data'][name]}{colon}{shown}"
