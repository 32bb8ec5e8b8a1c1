"""Runs several requests in parallel, and waits for all of them even if one fails."""

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
    """Wait for all; raises the first error in the order of the arguments.

    `asyncio.gather` does not wait: after an error the others would continue beyond the end of the
    poll, or of the entry.
    """
    results = await asyncio.gather(*requests, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return tuple(results)
