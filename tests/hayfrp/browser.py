"""The steps in the user interface that add a HayFrp account."""

from ..browser.add_account import Way

WAY = Way(
    choices=["HayFrp", "Sign in with username and password"],
    section="Service address",
    fields=lambda facts: {
        "Username": facts["username"],
        "Password": facts["password"],
        "Base URL": facts["url"],
    },
    secret="Password",
)
