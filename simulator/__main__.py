"""Runs the services until SIGINT or SIGTERM: ``python -m simulator --help``."""

import argparse
import asyncio
import json
import signal
import sys

from . import SERVICES, Simulator


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="Simulates the tunnel services on loopback."
    )
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=list(SERVICES))
    parser.add_argument("--tunnels", type=int, default=5, help="tunnels in the demo account")
    parser.add_argument("--nodes", type=int, default=8, help="nodes of each service")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--seed", type=int, default=1, help="the seed of all random data")
    parser.add_argument("--port-base", type=int, default=0, help="first port; 0 takes free ones")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Simulator(
        options.services,
        tunnels=options.tunnels,
        nodes=options.nodes,
        latency=options.latency,
        seed=options.seed,
        port_base=options.port_base,
    ) as simulator:
        ready = {name: service.facts for name, service in simulator.services.items()}
        if options.json:
            print(json.dumps(ready), flush=True)
        else:
            for name, facts in ready.items():
                print(name, *(f"{fact}={value}" for fact, value in facts.items()), flush=True)
        await stop.wait()


asyncio.run(run(parse(sys.argv[1:])))
