"""Checks the public addresses of an account's tunnels from home, as a feed of our own."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from ipaddress import ip_interface
from typing import ClassVar

from homeassistant.components import network
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
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
    Target,
    Zone,
    resolve,
    tunnel_target,
    zone_of,
)
from .checks.certificates import TlsContexts
from .checks.checker import AT_ONCE, Checker, InternetReading, IPNetwork
from .checks.results import CertificateProblem, CheckResult, ServerCertificate
from .checks.verdicts import Confirmation, Findings, Verdict
from .const import CONF_BASE_URL, DOMAIN
from .coordinator import FeedCoordinator

CHECKS = "checks"
"""Option: which tunnels are checked, one of the CHECKS_ values; the enabled ones without it."""
CHECKS_OFF = "off"
CHECKS_ENABLED = "enabled"
CHECKS_ALL = "all"

INTERVAL = timedelta(minutes=5)
JITTER = timedelta(seconds=30)
_LEAST_SECONDS = (INTERVAL - JITTER).total_seconds()
"""Between two checks of an address, however often it is polled."""
_LEAST_SECONDS_ASKED = 10.0
"""Between two checks that somebody asks for."""

_RETRY_PAUSE = (0.5, 1.5)

_INTERNET_HOST = ("www.home-assistant.io", 443)

_SLOTS: HassKey[asyncio.Semaphore] = HassKey(f"{DOMAIN}.check_slots")

_NODE_IS_DOWN = {
    TunnelState.NODE_OFFLINE,
    TunnelState.NODE_MAINTENANCE,
    TunnelState.NODE_REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelCheck(Resource):
    """What checks of a tunnel's public address have found."""

    kind: ClassVar[str] = "check"
    part_of: ClassVar[str | None] = Tunnel.kind

    protocol: str
    """tcp, http or https."""
    availability: int | None = None
    """100 or 0 percent: its average is the share of time in which the address was reachable."""
    certificate_expires: datetime | None = None
    certificate_problem: CertificateProblem | None = None
    certificate_trusted: bool | None = None
    last_check: datetime | None = None
    http_status: int | None = None
    reachable: bool | None = None
    """Believed after several checks that agree."""
    response_time: float | None = None
    """Milliseconds."""
    verdict: Verdict | None = None

    @property
    def has_certificate(self) -> bool:
        """Whether there is one to be read."""
        return self.protocol == "https"

    @property
    def has_status(self) -> bool:
        """Whether it answers with an HTTP status."""
        return self.protocol in ("http", "https")


