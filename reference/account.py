"""Generates tables for accounts: methods to sign in, options, and intervals."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from homeassistant.data_entry_flow import section
import voluptuous as vol

from custom_components.tunnel_hub import flows
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.config_flow import SECTIONS
from custom_components.tunnel_hub.flows.base import Form

from .markdown import table, titles
from .services import Service, feeds
from .words import Language, after_colon, enumerated, in_brackets, translated, word

_READ = {
    "account": "the account",
    "account_forecast": "forecasts",
    "account_traffic": "today's traffic",
    "check": "reachability checks",
    "client": "clients",
    "client_status": "the client",
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
    "public_node_forecast": "forecasts",
    "reachability": "external checks",
    "relay_node": "your nodes",
    "relay_node_forecast": "forecasts",
    "release": "newest versions",
    "rule": "rules",
    "server": "the server",
    "service": "totals",
    "sign_in": "daily sign-in",
    "tun_mode": "TUN mode",
    "tunnel": "tunnels",
    "upgrade": "updates",
    "user": "users",
    "user_forecast": "forecasts",
    "user_sessions": "sessions",
    "vpn": "VPN servers",
    "wireguard": "WireGuard",
    "wireguard_peer": "WireGuard peers",
}
"""The names of feeds by kind."""


_ONE_BY_ONE = "{fields}: one request per item, {at_once} at a time, at most {rate} per second"


def sign_in(service: Service, language: Language) -> str:
    """Returns the methods to sign in, with the texts of the dialogs."""
    module = import_module(f"{flows.__name__}.{service.key}")
    forms = {form.step_id: form for form in vars(module).values() if isinstance(form, Form)}
    steps = translated(language, "config", "step")
    menu = steps[service.key].get("menu_options", {})
    rows, parts = [], dict[str, tuple[str, dict[str, None]]]()
    flow = flows.FLOWS[service.key]
    for way in (*flow.sign_in, *flow.others):
        words = steps[way]
        fields = _fields(forms[way].schema, words, language)
        rows.append([menu.get(way, words["title"]), "<br>".join(fields), words["description"]])
        for part, asked in _parts(forms[way].schema):
            about = words["sections"][part]
            _, known = parts.setdefault(about["name"], (about["description"], {}))
            known |= dict.fromkeys(_fields(asked, about, language))
    # Fields of several forms are listed once.
    rows += [[f"*{name}*", "<br>".join(asked), about] for name, (about, asked) in parts.items()]
    return table(titles(language, "Method", "Fields", "Notes"), rows)


def _fields(schema: vol.Schema, words: Mapping[str, Any], language: Language) -> list[str]:
    """Returns the fields of a form, without its sections."""
    return [
        after_colon(language, f"*{words['data'][marker]}*", words["data_description"][marker])
        for marker, field in schema.schema.items()
        if not isinstance(field, section)
    ]


def _parts(schema: vol.Schema) -> list[tuple[str, vol.Schema]]:
    """Returns a form's sections."""
    return [
        (str(marker), field.schema)
        for marker, field in schema.schema.items()
        if isinstance(field, section)
    ]


def options(service: Service, language: Language) -> str:
    """Returns the options of an entry."""
    rows = []
    for name, (capability, _) in SECTIONS.items():
        if service.can(capability) and _offers(service, name):
            part = translated(language, "options", "step", "init", "sections")[name]
            title = f"**{part['name']}**<br>{part['description']}"
            choices_of = translated(language, "selector")
            # A selection precedes its details.
            for field, label in sorted(part["data"].items(), key=lambda f: f[0] not in choices_of):
                choices = choices_of.get(field, {"options": {}})["options"]
                about = [part["data_description"][field], *(f"· {c}" for c in choices.values())]
                rows.append([title, label, "<br>".join(about)])
                title = ""
    return table(titles(language, "Part", "Option", "Meaning"), rows)


def _offers(service: Service, section: str) -> bool:
    """Returns whether a section that all providers share applies."""
    about = service.description
    offered = {
        "outside_address": about.has_outside_address,
        "reachability": about.has_public_tunnels,
    }
    return offered.get(section, True)


def refresh(service: Service, language: Language) -> str:
    """Returns the feeds and their intervals."""
    by_intervals: dict[tuple[timedelta, timedelta], list[str]] = {}
    found = {feed.key: feed for provider in service.providers for feed in feeds(provider)}
    for feed in sorted(found.values(), key=_intervals):
        read = by_intervals.setdefault(_intervals(feed), [])
        read.append(word(language, _READ[feed.resource.kind]))
        if feed.probe is not None:
            shown = [
                f"*{translated(language, 'entity', entity.platform, entity.row.key)['name']}*"
                for entity in service.entities
                if entity.resource is feed.resource and entity.row.key in feed.probe.fields
            ]
            one_by_one = word(language, _ONE_BY_ONE).format(
                fields=enumerated(language, shown),
                at_once=feed.probe.concurrency,
                rate=feed.probe.rate,
            )
            read[-1] += in_brackets(language, one_by_one)
    rows = [
        [
            *(_duration(language, interval) for interval in intervals),
            enumerated(language, list(dict.fromkeys(read))),
        ]
        for intervals, read in by_intervals.items()
    ]
    return table(titles(language, "Interval", "Interval when idle", "Data"), rows)


def _intervals(feed: Feed[Any]) -> tuple[timedelta, timedelta]:
    """Returns the intervals of a feed while a browser is connected, and otherwise."""
    return feed.interval, feed.idle_interval or feed.interval


def _duration(language: Language, interval: timedelta) -> str:
    """Returns an interval in the largest unit that it is a multiple of."""
    seconds = int(interval.total_seconds())
    for unit, length in (("{} h", 3600), ("{} min", 60)):
        if seconds % length == 0:
            return word(language, unit).format(seconds // length)
    return word(language, "{} s").format(seconds)
