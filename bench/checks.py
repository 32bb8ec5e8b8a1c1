"""Compares the costs of checks of public addresses with those of bare connections."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
import ssl
import subprocess
import sys
import time

from custom_components.tunnel_hub.checks.addresses import Target, Zone, tunnel_target
from custom_components.tunnel_hub.checks.certificates import TlsContexts
from custom_components.tunnel_hub.checks.checker import AT_ONCE, Checker, InternetCheck

_TUNNELS = 200
_SERVER = """
import socket
with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        with server.accept()[0] as client:
            client.sendall(b"SSH-2.0-bench\\r\\n")
"""
"""A service that sends a banner, in its own process."""


def _open_sockets() -> int:
    return sum(link.is_socket() for link in Path("/proc/self/fd").iterdir() if link.exists())


async def _measure(work: Callable[[], Awaitable[None]]) -> tuple[float, int]:
    """Run work for each tunnel; return seconds of CPU, and the maximum of open sockets."""
    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(_TUNNELS)))
    cpu = time.process_time() - began
    # Counting sockets costs CPU, so it is done in another run.
    before = most = _open_sockets()
    tasks = [asyncio.ensure_future(work()) for _ in range(_TUNNELS)]
    while not all(task.done() for task in tasks):
        most = max(most, _open_sockets())
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return cpu, most - before


async def _compare(port: int) -> None:
    context = ssl.create_default_context()
    checker = Checker(TlsContexts(context, context), InternetCheck([]))
    target = tunnel_target("tcp", f"127.0.0.1:{port}", Zone.MACHINE)
    if not isinstance(target, Target):
        raise TypeError
    slots = asyncio.Semaphore(AT_ONCE)

    async def _check() -> None:
        result = await checker.check(target)
        if not result.is_reached:
            raise RuntimeError(f"The service cannot be reached: {result}")

    async def _connect() -> None:
        async with slots:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.read(100)
            writer.transport.abort()

    await _check()
    await _connect()
    checks, connections = await _measure(_check), await _measure(_connect)
    print(f"| {_TUNNELS} checked tunnels | checks | bare connections | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for name, ours, bare in (
        ("CPU ms", checks[0] * 1e3, connections[0] * 1e3),
        ("open sockets", checks[1], connections[1]),
    ):
        print(f"| {name} | {ours:.0f} | {bare:.0f} | {ours / bare:.2f} |")


def main() -> None:
    """Prints a table."""
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None:
                raise RuntimeError("The service did not start")
            asyncio.run(_compare(int(server.stdout.readline())))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
