"""Tests cached reads that several feeds share."""

import asyncio

from custom_components.tunnel_hub.api.cache import CachedRead


async def test_a_recent_value_does_not_wait_for_a_newer_one() -> None:
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


async def test_parallel_reads_are_shared() -> None:
    answers = asyncio.Queue[int]()
    shared = CachedRead(answers.get)
    both = [asyncio.create_task(shared.get(60)) for _ in range(2)]
    await asyncio.sleep(0)

    answers.put_nowait(1)

    assert await asyncio.gather(*both) == [1, 1]


async def test_a_read_during_a_write_is_not_kept() -> None:
    answers = iter("abc")
    gate = asyncio.Event()

    async def _read() -> str:
        await gate.wait()
        return next(answers)

    shared = CachedRead(_read)
    reading = asyncio.create_task(shared.get(60))
    await asyncio.sleep(0)
    shared.forget()
    gate.set()

    assert await reading == "a"
    assert await shared.get(60) == "b"
    assert await shared.get(60) == "b"
