"""Certificates of a node: imported, generated, signed and deleted."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .. import coerce
from ..capabilities.collections import CertificateCollection, EditableCollection
from ..errors import InvalidInputError
from ..models.certificates import CertificateImport, NewCertificate, SignedCertificate
from .client import Hy2ScaleClient
from .collections import RowCollections
from .payloads import row_fields


class CertificateCommands:
    """The commands for a node's certificates."""

    _client: Hy2ScaleClient
    _collections: RowCollections

    def _certificate_collections(self) -> Mapping[type, EditableCollection[Any]]:
        """Return the ways to create a certificate, by class of the payload."""
        ways: Mapping[type, Callable[[Any], Awaitable[str]]] = {
            CertificateImport: self.import_certificate,
            NewCertificate: self.generate_certificate,
            SignedCertificate: self.sign_certificate,
        }
        return {
            payload: CertificateCollection(
                create=create, delete=self.delete_certificate, pem=self.certificate_pem
            )
            for payload, create in ways.items()
        }

    async def import_certificate(self, certificate: CertificateImport) -> str:
        """Import a certificate and return its id."""
        fields = row_fields(certificate)
        if certificate.certificate_path:
            await self._client.import_certificate_path(fields)
        else:
            await self._client.import_certificate(fields)
        await self._collections.certificates.row(certificate.id)
        return certificate.id

    async def generate_certificate(self, new: NewCertificate) -> str:
        """Create a certificate, or an authority if the node supports it; return its id."""
        if new.is_ca and new.id in await self._collections.certificates.ids():
            # A certificate that may be removed below must be the new one.
            raise InvalidInputError("already_exists", name=new.id)
        await self._client.generate_certificate(
            {
                "id": new.id,
                "name": new.name or new.id,
                "domains": list(new.domains),
                "days": new.days or 0,
                "is_ca": new.is_ca,
            }
        )
        row = await self._collections.certificates.row(new.id)
        if new.is_ca and coerce.boolean(row.get("is_ca")) is False:
            await self._collections.certificates.remove(new.id)
            raise InvalidInputError("makes_no_authorities")
        return new.id

    async def sign_certificate(self, new: SignedCertificate) -> str:
        """Create a certificate signed by an authority of the node; return its id."""
        row = await self._collections.certificates.row(new.authority)
        if coerce.boolean(row.get("is_ca")) is False:
            raise InvalidInputError("no_authority", name=new.authority)
        await self._client.sign_certificate(
            {
                "ca_id": new.authority,
                "id": new.id,
                "name": new.name or new.id,
                "cn": new.host,
                "days": new.days or 0,
            }
        )
        await self._collections.certificates.row(new.id)
        return new.id

    async def delete_certificate(self, id_: str) -> None:
        """Delete a certificate."""
        await self._collections.certificates.remove(id_)

    async def certificate_pem(self, id_: str) -> str:
        """Return a certificate as PEM, without its key."""
        await self._collections.certificates.row(id_)
        return await self._client.certificate_pem(id_)
