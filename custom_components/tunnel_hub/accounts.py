"""Which account an entry is of, where the id of an account can change."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .api.provider import Identity, Issue, Provider
from .const import CONF_KNOWN_BY, CONF_PROVIDER, DOMAIN

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry


def is_account_of(provider: Provider, entry: TunnelHubConfigEntry) -> bool | None:
    """Tell whether an entry is of the provider's account, whatever id it has; None: it may be."""
    return provider.is_account_of(entry.data, entry.data.get(CONF_KNOWN_BY, ""))


def free_id(hass: HomeAssistant, entry: TunnelHubConfigEntry, unique_id: str | None) -> str | None:
    """Return an entry's new id, or its old one if another entry has the new one."""
    holder = unique_id and hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, unique_id)
    return entry.unique_id if holder else unique_id


@callback
def follow_identity(hass: HomeAssistant, entry: TunnelHubConfigEntry, identity: Identity) -> None:
    """Store the id that an entry's account has now, and what it is known by."""
    unique_id = f"{entry.data[CONF_PROVIDER]}:{identity.id}"
    known_by = {CONF_KNOWN_BY: identity.known_by} if identity.known_by else {}
    hass.config_entries.async_update_entry(
        entry, unique_id=free_id(hass, entry, unique_id), data={**entry.data, **known_by}
    )


def account_twice(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, provider: Provider
) -> Iterator[Issue]:
    """Yield the problem that an older entry is of the same account.

    The dialogs allow none, but older versions took two addresses of a server for two servers.
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
