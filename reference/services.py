"""Determines the features of each service, as the integration does."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
import inspect
from typing import Any, Never, cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.actions.base import Action
from custom_components.tunnel_hub.api import KINDS, PROVIDERS, create_provider
from custom_components.tunnel_hub.api.capabilities import Capability
from custom_components.tunnel_hub.api.capabilities.collections import CanEdit
from custom_components.tunnel_hub.api.capabilities.directory import ALL_NODES, PUBLIC_NODES
from custom_components.tunnel_hub.api.capabilities.nodes import NODE_DETAILS
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.provider import KIND, Provider, ProviderDescription
from custom_components.tunnel_hub.binary_sensor import BINARY_SENSORS
from custom_components.tunnel_hub.button import BUTTONS
from custom_components.tunnel_hub.devices import MODELS
from custom_components.tunnel_hub.entity import Table, TunnelHubEntityDescription
from custom_components.tunnel_hub.event import EVENTS
from custom_components.tunnel_hub.forecast import forecast_feed, subject_of
from custom_components.tunnel_hub.image import IMAGES
from custom_components.tunnel_hub.reachability import TunnelCheck, check_feed
from custom_components.tunnel_hub.select import SELECTS
from custom_components.tunnel_hub.sensors import SENSORS
from custom_components.tunnel_hub.services import ACTIONS
from custom_components.tunnel_hub.switch import SWITCHES
from custom_components.tunnel_hub.update import UPDATES

PLATFORMS: Mapping[str, Table[Any]] = {
    "binary_sensor": BINARY_SENSORS,
    "button": BUTTONS,
    "event": EVENTS,
    "image": IMAGES,
    "select": SELECTS,
    "sensor": SENSORS,
    "switch": SWITCHES,
    "update": UPDATES,
}

# Sufficient to create any provider, which sends no requests then.
_CREDENTIALS = {"base_url": "http://example.com", "email": "a@example.com", "host": "example.com"}
_OPTIONS: Mapping[str, object] = {ALL_NODES: True, NODE_DETAILS: True, PUBLIC_NODES: ["1"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of a platform's table for one service.

    model: of its device.
    optional: whether it depends on an option.
    """

    platform: str
    resource: type[Resource]
    row: TunnelHubEntityDescription
    model: str
    optional: bool

    @property
    def device(self) -> str:
        """The kind of its device."""
        return self.resource.part_of or self.resource.kind

    @property
    def may_be_disabled(self) -> bool:
        """Whether it is disabled by default for some resources."""
        return self.resource.may_be_enabled_later


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A provider with all options.

    providers: one for each kind of its entries.
    """

    key: str
    providers: tuple[Provider, ...]
    entities: tuple[Entity, ...]

    @property
    def description(self) -> ProviderDescription:
        """The provider's description."""
        return PROVIDERS[self.key]

    def can(self, what: type | tuple[type, ...] | Callable[[Provider], bool]) -> bool:
        """Returns whether a kind of its entries has one of these capabilities."""
        return any(
            isinstance(provider, what) if isinstance(what, type | tuple) else what(provider)
            for provider in self.providers
        )

    @property
    def actions(self) -> dict[str, Action]:
        """The actions for the service, by name."""
        devices = {entity.device for entity in self.entities} | {Account.kind}
        return {
            name: action
            for name, action in ACTIONS.items()
            if (not action.kinds or devices & set(action.kinds)) and self.accounts_with(action)
        }

    def accounts_with(self, action: Action) -> list[str]:
        """Returns the models of the accounts for which an action is available."""
        able = [provider for provider in self.providers if _has(provider, action)]
        return list(dict.fromkeys(_model(provider, Account.kind) for provider in able))


def _has(provider: Provider, action: Action) -> bool:
    """Returns whether a provider has one of the capabilities in the code of an action.

    An action without capabilities is for all.
    """
    if action.edits:
        return isinstance(provider, CanEdit) and action.edits in provider.collections()
    return not (needed := capabilities(action.run)) or isinstance(provider, tuple(needed))


@cache
def capabilities(function: Callable[..., object]) -> frozenset[type]:
    """Returns the capabilities in the code of a function."""
    named = inspect.getclosurevars(function).globals.values()
    return frozenset(v for v in named if isinstance(v, type) and issubclass(v, Capability))


def service(key: str) -> Service:
    """Returns a service with all options."""
    always = {(platform, of, row.key) for _, platform, of, row in _rows(_create_providers(key, {}))}
    found: dict[tuple[str, type[Resource], str, str], Entity] = {}
    providers = _create_providers(key, _OPTIONS)
    for provider, platform, of, row in _rows(providers):
        optional = (platform, of, row.key) not in always
        model = _model(provider, of.part_of or of.kind)
        entity = Entity(platform=platform, resource=of, row=row, model=model, optional=optional)
        found.setdefault((platform, of, row.key, model), entity)
    return Service(key=key, providers=providers, entities=tuple(found.values()))


def _model(provider: Provider, device: str) -> str:
    """Returns the model of a kind of device at a provider."""
    return provider.description.model if device == Account.kind else MODELS[device]


def _create_providers(key: str, options: Mapping[str, object]) -> tuple[Provider, ...]:
    """Creates a provider for each kind of entry, without a session."""
    return tuple(
        create_provider(key, cast("ClientSession", None), {**_CREDENTIALS, KIND: kind}, options)
        for kind in KINDS[key]
    )


def feeds(provider: Provider) -> Iterator[Feed[Resource]]:
    """Yields the feeds of a service, and those of the integration."""
    yield from provider.feeds.values()
    if provider.description.has_public_tunnels:
        yield check_feed(TunnelCheck, _unused, bool, _unused)
    for feed in provider.feeds.values():
        if (subject := subject_of(feed)) is not None:
            yield forecast_feed(subject, _unused)


async def _unused(*_: object) -> Never:
    """Replaces functions that feeds need, because only their fields are used."""
    raise AssertionError("a feed was read")


def _rows(
    providers: tuple[Provider, ...],
) -> Iterator[tuple[Provider, str, type[Resource], TunnelHubEntityDescription]]:
    """Returns the rows that exist for providers, as the platforms do."""
    for provider in providers:
        for feed in feeds(provider):
            for platform, table in PLATFORMS.items():
                for row in table.get(feed.resource, ()):
                    if row.exists_for(provider, feed):
                        yield provider, platform, feed.resource, row


SERVICES = {key: service(key) for key in PROVIDERS}
