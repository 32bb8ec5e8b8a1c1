"""Tests the simulated frpc with the recordings of version 0.70.1."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession, encode_basic_auth
import pytest

from simulator import Simulator
from simulator.frp import FrpService

from . import Difference, Replay, count_replayed, load

RECORDED = "frpc-0.70.1"

DIFFERENCES: tuple[Difference, ...] = ()

FILE = """\
serverAddr = "127.0.0.1"
serverPort = 7000
user = "alice"
clientID = "ha"
auth.token = "t"
loginFailExit = false
webServer.addr = "127.0.0.1"
webServer.port = 7400
webServer.user = "admin"
webServer.password = "pw"
store.path = "/var/lib/frpc/store.json"
[[proxies]]
name = "nas"
type = "tcp"
localIP = "127.0.0.1"
localPort = 9000
remotePort = 6001
[[proxies]]
name = "web"
type = "http"
localPort = 9000
subdomain = "w"
"""


@pytest.fixture
async def frp() -> AsyncIterator[FrpService]:
    """The recorded client."""
    async with Simulator(["frp"], tunnels=0) as simulator:
        service = simulator.get(FrpService)
        client = service.state.client
        client.config, client.password = FILE, "pw"
        client.subdomain_host, client.http_port = "example.test", 8088
        client.read_file()
        yield service


async def test_simulator_answers_like_the_real_client(
    session: ClientSession, frp: FrpService, request: pytest.FixtureRequest
) -> None:
    replay = Replay(session, frp.frpc_url, differences=DIFFERENCES, values=True)

    for recording in load(RECORDED):
        signed = {"Authorization": encode_basic_auth("admin", "pw")}
        await replay.ask(recording, headers={} if recording.note == "no password" else signed)

    replay.check()
    count_replayed(request.node, RECORDED, "simulator", replay.replayed)
