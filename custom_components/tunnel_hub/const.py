"""Constants that several modules share."""

from typing import Final

DOMAIN: Final = "tunnel_hub"

CONF_PROVIDER: Final = "provider"
CONF_BASE_PATH: Final = "base_path"
CONF_BASE_URL: Final = "base_url"
CONF_CA: Final = "ca"
CONF_CONTACT: Final = "contact"
CONF_HTTPS: Final = "https"
CONF_ID_PREFIX: Final = "id_prefix"
CONF_JWT_SECRET: Final = "jwt_secret"  # noqa: S105 - the name of a field
CONF_KNOWN_BY: Final = "known_by"
CONF_NETWORK_NAME: Final = "network_name"
CONF_NETWORK_SECRET: Final = "network_secret"  # noqa: S105 - the name of a field
CONF_OAUTH_URL: Final = "oauth_url"
CONF_SEND_AGAIN: Final = "send_again"
CONF_VERIFY: Final = "verify"

CONF_SIGN_IN_DAILY: Final = "sign_in_daily"
CONF_SIGN_IN_FROM: Final = "sign_in_from"
CONF_SIGN_IN_UNTIL: Final = "sign_in_until"
