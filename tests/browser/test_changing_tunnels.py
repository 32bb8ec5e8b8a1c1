"""Tunnels that are switched, break and come back, which takes minutes.

In a file of its own, which another browser tries at the same time as the rest of the dashboard.
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

from .rows import PROVIDER, UP, below_account, name_of, path_of, row_of, until_told, visit

_CHECKING = 90.0
"""Seconds for two checks that agree, ten seconds apart."""


async def test_a_tunnel_is_switched(page: Page, running: Stage) -> None:
    """The service hears of it, and the path tells why it is broken; the switch stays in place."""
    name = below_account(await name_of(running, "1"))
    await visit(page, running, "tunnels")
    switch = row_of(page, name).get_by_role("switch", name="Enabled")

    await expect(switch).to_be_checked()
    await expect(switch).to_have_attribute("title", re.compile("does not accept clients"))
    place = await _place_in(row_of(page, name), switch)
    await switch.click()
    await until_told(running, "1", enabled=False)
    await expect(path_of(page, name, "Disabled")).to_be_visible()
    assert await _place_in(row_of(page, name), switch) == place

    await switch.click()
    await until_told(running, "1", enabled=True)
    # The client is back after ten seconds, and HayFrp is asked once a minute whether it is.
    await expect(path_of(page, name, UP)).to_be_visible(timeout=150_000)


async def _place_in(row: Locator, control: Locator) -> float:
    """Return how far below the top of a row a control is, in pixels."""
    outer, inner = await row.bounding_box(), await control.bounding_box()
    assert outer
    assert inner
    return inner["y"] - outer["y"]


async def until_checked(running: Stage, number: str, shown: Locator) -> None:
    """Have a tunnel's public address checked until something is shown."""
    device = (await entities_of(running, PROVIDER))[f"sensor:tunnel:{number}:state"].device_id

    async def _otherwise() -> str:
        target = {"device_id": device}
        await running.hass.post(f"/api/services/{DOMAIN}/check_reachability", target)
        return "" if await shown.is_visible() else "The card does not show what was checked"

    await until(_otherwise, _CHECKING)


async def test_a_tunnel_breaks(page: Page, running: Stage) -> None:
    """The card tells where: the client at home, or else the port of the node."""
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
    """Two EasyTier nodes carry it; the one at home stops, and starts again."""
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
