"""Answers questions and runs commands for Assist: for language models and for sentences.

Only devices with an entity that is exposed to the assistant are visible, and only if the user may
read that entity. A command requires that its own switch or button is exposed. It is called with the
user's context, so Home Assistant checks the permission.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from homeassistant.auth.models import User as HaUser
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.components.homeassistant import async_should_expose
from homeassistant.components.switch import DOMAIN as SWITCH
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_OFF, SERVICE_TURN_ON
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .api.capabilities.mesh import MeshNode
from .api.feed import Feed
from .api.models.account import Account
from .api.models.base import Resource
from .api.models.certificates import Certificates
from .api.models.mesh import Peer, User, UserSessions
from .api.models.server import Client
from .api.models.tunnels import Tunnel, TunnelState
from .checks.verdicts import Verdict
from .const import DOMAIN
from .coordinator import FeedCoordinator
from .forecast import Forecast, subject_of
from .ids import DeviceKey, EntityKey, device_key, registered_device, registered_entity
from .reachability import TunnelCheck
from .runtime import TunnelHubConfigEntry
from .sensors.tunnels import PHASES_WITHOUT_ADVICE
from .texts import join_texts
from .units import gibibytes
from .watched_addresses import WatchedAddress

_NO_CLIENT = str(Verdict.NO_CLIENT)
_OF_NODE = (TunnelState.NODE_OFFLINE, TunnelState.NODE_MAINTENANCE, TunnelState.NODE_REMOVED)
"""States of a tunnel that are caused by its node."""
_AS_A_SERVICE = {Verdict.NODE_DOWN: TunnelState.NODE_OFFLINE}
"""Verdicts of checks that services also report, with the state that they report."""
_SWITCHED_OFF = ("disabled", "held_down")
_NO_FAULT = (None, Verdict.REACHABLE, Verdict.UNKNOWN, Verdict.NOT_CHECKABLE)


type Reachable = Tunnel | WatchedAddress
"""Resources with an address that can be unreachable."""


class _Order(NamedTuple):
    """The entity action that a command calls.

    key: the translation key of the entity.
    """

    platform: str
    key: str
    action: str


COMMANDS: Mapping[str, _Order] = {
    "disable": _Order(SWITCH, "enabled", SERVICE_TURN_OFF),
    "enable": _Order(SWITCH, "enabled", SERVICE_TURN_ON),
    "hold_down": _Order(SWITCH, "force_down", SERVICE_TURN_ON),
    "release": _Order(SWITCH, "force_down", SERVICE_TURN_OFF),
}
"""The commands for tunnels."""
_SIGN_IN = _Order(BUTTON, "sign_in", SERVICE_PRESS)


class RefusedError(Exception):
    """A command that was not sent or that failed.

    key: of the sentence that says why, below `common`.
    """

    def __init__(self, key: str, **names: str) -> None:
        super().__init__(key)
        self.key = key
        self.names = names


@dataclass(frozen=True, slots=True)
class Thing[R: Resource]:
    """A resource that the user may see.

    name: the name that the user gave it.
    account: the name of the account it belongs to.
    """

    entry: TunnelHubConfigEntry
    resource: R
    name: str

    @property
    def account(self) -> str:
        """The name of the account that it belongs to."""
        return self.entry.title

    @property
    def full_name(self) -> str:
        """The name with the account's name in brackets, as devices.py adds it to a duplicate."""
        account = f"({self.account})"
        return self.name if self.name.endswith(account) else f"{self.name} {account}"

    def part[P: Resource](self, kind: type[P]) -> P | None:
        """Return the resource of another feed for the same device."""
        for coordinator in self.entry.runtime_data.coordinators.values():
            if issubclass(coordinator.feed.resource, kind):
                part = coordinator.data.get(self.resource.id)
                if isinstance(part, kind) and device_key(part) == device_key(self.resource):
                    return part
        return None


