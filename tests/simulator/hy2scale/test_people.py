"""Users and their devices."""

from typing import Any

import pytest

from simulator.hy2scale import Hy2ScaleService, User

from ..conftest import DAY
from .conftest import Api

DEVICE = "alice|203.0.113.10|hy2"
PHONE = "alice|203.0.113.11|socks5"


def user(hy2scale: Hy2ScaleService, username: str) -> User:
    """Return the user of that name."""
    return next(user for user in hy2scale.state.users.values() if user.username == username)


async def row(api: Api, username: str) -> Any:
    """Return a user's row."""
    return next(row for row in await api.get("/users") if row["username"] == username)


async def keys(api: Api) -> list[str]:
    """Return the keys of the sessions."""
    answer = await api.get("/sessions")
    assert answer["total"] == len(answer["devices"])
    return [device["key"] for device in answer["devices"]]


@pytest.mark.parametrize(
    "body, reason",
    [
        ({"username": "erin"}, "username and password required"),
        ({"password": "secret"}, "username and password required"),
        ({"username": "erin", "password": "x", "exit_mode": "direct"}, "invalid exit_mode"),
        ({"username": "erin", "password": "x", "traffic_limit": 1.5}, "traffic_limit"),
    ],
)
async def test_a_user_is_checked(api: Api, body: object, reason: str) -> None:
    assert reason in await api.post("/users", body, status=400)


async def test_a_user_may_not_have_the_node_s_password(api: Api, hy2scale: Hy2ScaleService) -> None:
    assert hy2scale.state.server
    body = {"username": "erin", "password": hy2scale.state.server.password}

    assert "same password" in await api.post("/users", body, status=400)


async def test_replacing_a_user_empties_what_is_left_out(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    alice = user(hy2scale, "alice")
    used = alice.traffic_used
    await api.put(
        f"/users/{alice.id}",
        {"username": "alice", "enabled": True, "traffic_limit_gb": 5, "traffic_used": 7},
    )

    changed = await row(api, "alice")
    assert (changed["password"], changed["exit_via"], changed["traffic_limit"]) == ("", "", 0)
    assert (changed["id"], changed["traffic_used"]) == (alice.id, used)


async def test_switching_and_resetting(api: Api, hy2scale: Hy2ScaleService) -> None:
    alice = user(hy2scale, "alice")
    await api.put(f"/users/{alice.id}/toggle", {"enabled": False})
    await api.put(f"/users/{alice.id}/reset-traffic")

    changed = await row(api, "alice")
    assert (changed["enabled"], changed["traffic_used"]) == (False, 0)
    await api.delete(f"/users/{alice.id}")
    assert len(await api.get("/users")) == 3


async def test_writes_for_an_unknown_user_say_that_all_is_well(api: Api) -> None:
    before = await api.get("/users")
    for method, path, body in (
        ("PUT", "/users/nobody", {"username": "nobody"}),
        ("PUT", "/users/nobody/toggle", {"enabled": True}),
        ("PUT", "/users/nobody/reset-traffic", None),
        ("DELETE", "/users/nobody", None),
    ):
        assert await api.ask(method, path, body) == {"status": "ok"}
        assert await api.get("/users") == before


async def test_who_shares_a_password(api: Api, hy2scale: Hy2ScaleService) -> None:
    assert await api.get("/users/conflicts") == {
        "carol": {"hy2": ["dave"], "ss": ["dave"]},
        "dave": {"hy2": ["carol"], "ss": ["carol"]},
    }

    user(hy2scale, "dave").proxy_passwords = {"ss": "own"}
    assert (await api.get("/users/conflicts"))["dave"] == {"hy2": ["carol"]}
    user(hy2scale, "dave").password = "own"
    assert await api.get("/users/conflicts") == {}


async def test_traffic_counts_when_a_connection_closes(api: Api, hy2scale: Hy2ScaleService) -> None:
    used = (await row(api, "alice"))["traffic_used"]
    hy2scale.advance(100)
    assert (await row(api, "alice"))["traffic_used"] == used

    hy2scale.disconnect(DEVICE)

    half = 100 * (2048 + 16_384) // 2
    assert (await row(api, "alice"))["traffic_used"] == used + half
    device = (await api.get("/sessions"))["devices"][0]
    assert (device["key"], device["conn_count"]) == (DEVICE, 1)
    assert device["tx_bytes"] + device["rx_bytes"] == half
    assert device["duration"] == 7300

    hy2scale.disconnect(DEVICE)
    assert (await row(api, "alice"))["traffic_used"] == used + 2 * half
    assert DEVICE not in await keys(api)


async def test_a_kicked_device_is_out_for_a_minute(api: Api, hy2scale: Hy2ScaleService) -> None:
    used = (await row(api, "alice"))["traffic_used"]
    hy2scale.advance(10)
    await api.delete("/sessions/alice%7C203.0.113.10%7Chy2")

    assert await keys(api) == [PHONE, "bob|203.0.113.20|l2tp"]
    assert (await row(api, "alice"))["traffic_used"] > used
    assert hy2scale.connect("alice", "203.0.113.10") is None
    hy2scale.advance(59)
    assert hy2scale.connect("alice", "203.0.113.10") is None
    hy2scale.advance(1)
    assert DEVICE in await keys(api)


async def test_a_kicked_device_need_not_return(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.settings.devices_return = False
    await api.delete("/sessions/alice%7C203.0.113.10%7Chy2")
    hy2scale.advance(60)

    assert DEVICE not in await keys(api)
    assert hy2scale.connect("alice", "203.0.113.10") == DEVICE
    assert hy2scale.connect("alice", "203.0.113.10") == DEVICE
    assert hy2scale.state.sessions[DEVICE].conn_count == 2


async def test_an_expiry_begins_with_its_day(hy2scale: Hy2ScaleService) -> None:
    bob = user(hy2scale, "bob")
    bob.expiry_date = "2026-11-21"

    hy2scale.advance(20 * 3600 - 1)
    assert hy2scale.connect("bob", "203.0.113.99")
    hy2scale.advance(1)
    assert hy2scale.now() % DAY == 0
    assert hy2scale.connect("bob", "203.0.113.99") is None


@pytest.mark.parametrize("change", [{"enabled": False}, {"traffic_limit": 1, "traffic_used": 1}])
def test_who_may_not_connect(hy2scale: Hy2ScaleService, change: dict[str, Any]) -> None:
    alice = user(hy2scale, "alice")
    for name, value in change.items():
        setattr(alice, name, value)

    assert hy2scale.connect("alice", "203.0.113.99") is None
    assert hy2scale.connect("nobody", "203.0.113.99") is None


async def test_a_restart_begins_sessions_anew(api: Api, hy2scale: Hy2ScaleService) -> None:
    used = user(hy2scale, "alice").traffic_used
    hy2scale.advance(100)
    await hy2scale.restart()
    await api.sign_in()

    device = (await api.get("/sessions"))["devices"][0]
    assert (device["duration"], device["conn_count"]) == (0, 1)
    assert (await row(api, "alice"))["traffic_used"] == used
