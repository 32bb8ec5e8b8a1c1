"""Adds watched addresses: the first one with the entry, others as subentries."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import (
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_ADDRESS, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..checks.addresses import InvalidAddressError, watched_target, without_query
from ..const import CONF_PROVIDER, DOMAIN
from ..watched_addresses import WATCHED, WATCHED_ADDRESS, address_id
from .base import TEXT_FIELD, abort_if_removed

SCHEMA = vol.Schema(
    {vol.Required(CONF_ADDRESS): TEXT_FIELD, vol.Optional(CONF_NAME): TEXT_FIELD},
)

_NAME_LENGTH = 100


def _watched(user_input: Mapping[str, str]) -> ConfigSubentryData:
    """Return the subentry for the input; raises InvalidAddressError."""
    address = user_input[CONF_ADDRESS].strip()
    target = watched_target(address)
    return ConfigSubentryData(
        data={CONF_ADDRESS: address},
        subentry_type=WATCHED_ADDRESS,
        title=" ".join(user_input.get(CONF_NAME, "").split())[:_NAME_LENGTH] or target.label,
        unique_id=address_id(target),
    )


async def _title(hass: HomeAssistant) -> str:
    """Return the title of the entry in Home Assistant's language."""
    words = await async_get_translations(hass, hass.config.language, "common", [DOMAIN])
    return words[f"component.{DOMAIN}.common.watched_addresses"]


def _read(
    user_input: Mapping[str, str] | None, others: Iterable[ConfigSubentry] = ()
) -> tuple[ConfigSubentryData | None, dict[str, str]]:
    """Return the subentry for the input, or None and the errors of the form.

    others: the subentries with other watched addresses.
    """
    if user_input is None:
        return None, {}
    try:
        watched = _watched(user_input)
    except InvalidAddressError as err:
        return None, {CONF_ADDRESS: err.reason}
    if any(other.unique_id == watched["unique_id"] for other in others):
        return None, {CONF_ADDRESS: "already_watched"}
    return watched, {}


class WatchedSteps(ConfigFlow):
    """The step for watched addresses, which need no account."""

    async def async_step_watched(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the first watched address."""
        await self.async_set_unique_id(WATCHED, raise_on_progress=False)
        self._abort_if_unique_id_configured(error="watched_configured")

        watched, errors = _read(user_input)
        if watched is not None:
            return self.async_create_entry(
                title=await _title(self.hass), data={CONF_PROVIDER: WATCHED}, subentries=[watched]
            )
        return self.async_show_form(
            step_id="watched",
            data_schema=self.add_suggested_values_to_schema(SCHEMA, user_input),
            errors=errors,
        )

    @callback
    def _no_account(self) -> ConfigFlowResult:
        """Abort, because there is no account to sign in to."""
        return self.async_abort(reason="no_account")


class WatchedAddressFlow(ConfigSubentryFlow):
    """Adds another address to watch, or edits one."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add another watched address."""
        with abort_if_removed():
            entry = self._get_entry()
        watched, errors = _read(user_input, entry.subentries.values())
        if watched is not None:
            return self.async_create_entry(
                title=watched["title"], data=watched["data"], unique_id=watched["unique_id"]
            )
        return self._form("user", user_input, errors)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Edit a watched address. Possible secrets in it are not shown, and kept if unchanged."""
        with abort_if_removed():
            entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        stored = subentry.data[CONF_ADDRESS]
        shown = {CONF_ADDRESS: without_query(stored), CONF_NAME: subentry.title}
        entered = user_input and (
            {**user_input, CONF_ADDRESS: stored}
            if user_input[CONF_ADDRESS].strip() == shown[CONF_ADDRESS]
            else user_input
        )
        others = (other for other in entry.subentries.values() if other is not subentry)
        watched, errors = _read(entered, others)
        if watched is not None:
            return self.async_update_and_abort(
                entry,
                subentry,
                title=watched["title"],
                data=watched["data"],
                unique_id=watched["unique_id"],
            )
        return self._form("reconfigure", user_input or shown, errors)

    @callback
    def _form(
        self, step_id: str, values: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SCHEMA, values),
            errors=errors,
        )
