"""How ChmlFrp reads what a call carries and writes what it knows."""

from datetime import UTC, datetime
import re

from simulator.service import Call
from simulator.shanghai import local

MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PASSWORD_KINDS = (r"[A-Za-z]", r"[0-9]", r"[^A-Za-z0-9]")


def text(call: Call, name: str) -> str:
    """Return a field of the body or the query, "" when it is not there."""
    value = call.get(name)
    return "" if value is None else str(value)


def form(call: Call, name: str) -> str:
    """Return a field of a form, "" when the body is something else."""
    is_form = call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    return str(call.body.get(name, "")) if is_form else ""


def word(value: bool) -> str:
    """Write a flag as most fields have it."""
    return "true" if value else "false"


def yes(value: bool) -> str:
    """Write a flag as the other fields have it."""
    return "yes" if value else "no"


def instant(at: float | None) -> str | None:
    """Write a moment: 2024-12-21T01:38:19.000+00:00."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def day(at: float) -> str:
    """Write a moment's date."""
    return f"{local(at):%Y-%m-%d}"


def moment(at: float) -> str:
    """Write a moment as Shanghai's clocks show it."""
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


def frp_time(at: float | None) -> str:
    """Write a moment as frp's server does: month to second, no year; "" for never."""
    return "" if at is None else f"{local(at):%m-%d %H:%M:%S}"


def good_password(password: str) -> bool:
    """Whether it is 6 to 48 long, of at least two of letters, digits and others."""
    kinds = sum(re.search(kind, password) is not None for kind in PASSWORD_KINDS)
    return 6 <= len(password) <= 48 and kinds >= 2
