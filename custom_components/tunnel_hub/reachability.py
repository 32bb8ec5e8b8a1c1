"""Checks from home whether addresses can be reached, as a feed: tunnels and watched addresses."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any, ClassVar, override

from homeassistant.components import network
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context
from yarl import URL

from .api.age import Stamp
from .api.errors import TunnelGoneError
from .api.feed import Feed, Probe
from .api.models.base import Resource
from .api.models.tunnels import Tunnel, TunnelState
from .api.provider import Issue, Provider
from .checks.addresses import (
    LookupFailedError,
    NotCheckable,
    Protocol,
    Target,
    Zone,
    resolve,
    tunnel_target,
    zone_of,
)
from .checks.certificates import TlsContexts
from .checks.checker import AT_ONCE, Checker, InternetCheck, IPNetwork
from .checks.consecutive_results import ConsecutiveResults
from .checks.results import CertificateProblem, CheckResult, ServerCertificate
from .checks.verdicts import Findings, Verdict
from .const import CONF_BASE_URL, DOMAIN
from .coordinator import FeedCoordinator

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

CHECKS = "checks"
"""Option: which tunnels are checked, one of the CHECKS_ values. Default: enabled tunnels."""
CHECKS_OFF = "off"
CHECKS_ENABLED = "enabled"
CHECKS_ALL = "all"

INTERVAL = timedelta(minutes=5)
JITTER = timedelta(seconds=30)
_LEAST_SECONDS = (INTERVAL - JITTER).total_seconds()
"""Between two checks of an address."""
_LEAST_SECONDS_ASKED = 10.0
"""Between two checks that are requested by an action."""
_LEAST_SECONDS_OUTDATED = 60.0
"""Between two checks of a tunnel whose state at the service has changed."""
_STALE_SECONDS = 2 * INTERVAL.total_seconds()
"""After this time without being loaded, results are not used any more."""

RETRY_PAUSE = (0.5, 1.5)

_INTERNET_HOST = ("www.home-assistant.io", 443)

_SLOTS: HassKey[asyncio.Semaphore] = HassKey(f"{DOMAIN}.check_slots")
_HISTORIES: HassKey[dict[str, dict[str, _History]]] = HassKey(f"{DOMAIN}.check_histories")
"""By entry id and id of the resource with the address."""

_NODE_IS_DOWN = {
    TunnelState.NODE_OFFLINE,
    TunnelState.NODE_MAINTENANCE,
    TunnelState.NODE_REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressCheck(Resource):
    """The results of an address's checks."""

    protocol: str
    """tcp, http or https."""
    availability: int | None = None
    """100 or 0 percent. Its mean is the share of time in which the address was reachable."""
    certificate_expires: datetime | None = None
    certificate_problem: CertificateProblem | None = None
    certificate_trusted: bool | None = None
    last_check: datetime | None = None
    http_status: int | None = None
    reachable: bool | None = None
    """Confirmed by several checks."""
    response_time: float | None = None
    """Milliseconds."""
    uptime_24_hours: float | None = None
    """The share of the last 24 hours in which it was reachable, in percent; also 7 and 30 days."""
    uptime_7_days: float | None = None
    uptime_30_days: float | None = None
    verdict: Verdict | None = None

    @property
    def has_certificate(self) -> bool:
        """Whether the protocol uses a certificate."""
        return self.protocol == "https"

    @property
    def has_status(self) -> bool:
        """Whether the protocol has an HTTP status."""
        return self.protocol in ("http", "https")


