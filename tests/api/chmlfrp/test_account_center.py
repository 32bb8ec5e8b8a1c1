"""Tests device sign-in with ChmlFrp's account center."""

import asyncio
from collections.abc import Callable

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider, account_center
from custom_components.tunnel_hub.api.chmlfrp.account_center import AccountCenter
from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.provider import Credentials
from simulator.chmlfrp import ChmlFrpService

from .conftest import Begin


class Waiting:
    """A clock that only advances while the provider waits. pauses: the seconds of each wait."""

    def __init__(self, freezer: FrozenDateTimeFactory) -> None:
        self.freezer = freezer
        self.pauses: list[float] = []
        self.before: dict[int, Callable[[], object]] = {}

    async def sleep(self, seconds: float) -> None:
        """Advance the time, and run the action of the nth poll."""
        self.freezer.tick(seconds)
        self.pauses.append(seconds)
        self.before.get(len(self.pauses), lambda: None)()


@pytest.fixture
def waiting(freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    waiting = Waiting(freezer)
    monkeypatch.setattr(account_center, "sleep", waiting.sleep)
    return waiting


@pytest.fixture
def provider(freezer: FrozenDateTimeFactory, begin: Begin) -> ChmlFrpProvider:
    return begin({"client_id": "demo-client"})


async def error_of(finish: ChmlFrpProvider) -> TunnelHubError:
    """Wait for a sign-in that fails; return its error."""
    with pytest.raises(TunnelHubError) as caught:
        await finish.finish_device_sign_in()
    return caught.value


async def sign_in(
    provider: ChmlFrpProvider, waiting: Waiting, service: ChmlFrpService, question: int = 1
) -> Credentials:
    """Sign in; the user agrees before the nth poll."""
    code = await provider.begin_device_sign_in()
    waiting.before[question] = lambda: service.approve(code.user_code)
    return await provider.finish_device_sign_in()


async def test_sign_in(
    provider: ChmlFrpProvider, begin: Begin, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    code = await provider.begin_device_sign_in()
    assert code.url.startswith(chmlfrp.oauth_url)
    assert code.user_code in code.url
    assert code.expires_in == 300
    (call,) = chmlfrp.calls
    assert call.get("client_id") == "demo-client"
    assert set(str(call.get("scope")).split()) == {
        "profile",
        "email",
        "offline_access",
        "chmlfrp_api",
    }

    waiting.before[3] = lambda: chmlfrp.approve(code.user_code)
    credentials = await provider.finish_device_sign_in()

    assert waiting.pauses == [5, 5, 5]
    assert credentials["client_id"] == "demo-client"
    assert credentials["base_url"] == chmlfrp.url
    assert (await begin(credentials).identify()).id == "227"
    assert "password" not in credentials


async def test_token_requests_contain_secrets_that_are_redacted(
    session: ClientSession, chmlfrp: ChmlFrpService
) -> None:
    center = AccountCenter(Transport(session, (chmlfrp.oauth_url,)), "demo-client")

    authorization = await center.device_authorization()

    (code,) = chmlfrp.state.device_codes.values()
    assert authorization.device_code == code.device_code
    assert authorization.device_code not in repr(authorization)


async def test_lifetime_of_a_sign_in(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.device_code_seconds = 900

    assert (await provider.begin_device_sign_in()).expires_in == 900


async def test_slow_down(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """Each slow_down adds five seconds to all later intervals."""
    chmlfrp.fault("/oauth2/token", "body", status=400, body={"error": "slow_down"}, after=1)

    await sign_in(provider, waiting, chmlfrp, question=4)

    assert waiting.pauses == [5, 5, 10, 10]


async def test_polls_are_never_early(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.settings.device_interval = 7

    await sign_in(provider, waiting, chmlfrp, question=3)

    assert waiting.pauses == [7, 7, 7]
    answers = [call.status for call in chmlfrp.calls_to("/oauth2/token")]
    assert answers == [400, 400, 200]


async def test_denied(provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService) -> None:
    code = await provider.begin_device_sign_in()
    waiting.before[2] = lambda: chmlfrp.deny(code.user_code)

    error = await error_of(provider)

    assert isinstance(error, InvalidInputError)
    assert error.key == "device_denied"


async def test_expired(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """The account center reports it."""
    code = await provider.begin_device_sign_in()
    waiting.before[2] = lambda: setattr(
        chmlfrp.device_code(code.user_code), "expires_at", chmlfrp.now()
    )

    error = await error_of(provider)

    assert isinstance(error, InvalidInputError)
    assert error.key == "device_expired"
    assert len(waiting.pauses) == 2


async def test_no_decision(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """Polling stops at the end, even if the account center does not report it."""
    code = await provider.begin_device_sign_in()
    chmlfrp.device_code(code.user_code).expires_at += 1000

    error = await error_of(provider)

    assert isinstance(error, InvalidInputError)
    assert error.key == "device_expired"
    assert 290 <= sum(waiting.pauses) <= 300


async def test_a_failing_connection_is_retried(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """With increasing intervals, as RFC 8628 requires."""
    chmlfrp.fault("/oauth2/token", "reset")
    chmlfrp.fault("/oauth2/token", "html", status=502)

    assert await sign_in(provider, waiting, chmlfrp, question=3)

    assert waiting.pauses == [5, 10, 20]


async def test_a_long_outage_does_not_miss_the_decision(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """The interval is at most one minute."""
    chmlfrp.fault("/oauth2/token", "html", status=502, times=5)

    assert await sign_in(provider, waiting, chmlfrp, question=6)

    assert waiting.pauses == [5, 10, 20, 40, 60, 60]


async def test_retry_after(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/oauth2/token", "status", status=429, headers={"Retry-After": "40"})

    assert await sign_in(provider, waiting, chmlfrp, question=2)

    assert waiting.pauses == [5, 40]


async def test_other_refusals(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    code = await provider.begin_device_sign_in()
    del chmlfrp.state.device_codes[code.user_code]

    error = await error_of(provider)

    assert type(error).__mro__[1] is RejectedError
    assert str(error) == "OAuth 2.0 invalid_grant"


# Programs without permission


async def test_a_program_without_device_grant(begin: Begin, chmlfrp: ChmlFrpService) -> None:
    """The account center returns a login page."""
    with pytest.raises(InvalidInputError) as refused:
        await begin({"client_id": "browser-client"}).begin_device_sign_in()

    assert refused.value.key == "no_device_grant"


async def test_a_page_during_polling(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    await provider.begin_device_sign_in()
    chmlfrp.fault("/oauth2/token", "html", status=200)

    error = await error_of(provider)

    assert isinstance(error, InvalidInputError)
    assert error.key == "no_device_grant"


async def test_a_firewall_is_not_a_refusal(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/oauth2/device_authorization", "html", status=403)

    with pytest.raises(UnavailableError) as failed:
        await provider.begin_device_sign_in()

    assert failed.value.reason is Reason.FIREWALL


REFUSED_PROGRAMS = pytest.mark.parametrize(
    "code, key",
    [("invalid_client", "unknown_client"), ("unauthorized_client", "no_device_grant")],
)


@REFUSED_PROGRAMS
async def test_a_refused_program(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, code: str, key: str
) -> None:
    chmlfrp.fault("/oauth2/device_authorization", "body", status=401, body={"error": code})

    with pytest.raises(InvalidInputError) as refused:
        await provider.begin_device_sign_in()

    assert refused.value.key == key


@REFUSED_PROGRAMS
async def test_a_program_refused_during_polling(
    *,
    provider: ChmlFrpProvider,
    waiting: Waiting,
    chmlfrp: ChmlFrpService,
    code: str,
    key: str,
) -> None:
    """Some account centers only check the program when it requests tokens."""
    await provider.begin_device_sign_in()
    chmlfrp.fault("/oauth2/token", "body", status=400, body={"error": code})

    error = await error_of(provider)

    assert isinstance(error, InvalidInputError)
    assert error.key == key


async def test_an_unknown_program_on_the_simulator(begin: Begin) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await begin({"client_id": "unknown"}).begin_device_sign_in()

    assert refused.value.key == "unknown_client"


async def test_another_refusal_at_the_start(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault(
        "/oauth2/device_authorization", "body", status=400, body={"error": "invalid_scope"}
    )

    with pytest.raises(RejectedError, match=r"^invalid_scope$"):
        await provider.begin_device_sign_in()


@pytest.mark.parametrize("missing", ["device_code", "user_code"])
async def test_an_answer_without_code(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, missing: str
) -> None:
    chmlfrp.fault("/oauth2/device_authorization", "patch", remove=(missing,))

    with pytest.raises(UnavailableError) as failed:
        await provider.begin_device_sign_in()

    assert failed.value.reason is Reason.MALFORMED


async def test_a_minimal_answer(
    provider: ChmlFrpProvider, waiting: Waiting, chmlfrp: ChmlFrpService
) -> None:
    """The interval and the complete URL are optional."""
    chmlfrp.fault(
        "/oauth2/device_authorization",
        "patch",
        remove=("interval", "expires_in", "verification_uri_complete"),
    )
    code = await provider.begin_device_sign_in()
    assert code.url == f"{chmlfrp.oauth_url}/oauth-device-verify"
    assert code.expires_in == 300

    chmlfrp.approve(code.user_code)
    assert await provider.finish_device_sign_in()
    assert waiting.pauses == [5]


async def test_no_sign_in_to_wait_for(provider: ChmlFrpProvider) -> None:
    with pytest.raises(UnsupportedError):
        await provider.finish_device_sign_in()


async def test_cancel(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """The user closes the dialog."""
    await provider.begin_device_sign_in()
    waiting = asyncio.create_task(provider.finish_device_sign_in())
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not chmlfrp.calls_to("/oauth2/token")
