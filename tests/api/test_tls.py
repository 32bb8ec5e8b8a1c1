"""Tests certificate checks, with the certificates of the system or with a custom CA."""

from collections.abc import AsyncIterator
import time

from aiohttp import BaseConnector, ClientError, ClientRequest, ClientSession
from aiohttp.connector import Connection
import pytest
from yarl import URL

from custom_components.tunnel_hub.api import PROVIDERS, create_provider
from custom_components.tunnel_hub.api.errors import Reason, UnavailableError
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.tls import trust
from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService
from simulator.hy2scale.keys import issue


@pytest.fixture
async def hy2scale() -> AsyncIterator[Hy2ScaleService]:
    """A service with HTTPS and a certificate of an unknown CA."""
    async with Simulator(services=("hy2scale",)) as running:
        service = running.get(Hy2ScaleService)
        service.state.ui.force_https, service.state.ui.https_cert_id = True, "web"
        await service.restart()
        yield service


def address(service: Hy2ScaleService) -> str:
    """Return the HTTPS URL of a service."""
    return f"https://127.0.0.1:{URL(service.url).port}"


async def error_of(transport: Transport) -> Reason:
    """Send a request, and return the reason of its error."""
    with pytest.raises(UnavailableError) as caught:
        await transport.request("GET", "/", read=False)
    return caught.value.reason


async def test_an_unknown_ca(session: ClientSession, hy2scale: Hy2ScaleService) -> None:
    assert await error_of(Transport(session, (address(hy2scale),))) is Reason.TLS


@pytest.mark.parametrize("name", sorted(PROVIDERS))
async def test_no_provider_sends_a_request_before_the_check(
    session: ClientSession, hy2scale: Hy2ScaleService, name: str
) -> None:
    """No provider sends a request if the certificate is invalid."""
    url = URL(address(hy2scale))
    credentials = {
        "base_url": str(url).rstrip("/"),
        "host": str(url.host),
        "port": str(url.port),
        "username": "demo",
        "email": "demo@example.com",
        "password": "demo-password",
    }
    provider = create_provider(name, session, credentials, {})

    with pytest.raises(UnavailableError) as caught:
        await provider.identify()

    assert caught.value.reason is Reason.TLS
    assert not hy2scale.calls


async def test_a_custom_ca(session: ClientSession, hy2scale: Hy2ScaleService) -> None:
    """Only this CA is trusted."""
    state = hy2scale.state
    ours, other = (
        trust({"ca": certificate.cert})
        for certificate in (state.certificates["mesh-ca"], state.certificates["default"])
    )

    await Transport(session, (address(hy2scale),), ssl=ours).request("GET", "/", read=False)
    assert await error_of(Transport(session, (address(hy2scale),), ssl=other)) is Reason.TLS


@pytest.mark.parametrize("domain, days_ago", [("elsewhere.example.com", 1), ("127.0.0.1", 10)])
async def test_a_certificate_for_another_host_or_time(
    session: ClientSession, hy2scale: Hy2ScaleService, domain: str, days_ago: int
) -> None:
    state = hy2scale.state
    authority = state.certificates["mesh-ca"]
    begin = time.time() - days_ago * 86400
    state.certificates["web"] = issue(
        hy2scale.random, begin, "web", domains=[domain], days=9, issuer=authority
    )
    await hy2scale.restart()

    transport = Transport(session, (address(hy2scale),), ssl=trust({"ca": authority.cert}))

    assert await error_of(transport) is Reason.TLS


@pytest.mark.parametrize(
    "name, credentials", [("chmlfrp", {"token": "t"}), ("hayfrp", {"token": "t"})]
)
async def test_https_is_the_default(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, name: str, credentials: dict[str, str]
) -> None:
    urls: list[URL] = []

    async def _connect(
        _connector: BaseConnector, request: ClientRequest, **_options: object
    ) -> Connection:
        urls.append(request.url)
        raise ClientError

    monkeypatch.setattr(BaseConnector, "connect", _connect)
    with pytest.raises(UnavailableError):
        await create_provider(name, session, credentials, {}).identify()

    assert {url.scheme for url in urls} == {"https"}
