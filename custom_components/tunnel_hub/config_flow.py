"""Choosing a provider, signing in, signing in again, and options."""

from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, override

from aiohttp import DummyCookieJar
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_CODE, CONF_EMAIL, CONF_PASSWORD, CONF_TOKEN, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
    TimeSelector,
)
import voluptuous as vol
from yarl import URL

from .api import PROVIDERS, create_provider
from .api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from .api.provider import (
    CHOSEN_NODES,
    NODES,
    NODES_ALL,
    NODES_CHOSEN,
    NODES_USED,
    CanChooseNodes,
    CanRecoverPassword,
    CanRegister,
    CanSignIn,
    Provider,
)
from .const import (
    CONF_BASE_URL,
    CONF_PROVIDER,
    CONF_SIGN_IN_DAILY,
    CONF_SIGN_IN_FROM,
    CONF_SIGN_IN_UNTIL,
    DOMAIN,
)
from .coordinator import TunnelHubConfigEntry
from .sign_in import DEFAULT_FROM, DEFAULT_UNTIL

ADVANCED = "advanced"

_TEXT = TextSelector()
_USERNAME = TextSelector(TextSelectorConfig(autocomplete="username"))
_PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
_NEW_PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
)
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_MAIL = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL, autocomplete="email"))
_URL = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))

# What each provider offers before an account is known; each way is a step of the flow.
SIGN_IN_WAYS = {"hayfrp": ["hayfrp_password", "hayfrp_token"]}
OTHER_WAYS = {"hayfrp": ["hayfrp_register", "hayfrp_recover"]}


def _with_base_url(fields: dict[vol.Marker, Any]) -> vol.Schema:
    """Return a form with the service's address out of the way."""
    return vol.Schema(
        {
            **fields,
            vol.Required(ADVANCED): section(
                vol.Schema({vol.Optional(CONF_BASE_URL): _URL}), {"collapsed": True}
            ),
        }
    )


FORMS = {
    "hayfrp_password": _with_base_url(
        {vol.Required(CONF_USERNAME): _USERNAME, vol.Required(CONF_PASSWORD): _PASSWORD}
    ),
    "hayfrp_token": _with_base_url({vol.Required(CONF_TOKEN): _SECRET}),
    "hayfrp_register": _with_base_url(
        {
            vol.Required(CONF_USERNAME): _USERNAME,
            vol.Required(CONF_EMAIL): _MAIL,
            vol.Required(CONF_PASSWORD): _NEW_PASSWORD,
        }
    ),
    "hayfrp_register_code": vol.Schema({vol.Required(CONF_CODE): _TEXT}),
    "hayfrp_recover": _with_base_url({vol.Required(CONF_USERNAME): _USERNAME}),
    "hayfrp_recover_code": vol.Schema(
        {vol.Required(CONF_CODE): _SECRET, vol.Required(CONF_PASSWORD): _NEW_PASSWORD}
    ),
}

_SIGN_IN_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SIGN_IN_DAILY, default=False): BooleanSelector(),
        vol.Required(CONF_SIGN_IN_FROM, default=DEFAULT_FROM): TimeSelector(),
        vol.Required(CONF_SIGN_IN_UNTIL, default=DEFAULT_UNTIL): TimeSelector(),
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step is shown again: the field (or "base"), the error's key, and its words."""

    field: str
    key: str
    placeholders: Mapping[str, str]


def _failure(err: TunnelHubError) -> Failure:
    """Find the words under `config.error` for an error."""
    match err:
        case AuthenticationError():
            return Failure("base", "invalid_auth", {"message": err.message})
        case RejectedError():
            return Failure("base", "rejected", {"message": err.message})
        case UnavailableError():
            return Failure("base", f"unavailable_{err.reason}", {"detail": err.detail})
        case InvalidInputError():
            return Failure("base", err.key, err.placeholders)
        case _:
            return Failure("base", "unknown", {})


