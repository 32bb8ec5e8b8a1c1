"""ChmlFrp's endpoints for free subdomains."""

import re
from typing import TYPE_CHECKING

from simulator.service import Answer, Call, RouteTable

from .fields import text
from .state import Account, Subdomain

if TYPE_CHECKING:
    from .service import ChmlFrpService

ROUTES = RouteTable()

KINDS = ("A", "AAAA", "CNAME", "SRV")
TTLS = (
    "1分钟",
    "2分钟",
    "5分钟",
    "10分钟",
    "15分钟",
    "30分钟",
    "1小时",
    "2小时",
    "5小时",
    "12小时",
    "1天",
)
RECORD = re.compile(r"[\w-]+(\.[\w-]+)*")


@ROUTES.on("GET", "/list_available_domains")
def list_available_domains(service: ChmlFrpService, call: Call) -> Answer:
    """List the domains for subdomains."""
    return service.succeed(
        call,
        "获取可用域名列表成功",
        data=[
            {
                "id": row.id,
                "domain": row.domain,
                "remarks": row.remarks,
                "icpFiling": row.icp_filing,
            }
            for row in service.state.domains
        ],
    )


@ROUTES.on("GET", "/get_user_free_subdomains")
def get_user_free_subdomains(service: ChmlFrpService, call: Call) -> Answer:
    """List the account's records."""
    return service.succeed(
        call,
        "用户所有已创建的免费二级域名获取成功",
        data=[
            {
                "id": row.id,
                "userid": row.userid,
                "domain": row.domain,
                "record": row.record,
                "type": row.kind,
                "target": row.target,
                "remarks": row.remarks,
                "ttl": row.ttl,
            }
            for row in _own(service, service.signed_in(call))
        ],
    )


@ROUTES.on("POST", "/create_free_subdomain")
def create_free_subdomain(service: ChmlFrpService, call: Call) -> Answer:
    """Create a record."""
    account = service.signed_in(call)
    domain, record, kind, target = service.need(call, "domain", "record", "type", "target")
    there = {(row.domain, row.record) for row in service.state.subdomains.values()}
    service.refuse_first(
        {
            "域名不存在": domain not in {row.domain for row in service.state.domains},
            "记录格式错误": not RECORD.fullmatch(record),
            "记录类型错误": kind not in KINDS,
            "该记录已存在": (domain, record) in there,
        }
    )
    ttl = _ttl(service, call)
    number = service.new_id()
    service.state.subdomains[str(number)] = Subdomain(
        number, account.id, domain, record, kind, target, ttl, call.get("remarks")
    )
    return service.succeed(call, "免费二级域名创建成功")


@ROUTES.on("POST", "/update_free_subdomain")
def update_free_subdomain(service: ChmlFrpService, call: Call) -> Answer:
    """Change a record's target and TTL; other fields cannot be changed."""
    row = _wanted(service, call)
    (target,) = service.need(call, "target")
    row.target, row.ttl = target, _ttl(service, call)
    return service.succeed(call, "免费二级域名修改成功")


@ROUTES.on("POST", "/delete_free_subdomain")
def delete_free_subdomain(service: ChmlFrpService, call: Call) -> Answer:
    """Delete a record."""
    del service.state.subdomains[str(_wanted(service, call).id)]
    return service.succeed(call, "免费二级域名删除成功")


def _own(service: ChmlFrpService, account: Account) -> list[Subdomain]:
    return [row for row in service.state.subdomains.values() if row.userid == account.id]


def _wanted(service: ChmlFrpService, call: Call) -> Subdomain:
    account = service.signed_in(call)
    wanted = service.need(call, "domain", "record")
    for row in _own(service, account):
        if (row.domain, row.record) == wanted:
            return row
    raise service.refusal(400, "域名记录不存在")


def _ttl(service: ChmlFrpService, call: Call) -> str:
    ttl = text(call, "ttl")
    if ttl not in TTLS:
        raise service.refusal(400, "TTL错误")
    return ttl
