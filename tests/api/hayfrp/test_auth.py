"""Tests HayFrp's session: one csrf token for all requests, and pauses while others sign in."""

import asyncio
from collections.abc import Callable

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import AuthenticationError, Reason, UnavailableError
from custom_components.tunnel_hub.api.hayfrp.auth import Session
from custom_components.tunnel_hub.api.hayfrp.client import HayFrpClient
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.rows import Row
from simulator.hayfrp import HayFrpService

from ...clocks import Clocks
from ..event_loop import run_pending, until

MINUTE = 60
HOUR = 60 * MINUTE


class User:
    """A user with a session."""

    def __init__(
        self, session: ClientSession, service: HayFrpService, freezer: FrozenDateTimeFactory
    ) -> None:
        self.service = service
        self.freezer = freezer
        self.client = HayFrpClient(Transport(session, (service.url,), headers={"waf": "off"}))
        self.stored: list[str] = []
        self.session = self.begin(None)

    def begin(self, csrf: str | None, *, password: bool = True) -> Session:
        """Start with the stored csrf token."""
        self.session = Session(csrf, self.log_in if password else None, self.store)
        return self.session

    async def log_in(self) -> str:
        """Log in with the password."""
        return await self.client.login("demo", "demo-password")

    async def store(self, csrf: str) -> None:
        """Store a new csrf token."""
        self.stored.append(csrf)

    async def request(self) -> Row:
        """Send a request that requires a session."""
        return await self.session.use(self.client.get_info)

    async def is_refused(self) -> float:
        """Send a request in a contested session; return the seconds until the next attempt."""
        with pytest.raises(UnavailableError) as caught:
            await self.request()
        assert caught.value.reason is Reason.CONTESTED
        assert caught.value.retry_after is not None
        return caught.value.retry_after

    def is_contested(self) -> bool:
        """Return whether another program uses the account."""
        return self.session.contested

    def other_program_logs_in(self) -> None:
        """End the session by a login of another program."""
        self.service.account.csrf = "of-another-program"

    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self.freezer.tick(seconds)

    @property
    def logins(self) -> int:
        """Return the number of logins."""
        return len(self.service.calls_to("/user", type="login"))


@pytest.fixture
def user(session: ClientSession, hayfrp: HayFrpService, freezer: FrozenDateTimeFactory) -> User:
    return User(session, hayfrp, freezer)


@pytest.fixture
async def signed_in(user: User) -> User:
    """A user who has been signed in for an hour."""
    await user.request()
    user.wait(HOUR)
    user.service.calls.clear()
    return user


# Logins


async def test_a_stored_csrf_is_tried_first(user: User) -> None:
    user.service.account.csrf, user.service.account.csrf_since = "stored", user.service.now()
    user.begin("stored")

    assert (await user.request())["username"] == "demo"

    assert [call.get("type") for call in user.service.calls] == ["info"]
    assert user.service.calls[0].get("csrf") == "stored"
    assert user.stored == []


async def test_parallel_requests_without_csrf_cause_one_login(user: User) -> None:
    await asyncio.gather(*(user.request() for _ in range(10)))

    assert user.logins == user.session.renewals == 1
    assert user.stored == [user.service.account.csrf]


async def test_a_refused_csrf_is_renewed(user: User) -> None:
    user.begin("of-yesterday")

    assert (await user.request())["username"] == "demo"

    assert [call.get("type") for call in user.service.calls] == ["info", "login", "info"]
    assert user.service.calls[2].get("csrf") == user.service.account.csrf
    assert user.stored == [user.service.account.csrf]


async def test_an_expired_csrf_is_renewed(signed_in: User) -> None:
    signed_in.wait(7 * 24 * HOUR)

    await signed_in.request()

    assert signed_in.logins == 1


async def test_parallel_refusals_cause_one_login(signed_in: User) -> None:
    signed_in.other_program_logs_in()

    await asyncio.gather(*(signed_in.request() for _ in range(10)))

    assert signed_in.logins == 1
    assert signed_in.stored[-1] == signed_in.service.account.csrf


async def test_a_late_refusal_of_an_old_csrf_causes_no_login(signed_in: User) -> None:
    """The request was sent before another request renewed the csrf token."""
    service = signed_in.service
    refused = {"status": 403, "message": "登录无效或已过期."}
    gate = asyncio.Event()

    async def slow(csrf: str) -> Row:
        if csrf == signed_in.stored[0]:
            await gate.wait()
        return await signed_in.client.get_info(csrf)

    late = asyncio.create_task(signed_in.session.use(slow))
    await run_pending()
    service.fault("/user", "body", body=refused, match={"type": "info"})
    await signed_in.request()
    gate.set()

    assert (await late)["username"] == "demo"
    assert signed_in.logins == 1


async def test_a_new_csrf_is_stored_before_use(user: User) -> None:
    """Otherwise a crash between the two would end the session without a stored new one."""
    gate = asyncio.Event()

    async def store(csrf: str) -> None:
        user.stored.append(csrf)
        await gate.wait()

    user.session = Session(None, user.log_in, store)
    requests = [asyncio.create_task(user.request())]
    await until(lambda: bool(user.stored))
    requests.append(asyncio.create_task(user.request()))
    await run_pending()
    assert [call.get("type") for call in user.service.calls] == ["login"]

    gate.set()
    await asyncio.gather(*requests)
    assert user.service.calls[-1].get("csrf") == user.stored[0]


async def test_a_forgotten_csrf_is_not_sent(signed_in: User) -> None:
    signed_in.session.forget()

    await signed_in.request()

    assert [call.get("type") for call in signed_in.service.calls] == ["login", "info"]


# Reauthentication


