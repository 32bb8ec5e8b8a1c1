"""``python -m simulator`` as a script meets it."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest


async def test_it_prints_where_it_is_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--json", "--tunnels", "2", "--nodes", "1"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    ready = json.loads(await process.stdout.readline())["hayfrp"]

    assert (ready["username"], ready["password"]) == ("demo", "demo-password")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{ready['url']}/_control/state") as response,
    ):
        state = await response.json()
    assert (len(state["tunnels"]), len(state["nodes"])) == (2, 1)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_it_is_readable_too() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--services", "hayfrp"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    name, url, *credentials = (await process.stdout.readline()).decode().split()

    assert name == "hayfrp"
    assert url.startswith("url=http://127.0.0.1:")
    assert credentials == [
        "username=demo",
        "password=demo-password",
        "other_username=other",
        "other_password=other-password",
    ]
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0


@pytest.mark.parametrize("arguments", [["--services", "nofrp"], ["--tunnels", "many"]])
async def test_it_refuses_what_it_does_not_know(arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, message = await process.communicate()

    assert process.returncode == 2
    assert b"invalid" in message
