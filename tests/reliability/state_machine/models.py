"""The models of all providers, from their test folders."""

from ...provider_modules import modules
from .model import ServiceModel

MODELS: tuple[type[ServiceModel], ...] = tuple(
    model for module in modules("state_machine").values() for model in module.MODELS
)
