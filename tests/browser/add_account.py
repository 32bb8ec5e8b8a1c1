"""Data types for adding an account in the browser."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import Locator, Page

from demo.provider import Facts


async def _nothing_more(page: Page, dialog: Locator) -> None:
    """The default of `then`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount:
    """The steps of adding an account.

    choices: options to select, menu by menu.
    section: a section to open, if any.
    fields: input by label.
    secret: the field that is mistyped first.
    switched_off: whether to turn a switch off.
    then: runs further steps.
    """

    choices: Sequence[str]
    fields: Callable[[Facts], Mapping[str, str]]
    secret: str
    section: str = ""
    switched_off: bool = False
    then: Callable[[Page, Locator], Awaitable[None]] = _nothing_more
