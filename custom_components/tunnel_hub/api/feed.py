"""A feed: one kind of resources with its own request and interval."""

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
    """Reads values that require one request per resource.

    fields: the fields that it reads; a feed keeps the last values until the next read.
    is_worth_it: returns whether to probe a resource without being asked to.
    read: probes a resource; takes the known one and returns it with the values.
    idle_interval: how often to probe while nothing needs fresh values; by default with each poll.
    find_changed: returns the ids that may have changed since the last call, in fewer requests than
    probing them all; used while nothing needs fresh values.
    concurrency: the number of parallel requests.
    rate: requests per second after the first few.
    """

    fields: frozenset[str]
    is_worth_it: Callable[[Any], bool]
    read: Callable[[Any], Awaitable[R]]
    concurrency: int
    rate: float = 4
    idle_interval: timedelta = timedelta()
    find_changed: Callable[[], Awaitable[Collection[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Feed[R: Resource]:
    """One kind of resources that is read together.

    key: its name, unique within the provider.
    resource: the class of its resources.
    interval: used while a browser or app is connected, or an automation uses its entities.
    idle_interval: used otherwise; None: the same.
    jitter: the maximum random addition to an interval.
    fields: the fields that the service provides; other fields have no entities.
    unsupported_fields: returns those of them that the service's version does not provide.
    kept: returns the ids of resources that the service no longer lists but that are still shown.
    forget: removes a kept resource until the service lists it again.
    forget_shared: clears answers that are shared with other feeds.
    fetch: reads all resources by id; raises the errors of the errors module.
    probe: reads further fields, one resource at a time.
    required: whether the entry cannot be set up without it.
    chosen: whether the options select which resources are listed.
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
    """Return feeds by key."""
    return {feed.key: feed for feed in feeds}
