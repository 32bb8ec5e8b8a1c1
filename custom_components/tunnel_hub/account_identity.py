"""Matches config entries with accounts whose ids can change."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .api.provider import Identity, Issue, Provider
from .const import CONF_KNOWN_BY, CONF_PROVIDER, DOMAIN

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry


def is_account_of(provider: Provider, entry: TunnelHubConfigEntry) -> bool | None:
    """Return whether an entry belongs to the provider's account; None if it is not certain."""
    return provider.is_account_of(entry.data, entry.data.get(CONF_KNOWN_BY, ""))


def available_unique_id(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, unique_id: str | None
) -> str | None:
    """Return the new unique id of an entry, or its current one if the new one is taken."""
    holder = unique_id and hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, unique_id)
    return entry.unique_id if holder else unique_id


@callback
def update_identity(hass: HomeAssistant, entry: TunnelHubConfigEntry, identity: Identity) -> None:
    """Store the current id of an entry's account, and the properties that identify it."""
    unique_id = f"{entry.data[CONF_PROVIDER]}:{identity.id}"
    known_by = {CONF_KNOWN_BY: identity.known_by} if identity.known_by else {}
    hass.config_entries.async_update_entry(
        entry,
        unique_id=available_unique_id(hass, entry, unique_id),
        data={**entry.data, **known_by},
    )


def duplicate_account(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, provider: Provider
) -> Iterator[Issue]:
    """Yield an issue if an older entry belongs to the same account.

    The config flow prevents this, but older versions accepted two addresses of the same server.
    """
    age = entry.created_at, entry.entry_id
    others = sorted(
        other.title
        for other in hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
        if (other.created_at, other.entry_id) < age
        and other.data.get(CONF_PROVIDER) == provider.description.key
        and is_account_of(provider, other)
    )
    if others:
        yield Issue(key="account_twice", placeholders={"others": others})
