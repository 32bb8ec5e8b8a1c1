"""Runs two real EasyTier nodes on loopback with a port forward."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from demo.hass import free_port

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".python" / "easytier" / "bin" / "python"
"""The environment that scripts/test creates where possible."""

_NODE = Path(__file__).with_name("mesh_node.py")
_HOME = "10.144.144.1"


def _obstacle() -> str:
    """Returns why real nodes cannot run; "" if they can."""
    if sys.platform != "linux":
        return "only on Linux"
    tried = [str(PYTHON), "-c", "import easytier_pyo3"]
    if not PYTHON.exists() or subprocess.run(tried, check=False, capture_output=True).returncode:
        return "easytier-pyo3 is not installed (it needs CPython 3.11, 3.12 or 3.13)"
    return ""


OBSTACLE = _obstacle()
needs_nodes = pytest.mark.skipif(bool(OBSTACLE), reason=f"NOT RUN: {OBSTACLE}")


class Mesh:
    """Configurations of a node at home and a public one, which forwards a port to the home.

    port: the public one.
    """

    def __init__(self, local_port: int) -> None:
        """Selects free ports."""
        self.port = free_port()
        self._local_port = local_port
        self._link = f"tcp://127.0.0.1:{free_port()}"

    def home(self) -> dict[str, Any]:
        """Returns the configuration of the node at home."""
        return self._node("home", f"{_HOME}/24") | {"peer": [{"uri": self._link}], "listeners": []}

    def public(self) -> dict[str, Any]:
        """Returns the configuration of the public node."""
        forward = {
            "bind_addr": f"127.0.0.1:{self.port}",
            "dst_addr": f"{_HOME}:{self._local_port}",
            "proto": "tcp",
        }
        return self._node("public", "10.144.144.2/24") | {
            "listeners": [self._link],
            "port_forward": [forward],
        }

    def _node(self, name: str, address: str) -> dict[str, Any]:
        return {
            "instance_name": name,
            "ipv4": address,
            "network_identity": {"network_name": "tunnel-hub", "network_secret": "loopback"},
            # Use loopback only, without root permissions.
            "flags": {
                "bind_device": False,
                "disable_p2p": True,
                "enable_ipv6": False,
                "no_tun": True,
            },
            "stun_servers": [],
            "stun_servers_v6": [],
        }


@asynccontextmanager
async def running(configuration: dict[str, Any]) -> AsyncIterator[None]:
    """Runs a node in its own process, connected to the other node."""
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        _NODE,
        json.dumps(configuration),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(60):
            while b"ready" not in (line := await process.stdout.readline()):
                assert line, "the node has ended"
        yield
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
