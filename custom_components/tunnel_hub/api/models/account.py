"""An account: what is read of it, and what is sent to it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Resource):
    """The user's account at a service."""

    kind: ClassVar[str] = "account"

    administrator: bool | None = None
    """Whether the account runs the service."""
    bandwidth: int | None = None
    """Mbit/s that its tunnels may use."""
    banned: bool | None = None
    connections: int | None = None
    """To all of its tunnels, now."""
    group: str | None = None
    """What kind of customer the service counts it among, in the service's words."""
    group_expires: date | None = None
    """The last day in that group; None also where it lasts forever."""
    last_sign_in: datetime | None = None
    points: int | None = None
    """What the service gives for signing in, and sells things for."""
    service_provider: bool | None = None
    """Whether the account itself offers nodes to others."""
    sign_in_days: int | None = None
    sign_in_traffic: int | None = None
    """Bytes gained by signing in, ever."""
    signed_in_today: bool | None = None
    traffic_in: int | None = None
    """Bytes, ever."""
    traffic_left: int | None = None
    """Bytes."""
    traffic_out: int | None = None
    """Bytes, ever."""
    traffic_today: int | None = None
    """Bytes used since the service's midnight."""
    tunnels_allowed: int | None = None
    tunnels_used: int | None = None
    verified: bool | None = None
    """Whether the person has proved who they are (real name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInStatistics(Resource):
    """What an account has gained by its daily sign-in, where that is a reading of its own."""

    kind: ClassVar[str] = "sign_in"
    part_of: ClassVar[str | None] = "account"

    last_sign_in: datetime | None = None
    sign_in_points: int | None = None
    """Points gained by signing in, ever."""
    sign_ins: int | None = None
    signed_in_today: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTraffic(Resource):
    """What went through an account's tunnels since the service's midnight, in bytes."""

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
    """The newest messages to an account, the oldest of them first."""

    kind: ClassVar[str] = "inbox"
    part_of: ClassVar[str | None] = "account"

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a person says of the account to be made. contact: a number at a messenger."""

    username: str
    mail: str
    password: str = field(repr=False)
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What is to change of an account; None leaves it.

    contact: a number at a messenger. picture: its URL.
    current_password: needed to change the password.
    """

    username: str | None = None
    contact: str | None = None
    picture: str | None = None
    password: str | None = field(default=None, repr=False)
    current_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person needs to let us in with a browser. url: where; user_code: what to check there.

    minutes: how long that is possible.
    """

    user_code: str
    url: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Captcha:
    """The answers of a solved GeeTest captcha."""

    lot_number: str
    captcha_output: str
    pass_token: str
    gen_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTraffic:
    """What went through on one day, in bytes. day: "YYYY-MM-DD"."""

    day: str
    traffic_in: int | None
    traffic_out: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """What a daily sign-in brought.

    already: it had been done today. points: gained. traffic: bytes gained. traffic_left: bytes.
    message: the service's own words.
    """

    already: bool
    message: str
    points: int | None = None
    traffic: int | None = None
    traffic_left: int | None = None
