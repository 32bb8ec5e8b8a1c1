"""Forecasts when traffic is used up, by the use of the last week, as feeds without requests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.statistics import StatisticsRow, statistics_during_period
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.const import UnitOfInformation
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import InformationConverter

from .api.errors import Reason, UnavailableError
from .api.feed import Feed
from .api.models.account import Account
from .api.models.base import Resource
from .api.models.directory import PublicNode, RelayNode
from .api.models.mesh import User
from .coordinator import FeedCoordinator
from .ids import EntityKey, registered_entity

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_INTERVAL = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
_LEAST = timedelta(days=2)
"""The shortest period of statistics for a forecast."""
_FORESEEABLE = timedelta(days=365)
_NEWS = 0.1
"""The share of the remaining time by which a forecast must differ to replace the current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Resource):
    """The forecast for the resource with the same id."""

    traffic_lasts_until: datetime | None = None
    """A full hour; None also if it lasts for more than a year, or until it is renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForecast(Forecast):
    """The forecast for an account."""

    kind: ClassVar[str] = "account_forecast"
    part_of: ClassVar[str | None] = Account.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForecast(Forecast):
    """The forecast for a user with a traffic limit."""

    kind: ClassVar[str] = "user_forecast"
    part_of: ClassVar[str | None] = User.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeForecast(Forecast):
    """The forecast for a relay node with a traffic limit."""

    kind: ClassVar[str] = "relay_node_forecast"
    part_of: ClassVar[str | None] = RelayNode.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNodeForecast(Forecast):
    """The forecast for a public node with a traffic limit."""

    kind: ClassVar[str] = "public_node_forecast"
    part_of: ClassVar[str | None] = PublicNode.kind


def _left_of_limit(limit: int | None, used: int | None) -> int | None:
    return None if limit is None or used is None else limit - used


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A kind of resource whose traffic is limited.

    forecast: the class of its forecast. of: the class of the resource.
    limit: the field without which the traffic is unlimited.
    used: the sensor that counts used traffic. gained: the one that counts added traffic.
    left: returns the remaining bytes. renewed: returns when the count begins at 0 again, if ever.
    is_daily: whether `used` restarts each day, so that days without a reading are missing.
    """

    forecast: type[Forecast]
    of: type[Resource]
    limit: str
    used: str
    left: Callable[[Any], int | None]
    gained: str | None = None
    renewed: Callable[[Any], datetime | None] | None = None
    is_daily: bool = False


SUBJECTS: Sequence[Subject] = (
    Subject(
        forecast=AccountForecast,
        of=Account,
        limit="traffic_left",
        used="traffic_today",
        gained="sign_in_traffic",
        left=lambda account: account.traffic_left,
        is_daily=True,
    ),
    Subject(
        forecast=UserForecast,
        of=User,
        limit="traffic_limit",
        used="traffic_used",
        left=lambda user: _left_of_limit(user.traffic_limit, user.traffic_used),
    ),
    *(
        Subject(
            forecast=forecast,
            of=node,
            limit="traffic_allowed",
            used="traffic_used",
            left=lambda node: _left_of_limit(node.traffic_allowed, node.traffic_used),
            renewed=lambda node: node.traffic_reset,
        )
        for forecast, node in ((PublicNodeForecast, PublicNode), (RelayNodeForecast, RelayNode))
    ),
)


def subject_of(feed: Feed[Resource]) -> Subject | None:
    """Return what can be forecast for the resources of a feed, or None."""
    return next(
        (s for s in SUBJECTS if s.of is feed.resource and {s.limit, s.used} <= feed.fields), None
    )


def forecast_feed(subject: Subject, fetch: Callable[[], Any]) -> Feed[Resource]:
    """Return the feed of the forecasts for a kind of resource."""
    return Feed(
        key=subject.forecast.kind,
        resource=subject.forecast,
        interval=_INTERVAL,
        fields=frozenset({"traffic_lasts_until"}),
        fetch=fetch,
    )


