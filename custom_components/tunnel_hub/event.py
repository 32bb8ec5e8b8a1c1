"""What happens at a moment: the daily sign-in, the service's notices and messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .api.provider import CanSignIn
from .api.resource import Account, Inbox, Notice, Resource
from .coordinator import FeedCoordinator, TunnelHubConfigEntry
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .sign_in import OUTCOMES

PARALLEL_UPDATES = 0

PUBLISHED = "published"
RECEIVED = "received"
_LONGEST_TEXT = 3500
_LONGEST_TITLE = 255
"""The recorder keeps at most 16 KiB of attributes; a Chinese character takes up to four bytes."""


@dataclass(frozen=True, kw_only=True)
class TunnelHubEventDescription(TunnelHubEntityDescription, EventEntityDescription):
    """An event. entity_class: what listens for it."""

    of_field: bool = False
    entity_class: type[TunnelHubEvent[Any]]


class TunnelHubEvent[R: Resource](TunnelHubEntity[R, TunnelHubEventDescription], EventEntity):
    """Something that happens to a resource."""

    entity_description: TunnelHubEventDescription


class SignInEvent(TunnelHubEvent[Account]):
    """How a sign-in went, by hand or by appointment."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for outcomes too."""
        await super().async_added_to_hass()
        if (sign_in := self.coordinator.config_entry.runtime_data.sign_in) is not None:
            self.async_on_remove(sign_in.async_listen(self._happened))

    @callback
    def _happened(self, outcome: str, details: Mapping[str, str | int | None]) -> None:
        self._trigger_event(outcome, dict(details))
        self.async_write_ha_state()


class NoticeEvent(TunnelHubEvent[Notice]):
    """A notice that was not there before, also before the last restart."""

    @override
    def _read(self, resource: Notice) -> bool:
        text = (resource.text or "")[:_LONGEST_TEXT]
        if not text or text == self.state_attributes.get("text"):
            return False
        self._trigger_event(PUBLISHED, {"text": text})
        return True


class MessageEvent(TunnelHubEvent[Inbox]):
    """Each message that is newer than the last one, also before the last restart.

    In the beginning only the newest counts: the others were read elsewhere.
    """

    @override
    def _read(self, resource: Inbox) -> bool:
        last = dt_util.parse_datetime(str(self.state_attributes.get("sent")))
        new = [m for m in resource.messages if last is None or m.sent > last]
        for number, message in enumerate(new if last else new[-1:]):
            if number:
                self.async_write_ha_state()
            details = {"sent": message.sent.isoformat(), "text": message.text[:_LONGEST_TEXT]}
            self._trigger_event(RECEIVED, {"title": message.headline[:_LONGEST_TITLE], **details})
        return bool(new)


EVENTS: Table[TunnelHubEventDescription] = {
    Account: (
        TunnelHubEventDescription(
            key="sign_in",
            event_types=OUTCOMES,
            needs=(CanSignIn,),
            entity_class=SignInEvent,
        ),
    ),
    Inbox: (
        TunnelHubEventDescription(key="message", event_types=[RECEIVED], entity_class=MessageEvent),
    ),
    Notice: (
        TunnelHubEventDescription(key="notice", event_types=[PUBLISHED], entity_class=NoticeEvent),
    ),
}


def _create(
    coordinator: FeedCoordinator, resource: Any, description: TunnelHubEventDescription
) -> TunnelHubEvent[Any]:
    return description.entity_class(coordinator, resource, description)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of an entry."""
    async_setup_table(entry, async_add_entities, EVENTS, _create)