async def test_a_pasted_csrf_cannot_be_renewed(user: User) -> None:
    user.begin("of-yesterday", password=False)

    for _ in range(2):
        with pytest.raises(AuthenticationError):
            await user.request()

    assert [call.get("type") for call in user.service.calls] == ["info"]


async def test_a_changed_password_is_an_authentication_error(signed_in: User) -> None:
    signed_in.service.account.password = "changed"
    signed_in.other_program_logs_in()

    with pytest.raises(AuthenticationError, match="登录失败,您的密码有误"):
        await signed_in.request()

    assert signed_in.session.renewals == 1, "the failed login does not count"
    assert not signed_in.is_contested()


async def test_a_login_without_effect_requires_reauthentication(user: User) -> None:
    refused = {"status": 403, "message": "登录无效或已过期."}
    user.service.fault("/user", "body", body=refused, match={"type": "info"}, times=None)
    user.begin("of-yesterday")

    with pytest.raises(AuthenticationError):
        await user.request()

    assert user.logins == 1


async def test_a_failed_login_is_retried_later(signed_in: User) -> None:
    signed_in.other_program_logs_in()
    signed_in.service.fault("/user", "error", match={"type": "login"})

    with pytest.raises(UnavailableError) as caught:
        await signed_in.request()
    assert caught.value.reason is Reason.SERVER_ERROR

    assert (await signed_in.request())["username"] == "demo"


# Contested sessions


async def test_a_session_that_is_ended_twice_is_contested(signed_in: User) -> None:
    signed_in.other_program_logs_in()
    await signed_in.request()
    assert not signed_in.is_contested()

    signed_in.wait(5 * MINUTE)
    signed_in.other_program_logs_in()
    assert await signed_in.is_refused() == 15 * MINUTE
    assert signed_in.is_contested()

    calls = len(signed_in.service.calls)
    signed_in.wait(10 * MINUTE)
    assert await signed_in.is_refused() == 5 * MINUTE
    assert len(signed_in.service.calls) == calls, "no request during the pause"
    assert signed_in.service.account.csrf == "of-another-program"


async def test_a_session_that_lasts_is_not_contested(signed_in: User) -> None:
    for _ in range(3):
        signed_in.other_program_logs_in()
        await signed_in.request()
        signed_in.wait(10 * MINUTE + 1)

    assert signed_in.logins == 3
    assert not signed_in.is_contested()


async def test_hours_of_standby_are_no_contest(signed_in: User, clocks: Clocks) -> None:
    """The session ended hours later, although timers do not count standby."""
    signed_in.other_program_logs_in()
    await signed_in.request()
    clocks.sleep(8 * HOUR)

    signed_in.other_program_logs_in()
    await signed_in.request()

    assert signed_in.logins == 2
    assert not signed_in.is_contested()


async def test_setting_the_clock_back_is_no_contest(signed_in: User, clocks: Clocks) -> None:
    signed_in.other_program_logs_in()
    await signed_in.request()
    clocks.set(-HOUR, signed_in.service)
    signed_in.wait(10 * MINUTE + 1)

    signed_in.other_program_logs_in()
    await signed_in.request()

    assert not signed_in.is_contested()


async def test_parallel_requests_are_all_refused(signed_in: User) -> None:
    signed_in.other_program_logs_in()
    await signed_in.request()
    signed_in.other_program_logs_in()

    results = await asyncio.gather(*(signed_in.request() for _ in range(5)), return_exceptions=True)

    reasons = [result.reason for result in results if isinstance(result, UnavailableError)]
    assert reasons == [Reason.CONTESTED] * 5
    assert signed_in.logins == 1


async def _contest(user: User) -> float:
    """End the session again; return the pause."""
    user.other_program_logs_in()
    return await user.is_refused()


async def test_pauses_grow_during_a_contest(signed_in: User) -> None:
    signed_in.other_program_logs_in()
    pauses = []
    for _ in range(7):
        await signed_in.request()
        pauses.append(await _contest(signed_in))
        signed_in.wait(pauses[-1])

    assert [pause / MINUTE for pause in pauses] == [15, 30, 60, 120, 240, 240, 240]


async def test_a_contest_ends_when_a_session_lasts(signed_in: User) -> None:
    signed_in.other_program_logs_in()
    await signed_in.request()
    signed_in.wait(await _contest(signed_in))

    await signed_in.request()
    assert signed_in.is_contested(), "it is unknown whether it lasts"
    signed_in.wait(10 * MINUTE)
    assert signed_in.is_contested()
    signed_in.wait(1)
    assert not signed_in.is_contested()

    signed_in.other_program_logs_in()
    await signed_in.request()
    assert await _contest(signed_in) == 15 * MINUTE, (
        "the next contest starts with the shortest pause"
    )


async def test_our_own_logout_does_not_renew_a_contest(
    signed_in: User,
) -> None:
    signed_in.other_program_logs_in()
    await signed_in.request()
    signed_in.wait(await _contest(signed_in))
    await signed_in.request()
    signed_in.wait(HOUR)

    signed_in.session.forget()

    assert not signed_in.is_contested()
    await signed_in.request()
    assert not signed_in.is_contested()


@pytest.mark.parametrize("end", [lambda _: None, lambda user: user.session.forget()])
async def test_a_first_login_is_no_contest(user: User, end: Callable[[User], None]) -> None:
    """Nor a login after we ended the session ourselves: the first loss is renewed."""
    await user.request()
    end(user)
    await user.request()
    logins = user.logins

    user.other_program_logs_in()
    await user.request()
    assert user.logins == logins + 1
    assert not user.is_contested()

    assert await _contest(user) == 15 * MINUTE