class Assist:
    """Answers the questions and runs the commands of one conversation."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        assistant: str,
        context: Context | None,
        user: HaUser | None,
        texts: Mapping[str, str],
    ) -> None:
        """user: None if no user is signed in, for example at a voice satellite."""
        self._hass = hass
        self._assistant = assistant
        self._context = context
        self._user = user
        self._texts = texts
        self._devices = dr.async_get(hass)
        self._entities = er.async_get(hass)
        self.leaves_out = False
        """Whether something that may be read was left out, because it is not exposed."""
        self.silent: set[str] = set()
        """Accounts without current data."""

    def text(self, key: str, **names: object) -> str:
        """Return a sentence in the language of the conversation.

        key: the translation key, without the domain.
        """
        return self._texts[f"component.{DOMAIN}.{key}"].format(**names)

    def names(self, names: Iterable[str]) -> str:
        """Return a list of names in the language of the conversation."""
        return join_texts(self._texts, names, "common.list_two")

    def sentences(self, sentences: Iterable[str]) -> str:
        """Return sentences as one text in the language of the conversation."""
        return join_texts(self._texts, sentences, "common.sentence_two")

    # Visibility

    def _may_read(self, entity: er.RegistryEntry) -> bool:
        return not entity.disabled and (
            self._user is None or self._user.permissions.check_entity(entity.entity_id, POLICY_READ)
        )

    def _may_use(self, entity: er.RegistryEntry) -> bool:
        return self._may_read(entity) and async_should_expose(
            self._hass, self._assistant, entity.entity_id
        )

    def _visible_name(
        self, entry: TunnelHubConfigEntry, key: DeviceKey, *, unexposed: bool = False
    ) -> str | None:
        """Return the name of a device, or None if the user may not see it."""
        device = registered_device(self._devices, entry, key)
        if device is None:
            return None
        entities = er.async_entries_for_device(self._entities, device.id)
        if not any(map(self._may_read if unexposed else self._may_use, entities)):
            self.leaves_out |= any(map(self._may_read, entities))
            return None
        return device.name_by_user or device.name

    def _coordinators(
        self, is_wanted: Callable[[Feed[Resource]], object]
    ) -> Iterator[tuple[TunnelHubConfigEntry, FeedCoordinator]]:
        """Yield the wanted feeds with current data, for all accounts."""
        for entry in enabled_entries(self._hass):
            if entry.state is not ConfigEntryState.LOADED:
                self._is_silent(entry)
                continue
            for coordinator in entry.runtime_data.coordinators.values():
                if is_wanted(coordinator.feed):
                    if coordinator.available:
                        yield entry, coordinator
                    else:
                        self._is_silent(entry)

    def _is_silent(self, entry: TunnelHubConfigEntry) -> None:
        entities = er.async_entries_for_config_entry(self._entities, entry.entry_id)
        if any(map(self._may_use, entities)):
            self.silent.add(entry.title)

    def things[R: Resource](self, kind: type[R], *, unexposed: bool = False) -> Iterator[Thing[R]]:
        """Yield the visible resources of a class, for all accounts.

        unexposed: also yield resources that are not exposed, if the user may read them.
        """
        for entry, coordinator in self._coordinators(lambda feed: feed.resource is kind):
            for resource in list(coordinator.data.values()):
                name = self._visible_name(entry, device_key(resource), unexposed=unexposed)
                if name is not None and isinstance(resource, kind):
                    yield Thing(entry, resource, name)

    # Questions

    def down(self) -> list[dict[str, Any]]:
        """Return the tunnels and watched addresses that cannot be reached, with place and reason.

        Tunnels that the user disabled or forced down have their own reason.
        """
        rows: list[dict[str, Any]] = [
            {
                "name": tunnel.name,
                "kind": "tunnel",
                "account": tunnel.account,
                **self._words_for(condition, tunnel),
                **_known(
                    down_since=_local(tunnel.resource.last_close),
                    switched_off=True if condition in _SWITCHED_OFF else None,
                ),
            }
            for tunnel in self.things(Tunnel)
            if (condition := _condition(tunnel)) is not None
        ]
        rows += [
            {
                "name": watched.name,
                "kind": "watched address",
                **self._words_for(condition, watched),
            }
            for watched in self.things(WatchedAddress)
            if (condition := _condition(watched)) is not None
        ]
        return rows

    def why(self, name: str) -> list[dict[str, str]]:
        """Return what is wrong with the tunnels and watched addresses of a name and what to do.

        Of what nothing is wrong with, which comes last, returns only the name. Raises RefusedError.
        """
        things = chain[Thing[Reachable]](self.things(Tunnel), self.things(WatchedAddress))
        found = _named(name, things)
        if not found:
            raise self._none_found("assist_no_tunnel", name=name)
        rows = [
            {
                "name": thing.full_name if len(found) > 1 else thing.name,
                **(self._words_for(condition, thing) if condition is not None else {}),
            }
            for thing, condition in zip(found, map(_condition, found), strict=True)
        ]
        return sorted(rows, key=lambda row: "problem" not in row)

    def _words_for(self, condition: str, thing: Thing[Reachable]) -> dict[str, str]:
        """Return the name of a condition and the advice for it, as the dashboard shows them."""
        # The phase of the frpc client is more precise about the reason.
        phase = thing.resource.phase if isinstance(thing.resource, Tunnel) else None
        problem = self._first_text(
            f"common.path_{condition}",
            f"entity.sensor.verdict.state.{condition}",
            f"entity.sensor.state.state.{condition}",
        )
        if condition == _NO_CLIENT and phase not in (None, *PHASES_WITHOUT_ADVICE):
            problem = self.text(f"entity.sensor.phase.state.{phase}")
            advice = self.text(f"entity.sensor.phase.state_attributes.advice.state.{phase}")
        else:
            advice = self._first_text(
                f"common.advice_{condition}",
                f"entity.sensor.state.state_attributes.advice.state.{condition}",
            )
        return {"problem": problem, "advice": advice}

    def _first_text(self, *keys: str) -> str:
        return next(filter(None, (self._texts.get(f"component.{DOMAIN}.{key}") for key in keys)))

    def traffic(self) -> list[dict[str, Any]]:
        """Return the remaining traffic in GiB, and the forecast when it is used up."""
        rows: list[dict[str, Any]] = []
        for entry, coordinator in self._coordinators(subject_of):
            subject = subject_of(coordinator.feed)
            for resource in list(coordinator.data.values()):
                if (left := subject.left(resource) if subject else None) is None:
                    continue
                if (name := self._visible_name(entry, device_key(resource))) is None:
                    continue
                thing = Thing(entry, resource, name)
                forecast = thing.part(Forecast)
                until = forecast.traffic_lasts_until if forecast else None
                rows.append(
                    {
                        "name": name,
                        "left_gib": round(max(gibibytes(left) or 0, 0), 2),
                        **_known(lasts_until=_local(until)),
                    }
                )
        return rows

    def certificates(self, days: int) -> list[dict[str, Any]]:
        """Return the certificates that have expired or expire within some days, sorted by date."""
        found = [
            (certificate.expires, certificate.domains, thing.name)
            for thing in self.things(Certificates)
            for certificate in thing.resource.certificates
            if certificate.expires is not None
        ]
        found += [
            (check.certificate_expires, tunnel.name, tunnel.account)
            for tunnel in self.things(Tunnel)
            if (check := tunnel.part(TunnelCheck)) is not None
            and check.certificate_expires is not None
        ]
        found += [
            (expires, watched.name, watched.account)
            for watched in self.things(WatchedAddress)
            if (expires := watched.resource.certificate_expires) is not None
        ]
        last = dt_util.utcnow() + timedelta(days=days)
        return [
            {"certificate": name, "of": of, "ends": _local(expires)}
            for expires, name, of in sorted(found)
            if expires <= last
        ]

    def connected(self) -> list[dict[str, Any]]:
        """Return the connected clients. Only administrators get their addresses."""
        rows = [
            {
                "name": user.name,
                "kind": "user",
                "devices": len(sessions),
                **self._secret(addresses=sorted({s.address for s in sessions if s.address})),
            }
            for user in self.things(User)
            if (part := user.part(UserSessions)) is not None and (sessions := part.sessions)
        ]
        rows += [
            {
                "name": client.name,
                "kind": "client",
                **_known(since=_local(client.resource.connected_since)),
                **self._secret(addresses=[client.resource.address]),
            }
            for client in self.things(Client)
            if client.resource.online
        ]
        rows += [
            {"name": peer.name, "kind": "peer"}
            for peer in self.things(Peer)
            if peer.resource.connected
        ]
        return rows

    def _secret(self, **values: object) -> dict[str, object]:
        """Return values that only administrators may see."""
        return values if self._user is not None and self._user.is_admin else {}

    # Commands

    async def command(self, name: str, command: str) -> str:
        """Run a command for a tunnel and return the tunnel's name; raises RefusedError."""
        order = COMMANDS[command]
        # A read-only tunnel has no switch or button, so exposing an entity would not help.
        found = _named(name, self.things(Tunnel)) or [
            tunnel
            for tunnel in _named(name, self.things(Tunnel, unexposed=True))
            if tunnel.resource.editable is False
        ]
        if not found:
            raise self._none_found("assist_no_tunnel", name=name)
        tunnel, *others = [
            tunnel
            for tunnel in found
            if tunnel.resource.editable is not False and self._registered(tunnel, order)
        ] or found[:1]
        if others:
            full_names = sorted(thing.full_name for thing in (tunnel, *others))
            is_clear = len({*map(_spoken, full_names)}) == len(full_names)
            raise RefusedError(
                "assist_say_full_name" if is_clear else "assist_several_tunnels",
                name=name,
                names=self.names(full_names),
            )
        if tunnel.resource.editable is False:
            raise RefusedError("assist_read_only", name=tunnel.name)
        await self._call(tunnel, order)
        return tunnel.full_name if len(found) > 1 else tunnel.name

    def _none_found(self, key: str, **names: str) -> RefusedError:
        """Return why nothing was found: an account has no current data, or else the key says it."""
        if self.silent:
            return RefusedError("assist_silent", accounts=self.names(sorted(self.silent)))
        return RefusedError(key, **names)

    def _entity_name(self, order: _Order) -> str:
        return self.text(f"entity.{order.platform}.{order.key}.name")

    async def sign_in(self) -> list[str]:
        """Sign in to all accounts that support it and return their names; raises RefusedError."""
        accounts = [
            account
            for account in self.things(Account, unexposed=True)
            if (entity := self._registered(account, _SIGN_IN)) and self._may_read(entity)
        ]
        exposed = [account for account in accounts if self._entity(account, _SIGN_IN)]
        if not accounts:
            raise self._none_found("assist_nothing_to_sign_in")
        if not exposed:
            # The answer does not contain the names of accounts that are not exposed.
            raise RefusedError("assist_sign_in_not_exposed", entity=self._entity_name(_SIGN_IN))
        for account in exposed:
            await self._call(account, _SIGN_IN)
        return [account.name for account in exposed]

    def _entity(self, thing: Thing[Any], order: _Order) -> str | None:
        """Return the entity of a command, or None if the user may not use it."""
        entity = self._registered(thing, order)
        return entity.entity_id if entity and self._may_use(entity) else None

    def _registered(self, thing: Thing[Any], order: _Order) -> er.RegistryEntry | None:
        key = EntityKey(thing.resource.kind, thing.resource.id, order.key)
        return registered_entity(self._entities, order.platform, thing.entry, key)

    async def _call(self, thing: Thing[Any], order: _Order) -> None:
        if (entity_id := self._entity(thing, order)) is None:
            if self._registered(thing, order) is None:
                raise RefusedError("assist_not_offered", name=thing.name)
            names = {"name": thing.name, "entity": self._entity_name(order)}
            raise RefusedError("assist_not_exposed", **names)
        try:
            await self._hass.services.async_call(
                order.platform,
                order.action,
                {ATTR_ENTITY_ID: entity_id},
                blocking=True,
                context=self._context,
            )
        except Unauthorized as err:
            raise RefusedError("assist_not_allowed", name=thing.name) from err
        except HomeAssistantError as err:
            raise RefusedError(
                "assist_failed", name=thing.name, message=self._message(err)
            ) from err

    def _message(self, err: HomeAssistantError) -> str:
        """Return the message of an error, translated if possible."""
        text = self._texts.get(f"component.{DOMAIN}.exceptions.{err.translation_key}.message")
        if text is None or err.translation_domain != DOMAIN:
            return str(err)
        return text.format(**(err.translation_placeholders or {}))


