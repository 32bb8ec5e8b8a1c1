"""Tests binary sensors."""

from .common import DAY, MINUTE, World


async def test_a_tunnel_follows_its_client(world: World) -> None:
    await world.set_up()
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"
    assert world.value("binary_sensor", "tunnel:4", "online") == "off", "its client does not run"
    assert world.value("binary_sensor", "tunnel:5", "online") == "off", "it is disabled"

    world.service.state.tunnels["1"].client_running = False
    world.service.state.tunnels["4"].client_running = True
    await world.elapse(MINUTE)

    assert world.value("binary_sensor", "tunnel:1", "online") == "off"
    assert world.value("binary_sensor", "tunnel:4", "online") == "on"


async def test_an_unlisted_node_is_offline(world: World) -> None:
    await world.set_up()
    assert world.value("binary_sensor", "node:1", "online") == "on"
    node = world.service.state.nodes.pop("1")

    await world.live(5 * MINUTE)
    assert world.value("binary_sensor", "node:1", "online") == "off"

    world.service.state.nodes["1"] = node
    await world.live(5 * MINUTE)
    assert world.value("binary_sensor", "node:1", "online") == "on"


async def test_the_account(world: World) -> None:
    await world.set_up()
    assert world.value("binary_sensor", "account:account", "banned") == "off"
    assert world.value("binary_sensor", "account:account", "verified") == "on"

    world.service.account.banned = True
    world.service.account.realname = False
    await world.elapse(MINUTE)

    assert world.value("binary_sensor", "account:account", "banned") == "on"
    assert world.value("binary_sensor", "account:account", "verified") == "off"


async def test_signed_in_today_ends_at_midnight_in_shanghai(world: World) -> None:
    await world.set_up()
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "off"

    world.service.account.signdate = int(world.service.now())
    await world.elapse(MINUTE)
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "on"

    await world.elapse(DAY // 2 - 3 * MINUTE)
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "on"
    await world.elapse(3 * MINUTE)
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "off"
