"""Units that people see."""


def gibibytes(size: int | None) -> float | None:
    """Bytes in GiB, exact to the byte and no further: 77.7 GB are whole bytes only roughly."""
    return None if size is None else round(size / 1024**3, 9)
