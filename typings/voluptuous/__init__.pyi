# Home Assistant puts probatio in the place of voluptuous when it is imported; mypy has to be told.
from probatio import *
