"""The steps in the user interface that add an EasyTier account."""

from ..browser.add_account import AddAccount

ADD_ACCOUNT = AddAccount(
    choices=[
        "EasyTier (your own or a public node manager)",
        "Sign in with email address and password",
    ],
    fields=lambda facts: {
        "Server": facts["url"],
        "Email address": facts["email"],
        "Password": facts["password"],
    },
    secret="Password",
)
