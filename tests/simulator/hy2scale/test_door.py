"""Where the API is, who may ask, and how it says no."""

import ssl
import subprocess
import sys

import aiohttp
import pytest

from simulator.hy2scale import Hy2ScaleService, hashed

from ..conftest import HOUR
from .conftest import Api


async def test_the_default_password_is_told(hy2scale: Hy2ScaleService, visitor: Api) -> None:
    hy2scale.set_password("admin")

    assert (await visitor.sign_in(password="admin"))["force_password_change"] is True


async def test_a_token_lives_while_it_is_used(api: Api, hy2scale: Hy2ScaleService) -> None:
    for _ in range(3):
        hy2scale.advance(11 * HOUR)
        await api.get("/node")

    hy2scale.advance(12 * HOUR)
    await api.get("/node", status=401)


async def test_how_long_is_a_setting(api: Api, hy2scale: Hy2ScaleService) -> None:
    await api.put("/settings/ui", {"session_timeout_h": 1})
    await api.get("/node")

    hy2scale.advance(HOUR)
    await api.get("/node", status=401)


async def test_several_tokens_live_side_by_side(api: Api) -> None:
    first = api.token
    await api.sign_in()

    assert await api.get("/node", headers={"Authorization": f"Bearer {first}"})


async def test_a_restart_ends_the_tokens_and_keeps_the_place(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    url = hy2scale.api_url
    await hy2scale.restart()

    assert hy2scale.api_url == url
    await api.get("/node", status=401)
    await api.sign_in()
    await api.get("/node")


async def test_another_password_ends_the_tokens(api: Api) -> None:
    await api.put(
        "/settings/password",
        {
            "current_password": hashed("hub-password"),
            "new_username": "root",
            "new_password": hashed("better"),
        },
    )

    await api.get("/node", status=401)
    await api.sign_in("root", "better")
    await api.get("/node")


@pytest.mark.parametrize(
    "path, status, location",
    [
        ("/scale", 301, "/scale/"),
        ("/scale/no-page", 302, "/scale/login"),
        ("/scale/apinode", 302, "/scale/login"),
        ("/scale/nodes", 200, None),
        ("/scalenode", 404, None),
        ("/api/node", 404, None),
        ("/", 404, None),
    ],
)
async def test_paths_that_are_not_of_the_api(
    api: Api, hy2scale: Hy2ScaleService, path: str, status: int, location: str | None
) -> None:
    async with api.session.get(hy2scale.url + path, allow_redirects=False) as response:
        assert (response.status, response.headers.get("Location")) == (status, location)


@pytest.mark.parametrize("base_path, expected", [("/x/y/", "/x/y/api"), ("", "/api")])
async def test_the_base_path_is_a_setting_for_after_a_restart(
    api: Api, hy2scale: Hy2ScaleService, base_path: str, expected: str
) -> None:
    answer = await api.put("/settings/ui", {"base_path": base_path})
    assert "restart" in answer["note"]
    await api.get("/node")

    await hy2scale.restart()

    assert hy2scale.api_url == hy2scale.url + expected
    await api.sign_in()
    await api.get("/node")
    assert hy2scale.calls_to("/api/node")[-1].status == 200


async def test_unknown_routes_and_methods(api: Api) -> None:
    assert await api.get("/no/such/route", status=404) == "404 page not found\n"
    assert await api.post("/node", {}, status=405) == "Method Not Allowed\n"


@pytest.mark.parametrize("missing", ["/api/ss", "GET /api/ss"])
async def test_a_version_can_lack_a_route(
    api: Api, hy2scale: Hy2ScaleService, missing: str
) -> None:
    hy2scale.state.settings.missing_routes = [missing]

    if missing == "/api/ss":
        assert await api.get("/ss", status=404) == "404 page not found\n"
    else:
        await api.get("/ss", status=405)


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "EOF"),
        (b"{", "invalid JSON"),
        (b"[]", "cannot unmarshal"),
        (b'{"enabled": 1}', "field enabled of type bool"),
    ],
)
async def test_what_cannot_be_read_is_refused(api: Api, body: bytes, reason: str) -> None:
    answer = await api.ask("PUT", "/rules/video/toggle", status=400, data=body)

    assert reason in answer


async def test_the_content_type_does_not_matter(api: Api, hy2scale: Hy2ScaleService) -> None:
    await api.put("/rules/video/toggle", data=b'{"enabled": false}')

    assert not hy2scale.state.rules["video"].enabled


async def test_it_speaks_https_when_told(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.ui.force_https, hy2scale.state.ui.https_cert_id = True, "web"
    await hy2scale.restart()
    assert hy2scale.url.startswith("https://")

    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await api.sign_in()

    authority = hy2scale.state.certificates["mesh-ca"].cert
    trusting = ssl.create_default_context(cadata=authority)
    async with api.session.get(f"{hy2scale.api_url}/build-id", ssl=trusting) as response:
        assert response.status == 200


def test_worlds_are_built_in_frozen_time_and_after_it() -> None:
    # A process of its own: what counts is which of the worlds is the first.
    script = """
from freezegun import freeze_time
from simulator import Simulator
with freeze_time("2026-11-20"):
    Simulator(["hy2scale"])
Simulator(["hy2scale"])
"""
    subprocess.run([sys.executable, "-c", script], check=True)
