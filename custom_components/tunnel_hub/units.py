"""Conversions for units that users see."""


def gibibytes(size: int | None) -> float | None:
    """Return bytes in GiB, rounded so that they can be converted back to the same whole bytes."""
    return None if size is None else round(size / 1024**3, 9)
