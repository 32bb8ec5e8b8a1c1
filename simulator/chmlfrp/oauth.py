"""The account center: device authorization (RFC 8628), and the page for the user's decision."""

from html import escape
from typing import TYPE_CHECKING

from aiohttp import BasicAuth, web

from simulator.service import Answer, Call, RefusedError, RouteTable, as_response

from .fields import form, text
from .initial_state import token
from .state import DeviceCode, Grant, OAuthClient

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
VERIFICATION_PATH = "/oauth-device-verify"
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
SLOW_DOWN_SECONDS = 5
"""Seconds that each early poll adds to the minimum interval."""
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>登录</title></head><body><form></form></body></html>"
)
VERIFICATION_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>设备授权</title></head><body>
<h1>设备授权</h1><p>{message}</p>
<form method="post"><input name="user_code" value="{user_code}">
<select name="account">{accounts}</select>
<button name="decision" value="approve">允许</button>
<button name="decision" value="deny">拒绝</button></form>
</body></html>"""


@ROUTES.on("POST", "/oauth2/device_authorization")
def device_authorization(service: ChmlFrpService, call: Call) -> Answer:
    """Start a sign-in."""
    client_id = form(call, "client_id")
    client = service.state.oauth_clients.get(client_id)
    if client is None or not _is_known(call, client_id, client):
        raise _error("invalid_client", 401)
    if not client.device_grant:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")
    settings = service.state.settings
    user_code = _user_code(service)
    code = DeviceCode(
        device_code=token(service.random, 96),
        client_id=client_id,
        scope=form(call, "scope"),
        expires_at=service.now() + settings.device_code_seconds,
        interval=settings.device_interval,
        userid=service.account.id,
    )
    service.state.device_codes[user_code] = code
    page = f"{service.oauth_url}{VERIFICATION_PATH}"
    return {
        "device_code": code.device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code}",
        "expires_in": settings.device_code_seconds,
        "interval": settings.device_interval,
    }


@ROUTES.on("POST", "/oauth2/token")
def issue(service: ChmlFrpService, call: Call) -> Answer:
    """Return tokens for a device code or a refresh token."""
    grant_type = form(call, "grant_type")
    client_id = form(call, "client_id")
    client = service.state.oauth_clients.get(client_id)
    if client is None or not _is_known(call, client_id, client):
        raise _error("invalid_client", 401)
    if grant_type == DEVICE_GRANT:
        return _redeem(service, call)
    if grant_type == "refresh_token":
        return _refresh(service, call)
    raise _error("unsupported_grant_type")


@ROUTES.on("GET", VERIFICATION_PATH)
def show_verification(service: ChmlFrpService, call: Call) -> Answer:
    """Return the page for the user's decision."""
    return _page(service, "请核对设备上显示的代码。", text(call, "user_code"))


@ROUTES.on("POST", VERIFICATION_PATH)
def decide(service: ChmlFrpService, call: Call) -> Answer:
    """Store the user's decision; the page requires no password."""
    user_code = form(call, "user_code")
    if user_code not in service.state.device_codes:
        return _page(service, "代码无效。", user_code, status=400)
    if form(call, "decision") == "approve":
        service.approve(user_code, service.state.accounts.get(form(call, "account")))
        return _page(service, "已允许。", user_code)
    service.deny(user_code)
    return _page(service, "已拒绝。", user_code)


def _redeem(service: ChmlFrpService, call: Call) -> Answer:
    given = form(call, "device_code"), form(call, "client_id")
    codes = service.state.device_codes
    user_code = next(
        (key for key, code in codes.items() if (code.device_code, code.client_id) == given), None
    )
    if user_code is None:
        raise _error("invalid_grant")
    code = codes[user_code]
    now, before = service.now(), code.polled_at
    code.polled_at = now
    if now >= code.expires_at:
        raise _error("expired_token")
    if before is not None and now < before + code.interval:
        code.interval += SLOW_DOWN_SECONDS
        raise _error("slow_down")
    if code.status != "approved":
        raise _error("access_denied" if code.status == "denied" else "authorization_pending")
    del codes[user_code]
    grant = Grant(code.userid, code.client_id, code.scope, "", None, 0)
    service.state.grants[str(service.new_id())] = grant
    return _renewed(service, grant)


def _refresh(service: ChmlFrpService, call: Call) -> Answer:
    given = form(call, "refresh_token"), form(call, "client_id")
    for grant in service.state.grants.values():
        if (grant.refresh_token, grant.client_id) == given:
            grant.refreshes += 1
            return _renewed(service, grant)
    raise _error("invalid_grant")


def _renewed(service: ChmlFrpService, grant: Grant) -> Answer:
    """Replace the tokens of a grant, and return the new ones."""
    seconds = service.state.settings.access_token_seconds
    grant.access_token = f"eyJ{token(service.random, 120)}"
    grant.expires_at = service.now() + seconds
    answer: dict[str, object] = {
        "access_token": grant.access_token,
        "scope": grant.scope,
        "token_type": "Bearer",
        "expires_in": seconds,
    }
    if "offline_access" in grant.scope.split():
        answer["refresh_token"] = grant.refresh_token = token(service.random, 96)
    return answer


def _is_known(call: Call, client_id: str, client: OAuthClient) -> bool:
    """Return whether the client has sent its secret (HTTP Basic), if it has one."""
    if client.secret is None:
        return True
    sent = BasicAuth.decode(call.headers.get("Authorization", "Basic Og=="))
    return (sent.login, sent.password) == (client_id, client.secret)


def _user_code(service: ChmlFrpService) -> str:
    letters = "".join(service.random.choices(USER_CODE_LETTERS, k=8))
    return f"{letters[:4]}-{letters[4:]}"


def _error(name: str, status: int = 400) -> RefusedError:
    answer = as_response({"error": name, "error_description": f"OAuth 2.0 {name}"})
    answer.set_status(status)
    return RefusedError(answer)


def _page(service: ChmlFrpService, message: str, user_code: str, status: int = 200) -> web.Response:
    """Return the page. An account without device sign-ins is listed first."""
    busy = {grant.userid for grant in service.state.grants.values()}
    accounts = sorted(service.state.accounts.values(), key=lambda account: account.id in busy)
    page = VERIFICATION_PAGE.format(
        message=message,
        user_code=escape(user_code),
        accounts="".join(
            f'<option value="{account.id}">{escape(account.username)}</option>'
            for account in accounts
        ),
    )
    return web.Response(text=page, content_type="text/html", status=status)
