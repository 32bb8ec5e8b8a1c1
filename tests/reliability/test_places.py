"""Requests go where the user said, and nowhere else, whatever places a service tells.

That redirects are not followed is shown where the transport is tested.
"""

from typing import Any

from aiohttp import BaseConnector, ClientRequest
from homeassistant.components.image import DOMAIN as IMAGE, ImageEntity
from homeassistant.core import HomeAssistant
import pytest
from yarl import URL

from ..common import MINUTE
from .world import BadWorld

type Place = tuple[str | None, int | None]


def entered(data: dict[str, Any]) -> set[Place]:
    """Return the places that the user has entered."""
    urls = {URL(value) for name, value in data.items() if name.endswith("_url")}
    places: set[Place] = {(url.host, url.port) for url in urls}
    return places | ({(data["host"], int(data["port"]))} if "host" in data else set())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[Place]:
    """Every place that a request of ours was for."""
    places: set[Place] = set()
    connect = BaseConnector.connect

    async def _note(
        connector: BaseConnector, request: ClientRequest, *args: Any, **options: Any
    ) -> Any:
        places.add((request.url.host, request.url.port))
        return await connect(connector, request, *args, **options)

    monkeypatch.setattr(BaseConnector, "connect", _note)
    return places


async def test_only_where_the_user_said(world: BadWorld, asked: set[Place]) -> None:
    """Everything is read and done, and all pictures are drawn."""
    await world.set_up_enabled()
    await world.live(15 * MINUTE)
    for act in world.case.acts:
        await world.perform(act)
    for state in world.hass.states.async_all(IMAGE):
        entity = _image(world.hass, state.entity_id)
        assert await entity.async_image()

    assert asked
    assert asked <= entered(dict(world.entry.data))


def _image(hass: HomeAssistant, entity_id: str) -> ImageEntity:
    entity: ImageEntity | None = hass.data[IMAGE].get_entity(entity_id)
    assert entity
    return entity
