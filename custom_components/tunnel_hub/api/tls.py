"""How far the certificate of a self-hosted service is trusted."""

import ssl

from .errors import InvalidInputError
from .provider import Credentials


def trust(credentials: Credentials) -> ssl.SSLContext | bool:
    """Return what aiohttp checks a certificate against; with a CA only that counts.

    credentials: verify ("true" without it, or "false") and ca (PEM), as the user chose.
    Raises InvalidInputError for a CA that is none.
    """
    if credentials.get("verify", "true") != "true":
        return False
    if not (authority := credentials.get("ca")):
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A service's own certificate may be given too, in place of its authority's.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        # In this form, and only in this, it reads no file: so the event loop may wait for it.
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as err:
        raise InvalidInputError("invalid_ca") from err
    return context
