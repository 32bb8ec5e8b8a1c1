"""Tests ChmlFrp's tokens: one refresh for parallel requests, storage, reauthentication."""

import asyncio
from collections.abc import Mapping
import random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    Reason,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.models.account import AccountChanges
from custom_components.tunnel_hub.api.provider import Credentials
from simulator.chmlfrp import ChmlFrpService

from ..event_loop import run_pending, until
from .conftest import Begin


class User:
    """A provider with storage for its credentials."""

    def __init__(self, begin: Begin, service: ChmlFrpService, credentials: Credentials) -> None:
        """Start with the credentials of an approved sign-in."""
        self.begin = begin
        self.service = service
        self.stored: Mapping[str, str] = credentials
        self.times_stored = 0
        self.provider = self.restart()

    def restart(self) -> ChmlFrpProvider:
        """Restart with the stored credentials; the previous provider keeps running."""
        self.provider = self.begin(self.stored)
        self.provider.on_credentials = self.store
        return self.provider

    async def store(self, credentials: Credentials) -> None:
        """Store the credentials with a delay."""
        await run_pending(20)
        self.stored = credentials
        self.times_stored += 1

    async def request(self) -> str:
        """Send a request that requires a token."""
        return (await self.provider.identify()).id

    @property
    def refreshes(self) -> int:
        """Return how often the account center was asked for new tokens."""
        return len(self.service.calls_to("/oauth2/token"))


@pytest.fixture
def user(begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials) -> User:
    return User(begin, chmlfrp, granted)


def tokens_seen(service: ChmlFrpService) -> list[str]:
    """Return the tokens of all requests for the account."""
    return [
        call.headers["Authorization"].removeprefix("Bearer ")
        for call in service.calls_to("/userinfo")
    ]


# One refresh for parallel requests


