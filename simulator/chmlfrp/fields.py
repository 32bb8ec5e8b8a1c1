"""Reads the fields of requests and formats those of responses."""

from datetime import UTC, datetime
import re

from simulator.service import Call
from simulator.shanghai import local

MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PASSWORD_KINDS = (r"[A-Za-z]", r"[0-9]", r"[^A-Za-z0-9]")


def text(call: Call, name: str) -> str:
    """Return a field of the body or the query, or ""."""
    value = call.get(name)
    return "" if value is None else str(value)


def form(call: Call, name: str) -> str:
    """Return a field of a form, or "" if the body is something else."""
    is_form = call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    return str(call.body.get(name, "")) if is_form else ""


def word(value: bool) -> str:
    """Return a flag in the format of most fields."""
    return "true" if value else "false"


def yes(value: bool) -> str:
    """Return a flag in the format of the other fields."""
    return "yes" if value else "no"


def instant(at: float | None) -> str | None:
    """Return a time as 2024-12-21T01:38:19.000+00:00."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def day(at: float) -> str:
    """Return the date of a time."""
    return f"{local(at):%Y-%m-%d}"


def moment(at: float) -> str:
    """Return a time in Shanghai's time zone."""
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


def frp_time(at: float | None) -> str:
    """Return a time as frps does: month to second, without a year; "" for never."""
    return "" if at is None else f"{local(at):%m-%d %H:%M:%S}"


def good_password(password: str) -> bool:
    """Return whether it has 6 to 48 characters of at least two kinds: letters, digits, others."""
    kinds = sum(re.search(kind, password) is not None for kind in PASSWORD_KINDS)
    return 6 <= len(password) <= 48 and kinds >= 2
