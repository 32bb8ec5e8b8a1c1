"""How a person adds an account at EasyTier."""

from ..browser.way import Way

WAY = Way(
    choices=[
        "EasyTier (your own node manager, or a public one)",
        "Sign in with mail address and password",
    ],
    fields=lambda facts: {
        "Server": facts["url"],
        "Mail address": facts["email"],
        "Password": facts["password"],
    },
    secret="Password",
)
