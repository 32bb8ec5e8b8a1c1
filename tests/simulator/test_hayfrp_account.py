"""HayFrp's account: signing in, the day's traffic, tokens, registration, a lost password."""

import pytest

from simulator.hayfrp import HayFrpService

from .conftest import DAY, HOUR, NOON, Client, Clock


@pytest.mark.parametrize("user", ["demo", "demo@example.com", "13800000000"])
async def test_login_kills_the_login_before(demo: Client, user: str) -> None:
    answer = await demo.ask("/user", "login", user=user, passwd="demo-password")

    assert answer == {
        "status": 200,
        "message": "登录成功,欢迎使用HayFrp!",
        "token": answer["token"],
    }
    assert (await demo.ask("/user", "csrf"))["status"] == 403
    again = await demo.ask("/user", "csrf", csrf=answer["token"])
    assert again == {
        "status": 200,
        "message": "登录成功,欢迎使用HayFrp!",
        "token": answer["token"],
    }


async def test_a_csrf_lives_for_a_week(demo: Client, clock: Clock) -> None:
    clock.time += 7 * DAY - 1
    assert (await demo.ask("/user", "info"))["status"] is True
    clock.time += 1
    assert (await demo.ask("/user", "info"))["status"] == 403


async def test_info_describes_the_account(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.wandering_types = False
    hayfrp.account.today_bytes = 12345

    answer = await demo.ask("/user", "info")

    assert answer == {
        "status": True,
        "message": "CSRF 仍然在有效范围内,成功获取用户数据.",
        "id": "114514",
        "username": "demo",
        "token": hayfrp.account.link_token,
        "email": "demo@example.com",
        "traffic": "51200",
        "realname": "true",
        "proxies": "15",
        "useproxies": "5",
        "regtime": str(int(NOON) - 400 * DAY),
        "signdate": None,
        "totalsign": None,
        "totaltraffic": None,
        "todaytraffic": "12345",
        "qid": None,
        "sprovider": "false",
        "uuid": hayfrp.account.uuid,
    }


async def test_a_banned_account_is_told_so(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.account.banned = True

    answer = await demo.ask("/user", "info")

    assert (answer["status"], answer["username"]) == (False, "demo")


async def test_sign_in_counts_once_a_day(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.wandering_types = False
    first = await demo.ask("/user", "sign")
    second = await demo.ask("/user", "sign")

    gained, left = first["signflow"], first["flow"]
    assert first == {
        "status": 200,
        "message": f"🎉签到成功,您今天获得了{gained}GB的流量,您目前还剩{left}GB流量.",
        "signflow": gained,
        "flow": left,
    }
    assert 1 <= float(gained) < 5
    assert float(left) == pytest.approx(50 + float(gained))
    assert second == {"status": 403, "message": "您今天已经签到过了,请明天再来吧.", "flow": None}
    info = await demo.ask("/user", "info")
    assert info["signdate"] == str(int(NOON))
    assert (info["totalsign"], info["totaltraffic"]) == ("1", gained)


async def test_a_new_day_begins_at_midnight_in_shanghai(
    hayfrp: HayFrpService, demo: Client
) -> None:
    await demo.ask("/user", "sign")
    hayfrp.advance(12 * HOUR - 1)
    assert (await demo.ask("/user", "sign"))["status"] == 403
    assert hayfrp.signed_today(hayfrp.account)
    hayfrp.advance(1)
    assert not hayfrp.signed_today(hayfrp.account)
    assert (await demo.ask("/user", "sign"))["status"] == 200
    assert hayfrp.account.totalsign == 2


async def test_sign_in_of_another_version(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.already_signed_status = 404
    hayfrp.state.settings.sign_tells_flow = False

    assert "signflow" not in await demo.ask("/user", "sign")
    assert (await demo.ask("/user", "sign"))["status"] == 404


async def test_retoken_kills_both_tokens(hayfrp: HayFrpService, demo: Client) -> None:
    before = hayfrp.account.link_token

    answer = await demo.ask("/user", "retoken")

    assert answer == {
        "status": 200,
        "message": f"重置成功,您的Token为已被重置为{answer['token']}.",
        "token": answer["token"],
    }
    assert before != answer["token"] == hayfrp.account.link_token
    assert (await demo.ask("/user", "csrf"))["status"] == 403


async def test_an_account_opens_with_a_mailed_code(hayfrp: HayFrpService, client: Client) -> None:
    person = {"user": "new", "device": "ha", "email": "new@example.com"}

    assert await client.ask("/user", "sendregcode", **person) == {
        "status": 200,
        "message": "系统已将验证码发送到您的账户,请查收.",
    }
    assert await client.ask("/user", "sendregcode", **person) == {
        "status": 403,
        "message": "请求过于频繁,请稍后重试.",
    }
    (mail,) = hayfrp.state.mailbox
    assert (mail.to, mail.kind, len(mail.code)) == ("new@example.com", "register", 6)
    filled = {**person, "passwd": "new-password", "regcode": mail.code}
    for changed in ({"user": "newer"}, {"email": "newer@example.com"}):
        answer = await client.ask("/user", "register", **{**filled, **changed})
        assert answer["status"] == 404
    assert await client.ask("/user", "register", **filled) == {
        "status": 200,
        "message": "注册成功,欢迎使用HayFrp.",
    }

    answer = await client.ask("/user", "login", user="new", passwd="new-password")
    client.csrf = answer["token"]
    info = await client.ask("/user", "info")
    assert (info["id"], int(info["useproxies"])) == ("114516", 0)


async def test_a_code_may_be_asked_for_again_after_a_minute(
    hayfrp: HayFrpService, client: Client
) -> None:
    person = {"user": "new", "device": "ha", "email": "new@example.com"}
    await client.ask("/user", "sendregcode", **person)
    hayfrp.advance(60)
    assert (await client.ask("/user", "sendregcode", **person))["status"] == 200


async def test_a_password_is_changed_with_a_mailed_token(
    hayfrp: HayFrpService, client: Client
) -> None:
    assert await client.ask("/user", "findpassem", user="demo@example.com") == {
        "status": 200,
        "message": "我们已经尝试了发送一封邮件到该账号的邮箱,请查收。",
    }
    (mail,) = hayfrp.state.mailbox
    assert (mail.to, mail.kind) == ("demo@example.com", "password")
    fields = {"token": mail.code, "newpass": "changed"}
    assert await client.ask("/user", "findpassct", **fields) == {
        "status": 200,
        "message": "密码重置成功,您的密码已被更改为changed.",
    }

    assert (await client.ask("/user", "findpassct", **fields))["status"] == 500
    old, new = [
        await client.ask("/user", "login", user="demo", passwd=password)
        for password in ("demo-password", "changed")
    ]
    assert (old["status"], new["status"]) == (403, 200)
