"""Tests tunnels that are switched, break and recover, which takes minutes.

The file is separate so that it can run in parallel with test_dashboard.py.
"""

from contextlib import AsyncExitStack
import re

from playwright.async_api import Locator, Page, expect

from demo.addresses import SSH, PublicAddress
from demo.entities import entities_of
from demo.progress import until
from demo.stage import DOMAIN, Stage
from tests.checks import mesh
from tests.checks.mesh import Mesh

from .rows import PROVIDER, UP, below_account, name_of, path_of, row_of, until_applied, visit

_CHECKING = 90.0
"""Seconds for two checks that agree, ten seconds apart."""


async def test_a_tunnel_is_switched(page: Page, running: Stage) -> None:
    """Tests the change at the service, the reason on the path, and the switch's position."""
    name = below_account(await name_of(running, "1"))
    await visit(page, running, "tunnels")
    switch = row_of(page, name).get_by_role("switch", name="Enabled")

    await expect(switch).to_be_checked()
    await expect(switch).to_have_attribute("title", re.compile("does not accept clients"))
    place = await _place_in(row_of(page, name), switch)
    await switch.click()
    await until_applied(running, "1", enabled=False)
    await expect(path_of(page, name, "Disabled")).to_be_visible()
    assert await _place_in(row_of(page, name), switch) == place

    await switch.click()
    await until_applied(running, "1", enabled=True)
    # The client reconnects after ten seconds, and HayFrp is polled once a minute.
    await expect(path_of(page, name, UP)).to_be_visible(timeout=150_000)


async def _place_in(row: Locator, control: Locator) -> float:
    """Returns the distance of a control from the top of a row in pixels."""
    outer, inner = await row.bounding_box(), await control.bounding_box()
    assert outer
    assert inner
    return inner["y"] - outer["y"]


async def until_checked(running: Stage, number: str, shown: Locator) -> None:
    """Repeats the check of a tunnel's public address until an element is visible."""
    device = (await entities_of(running, PROVIDER))[f"sensor:tunnel:{number}:state"].device_id

    async def _otherwise() -> str:
        target = {"device_id": device}
        await running.hass.post(f"/api/services/{DOMAIN}/check_reachability", target)
        return "" if await shown.is_visible() else "The card does not show the result"

    await until(_otherwise, _CHECKING)


async def test_a_tunnel_breaks(page: Page, running: Stage) -> None:
    """Tests that the card shows where: the client at home, or the node's port."""
    name = await name_of(running, "2")
    address = running.addresses["nas.example.com:443"]
    await visit(page, running, "overview")
    await expect(path_of(page, name, "Reachable")).to_be_visible()

    await address.close()
    await until_checked(running, "2", path_of(page, name, "Port closed"))
    await running.patch(PROVIDER, {"tunnels.2.client_running": False})
    device = (await entities_of(running, PROVIDER))["binary_sensor:tunnel:2:online"].device_id
    check = f"/api/services/{DOMAIN}/check_tunnel?return_response"
    await running.hass.post(check, {"device_id": device})
    await expect(path_of(page, name, "Disconnected")).to_be_visible()
    await expect(row_of(page, name).locator('.way[data-way="down"]')).to_have_count(1)

    await address.open()
    await running.patch(PROVIDER, {"tunnels.2.client_running": True})
    await running.hass.post(check, {"device_id": device})
    await until_checked(running, "2", path_of(page, name, "Reachable"))


@mesh.needs_nodes
async def test_a_real_tunnel_stops(page: Page, running: Stage) -> None:
    """Tests a tunnel of two EasyTier nodes, of which the one at home stops and starts again."""
    name = await name_of(running, "1")
    up = path_of(page, name, "Reachable")
    broken = path_of(page, name, "Local service")
    async with AsyncExitStack() as stack:
        service = PublicAddress(SSH, None)
        await service.open()
        stack.push_async_callback(service.close)
        address = running.addresses["suzhou.frp.example.com:10001"]
        await address.close()
        stack.push_async_callback(address.open)
        tunnel = Mesh(service.port)
        tunnel.port = address.port
        await stack.enter_async_context(mesh.running(tunnel.public()))
        await visit(page, running, "overview")

        async with mesh.running(tunnel.home()):
            await until_checked(running, "1", up)
        await until_checked(running, "1", broken)
        async with mesh.running(tunnel.home()):
            await until_checked(running, "1", up)
