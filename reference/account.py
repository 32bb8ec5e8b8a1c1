"""How to get in, what to choose, and how old the data can be."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from homeassistant.data_entry_flow import section
import voluptuous as vol

from custom_components.tunnel_hub import flows
from custom_components.tunnel_hub.config_flow import SECTIONS
from custom_components.tunnel_hub.flows.base import Form

from .markdown import table, titles
from .services import Service
from .words import Language, enumerated, said, word

_READ = {
    "account": "the account",
    "account_traffic": "today's traffic",
    "certificates": "certificates",
    "hub": "the node",
    "inbox": "messages",
    "link": "links",
    "node": "nodes",
    "node_uptime": "uptime of nodes",
    "notice": "notices",
    "peer": "peers",
    "proxy": "proxies",
    "public_node": "public nodes",
    "reachability": "checks from outside",
    "relay_node": "your nodes",
    "release": "newest versions",
    "rule": "rules",
    "service": "totals",
    "sign_in": "daily sign-in",
    "tun_mode": "TUN mode",
    "tunnel": "tunnels",
    "upgrade": "updates",
    "user": "users",
    "user_sessions": "sessions",
    "vpn": "VPN servers",
    "wireguard": "WireGuard",
    "wireguard_peer": "WireGuard peers",
}
"""What a feed of each kind reads."""


_ONE_BY_ONE = "{fields} of each: one request each, {at_once} at a time, at most {rate} a second"


def sign_in(service: Service, language: Language) -> str:
    """Return the ways in, as the dialogs tell them."""
    module = import_module(f"{flows.__name__}.{service.key}")
    forms = {form.step_id: form for form in vars(module).values() if isinstance(form, Form)}
    steps = said(language, "config", "step")
    menu = steps[service.key].get("menu_options", {})
    rows = [
        [
            menu.get(way, steps[way]["title"]),
            "<br>".join(_entered(forms[way].schema, steps[way])),
            steps[way]["description"],
        ]
        for way in (*module.SIGN_IN_WAYS, *getattr(module, "OTHER_WAYS", ()))
    ]
    return table(titles(language, "Way", "What to enter", "Good to know"), rows)


def _entered(schema: vol.Schema, words: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Return what a form asks for, with what is in its sections."""
    for marker, field in schema.schema.items():
        name = str(marker)
        if isinstance(field, section):
            part = words["sections"][name]
            yield from _entered(field.schema, part, f"{part['name']} → ")
        else:
            yield f"*{where}{words['data'][name]}*: {words['data_description'][name]}"


def options(service: Service, language: Language) -> str:
    """Return what can be chosen afterwards."""
    rows = []
    for name, (capability, _) in SECTIONS.items():
        if isinstance(service.provider, capability):
            part = said(language, "options", "step", "init", "sections")[name]
            title = f"**{part['name']}**<br>{part['description']}"
            for field, label in part["data"].items():
                choices = said(language, "selector").get(field, {"options": {}})["options"]
                about = [part["data_description"][field], *(f"· {c}" for c in choices.values())]
                rows.append([title, label, "<br>".join(about)])
                title = ""
    return table(titles(language, "Part", "Option", "Meaning"), rows)


def refresh(service: Service, language: Language) -> str:
    """Return what is read how often."""
    paces: dict[timedelta, list[str]] = {}
    for feed in sorted(service.provider.feeds.values(), key=lambda feed: feed.interval):
        read = paces.setdefault(feed.interval, [])
        read.append(word(language, _READ[feed.resource.kind]))
        if feed.probe is not None:
            shown = [
                f"*{said(language, 'entity', entity.platform, entity.row.key)['name']}*"
                for entity in service.entities
                if entity.resource is feed.resource and entity.row.key in feed.probe.fields
            ]
            read[-1] += (
                " ("
                + word(language, _ONE_BY_ONE).format(
                    fields=enumerated(language, shown),
                    at_once=feed.probe.concurrency,
                    rate=feed.probe.rate,
                )
                + ")"
            )
    rows = [[_pace(language, pace), enumerated(language, read)] for pace, read in paces.items()]
    return table(titles(language, "Each", "What is read"), rows)


def _pace(language: Language, interval: timedelta) -> str:
    """Return an interval in the largest unit that it is a multiple of."""
    seconds = int(interval.total_seconds())
    for unit, length in (("{} h", 3600), ("{} min", 60)):
        if seconds % length == 0:
            return word(language, unit).format(seconds // length)
    return word(language, "{} s").format(seconds)
