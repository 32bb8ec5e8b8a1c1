"""The common fields of users, proxies, rules and WireGuard peers: an exit, and a switch."""

from dataclasses import dataclass
from typing import Protocol

from simulator.hy2scale.wire import refuse

MODES = ("", "quality", "aggregate")
DOCUMENTED_MODES = (*MODES, "direct")


@dataclass(slots=True)
class Toggle:
    """Whether a row is enabled."""

    enabled: bool = False


class HasExit(Protocol):
    """A row with an exit."""

    exit_via: str
    exit_paths: list[str]
    exit_mode: str


def settle_exit[Row: HasExit](row: Row, *, documented: bool) -> Row:
    """Set `exit_via` to the first of `exit_paths`, and refuse an unknown mode."""
    if row.exit_paths:
        row.exit_via = row.exit_paths[0]
    elif row.exit_via:
        row.exit_paths = [row.exit_via]
    if row.exit_mode not in (DOCUMENTED_MODES if documented else MODES):
        raise refuse(400, f'invalid exit_mode "{row.exit_mode}"')
    return row
