"""Uptime Kuma: a core integration of Home Assistant, for comparison."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..service import ROWS_WITHIN_LIMIT, Facts, Service


async def _peer(facts: Facts) -> MockConfigEntry:
    data = {"url": facts["url"], "verify_ssl": False, "api_key": None}
    return MockConfigEntry(domain="uptime_kuma", data=data, pref_disable_polling=True)


SERVICE = Service(
    name="uptime_kuma",
    server=lambda rows: ["-m", "bench.uptime_kuma", f"{rows}"],
    entry=_peer,
    feed=None,
    rows="monitors",
    place="monitors.{}",
    at_most=ROWS_WITHIN_LIMIT,
    usual=200,
)
