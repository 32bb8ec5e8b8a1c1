"""Runs Home Assistant with the simulator's example names resolving to loopback.

usage: python -m demo.home_assistant FOLDER PORTS ARGUMENT...

FOLDER: the working directory. PORTS: a JSON object with the port on loopback by "host:port", or by
"*" for all other example names. The integration itself is unchanged.
"""

import json
import os
import runpy
import socket
import sys
from typing import Any
from unittest.mock import patch

OTHERS = "*"
_HOST = "127.0.0.1"
_EXAMPLES = (".example.com", ".example.net", ".example.org", ".test")
"""Domains that do not exist on the internet (RFC 2606)."""


def main() -> None:
    """Runs Home Assistant in the folder like ``python -m homeassistant``."""
    folder, words, *sys.argv[1:] = sys.argv[1:]
    ports: dict[str, int] = json.loads(words)
    look_up = socket.getaddrinfo

    def _look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Resolves a name; asyncio connects to the port in the result."""
        leads_to = ports.get(f"{host}:{port}")
        if leads_to is None and isinstance(host, str) and host.endswith(_EXAMPLES):
            leads_to = ports.get(OTHERS)
        if leads_to is not None:
            host, port = _HOST, leads_to
        return look_up(host, port, *args, **kwargs)

    os.chdir(folder)
    sys.path[0] = folder
    with patch.object(socket, "getaddrinfo", _look_up):
        runpy.run_module("homeassistant", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
