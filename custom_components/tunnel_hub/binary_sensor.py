"""Yes or no: one table row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.resource import Account, Node, Resource, SignInRecord, Tunnel
from .coordinator import TunnelHubConfigEntry
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class TunnelHubBinarySensorDescription[R: Resource](
    TunnelHubEntityDescription, BinarySensorEntityDescription
):
    """A binary sensor. value_fn: its state."""

    value_fn: Callable[[R], bool | None]


BINARY_SENSORS: Table[TunnelHubBinarySensorDescription[Any]] = {
    Account: (
        TunnelHubBinarySensorDescription[Account](
            key="banned",
            device_class=BinarySensorDeviceClass.PROBLEM,
            value_fn=lambda account: account.banned,
        ),
        TunnelHubBinarySensorDescription[Account](
            key="service_provider",
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            value_fn=lambda account: account.service_provider,
        ),
        TunnelHubBinarySensorDescription[Account](
            key="signed_in_today", value_fn=lambda account: account.signed_in_today
        ),
        TunnelHubBinarySensorDescription[Account](
            key="verified",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda account: account.verified,
        ),
    ),
    SignInRecord: (
        TunnelHubBinarySensorDescription[SignInRecord](
            key="signed_in_today", value_fn=lambda record: record.signed_in_today
        ),
    ),
    Tunnel: (
        TunnelHubBinarySensorDescription[Tunnel](
            key="compression",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda tunnel: tunnel.compression,
        ),
        TunnelHubBinarySensorDescription[Tunnel](
            key="encryption",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda tunnel: tunnel.encryption,
        ),
        TunnelHubBinarySensorDescription[Tunnel](
            key="online",
            device_class=BinarySensorDeviceClass.CONNECTIVITY,
            value_fn=lambda tunnel: tunnel.online,
        ),
    ),
    Node: (
        TunnelHubBinarySensorDescription[Node](
            key="online",
            device_class=BinarySensorDeviceClass.CONNECTIVITY,
            value_fn=lambda node: node.online,
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an entry."""
    await async_setup_table(entry, async_add_entities, BINARY_SENSORS, TunnelHubBinarySensor)


class TunnelHubBinarySensor[R: Resource](
    TunnelHubEntity[R, TunnelHubBinarySensorDescription[R]], BinarySensorEntity
):
    """One yes or no of a resource."""

    entity_description: TunnelHubBinarySensorDescription[R]

    @override
    def _read(self, resource: R) -> bool:
        value = self.entity_description.value_fn(resource)
        if value == self._attr_is_on:
            return False
        self._attr_is_on = value
        return True
