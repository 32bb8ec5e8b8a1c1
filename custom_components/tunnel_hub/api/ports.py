"""Checks port numbers."""

from .errors import InvalidInputError

PORTS = range(1, 65536)


def check_port(port: object, possible: range = PORTS) -> None:
    """Raise InvalidInputError for a port that is out of range; None is accepted."""
    if port not in possible:
        raise InvalidInputError(
            "port_out_of_range",
            port="" if port is None else str(port),
            minimum=str(possible[0]),
            maximum=str(possible[-1]),
        )
