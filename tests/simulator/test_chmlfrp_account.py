"""ChmlFrp's accounts: tokens, passwords, codes by mail, the daily sign-in, changes."""

from typing import Any

import pytest

from simulator.chmlfrp import ChmlFrpService, Settings

from .conftest import DAY, NOON, Panel

CAPTCHA = {"lot_number": "1", "captcha_output": "2", "pass_token": "3", "gen_time": "4"}


async def test_the_account_as_documented(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    answer = await panel.get("/userinfo")

    tunnels = chmlfrp.state.tunnels
    assert answer == {
        "msg": "请求成功",
        "code": 200,
        "data": {
            "id": 227,
            "username": "demo",
            "password": None,
            "userimg": "https://q.qlogo.cn/g?b=qq&nk=10001&s=100",
            "qq": "10001",
            "email": "demo@example.com",
            "usertoken": chmlfrp.account.usertoken,
            "usergroup": "超级会员",
            "bandwidth": 50,
            "tunnel": 15,
            "realname": "已实名",
            "login_attempts": 0,
            "integral": 15168,
            "term": "9999-09-09",
            "scgm": None,
            "regtime": "2025-08-27",
            "t_token": None,
            "realname_count": None,
            "total_download": round(chmlfrp.account.total_in or 0),
            "total_upload": round(chmlfrp.account.total_out or 0),
            "tunnelCount": 5,
            "totalCurConns": tunnels["1"].connections,
        },
        "state": "success",
    }
    assert answer["data"]["totalCurConns"] > 0
    assert answer["data"]["total_download"] > 0


async def test_what_is_not_known_of_a_new_account(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    panel.token = chmlfrp.state.accounts["228"].usertoken

    data = (await panel.get("/userinfo"))["data"]
    assert (data["total_download"], data["total_upload"], data["realname_count"]) == (None,) * 3
    assert (data["usergroup"], data["realname"], data["tunnelCount"]) == ("免费用户", "未实名", 0)
    assert (await panel.get("/tunnel"))["data"] is None
    assert (await panel.get("/qiandao_info"))["data"]["last_sign_in_time"] is None

    chmlfrp.state.settings.nulls = False
    data = (await panel.get("/userinfo"))["data"]
    assert (data["total_download"], data["total_upload"], data["realname_count"]) == (0, 0, 0)
    assert (await panel.get("/tunnel"))["data"] == []
    assert (await panel.get("/qiandao_info"))["data"]["last_sign_in_time"] == ""


@pytest.mark.parametrize("place", ["header", "bare header", "query", "body"])
async def test_a_token_is_taken_where_the_setting_says(
    chmlfrp: ChmlFrpService, visitor: Panel, place: str
) -> None:
    token = chmlfrp.account.usertoken
    requests: dict[str, dict[str, Any]] = {
        "header": {"headers": {"Authorization": f"Bearer {token}"}},
        "bare header": {"headers": {"Authorization": token}},
        "query": {"params": {"token": token}},
        "body": {"json": {"token": token}},
    }

    async def answered() -> int:
        url = f"{visitor.url}/qiandao"
        async with visitor.session.post(url, **requests[place]) as response:
            return int((await response.json())["code"])

    taken, refused = 400, 401
    assert await answered() == taken
    for allowed in Settings().token_in:
        chmlfrp.state.settings.token_in = [allowed]
        assert await answered() == (taken if place.endswith(allowed) else refused)


async def test_a_password_signs_in_where_that_is_still_possible(
    chmlfrp: ChmlFrpService, visitor: Panel
) -> None:
    chmlfrp.state.settings.password_login = True

    for user in ("demo", "demo@example.com", "10001"):
        answer = await visitor.get("/login", username=user, password="demo-password")
        assert answer["msg"] == "登录成功"
        assert answer["data"]["usertoken"] == chmlfrp.account.usertoken


@pytest.mark.parametrize(
    "user, password, code, message",
    [
        ("nobody", "demo-password", 401, "用户不存在"),
        ("demo", "wrong-password", 401, "密码错误"),
        (
            *("demo", "secret", 400),
            "密码不符合要求，长度在6到48个字符之间，并且至少包含字母、数字和符号中的两种。",
        ),
        ("demo", "", 400, "缺少 password 参数"),
    ],
)
async def test_a_password_that_does_not_sign_in(
    chmlfrp: ChmlFrpService, visitor: Panel, *, user: str, password: str, code: int, message: str
) -> None:
    chmlfrp.state.settings.password_login = True

    answer = await visitor.get("/login", username=user, password=password)

    assert answer == {"msg": message, "code": code, "state": "fail"}


async def test_wrong_passwords_are_counted(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.state.settings.password_login = True

    await visitor.get("/login", username="demo", password="wrong-password")
    assert chmlfrp.account.login_attempts == 1
    await visitor.get("/login", username="demo", password="demo-password")
    assert chmlfrp.account.login_attempts == 0


async def test_an_access_token_signs_in(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    answer = await visitor.get("/login", access_token=chmlfrp.account.usertoken)
    assert (answer["msg"], answer["data"]["id"]) == ("登录成功", 227)

    refused = await visitor.get("/login", access_token="bad")
    assert refused == {"msg": "无效的登录状态", "code": 401, "state": "fail"}


async def test_an_account_is_opened_with_a_mailed_code(
    chmlfrp: ChmlFrpService, visitor: Panel
) -> None:
    mail = "new@example.com"
    sent = await visitor.ask("POST", "/sendmailcode", params={"type": "register", "mail": mail})
    assert sent == {"msg": "发送成功", "code": 200, "state": "success"}
    (letter,) = chmlfrp.state.mailbox
    assert (letter.to, letter.kind, letter.at) == (mail, "register", NOON)

    person = {"username": "new", "password": "new-password", "mail": mail, "qq": "10003"}
    opened = await visitor.get("/register", **person, code=letter.code)
    assert opened == {"msg": "注册成功", "code": 200, "state": "success"}
    assert chmlfrp.state.mailbox == []
    account = chmlfrp.state.accounts["229"]
    assert (account.username, account.email, account.qq) == ("new", mail, "10003")
    visitor.token = account.usertoken
    assert (await visitor.get("/userinfo"))["data"]["id"] == 229
    assert (await visitor.get("/register", **person, code=letter.code))["code"] == 400


async def test_the_mail_may_want_a_captcha(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.state.settings.mail_needs_captcha = True
    order = {"type": "register", "mail": "new@example.com"}

    assert (await visitor.post("/sendmailcode", **order))["msg"] == "人机验证失败"
    assert (await visitor.post("/sendmailcode", **order, **CAPTCHA))["msg"] == "发送成功"


async def test_a_new_token_needs_a_code_mailed_to_the_account(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    for kind, mail in (
        ("retoken", "other@example.com"),
        ("register", "demo@example.com"),
        ("retoken", "demo@example.com"),
    ):
        await panel.post("/sendmailcode", type=kind, mail=mail)
    *wrong, right = chmlfrp.state.mailbox
    before = panel.token

    for letter in wrong:
        assert (await panel.get("/retoken", code=letter.code))["msg"] == "验证码错误"
    answer = await panel.get("/retoken", code=right.code)
    assert answer == {"msg": "重置成功", "code": 200, "state": "success"}
    assert chmlfrp.account.usertoken != before
    assert (await panel.get("/userinfo"))["code"] == 401
    panel.token = chmlfrp.account.usertoken
    assert (await panel.get("/userinfo"))["code"] == 200
    assert (await panel.get("/retoken", code=right.code))["msg"] == "验证码错误"


async def test_the_daily_sign_in(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    before = (await panel.get("/qiandao_info"))["data"]
    assert before == {
        "is_signed_in_today": False,
        "last_sign_in_time": "2026-11-19 00:00:00",
        "total_points": 1204,
        "total_sign_ins": 112,
        "count_of_matching_records": 1204,
    }

    answer = await panel.post("/qiandao", **CAPTCHA)
    gained = chmlfrp.account.total_points - 1204
    assert gained > 0
    assert answer == {"msg": f"签到成功, 获得{gained}积分", "code": 200, "state": "success"}
    assert chmlfrp.account.integral == 15168 + gained
    after = (await panel.get("/qiandao_info"))["data"]
    assert after == {
        "is_signed_in_today": True,
        "last_sign_in_time": "2026-11-20 12:00:00",
        "total_points": 1204 + gained,
        "total_sign_ins": 113,
        "count_of_matching_records": 1205,
    }


@pytest.mark.parametrize("code", [400, 409])
async def test_once_a_day(chmlfrp: ChmlFrpService, panel: Panel, code: int) -> None:
    chmlfrp.state.settings.already_signed_code = code
    await panel.post("/qiandao", **CAPTCHA)

    answer = await panel.post("/qiandao", **CAPTCHA)
    assert answer == {"msg": "请勿重复签到", "code": code, "state": "fail"}

    chmlfrp.advance(DAY / 2)
    assert not chmlfrp.signed_today(chmlfrp.account)
    assert (await panel.post("/qiandao", **CAPTCHA))["code"] == 200


async def test_a_captcha_that_is_not_believed(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.state.settings.captcha_passes = False

    assert (await panel.post("/qiandao", **CAPTCHA))["msg"] == "人机验证失败"
    assert not chmlfrp.signed_today(chmlfrp.account)


async def test_what_an_account_can_change(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    picture = "https://example.com/me.png"
    assert (await panel.get("/update_userimg", new_userimg=picture)) == {
        "msg": "用户头像更新成功",
        "code": 200,
        "state": "success",
    }
    assert (await panel.get("/update_qq", new_qq="424242"))["code"] == 200
    assert (await panel.get("/update_username", new_username="new_name"))["code"] == 200
    change = {"original_password": "demo-password", "new_password": "new-password"}
    assert (await panel.get("/reset_password", **change))["code"] == 200

    data = (await panel.get("/userinfo"))["data"]
    assert (data["userimg"], data["qq"], data["username"]) == (picture, "424242", "new_name")
    assert data["tunnelCount"] == 5
    chmlfrp.state.settings.password_login = True
    answer = await panel.get("/login", username="new_name", password="new-password")
    assert answer["code"] == 200


async def test_the_flow_of_seven_days(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    rows = (await panel.get("/flow_last_7_days"))["data"]

    assert [row["time"] for row in rows] == [f"11-{day}" for day in range(14, 21)]
    today = chmlfrp.account.days[-1]
    assert rows[-1] == {
        "time": "11-20",
        "traffic_in": round(today.traffic_in),
        "traffic_out": round(today.traffic_out),
    }
    assert rows[-1]["traffic_in"] > 0


async def test_messages_to_the_account_and_to_all(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    rows = (await panel.get("/messages"))["data"]

    assert [(row["id"], row["userid"], row["quanti"]) for row in rows] == [
        (1, 0, "yes"),
        (2, 227, "no"),
    ]
    assert rows[0]["time"] == "2026-11-17T04:00:00.000+00:00"
    panel.token = chmlfrp.state.accounts["228"].usertoken
    assert [row["id"] for row in (await panel.get("/messages"))["data"]] == [1]


async def test_certificates(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    issued, pending = (await panel.get("/ssl/list"))["data"]["certificates"]

    assert issued == {
        "id": 1,
        "provider": "letsencrypt",
        "domains": "home.example.com,*.home.example.com",
        "status": "issued",
        "createdAt": "2026-10-21T04:00:00.000+00:00",
        "issuedAt": "2026-10-21T04:00:00.000+00:00",
        "expiresAt": "2027-01-19T04:00:00.000+00:00",
    }
    assert not {"issuedAt", "expiresAt"} & set(pending)
    chosen = (await panel.get("/ssl/list", status="pending"))["data"]
    assert chosen == {"certificates": [pending], "total": 1}
    panel.token = chmlfrp.state.accounts["228"].usertoken
    assert (await panel.get("/ssl/list"))["data"] == {"certificates": [], "total": 0}


async def test_everything_taken_offline(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    answer = await panel.get("/offline_user_nodes")

    assert not any(map(chmlfrp.online, chmlfrp.state.tunnels.values()))
    counts = answer["data"]
    assert (counts["totalNodes"], counts["successCount"], counts["failCount"]) == (5, 2, 3)
    assert counts["results"]["成都电信"] == "下线成功"
