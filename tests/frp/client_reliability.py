"""The cases of frpc for the reliability tests.

Its entries are of another kind than those of frps.
"""

from base64 import b64encode
from collections.abc import Iterator, MutableMapping
from typing import Any, override

from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelUpdate
from simulator.frp.frpc import Frpc

from ..common import MINUTE
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
    press,
    release,
    turn,
    with_host_name,
)

_CREATE = UserAction(
    "create_tunnel",
    data={"name": "new", "protocol": "xtcp", "local_port": 80, "secret_key": "key-of-new"},
)
_NEW = TunnelUpdate(name="new", protocol="tcp", local_port=80, remote_port=6200)


def _client(service: AnyService) -> AnyService:
    return service.state.client


def client_data(service: AnyService) -> dict[str, str]:
    return {
        "base_url": with_host_name(service.frpc_url),
        "username": "admin",
        "password": "frpc-password",
    }


def _with_password(password: str) -> Any:
    """Return a function that changes the password of the client."""
    return lambda service: setattr(_client(service), "password", password)


FRPC = Case(
    name="frpc",
    service="frp",
    kind="frpc",
    url=lambda service: str(service.frpc_url),
    credentials=lambda service: {"kind": "frpc", **client_data(service)},
    account=lambda service: with_host_name(service.frpc_url).partition("//")[2],
    ways={"frp_client": lambda service: {**client_data(service), "advanced": {}}},
    steady=(
        Value("sensor", "tunnel:nas", "public_address"),
        Value("switch", "tunnel:camera", "enabled"),
        Value("binary_sensor", "client_status:account", "connected"),
    ),
    user_actions=(
        turn("off", "tunnel:camera", "enabled"),
        UserAction("reload_configuration", answers=frozenset({"empty body"})),
        turn("on", "tunnel:camera", "enabled"),
        turn("on", "tunnel:camera", "force_down"),
        release("tunnel:camera"),
        press("tunnel:camera", "force_offline"),
        _CREATE,
        UserAction("update_tunnel", "tunnel:camera", {"local_port": 81}),
        UserAction("delete_tunnel", "tunnel:desktop"),
    ),
    secrets=lambda service: {
        "frpc-password",
        b64encode(b"admin:frpc-password").decode(),
        "changed-password",
        "the-token-of-the-server",
        "key-of-new",
    },
    # The error that frpc returns while it is not connected to its server.
    answers=frozenset({"JSON: an empty object"}),
    envelope=frozenset({"Code", "Msg", "proxies"}),
    ids=frozenset({"name", "type"}),
    troubles={
        "password changed": Trouble(
            begin=_with_password("changed-password"),
            end=_with_password("frpc-password"),
            outcome=Outcome.REFUSED,
        ),
    },
)


def _end_client(service: AnyService) -> None:
    _client(service).is_connected = False


class _Proxies(MutableMapping[str, Any]):
    """The proxies of the store, and those of the file that these do not override."""

    def __init__(self, client: Frpc) -> None:
        self._client = client

    @property
    def _all(self) -> dict[str, Any]:
        return {**self._client.file, **self._client.store}

    @override
    def __getitem__(self, name: str) -> Any:
        return self._all[name]

    @override
    def __setitem__(self, name: str, proxy: Any) -> None:
        self._client.store[name] = proxy

    @override
    def __delitem__(self, name: str) -> None:
        for proxies in (self._client.store, self._client.file):
            proxies.pop(name, None)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    @override
    def __len__(self) -> int:
        return len(self._all)


def proxies_of(service: AnyService) -> Any:
    """Return all proxies by name."""
    return _Proxies(_client(service))


def _add(service: AnyService, n: int) -> None:
    name = f"new{n}"
    _client(service).store[name] = {
        "name": name,
        "type": "tcp",
        "localIP": "192.0.2.200",
        "localPort": 8000 + n,
        "remotePort": 6300 + n,
    }


def _rename(service: AnyService, name: str, n: int) -> None:
    """Change the local port of a tunnel, because its name is its id."""
    proxies_of(service)[name]["localPort"] = 7000 + n


CLIENT_RELIABILITY = Reliability(
    cases=(FRPC,),
    variants={"frpc": Variant(FRPC)},
    resource_changes=ResourceChanges(
        kind="tunnel",
        rows=proxies_of,
        add=_add,
        rename=_rename,
        daily=False,
        counts=False,
    ),
    commands={
        "create": lambda provider: provider.collection(TunnelUpdate).create(_NEW),
        "update": lambda provider: provider.collection(TunnelUpdate).update(
            "camera", TunnelUpdate(local_port=81)
        ),
        "delete": lambda provider: provider.collection(TunnelUpdate).delete("camera"),
        "disable": lambda provider: provider.set_enabled(Tunnel, "camera", enabled=False),
        "force offline": lambda provider: provider.force_tunnel_offline("camera"),
        "reload": lambda provider: provider.reload_configuration(),
    },
    limits=Limits(500, MINUTE, Value("binary_sensor", "tunnel:nas", "online"), _end_client),
)
