"""Imports the history that services provide into long-term statistics.

The values are external statistics, `tunnel_hub:<entry>_<kind>_<id>_<series>`, separate from those
that Home Assistant compiles for the entities: they begin before the account was added. A day of the
service is one row at its first full hour, and is written when the day has ended. Each read overlaps
the previous one, so corrections of the service, and all later sums, are updated.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from hashlib import blake2s
import logging
import math
import random
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypedDict, cast

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    async_list_statistic_ids,
    get_last_statistics,
)
from homeassistant.const import UnitOfInformation, UnitOfRatio, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util, slugify
from homeassistant.util.unit_conversion import (
    DurationConverter,
    InformationConverter,
    UnitlessRatioConverter,
)

from .api import days
from .api.capabilities.account import CanGetTrafficHistory
from .api.capabilities.mesh import MeshNode
from .api.capabilities.nodes import CanAskNodes
from .api.errors import (
    InvalidInputError,
    RejectedError,
    TunnelGoneError,
    TunnelHubError,
    UnsupportedError,
)
from .api.models.account import Account
from .api.models.mesh import Peer
from .api.models.nodes import Node
from .api.models.tunnels import Tunnel
from .api.provider import Provider
from .api.rate_limiter import RateLimiter
from .clock import WallClockTimer
from .const import DOMAIN
from .coordinator import FeedCoordinator
from .exceptions import reauth_errors
from .ids import DeviceKey, registered_device
from .storage import EntryStore, File
from .units import gibibytes

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

_SETTLED = timedelta(minutes=15)
"""The delay after the service's midnight until its sums are complete. Clocks differ, too."""
_SETTLED_ANYWHERE = timedelta(hours=12)
"""The time after midnight in UTC when most time zones have the same date."""
_SPREAD = timedelta(minutes=90)
"""The random delay, so that installations do not send their requests at the same time."""
_RETRY = timedelta(hours=1)

_ALL_DAYS = 90
_OVERLAP = 7
"""Days that are read again because the service may have corrected them."""

_PER_SECOND = 1
_AT_ONCE = 10
"""Requests for tunnels that are sent without delay. Services ban clients that send hundreds."""

_ROWS = 200
"""The number of stored rows of a series that are compared: more than any service provides."""

_LONGEST_ID = 60

