"""Numbers that people enter in actions and triggers."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import voluptuous as vol


def number_of[T: float](convert: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return what makes a number of a value; what is none, or not finite, is invalid."""

    def _validate(value: Any) -> T:
        try:
            number = convert(value)
            if isfinite(number):
                return number
        except (OverflowError, TypeError, ValueError) as err:
            raise vol.Invalid("expected a number") from err
        raise vol.Invalid("expected a finite number")

    return _validate


NUMBER = number_of(float)
WHOLE_NUMBER = number_of(int)
AMOUNT = vol.All(NUMBER, vol.Range(min=0))
COUNT = vol.All(WHOLE_NUMBER, vol.Range(min=0))
