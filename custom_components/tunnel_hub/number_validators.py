"""Validators for numbers in actions and triggers."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import voluptuous as vol


def number_of[T: float](convert: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return a validator for a finite number of a type."""

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
