"""A reading that several feeds share."""

import asyncio

from custom_components.tunnel_hub.api.cache import CachedRead


async def test_what_is_new_enough_does_not_wait_for_a_newer_one() -> None:
    answers = asyncio.Queue[int]()
    shared = CachedRead(answers.get)
    answers.put_nowait(1)
    assert await shared.get(60) == 1
    newer = asyncio.create_task(shared.get(0))
    await asyncio.sleep(0)

    assert await asyncio.wait_for(shared.get(60), 1) == 1

    answers.put_nowait(2)
    assert await newer == 2
    assert await shared.get(60) == 2


async def test_two_who_need_a_newer_one_share_it() -> None:
    answers = asyncio.Queue[int]()
    shared = CachedRead(answers.get)
    both = [asyncio.create_task(shared.get(60)) for _ in range(2)]
    await asyncio.sleep(0)

    answers.put_nowait(1)

    assert await asyncio.gather(*both) == [1, 1]
