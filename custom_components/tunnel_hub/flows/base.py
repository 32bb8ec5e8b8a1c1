"""What the steps of all providers share: forms, validation, errors, and creating the entry."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, override

from aiohttp import DummyCookieJar
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
    UnknownEntry,
)
from homeassistant.const import (
    CONF_CLIENT_ID,
    CONF_CODE,
    CONF_EMAIL,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
)
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.data_entry_flow import AbortFlow, section
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol
from yarl import URL

from ..account_identity import is_account_of
from ..api import create_provider
from ..api.capabilities import capable
from ..api.capabilities.account import CanRegister
from ..api.errors import InvalidInputError, TunnelHubError
from ..api.models.account import NewAccount
from ..api.provider import Provider
from ..const import (
    CONF_BASE_PATH,
    CONF_BASE_URL,
    CONF_CA,
    CONF_CONTACT,
    CONF_HTTPS,
    CONF_NETWORK_NAME,
    CONF_OAUTH_URL,
    CONF_PROVIDER,
    CONF_SIGN_IN_DAILY,
    CONF_VERIFY,
)
from ..exceptions import Sentence, sentence_of
from ..ids import free_prefix, stored_prefix
from ..markdown import escape_markdown
from ..runtime import TunnelHubConfigEntry

ADVANCED = "advanced"

TEXT_FIELD = TextSelector()
USERNAME_FIELD = TextSelector(TextSelectorConfig(autocomplete="username"))
PASSWORD_FIELD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
NEW_PASSWORD_FIELD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
)
SECRET_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
MAIL_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL, autocomplete="email"))
URL_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
TRUST_FIELDS: dict[vol.Marker, Any] = {
    vol.Required(CONF_VERIFY, default=True): BooleanSelector(),
    vol.Optional(CONF_CA): TextSelector(TextSelectorConfig(multiline=True)),
}
"""How the certificate of a self-hosted service is verified."""

SIGN_IN_FIELDS: dict[vol.Marker, Any] = {
    vol.Required(CONF_USERNAME): USERNAME_FIELD,
    vol.Required(CONF_PASSWORD): PASSWORD_FIELD,
}
NEW_ACCOUNT_FIELDS: dict[vol.Marker, Any] = {
    vol.Required(CONF_USERNAME): USERNAME_FIELD,
    vol.Required(CONF_EMAIL): MAIL_FIELD,
    vol.Required(CONF_PASSWORD): NEW_PASSWORD_FIELD,
}
CODE_SCHEMA = vol.Schema({vol.Required(CONF_CODE): TEXT_FIELD})
"""Asks for the code that the service sent by email."""

OPTION_FIELDS: dict[vol.Marker, Any] = {
    vol.Optional(CONF_SIGN_IN_DAILY, default=True): BooleanSelector(),
}
"""Options that can be set while adding an account."""

_URLS = (CONF_BASE_URL, CONF_OAUTH_URL)
_SHOWN_AGAIN = (
    *_URLS,
    CONF_BASE_PATH,
    CONF_CA,
    CONF_CLIENT_ID,
    CONF_CODE,
    CONF_EMAIL,
    CONF_HOST,
    CONF_HTTPS,
    CONF_NETWORK_NAME,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY,
)
"""Stored data that a form may show."""

_KEPT_AS_IT_IS = (CONF_PASSWORD, "secret")
"""Words in the names of fields whose spaces are kept."""

YES, _NO = "true", "false"
"""How credentials, which are all text, say yes and no."""


def advanced(fields: dict[vol.Marker, Any]) -> dict[vol.Marker, Any]:
    """Return fields in a collapsed section."""
    return {vol.Required(ADVANCED): section(vol.Schema(fields), {"collapsed": True})}


def with_base_url(
    fields: dict[vol.Marker, Any], urls: tuple[str, ...] = (CONF_BASE_URL,)
) -> vol.Schema:
    """Return a form with the service's addresses in a collapsed section."""
    return vol.Schema({**fields, **advanced({vol.Optional(url): URL_FIELD for url in urls})})


class Form(NamedTuple):
    """A step with a form.

    step_id: begins with the provider's key.
    """

    step_id: str
    schema: vol.Schema


def failure_of(err: TunnelHubError) -> Sentence:
    """Return the translation key of an error, below `config.error`."""
    return sentence_of(err, "invalid_auth")


