"""Certificates of a node: imported, generated, signed and deleted."""

from collections.abc import Sequence
from typing import override

from .. import coerce
from ..capabilities.certificates import CanManageCertificates
from ..errors import InvalidInputError
from ..models.certificates import CertificateImport
from .client import Hy2ScaleClient
from .collections import RowCollections
from .payloads import import_fields


class CertificateCommands(CanManageCertificates):
    """What a node does with certificates."""

    _client: Hy2ScaleClient
    _collections: RowCollections

    @override
    async def import_certificate(self, certificate: CertificateImport) -> None:
        """Import a certificate."""
        fields = import_fields(certificate)
        if certificate.certificate_path:
            await self._client.import_certificate_path(fields)
        else:
            await self._client.import_certificate(fields)
        await self._collections.certificates.row(certificate.id)

    @override
    async def generate_certificate(
        self, id_: str, domains: Sequence[str], *, name: str | None, days: int | None, is_ca: bool
    ) -> None:
        """Make a certificate that signs itself, or an authority where the node makes such."""
        if is_ca and id_ in await self._collections.certificates.ids():
            # What would have to be removed again below must not be someone else's.
            raise InvalidInputError("already_exists", name=id_)
        await self._client.generate_certificate(
            {
                "id": id_,
                "name": name or id_,
                "domains": list(domains),
                "days": days or 0,
                "is_ca": is_ca,
            }
        )
        row = await self._collections.certificates.row(id_)
        if is_ca and coerce.boolean(row.get("is_ca")) is False:
            await self._collections.certificates.remove(id_)
            raise InvalidInputError("makes_no_authorities")

    @override
    async def sign_certificate(
        self, id_: str, authority: str, host: str, *, name: str | None, days: int | None
    ) -> None:
        """Make a certificate for a host, signed by an authority that the node has."""
        row = await self._collections.certificates.row(authority)
        if coerce.boolean(row.get("is_ca")) is False:
            raise InvalidInputError("no_authority", name=authority)
        await self._client.sign_certificate(
            {"ca_id": authority, "id": id_, "name": name or id_, "cn": host, "days": days or 0}
        )
        await self._collections.certificates.row(id_)

    @override
    async def delete_certificate(self, id_: str) -> None:
        """Delete a certificate."""
        await self._collections.certificates.remove(id_)

    @override
    async def certificate_pem(self, id_: str) -> str:
        """Return a certificate as PEM, never its key."""
        await self._collections.certificates.row(id_)
        return await self._client.certificate_pem(id_)
