"""The cases of frps for the reliability tests."""

from base64 import b64encode
from typing import Any

from simulator.frp.frps import close

from ..common import HOUR, MINUTE
from ..reliability.providers import (
    AnyService,
    Case,
    Limits,
    Outcome,
    Reliability,
    ResourceChanges,
    Trouble,
    UserAction,
    Value,
    Variant,
    another,
    url_of,
)
from .client_reliability import CLIENT_RELIABILITY


def _data(service: AnyService) -> dict[str, str]:
    return {
        "base_url": url_of(service),
        "username": "admin",
        "password": "demo-password",
    }


def _server(service: AnyService) -> AnyService:
    return service.state.server


def _settings(**settings: object) -> Any:
    """Return a function that changes the settings of the server."""

    def _change(service: AnyService) -> None:
        for name, value in settings.items():
            setattr(_server(service).settings, name, value)

    return _change


FRPS = Case(
    name="frps",
    service="frp",
    kind="frps",
    # The server's days begin at the same time as those of the other services.
    prepare=_settings(ahead=8 * HOUR),
    credentials=lambda service: {"kind": "frps", **_data(service)},
    account=lambda service: url_of(service).partition("//")[2],
    ways={"frp_server": lambda service: {**_data(service), "advanced": {}}},
    steady=(
        Value("sensor", "server:account", "port"),
        Value("sensor", "tunnel:alice.nas", "public_address"),
        Value("binary_sensor", "client:alice.ha", "online"),
    ),
    user_actions=(
        UserAction("get_traffic_history", "tunnel:alice.nas"),
        UserAction("forget_offline_tunnels"),
    ),
    secrets=lambda service: {
        "demo-password",
        "changed-password",
        b64encode(b"admin:demo-password").decode(),
    },
    envelope=frozenset({"Code", "bindPort", "code", "msg", "version"}),
    ids=frozenset({"clientID", "key", "name", "type", "user"}),
    troubles={
        "password changed": Trouble(
            begin=_settings(password="changed-password"),
            end=_settings(password="demo-password"),
            outcome=Outcome.REFUSED,
        ),
    },
)


def _end_client(service: AnyService) -> None:
    close(_server(service).proxies["alice.nas"], service.now())


RELIABILITY = Reliability(
    cases=(FRPS,),
    variants={
        "frps": Variant(FRPS),
        "frps-0.60": Variant(FRPS, base="frps", prepare=_settings(version="0.60.0")),
    },
    resource_changes=ResourceChanges(
        kind="tunnel",
        rows=lambda service: _server(service).proxies,
        add=lambda service, n: another(
            _server(service).proxies, f"alice.{n:03}", name=f"alice.{n:03}"
        ),
        rename=lambda service, id_, n: setattr(
            _server(service).proxies[id_], "remote_port", 7000 + n
        ),
        forgets="forget_offline_tunnels",
    ),
    commands={
        "forget_offline_tunnels": lambda provider: provider.forget_offline_tunnels(),
        "traffic_history": lambda provider: provider.traffic_history("alice.nas"),
    },
    limits=Limits(200, MINUTE, Value("binary_sensor", "tunnel:alice.nas", "online"), _end_client),
    other_kinds=(CLIENT_RELIABILITY,),
)
