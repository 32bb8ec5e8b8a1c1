"""ChmlFrp's endpoints for accounts: sign-in, codes by email, the daily sign-in, changes."""

from typing import TYPE_CHECKING

from simulator.service import Answer, Call, RouteTable
from simulator.shanghai import DAY

from .fields import MAIL_ADDRESS, day, good_password, moment, text
from .initial_state import new_account, token
from .state import Account, Mail

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()

CAPTCHA = ("lot_number", "captcha_output", "pass_token", "gen_time")
BAD_PASSWORD = "密码不符合要求，长度在6到48个字符之间，并且至少包含字母、数字和符号中的两种。"
BAD_CODE = "验证码错误"
NAME_TAKEN = "用户名已存在"


@ROUTES.on("GET", "/login")
def login(service: ChmlFrpService, call: Call) -> Answer:
    """Sign in with an access token, or with a password if that is still possible."""
    access_token = text(call, "access_token")
    if access_token:
        holder = service.holder(access_token)
        if holder is None:
            raise service.refusal(401, "无效的登录状态")
        return service.succeed(call, "登录成功", data=_described(service, holder))
    if not service.state.settings.password_login:
        raise service.refusal(400, "缺少 access_token 参数")
    user, password = service.need(call, "username", "password")
    if not good_password(password):
        raise service.refusal(400, BAD_PASSWORD)
    account = _find(service, user)
    if account is None:
        raise service.refusal(401, "用户不存在")
    if account.password != password:
        account.login_attempts += 1
        raise service.refusal(401, "密码错误")
    account.login_attempts = 0
    return service.succeed(call, "登录成功", data=_described(service, account))


@ROUTES.on("POST", "/sendmailcode")
def sendmailcode(service: ChmlFrpService, call: Call) -> Answer:
    """Send a code for a registration or for a new token by email."""
    kind, mail = service.need(call, "type", "mail")
    if kind not in {"register", "retoken"}:
        raise service.refusal(400, "验证码类型错误")
    if not MAIL_ADDRESS.fullmatch(mail):
        raise service.refusal(400, "邮箱格式错误")
    code = f"{service.random.randrange(1_000_000):06d}"
    service.state.mailbox.append(Mail(mail, kind, code, service.now()))
    return service.succeed(call, "发送成功")


@ROUTES.on("GET", "/register")
def register(service: ChmlFrpService, call: Call) -> Answer:
    """Register an account with the code."""
    username, password, mail, qq, code = service.need(
        call, "username", "password", "mail", "qq", "code"
    )
    if not good_password(password):
        raise service.refusal(400, BAD_PASSWORD)
    if _find(service, username):
        raise service.refusal(400, NAME_TAKEN)
    _use_code(service, "register", mail, code)
    number = max(account.id for account in service.state.accounts.values()) + 1
    service.state.accounts[str(number)] = new_account(
        service.random,
        service.now(),
        number,
        username=username,
        password=password,
        email=mail,
        qq=qq,
    )
    return service.succeed(call, "注册成功")


@ROUTES.on("GET", "/userinfo")
def userinfo(service: ChmlFrpService, call: Call) -> Answer:
    """Return the account, including its API token."""
    account = service.signed_in(call)
    return service.succeed(call, "请求成功", data=_described(service, account))


@ROUTES.on("GET", "/retoken")
def retoken(service: ChmlFrpService, call: Call) -> Answer:
    """Replace the API token with the code."""
    account = service.signed_in(call)
    if service.state.settings.retoken_wants_code:
        (code,) = service.need(call, "code")
        _use_code(service, "retoken", account.email, code)
    account.usertoken = token(service.random)
    return service.succeed(call, "重置成功")


@ROUTES.on("POST", "/qiandao")
def qiandao(service: ChmlFrpService, call: Call) -> Answer:
    """Add the points of the day, once, if the captcha is solved."""
    account = service.signed_in(call)
    _check_captcha(service, call)
    if service.signed_today(account):
        raise service.refusal(service.state.settings.already_signed_code, "请勿重复签到")
    gained = service.random.randrange(1, 21)
    account.integral += gained
    account.total_points += gained
    account.total_sign_ins += 1
    account.last_sign_in = service.now()
    return service.succeed(call, f"签到成功, 获得{gained}积分")


@ROUTES.on("GET", "/qiandao_info")
def qiandao_info(service: ChmlFrpService, call: Call) -> Answer:
    """Return the totals of the daily sign-in. Undocumented."""
    account = service.signed_in(call)
    signed_here = sum(map(service.signed_today, service.state.accounts.values()))
    at = account.last_sign_in
    return service.succeed(
        call,
        "获取签到信息成功",
        data={
            "is_signed_in_today": service.signed_today(account),
            "last_sign_in_time": moment(at) if at else service.unknown(""),
            "total_points": account.total_points,
            "total_sign_ins": account.total_sign_ins,
            "count_of_matching_records": service.state.signed_in_elsewhere + signed_here,
        },
    )


