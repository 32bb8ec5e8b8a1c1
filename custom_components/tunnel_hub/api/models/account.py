"""Accounts: resources and payloads."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Resource):
    """The user's account at a service."""

    kind: ClassVar[str] = "account"

    administrator: bool | None = None
    """Whether it is an administrator of the service."""
    bandwidth: int | None = None
    """The limit for its tunnels in Mbit/s."""
    banned: bool | None = None
    connections: int | None = None
    """The current connections to all of its tunnels."""
    group: str | None = None
    """The kind of customer, in the service's words."""
    group_expires: date | None = None
    """The last day in that group; None also if it does not expire."""
    last_sign_in: datetime | None = None
    points: int | None = None
    """Points that the service gives for signing in and accepts as payment."""
    service_provider: bool | None = None
    """Whether the account offers nodes to others."""
    sign_in_days: int | None = None
    sign_in_traffic: int | None = None
    """Total bytes gained by signing in."""
    signed_in_today: bool | None = None
    traffic_in: int | None = None
    """Total bytes."""
    traffic_left: int | None = None
    traffic_out: int | None = None
    """Total bytes."""
    traffic_today: int | None = None
    """Bytes used since the service's midnight."""
    tunnels_allowed: int | None = None
    tunnels_used: int | None = None
    verified: bool | None = None
    """Whether the user's identity is verified (real name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInStatistics(Resource):
    """The totals of an account's daily sign-ins, if they are read separately."""

    kind: ClassVar[str] = "sign_in"
    part_of: ClassVar[str | None] = "account"

    last_sign_in: datetime | None = None
    sign_in_points: int | None = None
    """Total points gained by signing in."""
    sign_ins: int | None = None
    signed_in_today: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTraffic(Resource):
    """The traffic of an account's tunnels since the service's midnight, in bytes."""

    kind: ClassVar[str] = "account_traffic"
    part_of: ClassVar[str | None] = "account"

    traffic_in_today: int | None = None
    traffic_out_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from the service, as plain text."""

    sent: datetime
    text: str
    title: str | None = None
    id: str | None = None

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.title or self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox(Resource):
    """The newest messages to an account, the oldest first."""

    kind: ClassVar[str] = "inbox"
    part_of: ClassVar[str | None] = "account"

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """The data to register an account.

    contact: a number of a messenger.
    """

    username: str
    mail: str
    password: str = field(repr=False)
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """Changes of an account; None leaves a value unchanged.

    contact: a number of a messenger.
    picture: its URL.
    current_password: required to change the password.
    """

    username: str | None = None
    contact: str | None = None
    picture: str | None = None
    password: str | None = field(default=None, repr=False)
    current_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """The data for a device sign-in.

    url: the page to open. user_code: the code to compare there. expires_in: seconds.
    """

    user_code: str
    url: str
    expires_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Captcha:
    """The answers of a solved GeeTest captcha, by GeeTest's names."""

    lot_number: str
    captcha_output: str
    pass_token: str
    gen_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTraffic:
    """The traffic of one day, in bytes.

    day: "YYYY-MM-DD".
    """

    day: str
    traffic_in: int | None
    traffic_out: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """The result of a daily sign-in.

    already: whether it was done before today.
    points: points gained. traffic: bytes gained. traffic_left: bytes.
    message: the service's own words.
    """

    already: bool
    message: str
    points: int | None = None
    traffic: int | None = None
    traffic_left: int | None = None
