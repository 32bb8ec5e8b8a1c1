"""What can be done with subdomains."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from ..models.subdomains import Subdomain


@runtime_checkable
class CanManageSubdomains(Protocol):
    """The service gives away names under its domains.

    ttls: the times that a record may live, such as "10m".
    """

    ttls: Collection[str]

    async def domains(self) -> tuple[str, ...]:
        """Return the domains under which there may be names."""

    async def subdomains(self) -> tuple[Subdomain, ...]:
        """Return the account's names."""

    async def create_subdomain(self, subdomain: Subdomain) -> None:
        """Make a name."""

    async def update_subdomain(self, changes: Subdomain) -> None:
        """Change the target or the ttl of the name that is meant."""

    async def delete_subdomain(self, subdomain: Subdomain) -> None:
        """Delete a name."""
