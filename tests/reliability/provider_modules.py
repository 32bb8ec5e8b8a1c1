"""Loads reliability.py of each provider's test folder."""

from collections.abc import Mapping

from ..provider_modules import modules
from .providers import Case, Reliability

PROVIDER_DATA: Mapping[str, Reliability] = {
    found.cases[0].key: found
    for module in modules("reliability").values()
    for found in (module.RELIABILITY, *module.RELIABILITY.other_kinds)
}
"""By the provider's key, or the name of a kind of its entries."""

CASES: tuple[Case, ...] = tuple(case for found in PROVIDER_DATA.values() for case in found.cases)
