"""The services that the state machine knows. Another provider adds its model here."""

from .chmlfrp import ChmlFrp, ChmlFrpByBrowser
from .easytier import EasyTier
from .hayfrp import HayFrp
from .hy2scale import Hy2Scale
from .model import ServiceModel

MODELS: tuple[type[ServiceModel], ...] = (HayFrp, ChmlFrpByBrowser, ChmlFrp, Hy2Scale, EasyTier)
