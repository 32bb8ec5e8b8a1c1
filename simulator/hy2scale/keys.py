"""Keys and certificates: X25519 for WireGuard, X.509 for TLS."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from random import Random
import ssl
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import NameOID

from .state import Certificate


def new_wireguard_key(random: Random) -> str:
    """Return a private key."""
    return b64encode(random.randbytes(32)).decode()


def wireguard_public_key(private_key: str) -> str:
    """Return the public key of a private key; raises ValueError for invalid keys."""
    private = X25519PrivateKey.from_private_bytes(b64decode(private_key))
    return b64encode(private.public_key().public_bytes_raw()).decode()


def issue(
    random: Random,
    now: float,
    identifier: str,
    *,
    domains: Iterable[str],
    days: float,
    name: str = "",
    is_ca: bool = False,
    issuer: Certificate | None = None,
) -> Certificate:
    """Return a new certificate for host names and IP addresses, self-signed without an issuer."""
    hosts = list(domains)
    key = ec.derive_private_key(random.randrange(1, 2**255), ec.SECP256R1())
    subject = _named(hosts[0])
    signer = serialization.load_pem_private_key(issuer.key.encode(), None) if issuer else key
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the issuer's key is of another kind")
    start = datetime.fromtimestamp(now, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(read(issuer.cert).subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(random.randrange(1, 2**64))
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False
        )
        .add_extension(_usage(is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return Certificate(
        id=identifier,
        name=name or identifier,
        cert=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode(),
    )


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the TLS context of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Contexts only load keys from files.
    with TemporaryDirectory() as folder:
        cert, key = Path(folder, "crt"), Path(folder, "key")
        cert.write_text(certificate.cert)
        key.write_text(certificate.key)
        context.load_cert_chain(cert, key)
    return context


def read(pem: str) -> x509.Certificate:
    """Return the certificate of a PEM text; raises ValueError for other texts."""
    return x509.load_pem_x509_certificate(pem.encode())


def describe(certificate: Certificate) -> dict[str, object]:
    """Return a certificate as the service lists it, without its key."""
    parsed = read(certificate.cert)
    path = f"/data/tls/{certificate.id}"
    return {
        "id": certificate.id,
        "name": certificate.name,
        "subject": _common_name(parsed.subject),
        "issuer": _common_name(parsed.issuer),
        "not_after": f"{parsed.not_valid_after_utc:%Y-%m-%d}",
        "is_ca": is_authority(certificate),
        **({"key_file": f"{path}.key"} if certificate.key else {}),
        "cert_file": f"{path}.crt",
        **({"ca_parent_id": certificate.ca_parent_id} if certificate.ca_parent_id else {}),
    }


def is_authority(certificate: Certificate) -> bool:
    """Return whether a certificate can sign others."""
    constraints = read(certificate.cert).extensions.get_extension_for_class(x509.BasicConstraints)
    return constraints.value.ca


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _common_name(name: x509.Name) -> str:
    return "".join(
        str(attribute.value) for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME)
    )


def _usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


# The first certificate makes cryptography keep the class datetime for the rest of the process.
# While a test freezes the time, this would be a class that is replaced afterwards.
issue(Random(0), 0.0, "first", domains=["localhost"], days=1)
