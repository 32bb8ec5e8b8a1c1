"""What can be done with an account."""

from abc import abstractmethod

from ..models.account import (
    AccountChanges,
    Captcha,
    DayTraffic,
    DeviceCode,
    NewAccount,
    SignInResult,
)
from ..provider import Credentials
from . import Capability


class CanSignIn(Capability):
    """The service rewards a daily sign-in."""

    @abstractmethod
    async def sign_in(self) -> SignInResult:
        """Do the sign-in of the service's day, see ProviderDescription.time_zone."""


class CanSignInWithCaptcha(Capability):
    """The service rewards a daily sign-in by people: a captcha keeps programs out."""

    @abstractmethod
    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        """Do today's sign-in with the answers of a captcha that a person has solved."""


class CanSendCode(Capability):
    """A change of the link token needs a code that is mailed first."""

    @abstractmethod
    async def send_code(self) -> None:
        """Request an email with the code, to the address of the account."""


class CanResetToken(Capability):
    """The link token of client programs can be replaced."""

    @abstractmethod
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the link token; the new one, None where it can no longer be read.

        code: the mailed one, where the service wants one.
        """


class CanUpdateAccount(Capability):
    """An account can be changed without a browser."""

    @abstractmethod
    async def update_account(self, changes: AccountChanges) -> None:
        """Change what is named; what comes after a refusal is left as it was."""


class CanGetTrafficHistory(Capability):
    """The service keeps the traffic of the last days."""

    @abstractmethod
    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return the days of a tunnel, or of the account, the oldest first."""


class CanSignInByDevice(Capability):
    """A person lets us in with a browser, wherever that is (RFC 8628)."""

    @abstractmethod
    async def begin_device_sign_in(self) -> DeviceCode:
        """Ask for a code that the person can agree to."""

    @abstractmethod
    async def finish_device_sign_in(self) -> Credentials:
        """Wait until the person has agreed; the credentials that sign in from then on."""


class CanRecoverPassword(Capability):
    """A forgotten password can be replaced without a browser."""

    @abstractmethod
    async def send_recovery_code(self, username: str) -> None:
        """Request an email with a recovery code."""

    @abstractmethod
    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the code from the email."""


class CanRegister(Capability):
    """Accounts can be created without a browser; what was mailed proves the address."""

    @abstractmethod
    async def begin_registration(self, new: NewAccount) -> bool:
        """Have a code mailed, or create the account; whether a mailed code is needed."""

    @abstractmethod
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Create the account, or prove its address, with the mailed code."""

    async def resend_registration_code(self, new: NewAccount) -> bool:
        """Have another code mailed; whether it is still needed."""
        return await self.begin_registration(new)
