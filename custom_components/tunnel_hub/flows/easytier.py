"""Sign-in to an EasyTier node manager: with an account, without one, or as its first user."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_API_KEY, CONF_CODE, CONF_EMAIL, CONF_PASSWORD
from homeassistant.helpers.selector import BooleanSelector
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.account import CanRegister
from ..api.capabilities.directory import NodeDirectory
from ..api.errors import InvalidInputError
from ..api.provider import Provider
from ..const import (
    CONF_BASE_URL,
    CONF_CA,
    CONF_JWT_SECRET,
    CONF_NETWORK_NAME,
    CONF_NETWORK_SECRET,
    CONF_SEND_AGAIN,
    CONF_VERIFY,
)
from .base import (
    MAIL_FIELD,
    NEW_PASSWORD_FIELD,
    PASSWORD_FIELD,
    SECRET_FIELD,
    TEXT_FIELD,
    TRUST_FIELDS,
    YES,
    Form,
    ProviderFlow,
    Steps,
    advanced,
    menu_step,
    new_account,
)

_CHECKS: dict[vol.Marker, Any] = {
    vol.Optional(CONF_NETWORK_NAME): TEXT_FIELD,
    vol.Optional(CONF_NETWORK_SECRET): SECRET_FIELD,
    vol.Optional(CONF_API_KEY): SECRET_FIELD,
}

_ACCOUNT = Form(
    "easytier_account",
    vol.Schema(
        {
            vol.Required(CONF_BASE_URL): TEXT_FIELD,
            vol.Required(CONF_EMAIL): MAIL_FIELD,
            vol.Required(CONF_PASSWORD): PASSWORD_FIELD,
            **advanced({**TRUST_FIELDS, **_CHECKS}),
        }
    ),
)
_PUBLIC = Form(
    "easytier_public",
    vol.Schema({vol.Required(CONF_BASE_URL): TEXT_FIELD, **advanced(TRUST_FIELDS)}),
)
_REGISTER = Form(
    "easytier_register",
    vol.Schema(
        {
            vol.Required(CONF_BASE_URL): TEXT_FIELD,
            vol.Required(CONF_EMAIL): MAIL_FIELD,
            vol.Required(CONF_PASSWORD): NEW_PASSWORD_FIELD,
            **advanced(TRUST_FIELDS),
        }
    ),
)
_PROOF = vol.Schema(
    {
        vol.Optional(CONF_CODE): TEXT_FIELD,
        vol.Required(CONF_SEND_AGAIN, default=False): BooleanSelector(),
    }
)
_REGISTER_CODE = Form("easytier_register_code", _PROOF)
_REGISTER_ANOTHER_CODE = Form("easytier_register_another_code", _PROOF)
_INITIALIZE = Form(
    "easytier_initialize",
    vol.Schema(
        {
            vol.Required(CONF_JWT_SECRET): SECRET_FIELD,
            vol.Required(CONF_EMAIL): MAIL_FIELD,
            vol.Required(CONF_PASSWORD): NEW_PASSWORD_FIELD,
        }
    ),
)

_SIGN_IN = [_ACCOUNT.step_id, _PUBLIC.step_id]
_OTHERS = [_REGISTER.step_id]
_SERVER = (CONF_BASE_URL, CONF_VERIFY, CONF_CA)
_SECRETS = {CONF_API_KEY: None, CONF_NETWORK_SECRET: CONF_NETWORK_NAME}
_CREDENTIALS = (*_SERVER, CONF_EMAIL, CONF_PASSWORD)


def _stored(data: Mapping[str, Any]) -> list[str]:
    """Return the step for a stored account, or for an entry without one."""
    return [(_ACCOUNT if CONF_EMAIL in data else _PUBLIC).step_id]


class EasyTierSteps(Steps):
    """The steps of an EasyTier node manager."""

    async_step_easytier = menu_step("easytier", _SIGN_IN + _OTHERS)

    async def async_step_easytier_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with email address and password."""
        self._entered = self._kept_secrets(user_input, _SECRETS)
        return await self._step(_ACCOUNT, user_input, NodeDirectory, self._enter)

    async def async_step_easytier_public(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Use the public data without an account."""
        return await self._step(_PUBLIC, user_input, NodeDirectory, self._enter)

    async def _enter(self, service: NodeDirectory, entered: dict[str, str]) -> ConfigFlowResult:
        """Finish, or offer to initialize a new server."""
        if (CONF_NETWORK_NAME in entered) is not (CONF_NETWORK_SECRET in entered):
            raise InvalidInputError("network_incomplete")
        if self.source == SOURCE_USER and not await service.is_initialized():
            return await self._set_up(entered)
        return await self._finish(capable(service, Provider), entered)

    async def _set_up(self, entered: dict[str, str]) -> ConfigFlowResult:
        """Ask whether to initialize the server; only its address is kept from the input."""
        self._entered = _only(_SERVER, entered)
        return await self.async_step_easytier_initialize()

    async def async_step_easytier_initialize(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Initialize a new server after a warning."""

        async def _initialize(service: NodeDirectory, entered: dict[str, str]) -> ConfigFlowResult:
            await service.initialize(entered[CONF_JWT_SECRET], new_account(entered))
            return await self._sign_in(entered)

        return await self._step(_INITIALIZE, user_input, NodeDirectory, _initialize)

    # With a new account

    async def async_step_easytier_register(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Register an account; the email address may have to be confirmed."""

        async def _register(service: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            if not await capable(service, NodeDirectory).is_initialized():
                return await self._set_up(entered)
            if await service.begin_registration(new_account(entered)):
                self._entered = entered
                return await self.async_step_easytier_register_code()
            return await self._sign_in(entered)

        return await self._step(_REGISTER, user_input, CanRegister, _register)

    async def async_step_easytier_register_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Confirm the email address with the link in the email."""
        return await self._prove(_REGISTER_CODE, user_input)

    async def async_step_easytier_register_another_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Confirm the email address with a new link."""
        return await self._prove(_REGISTER_ANOTHER_CODE, user_input)

    async def _prove(self, form: Form, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Confirm the email address, or request another link."""

        async def _verify(service: CanRegister, entered: dict[str, str]) -> ConfigFlowResult:
            if entered[CONF_SEND_AGAIN] == YES:
                is_mailed = await service.resend_registration_code(new_account(entered))
                return await (
                    self.async_step_easytier_register_another_code()
                    if is_mailed
                    else self._sign_in(entered)
                )
            if CONF_CODE not in entered:
                raise InvalidInputError("empty_field")
            await service.finish_registration(new_account(entered), entered[CONF_CODE])
            return await self._sign_in(entered)

        return await self._step(form, user_input, CanRegister, _verify)

    async def _sign_in(self, entered: dict[str, str]) -> ConfigFlowResult:
        """Sign in to the new account, without other input."""
        credentials = _only(_CREDENTIALS, entered)
        return await self._finish(self._provider(credentials), credentials)


def _only(names: Iterable[str], entered: Mapping[str, str]) -> dict[str, str]:
    return {name: entered[name] for name in names if name in entered}


FLOW = ProviderFlow(steps=EasyTierSteps, sign_in=_SIGN_IN, others=_OTHERS, stored=_stored)
