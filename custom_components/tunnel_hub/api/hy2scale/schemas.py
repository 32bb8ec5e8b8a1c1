"""Defines what a row must contain before it is written back with changes.

A write replaces the whole row: a field that was lost in the answer, such as a password or a limit,
would also be lost at the node.
"""

from collections.abc import Callable, Iterator, Mapping

from .. import coerce
from ..errors import Reason, UnavailableError
from ..rows import Row
from .models import SHADOWSOCKS

type _Check = Callable[[object], bool]


class RowSchema:
    """The fields of a kind of row, besides its id.

    needed: checks for the fields of every version; "a or b" has two possible names.
    others: checks for fields that only some versions or rows have.
    """

    def __init__(self, needed: Mapping[str, _Check], others: Mapping[str, _Check]) -> None:
        self._needed = {tuple(names.split(" or ")): is_valid for names, is_valid in needed.items()}
        self._others = others

    def check(self, row: Row) -> None:
        """Raise UnavailableError for a damaged row."""
        if name := next(self.damaged(row), None):
            raise UnavailableError(Reason.MALFORMED, f"no {name}")

    def damaged(self, row: Row) -> Iterator[str]:
        """Return the names of fields that are missing or invalid."""
        for names, is_valid in self._needed.items():
            known = [row[name] for name in names if name in row]
            if not (known and all(map(is_valid, known))):
                yield names[0]
        for name, is_valid in self._others.items():
            if name in row and not is_valid(row[name]):
                yield name


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return not isinstance(value, str) and coerce.number(value) is not None


def _text(value: object) -> bool:
    return isinstance(value, str)


def _filled(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _texts_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


_PATHS: dict[str, _Check] = {"exit_mode": _text, "exit_paths": _texts}
"""Missing if there are none."""

CLIENT = RowSchema(
    {
        "addr": _text,
        "password": _text,
        "sni": _text,
        "ca": _text,
        "insecure": _flag,
        "max_rx": _number,
        "max_tx": _number,
    },
    {
        "addrs": _texts,
        "conn_mode": _text,
        "disabled": _flag,
        "fast_open": _flag,
        "init_conn_window": _number,
        "init_stream_window": _number,
        "max_conn_window": _number,
        "max_stream_window": _number,
    },
)

USER = RowSchema(
    {
        "username": _text,
        "password": _text,
        "enabled": _flag,
        "exit_via": _text,
        "traffic_limit or traffic_limit_gb": _number,
        "expiry_date or expiry": _text,
    },
    {**_PATHS, "proxy_passwords": _texts_by_name},
)

RULE = RowSchema(
    {
        "name": _text,
        "type": _text,
        "targets": _texts,
        "enabled": _flag,
        "exit_via": _text,
    },
    {**_PATHS, "priority": _number, "use_tun": _flag},
)

_PROXY: dict[str, _Check] = {"protocol": _text, "listen": _text, "enabled": _flag}
_PROXY_OTHERS: dict[str, _Check] = {**_PATHS, "exit_via": _text, "method": _text, "tls_cert": _text}
_PLAIN_PROXY = RowSchema(_PROXY, _PROXY_OTHERS)
_SHADOWSOCKS = RowSchema({**_PROXY, "method": _text}, _PROXY_OTHERS)


def check_proxy(row: Row) -> None:
    """Raise UnavailableError for a damaged proxy; only Shadowsocks needs a method."""
    (_SHADOWSOCKS if row.get("protocol") == SHADOWSOCKS else _PLAIN_PROXY).check(row)


WIREGUARD_PEER = RowSchema(
    {
        "name": _text,
        "public_key": _text,
        "private_key": _text,
        "allowed_ips": _text,
        "exit_via": _text,
        "keepalive": _number,
    },
    _PATHS,
)


def _peers(value: object) -> bool:
    """Return whether all peers of a server are valid; null means none."""
    return value is None or (
        isinstance(value, list)
        and all(isinstance(peer, dict) and not any(WIREGUARD_PEER.damaged(peer)) for peer in value)
    )


# The servers; none of them works without its key.

L2TP = RowSchema(
    {
        "psk": _filled,
        "enabled": _flag,
        "listen": _text,
        "pool": _text,
        "mtu": _number,
        "proxy_port": _number,
    },
    {},
)

WIREGUARD = RowSchema(
    {
        "private_key": _filled,
        "enabled": _flag,
        "address": _text,
        "dns": _text,
        "listen_port": _number,
        "mtu": _number,
        "peers": _peers,
    },
    {},
)

TUN_MODE = RowSchema({"enabled": _flag, "mode": _text}, {})
