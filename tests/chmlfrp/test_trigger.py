"""Tests the trigger for the end of certificates and group memberships."""

from homeassistant.helpers import device_registry as dr
import pytest

from simulator.chmlfrp import ChmlFrpService

from ..automations import armed, of
from ..clocks import Clocks
from ..common import DAY, HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.platforms("sensor")


async def set_up(world: World[ChmlFrpService], days: float, **options: object) -> list[str]:
    """Arm the trigger for the account. days: until its certificate expires."""
    certificate, other = world.service.state.certificates
    certificate.expires_at, other.expires_at = NOON.timestamp() + days * DAY, None
    await world.set_up()
    return await armed(world.hass, "validity_ending", of(world, "account:account"), **options)


def expires(world: World[ChmlFrpService], days: float) -> None:
    """Set the days from the start until the certificate expires."""
    world.service.state.certificates[0].expires_at = NOON.timestamp() + days * DAY


def certificates(world: World[ChmlFrpService]) -> str:
    return world.entity_id("sensor", "certificates:account", "certificates")


@pytest.mark.parametrize("options, day", [({}, 3), ({"before": {"days": 2}}, 8)])
async def test_triggers_once_before_the_end(
    world: World[ChmlFrpService], options: dict[str, object], day: int
) -> None:
    ending = await set_up(world, 10, **options)

    await world.elapse(day * DAY - HOUR)
    assert ending == []
    await world.elapse(2 * HOUR)
    assert ending == [certificates(world)]
    await world.live(2 * DAY, DAY)
    assert ending == [certificates(world)], "once"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Shanghai"])
async def test_an_end_without_a_time(world: World[ChmlFrpService], zone: str) -> None:
    """The day begins at midnight in the service's time zone."""
    world.service.account.term = "2026-11-20"
    await world.hass.config.async_set_time_zone(zone)
    ending = await set_up(world, 100)

    await world.elapse(23 * DAY + 12 * HOUR - MINUTE)
    assert ending == []
    await world.elapse(2 * MINUTE)
    assert ending == [world.entity_id("sensor", "account:account", "group_expires")]


async def test_does_not_trigger_if_renewed_in_time(world: World[ChmlFrpService]) -> None:
    ending = await set_up(world, 10)

    expires(world, 20)
    await world.live(5 * DAY, DAY)
    assert ending == []

    await world.live(9 * DAY, DAY)
    assert ending == [certificates(world)]


async def test_triggers_immediately_if_the_end_moves_closer(world: World[ChmlFrpService]) -> None:
    ending = await set_up(world, 10)

    expires(world, 5)
    await world.elapse(HOUR)

    assert ending == [certificates(world)]


async def test_does_not_trigger_again_for_the_same_end(
    world: World[ChmlFrpService],
) -> None:
    ending = await set_up(world, 5)

    await world.live(DAY, HOUR)

    assert ending == []


async def test_triggers_while_the_service_does_not_respond(world: World[ChmlFrpService]) -> None:
    ending = await set_up(world, 8)

    world.service.fault("/ssl/list", "html", times=None)
    await world.live(12 * HOUR, HOUR)
    assert world.value("sensor", "certificates:account", "certificates") == "unavailable"
    await world.live(13 * HOUR, HOUR)

    assert ending == [certificates(world)]


async def test_does_not_trigger_for_a_removed_target(world: World[ChmlFrpService]) -> None:
    await set_up(world, 8)
    account = world.device_id("account:account")
    registry = dr.async_get(world.hass)
    registry.async_update_device(account, labels={"watched"})
    ending = await armed(world.hass, "validity_ending", {"label_id": ["watched"]})

    registry.async_update_device(account, labels=set())
    await world.live(2 * DAY, DAY)

    assert ending == []


@pytest.mark.parametrize("sleeps", [False, True])
async def test_triggers_after_the_machine_slept(
    world: World[ChmlFrpService], clocks: Clocks, sleeps: bool
) -> None:
    """It triggers in time, or as soon as the machine wakes up."""
    ending = await set_up(world, 10)

    for _ in range(3):
        await world.elapse(16 * HOUR)
        if sleeps:
            clocks.sleep(8 * HOUR)
        else:
            await world.elapse(8 * HOUR)
    await world.elapse(MINUTE)

    assert ending == [certificates(world)]
