"""Events: results of the daily sign-in, and a service's notices and messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription, EventExtraStoredData
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .api.capabilities.account import CanSignIn
from .api.models.account import Account, Inbox, Message
from .api.models.base import Resource
from .api.models.service import Notice
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .sign_in import OUTCOMES

PARALLEL_UPDATES = 0

PUBLISHED = "published"
RECEIVED = "received"
_LONGEST_TEXT = 3500
_LONGEST_TITLE = 255
"""Characters. The recorder stores at most 16 KiB of attributes; a Chinese character takes up to
four bytes.
"""
_REMEMBERED = 200
"""Ten times the number of texts in one answer."""


@dataclass(frozen=True, kw_only=True)
class TunnelHubEventDescription(TunnelHubEntityDescription, EventEntityDescription):
    """Describes an event entity.

    entity_class: the class of the entity.
    """

    of_field: bool = False
    entity_class: type[TunnelHubEvent[Any]]


class TunnelHubEvent[R: Resource](TunnelHubEntity[R, TunnelHubEventDescription], EventEntity):
    """An event entity of a resource."""

    entity_description: TunnelHubEventDescription


class SignInEvent(TunnelHubEvent[Account]):
    """The results of sign-ins, both manual and scheduled."""

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the results of sign-ins."""
        await super().async_added_to_hass()
        if (sign_in := self._data.sign_in) is not None:
            self.async_on_remove(sign_in.async_listen(self._happened))

    @callback
    def _happened(self, outcome: str, details: Mapping[str, str | int | None]) -> None:
        self._trigger_event(outcome, dict(details))
        self.async_write_ha_state()


@dataclass
class _Remembered(EventExtraStoredData):
    """The last event, and the keys of the texts that were already reported, the oldest first."""

    told: tuple[str, ...]


class DeduplicatedEvent[R: Resource](TunnelHubEvent[R]):
    """Reports each text of a service once, also across restarts.

    Neither dates nor order show which texts are new: they may be dated ahead, appear late, or be
    missing from one of the service's mirrors.
    """

    _reported: tuple[str, ...] | None = None

    @property
    @override
    def extra_restore_state_data(self) -> _Remembered:
        event = super().extra_restore_state_data
        return _Remembered(**event.as_dict(), told=self._reported or ())

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the reported texts, then read the current ones."""
        if (stored := await self.async_get_last_extra_data()) is not None:
            told = stored.as_dict().get("told")
            self._reported = None if told is None else tuple(told)
        await super().async_added_to_hass()

    def _new[T](self, texts: Mapping[str, T]) -> list[T]:
        """Return the texts that were not reported before, by key, and mark them as reported."""
        known = self._reported or ()
        new = [key for key in texts if key not in known]
        self._reported = (*known, *new)[-_REMEMBERED:]
        return [texts[key] for key in new]


class NoticeEvent(DeduplicatedEvent[Notice]):
    """An event entity for new notices."""

    @override
    def _update_attrs(self, resource: Notice) -> None:
        text = (resource.text or "")[:_LONGEST_TEXT]
        if self._reported is None and text == self.state_attributes.get("text"):
            # Reported by an older version, which did not store the keys.
            self._reported = (_digest(text),)
        if text and self._new({_digest(text): text}):
            self._trigger_event(PUBLISHED, {"text": text})


class MessageEvent(DeduplicatedEvent[Inbox]):
    """Reports each new message.

    At first, only the newest message is reported: the user has read the others elsewhere.
    """

    @override
    def _update_attrs(self, resource: Inbox) -> None:
        begins = self._reported is None
        last = dt_util.parse_datetime(str(self.state_attributes.get("sent")))
        new = self._new({_key_of(message): message for message in resource.messages})
        if begins:
            # Older versions only stored the time of the last message.
            new = [m for m in new if m.sent > last] if last else new[-1:]
        for number, message in enumerate(new):
            if number:
                self.async_write_ha_state()
            details = {"sent": message.sent.isoformat(), "text": message.text[:_LONGEST_TEXT]}
            self._trigger_event(RECEIVED, {"title": message.headline[:_LONGEST_TITLE], **details})


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def _key_of(message: Message) -> str:
    """Return a stable key of a message: the id of the service, or a digest of its content."""
    return message.id or _digest(f"{message.sent} {message.title} {message.text}")


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


async_setup_entry = partial(
    async_setup_table, EVENTS, lambda feed, resource, row: row.entity_class(feed, resource, row)
)