UPTIMES: Mapping[str, timedelta] = {
    "uptime_24_hours": timedelta(hours=24),
    "uptime_7_days": timedelta(days=7),
    "uptime_30_days": timedelta(days=30),
}
"""Fields that are calculated from statistics, with their period."""
_PROBED = frozenset(f.name for f in fields(AddressCheck)) - {"id", "name", "protocol", *UPTIMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelCheck(AddressCheck):
    """The results of the checks of a tunnel's public address."""

    kind: ClassVar[str] = "check"
    part_of: ClassVar[str | None] = Tunnel.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check.

    began, at: when it began and ended.
    local: whether something listens at the local address.
    """

    began: Stamp
    at: Stamp
    result: CheckResult
    local: bool | None

    @property
    def response_time(self) -> float | None:
        """Milliseconds."""
        seconds = self.result.response_time
        return None if seconds is None else round(seconds * 1000, 1)


@dataclass(slots=True)
class _History:
    """The results of one address so far.

    shown: the confirmed results.
    before: when another address of the same resource was checked.
    service_state: the state at the service.
    is_outdated: whether that state has changed since the last check, or that check must be
    confirmed.
    """

    target: Target
    shown: AddressCheck
    before: Stamp | None = None
    results: ConsecutiveResults = field(default_factory=ConsecutiveResults)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: Checked | None = None
    certificate: ServerCertificate | None = None
    service_state: Mapping[str, bool] = field(default_factory=dict)
    is_outdated: bool = False

    @property
    def last_at(self) -> Stamp | None:
        """When the resource was last checked, at any address."""
        return self.last.at if self.last is not None else self.before

    @property
    def wait(self) -> float:
        """Seconds until the next check, so that moving a tunnel between ports cannot scan them."""
        return 0 if self.last_at is None else max(0, _LEAST_SECONDS_ASKED - self.last_at.age)

    def update_service_state(self, service_state: Mapping[str, bool | None]) -> bool:
        """Update the state at the service; return whether it changed."""
        known = {name: value for name, value in service_state.items() if value is not None}
        is_other = any(
            self.service_state.get(name, value) != value for name, value in known.items()
        )
        self.service_state = {**self.service_state, **known}
        self.is_outdated |= is_other and self.last is not None
        return is_other

    def add_check(self, checked: Checked, findings: Findings) -> None:
        """Update the results with a check; a change is only shown once it is confirmed."""
        result, self.last = checked.result, checked
        self.certificate = certificate = result.certificate or self.certificate
        is_up = self.results.add(reached=result.is_reached)
        self.is_outdated &= is_up is not result.is_reached
        self.shown = replace(
            self.shown,
            availability=None if is_up is None else 100 * is_up,
            certificate_expires=certificate.expires if certificate else None,
            certificate_problem=certificate.problem if certificate else None,
            certificate_trusted=certificate.is_trusted if certificate else None,
            http_status=result.http_status,
            last_check=dt_util.utcnow(),
            reachable=is_up,
            response_time=checked.response_time,
        )
        self.update_verdict(findings)

    def update_verdict(self, findings: Findings) -> None:
        """Show the verdict of the last check, unless it must be confirmed.

        If the state at the service has changed since the check, the verdict is unknown.
        """
        is_up = self.results.is_up
        if self.is_outdated and (is_up or findings.online):
            self.shown = replace(self.shown, verdict=Verdict.UNKNOWN)
        elif is_up is None or CheckResult(outcome=findings.outcome).is_reached is is_up:
            self.shown = replace(self.shown, verdict=findings.verdict)


class AddressChecks(ABC):
    """Checks addresses from home.

    feed: the results of all addresses that can be checked.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        resource: type[AddressCheck],
        *hosts: str,
    ) -> None:
        """hosts: unrelated hosts that show whether the internet connection works."""
        self._hass = hass
        self._entry = entry
        self._checker = Checker(
            TlsContexts(get_default_context(), get_default_no_verify_context()),
            InternetCheck([*((host, 443) for host in hosts), _INTERNET_HOST], lookup=resolve),
            slots=hass.data.setdefault(_SLOTS, asyncio.Semaphore(AT_ONCE)),
            pause=RETRY_PAUSE,
            lookup=resolve,
        )
        # The results and the rate limit survive a reload of the entry.
        histories = hass.data.setdefault(_HISTORIES, {})
        self._histories = histories[entry.entry_id] = {
            id_: history
            for id_, history in histories.get(entry.entry_id, {}).items()
            if history.last is not None and history.last.at.age < _STALE_SECONDS
        }
        self.coordinator: FeedCoordinator | None = None
        self._stop_waiting: CALLBACK_TYPE | None = None
        self.feed: Feed[Resource] = check_feed(
            resource, self.async_fetch, self.is_worth_it, self.async_read
        )

    # Which addresses are checked

    @property
    def is_enabled(self) -> bool:
        """Whether addresses are checked automatically."""
        return True

    @abstractmethod
    def _ids(self) -> Iterable[str]:
        """Return the ids of resources that may have an address."""

    @abstractmethod
    def _target(self, id_: str) -> Target | NotCheckable:
        """Return an address; raises TunnelGoneError."""

    @abstractmethod
    def _initial(self, id_: str, target: Target) -> AddressCheck:
        """Return the values before the first check."""

    @abstractmethod
    def _findings(self, id_: str, checked: Checked) -> Findings:
        """Return what is known of the path, including a check; raises TunnelGoneError."""

    def _service_state(self, id_: str) -> Mapping[str, bool | None]:
        """Return the state at the service. If it changes, the last check is outdated."""
        return {}

    def _is_wanted(self, id_: str) -> bool:
        """Return whether an address is checked automatically."""
        return True

    @abstractmethod
    async def _prepare(self) -> None:
        """Read what is required to know the addresses."""

    async def _listens_at_home(self, id_: str) -> bool | None:
        """Return whether something listens at the local address; None if there is none."""
        return None

    # The feed

    @callback
    def async_follow(self, coordinator: FeedCoordinator) -> FeedCoordinator:
        """Check new and changed addresses without waiting for the next poll.

        coordinator: of the feed.
        """
        self.coordinator = coordinator
        self._entry.async_on_unload(self._cancel_wait)
        return coordinator

    async def async_fetch(self) -> Mapping[str, AddressCheck]:
        """Return the results of all addresses, without new checks."""
        await self._prepare()
        known = {
            id_: history for id_ in self._ids() if (history := self._history_of(id_)) is not None
        }
        self._histories.clear()
        self._histories.update(known)
        for id_, history in known.items():
            if not self._is_wanted(id_):
                history.shown = self._unchecked(id_, history.target)
        return {id_: history.shown for id_, history in known.items()}

    def is_worth_it(self, known: AddressCheck) -> bool:
        """Return whether to check an address automatically."""
        return known.id in self._histories and self._is_wanted(known.id)

    async def async_read(self, known: AddressCheck) -> AddressCheck:
        """Check an address if a check is due."""
        if (history := self._histories.get(known.id)) is None:
            raise TunnelGoneError
        if history.last is None and (wait := history.wait):
            self._entry.async_on_unload(async_call_later(self._hass, wait, self._check_soon))
        else:
            least = _LEAST_SECONDS_OUTDATED if history.is_outdated else _LEAST_SECONDS
            await self._check(history, known.id, least)
            if history.is_outdated:
                self._check_later()
        return history.shown

    def _history_of(self, id_: str) -> _History | None:
        """Return the results of an address, or None if it has changed."""
        if not isinstance(target := self._target(id_), Target):
            return None
        history = self._histories.get(id_)
        if history is not None and history.target == target:
            history.update_service_state(self._service_state(id_))
            history.shown = replace(history.shown, name=self._initial(id_, target).name)
            return history
        before = None if history is None else history.last_at
        return _History(target, self._unchecked(id_, target), before)

    def _unchecked(self, id_: str, target: Target) -> AddressCheck:
        """Return the values of an address without its checks: only its uptimes."""
        blank, history = self._initial(id_, target), self._histories.get(id_)
        past: dict[str, Any] = {
            name: getattr(history.shown, name) for name in UPTIMES if history is not None
        }
        return replace(blank, **past)

    @callback
    def _changed(self, id_: str) -> None:
        """Check again soon if the address or the state changed, and update the verdict."""
        history, target = self._histories.get(id_), self._target(id_)
        if (history and history.target) != (target if isinstance(target, Target) else None):
            self._check_soon()
        elif history is not None and history.last is not None:
            if history.update_service_state(self._service_state(id_)):
                self._check_soon()
            if self._is_wanted(id_):
                history.update_verdict(self._findings(id_, history.last))
            else:
                history.shown = self._unchecked(id_, history.target)
            self._publish(history)

    @callback
    def _check_soon(self, _: datetime | None = None) -> None:
        if (coordinator := self.coordinator) is not None:
            self._entry.async_create_task(
                self._hass, coordinator.async_request_refresh(), "check another address"
            )

    @callback
    def _check_later(self) -> None:
        """Check outdated addresses again in a minute."""
        if self._stop_waiting is None:
            self._stop_waiting = async_call_later(self._hass, _LEAST_SECONDS_OUTDATED, self._waited)

    @callback
    def _waited(self, _: datetime) -> None:
        self._stop_waiting = None
        self._check_soon()

    @callback
    def _cancel_wait(self) -> None:
        if self._stop_waiting is not None:
            self._stop_waiting()

    # Checks

    async def async_check(self, id_: str) -> tuple[Checked, Findings] | NotCheckable:
        """Check an address now, or ten seconds after its last check.

        The result is never from before the call, because the client may just have disconnected.
        Returns the reason if it cannot be checked. Raises TunnelGoneError.
        """
        asked = Stamp.now()
        await self._prepare()
        while True:
            if isinstance(target := self._target(id_), NotCheckable):
                return target
            history = self._history_of(id_) or _History(target, self._initial(id_, target))
            self._histories[id_] = history
            if (checked := history.last) is not None and checked.began.age <= asked.age:
                return checked, self._findings(id_, checked)
            if wait := history.wait:
                # The address may change in the meantime.
                await asyncio.sleep(wait)
                continue
            await self._check(history, id_, _LEAST_SECONDS_ASKED)
            if self._is_wanted(id_):
                self._publish(history)

    async def _check(self, history: _History, id_: str, least: float) -> Checked:
        """Check an address, unless the last check is less than `least` seconds old."""
        async with history.lock:
            if (last := history.last) is not None and last.at.age < least:
                return last
            history.update_service_state(self._service_state(id_))
            began = Stamp.now()
            # An address that is down is not retried immediately.
            retry = history.results.is_up is not False
            result = await self._checker.check(history.target, retry=retry)
            local = None
            if result.is_reached is False:
                local = await self._listens_at_home(id_)
            checked = Checked(began=began, at=Stamp.now(), result=result, local=local)
            history.add_check(checked, self._findings(id_, checked))
            history.update_service_state(self._service_state(id_))
            return checked

    # Uptimes

    @callback
    def async_set_uptimes(self, id_: str, uptimes: Mapping[str, Any]) -> None:
        """Show the uptimes from the statistics.

        uptimes: by field.
        """
        if (history := self._histories.get(id_)) is not None:
            history.shown = replace(history.shown, **uptimes)
            self._publish(history)

    @callback
    def async_clear_availability(self) -> None:
        """Set the availability to unknown until the next check."""
        for history in self._histories.values():
            history.shown = replace(history.shown, availability=None)
            self._publish(history)

    def _publish(self, history: _History) -> None:
        if self.coordinator is not None:
            self.coordinator.async_publish(history.shown)

    # Issues

    def issues(self) -> Iterator[Issue]:
        """Yield an issue for certificates that end soon or have ended."""
        now = dt_util.utcnow()
        ending = [
            f"{history.target.label} {history.certificate.expires:%Y-%m-%d}"
            for id_, history in self._histories.items()
            if history.certificate is not None
            and history.certificate.problem in (None, CertificateProblem.EXPIRED)
            and history.certificate.ends_soon(now)
            and self._is_wanted(id_)
        ]
        if ending and self.is_enabled:
            yield Issue(key="tunnel_certificate_ending", placeholders={"certificates": ending})