async def async_assist(
    hass: HomeAssistant, *, assistant: str, context: Context | None, language: str
) -> Assist:
    """Return the Assist answers for a conversation."""
    user_id = context.user_id if context else None
    user = await hass.auth.async_get_user(user_id) if user_id else None
    if user_id and user is None:
        raise Unauthorized(context=context)
    texts: dict[str, str] = {}
    for category in ("common", "entity", "exceptions"):
        texts |= await async_get_translations(hass, language, category, [DOMAIN])
    return Assist(hass, assistant=assistant, context=context, user=user, texts=texts)


@callback
def enabled_entries(hass: HomeAssistant) -> list[TunnelHubConfigEntry]:
    """Return the entries that are not disabled, whether or not they are loaded."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)


def _condition(thing: Thing[Reachable]) -> str | None:
    """Return the condition of a resource as the dashboard shows it, or None if it is unknown."""
    resource, data = thing.resource, thing.entry.runtime_data
    if isinstance(resource, WatchedAddress):
        return _fault(resource.verdict)
    if data.force_down is not None and data.force_down.holds(resource.id):
        return "held_down"
    check = thing.part(TunnelCheck)
    verdict = None if check is None or resource.enabled is False else check.verdict
    if (fault := _fault(verdict)) is not None:
        return fault
    if resource.online is not False or verdict is Verdict.REACHABLE:
        return None
    of_node = str(resource.state) if resource.state in _OF_NODE else _NO_CLIENT
    of_service = "link_down" if isinstance(data.provider, MeshNode) else of_node
    return "disabled" if resource.enabled is False else of_service


def _fault(verdict: Verdict | None) -> str | None:
    """Return the condition that a check has found, or None if there is no fault."""
    return None if verdict in _NO_FAULT else str(_AS_A_SERVICE.get(verdict, verdict))


def _named[R: Reachable](name: str, things: Iterable[Thing[R]]) -> list[Thing[R]]:
    """Return the resources with a spoken name, which may be the full name."""
    wanted = _spoken(name)
    return [
        thing
        for thing in things
        if wanted in map(_spoken, (thing.name, thing.resource.name or thing.name, thing.full_name))
    ]


def _spoken(name: str) -> str:
    """Return a name for comparison: lower case, without punctuation and a leading "the"."""
    compared = "".join(filter(str.isalnum, name.casefold()))
    return compared.removeprefix("the") or compared or name


def _local(moment: datetime | None) -> str | None:
    """Return a time in Home Assistant's time zone, to the minute."""
    return None if moment is None else f"{dt_util.as_local(moment):%Y-%m-%d %H:%M}"


def _known(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