def _flat(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what was entered without sections, surrounding space and empty fields.

    A password keeps its spaces.
    """
    advanced = user_input.get(ADVANCED, {})
    fields = {name: value for name, value in user_input.items() if name != ADVANCED} | advanced
    return {
        name: value if CONF_PASSWORD in name else value.strip()
        for name, value in fields.items()
        if value.strip()
    }


def _check(schema: vol.Schema, fields: Mapping[str, str]) -> None:
    """Raise InvalidInputError for an empty field or a base URL that is none."""
    for marker in schema.schema:
        if isinstance(marker, vol.Required) and str(marker) not in (ADVANCED, *fields):
            raise InvalidInputError("empty_field")
    if (base_url := fields.get(CONF_BASE_URL)) is not None:
        try:
            url = URL(base_url)
        except ValueError:
            raise InvalidInputError("invalid_url") from None
        if url.scheme not in ("http", "https") or not url.host or url.user or url.query:
            raise InvalidInputError("invalid_url")


class TunnelHubConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up one account."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._key = ""
        self._entered: dict[str, str] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: TunnelHubConfigEntry) -> OptionsFlow:
        return TunnelHubOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose a provider."""
        return self.async_show_menu(step_id="user", menu_options=list(PROVIDERS))

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Sign in again: the service no longer takes what is stored."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose how to sign in again."""
        entry = self._get_reauth_entry()
        return self.async_show_menu(
            step_id="reauth_confirm",
            menu_options=SIGN_IN_WAYS[entry.data[CONF_PROVIDER]],
            description_placeholders={"account": entry.title},
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose how to sign in to the same account from now on."""
        entry = self._get_reconfigure_entry()
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=SIGN_IN_WAYS[entry.data[CONF_PROVIDER]],
            description_placeholders={"account": entry.title},
        )

    # HayFrp

    async def async_step_hayfrp(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose how to get into HayFrp."""
        return self.async_show_menu(
            step_id="hayfrp", menu_options=SIGN_IN_WAYS["hayfrp"] + OTHER_WAYS["hayfrp"]
        )

    async def async_step_hayfrp_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with a user name, mail address or phone number and the password."""
        return await self._step("hayfrp_password", user_input, Provider, self._finish)

    async def async_step_hayfrp_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with a session token (csrf) out of the web console."""
        return await self._step("hayfrp_token", user_input, Provider, self._finish)

    async def async_step_hayfrp_register(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin a new account: a code is mailed."""

        async def _send_code(provider: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            await provider.send_registration_code(entered[CONF_USERNAME], entered[CONF_EMAIL])
            self._entered = entered
            return await self.async_step_hayfrp_register_code()

        return await self._step("hayfrp_register", user_input, CanRegister, _send_code)

    async def async_step_hayfrp_register_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Make the account with the mailed code, and sign in."""

        async def _register(provider: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            await provider.register(
                entered[CONF_USERNAME],
                entered[CONF_EMAIL],
                entered[CONF_PASSWORD],
                entered[CONF_CODE],
            )
            return await self._sign_in_with(entered, CONF_USERNAME, CONF_PASSWORD, CONF_BASE_URL)

        return await self._step("hayfrp_register_code", user_input, CanRegister, _register)

    async def async_step_hayfrp_recover(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin to replace a forgotten password: a code is mailed."""

        async def _send_code(
            provider: CanRecoverPassword, entered: dict[str, str]
        ) -> ConfigFlowResult:
            await provider.send_recovery_code(entered[CONF_USERNAME])
            self._entered = entered
            return await self.async_step_hayfrp_recover_code()

        return await self._step("hayfrp_recover", user_input, CanRecoverPassword, _send_code)

    async def async_step_hayfrp_recover_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Set a new password with the mailed code, and sign in."""

        async def _recover(
            provider: CanRecoverPassword, entered: dict[str, str]
        ) -> ConfigFlowResult:
            await provider.recover_password(entered[CONF_CODE], entered[CONF_PASSWORD])
            return await self._sign_in_with(entered, CONF_USERNAME, CONF_PASSWORD, CONF_BASE_URL)

        return await self._step("hayfrp_recover_code", user_input, CanRecoverPassword, _recover)

    # What the steps share

    async def _step[T](
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        protocol: type[T],
        act: Callable[[T, dict[str, str]], Awaitable[ConfigFlowResult]],
    ) -> ConfigFlowResult:
        """Show a form and act on it; show it again, with what was entered, when that fails.

        act: gets a provider made of all that was entered so far, and those entries.
        """
        self._key = step_id.partition("_")[0]
        schema = FORMS[step_id]
        failure = Failure("base", "", {})
        if user_input is not None:
            entered = self._entered | _flat(user_input)
            try:
                _check(schema, entered)
                provider = self._provider(entered)
                if not isinstance(provider, protocol):
                    raise UnsupportedError
                return await act(provider, entered)
            except TunnelHubError as err:
                failure = _failure(err)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._stored()),
            errors={failure.field: failure.key} if failure.key else None,
            description_placeholders=dict(failure.placeholders),
        )

    def _provider(self, credentials: Mapping[str, str]) -> Provider:
        """Return the chosen provider with these credentials."""
        session = async_create_clientsession(self.hass, cookie_jar=DummyCookieJar())
        return create_provider(self._key, session, credentials, {})

    def _stored(self) -> Mapping[str, Any]:
        """Return what a form may show of the entry that is signed in to again."""
        if self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return {}
        data = self._entry().data
        return {
            CONF_USERNAME: data.get(CONF_USERNAME),
            ADVANCED: {CONF_BASE_URL: data.get(CONF_BASE_URL)},
        }

    def _entry(self) -> TunnelHubConfigEntry:
        """Return the entry that is signed in to again."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return self._get_reconfigure_entry()

    async def _sign_in_with(self, entered: dict[str, str], *names: str) -> ConfigFlowResult:
        """Sign in with those of the entries."""
        credentials = {name: entered[name] for name in names if name in entered}
        return await self._finish(self._provider(credentials), credentials)

    async def _finish(self, provider: Provider, _: dict[str, str]) -> ConfigFlowResult:
        """Sign in, and make the entry or give it the new credentials."""
        identity = await provider.identify()
        key, name = provider.description.key, provider.description.name
        await self.async_set_unique_id(f"{key}:{identity.id}")
        data = {CONF_PROVIDER: key, **provider.credentials}
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            self._abort_if_unique_id_mismatch(reason="wrong_account")
            return self.async_update_reload_and_abort(self._entry(), data=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=f"{name} {identity.title}", data=data)


class TunnelHubOptionsFlow(OptionsFlowWithReload):
    """Which nodes to show, and whether to sign in every day."""

    config_entry: TunnelHubConfigEntry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take the options."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return self.async_create_entry(data=dict(ChainMap(*user_input.values())))
        schema: dict[vol.Marker, Any] = {}
        provider = self.config_entry.runtime_data.provider
        if isinstance(provider, CanChooseNodes):
            schema[vol.Required("shown_nodes")] = section(await self._nodes_schema(provider))
        if isinstance(provider, CanSignIn):
            schema[vol.Required("daily_sign_in")] = section(_SIGN_IN_SCHEMA)
        # Each section picks out of the options what it has a field for.
        suggested = dict.fromkeys(map(str, schema), self.config_entry.options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), suggested),
        )

    async def _nodes_schema(self, provider: CanChooseNodes) -> vol.Schema:
        """Return the choice of nodes; without their names where the service is silent."""
        chosen = self.config_entry.options.get(CHOSEN_NODES, [])
        names: dict[str, str] = {id_: id_ for id_ in chosen}
        with suppress(TunnelHubError):
            names |= await provider.node_names()
        return vol.Schema(
            {
                vol.Required(NODES, default=NODES_ALL): SelectSelector(
                    SelectSelectorConfig(
                        options=[NODES_ALL, NODES_USED, NODES_CHOSEN],
                        translation_key=NODES,
                        mode=SelectSelectorMode.LIST,
                    )
                ),
                vol.Optional(CHOSEN_NODES, default=[]): SelectSelector(
                    SelectSelectorConfig(
                        options=[
                            SelectOptionDict(value=id_, label=name) for id_, name in names.items()
                        ],
                        multiple=True,
                    )
                ),
            }
        )
