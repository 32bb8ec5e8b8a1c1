"""The entities that the benchmark compares with ours."""

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.sensor import SensorEntity

from bench.baselines import describe_entities, plain

from .common import World


async def test_plain_listeners_have_the_same_values(world: World) -> None:
    """Otherwise Home Assistant only logs an error, and they would look fast."""
    await world.set_up_enabled()
    coordinators = world.entry.runtime_data.coordinators
    compared = set()
    for descriptor in describe_entities(world.hass, world.entry):
        match plain(coordinators, descriptor):
            case SensorEntity(native_value=value) | BinarySensorEntity(is_on=value):
                compared.add(descriptor.domain)
                assert value == descriptor.value, descriptor.unique_id
    assert compared == {"sensor", "binary_sensor"}
