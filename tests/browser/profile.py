"""The user's profile in Home Assistant, which counts more than the browser's choice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.stage import Stage


@asynccontextmanager
async def preferring(running: Stage, language: str, number_format: str) -> AsyncIterator[None]:
    """Let the user prefer a language and a format of numbers; afterwards, neither."""
    value = {"language": language, "number_format": number_format}
    await running.hass.command("frontend/set_user_data", key="language", value=value)
    try:
        yield
    finally:
        await running.hass.command("frontend/set_user_data", key="language", value=None)
