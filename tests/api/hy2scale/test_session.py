"""Tests that one token is used until it is refused."""

import pytest

from custom_components.tunnel_hub.api.errors import Reason, RejectedError, UnavailableError
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.mesh import User
from simulator.hy2scale import Hy2ScaleService, hashed

from .conftest import Begin


async def test_a_write_is_repeated_after_a_refused_token(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    """It had not been done."""
    await provider.identify()
    await hy2scale.restart()

    await provider.delete(User, next(iter(hy2scale.state.users)))

    assert len(hy2scale.state.users) == 3


async def test_use_extends_a_token(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    for _ in range(4):
        await provider.identify()
        hy2scale.advance(11 * 3600)
    assert len(hy2scale.calls_to("/api/login")) == 1

    hy2scale.advance(2 * 3600)
    await provider.identify()

    assert len(hy2scale.calls_to("/api/login")) == 2


async def test_an_answer_without_a_token(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    hy2scale.fault("/api/login", "body", body={"token": None}, times=None)

    with pytest.raises(UnavailableError) as info:
        await provider.identify()

    assert info.value.reason is Reason.MALFORMED


async def test_a_stored_token_is_used(begin: Begin, hy2scale: Hy2ScaleService) -> None:
    """Including whether the password is the default one."""
    hy2scale.set_password("admin")
    first = begin(password_hash=hashed("admin"))
    await first.identify()

    second = begin(**first.credentials)
    await second.identify()

    assert len(hy2scale.calls_to("/api/login")) == 1
    assert [problem.key for problem in second.issues()] == ["default_password"]


async def test_secrets_in_messages_are_redacted(
    provider: Hy2ScaleProvider, begin: Begin, hy2scale: Hy2ScaleService
) -> None:
    await provider.identify()
    (token,) = hy2scale.state.tokens
    hy2scale.fault("/api/node", "body", status=400, body=f"who is {token}?", times=None)

    for known in (provider, begin(**provider.credentials)):
        with pytest.raises(RejectedError) as info:
            await known.identify()

        assert info.value.message == "who is **?"
