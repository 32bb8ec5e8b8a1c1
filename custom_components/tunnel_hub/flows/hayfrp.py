"""Sign-in to HayFrp: with a password, a session token, a new account or a new password."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_CODE, CONF_PASSWORD, CONF_TOKEN, CONF_USERNAME
import voluptuous as vol

from ..api.capabilities.account import CanRecoverPassword
from ..const import CONF_BASE_URL
from .base import (
    ADVANCED,
    CODE_SCHEMA,
    NEW_ACCOUNT_FIELDS,
    NEW_PASSWORD_FIELD,
    OPTION_FIELDS,
    SECRET_FIELD,
    SIGN_IN_FIELDS,
    USERNAME_FIELD,
    Form,
    ProviderFlow,
    Steps,
    menu_step,
    sign_in_step,
    with_base_url,
)

_PASSWORD = Form("hayfrp_password", with_base_url({**SIGN_IN_FIELDS, **OPTION_FIELDS}))
_TOKEN = Form(
    "hayfrp_token", with_base_url({vol.Required(CONF_TOKEN): SECRET_FIELD, **OPTION_FIELDS})
)
_REGISTER = Form("hayfrp_register", with_base_url({**NEW_ACCOUNT_FIELDS, **OPTION_FIELDS}))
_REGISTER_CODE = Form("hayfrp_register_code", CODE_SCHEMA)
_RECOVER = Form(
    "hayfrp_recover",
    with_base_url({vol.Required(CONF_USERNAME): USERNAME_FIELD, **OPTION_FIELDS}),
)
_RECOVER_CODE = Form(
    "hayfrp_recover_code",
    vol.Schema(
        {vol.Required(CONF_CODE): SECRET_FIELD, vol.Required(CONF_PASSWORD): NEW_PASSWORD_FIELD}
    ),
)

_SIGN_IN = [_PASSWORD.step_id, _TOKEN.step_id]
_OTHERS = [_REGISTER.step_id, _RECOVER.step_id]


class HayFrpSteps(Steps):
    """The steps of HayFrp."""

    async_step_hayfrp = menu_step("hayfrp", _SIGN_IN + _OTHERS)
    async_step_hayfrp_password = sign_in_step(_PASSWORD)
    async_step_hayfrp_token = sign_in_step(_TOKEN)

    async def async_step_hayfrp_register(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Register an account; the service sends a code by email."""
        return await self._begin_registration(
            _REGISTER, user_input, self.async_step_hayfrp_register_code
        )

    async def async_step_hayfrp_register_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Complete the registration with the code, and sign in."""
        return await self._finish_registration(_REGISTER_CODE, user_input, self._sign_in_with)

    async def async_step_hayfrp_recover(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Recover a forgotten password; the service sends a code by email."""

        async def _send_code(
            provider: CanRecoverPassword, entered: dict[str, str]
        ) -> ConfigFlowResult:
            await provider.send_recovery_code(entered[CONF_USERNAME])
            self._entered = entered
            return await self.async_step_hayfrp_recover_code()

        return await self._step(_RECOVER, user_input, CanRecoverPassword, _send_code)

    async def async_step_hayfrp_recover_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Set a new password with the code, and sign in."""

        async def _recover(
            provider: CanRecoverPassword, entered: dict[str, str]
        ) -> ConfigFlowResult:
            await provider.recover_password(entered[CONF_CODE], entered[CONF_PASSWORD])
            return await self._sign_in_with(entered)

        return await self._step(_RECOVER_CODE, user_input, CanRecoverPassword, _recover)

    async def _sign_in_with(self, entered: dict[str, str]) -> ConfigFlowResult:
        """Sign in with the new password. The code was used, so it must not be requested again."""
        self._entered = {}
        return await self.async_step_hayfrp_password(
            {
                CONF_USERNAME: entered[CONF_USERNAME],
                CONF_PASSWORD: entered[CONF_PASSWORD],
                ADVANCED: {CONF_BASE_URL: entered.get(CONF_BASE_URL, "")},
            }
        )


FLOW = ProviderFlow(steps=HayFrpSteps, sign_in=_SIGN_IN, others=_OTHERS)
