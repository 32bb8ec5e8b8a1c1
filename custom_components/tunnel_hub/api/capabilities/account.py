"""What can be done with an account."""

from typing import Protocol, runtime_checkable

from ..models.account import (
    AccountChanges,
    Captcha,
    DayTraffic,
    DeviceCode,
    NewAccount,
    SignInResult,
)
from ..provider import Credentials


@runtime_checkable
class CanSignIn(Protocol):
    """The service rewards a daily sign-in."""

    async def sign_in(self) -> SignInResult:
        """Do the sign-in of the service's day, see ProviderDescription.time_zone."""


@runtime_checkable
class CanSignInWithCaptcha(Protocol):
    """The service rewards a daily sign-in by people: a captcha keeps programs out."""

    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        """Do today's sign-in with the answers of a captcha that a person has solved."""


@runtime_checkable
class CanSendCode(Protocol):
    """A change of the link token needs a code that is mailed first."""

    async def send_code(self) -> None:
        """Have the code mailed to the account's address."""


@runtime_checkable
class CanResetToken(Protocol):
    """The link token of client programs can be replaced."""

    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the link token; the new one, None where it can no longer be read.

        code: the mailed one, where the service wants one.
        """


@runtime_checkable
class CanUpdateAccount(Protocol):
    """An account can be changed without a browser."""

    async def update_account(self, changes: AccountChanges) -> None:
        """Change what is named; what comes after a refusal is left as it was."""


@runtime_checkable
class CanGetTrafficHistory(Protocol):
    """The service keeps the traffic of the last days."""

    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return the days of a tunnel, or of the account, the oldest first."""


@runtime_checkable
class CanRegister(Protocol):
    """Accounts can be made without a browser."""

    async def send_registration_code(self, new: NewAccount) -> None:
        """Have a code mailed to a new user."""

    async def register(self, new: NewAccount, code: str) -> None:
        """Make the account with the mailed code."""


@runtime_checkable
class CanSignInByDevice(Protocol):
    """A person lets us in with a browser, wherever that is (RFC 8628)."""

    async def begin_device_sign_in(self) -> DeviceCode:
        """Ask for a code that the person can agree to."""

    async def finish_device_sign_in(self) -> Credentials:
        """Wait until the person has agreed; the credentials that sign in from then on."""


@runtime_checkable
class CanRecoverPassword(Protocol):
    """A forgotten password can be replaced without a browser."""

    async def send_recovery_code(self, username: str) -> None:
        """Have a code mailed to the user."""

    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the mailed code."""


@runtime_checkable
class CanInitialize(Protocol):
    """A server that somebody has just installed can be set up without a browser."""

    async def is_initialized(self) -> bool:
        """Tell whether it has been; raises OtherServiceError for a server of another kind."""

    async def initialize(self, jwt_secret: str, admin: NewAccount) -> None:
        """Begin an empty world with one administrator."""


@runtime_checkable
class CanRegisterWithMail(Protocol):
    """Accounts can be made without a browser; a token in a mail proves the address."""

    async def open_account(self, new: NewAccount) -> bool:
        """Make an account; whether its address must be proved before it can be used."""

    async def send_mail_again(self, new: NewAccount) -> bool:
        """Have another mail sent; whether the address must still be proved."""

    async def verify_mail(self, token: str) -> None:
        """Prove the address. token: the mailed one, or the whole link with it."""
