"""Sign-in to a program of frp: the server's dashboard, or the client's admin API."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
import voluptuous as vol

from ..api.provider import KIND, Provider
from ..const import CONF_BASE_URL
from .base import (
    PASSWORD_FIELD,
    TEXT_FIELD,
    TRUST_FIELDS,
    USERNAME_FIELD,
    Form,
    ProviderFlow,
    Steps,
    advanced,
    menu_step,
)

_PROGRAM = vol.Schema(
    {
        vol.Required(CONF_BASE_URL): TEXT_FIELD,
        vol.Optional(CONF_USERNAME): USERNAME_FIELD,
        vol.Optional(CONF_PASSWORD): PASSWORD_FIELD,
        **advanced(TRUST_FIELDS),
    }
)
_SERVER = Form("frp_server", _PROGRAM)
_CLIENT = Form("frp_client", _PROGRAM)

_FORMS = {"frps": _SERVER, "frpc": _CLIENT}
"""The form of each kind of entry."""
_SIGN_IN = [form.step_id for form in _FORMS.values()]


def _stored(data: Mapping[str, Any]) -> list[str]:
    """Return the step for a stored program."""
    return [_FORMS[data[KIND]].step_id]


class FrpSteps(Steps):
    """The steps of frp."""

    async_step_frp = menu_step("frp", _SIGN_IN)

    async def async_step_frp_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in to the dashboard of frps."""
        return await self._sign_in_to("frps", user_input)

    async def async_step_frp_client(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in to the admin API of frpc."""
        return await self._sign_in_to("frpc", user_input)

    async def _sign_in_to(self, kind: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Sign in to a program, with credentials if it requires them."""
        self._entered = {KIND: kind}
        return await self._step(_FORMS[kind], user_input, Provider, self._finish)


FLOW = ProviderFlow(steps=FrpSteps, sign_in=_SIGN_IN, stored=_stored)
