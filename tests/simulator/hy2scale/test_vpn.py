"""L2TP, IKEv2 and WireGuard."""

from io import BytesIO

from PIL import Image
import pytest

from simulator.hy2scale import Hy2ScaleService
from simulator.hy2scale.endpoints.vpn import REASON

from .conftest import Api


async def test_servers_tell_what_they_can(api: Api, hy2scale: Hy2ScaleService) -> None:
    for path in ("/l2tp", "/ikev2"):
        answer = await api.get(path)
        assert (answer["capable"], answer["reason"], answer["enabled"]) == (True, "", True)

    hy2scale.state.settings.kernel_right = False
    for path, name in (("/l2tp", "L2TP"), ("/ikev2", "IKEv2")):
        answer = await api.get(path)
        assert (answer["capable"], answer["reason"]) == (False, REASON)
        refusal = await api.put(path, {"enabled": False}, status=403)
        assert refusal == f"{name} unavailable: {REASON}\n"
        assert (await api.get(path))["enabled"] is True


async def test_l2tp_is_replaced(api: Api) -> None:
    await api.put("/l2tp", {"listen": "1702", "enabled": False})

    answer = await api.get("/l2tp")
    assert (answer["listen"], answer["enabled"], answer["psk"]) == ("1702", False, "")


async def test_writing_back_what_ikev2_shows_loses_the_rest(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    assert hy2scale.state.ikev2.dns
    answer = await api.get("/ikev2")
    assert "dns" not in answer

    await api.put("/ikev2", {**answer, "enabled": False})

    ikev2 = hy2scale.state.ikev2
    assert (ikev2.enabled, ikev2.psk) == (False, answer["psk"])
    assert (ikev2.dns, ikev2.psk_user_mode, ikev2.default_exit_paths) == ("", False, [])
    assert "unknown mode" in await api.put("/ikev2", {"mode": "none"}, status=400)


async def test_wireguard_is_replaced_but_for_its_peers(api: Api) -> None:
    answer = await api.get("/wireguard")
    await api.put("/wireguard", {"enabled": False, "listen_port": 51821})

    changed = await api.get("/wireguard")
    assert (changed["running"], changed["connected"], changed["listen_port"]) == (False, 0, 51821)
    assert (changed["private_key"], changed["mtu"]) == ("", 0)
    assert changed["peers"] == answer["peers"]
    refusal = await api.put("/wireguard", {"enabled": True, "private_key": "no key"}, status=500)
    assert refusal == "wireguard: invalid private key\n"


async def test_wireguard_peers(api: Api) -> None:
    keys = await api.post("/wireguard/generate-key")
    await api.post("/wireguard/peers", {"name": "tablet", **keys, "allowed_ips": "10.0.0.9/32"})
    await api.put(
        "/wireguard/peers/phone", {"name": "mobile", "public_key": "x", "exit_paths": ["jp", "us"]}
    )
    await api.put("/wireguard/peers/nobody", {"name": "nobody"})

    laptop = (await api.get("/wireguard"))["peers"][1]
    mobile, *_, tablet = (await api.get("/wireguard"))["peers"]
    assert (mobile["name"], mobile["exit_via"], mobile["private_key"]) == ("mobile", "jp", "")
    assert (laptop["name"], laptop["keepalive"]) == ("laptop", 25)
    assert tablet["public_key"] == keys["public_key"]
    refusal = await api.post("/wireguard/peers", {"name": "x"}, status=400)
    assert refusal == "name, public_key, allowed_ips required\n"


async def test_a_qr_code_of_any_text(api: Api) -> None:
    short, long = [
        Image.open(BytesIO(await api.get(f"/wireguard/qr?text={text}")))
        for text in ("a", "%5BInterface%5D" * 20)
    ]

    assert (short.format, short.size) == ("PNG", (512, 512))
    assert short.tobytes() != long.tobytes()
    # The finder pattern in a corner begins with seven dark modules, inside a frame of four.
    module = 512 / 29
    row = [short.getpixel((int((x + 0.5) * module), int(4.5 * module))) for x in range(12)]
    assert row == [255] * 4 + [0] * 7 + [255]


@pytest.mark.parametrize("query", ["", "?peer=phone"])
async def test_a_qr_code_needs_a_text(api: Api, query: str) -> None:
    assert await api.get(f"/wireguard/qr{query}", status=400) == "missing text\n"