def forecasts(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinators: Mapping[str, FeedCoordinator]
) -> Iterator[Feed[Resource]]:
    """Yield the feeds of the forecasts for an entry's resources."""
    for coordinator in list(coordinators.values()):
        if (subject := subject_of(coordinator.feed)) is not None:
            shown: dict[str, datetime] = {}
            yield forecast_feed(subject, partial(_fetch, hass, entry, coordinator, subject, shown))


async def _fetch(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    owner: FeedCoordinator,
    subject: Subject,
    shown: dict[str, datetime],
) -> Mapping[str, Forecast]:
    """Calculate the forecasts.

    shown: the current forecasts by id.
    """
    if not owner.has_answered:
        raise UnavailableError(Reason.CONNECTION)
    limited = [
        resource
        for resource in owner.data.values()
        if getattr(resource, subject.limit) is not None or subject.of is Account
    ]
    registry = er.async_get(hass)

    def _statistic(resource: Resource, key: str | None) -> str | None:
        """Return the entity id of a field's sensor, if it is enabled."""
        of_entity = EntityKey(resource.kind, resource.id, key or "")
        entity = registered_entity(registry, SENSOR, entry, of_entity)
        return entity.entity_id if entity and not entity.disabled else None

    ids = {
        resource.id: (_statistic(resource, subject.used), _statistic(resource, subject.gained))
        for resource in limited
    }
    now = dt_util.utcnow()
    rows = await _changes(hass, {id_ for pair in ids.values() for id_ in pair if id_}, now - _WEEK)
    found: dict[str, Forecast] = {}
    for resource in limited:
        used, gained = (rows.get(id_ or "", ()) for id_ in ids[resource.id])
        end = _end(
            subject.left(resource), _pace(used, is_daily=subject.is_daily), _pace(gained) or 0, now
        )
        renewed = subject.renewed(resource) if subject.renewed else None
        if end is not None and renewed is not None and renewed <= end:
            end = None
        if (steady := _steady(shown.pop(resource.id, None), end, now)) is not None:
            shown[resource.id] = steady
        found[resource.id] = subject.forecast(id=resource.id, traffic_lasts_until=steady)
    return found


async def _changes(
    hass: HomeAssistant, ids: set[str], start: datetime
) -> Mapping[str, Sequence[StatisticsRow]]:
    """Return the change of data size sensors in each hour, in bytes."""
    if not ids or RECORDER not in hass.config.components:
        return {}
    return await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        start,
        None,
        ids,
        "hour",
        {InformationConverter.UNIT_CLASS: UnitOfInformation.BYTES},
        {"change"},
    )


def _pace(rows: Sequence[StatisticsRow], *, is_daily: bool = False) -> float | None:
    """Return bytes per second, or None if there are less than two days."""
    if not rows:
        return None
    seconds = rows[-1]["end"] - rows[0]["start"]
    if is_daily:
        seconds = sum(row["end"] - row["start"] for row in rows)
    if seconds < _LEAST.total_seconds():
        return None
    return sum(row.get("change") or 0 for row in rows) / seconds


def _end(left: int | None, used: float | None, gained: float, now: datetime) -> datetime | None:
    """Return when the traffic is used up, or None if it is unknown or too far ahead."""
    if left is None or used is None:
        return None
    if left <= 0:
        return now
    net = used - gained
    if net <= 0 or left / net > _FORESEEABLE.total_seconds():
        return None
    return now + timedelta(seconds=left / net)


def _steady(shown: datetime | None, end: datetime | None, now: datetime) -> datetime | None:
    """Return the time to show: a full hour, and the current one unless it changed clearly."""
    if end is None:
        return None
    if shown is not None:
        if end == now and shown <= now:
            return shown
        if end > now and abs(end - shown) <= max(_HOUR, (end - now) * _NEWS):
            return shown
    return end.replace(minute=0, second=0, microsecond=0)