def flat(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return user input as text, without sections, surrounding spaces and empty fields.

    Passwords and secrets keep their spaces.
    """
    advanced = user_input.get(ADVANCED, {})
    fields = {name: value for name, value in user_input.items() if name != ADVANCED} | advanced
    texts = {name: _text(value) for name, value in fields.items()}
    return {
        name: text if any(word in name for word in _KEPT_AS_IT_IS) else text.strip()
        for name, text in texts.items()
        if text.strip()
    }


def _text(value: str | bool | float) -> str:
    match value:
        case bool():
            return YES if value else _NO
        case float():
            return str(int(value))
        case _:
            return str(value)


def in_form(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the user input that a form may show again, in its sections."""
    yes_or_no = {YES: True, _NO: False}
    values = {name: fields.get(name) for name in _SHOWN_AGAIN}
    shown = {name: yes_or_no.get(value or "", value) for name, value in values.items()}
    return shown | {ADVANCED: shown}


def _unfolded(schema: vol.Schema, advanced: Mapping[str, Any]) -> vol.Schema:
    """Return a form whose section is expanded if it contains a value that is not the default."""
    if (folded := schema.schema.get(ADVANCED)) is None:
        return schema
    defaults = ((field, field.default) for field in folded.schema.schema)
    if all(
        advanced.get(str(field)) in (None, "", default() if callable(default) else None)
        for field, default in defaults
    ):
        return schema
    return schema.extend({vol.Required(ADVANCED): section(folded.schema)})


def check(schema: vol.Schema, fields: Mapping[str, str]) -> None:
    """Raise InvalidInputError for an empty field or an invalid URL."""
    for marker in schema.schema:
        if isinstance(marker, vol.Required) and str(marker) not in (ADVANCED, *fields):
            raise InvalidInputError("empty_field")
    for name in _URLS:
        # The main address is normalized, whatever was pasted.
        if name in fields and name not in schema.schema and not _is_address(fields[name]):
            raise InvalidInputError("invalid_url")


def _is_address(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.user or url.query)


def new_account(entered: Mapping[str, str]) -> NewAccount:
    """Return the data to register an account."""
    return NewAccount(
        username=entered.get(CONF_USERNAME, entered[CONF_EMAIL]),
        mail=entered[CONF_EMAIL],
        password=entered[CONF_PASSWORD],
        contact=entered.get(CONF_CONTACT),
    )


@contextmanager
def abort_if_removed() -> Iterator[None]:
    """Abort a flow whose entry was removed in the meantime."""
    try:
        yield
    except UnknownEntry:
        raise AbortFlow("entry_removed") from None


class Steps(ConfigFlow):
    """A flow that signs in to a provider, for the first time or again."""

    def __init__(self) -> None:
        self._key = ""
        self._entered: dict[str, str] = {}
        self._options: dict[str, Any] = {}
        self._new_provider: Callable[[Mapping[str, str]], Provider] | None = None
        self._close_session: CALLBACK_TYPE = lambda: None

    async def _step[T](
        self,
        form: Form,
        user_input: dict[str, Any] | None,
        capability: type[T],
        act: Callable[[T, dict[str, str]], Awaitable[ConfigFlowResult]],
    ) -> ConfigFlowResult:
        """Show a form and handle its input; show it again with the input if that fails.

        capability: the class that the provider must be an instance of.
        act: gets a provider with all input so far, and that input.
        """
        self._key = form.step_id.partition("_")[0]
        stored = self._stored()
        if user_input is not None:
            self._options |= {k: v for k, v in user_input.items() if k in OPTION_FIELDS}
            credentials = {k: v for k, v in user_input.items() if k not in OPTION_FIELDS}
            entered = self._entered | flat(credentials)
            try:
                check(form.schema, entered)
                return await act(capable(self._provider(entered), capability), entered)
            except TunnelHubError as err:
                # Home Assistant closes the flow of an entry that is removed.
                self._stored()
                return self._show(form, user_input, failure_of(err))
        return self._show(form, stored)

    def _show(
        self, form: Form, values: Mapping[str, Any], failure: Sentence | None = None
    ) -> ConfigFlowResult:
        """Show a form with values, and the error of the last try."""
        fields = dict(form.schema.schema)
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            fields = {
                marker: field for marker, field in fields.items() if marker not in OPTION_FIELDS
            }
        schema = self.add_suggested_values_to_schema(vol.Schema(fields), values)
        return self.async_show_form(
            step_id=form.step_id,
            data_schema=_unfolded(schema, values.get(ADVANCED, {})),
            errors={"base": failure.key} if failure else None,
            description_placeholders=escape_markdown(failure.placeholders) if failure else None,
        )

    def _provider(self, credentials: Mapping[str, str]) -> Provider:
        """Return the provider with these credentials; all providers of a flow share a session."""
        if self._new_provider is None:
            session = async_create_clientsession(
                self.hass, auto_cleanup=False, cookie_jar=DummyCookieJar()
            )
            self._close_session = session.detach
            self._new_provider = lambda c: create_provider(self._key, session, c, {})
        return self._new_provider(credentials)

    @callback
    @override
    def async_remove(self) -> None:
        """Close the session when the flow ends."""
        self._close_session()

    def _stored(self) -> Mapping[str, Any]:
        """Return the stored data that a form may show during reauthentication.

        Aborts the flow if the entry was removed.
        """
        if self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return {}
        data = self._entry().data
        return in_form(data)

    def _kept_secrets(
        self, user_input: dict[str, Any] | None, secrets: Mapping[str, str | None]
    ) -> dict[str, str]:
        """Return the stored secrets, which a form cannot show; they stay if a field is empty.

        secrets: each with the field that must be unchanged, if any.
        """
        if user_input is None or self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return {}
        stored, entered = self._entry().data, flat(user_input)
        return {
            name: stored[name]
            for name, of in secrets.items()
            if name in stored and (of is None or entered.get(of) == stored.get(of))
        }

    @override
    def _get_reauth_entry(self) -> TunnelHubConfigEntry:
        with abort_if_removed():
            return super()._get_reauth_entry()

    @override
    def _get_reconfigure_entry(self) -> TunnelHubConfigEntry:
        with abort_if_removed():
            return super()._get_reconfigure_entry()

    def _entry(self) -> TunnelHubConfigEntry:
        """Return the entry of a reauthentication or reconfiguration."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return self._get_reconfigure_entry()

    async def _begin_registration(
        self,
        form: Form,
        user_input: dict[str, Any] | None,
        next_step: Callable[[], Awaitable[ConfigFlowResult]],
    ) -> ConfigFlowResult:
        """Register an account, and continue with the code from the email."""

        async def _begin(provider: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            await provider.begin_registration(new_account(entered))
            self._entered = entered
            return await next_step()

        return await self._step(form, user_input, CanRegister, _begin)

    async def _finish_registration(
        self,
        form: Form,
        user_input: dict[str, Any] | None,
        go_on: Callable[[dict[str, str]], Awaitable[ConfigFlowResult]],
    ) -> ConfigFlowResult:
        """Complete the registration with the code, and continue with the input."""

        async def _create(provider: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            await provider.finish_registration(new_account(entered), entered[CONF_CODE])
            return await go_on(entered)

        return await self._step(form, user_input, CanRegister, _create)

    async def _finish(self, provider: Provider, _: dict[str, str]) -> ConfigFlowResult:
        """Sign in, and create the entry or update its credentials."""
        identity = await provider.identify()
        key, name = provider.description.key, provider.description.name
        unique_id = f"{key}:{identity.id}"
        data = {CONF_PROVIDER: key, **provider.credentials}
        others = [e for e in self._async_current_entries() if e.data.get(CONF_PROVIDER) == key]
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            entry = self._entry()
            if entry.unique_id != unique_id and is_account_of(provider, entry) is False:
                return self.async_abort(reason="wrong_account")
            if any(other.unique_id == unique_id for other in others if other is not entry):
                return self.async_abort(reason="already_configured")
            return self.async_update_reload_and_abort(
                entry, unique_id=unique_id, data=data | stored_prefix(entry)
            )
        await self.async_set_unique_id(unique_id)
        self._abort_if_unique_id_configured()
        if any(is_account_of(provider, other) for other in others):
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(
            title=f"{name} {identity.title}",
            data=data | free_prefix(self.hass, unique_id),
            options=self._options,
        )


type Step = Callable[[Any, dict[str, Any] | None], Awaitable[ConfigFlowResult]]
"""A method of a config flow."""


def menu_step(step_id: str, options: list[str]) -> Step:
    """Return a step that shows a menu of other steps."""

    async def _step(self: Steps, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_show_menu(step_id=step_id, menu_options=options)

    return _step


def sign_in_step(form: Form) -> Step:
    """Return a step that signs in with the input of a form."""

    async def _step(self: Steps, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return await self._step(form, user_input, Provider, self._finish)

    return _step


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFlow:
    """The sign-in steps of a provider.

    steps: the class with its steps.
    sign_in: the ids of the steps that sign in, the default one first.
    others: the ids of steps before them, such as the registration.
    stored: returns the steps of sign_in for a stored account; all of them by default.
    """

    steps: type[Steps]
    sign_in: Sequence[str]
    others: Sequence[str] = ()
    stored: Callable[[Mapping[str, Any]], Sequence[str]] | None = None

    def reauth_steps(self, data: Mapping[str, Any]) -> list[str]:
        """Return the ids of the steps that sign in again to a stored account."""
        return list(self.sign_in if self.stored is None else self.stored(data))
