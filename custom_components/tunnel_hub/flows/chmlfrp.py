"""Sign-in to ChmlFrp: with an API token, a browser, a password, or a new account."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_TOKEN
import voluptuous as vol

from ..api.capabilities.account import CanSignInByDevice
from ..api.errors import TunnelHubError
from ..api.models.account import DeviceCode
from ..api.provider import Credentials
from ..const import CONF_BASE_URL, CONF_CONTACT, CONF_OAUTH_URL
from ..markdown import escape_markdown
from .base import (
    CODE_SCHEMA,
    NEW_ACCOUNT_FIELDS,
    SECRET_FIELD,
    SIGN_IN_FIELDS,
    TEXT_FIELD,
    Form,
    ProviderFlow,
    Steps,
    failure_of,
    in_form,
    menu_step,
    sign_in_step,
    with_base_url,
)

_DEVICE = Form(
    "chmlfrp_device",
    with_base_url(
        {
            vol.Required(CONF_CLIENT_ID): TEXT_FIELD,
            vol.Optional(CONF_CLIENT_SECRET): SECRET_FIELD,
        },
        (CONF_BASE_URL, CONF_OAUTH_URL),
    ),
)
_TOKEN = Form("chmlfrp_token", with_base_url({vol.Required(CONF_TOKEN): SECRET_FIELD}))
_PASSWORD = Form("chmlfrp_password", with_base_url(SIGN_IN_FIELDS))
_REGISTER = Form(
    "chmlfrp_register",
    with_base_url({**NEW_ACCOUNT_FIELDS, vol.Required(CONF_CONTACT): TEXT_FIELD}),
)
_REGISTER_CODE = Form("chmlfrp_register_code", CODE_SCHEMA)
_WAIT = "chmlfrp_device_wait"

_SIGN_IN = [_TOKEN.step_id, _DEVICE.step_id, _PASSWORD.step_id]
_OTHERS = [_REGISTER.step_id]


class ChmlFrpSteps(Steps):
    """The steps of ChmlFrp."""

    _chmlfrp_code: DeviceCode
    _chmlfrp_waiting: asyncio.Task[Credentials]

    async_step_chmlfrp = menu_step("chmlfrp", _SIGN_IN + _OTHERS)
    async_step_chmlfrp_token = sign_in_step(_TOKEN)
    async_step_chmlfrp_password = sign_in_step(_PASSWORD)
    async_step_chmlfrp_registered = menu_step("chmlfrp_registered", _SIGN_IN)

    # With a browser

    async def async_step_chmlfrp_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the program's id at the account center, and request a code."""

        async def _begin(provider: CanSignInByDevice, entered: dict[str, str]) -> ConfigFlowResult:
            self._chmlfrp_code = await provider.begin_device_sign_in()
            self._chmlfrp_waiting = self.hass.async_create_task(
                provider.finish_device_sign_in(), _WAIT
            )
            self._entered = entered
            return await self.async_step_chmlfrp_device_wait()

        self._entered = self._kept_secrets(user_input, {CONF_CLIENT_SECRET: CONF_CLIENT_ID})
        return await self._step(_DEVICE, user_input, CanSignInByDevice, _begin)

    async def async_step_chmlfrp_device_wait(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the code until the user has decided in the browser."""
        if self._chmlfrp_waiting.done():
            return self.async_show_progress_done(next_step_id="chmlfrp_device_done")
        return self.async_show_progress(
            step_id=_WAIT,
            progress_action=_WAIT,
            description_placeholders={
                "url": self._chmlfrp_code.url,
                **escape_markdown({"user_code": self._chmlfrp_code.user_code}),
                "minutes": str(round(self._chmlfrp_code.expires_in / 60)),
            },
            progress_task=self._chmlfrp_waiting,
        )

    async def async_step_chmlfrp_device_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Finish, or start again if the sign-in was denied or failed."""
        entered, self._entered = self._entered, {}
        try:
            return await self._finish(self._provider(self._chmlfrp_waiting.result()), entered)
        except TunnelHubError as err:
            return self._show(_DEVICE, in_form(entered), failure_of(err))

    # With a new account

    async def async_step_chmlfrp_register(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Register an account; the service sends a code by email."""
        return await self._begin_registration(
            _REGISTER, user_input, self.async_step_chmlfrp_register_code
        )

    async def async_step_chmlfrp_register_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Complete the registration with the code."""

        async def _go_on(entered: dict[str, str]) -> ConfigFlowResult:
            self._entered = {n: v for n, v in entered.items() if n == CONF_BASE_URL}
            return await self.async_step_chmlfrp_registered(None)

        return await self._finish_registration(_REGISTER_CODE, user_input, _go_on)


FLOW = ProviderFlow(steps=ChmlFrpSteps, sign_in=_SIGN_IN, others=_OTHERS)
