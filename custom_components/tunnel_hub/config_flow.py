"""Config flow: choosing a provider, reauthentication, reconfiguration and options."""

from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import new_class
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
    OptionsFlowWithReload,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TimeSelector,
)
import voluptuous as vol

from .api import PROVIDERS
from .api.address import host_of
from .api.capabilities.account import CanSignIn
from .api.capabilities.directory import ALL_NODES, PUBLIC_NODES, NodeDirectory
from .api.capabilities.nodes import (
    CHOSEN_NODES,
    NODE_DETAILS,
    NODES,
    NODES_ALL,
    NODES_CHOSEN,
    NODES_USED,
    CanAskNodes,
    CanChooseNodes,
)
from .api.errors import InvalidInputError, TunnelHubError
from .api.provider import OUTSIDE_ADDRESS, Provider
from .const import CONF_PROVIDER, CONF_SIGN_IN_DAILY, CONF_SIGN_IN_FROM, CONF_SIGN_IN_UNTIL, DOMAIN
from .flows import FLOWS
from .flows.base import TEXT_FIELD, Steps, abort_if_removed
from .flows.watched_addresses import WatchedAddressFlow, WatchedSteps
from .markdown import escape_markdown
from .migrations import MINOR_VERSION, VERSION
from .reachability import CHECKS, CHECKS_ALL, CHECKS_ENABLED, CHECKS_OFF
from .runtime import TunnelHubConfigEntry
from .sign_in import DEFAULT_FROM, DEFAULT_UNTIL
from .watched_addresses import WATCHED, WATCHED_ADDRESS, is_watched

_SIGN_IN_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SIGN_IN_DAILY, default=False): BooleanSelector(),
        vol.Required(CONF_SIGN_IN_FROM, default=DEFAULT_FROM): TimeSelector(),
        vol.Required(CONF_SIGN_IN_UNTIL, default=DEFAULT_UNTIL): TimeSelector(),
    }
)

_ALL_NODES_SCHEMA = vol.Schema({vol.Required(ALL_NODES, default=False): BooleanSelector()})
_DETAILS_SCHEMA = vol.Schema({vol.Required(NODE_DETAILS, default=False): BooleanSelector()})

_OUTSIDE_SCHEMA = vol.Schema({vol.Optional(OUTSIDE_ADDRESS): TEXT_FIELD})

