"""Translates the errors of api/ to exceptions of Home Assistant, for polls and for actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.helpers.update_coordinator import UpdateFailed

from .api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from .const import DOMAIN

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry


class Sentence(NamedTuple):
    """The translated message of an error: its key and its placeholders."""

    key: str
    placeholders: dict[str, str]


def sentence_of(err: TunnelHubError, refused_login: str) -> Sentence:
    """Return the message for an error.

    refused_login: the key of the message for most rejected logins.
    """
    match err:
        case InvalidInputError():
            return Sentence(err.key, dict(err.placeholders))
        case AuthenticationError():
            return _refused(err.key or refused_login, err.message)
        case RejectedError():
            return _refused("rejected", err.message)
        case UnavailableError():
            return Sentence(f"unavailable_{err.reason}", {"detail": err.detail})
        case UnsupportedError():
            return Sentence("unsupported", {})
        case _:
            return Sentence("unknown", {})


def _refused(key: str, message: str) -> Sentence:
    """Return the message for a refusal, which quotes the service if it gave a reason."""
    return Sentence(key, {"message": message}) if message else Sentence(f"{key}_without_reason", {})


class Translation(TypedDict):
    """The translation arguments of Home Assistant's exceptions."""

    translation_domain: str
    translation_key: str
    translation_placeholders: dict[str, str]


def translation(err: TunnelHubError) -> Translation:
    """Return the message for an error, below `exceptions` in the translations."""
    key, placeholders = sentence_of(err, "authentication_failed")
    return Translation(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


async def text_of(hass: HomeAssistant, err: TunnelHubError) -> str:
    """Return the message in the language of Home Assistant, for places without translation keys."""
    said = translation(err)
    texts = await async_get_translations(hass, hass.config.language, "exceptions", [DOMAIN])
    text = texts[f"component.{DOMAIN}.exceptions.{said['translation_key']}.message"]
    return text.format(**said["translation_placeholders"])


@contextmanager
def poll_errors() -> Iterator[None]:
    """Turn the errors of api/ into those of a coordinator."""
    try:
        yield
    except AuthenticationError as err:
        raise ConfigEntryAuthFailed(**translation(err)) from err
    except UnavailableError as err:
        raise UpdateFailed(retry_after=err.retry_after, **translation(err)) from err
    except TunnelHubError as err:
        raise UpdateFailed(**translation(err)) from err


@contextmanager
def reauth_errors(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> Iterator[None]:
    """Start reauthentication when a service rejects the login, and raise the error again."""
    try:
        yield
    except AuthenticationError:
        entry.async_start_reauth_if_available(hass)
        raise


@contextmanager
def action_errors(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> Iterator[None]:
    """Turn the errors of api/ into translated errors for the user."""
    try:
        with reauth_errors(hass, entry):
            yield
    except InvalidInputError as err:
        raise ServiceValidationError(**translation(err)) from err
    except TunnelHubError as err:
        raise HomeAssistantError(**translation(err)) from err
