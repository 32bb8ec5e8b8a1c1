"""Reads the certificate of a server without trusting it."""

from dataclasses import dataclass
import ssl

from cryptography import x509

from .results import CertificateProblem, ServerCertificate

# The X509_V_ERR_* codes of OpenSSL's x509_vfy.h.
_PROBLEMS = {
    2: CertificateProblem.UNKNOWN_AUTHORITY,
    9: CertificateProblem.NOT_YET_VALID,
    10: CertificateProblem.EXPIRED,
    18: CertificateProblem.SELF_SIGNED,
    19: CertificateProblem.UNKNOWN_AUTHORITY,
    20: CertificateProblem.UNKNOWN_AUTHORITY,
    21: CertificateProblem.UNKNOWN_AUTHORITY,
    62: CertificateProblem.WRONG_NAME,
    64: CertificateProblem.WRONG_NAME,
}


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """SSL contexts of a client.

    trusting: rejects untrusted certificates.
    reading: accepts all certificates.
    """

    trusting: ssl.SSLContext
    reading: ssl.SSLContext


def problem_of(error: ssl.SSLCertVerificationError) -> CertificateProblem:
    """Return the reason why a certificate was rejected."""
    return _PROBLEMS.get(error.verify_code, CertificateProblem.OTHER)


def read_certificate(
    connection: ssl.SSLObject | ssl.SSLSocket, problem: CertificateProblem | None
) -> ServerCertificate | None:
    """Return the certificate of a connection, or None if it cannot be read."""
    if (encoded := connection.getpeercert(binary_form=True)) is None:
        return None
    try:
        certificate = x509.load_der_x509_certificate(encoded)
        return ServerCertificate(
            certificate.not_valid_before_utc, certificate.not_valid_after_utc, problem
        )
    except ValueError:
        return None
