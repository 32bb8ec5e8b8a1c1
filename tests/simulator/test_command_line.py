"""Tests the command line of ``python -m simulator``."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest


async def test_prints_json_and_stops_at_sigterm() -> None:
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


async def test_prints_text_and_stops_at_sigint() -> None:
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
async def test_refuses_unknown_arguments(arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, message = await process.communicate()

    assert process.returncode == 2
    assert b"invalid" in message
