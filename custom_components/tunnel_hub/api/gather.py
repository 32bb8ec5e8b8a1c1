"""Several requests at once, of which none is left behind."""

import asyncio
from collections.abc import Awaitable
from typing import Any, overload


@overload
async def gather_all[A, B](first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def gather_all[A, B, C](
    first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /
) -> tuple[A, B, C]: ...
async def gather_all(*requests: Awaitable[Any]) -> tuple[Any, ...]:
    """Wait for all; raises what the first of them raised, in their order.

    `asyncio.gather` would not wait: when one fails the others go on by themselves, past the end of
    the poll they belong to and of the entry.
    """
    results = await asyncio.gather(*requests, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return tuple(results)
