"""How a person adds an account at HayFrp."""

from ..browser.way import Way

WAY = Way(
    choices=["HayFrp", "Sign in with user name and password"],
    section="Address of the service",
    fields=lambda facts: {
        "User name": facts["username"],
        "Password": facts["password"],
        "Base URL": facts["url"],
    },
    secret="Password",
)