_CHECKS_SCHEMA = vol.Schema(
    {
        vol.Required(CHECKS, default=CHECKS_ENABLED): SelectSelector(
            SelectSelectorConfig(
                options=[CHECKS_OFF, CHECKS_ENABLED, CHECKS_ALL],
                translation_key=CHECKS,
                mode=SelectSelectorMode.LIST,
            )
        )
    }
)


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to store for user input; raises InvalidInputError."""
    host = (options.get(OUTSIDE_ADDRESS) or "").strip()
    others = {name: value for name, value in options.items() if name != OUTSIDE_ADDRESS}
    return {**others, OUTSIDE_ADDRESS: host_of(host)} if host else others


class _CommonSteps(Steps, WatchedSteps):
    """The steps before those of a provider."""

    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: TunnelHubConfigEntry) -> OptionsFlow:
        return TunnelHubOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: TunnelHubConfigEntry) -> bool:
        return not is_watched(config_entry)

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: TunnelHubConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        return {WATCHED_ADDRESS: WatchedAddressFlow} if is_watched(config_entry) else {}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_show_menu(step_id="user", menu_options=[*PROVIDERS, WATCHED])

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start reauthentication: the service rejects the stored credentials."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Select how to sign in again."""
        entry = self._get_reauth_entry()
        return self.async_show_menu(
            step_id="reauth_confirm",
            menu_options=FLOWS[entry.data[CONF_PROVIDER]].reauth_steps(entry.data),
            description_placeholders=escape_markdown({"account": entry.title}),
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Select how to sign in to the same account in the future."""
        entry = self._get_reconfigure_entry()
        if is_watched(entry):
            return self._no_account()
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=FLOWS[entry.data[CONF_PROVIDER]].reauth_steps(entry.data),
            description_placeholders=escape_markdown({"account": entry.title}),
        )


TunnelHubConfigFlow: type[_CommonSteps] = new_class(
    "TunnelHubConfigFlow",
    (_CommonSteps, *(flow.steps for flow in FLOWS.values())),
    {"domain": DOMAIN},
)
"""Sets up one account, with the steps of all providers."""


class TunnelHubOptionsFlow(OptionsFlowWithReload):
    """Options: nodes, reachability checks, and the daily sign-in."""

    @property
    @override
    def config_entry(self) -> TunnelHubConfigEntry:
        with abort_if_removed():
            return super().config_entry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options and store the input."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        errors = {}
        entered = None
        if user_input is not None:
            entered = dict(ChainMap(*user_input.values()))
            try:
                if entered.get(NODES) != NODES_CHOSEN or entered[CHOSEN_NODES]:
                    return self.async_create_entry(data=_checked(entered))
                errors["base"] = "no_nodes_chosen"
            except InvalidInputError as err:
                errors["base"] = err.key
        provider = self.config_entry.runtime_data.provider
        schema = {
            vol.Required(name): section(fields)
            for name, (capability, fields_of) in SECTIONS.items()
            if isinstance(provider, capability)
            and (fields := await fields_of(self, provider)) is not None
        }
        if not schema:
            return self.async_abort(reason="no_options")
        # Each section only takes the options that it has fields for.
        suggested = dict.fromkeys(map(str, schema), entered or self.config_entry.options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), suggested),
            errors=errors,
        )

    async def nodes(self, provider: CanChooseNodes) -> vol.Schema:
        """Return the fields for the nodes, without node names if the service does not respond."""
        chosen = await self._choice(CHOSEN_NODES, provider.node_names)
        return vol.Schema(
            {
                vol.Required(NODES, default=NODES_ALL): SelectSelector(
                    SelectSelectorConfig(
                        options=[NODES_ALL, NODES_USED, NODES_CHOSEN],
                        translation_key=NODES,
                        mode=SelectSelectorMode.LIST,
                    )
                ),
                vol.Optional(CHOSEN_NODES, default=[]): chosen,
            }
        )

    async def public_nodes(self, provider: NodeDirectory) -> vol.Schema:
        """Return the fields for public nodes."""
        chosen = await self._choice(PUBLIC_NODES, provider.public_node_names)
        return vol.Schema({vol.Optional(PUBLIC_NODES, default=[]): chosen})

    async def all_nodes(self, provider: NodeDirectory) -> vol.Schema | None:
        """Return the field for all nodes, which only administrators of a service have."""
        return _ALL_NODES_SCHEMA if await self._may_see_all(provider) else None

    async def details(self, provider: CanAskNodes) -> vol.Schema:
        """Return the field for details that require one request per node."""
        return _DETAILS_SCHEMA

    async def reachability(self, provider: Provider) -> vol.Schema | None:
        """Return the field for the tunnels to check, if their addresses are public."""
        return _CHECKS_SCHEMA if provider.description.has_public_tunnels else None

    async def outside_address(self, provider: Provider) -> vol.Schema | None:
        """Return the field for the public host of a self-hosted server."""
        return _OUTSIDE_SCHEMA if provider.description.has_outside_address else None

    async def sign_in(self, provider: CanSignIn) -> vol.Schema:
        """Return the fields for the daily sign-in."""
        return _SIGN_IN_SCHEMA

    async def _choice(
        self, option: str, names_of: Callable[[], Awaitable[Mapping[str, str]]]
    ) -> SelectSelector:
        """Return the node selector; it shows ids if the service does not respond."""
        names: dict[str, str] = {id_: id_ for id_ in self.config_entry.options.get(option, [])}
        with suppress(TunnelHubError):
            names |= await names_of()
        options = [SelectOptionDict(value=id_, label=name) for id_, name in names.items()]
        return SelectSelector(SelectSelectorConfig(options=options, multiple=True))

    async def _may_see_all(self, provider: NodeDirectory) -> bool:
        """Return whether to offer all nodes; a choice stays if the service does not respond."""
        with suppress(TunnelHubError):
            return await provider.is_administrator()
        return bool(self.config_entry.options.get(ALL_NODES))


SECTIONS: Mapping[str, tuple[type, Callable[..., Awaitable[vol.Schema | None]]]] = {
    "shown_nodes": (CanChooseNodes, TunnelHubOptionsFlow.nodes),
    "shown_public_nodes": (NodeDirectory, TunnelHubOptionsFlow.public_nodes),
    "administration": (NodeDirectory, TunnelHubOptionsFlow.all_nodes),
    "more_of_nodes": (CanAskNodes, TunnelHubOptionsFlow.details),
    "outside_address": (Provider, TunnelHubOptionsFlow.outside_address),
    "reachability": (Provider, TunnelHubOptionsFlow.reachability),
    "daily_sign_in": (CanSignIn, TunnelHubOptionsFlow.sign_in),
}
"""The sections of the options: the capability that each requires, and what returns its fields."""
