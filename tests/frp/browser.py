"""The steps in the user interface that add a server of frp."""

from ..browser.add_account import AddAccount

ADD_ACCOUNT = AddAccount(
    choices=["frp (your own server or client)", "frps: the server, with its dashboard"],
    fields=lambda facts: {
        "Dashboard": facts["url"],
        "Username": facts["username"],
        "Password": facts["password"],
    },
    secret="Password",
)
