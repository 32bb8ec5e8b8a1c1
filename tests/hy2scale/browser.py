"""The steps in the user interface that add a HY2 SCALE node."""

from yarl import URL

from ..browser.add_account import AddAccount

ADD_ACCOUNT = AddAccount(
    choices=["HY2 SCALE"],
    fields=lambda facts: {
        "Host": str(URL(facts["url"]).host),
        "Port": str(URL(facts["url"]).port),
        "Username": facts["username"],
        "Password": facts["password"],
    },
    secret="Password",
    switched_off=True,
)