_PROBED = frozenset(f.name for f in fields(TunnelCheck)) - {"id", "name", "protocol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check. at: when it was made. local: whether anybody listens at the local address."""

    at: Stamp
    result: CheckResult
    local: bool | None

    @property
    def response_time(self) -> float | None:
        """Milliseconds."""
        seconds = self.result.response_time
        return None if seconds is None else round(seconds * 1000, 1)

    def findings(self, tunnel: Tunnel) -> Findings:
        """Return what this and the service tell of the path."""
        return Findings(
            outcome=self.result.outcome,
            local=self.local,
            online=tunnel.online,
            node_online=False if tunnel.state in _NODE_IS_DOWN else None,
        )


@dataclass(slots=True)
class _History:
    """What was found of one address so far. shown: what of it is believed."""

    target: Target
    shown: TunnelCheck
    confirmation: Confirmation = field(default_factory=Confirmation)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: Checked | None = None
    certificate: ServerCertificate | None = None

    def take_in(self, checked: Checked, tunnel: Tunnel) -> None:
        """Take in a check: of a change, only what is confirmed is shown."""
        result, self.last = checked.result, checked
        self.certificate = certificate = result.certificate or self.certificate
        is_up = self.confirmation.add(reached=result.is_reached)
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
        self.judge(tunnel)

    def judge(self, tunnel: Tunnel) -> None:
        """Show the verdict of the last check, unless it is one that has to be confirmed."""
        if self.last is None:
            return
        is_up = self.confirmation.is_up
        if is_up is None or self.last.result.is_reached is is_up:
            verdict = self.last.findings(tunnel).verdict
            self.shown = replace(self.shown, verdict=verdict)


class TunnelChecks:
    """The checks of one account's tunnels.

    feed: what is found, for every tunnel with an address that can be checked.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, provider: Provider, tunnels: FeedCoordinator
    ) -> None:
        """Check nothing yet. tunnels: the feed of the account's tunnels."""
        self._hass = hass
        self._tunnels = tunnels
        self._mode = CHECKS_OFF
        if provider.description.has_public_tunnels:
            self._mode = str(entry.options.get(CHECKS, CHECKS_ENABLED))
        self._checker = _checker(hass, provider)
        self._service_host = _entered_host(entry)
        self._zone: Zone | None = None
        self._histories: dict[str, _History] = {}
        self.coordinator: FeedCoordinator | None = None
        self.feed: Feed[Resource] = check_feed(self.async_fetch, self.is_worth_it, self.async_read)

    @property
    def is_on(self) -> bool:
        """Whether tunnels are checked by themselves."""
        return self._mode != CHECKS_OFF

    @callback
    def async_follow(self, coordinator: FeedCoordinator) -> FeedCoordinator:
        """Check what is new or has another address without waiting for the next turn.

        coordinator: of the feed.
        """
        self.coordinator = coordinator
        self._tunnels.subscriptions.on_changed.append(self._tunnel_changed)
        return coordinator

    @callback
    def _tunnel_changed(self, tunnel_id: str) -> None:
        """Check another address soon; judge anew by what the service says now."""
        tunnel = self._tunnels.data.get(tunnel_id)
        if self.coordinator is None or self._zone is None or not isinstance(tunnel, Tunnel):
            return
        history, target = self._histories.get(tunnel_id), self._target(tunnel)
        if (history and history.target) != (target if isinstance(target, Target) else None):
            self.coordinator.config_entry.async_create_task(
                self._hass, self.coordinator.async_request_refresh(), "check another address"
            )
        elif history is not None and self._is_wanted(tunnel_id):
            history.judge(tunnel)
            self.coordinator.async_publish(history.shown)

    # What the feed is made of

    async def async_fetch(self) -> Mapping[str, TunnelCheck]:
        """Return what is known of all tunnels that can be checked; asks nobody."""
        await self._find_zone()
        self._histories = {
            tunnel_id: history
            for tunnel_id, tunnel in self._tunnels.data.items()
            if (history := self._history_of(tunnel)) is not None
        }
        for tunnel_id, history in self._histories.items():
            if not self._is_wanted(tunnel_id):
                history.shown = _blank(tunnel_id, history.target)
        return {tunnel_id: history.shown for tunnel_id, history in self._histories.items()}

    def is_worth_it(self, known: TunnelCheck) -> bool:
        """Return whether to check a tunnel."""
        return known.id in self._histories and self._is_wanted(known.id)

    async def async_read(self, known: TunnelCheck) -> TunnelCheck:
        """Check a tunnel if that is due."""
        if (history := self._histories.get(known.id)) is None:
            raise TunnelGoneError
        await self._check(history, known.id, _LEAST_SECONDS)
        return history.shown

    def _is_wanted(self, tunnel_id: str) -> bool:
        tunnel = self._tunnels.data.get(tunnel_id)
        is_enabled = isinstance(tunnel, Tunnel) and tunnel.enabled is not False
        return self._mode == CHECKS_ALL or is_enabled

    def _history_of(self, tunnel: Resource) -> _History | None:
        """Return what is known of a tunnel's address; nothing yet if it is another one."""
        if not isinstance(target := self._target(tunnel), Target):
            return None
        history = self._histories.get(tunnel.id)
        if history is not None and history.target == target:
            return history
        return _History(target, _blank(tunnel.id, target))

    def _target(self, tunnel: Resource) -> Target | NotCheckable:
        if not isinstance(tunnel, Tunnel):
            return NotCheckable.PROTOCOL
        return tunnel_target(tunnel.protocol, tunnel.public_address, self._zone or Zone.INTERNET)

    async def _find_zone(self) -> None:
        """Find out how near the service is: only one in the house may name addresses there.

        Only what the user entered counts, not where a public service's names lead.
        """
        if self._zone is None and self._service_host is not None:
            try:
                found = await resolve(self._service_host, 0)
            except LookupFailedError:
                return
            self._zone = min((zone_of(address.ip) for address in found), default=Zone.INTERNET)
        elif self._zone is None:
            self._zone = Zone.INTERNET

    # Checks

    async def async_check(self, tunnel_id: str) -> tuple[Checked, Findings] | NotCheckable:
        """Check a tunnel now, or return what was found seconds ago; or why it is not checkable.

        Raises TunnelGoneError.
        """
        await self._find_zone()
        tunnel = self._tunnel(tunnel_id)
        if isinstance(target := self._target(tunnel), NotCheckable):
            return target
        history = self._history_of(tunnel) or _History(target, _blank(tunnel_id, target))
        self._histories[tunnel_id] = history
        checked = await self._check(history, tunnel_id, _LEAST_SECONDS_ASKED)
        if self.coordinator is not None and self._is_wanted(tunnel_id):
            self.coordinator.async_publish(history.shown)
        return checked, checked.findings(self._tunnel(tunnel_id))

    async def _check(self, history: _History, tunnel_id: str, least: float) -> Checked:
        """Check an address, unless the last check was less than so many seconds ago."""
        async with history.lock:
            if (last := history.last) is not None and last.at.age < least:
                return last
            # One that is down anyway need not be tried again at once.
            retry = history.confirmation.is_up is not False
            result = await self._checker.check(history.target, retry=retry)
            local = None
            if result.is_reached is False:
                local = await self._listens_at_home(self._tunnel(tunnel_id))
            checked = Checked(at=Stamp.now(), result=result, local=local)
            history.take_in(checked, self._tunnel(tunnel_id))
            return checked

    async def _listens_at_home(self, tunnel: Tunnel) -> bool | None:
        if not tunnel.local_address:
            return None
        networks = await _networks(self._hass)
        return await self._checker.listens(tunnel.local_address, networks)

    def _tunnel(self, tunnel_id: str) -> Tunnel:
        """Return a tunnel; raises TunnelGoneError."""
        tunnel = self._tunnels.data.get(tunnel_id)
        if not isinstance(tunnel, Tunnel):
            raise TunnelGoneError
        return tunnel

    # What lasts

    def issues(self) -> Iterator[Issue]:
        """Yield the issue that certificates end soon, or have ended."""
        now = dt_util.utcnow()
        ending = [
            f"{history.target.label} ({history.certificate.expires:%Y-%m-%d})"
            for tunnel_id, history in self._histories.items()
            if history.certificate is not None
            and history.certificate.problem in (None, CertificateProblem.EXPIRED)
            and history.certificate.ends_soon(now)
            and self._is_wanted(tunnel_id)
        ]
        if ending and self.is_on:
            yield Issue(
                key="tunnel_certificate_ending", placeholders={"certificates": ", ".join(ending)}
            )


def check_feed(
    fetch: Callable[[], Awaitable[Mapping[str, Resource]]],
    is_worth_it: Callable[[TunnelCheck], bool],
    read: Callable[[TunnelCheck], Awaitable[Resource]],
) -> Feed[Resource]:
    """Return the feed of checks. The arguments are as those of a feed and its probe."""
    return Feed(
        key="checks",
        resource=TunnelCheck,
        interval=INTERVAL,
        jitter=JITTER,
        fields=_PROBED | {"protocol"},
        fetch=fetch,
        probe=Probe(
            fields=_PROBED,
            is_worth_it=is_worth_it,
            read=read,
            concurrency=AT_ONCE,
        ),
    )


@callback
def async_tunnel_checks(
    hass: HomeAssistant,
    entry: ConfigEntry,
    provider: Provider,
    coordinators: Mapping[str, FeedCoordinator],
) -> TunnelChecks | None:
    """Return what checks the tunnels of an account; None where it has none."""
    tunnels = next((c for c in coordinators.values() if c.feed.resource is Tunnel), None)
    return None if tunnels is None else TunnelChecks(hass, entry, provider, tunnels)


def _blank(tunnel_id: str, target: Target) -> TunnelCheck:
    return TunnelCheck(id=tunnel_id, protocol=target.protocol)


def _checker(hass: HomeAssistant, provider: Provider) -> Checker:
    hosts = [_INTERNET_HOST]
    if host := URL(provider.description.console_url).host:
        hosts.insert(0, (host, 443))
    return Checker(
        TlsContexts(get_default_context(), get_default_no_verify_context()),
        InternetReading(hosts, lookup=resolve),
        slots=hass.data.setdefault(_SLOTS, asyncio.Semaphore(AT_ONCE)),
        pause=_RETRY_PAUSE,
        lookup=resolve,
    )


def _entered_host(entry: ConfigEntry) -> str | None:
    """Return the host of a service's own address; None for the public service."""
    if not (entered := entry.data.get(CONF_BASE_URL)):
        return None
    return URL(entered).host


async def _networks(hass: HomeAssistant) -> Collection[IPNetwork]:
    """Return the networks that Home Assistant is on, apart from the machine's own."""
    interfaces = [
        ip_interface((address["address"], address["network_prefix"]))
        for adapter in await network.async_get_adapters(hass)
        for address in (*adapter["ipv4"], *adapter["ipv6"])
        if adapter["enabled"]
    ]
    return [
        interface.network for interface in interfaces if zone_of(interface.ip) is not Zone.MACHINE
    ]
