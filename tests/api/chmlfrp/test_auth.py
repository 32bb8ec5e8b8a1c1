"""Tokens: refreshed once for all, stored before they are used, never used up twice."""

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

from ..event_loop import turns, until
from .conftest import Begin


class Home:
    """A home with a provider, which stores what it is told to store."""

    def __init__(self, begin: Begin, service: ChmlFrpService, credentials: Credentials) -> None:
        """Start with what an approved sign-in has given."""
        self.begin = begin
        self.service = service
        self.stored: Mapping[str, str] = credentials
        self.times_stored = 0
        self.provider = self.restart()

    def restart(self) -> ChmlFrpProvider:
        """Start over with what is stored, next to what ran before."""
        self.provider = self.begin(self.stored)
        self.provider.on_credentials = self.store
        return self.provider

    async def store(self, credentials: Credentials) -> None:
        """Store, which takes its time."""
        await turns(20)
        self.stored = credentials
        self.times_stored += 1

    async def ask(self) -> str:
        """Ask for something that needs a token."""
        return (await self.provider.identify()).id

    @property
    def refreshes(self) -> int:
        """How often the account center was asked for new tokens."""
        return len(self.service.calls_to("/oauth2/token"))


@pytest.fixture
def home(begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials) -> Home:
    return Home(begin, chmlfrp, granted)


def tokens_seen(service: ChmlFrpService) -> list[str]:
    """Return the tokens that the account was asked with."""
    return [
        call.headers["Authorization"].removeprefix("Bearer ")
        for call in service.calls_to("/userinfo")
    ]


# One refresh for all


