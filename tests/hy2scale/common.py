"""Helpers for the tests of HY2 SCALE."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.tunnel_hub.const import DOMAIN
from simulator.hy2scale import Hy2ScaleService, User, hashed

from ..common import World

BOTH = pytest.mark.parametrize("generation", ["1.3", "documented"], indirect=True)
"""For tests that both generations of the node must pass."""

OLD = pytest.mark.parametrize("generation", ["documented"], indirect=True)
"""For tests of what only the documented generation has or lacks."""

POLL = 10
"""Seconds between two polls of the node and its mesh."""
SLOW_POLL = 30
"""Seconds between two polls of configured rows, such as users and rules."""


def node_entry(service: Hy2ScaleService) -> MockConfigEntry:
    """Return the config entry of a node."""
    url = URL(service.url)
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="entry-hub",
        title="HY2 SCALE sg-home",
        unique_id=f"hy2scale:{service.state.node_id}",
        data={
            "provider": "hy2scale",
            "host": str(url.host),
            "port": str(url.port),
            "base_path": service.state.ui.base_path,
            "https": "false",
            "verify": "true",
            "username": service.state.username,
            "password_hash": hashed("hub-password"),
        },
    )


class Hub(World[Hy2ScaleService]):
    """Home Assistant and a node."""

    def user(self, name: str) -> User:
        """Return a user's row at the node."""
        return next(u for u in self.service.state.users.values() if u.username == name)

    def user_thing(self, name: str) -> str:
        """Return the id of a user's device, as the entities use it."""
        return f"user:{self.user(name).id}"

    def sessions(self, name: str) -> str:
        """Return the id of a user's sessions, as the entities use it."""
        return f"user_sessions:{self.user(name).id}"

    def writes(self) -> list[Any]:
        """Return the requests that changed something, except logins."""
        return [
            call
            for call in self.service.calls
            if call.method != "GET" and not call.path.endswith("/login")
        ]
