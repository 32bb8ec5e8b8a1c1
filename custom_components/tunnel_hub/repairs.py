"""Repair flows."""

from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant
import voluptuous as vol

from .api.capabilities import capable
from .api.capabilities.account import CanUpdateAccount
from .api.errors import TunnelHubError
from .api.models.account import AccountChanges
from .exceptions import Sentence
from .flows.base import NEW_PASSWORD_FIELD, failure_of
from .markdown import escape_markdown
from .runtime import TunnelHubConfigEntry

_REPEATED = "password_repeated"
_SCHEMA = vol.Schema(
    {vol.Required(CONF_PASSWORD): NEW_PASSWORD_FIELD, vol.Required(_REPEATED): NEW_PASSWORD_FIELD}
)


class ChangePassword(RepairsFlow):
    """A repair flow that replaces a default password."""

    def __init__(self, entry: TunnelHubConfigEntry) -> None:
        self._entry = entry

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start the flow."""
        return await self.async_step_password()

    async def async_step_password(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for the new password twice and set it."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        failure = None
        if user_input is not None:
            failure = await self._change(user_input[CONF_PASSWORD], user_input[_REPEATED])
            if failure is None:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="password",
            data_schema=_SCHEMA,
            errors={"base": failure.key} if failure else {},
            description_placeholders=escape_markdown(
                {"account": self._entry.title, **(failure.placeholders if failure else {})}
            ),
        )

    async def _change(self, password: str, repeated: str) -> Sentence | None:
        """Set a password and return the error, if any."""
        if password != repeated:
            return Sentence("passwords_differ", {})
        data = self._entry.runtime_data
        try:
            await capable(data.provider, CanUpdateAccount).update_account(
                AccountChanges(password=password)
            )
        except TunnelHubError as err:
            return failure_of(err)
        data.sync_issues()
        return None


FIXES = {"default_password": ChangePassword}
"""Repair flows by the key of the issue."""


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the repair flow of an issue. Its id consists of the entry id and the issue's key."""
    entry_id, _, key = issue_id.partition(":")
    return FIXES[key](hass.config_entries.async_get_known_entry(entry_id))
