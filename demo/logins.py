"""What signs in to a second account at each simulated service, with the words of the dialogs."""

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from .provider import Facts, choice
from .providers import PROVIDERS

type Answers = Sequence[Mapping[str, Any]]

_FILE = Path(__file__).parent.parent / "custom_components/tunnel_hub/translations/en.json"


def second_logins(
    services: Mapping[str, Facts], others: Mapping[str, Facts], address: str
) -> list[Answers]:
    """Return what a person answers to the config flow, for each account that can be added.

    services: those of the demo's accounts. others: more of those that have one login only.
    address: one to watch.
    """
    logins: list[Answers] = []
    for name, provider in PROVIDERS.items():
        service = provider.service or name
        answers = provider.second or provider.answers
        logins.append(answers((services if provider.second else others)[service]))
    return [*logins, (choice("watched"), {"address": address})]


def in_words(answers: Answers) -> Iterator[str]:
    """Yield lines that say what to select, and what to enter in which field."""
    texts = json.loads(_FILE.read_text(encoding="utf-8"))["config"]["step"]
    step, selected = "user", []
    for answer in answers[:-1]:
        chosen = answer["next_step_id"]
        selected.append(texts[step]["menu_options"][chosen])
        step = chosen
    yield " → ".join(selected)
    yield from _fields(texts[step], answers[-1])


def _fields(texts: Mapping[str, Any], entered: Mapping[str, Any]) -> Iterator[str]:
    for name, value in entered.items():
        if isinstance(value, Mapping):
            within = texts["sections"][name]
            yield from (f"{within['name']} → {line}" for line in _fields(within, value))
        else:
            switch = {"True": "on", "False": "off"}
            yield f"{texts['data'][name]}: {switch.get(str(value), value)}"
