"""Sets the user's profile in Home Assistant, which overrides the browser's settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.stage import Stage


@asynccontextmanager
async def user_preferences(
    running: Stage, language: str, number_format: str
) -> AsyncIterator[None]:
    """Sets the user's language and number format within the context."""
    value = {"language": language, "number_format": number_format}
    await running.hass.command("frontend/set_user_data", key="language", value=value)
    try:
        yield
    finally:
        await running.hass.command("frontend/set_user_data", key="language", value=None)
