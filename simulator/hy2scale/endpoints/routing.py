"""The endpoints for proxies, Shadowsocks and routing rules."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from simulator.hy2scale.state import Proxy, Rule, TunMode
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, decode, refuse, shown, text
from simulator.service import Answer, Call

from .shared import Toggle, settle_exit

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

SHADOWSOCKS = "ss"
TUN_MODE = "tun-mode"
TYPES = ("ip", "domain")


@ROUTES.on("GET", "/api/proxies")
def get_proxies(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the proxies; Shadowsocks is only included in the documented generation."""
    return [
        shown(proxy)
        for proxy in service.state.proxies.values()
        if service.documented or proxy.protocol != SHADOWSOCKS
    ]


@ROUTES.on("POST", "/api/proxies")
def post_proxy(service: Hy2ScaleService, call: Call) -> Answer:
    """Add a proxy. One with an existing id is ignored."""
    proxy = _proxy(service, call)
    if not (proxy.id and proxy.listen):
        raise refuse(400, "id, listen required")
    service.state.proxies.setdefault(proxy.id, proxy)
    return OK


@ROUTES.on("PUT", "/api/proxies/{id}")
def put_proxy(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace a proxy; an unknown one is added."""
    proxy = _proxy(service, call)
    proxy.id = call.params["id"]
    if not proxy.listen:
        raise refuse(400, "listen required")
    service.state.proxies[proxy.id] = proxy
    return OK


@ROUTES.on("DELETE", "/api/proxies/{id}")
def delete_proxy(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a proxy; an unknown one is ignored."""
    service.state.proxies.pop(call.params["id"], None)
    return OK


def _proxy(service: Hy2ScaleService, call: Call) -> Proxy:
    proxy = settle_exit(decode(Proxy, call), documented=service.documented)
    proxy.protocol = proxy.protocol or "socks5"
    return proxy


@ROUTES.on("GET", "/api/ss")
def get_ss(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the Shadowsocks server."""
    proxy = service.state.proxies.get(SHADOWSOCKS, Proxy(method="aes-256-gcm"))
    return {"method": "", **shown(proxy, "id", "protocol", "tls_cert")}


@ROUTES.on("PUT", "/api/ss")
def put_ss(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace the Shadowsocks server."""
    proxy = settle_exit(decode(Proxy, call), documented=service.documented)
    proxy.id = proxy.protocol = SHADOWSOCKS
    service.state.proxies[SHADOWSOCKS] = proxy
    return OK


# Rules


@ROUTES.on("GET", "/api/rules")
def get_rules(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the rules, and whether the node can apply them."""
    return {
        "available": service.state.settings.host_network,
        "rules": [
            {**shown(rule), **({"tun_active": True} if _tun_active(service, rule) else {})}
            for rule in service.state.rules.values()
        ],
    }


def _tun_active(service: Hy2ScaleService, rule: Rule) -> bool:
    return (
        rule.use_tun
        and rule.enabled
        and service.state.settings.kernel_right
        and service.connected(rule.exit_via)
        and service.state.peers[rule.exit_via].tun_capable
    )


@ROUTES.on("POST", "/api/rules")
def post_rule(service: Hy2ScaleService, call: Call) -> Answer:
    """Add a rule."""
    rule = _rule(service, call)
    if not (rule.id and rule.exit_via and rule.targets):
        raise refuse(400, "id, exit_via, targets required")
    if rule.type not in TYPES:
        raise refuse(400, f'unknown type "{rule.type}"')
    service.state.rules[rule.id] = rule
    return OK


@ROUTES.on("PUT", "/api/rules/{id}")
def put_rule(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace a rule; an unknown one is ignored."""
    return _put_rule(service, call, call.params["id"])


@ROUTES.on("DELETE", "/api/rules/{id}")
def delete_rule(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a rule; an unknown one is ignored."""
    service.state.rules.pop(call.params["id"], None)
    return OK


@ROUTES.on("PUT", "/api/rules/{id}/toggle")
def toggle_rule(service: Hy2ScaleService, call: Call) -> Answer:
    """Enable or disable a rule; an unknown one is ignored."""
    enabled = decode(Toggle, call).enabled
    rule = service.state.rules.get(call.params["id"])
    if rule:
        rule.enabled = enabled
    return OK


def _rule(service: Hy2ScaleService, call: Call) -> Rule:
    return settle_exit(decode(Rule, call), documented=service.documented)


def _put_rule(service: Hy2ScaleService, call: Call, identifier: str) -> Answer:
    rule = _rule(service, call)
    rule.id = identifier
    if identifier in service.state.rules:
        service.state.rules[identifier] = rule
    return OK


@ROUTES.on("GET", "/api/rules/tun-mode")
def get_tun_mode(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the TUN mode. In 1.3 this is the path of a rule, which cannot be read alone."""
    if not service.documented:
        return text("Method Not Allowed", 405, Allow="DELETE, PUT")
    return asdict(service.state.tun_mode)


@ROUTES.on("PUT", "/api/rules/tun-mode")
def put_tun_mode(service: Hy2ScaleService, call: Call) -> Answer:
    """Set the TUN mode. 1.3 treats it as a rule of that name and reports success."""
    if not service.documented:
        return _put_rule(service, call, TUN_MODE)
    service.state.tun_mode = decode(TunMode, call)
    return OK
