"""How a person adds an account."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import Locator, Page

from demo.provider import Facts


async def _nothing_more(page: Page, dialog: Locator) -> None:
    """Go on: what was entered is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a person adds an account.

    choices: what to click, menu after menu.
    section: what to open, if anything.
    fields: what to enter, by label.
    secret: which of them is mistyped first.
    switched_off: whether there is a switch to turn off.
    then: what else there is to do.
    """

    choices: Sequence[str]
    fields: Callable[[Facts], Mapping[str, str]]
    secret: str
    section: str = ""
    switched_off: bool = False
    then: Callable[[Page, Locator], Awaitable[None]] = _nothing_more