async def test_twenty_calls_at_expiry_make_one_refresh(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    freezer.tick(600)

    answers = await asyncio.gather(*(home.ask() for _ in range(20)))

    assert answers == ["227"] * 20, "none has failed"
    assert home.refreshes == 1
    assert set(tokens_seen(chmlfrp)) == {home.stored["access_token"]}, "no dead token was tried"


async def test_twenty_calls_with_a_killed_token_make_one_refresh(
    home: Home, chmlfrp: ChmlFrpService
) -> None:
    """Another program of the user's has refreshed: ours is refused though it has not ended."""
    chmlfrp.state.grants["g"].access_token = "elsewhere"

    answers = await asyncio.gather(*(home.ask() for _ in range(20)))

    assert answers == ["227"] * 20
    assert home.refreshes == 1


async def test_calls_under_way_survive_a_refresh(
    begin: Begin,
    chmlfrp: ChmlFrpService,
    granted: Credentials,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refresh ends the token of a request that is on its way: it is sent again."""
    monkeypatch.setattr(random, "uniform", lambda first, last: last)
    home = Home(begin, chmlfrp, {**granted, "expires_at": str(chmlfrp.now() + 91)})
    chmlfrp.fault("/userinfo", "delay", seconds=5)
    slow = asyncio.create_task(home.ask())
    await until(lambda: bool(chmlfrp.calls_to("/userinfo")))
    freezer.tick(2)

    assert await home.ask() == "227"
    freezer.tick(4)
    assert await slow == "227"
    assert [call.status for call in chmlfrp.calls_to("/userinfo")] == [200, 200, 200]
    assert tokens_seen(chmlfrp)[0] == "access-0"
    assert tokens_seen(chmlfrp)[1:] == [home.stored["access_token"]] * 2
    assert home.refreshes == 1


async def test_two_providers_share_a_sign_in(
    home: Home, begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    """An entry is reloaded while it refreshes: both know the same refresh token."""
    other = Home(begin, home.service, granted)
    freezer.tick(600)

    await asyncio.gather(*(one.ask() for one in (home, other) for _ in range(10)))

    assert home.refreshes == 1
    assert home.stored == other.stored, "both know what to store"
    assert home.provider.credentials == other.provider.credentials


async def test_a_latecomer_with_a_used_up_token_gets_the_new_one(
    home: Home, begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    freezer.tick(600)
    await home.ask()

    assert await Home(begin, home.service, granted).ask() == "227"

    assert home.refreshes == 1


async def test_what_ran_before_a_reload_shares_the_sign_in_with_what_runs_now(
    home: Home, freezer: FrozenDateTimeFactory
) -> None:
    """Though the reload knows only the newest refresh token, and the other began with an older."""
    freezer.tick(600)
    await home.ask()
    before = home.provider
    home.restart()
    freezer.tick(600)

    await asyncio.gather(before.identify(), home.ask())

    assert home.refreshes == 2
    assert before.credentials["refresh_token"] == home.stored["refresh_token"]


@pytest.mark.parametrize("differs", ["access_token", "oauth_url"])
async def test_sign_ins_of_their_own_share_nothing(
    *,
    begin: Begin,
    chmlfrp: ChmlFrpService,
    granted: Credentials,
    freezer: FrozenDateTimeFactory,
    differs: str,
) -> None:
    """Neither without refresh tokens, nor with the same one of another account center."""
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


async def test_a_restart_goes_on_with_what_is_stored(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    for _ in range(3):
        freezer.tick(600)
        await home.ask()
        home.restart()
        await home.ask()

    assert home.refreshes == 3
    refreshed = [call.get("refresh_token") for call in chmlfrp.calls_to("/oauth2/token")]
    assert len(set(refreshed)) == 3, "none was used twice"
    assert chmlfrp.state.grants["g"].refreshes == 3


# When


@pytest.mark.parametrize("early, still, due", [(0.0, 539, 541), (1.0, 509, 511)])
async def test_refreshed_early(
    *,
    home: Home,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    early: float,
    still: float,
    due: float,
) -> None:
    """60 to 90 seconds before the end, at random."""
    monkeypatch.setattr(random, "uniform", lambda first, last: first + early * (last - first))
    freezer.tick(600)
    await home.ask()
    assert home.refreshes == 1

    freezer.tick(still)
    await home.ask()
    assert home.refreshes == 1

    freezer.tick(due - still)
    await home.ask()
    assert home.refreshes == 2


@pytest.mark.parametrize("expires_at", ["", "soon", "-1"])
async def test_an_end_that_is_not_known_may_be_past(
    begin: Begin, chmlfrp: ChmlFrpService, granted: Credentials, expires_at: str
) -> None:
    home = Home(begin, chmlfrp, {**granted, "expires_at": expires_at})

    assert await home.ask() == "227"

    assert home.refreshes == 1
    assert tokens_seen(chmlfrp) == [home.stored["access_token"]]


# Stored first


async def test_stored_before_used(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    may_store = asyncio.Event()

    async def _store(credentials: Credentials) -> None:
        await may_store.wait()
        await home.store(credentials)

    home.provider.on_credentials = _store
    freezer.tick(600)
    asking = asyncio.create_task(home.ask())
    await until(lambda: home.refreshes == 1)
    await turns()
    assert not chmlfrp.calls_to("/userinfo"), "not while it is being stored"

    may_store.set()
    assert await asking == "227"
    grant = chmlfrp.state.grants["g"]
    assert home.stored["access_token"] == grant.access_token
    assert home.stored["refresh_token"] == grant.refresh_token
    assert float(home.stored["expires_at"]) == pytest.approx(grant.expires_at, abs=1)
    assert home.stored["client_id"] == "demo-client", "the rest stays"


async def test_tokens_are_stored_although_the_request_was_given_up(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    """The entry is unloaded while the answer is on its way: it would be lost forever."""
    chmlfrp.fault("/oauth2/token", "delay", seconds=2)
    freezer.tick(600)
    asking = asyncio.create_task(home.ask())
    await until(lambda: home.refreshes == 1)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    freezer.tick(3)
    await until(lambda: home.times_stored == 1)

    assert home.stored["refresh_token"] == chmlfrp.state.grants["g"].refresh_token
    assert await home.restart().identify()
    assert home.refreshes == 1


async def test_works_without_a_store(
    begin: Begin, granted: Credentials, freezer: FrozenDateTimeFactory
) -> None:
    provider = begin(granted)
    freezer.tick(600)

    assert await provider.identify()

    assert provider.credentials["refresh_token"] != "refresh-0"
    assert provider.statistics()["token_renewals"] == 1


# When it cannot be


async def test_an_access_token_never_goes_into_a_query(home: Home, chmlfrp: ChmlFrpService) -> None:
    """A refused API token is tried as the document has it; these are newer than the document."""
    chmlfrp.fault("/userinfo", "body", body={"msg": "无效的Token", "code": 401}, times=None)

    with pytest.raises(AuthenticationError):
        await home.ask()

    assert len(chmlfrp.calls_to("/userinfo")) == 2, "the old one and the new one"
    assert not any("token" in call.query for call in chmlfrp.calls)


async def test_a_used_up_refresh_token_asks_the_user(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.state.grants["g"].refresh_token = "elsewhere"
    freezer.tick(600)

    for _ in range(3):
        with pytest.raises(AuthenticationError):
            await home.ask()

    assert home.refreshes == 1, "it is not tried again and again"


async def test_a_reload_asks_again_for_what_was_refused(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    """Whatever was wrong may have been mended; what ran before the reload may still be there."""
    grant = chmlfrp.state.grants["g"]
    works, grant.refresh_token = grant.refresh_token, "elsewhere"
    freezer.tick(600)
    with pytest.raises(AuthenticationError):
        await home.ask()
    before = home.provider
    grant.refresh_token = works

    home.restart()

    assert await home.ask() == "227"
    assert before is not home.provider


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
async def test_a_program_that_is_no_longer_registered_asks_the_user(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory, code: str
) -> None:
    """It would be refused forever."""
    chmlfrp.fault("/oauth2/token", "body", status=401, body={"error": code}, times=None)
    freezer.tick(600)

    for _ in range(2):
        with pytest.raises(AuthenticationError):
            await home.ask()

    assert home.refreshes == 1


async def test_without_a_refresh_token_the_user_is_asked_at_the_end(
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
async def test_a_failed_refresh_is_tried_again_later(
    *,
    home: Home,
    chmlfrp: ChmlFrpService,
    freezer: FrozenDateTimeFactory,
    fault: str,
    options: dict[str, Any],
    reason: Reason,
) -> None:
    chmlfrp.fault("/oauth2/token", fault, **options)
    freezer.tick(600)

    with pytest.raises(UnavailableError) as failed:
        await home.ask()
    assert failed.value.reason is reason

    assert await home.ask() == "227"


async def test_other_refusals_are_raised(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.fault(
        "/oauth2/token",
        "body",
        status=400,
        body={"error": "invalid_scope", "error_description": "not for refresh-0"},
    )
    freezer.tick(600)

    with pytest.raises(RejectedError, match=r"^not for \*\*$"):
        await home.ask()


async def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(
    home: Home, chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory
) -> None:
    chmlfrp.fault("/oauth2/token", "patch", remove=("refresh_token", "expires_in"))
    freezer.tick(600)

    await home.ask()

    assert home.stored["refresh_token"] == "refresh-0"
    assert float(home.stored["expires_at"]) == pytest.approx(chmlfrp.now() + 600, abs=1)


# The other two ways


async def test_a_pasted_token_is_final(begin: Begin, chmlfrp: ChmlFrpService) -> None:
    provider = begin({"token": "wrong"})

    with pytest.raises(AuthenticationError):
        await provider.identify()

    assert not chmlfrp.calls_to("/login")


async def test_without_credentials_nothing_is_asked(begin: Begin, chmlfrp: ChmlFrpService) -> None:
    with pytest.raises(AuthenticationError):
        await begin({}).identify()

    assert not chmlfrp.calls


@pytest.fixture
def by_password(begin: Begin, chmlfrp: ChmlFrpService) -> Home:
    chmlfrp.state.settings.password_login = True
    return Home(begin, chmlfrp, {"username": "demo", "password": "demo-password"})


async def test_one_login_for_all(by_password: Home, chmlfrp: ChmlFrpService) -> None:
    await asyncio.gather(*(by_password.ask() for _ in range(10)))

    assert len(chmlfrp.calls_to("/login")) == 1
    assert by_password.stored["token"] == chmlfrp.account.usertoken
    assert by_password.times_stored == 1


async def test_the_token_of_a_login_is_stored_before_used(
    by_password: Home, chmlfrp: ChmlFrpService
) -> None:
    may_store = asyncio.Event()

    async def _store(credentials: Credentials) -> None:
        await may_store.wait()
        await by_password.store(credentials)

    by_password.provider.on_credentials = _store
    asking = [asyncio.create_task(by_password.ask()) for _ in range(2)]
    await until(lambda: bool(chmlfrp.calls_to("/login")))
    await turns()
    asking.append(asyncio.create_task(by_password.ask()))
    await turns()
    assert not chmlfrp.calls_to("/userinfo"), "not while it is being stored"

    may_store.set()
    assert await asyncio.gather(*asking) == ["227"] * 3


async def test_the_token_of_a_login_is_kept(by_password: Home, chmlfrp: ChmlFrpService) -> None:
    await by_password.ask()
    by_password.restart()
    await by_password.ask()

    assert len(chmlfrp.calls_to("/login")) == 1


async def test_a_token_that_was_reset_elsewhere(by_password: Home, chmlfrp: ChmlFrpService) -> None:
    await by_password.ask()
    chmlfrp.account.usertoken = "reset"

    assert await by_password.ask() == "227"

    assert by_password.stored["token"] == "reset"
    assert by_password.provider.statistics()["token_renewals"] == 2


async def test_a_login_that_returns_the_refused_token(
    by_password: Home, chmlfrp: ChmlFrpService
) -> None:
    await by_password.ask()
    chmlfrp.fault("/userinfo", "body", body={"msg": "无效的Token", "code": 401}, times=None)

    with pytest.raises(UnavailableError, match="无效的Token"):
        await by_password.ask()

    assert len(chmlfrp.calls_to("/login")) == 2


async def test_a_login_without_a_token(by_password: Home, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/login", "patch", remove=("data.usertoken",))

    with pytest.raises(UnavailableError):
        await by_password.ask()


async def test_a_refused_password_is_not_sent_again(
    by_password: Home, chmlfrp: ChmlFrpService
) -> None:
    """The service counts failed logins; waiting requests and later ones must not add to them."""
    chmlfrp.account.password = "changed elsewhere"

    failed = await asyncio.gather(*(by_password.ask() for _ in range(5)), return_exceptions=True)
    with pytest.raises(AuthenticationError, match=r"^密码错误$"):
        await by_password.ask()

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
async def test_a_login_between_a_change_of_the_credentials_and_its_being_stored(
    by_password: Home, chmlfrp: ChmlFrpService, path: str, changes: AccountChanges
) -> None:
    """What is refused then says nothing of the new ones."""
    await by_password.ask()
    gate = chmlfrp.gate(path, "after")
    changing = asyncio.create_task(by_password.provider.update_account(changes))
    await gate.reached()
    chmlfrp.account.usertoken = "reset"
    asking = asyncio.create_task(by_password.ask())
    await until(lambda: len(chmlfrp.calls_to("/login")) == 2)
    await turns()

    gate.open()

    assert await asking == "227"
    await changing
    assert by_password.stored["token"] == "reset"
    assert [call.status for call in chmlfrp.calls_to("/login")] == [200] * 3
    assert chmlfrp.account.password == by_password.stored["password"]
    assert chmlfrp.account.username == by_password.stored["username"]


async def test_a_change_that_is_refused_leaves_what_signs_in(
    by_password: Home, chmlfrp: ChmlFrpService
) -> None:
    """And a login that waits for it is refused in its turn."""
    await by_password.ask()
    gate = chmlfrp.gate("/reset_password")
    chmlfrp.fault("/reset_password", "body", body={"code": 400, "msg": "太短"})
    changes = AccountChanges(password="short", current_password="demo-password")
    changing = asyncio.create_task(by_password.provider.update_account(changes))
    await gate.reached()
    chmlfrp.account.usertoken, chmlfrp.account.password = "reset", "changed elsewhere"
    asking = asyncio.create_task(by_password.ask())
    await until(lambda: len(chmlfrp.calls_to("/login")) == 2)
    await turns()
    assert not asking.done()

    gate.open()

    with pytest.raises(RejectedError, match="太短"):
        await changing
    with pytest.raises(AuthenticationError):
        await asking
    assert by_password.stored["password"] == "demo-password"
    assert len(chmlfrp.calls_to("/login")) == 2


async def test_a_login_that_fails_otherwise_is_tried_again(
    by_password: Home, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/login", "html", status=520)

    with pytest.raises(UnavailableError):
        await by_password.ask()
    assert await by_password.ask() == "227"


async def test_password_sign_in_switched_off(by_password: Home, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.password_login = False

    with pytest.raises(AuthenticationError, match="access_token") as refused:
        await by_password.ask()

    assert refused.value.key == "password_sign_in_off"