class TunnelChecks(AddressChecks):
    """The checks of one account's tunnels."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: Provider,
        tunnels: FeedCoordinator,
    ) -> None:
        console = URL(provider.description.console_url).host
        super().__init__(hass, entry, TunnelCheck, *((console,) if console else ()))
        self._tunnels = tunnels
        self._mode = CHECKS_OFF
        if provider.description.has_public_tunnels:
            self._mode = str(entry.options.get(CHECKS, CHECKS_ENABLED))
        # None for a public service, whose address the user does not enter.
        self._service_host = URL(entry.data.get(CONF_BASE_URL, "")).host
        self._zone: Zone | None = None

    @property
    @override
    def is_enabled(self) -> bool:
        return self._mode != CHECKS_OFF

    @callback
    @override
    def async_follow(self, coordinator: FeedCoordinator) -> FeedCoordinator:
        self._tunnels.subscriptions.on_changed.append(self._tunnel_changed)
        return super().async_follow(coordinator)

    @callback
    def _tunnel_changed(self, tunnel_id: str) -> None:
        if self._zone is not None and tunnel_id in self._tunnels.data:
            self._changed(tunnel_id)

    def _tunnel(self, tunnel_id: str) -> Tunnel:
        """Return a tunnel; raises TunnelGoneError."""
        tunnel = self._tunnels.data.get(tunnel_id)
        if not isinstance(tunnel, Tunnel):
            raise TunnelGoneError
        return tunnel

    @override
    def _ids(self) -> Iterable[str]:
        return self._tunnels.data

    @override
    def _target(self, id_: str) -> Target | NotCheckable:
        tunnel = self._tunnel(id_)
        return tunnel_target(tunnel.protocol, tunnel.public_address, self._zone or Zone.INTERNET)

    @override
    def _initial(self, id_: str, target: Target) -> TunnelCheck:
        return TunnelCheck(id=id_, protocol=target.protocol)

    async def async_connect(self, address: str) -> CheckResult | NotCheckable:
        """Connect to a server of the service, such as a node.

        address: host:port.
        """
        await self._prepare()
        target = tunnel_target(Protocol.TCP, address, self._zone or Zone.INTERNET)
        return target if isinstance(target, NotCheckable) else await self._checker.connect(target)

    @override
    def _findings(self, id_: str, checked: Checked) -> Findings:
        tunnel = self._tunnel(id_)
        return Findings(
            outcome=checked.result.outcome,
            local=checked.local,
            online=tunnel.online,
            node_online=False if tunnel.state in _NODE_IS_DOWN else None,
        )

    @override
    def _service_state(self, id_: str) -> Mapping[str, bool | None]:
        tunnel = self._tunnel(id_)
        return {"enabled": tunnel.enabled, "online": tunnel.online}

    @override
    def _is_wanted(self, id_: str) -> bool:
        tunnel = self._tunnels.data.get(id_)
        is_enabled = isinstance(tunnel, Tunnel) and tunnel.enabled is not False
        return self._mode == CHECKS_ALL or is_enabled

    @override
    async def _prepare(self) -> None:
        """Find out whether the service is at home: only then its addresses may be private.

        This depends on the address that the user entered, not on the DNS of a public service.
        """
        if self._zone is None and self._service_host is not None:
            try:
                found = await resolve(self._service_host, 0)
            except LookupFailedError:
                return
            self._zone = min((zone_of(address.ip) for address in found), default=Zone.INTERNET)
        elif self._zone is None:
            self._zone = Zone.INTERNET

    @override
    async def _listens_at_home(self, id_: str) -> bool | None:
        if not (address := self._tunnel(id_).local_address):
            return None
        return await self._checker.listens(address, await _networks(self._hass))


def check_feed(
    resource: type[AddressCheck],
    fetch: Callable[[], Awaitable[Mapping[str, Resource]]],
    is_worth_it: Callable[[Any], bool],
    read: Callable[[Any], Awaitable[Resource]],
) -> Feed[Resource]:
    """Return the feed of checks. The arguments are those of a feed and its probe."""
    return Feed(
        key="checks",
        resource=resource,
        interval=INTERVAL,
        jitter=JITTER,
        fields=frozenset(f.name for f in fields(resource)),
        fetch=fetch,
        probe=Probe(
            fields=_PROBED,
            is_worth_it=is_worth_it,
            read=read,
            concurrency=AT_ONCE,
        ),
    )


@callback
def async_forget_checks(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the results of an entry that is removed."""
    hass.data.get(_HISTORIES, {}).pop(entry_id, None)


async def _networks(hass: HomeAssistant) -> Collection[IPNetwork]:
    """Return the networks of Home Assistant, except those of the machine itself."""
    interfaces = [
        ip_interface((address["address"], address["network_prefix"]))
        for adapter in await network.async_get_adapters(hass)
        for address in (*adapter["ipv4"], *adapter["ipv6"])
        if adapter["enabled"]
    ]
    return [
        interface.network for interface in interfaces if zone_of(interface.ip) is not Zone.MACHINE
    ]
