"""The steps in the user interface that add an EasyTier account."""

from ..browser.add_account import Way

WAY = Way(
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
