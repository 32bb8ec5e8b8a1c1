"""Decides how the certificate of a self-hosted service is verified."""

import ssl

from .errors import InvalidInputError
from .provider import Credentials


def trust(credentials: Credentials) -> ssl.SSLContext | bool:
    """Return the SSL settings for aiohttp; with a CA, only that one is trusted.

    Raises InvalidInputError for an invalid CA.

    credentials: verify ("true" by default, or "false") and ca (PEM), as the user chose.
    """
    if credentials.get("verify", "true") != "true":
        return False
    if not (authority := credentials.get("ca")):
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The user may also enter the certificate of the service itself.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        # Only with cadata no file is read, so this does not block the event loop.
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as err:
        raise InvalidInputError("invalid_ca") from err
    return context