@ROUTES.on("GET", "/reset_password")
def reset_password(service: ChmlFrpService, call: Call) -> Answer:
    """Change the password."""
    account = service.signed_in(call)
    original, new = service.need(call, "original_password", "new_password")
    if account.password != original:
        raise service.refusal(400, "原密码错误")
    if not good_password(new):
        raise service.refusal(400, BAD_PASSWORD)
    account.password = new
    return service.succeed(call, "密码重置成功")


@ROUTES.on("GET", "/update_username")
def update_username(service: ChmlFrpService, call: Call) -> Answer:
    """Change the username."""
    account = service.signed_in(call)
    (name,) = service.need(call, "new_username")
    if _find(service, name):
        raise service.refusal(400, NAME_TAKEN)
    account.username = name
    return service.succeed(call, "用户名更新成功")


@ROUTES.on("GET", "/update_qq")
def update_qq(service: ChmlFrpService, call: Call) -> Answer:
    """Change the QQ number."""
    account = service.signed_in(call)
    (qq,) = service.need(call, "new_qq")
    if not qq.isdecimal():
        raise service.refusal(400, "QQ号格式错误")
    account.qq = qq
    return service.succeed(call, "QQ更新成功")


@ROUTES.on("GET", "/update_userimg")
def update_userimg(service: ChmlFrpService, call: Call) -> Answer:
    """Change the picture."""
    account = service.signed_in(call)
    (link,) = service.need(call, "new_userimg")
    if not link.startswith(("http://", "https://")):
        raise service.refusal(400, "无效的链接", state="error")
    if link == account.userimg:
        raise service.refusal(400, "新头像不能与当前头像相同")
    account.userimg = link
    return service.succeed(call, "用户头像更新成功")


@ROUTES.on("GET", "/flow_last_7_days")
def flow_last_7_days(service: ChmlFrpService, call: Call) -> Answer:
    """Return the account's bytes of each of seven days. Undocumented."""
    account = service.signed_in(call)
    rows = [
        {
            "time": day(service.now() - ago * DAY)[5:],
            "traffic_in": round(past.traffic_in),
            "traffic_out": round(past.traffic_out),
        }
        for ago, past in zip(range(6, -1, -1), account.days, strict=True)
    ]
    if service.state.settings.flow_newest_first:
        rows.reverse()
    return service.succeed(call, "获取近七日流量成功", data=rows)


@ROUTES.on("GET", "/offline_user_nodes")
def offline_user_nodes(service: ChmlFrpService, call: Call) -> Answer:
    """Disconnect the clients of all the account's tunnels. Undocumented."""
    results: dict[str, str] = {}
    for tunnel in service.tunnels_of(service.signed_in(call)):
        node = service.node(tunnel.node)
        up = node is not None and node.state == "online"
        service.kick(tunnel)
        results[tunnel.node] = "下线成功" if up else "节点不在线"
    successes = list(results.values()).count("下线成功")
    return service.succeed(
        call,
        "操作完成",
        data={
            "totalNodes": len(results),
            "successCount": successes,
            "failCount": len(results) - successes,
            "results": results,
        },
    )


def _find(service: ChmlFrpService, user: str) -> Account | None:
    accounts = service.state.accounts.values()
    return next((a for a in accounts if user in {a.username, a.email, a.qq}), None)


def _check_captcha(service: ChmlFrpService, call: Call) -> None:
    solved = all(text(call, name) for name in CAPTCHA)
    if not (solved and service.state.settings.captcha_passes):
        raise service.refusal(400, "人机验证失败")


def _use_code(service: ChmlFrpService, kind: str, mail: str, code: str) -> None:
    """Remove the message with this code from the mailbox."""
    for sent in service.state.mailbox:
        if (sent.kind, sent.to, sent.code) == (kind, mail, code):
            service.state.mailbox.remove(sent)
            return
    raise service.refusal(400, BAD_CODE)


def _realname(service: ChmlFrpService, account: Account) -> object:
    if service.state.settings.realname_style == "flag":
        return account.realname
    return "已实名" if account.realname else "未实名"


def _described(service: ChmlFrpService, account: Account) -> dict[str, object]:
    tunnels = service.tunnels_of(account)
    down, up = account.total_in, account.total_out
    return {
        "id": account.id,
        "username": account.username,
        "password": None,
        "userimg": account.userimg,
        "qq": account.qq,
        "email": account.email,
        "usertoken": account.usertoken,
        "usergroup": account.usergroup,
        "bandwidth": account.bandwidth,
        "tunnel": account.quota,
        "realname": _realname(service, account),
        "login_attempts": account.login_attempts,
        "integral": account.integral,
        "term": account.term,
        "scgm": None,
        "regtime": account.regtime,
        "t_token": None,
        "realname_count": service.unknown(0),
        "total_download": service.unknown(0) if down is None else round(down),
        "total_upload": service.unknown(0) if up is None else round(up),
        "tunnelCount": len(tunnels),
        "totalCurConns": sum(t.connections for t in tunnels if service.online(t)),
    }
