"""What each service has, found out as the integration itself finds it out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import inspect
from typing import Any, Never, cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.actions.base import Action
from custom_components.tunnel_hub.api import PROVIDERS, create_provider
from custom_components.tunnel_hub.api.capabilities import Capability
from custom_components.tunnel_hub.api.capabilities.collections import CanEdit
from custom_components.tunnel_hub.api.capabilities.directory import ALL_NODES, PUBLIC_NODES
from custom_components.tunnel_hub.api.capabilities.nodes import NODE_DETAILS
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.provider import Provider
from custom_components.tunnel_hub.binary_sensor import BINARY_SENSORS
from custom_components.tunnel_hub.button import BUTTONS
from custom_components.tunnel_hub.devices import MODELS
from custom_components.tunnel_hub.entity import Table, TunnelHubEntityDescription
from custom_components.tunnel_hub.event import EVENTS
from custom_components.tunnel_hub.image import IMAGES
from custom_components.tunnel_hub.reachability import check_feed
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

# Enough to make any provider, which sends nothing before its first use.
_CREDENTIALS = {"base_url": "http://example.com", "email": "a@example.com", "host": "example.com"}
_OPTIONS: Mapping[str, object] = {ALL_NODES: True, NODE_DETAILS: True, PUBLIC_NODES: ["1"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of a platform's table at one service. optional: whether an option brings it."""

    platform: str
    resource: type[Resource]
    row: TunnelHubEntityDescription
    optional: bool

    @property
    def device(self) -> str:
        """The kind of its device."""
        return self.resource.part_of or self.resource.kind

    @property
    def may_not_matter(self) -> bool:
        """Whether it comes disabled where most people do not want to see its resource."""
        return self.resource.may_be_enabled_later


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A provider with all that options can bring."""

    key: str
    provider: Provider
    entities: tuple[Entity, ...]

    def model(self, device: str) -> str:
        """Return what a kind of device is called."""
        return self.provider.description.model if device == Account.kind else MODELS[device]

    @property
    def actions(self) -> dict[str, Action]:
        """What can be done there: an action wants one of the capabilities that its code names.

        One that names none is for whatever service has its kinds of devices.
        """
        devices = {entity.device for entity in self.entities} | {Account.kind}
        return {
            name: action
            for name, action in ACTIONS.items()
            if (not action.kinds or devices & set(action.kinds))
            and (
                self._edits(action.edits)
                if action.edits
                else not (needed := capabilities(action.run))
                or isinstance(self.provider, tuple(needed))
            )
        }

    def _edits(self, payload: type) -> bool:
        return isinstance(self.provider, CanEdit) and payload in self.provider.collections()


def capabilities(function: Callable[..., object]) -> set[type]:
    """Return the capabilities of providers that a function names."""
    named = inspect.getclosurevars(function).globals.values()
    return {value for value in named if isinstance(value, type) and issubclass(value, Capability)}


def service(key: str) -> Service:
    """Return a service with all that options can bring."""
    provider = _made(key, _OPTIONS)
    always = {(platform, of, row.key) for platform, of, row in _rows(_made(key, {}))}
    entities = tuple(
        Entity(
            platform=platform,
            resource=of,
            row=row,
            optional=(platform, of, row.key) not in always,
        )
        for platform, of, row in _rows(provider)
    )
    return Service(key=key, provider=provider, entities=entities)


def _made(key: str, options: Mapping[str, object]) -> Provider:
    """Make a provider that will send nothing, and so needs no session."""
    return create_provider(key, cast("ClientSession", None), _CREDENTIALS, options)


def feeds(provider: Provider) -> Iterator[Feed[Resource]]:
    """Yield what is read of a service, and what the integration finds out itself."""
    yield from provider.feeds.values()
    if provider.description.has_public_tunnels:
        yield check_feed(_nothing, bool, _nothing)


async def _nothing(*_: object) -> Never:
    """Stand where a feed has what reads; only its fields are looked at here."""
    raise AssertionError("a table of fields read something")


def _rows(
    provider: Provider,
) -> Iterator[tuple[str, type[Resource], TunnelHubEntityDescription]]:
    """Find the rows that exist for a provider, as the platforms do."""
    for feed in feeds(provider):
        for platform, table in PLATFORMS.items():
            for row in table.get(feed.resource, ()):
                if row.exists_for(provider, feed):
                    yield platform, feed.resource, row


SERVICES = {key: service(key) for key in PROVIDERS}
