"""Inserts the tables into the pages.

A table is between <!-- name --> or <!-- name: provider --> and <!-- end -->.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
import re

from custom_components.tunnel_hub.api import PROVIDERS

from .account import options, refresh, sign_in
from .actions import actions
from .automations import automations, conditions, triggers
from .comparison import comparison
from .entities import entities
from .markdown import collapsed
from .services import SERVICES, Service
from .words import Language, word

ALL: Mapping[str, Callable[[Collection[Service], Language], str]] = {
    "comparison": comparison,
    "conditions": conditions,
    "triggers": triggers,
}
"""Tables of all services."""

ONE: Mapping[str, Callable[[Service, Language], str]] = {
    "actions": actions,
    "automations": automations,
    "entities": entities,
    "options": options,
    "refresh": refresh,
    "sign_in": sign_in,
}
"""Tables of one service."""

ROOT = Path(__file__).parents[1]

_PLACE = re.compile(
    r"(?P<begin><!-- (?P<name>[a-z_]+)(: (?P<provider>\w+))? -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page in one language.

    name: its path in the repository.
    """

    name: str
    language: Language

    @property
    def path(self) -> Path:
        """The absolute path."""
        return ROOT / self.name


GUIDES = (
    "getting-started",
    "which-service",
    "what-you-get",
    "automations",
    "triggers",
    "conditions",
    "troubleshooting",
)
"""The pages for all users, in reading order."""

PAGES = [
    *(Page(f"docs/{name}.md", Language.ENGLISH) for name in (*GUIDES, *PROVIDERS)),
    *(Page(f"docs/zh-Hans/{name}.md", Language.CHINESE) for name in (*GUIDES, *PROVIDERS)),
]

_COLLAPSED = ("actions", "automations", "entities", "refresh")
"""Long tables, which are collapsed."""


def updated(page: Page) -> str:
    """Returns a page with its current tables."""

    def _fill(place: re.Match[str]) -> str:
        if place["provider"]:
            table = ONE[place["name"]](SERVICES[place["provider"]], page.language)
            if place["name"] in _COLLAPSED:
                table = collapsed(word(page.language, "Show the table"), table)
        else:
            table = ALL[place["name"]](SERVICES.values(), page.language)
        return f"{place['begin']}\n{table}\n\n{place['end']}"

    return _PLACE.sub(_fill, page.path.read_text(encoding="utf-8"))
