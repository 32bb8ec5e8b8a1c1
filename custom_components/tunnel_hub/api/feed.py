"""A feed: one group of resources with its own pace."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import Any

from .models.base import Resource

MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
FIFTEEN_MINUTES = timedelta(minutes=15)
HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe[R: Resource]:
    """Readings that cost one request for each resource.

    fields: the fields they fill; a feed keeps the last reading until the next one.
    is_worth_it: tells whether a resource, as it is known, is worth a request; others only on
    demand.
    read: asks for one; takes the resource as it is known, and returns it with the reading in it.
    idle_interval: how often one is asked for while nobody looks and no automation uses it; with
    each poll otherwise.
    stirred: asks, for less than a request each, which ids may have changed since the last time;
    used while nobody looks.
    concurrency: how many may be under way at a time.
    rate: how many may be asked a second, when there are more than a handful.
    """

    fields: frozenset[str]
    is_worth_it: Callable[[Any], bool]
    read: Callable[[Any], Awaitable[R]]
    concurrency: int
    rate: float = 4
    idle_interval: timedelta = timedelta()
    stirred: Callable[[], Awaitable[Collection[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Feed[R: Resource]:
    """One group of resources that is read together.

    key: its name, unique in its provider.
    resource: the class of its resources.
    interval: its pace while someone looks or an automation uses its fields.
    idle_interval: its pace otherwise; the same if None.
    jitter: at most so much is added to an interval, at random.
    fields: what this service can tell of them; no entity is made for other fields.
    unsupported_fields: which of them this version turned out not to tell, once it was read.
    kept: ids of resources that are told of although the service lists them no longer.
    forget: tell no more of a resource that is kept, until the service lists it again.
    forget_shared: has the next fetch ask for what another feed has read a moment ago, too.
    fetch: reads all of them now, by id; raises the errors of the errors module.
    probe: readings on top that are made one by one.
    required: whether nothing works without it.
    chosen: whether the options say what of it is listed.
    """

    key: str
    resource: type[R]
    fields: frozenset[str]
    interval: timedelta
    fetch: Callable[[], Awaitable[Mapping[str, R]]]
    idle_interval: timedelta | None = None
    _: KW_ONLY
    probe: Probe[R] | None = None
    required: bool = False
    chosen: bool = False
    jitter: timedelta = timedelta()
    unsupported_fields: Callable[[], Collection[str]] = frozenset
    kept: Callable[[], Collection[str]] = frozenset
    forget: Callable[[str], Awaitable[None]] | None = None
    forget_shared: Callable[[], None] | None = None


def by_key(*feeds: Feed[Resource]) -> dict[str, Feed[Resource]]:
    """Return feeds by their keys."""
    return {feed.key: feed for feed in feeds}
