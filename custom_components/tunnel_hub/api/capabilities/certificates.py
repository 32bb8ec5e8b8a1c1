"""What can be done with certificates."""

from abc import abstractmethod
from collections.abc import Sequence

from ..models.certificates import CertificateImport
from . import Capability


class CanManageCertificates(Capability):
    """The node keeps and issues TLS certificates.

    days: how long one lasts; None leaves it to the node.
    """

    @abstractmethod
    async def import_certificate(self, certificate: CertificateImport) -> None:
        """Import a certificate."""

    @abstractmethod
    async def generate_certificate(
        self, id_: str, domains: Sequence[str], *, name: str | None, days: int | None, is_ca: bool
    ) -> None:
        """Make a certificate that signs itself, or an authority."""

    @abstractmethod
    async def sign_certificate(
        self, id_: str, authority: str, host: str, *, name: str | None, days: int | None
    ) -> None:
        """Make a certificate for a host, signed by an authority that the node has."""

    @abstractmethod
    async def delete_certificate(self, id_: str) -> None:
        """Delete a certificate."""

    @abstractmethod
    async def certificate_pem(self, id_: str) -> str:
        """Return a certificate as PEM, never its key."""