type _Stored = Mapping[datetime, StatisticsRow]
type Samples = Mapping[datetime, float]
type Found = AsyncIterator[tuple[DeviceKey, Mapping[str, Samples]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """A statistics series.

    is_sum: whether it is a sum; otherwise a mean.
    """

    unit: str
    unit_class: str
    is_sum: bool = False


_GIBIBYTES = _Series(
    unit=UnitOfInformation.GIBIBYTES, unit_class=InformationConverter.UNIT_CLASS, is_sum=True
)
SERIES: Mapping[str, _Series] = {
    "latency": _Series(unit=UnitOfTime.MILLISECONDS, unit_class=DurationConverter.UNIT_CLASS),
    "traffic_in": _GIBIBYTES,
    "traffic_out": _GIBIBYTES,
    "uptime": _Series(unit=UnitOfRatio.PERCENTAGE, unit_class=UnitlessRatioConverter.UNIT_CLASS),
}
"""By name. The name of a series has the translation key `history_<name>`."""


class _Last(TypedDict):
    """The last complete read of a source.

    at: the time, in ISO 8601.
    of: the things that were read.
    """

    at: str
    of: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A kind of history that a service provides.

    needs: the capability of the provider. of: the kinds of its devices.
    fields: the fields of which one must have an enabled entity.
    interval: how often it is read; None: once a day of the service. What is read more often is
    written when its hour has ended, and not changed later.
    read: reads it. Its arguments are the provider, the devices, the service's current day, and the
    number of days since the last read.
    """

    needs: type
    of: tuple[str, ...]
    fields: frozenset[str]
    read: Callable[[Any, Collection[DeviceKey], date, int], Found]
    interval: timedelta | None = None


async def _traffic(
    service: CanGetTrafficHistory, wanted: Collection[DeviceKey], today: date, _: int
) -> Found:
    """Yield the days that have ended. Things without a history are skipped."""
    zone = cast("Provider", service).time_zone or UTC
    limiter = RateLimiter(_PER_SECOND, _AT_ONCE)
    for key in wanted:
        await asyncio.sleep(limiter.delay())
        try:
            found = await service.traffic_history(key.id if key.kind == Tunnel.kind else None)
        except RejectedError, InvalidInputError, TunnelGoneError, UnsupportedError:
            continue
        series = defaultdict[str, dict[datetime, float]](dict)
        for row in found:
            if (day := date.fromisoformat(row.day)) < today:
                for name, size in (
                    ("traffic_in", row.traffic_in),
                    ("traffic_out", row.traffic_out),
                ):
                    if (value := gibibytes(size)) is not None:
                        series[name][days.start_of(day, zone)] = value
        yield key, series


async def _uptime(
    service: CanAskNodes, wanted: Collection[DeviceKey], today: date, number: int
) -> Found:
    zone = cast("Provider", service).time_zone or UTC
    found = await service.uptime_history(min(number + _OVERLAP, _ALL_DAYS))
    for key in wanted:
        ended = (row for row in found.get(key.id, ()) if row.day < today)
        yield key, {"uptime": {days.start_of(row.day, zone): row.uptime for row in ended}}


async def _latency(
    service: MeshNode, wanted: Collection[DeviceKey], _today: date, _number: int
) -> Found:
    found = await service.latencies()
    for key in wanted:
        known = {s.time: float(s.latency) for s in found.get(key, ()) if s.latency is not None}
        yield key, {"latency": known}


SOURCES: Mapping[str, _Source] = {
    "latency": _Source(
        needs=MeshNode,
        of=(Peer.kind, Tunnel.kind),
        fields=frozenset({"latency"}),
        read=_latency,
        # The node stores ten minutes.
        interval=timedelta(minutes=9),
    ),
    "traffic": _Source(
        needs=CanGetTrafficHistory,
        of=(Account.kind, Tunnel.kind),
        fields=frozenset({"traffic_in_today", "traffic_out_today"}),
        read=_traffic,
    ),
    "uptime": _Source(
        needs=CanAskNodes,
        of=(Node.kind,),
        fields=frozenset({"uptime_30_days"}),
        read=_uptime,
    ),
}
"""By the key under which the time of the last read is stored."""


def _prefix(entry_id: str) -> str:
    return f"{DOMAIN}:{slugify(entry_id)}_"


def statistic_id(entry_id: str, key: DeviceKey, series: str) -> str:
    """Return the id of a series, with a digest if the id of the thing had to be changed."""
    id_ = slugify(key.id)[:_LONGEST_ID].strip("_")
    if id_ != key.id:
        id_ = f"{id_}_{blake2s(key.id.encode(), digest_size=4).hexdigest()}".lstrip("_")
    return f"{_prefix(entry_id)}{key.kind}_{id_}_{series}"


async def async_forget(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the statistics of an entry.

    Home Assistant does not offer to delete statistics without an entity. An account that is added
    again begins with the history that the service provides.
    """
    if RECORDER not in hass.config.components:
        return
    recorder = get_instance(hass)
    await recorder.async_block_till_done()
    ids = [row["statistic_id"] for row in await async_list_statistic_ids(hass)]
    recorder.async_clear_statistics([id_ for id_ in ids if id_.startswith(_prefix(entry_id))])


class HistoryImporter:
    """Imports the history of one account into the statistics."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: Provider,
        coordinators: Mapping[str, FeedCoordinator],
    ) -> None:
        """coordinators: of all feeds of the entry; more can be added later."""
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._coordinators = coordinators
        self._sources = {n: s for n, s in SOURCES.items() if isinstance(provider, s.needs)}
        self._store = EntryStore[dict[str, _Last]](hass, entry.entry_id, File.HISTORY)
        self._last: dict[str, _Last] = {}
        self._not_before: dict[str, datetime] = {}
        self._done: dict[str, set[DeviceKey]] = defaultdict(set)
        """Of which things a source that then failed was read."""
        self._current_hours: dict[str, dict[datetime, float]] = {}
        """Samples of hours that have not ended, by series."""
        self._spread = _SPREAD * random.uniform(0, 1)
        self._reading = asyncio.Lock()
        self._timer = WallClockTimer(hass, self._run_if_due)

    @property
    def _zone(self) -> tzinfo:
        return self._provider.time_zone or UTC

    @property
    def _settled(self) -> timedelta:
        """The time after midnight when the previous day is complete at the service."""
        return _SETTLED_ANYWHERE if self._provider.time_zone is None else _SETTLED

    async def async_start(self) -> None:
        """Start to import, if the recorder is set up."""
        if not self._sources or RECORDER not in self._hass.config.components:
            return
        self._last = await self._store.async_load() or {}
        self._entry.async_on_unload(self._timer.async_stop)
        self._timer.async_call()

    async def async_import(self) -> int:
        """Import everything now; return the number of rows. Raises the errors of api/."""
        if RECORDER not in self._hass.config.components:
            raise UnsupportedError
        since = dt_util.utcnow() - days.start_of(days.today(self._zone), self._zone)
        if since < self._settled:
            minutes = math.ceil((self._settled - since) / timedelta(minutes=1))
            raise InvalidInputError("history_not_settled", minutes=str(minutes))
        async with self._reading:
            self._done.clear()
            return sum([await self._read(name) for name in self._sources])

    def _due(self, name: str) -> datetime:
        last = self._last.get(name)
        read_at = datetime.fromisoformat(last["at"]) if last else None
        if (interval := self._sources[name].interval) is not None:
            due = read_at + interval if read_at else dt_util.utcnow()
        elif read_at is None:
            due = days.start_of(days.today(self._zone), self._zone) + self._settled
        else:
            tomorrow = days.day_of(read_at, self._zone) + _DAY
            due = days.start_of(tomorrow, self._zone) + (self._settled + self._spread)
        return max(due, self._not_before.get(name, due))

    @callback
    def _run_if_due(self, now: datetime) -> datetime:
        """Read all sources that are due; return when the next one is."""
        due = [name for name in self._sources if self._due(name) <= now]
        if due and not self._reading.locked():
            self._entry.async_create_background_task(
                self._hass, self._read_due(due), f"{DOMAIN} history"
            )
        return min(now + _HOUR, *map(self._due, self._sources)) if not due else now + _HOUR

    async def _read_due(self, due: Sequence[str]) -> None:
        async with self._reading:
            for name in due:
                try:
                    with reauth_errors(self._hass, self._entry):
                        await self._read(name)
                except UnsupportedError:
                    self._not_before[name] = dt_util.utcnow() + _DAY
                except TunnelHubError as err:
                    _LOGGER.debug("%s: history of %s not read: %s", self._entry.title, name, err)
                    self._not_before[name] = dt_util.utcnow() + _RETRY
        self._timer.async_call()

    def _wanted(self, source: _Source) -> set[DeviceKey]:
        """Return the things with an enabled entity for a source."""
        return {
            DeviceKey(coordinator.device_kind, id_)
            for coordinator in self._coordinators.values()
            if coordinator.device_kind in source.of
            for id_ in coordinator.subscriptions.watched(source.fields) & coordinator.data.keys()
        }

    async def _read(self, name: str) -> int:
        """Read a source and write its rows; return the number of rows."""
        source, last = self._sources[name], self._last.get(name)
        wanted = self._wanted(source)
        now = dt_util.utcnow()
        today = days.day_of(now, self._zone)
        number = _ALL_DAYS
        if last and {key.id for key in wanted} <= set(last["of"]):
            number = (today - days.day_of(datetime.fromisoformat(last["at"]), self._zone)).days
        if not wanted:
            self._not_before[name] = now + _RETRY
            return 0
        rows, done = 0, self._done[name]
        if todo := sorted(wanted - done):
            await get_instance(self._hass).async_block_till_done()
            async for key, series in source.read(self._provider, todo, today, number):
                for each, samples in series.items():
                    rows += await self._write(key, each, samples, now, source)
                done.add(key)
        done.clear()
        self._last[name] = {"at": now.isoformat(), "of": sorted({key.id for key in wanted})}
        if source.interval is None:
            await self._store.async_save(self._last)
        return rows

    async def _write(
        self, key: DeviceKey, name: str, samples: Samples, now: datetime, source: _Source
    ) -> int:
        """Write the samples of hours that have ended; return the number of rows."""
        id_, series = statistic_id(self._entry.entry_id, key, name), SERIES[name]
        samples = {**self._current_hours.pop(id_, {}), **samples}
        hours = defaultdict[datetime, list[float]](list)
        for moment, value in samples.items():
            hour = _full_hour(moment, up=source.interval is None)
            if hour + _HOUR <= now:
                hours[hour].append(value)
            else:
                self._current_hours.setdefault(id_, {})[moment] = value
        if not hours:
            return 0
        stored = await self._stored(id_)
        if source.interval is not None:
            hours = defaultdict(list, {h: v for h, v in hours.items() if h not in stored})
        rows = _sums(hours, stored) if series.is_sum else _means(hours)
        rows = [row for row in rows if not _is_stored(row, stored)]
        if rows:
            metadata = StatisticMetaData(
                mean_type=StatisticMeanType.NONE if series.is_sum else StatisticMeanType.ARITHMETIC,
                has_sum=series.is_sum,
                name=await self._name(key, name),
                source=DOMAIN,
                statistic_id=id_,
                unit_class=series.unit_class,
                unit_of_measurement=series.unit,
            )
            async_add_external_statistics(self._hass, metadata, rows)
        return len(rows)

    async def _stored(self, id_: str) -> _Stored:
        """Return the newest rows of a series by start time, the oldest first."""
        found = await get_instance(self._hass).async_add_executor_job(
            get_last_statistics, self._hass, _ROWS, id_, False, {"mean", "state", "sum"}
        )
        rows = {dt_util.utc_from_timestamp(row["start"]): row for row in found.get(id_, ())}
        return dict(sorted(rows.items()))

    async def _name(self, key: DeviceKey, series: str) -> str:
        """Return the name of the statistics in Home Assistant's language."""
        device = registered_device(dr.async_get(self._hass), self._entry, key)
        texts = await async_get_translations(
            self._hass, self._hass.config.language, "common", [DOMAIN]
        )
        text = texts[f"component.{DOMAIN}.common.history_{series}"]
        named = (device.name_by_user or device.name) if device else None
        return text.format(name=named or self._entry.title)


def _full_hour(moment: datetime, *, up: bool) -> datetime:
    """Return the hour in UTC for a time, rounded up: rows can only start at full hours.

    A day that begins at half past an hour of UTC must not be written to the day before.
    """
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour + _HOUR if up and hour != moment else hour


def _sums(amounts: Mapping[datetime, list[float]], stored: _Stored) -> list[StatisticData]:
    """Return rows with the amounts and their sum, from the first amount on.

    Stored rows that the service no longer provides are kept, as are those of a server that was
    restarted, which then reports 0 for earlier days.
    """
    first = min(amounts)
    earlier = [row.get("sum") or 0.0 for start, row in stored.items() if start < first]
    kept = {start: row.get("state") or 0.0 for start, row in stored.items() if start >= first}
    total = earlier[-1] if earlier else 0.0
    rows: list[StatisticData] = []
    current = {start: sum(found) or kept.get(start, 0.0) for start, found in amounts.items()}
    for start, amount in sorted({**kept, **current}.items()):
        total = round(total + amount, 9)
        rows.append({"start": start, "state": amount, "sum": total})
    return rows


def _means(values: Mapping[datetime, list[float]]) -> list[StatisticData]:
    return [
        {"start": start, "mean": fmean(found), "min": min(found), "max": max(found)}
        for start, found in sorted(values.items())
    ]


def _is_stored(row: StatisticData, stored: _Stored) -> bool:
    """Return whether a row is in the statistics with the same values."""
    before = stored.get(row["start"])
    return before is not None and all(
        before.get(name) == row.get(name) for name in ("mean", "state", "sum")
    )
