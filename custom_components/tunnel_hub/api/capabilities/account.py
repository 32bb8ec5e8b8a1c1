"""Capabilities for accounts."""

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
    """The service has a daily sign-in."""

    @abstractmethod
    async def sign_in(self) -> SignInResult:
        """Sign in for the service's current day, see ProviderDescription.time_zone."""


class CanSignInWithCaptcha(Capability):
    """The service has a daily sign-in with a captcha, so only people can use it."""

    @abstractmethod
    async def sign_in_with_captcha(self, captcha: Captcha) -> SignInResult:
        """Sign in for today with the solution of a captcha."""


class CanSendCode(Capability):
    """Changing the link token requires a code from an email."""

    @abstractmethod
    async def send_code(self) -> None:
        """Send the code to the email address of the account."""


class CanResetToken(Capability):
    """The link token of client programs can be replaced."""

    @abstractmethod
    async def reset_token(self, code: str | None = None) -> str | None:
        """Replace the link token; return the new one, or None if it cannot be read.

        code: from the email, if the service requires it.
        """


class CanUpdateAccount(Capability):
    """An account can be changed."""

    @abstractmethod
    async def update_account(self, changes: AccountChanges) -> None:
        """Apply changes one after the other; the first one that is refused ends it."""


class CanGetTrafficHistory(Capability):
    """The service stores the traffic of the last days."""

    @abstractmethod
    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return the days of a tunnel, or of the account, the oldest first."""


class CanSignInByDevice(Capability):
    """The user can approve a sign-in in a browser on any device (RFC 8628)."""

    @abstractmethod
    async def begin_device_sign_in(self) -> DeviceCode:
        """Request a code for the user to approve."""

    @abstractmethod
    async def finish_device_sign_in(self) -> Credentials:
        """Wait for the approval and return the credentials."""


class CanRecoverPassword(Capability):
    """A forgotten password can be replaced."""

    @abstractmethod
    async def send_recovery_code(self, username: str) -> None:
        """Send a recovery code by email."""

    @abstractmethod
    async def recover_password(self, code: str, new_password: str) -> None:
        """Set a new password with the code."""


class CanRegister(Capability):
    """Accounts can be registered; a code from an email confirms the address."""

    @abstractmethod
    async def begin_registration(self, new: NewAccount) -> bool:
        """Send a code, or create the account; return whether a code is required."""

    @abstractmethod
    async def finish_registration(self, new: NewAccount, code: str) -> None:
        """Create the account, or confirm its address, with the code."""

    async def resend_registration_code(self, new: NewAccount) -> bool:
        """Send another code; return whether it is still required."""
        return await self.begin_registration(new)
