"""One token, used until it is refused."""

import asyncio

import pytest

from custom_components.tunnel_hub.api.errors import AuthenticationError
from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient
from simulator.hy2scale import Hy2ScaleService


async def test_one_sign_in_for_all(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    await asyncio.gather(*(client.node() for _ in range(8)))

    assert len(hy2scale.calls_to("/api/login")) == 1
    assert client.session.sign_ins == 1


async def test_one_sign_in_for_all_that_were_refused(
    client: Hy2ScaleClient, hy2scale: Hy2ScaleService
) -> None:
    await client.node()
    hy2scale.state.tokens.clear()

    rows = await asyncio.gather(*(client.node() for _ in range(8)))

    assert len(rows) == 8
    assert len(hy2scale.calls_to("/api/login")) == 2


async def test_a_write_is_sent_again_after_a_refused_token(
    client: Hy2ScaleClient, hy2scale: Hy2ScaleService
) -> None:
    """It had not been done."""
    await client.node()
    await hy2scale.restart()

    await client.delete_user(next(iter(hy2scale.state.users)))

    assert len(hy2scale.state.users) == 3


async def test_a_token_slides(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    for _ in range(4):
        await client.node()
        hy2scale.advance(11 * 3600)
    assert len(hy2scale.calls_to("/api/login")) == 1

    hy2scale.advance(2 * 3600)
    await client.node()

    assert len(hy2scale.calls_to("/api/login")) == 2


async def test_a_refused_password(client: Hy2ScaleClient, hy2scale: Hy2ScaleService) -> None:
    await client.node()
    hy2scale.set_password("changed")

    with pytest.raises(AuthenticationError):
        await client.node()

    assert len(hy2scale.calls_to("/api/login")) == 2


async def test_a_new_token_that_is_refused_too(
    client: Hy2ScaleClient, hy2scale: Hy2ScaleService
) -> None:
    """Once is enough."""
    hy2scale.fault("/api/node", "status", status=401, body="unauthorized", times=None)

    with pytest.raises(AuthenticationError, match="unauthorized"):
        await client.node()

    assert len(hy2scale.calls_to("/api/node")) == 2