async def test_twenty_requests_at_expiry_cause_one_refresh(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    freezer.tick(600)

    answers = await asyncio.gather(*(user.request() for _ in range(20)))

    assert answers == ["227"] * 20, "every request succeeds"
    assert user.refreshes == 1
    assert set(tokens_seen(chmlfrp)) == {user.stored["access_token"]}, "no expired token is sent"


async def test_twenty_requests_with_an_invalidated_token_cause_one_refresh(
    user: User, chmlfrp: ChmlFrpService
) -> None:
    """Another program of the user has refreshed, so ours is refused before its expiry."""
    chmlfrp.state.grants["g"].access_token = "elsewhere"

    answers = await asyncio.gather(*(user.request() for _ in range(20)))

    assert answers == ["227"] * 20
    assert user.refreshes == 1


async def test_requests_survive_a_refresh(
    begin: Begin,
    chmlfrp: ChmlFrpService,
    granted: Credentials,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refresh invalidates the token of a running request, which is sent again."""
    monkeypatch.setattr(random, "uniform", lambda first, last: last)
    user = User(begin, chmlfrp, {**granted, "expires_at": str(chmlfrp.now() + 91)})
    chmlfrp.fault("/userinfo", "delay", seconds=5)
    slow = asyncio.create_task(user.request())
    await until(lambda: bool(chmlfrp.calls_to("/userinfo")))
    freezer.tick(2)

    assert await user.request() == "227"
    freezer.tick(4)
    assert await slow == "227"
    assert [call.status for call in chmlfrp.calls_to("/userinfo")] == [200, 200, 200]
    assert tokens_seen(chmlfrp)[0] == "access-0"
    assert tokens_seen(chmlfrp)[1:] == [user.stored["access_token"]] * 2
    assert user.refreshes == 1


async def test_two_providers_share_a_sign_in(
    user: User, begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    """An entry is reloaded during a refresh, so both providers have the same refresh token."""
    other = User(begin, user.service, granted)
    freezer.tick(600)

    await asyncio.gather(*(one.request() for one in (user, other) for _ in range(10)))

    assert user.refreshes == 1
    assert user.stored == other.stored, "both have the credentials to store"
    assert user.provider.credentials == other.provider.credentials


async def test_a_provider_with_a_used_refresh_token_gets_the_new_tokens(
    user: User, begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    freezer.tick(600)
    await user.request()

    assert await User(begin, user.service, granted).request() == "227"

    assert user.refreshes == 1


async def test_providers_before_and_after_a_reload_share_a_sign_in(
    user: User, freezer: FrozenDateTimeFactory
) -> None:
    """The new provider only has the newest refresh token, the old one started with an older one."""
    freezer.tick(600)
    await user.request()
    before = user.provider
    user.restart()
    freezer.tick(600)

    await asyncio.gather(before.identify(), user.request())

    assert user.refreshes == 2
    assert before.credentials["refresh_token"] == user.stored["refresh_token"]


@pytest.mark.parametrize("differs", ["access_token", "oauth_url"])
async def test_separate_sign_ins_are_not_shared(
    *,
    begin: Begin,
    chmlfrp: ChmlFrpService,
    granted: Credentials,
    freezer: FrozenDateTimeFactory,
    differs: str,
) -> None:
    """Neither without refresh tokens, nor with the same refresh token of another account center."""
    if differs == "access_token":
        granted = {name: v for name, v in granted.items() if name != "refresh_token"}
    first = begin(granted)
    other = begin({**granted, differs: "http://127.0.0.1:1"})

    assert await first.identify()
    if differs == "access_token":
        with pytest.raises(AuthenticationError):
            await other.identify()
    else:
        freezer.tick(600)
        with pytest.raises(UnavailableError):
            await other.identify()
        assert await first.identify()


async def test_a_restart_uses_the_stored_tokens(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    for _ in range(3):
        freezer.tick(600)
        await user.request()
        user.restart()
        await user.request()

    assert user.refreshes == 3
    refreshed = [call.get("refresh_token") for call in chmlfrp.calls_to("/oauth2/token")]
    assert len(set(refreshed)) == 3, "no refresh token was used twice"
    assert chmlfrp.state.grants["g"].refreshes == 3


# When tokens are refreshed


@pytest.mark.parametrize("early, still, due", [(0.0, 539, 541), (1.0, 509, 511)])
async def test_refresh_before_expiry(
    *,
    user: User,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    early: float,
    still: float,
    due: float,
) -> None:
    """60 to 90 seconds before the expiry, at random."""
    monkeypatch.setattr(random, "uniform", lambda first, last: first + early * (last - first))
    freezer.tick(600)
    await user.request()
    assert user.refreshes == 1

    freezer.tick(still)
    await user.request()
    assert user.refreshes == 1

    freezer.tick(due - still)
    await user.request()
    assert user.refreshes == 2


@pytest.mark.parametrize("expires_at", ["", "soon", "-1"])
async def test_an_unknown_expiry_counts_as_past(
    begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials, expires_at: str
) -> None:
    user = User(begin, chmlfrp, {**granted, "expires_at": expires_at})

    assert await user.request() == "227"

    assert user.refreshes == 1
    assert tokens_seen(chmlfrp) == [user.stored["access_token"]]


# Storing before use


async def test_tokens_are_stored_before_use(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    may_store = asyncio.Event()

    async def _store(credentials: Credentials) -> None:
        await may_store.wait()
        await user.store(credentials)

    user.provider.on_credentials = _store
    freezer.tick(600)
    running = asyncio.create_task(user.request())
    await until(lambda: user.refreshes == 1)
    await run_pending()
    assert not chmlfrp.calls_to("/userinfo"), "not before it is stored"

    may_store.set()
    assert await running == "227"
    grant = chmlfrp.state.grants["g"]
    assert user.stored["access_token"] == grant.access_token
    assert user.stored["refresh_token"] == grant.refresh_token
    assert float(user.stored["expires_at"]) == pytest.approx(grant.expires_at, abs=1)
    assert user.stored["client_id"] == "demo-client", "other data are kept"


async def test_tokens_are_stored_although_the_request_was_cancelled(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    """The entry is unloaded before the answer: the tokens would be lost forever."""
    chmlfrp.fault("/oauth2/token", "delay", seconds=2)
    freezer.tick(600)
    running = asyncio.create_task(user.request())
    await until(lambda: user.refreshes == 1)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    freezer.tick(3)
    await until(lambda: user.times_stored == 1)

    assert user.stored["refresh_token"] == chmlfrp.state.grants["g"].refresh_token
    assert await user.restart().identify()
    assert user.refreshes == 1


async def test_without_storage(
    begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    provider = begin(granted)
    freezer.tick(600)

    assert await provider.identify()

    assert provider.credentials["refresh_token"] != "refresh-0"
    assert provider.statistics()["token_renewals"] == 1


# Refused refreshes


async def test_access_tokens_are_never_in_a_query(user: User, chmlfrp: ChmlFrpService) -> None:
    """A refused API token is sent as documented; access tokens are newer than the document."""
    chmlfrp.fault("/userinfo", "body", body={"msg": "无效的Token", "code": 401}, times=None)

    with pytest.raises(AuthenticationError):
        await user.request()

    assert len(chmlfrp.calls_to("/userinfo")) == 2, "the old token and the new one"
    assert not any("token" in call.query for call in chmlfrp.calls)


async def test_a_used_refresh_token_requires_reauthentication(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.state.grants["g"].refresh_token = "elsewhere"
    freezer.tick(600)

    for _ in range(3):
        with pytest.raises(AuthenticationError):
            await user.request()

    assert user.refreshes == 1, "it is not tried repeatedly"


async def test_a_reload_retries_a_refused_refresh(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    """The cause may have been corrected; the provider from before the reload may still exist."""
    grant = chmlfrp.state.grants["g"]
    works, grant.refresh_token = grant.refresh_token, "elsewhere"
    freezer.tick(600)
    with pytest.raises(AuthenticationError):
        await user.request()
    before = user.provider
    grant.refresh_token = works

    user.restart()

    assert await user.request() == "227"
    assert before is not user.provider


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
async def test_an_unregistered_program_requires_reauthentication(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory, code: str
) -> None:
    """Every refresh would be refused."""
    chmlfrp.fault("/oauth2/token", "body", status=401, body={"error": code}, times=None)
    freezer.tick(600)

    for _ in range(2):
        with pytest.raises(AuthenticationError):
            await user.request()

    assert user.refreshes == 1


async def test_without_refresh_token_expiry_requires_reauthentication(
    begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    provider = begin({name: v for name, v in granted.items() if name != "refresh_token"})
    assert await provider.identify()
    freezer.tick(600)

    with pytest.raises(AuthenticationError):
        await provider.identify()

    assert not chmlfrp.calls_to("/oauth2/token")


@pytest.mark.parametrize(
    "fault, options, reason",
    [
        ("status", {"status": 502}, Reason.SERVER_ERROR),
        ("html", {"status": 403}, Reason.FIREWALL),
        ("html", {"status": 200}, Reason.FIREWALL),
        ("body", {"body": {"token_type": "Bearer"}}, Reason.MALFORMED),
        ("reset", {}, Reason.CONNECTION),
    ],
)
async def test_a_failed_refresh_is_retried_later(
    *,
    user: User,
    chmlfrp: ChmlFrpService,
    freezer: FrozenDateTimeFactory,
    fault: str,
    options: dict[str, Any],
    reason: Reason,
) -> None:
    chmlfrp.fault("/oauth2/token", fault, **options)
    freezer.tick(600)

    with pytest.raises(UnavailableError) as failed:
        await user.request()
    assert failed.value.reason is reason

    assert await user.request() == "227"


async def test_other_refusals_are_raised(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.fault(
        "/oauth2/token",
        "body",
        status=400,
        body={"error": "invalid_scope", "error_description": "not for refresh-0"},
    )
    freezer.tick(600)

    with pytest.raises(RejectedError, match=r"^not for \*\*$"):
        await user.request()


async def test_an_answer_without_refresh_token_keeps_the_old_one(
    user: User, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.fault("/oauth2/token", "patch", remove=("refresh_token", "expires_in"))
    freezer.tick(600)

    await user.request()

    assert user.stored["refresh_token"] == "refresh-0"
    assert float(user.stored["expires_at"]) == pytest.approx(chmlfrp.now() + 600, abs=1)


# Pasted tokens and passwords


async def test_a_pasted_token_cannot_be_renewed(begin: Begin, chmlfrp: ChmlFrpService) -> None:
    provider = begin({"token": "wrong"})

    with pytest.raises(AuthenticationError):
        await provider.identify()

    assert not chmlfrp.calls_to("/login")


async def test_without_credentials_no_request_is_sent(
    begin: Begin, chmlfrp: ChmlFrpService
) -> None:
    with pytest.raises(AuthenticationError):
        await begin({}).identify()

    assert not chmlfrp.calls


@pytest.fixture
def by_password(begin: Begin, chmlfrp: ChmlFrpService) -> User:
    chmlfrp.state.settings.password_login = True
    return User(begin, chmlfrp, {"username": "demo", "password": "demo-password"})


async def test_one_login_for_parallel_requests(by_password: User, chmlfrp: ChmlFrpService) -> None:
    await asyncio.gather(*(by_password.request() for _ in range(10)))

    assert len(chmlfrp.calls_to("/login")) == 1
    assert by_password.stored["token"] == chmlfrp.account.usertoken
    assert by_password.times_stored == 1


async def test_the_token_of_a_login_is_stored_before_use(
    by_password: User, chmlfrp: ChmlFrpService
) -> None:
    may_store = asyncio.Event()

    async def _store(credentials: Credentials) -> None:
        await may_store.wait()
        await by_password.store(credentials)

    by_password.provider.on_credentials = _store
    running = [asyncio.create_task(by_password.request()) for _ in range(2)]
    await until(lambda: bool(chmlfrp.calls_to("/login")))
    await run_pending()
    running.append(asyncio.create_task(by_password.request()))
    await run_pending()
    assert not chmlfrp.calls_to("/userinfo"), "not before it is stored"

    may_store.set()
    assert await asyncio.gather(*running) == ["227"] * 3


async def test_the_token_of_a_login_is_reused(by_password: User, chmlfrp: ChmlFrpService) -> None:
    await by_password.request()
    by_password.restart()
    await by_password.request()

    assert len(chmlfrp.calls_to("/login")) == 1


async def test_a_token_reset_by_another_program(by_password: User, chmlfrp: ChmlFrpService) -> None:
    await by_password.request()
    chmlfrp.account.usertoken = "reset"

    assert await by_password.request() == "227"

    assert by_password.stored["token"] == "reset"
    assert by_password.provider.statistics()["token_renewals"] == 2


async def test_a_login_that_returns_the_refused_token(
    by_password: User, chmlfrp: ChmlFrpService
) -> None:
    await by_password.request()
    chmlfrp.fault("/userinfo", "body", body={"msg": "无效的Token", "code": 401}, times=None)

    with pytest.raises(UnavailableError, match="无效的Token"):
        await by_password.request()

    assert len(chmlfrp.calls_to("/login")) == 2


async def test_a_login_without_a_token(by_password: User, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/login", "patch", remove=("data.usertoken",))

    with pytest.raises(UnavailableError):
        await by_password.request()


async def test_a_refused_password_is_not_sent_again(
    by_password: User, chmlfrp: ChmlFrpService
) -> None:
    """The service counts failed logins; waiting and later requests must not add to them."""
    chmlfrp.account.password = "changed elsewhere"

    failed = await asyncio.gather(
        *(by_password.request() for _ in range(5)), return_exceptions=True
    )
    with pytest.raises(AuthenticationError, match=r"^密码错误$"):
        await by_password.request()

    assert {str(err) for err in failed} == {"密码错误"}
    assert len(chmlfrp.calls_to("/login")) == 1


@pytest.mark.parametrize(
    "path, changes",
    [
        (
            "/reset_password",
            AccountChanges(password="better-password", current_password="demo-password"),
        ),
        ("/update_username", AccountChanges(username="better_name")),
    ],
)
async def test_a_login_during_a_change_of_credentials(
    by_password: User, chmlfrp: ChmlFrpService, path: str, changes: AccountChanges
) -> None:
    """A refusal of the old credentials does not affect the new ones."""
    await by_password.request()
    gate = chmlfrp.gate(path, "after")
    changing = asyncio.create_task(by_password.provider.update_account(changes))
    await gate.reached()
    chmlfrp.account.usertoken = "reset"
    running = asyncio.create_task(by_password.request())
    await until(lambda: len(chmlfrp.calls_to("/login")) == 2)
    await run_pending()

    gate.open()

    assert await running == "227"
    await changing
    assert by_password.stored["token"] == "reset"
    assert [call.status for call in chmlfrp.calls_to("/login")] == [200] * 3
    assert chmlfrp.account.password == by_password.stored["password"]
    assert chmlfrp.account.username == by_password.stored["username"]


async def test_a_refused_change_keeps_the_credentials(
    by_password: User, chmlfrp: ChmlFrpService
) -> None:
    """A login that waits for it is refused, too."""
    await by_password.request()
    gate = chmlfrp.gate("/reset_password")
    chmlfrp.fault("/reset_password", "body", body={"code": 400, "msg": "太短"})
    changes = AccountChanges(password="short", current_password="demo-password")
    changing = asyncio.create_task(by_password.provider.update_account(changes))
    await gate.reached()
    chmlfrp.account.usertoken, chmlfrp.account.password = "reset", "changed elsewhere"
    running = asyncio.create_task(by_password.request())
    await until(lambda: len(chmlfrp.calls_to("/login")) == 2)
    await run_pending()
    assert not running.done()

    gate.open()

    with pytest.raises(RejectedError, match="太短"):
        await changing
    with pytest.raises(AuthenticationError):
        await running
    assert by_password.stored["password"] == "demo-password"
    assert len(chmlfrp.calls_to("/login")) == 2


async def test_a_login_with_another_error_is_retried(
    by_password: User, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/login", "html", status=520)

    with pytest.raises(UnavailableError):
        await by_password.request()
    assert await by_password.request() == "227"


async def test_password_login_is_disabled(by_password: User, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.password_login = False

    with pytest.raises(AuthenticationError, match="access_token") as refused:
        await by_password.request()

    assert refused.value.key == "password_sign_in_off"
