"""Tests that requests only go to addresses that the user entered, never to those in answers.

tests/api tests that redirects are refused.
"""

from typing import Any

from aiohttp import BaseConnector, ClientRequest
from homeassistant.components.image import DOMAIN as IMAGE, ImageEntity
from homeassistant.core import HomeAssistant
import pytest
from yarl import URL

from ..common import MINUTE
from .faulty_world import FaultyWorld

type Address = tuple[str | None, int | None]


def entered(data: dict[str, Any]) -> set[Address]:
    """Returns the addresses that the user entered."""
    urls = {URL(value) for name, value in data.items() if name.endswith("_url")}
    addresses: set[Address] = {(url.host, url.port) for url in urls}
    return addresses | ({(data["host"], int(data["port"]))} if "host" in data else set())


@pytest.fixture
def contacted(monkeypatch: pytest.MonkeyPatch) -> set[Address]:
    """Records the address of each request."""
    addresses: set[Address] = set()
    connect = BaseConnector.connect

    async def _note(
        connector: BaseConnector, request: ClientRequest, *args: Any, **options: Any
    ) -> Any:
        addresses.add((request.url.host, request.url.port))
        return await connect(connector, request, *args, **options)

    monkeypatch.setattr(BaseConnector, "connect", _note)
    return addresses


async def test_only_entered_addresses(world: FaultyWorld, contacted: set[Address]) -> None:
    """Polls everything, runs all actions and draws all images."""
    await world.set_up_enabled()
    await world.live(15 * MINUTE)
    for act in world.case.user_actions:
        await world.run_action(act)
    for state in world.hass.states.async_all(IMAGE):
        entity = _image(world.hass, state.entity_id)
        assert await entity.async_image()

    assert contacted
    assert contacted <= entered(dict(world.entry.data))


def _image(hass: HomeAssistant, entity_id: str) -> ImageEntity:
    entity: ImageEntity | None = hass.data[IMAGE].get_entity(entity_id)
    assert entity
    return entity
