"""HayFrp's endpoints, and every refusal that its document has."""

from typing import Any

import aiohttp
import pytest

from simulator import Route
from simulator.hayfrp import HayFrpService

from .conftest import BROKEN, Client


def test_every_endpoint_is_served() -> None:
    account = "login csrf sendregcode register info sign retoken findpassem findpassct"
    kinds = {"/user": account.split(), "/proxy": TUNNEL_KINDS, "/esirun": ["create"]}
    pages = ("/node", "/nodes", "/notice", "/info", "/downlist", "/version")

    assert set(HayFrpService.ROUTES) == {
        *(Route("POST", path, kind) for path, names in kinds.items() for kind in names),
        *(Route("GET", path) for path in pages),
    }


def no(status: int, message: str, **extra: None) -> dict[str, object]:
    return {"status": status, "message": message, **extra}


PERSON = {"user": "new", "device": "ha", "email": "new@example.com"}
REGISTRATION = {**PERSON, "passwd": "new-password", "regcode": "1"}
SIGNED_IN_KINDS = ("csrf", "info", "sign", "retoken")
TUNNEL_KINDS = ("add", "edit", "remove", "list", "config", "toggle", "check", "forcedown")
REFUSALS: dict[str, tuple[tuple[str, dict[str, str], dict[str, object]], ...]] = {
    "/user": (
        ("", {}, no(404, "无用户类型.")),
        ("fly", {}, no(404, "无用户类型.")),
        ("login", {"passwd": "x"}, no(404, "user不能为空.")),
        ("login", {"user": "demo", "passwd": ""}, no(404, "passwd不能为空.")),
        (
            "login",
            {"user": "demo", "passwd": "wrong"},
            no(403, "登录失败,您的密码有误.", token=None),
        ),
        ("login", {"user": "nobody", "passwd": "x"}, no(404, "用户还没有注册.", token=None)),
        *(
            (kind, {"csrf": ""}, no(404, "csrf不能为空."))
            for kind in ("csrf", "info", "sign", "retoken")
        ),
        *(
            (kind, {"csrf": "bad"}, no(403, "登录无效或已过期.", token=None))
            for kind in ("csrf", "info", "retoken")
        ),
        ("sign", {"csrf": "bad"}, no(404, "CSRF临时授权无效或已过期.", flow=None)),
        ("sendregcode", {**PERSON, "email": ""}, no(404, "email不能为空.")),
        ("sendregcode", {**PERSON, "email": "not-a-mail"}, no(500, BROKEN)),
        ("register", {**REGISTRATION, "regcode": ""}, no(404, "regcode不能为空.")),
        ("register", {**REGISTRATION, "user": "demo"}, no(403, "用户名已存在.")),
        (
            "register",
            REGISTRATION,
            no(404, "验证码有误或者原用户名/邮箱在发送验证码后已更改,请重新发送."),
        ),
        ("findpassem", {}, no(404, "电子邮件或用户名不能为空.")),
        ("findpassem", {"user": "nobody"}, no(404, "未找到账户,请检查您的用户名或邮箱.")),
        ("findpassct", {"token": "x"}, no(404, "newpass不能为空.")),
        (
            "findpassct",
            {"token": "x", "newpass": "y"},
            no(500, "密码重置失败,请检查您的Token后重试."),
        ),
    ),
    "/proxy": (
        *((kind, {"csrf": "bad"}, no(403, "登录无效或已过期.")) for kind in TUNNEL_KINDS),
        *((kind, {"csrf": ""}, no(404, "csrf不能为空.")) for kind in TUNNEL_KINDS),
        *(
            (kind, {}, no(404, "id不能为空."))
            for kind in ("edit", "remove", "toggle", "check", "forcedown")
        ),
        ("add", {}, no(404, "proxy_name不能为空.")),
        ("config", {}, no(404, "format不能为空.")),
        ("config", {"format": "ini", "node": "", "proxy": ""}, no(404, "proxy不能为空.")),
    ),
}


@pytest.mark.parametrize(
    "path, kind, fields, answer",
    [(path, *refusal) for path, refusals in REFUSALS.items() for refusal in refusals],
)
async def test_what_is_refused(
    demo: Client, path: str, kind: str, fields: dict[str, Any], answer: dict[str, Any]
) -> None:
    assert await demo.ask(path, kind, **fields) == answer


@pytest.mark.parametrize("route", [route for route in HayFrpService.ROUTES if route.kind])
async def test_every_call_can_fail_inside(
    hayfrp: HayFrpService, demo: Client, route: Route
) -> None:
    hayfrp.fault(route.path, "error", match={"type": route.kind})
    extra = {
        "login": {"token": None},
        "csrf": {"token": None},
        "info": {"token": None},
        "retoken": {"token": None},
        "sign": {"flow": None},
    }
    answer = {"status": 500, "message": BROKEN, **extra.get(route.kind, {})}

    assert await demo.ask(route.path, route.kind) == answer


async def test_the_firewall_wants_its_header(hayfrp: HayFrpService) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{hayfrp.url}/version") as response,
    ):
        assert (response.status, response.content_type) == (403, "text/html")
    assert hayfrp.calls[0].status == 403
