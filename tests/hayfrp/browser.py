"""The steps in the user interface that add a HayFrp account."""

from ..browser.add_account import AddAccount

ADD_ACCOUNT = AddAccount(
    choices=["HayFrp", "Sign in with username and password"],
    section="Service address",
    fields=lambda facts: {
        "Username": facts["username"],
        "Password": facts["password"],
        "Base URL": facts["url"],
    },
    secret="Password",
)
