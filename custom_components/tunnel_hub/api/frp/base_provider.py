"""What frps and frpc have in common as entries: address and authentication."""

from abc import abstractmethod
from contextlib import suppress
from http import HTTPStatus
from typing import ClassVar, override

from aiohttp import ClientSession
from yarl import URL

from .. import coerce
from ..address import base_url
from ..errors import InvalidInputError, Reason, TunnelHubError, UnavailableError, UnsupportedError
from ..http import Transport
from ..provider import (
    KIND,
    OUTSIDE_ADDRESS,
    Credentials,
    Identity,
    Options,
    Provider,
    ProviderDescription,
)
from ..tls import trust

FRP = ProviderDescription(
    key="frp",
    name="frp",
    console_url="https://github.com/fatedier/frp",
    time_zone=None,
    has_public_tunnels=True,
    has_outside_address=True,
)

_PAGES = ("static", "api")
"""The first path segments of a program's own pages."""
_OF_OTHERS = ("HTTP 200", "HTTP 404")
"""Details of errors that only other servers' pages cause. Firewalls use other statuses."""


def _address(credentials: Credentials) -> str:
    return base_url(credentials.get("base_url", ""), pages=_PAGES)


def _id(address: str) -> str:
    """Return the id of a program: its address, because the programs do not identify themselves."""
    return address.partition("://")[2]


class FrpProgram(Provider):
    """One program of frp.

    credentials: kind, as in FrpProvider.kinds; base_url; username and password, if the program
    requires them; verify and ca as in tls.trust.
    kind: the name of its kind.
    guarded: a path that requires authentication.
    is_open: whether it requires no password; None before that is known.
    """

    kind: ClassVar[str]
    guarded: ClassVar[str]
    description = FRP

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        self._url = _address(credentials)
        self.credentials = {**credentials, "base_url": self._url}
        if self.credentials.get("verify") == "true":
            # This is the default.
            del self.credentials["verify"]
        self._transport = Transport(session, (self._url,), ssl=trust(credentials))
        self._signs_in = credentials.get("username", ""), credentials.get("password", "")
        self._outside = coerce.text(options.get(OUTSIDE_ADDRESS))
        self.is_open: bool | None = None

    @property
    @override
    def console_url(self) -> str:
        return f"{self._url}/"

    @abstractmethod
    async def _look(self) -> None:
        """Read something that only this program has."""

    async def _learn_whether_open(self) -> None:
        """Find out once whether the program requires no password.

        Called after the program has answered. Without credentials, this was without a password.
        """
        if self.is_open is None and not any(self._signs_in):
            self.is_open = True
        elif self.is_open is None:
            with suppress(TunnelHubError):
                answer = await self._transport.request("GET", self.guarded, read=True)
                self.is_open = answer.status == HTTPStatus.OK

    @override
    async def identify(self) -> Identity:
        try:
            await self._look()
        except UnsupportedError:
            raise InvalidInputError("no_frp_here", program=self.kind) from None
        except UnavailableError as err:
            if err.reason is Reason.MALFORMED or err.detail in _OF_OTHERS:
                raise InvalidInputError("no_frp_here", program=self.kind) from err
            raise
        return Identity(id=_id(self._url), title=_id(self._url))

    @classmethod
    @override
    def id_in(cls, credentials: Credentials) -> str:
        return _id(_address(credentials))

    @override
    def is_account_of(self, stored: Credentials, known_by: str) -> bool | None:
        """Return None for another address, because nothing shows that it is the same program."""
        if stored.get(KIND) != self.kind:
            return False
        with suppress(InvalidInputError):
            if _address(stored) == self._url:
                return True
        return None

    @property
    def outside_host(self) -> str:
        """The public host of the server: that of its dashboard, unless another one is set."""
        return self._outside or URL(self._url).host or ""
