"""Selects the requested samples from the measurements of a node, which are two megabytes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from .. import coerce
from ..errors import InvalidInputError
from ..rows import Row, rows_of

type Sample = Mapping[str, float | str | None]

_DEFAULT_SPAN = timedelta(hours=1)

FIELDS: Mapping[str, tuple[str, Callable[[object], float | None]]] = {
    "bandwidth_in_usage": ("download_bandwidth_usage_percent", coerce.percentage),
    "bandwidth_out_usage": ("upload_bandwidth_usage_percent", coerce.percentage),
    "clients": ("client_counts", coerce.count),
    "connections": ("cur_conns", coerce.count),
    "connections_active": ("active_conn", coerce.count),
    "connections_passive": ("passive_conn", coerce.count),
    "cpu_usage": ("cpu_usage", coerce.percentage),
    "memory_used": ("memory_used", coerce.count),
    "packets_in": ("recv_packets", coerce.count),
    "packets_out": ("sent_packets", coerce.count),
    "page_tables": ("page_tables", coerce.count),
    "tunnels_http": ("proxy_http", coerce.count),
    "tunnels_https": ("proxy_https", coerce.count),
    "tunnels_tcp": ("proxy_tcp", coerce.count),
    "tunnels_udp": ("proxy_udp", coerce.count),
}
"""The place of each value, and how to read it. Usage in percent, memory_used and page_tables in
bytes.
"""


def samples(
    info: Row, fields: Collection[str], start: datetime | None, end: datetime | None
) -> Sequence[Sample]:
    """Return the samples from start to end, the oldest first.

    start: by default an hour before the end.
    end: by default the newest sample.
    """
    timed = sorted(
        (
            (moment, row)
            for row in rows_of(info.get("status_list"))
            if (moment := coerce.iso(row.get("timestamp")))
        ),
        key=lambda sample: sample[0],
    )
    if not timed:
        return ()
    last = end or timed[-1][0]
    first = start or last - _DEFAULT_SPAN
    chosen = {name: FIELDS[name] for name in fields}
    return tuple(
        {"time": moment.isoformat()}
        | {name: read(row.get(raw)) for name, (raw, read) in chosen.items()}
        for moment, row in timed
        if first <= moment <= last
    )


def check_fields(fields: Collection[str]) -> None:
    """Raise InvalidInputError for an unknown field."""
    if unknown := set(fields) - FIELDS.keys():
        raise InvalidInputError(
            "unknown_field", field=", ".join(sorted(unknown)), known=", ".join(FIELDS)
        )
