"""Sign-in to ChmlFrp: with an API token, a browser, a password, or a new account."""

import asyncio
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_TOKEN
import voluptuous as vol

from ..api.capabilities.account import CanSignInByDevice
from ..api.errors import TunnelHubError
from ..api.models.account import DeviceCode
from ..api.provider import Credentials, Provider
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

    async def async_step_chmlfrp(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Select how to sign in to ChmlFrp."""
        return self.async_show_menu(step_id="chmlfrp", menu_options=_SIGN_IN + _OTHERS)

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

        self._entered = self._kept_secret(user_input)
        return await self._step(_DEVICE, user_input, CanSignInByDevice, _begin)

    def _kept_secret(self, user_input: dict[str, Any] | None) -> dict[str, str]:
        """Return the stored secret of the program, which a form cannot show.

        A different program has none.
        """
        if user_input is None or self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return {}
        stored = self._entry().data
        same = user_input[CONF_CLIENT_ID].strip() == stored.get(CONF_CLIENT_ID)
        names = [CONF_CLIENT_SECRET] if same else []
        return {name: stored[name] for name in names if name in stored}

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

    # With a token or password

    async def async_step_chmlfrp_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with the API token from the panel."""
        return await self._step(_TOKEN, user_input, Provider, self._finish)

    async def async_step_chmlfrp_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with a username, email address or QQ number and the password."""
        return await self._step(_PASSWORD, user_input, Provider, self._finish)

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
            return await self.async_step_chmlfrp_registered()

        return await self._finish_registration(_REGISTER_CODE, user_input, _go_on)

    async def async_step_chmlfrp_registered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Select how to sign in to the new account."""
        return self.async_show_menu(step_id="chmlfrp_registered", menu_options=_SIGN_IN)


FLOW = ProviderFlow(steps=ChmlFrpSteps, sign_in=_SIGN_IN, others=_OTHERS)
