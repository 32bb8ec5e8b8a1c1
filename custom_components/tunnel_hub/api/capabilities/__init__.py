"""What a provider may be able to do, by subject: asked with isinstance.

An action or a switch exists for every provider that has the capability, and nobody asks for a
provider's name.
"""

from ..errors import UnsupportedError


class Capability:
    """Something that some providers can do.

    A provider names its capabilities as its bases; with `Provider`, which is abstract, it cannot
    be made without all of their methods.
    """


def capable[T](part: object, kind: type[T]) -> T:
    """Return something as what it has to be here; raises UnsupportedError."""
    if not isinstance(part, kind):
        raise UnsupportedError
    return part
