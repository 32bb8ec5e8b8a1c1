"""Fixtures: certificate authorities, and loopback over IPv4 and IPv6."""

import pytest
from pytest_socket import socket_allow_hosts

from .servers import Authorities


@pytest.fixture(autouse=True)
def _both_loopbacks(socket_enabled: None) -> None:
    """Allows connections to loopback over IPv6, too."""
    socket_allow_hosts(["127.0.0.1", "::1"])


@pytest.fixture(scope="session")
def authorities() -> Authorities:
    return Authorities()
