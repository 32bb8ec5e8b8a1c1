"""What the providers tell of themselves: each in the reliability.py of its folder of tests."""

from collections.abc import Mapping

from ..provider_modules import modules
from .providers import Case, Reliability

FOUND: Mapping[str, Reliability] = {
    key: module.RELIABILITY for key, module in modules("reliability").items()
}

CASES: tuple[Case, ...] = tuple(case for found in FOUND.values() for case in found.cases)
