"""The services that the state machine knows: each provider's, in the folder of its tests."""

from ...provider_modules import modules
from .model import ServiceModel

MODELS: tuple[type[ServiceModel], ...] = tuple(
    model for module in modules("state_machine").values() for model in module.MODELS
)
