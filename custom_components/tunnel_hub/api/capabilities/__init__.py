"""Capabilities of providers, by subject. They are tested with isinstance.

An action or a switch exists for every provider with the capability. The name of the provider does
not matter.
"""

from ..errors import UnsupportedError


class Capability:
    """The base class of capabilities.

    Capabilities are base classes of a provider. As `Provider` is abstract, all of their methods
    must be implemented.
    """


def capable[T](part: object, capability: type[T]) -> T:
    """Return an object as an instance of a class; raises UnsupportedError if it is not."""
    if not isinstance(part, capability):
        raise UnsupportedError
    return part
