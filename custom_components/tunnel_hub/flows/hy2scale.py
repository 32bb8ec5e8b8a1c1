"""Sign-in to a HY2 SCALE node: address, certificate, and password of its web console."""

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from ..const import CONF_BASE_PATH, CONF_HTTPS
from .base import (
    PASSWORD_FIELD,
    TEXT_FIELD,
    TRUST_FIELDS,
    USERNAME_FIELD,
    Form,
    ProviderFlow,
    Steps,
    advanced,
    sign_in_step,
)

_PORT_FIELD = NumberSelector(NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX))

_NODE = Form(
    "hy2scale",
    vol.Schema(
        {
            vol.Required(CONF_HOST): TEXT_FIELD,
            vol.Required(CONF_PORT, default=5565): _PORT_FIELD,
            vol.Required(CONF_HTTPS, default=True): BooleanSelector(),
            vol.Required(CONF_USERNAME, default="admin"): USERNAME_FIELD,
            vol.Required(CONF_PASSWORD): PASSWORD_FIELD,
            **advanced({vol.Optional(CONF_BASE_PATH, default="scale"): TEXT_FIELD, **TRUST_FIELDS}),
        }
    ),
)

_SIGN_IN = [_NODE.step_id]


class Hy2ScaleSteps(Steps):
    """The step of HY2 SCALE. Only the password's hash is stored."""

    async_step_hy2scale = sign_in_step(_NODE)


FLOW = ProviderFlow(steps=Hy2ScaleSteps, sign_in=_SIGN_IN)
