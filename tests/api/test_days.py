"""Tests the days of services."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from hypothesis import given, strategies as st
import pytest

from custom_components.tunnel_hub.api import days
from custom_components.tunnel_hub.api.days import SHANGHAI
from custom_components.tunnel_hub.api.models.account import (
    Account,
    AccountTraffic,
    SignInStatistics,
)
from custom_components.tunnel_hub.api.models.base import today_fields, without_today
from custom_components.tunnel_hub.api.models.nodes import Node
from custom_components.tunnel_hub.api.models.service import ServiceTotals
from custom_components.tunnel_hub.api.models.tunnels import Tunnel


@pytest.mark.parametrize(
    "moment, day",
    [
        ("2026-10-19T15:59:59.999999+00:00", "2026-10-19"),
        ("2026-10-19T16:00:00+00:00", "2026-10-20"),
        ("2026-10-20T23:59:59+08:00", "2026-10-20"),
        ("2026-10-20T09:00:00-07:00", "2026-10-21"),
    ],
)
def test_the_day_of_the_service(moment: str, day: str, freezer: FrozenDateTimeFactory) -> None:
    """For a time in any time zone."""
    at = datetime.fromisoformat(moment)
    freezer.move_to(at)

    assert days.day_of(at, SHANGHAI) == days.today(SHANGHAI) == date.fromisoformat(day)


@given(
    day=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    zone=st.sampled_from((SHANGHAI, UTC, ZoneInfo("Europe/Berlin"))),
)
def test_a_day_begins_at_midnight_of_the_service(day: date, zone: ZoneInfo) -> None:
    start = days.start_of(day, zone)

    assert days.day_of(start, zone) == day
    assert days.day_of(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_fields_of_one_day() -> None:
    kinds = (Account, ServiceTotals, SignInStatistics)
    assert {kind: set(today_fields(kind)) for kind in kinds} == {
        Account: {"signed_in_today", "traffic_today"},
        ServiceTotals: {"runs_today", "traffic_in_today", "traffic_out_today", "traffic_today"},
        SignInStatistics: {"signed_in_today"},
    }
    for kind in (AccountTraffic, Node, Tunnel):
        assert set(today_fields(kind)) == {"traffic_in_today", "traffic_out_today"}


def test_without_today() -> None:
    """Other fields are kept; a resource without fields of today stays the same object."""
    account = Account(id="1", points=3, signed_in_today=True, traffic_today=0)

    assert without_today(account) == Account(id="1", points=3)
    assert without_today(left := Account(id="1", points=3)) is left
