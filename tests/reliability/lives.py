"""What goes on at each service in the course of a day: things come, go and are renamed."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from .providers import AnyService

type AnyRow = Any
"""What a service knows of one thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One service's daily life.

    kind: of the resources that come and go. rows: the service's own, by id; is_ours: whether one is
    the account's. add: makes another one. rename: gives one another name.
    end_tokens: has the session end, None where it does by itself.
    daily: whether traffic is counted from 0 again when the service's day begins.
    """

    kind: str
    rows: Callable[[AnyService], dict[str, AnyRow]]
    add: Callable[[AnyService, int], None]
    rename: Callable[[AnyService, str, int], None]
    is_ours: Callable[[AnyRow], bool] = lambda _: True
    end_tokens: Callable[[AnyService], object] | None = None
    daily: bool = True


def _another(rows: dict[str, AnyRow], id_: str, **fields: object) -> None:
    """Add a row like the first one, with another id and other fields."""
    row = deepcopy(next(iter(rows.values())))
    for name, value in fields.items():
        setattr(row, name, value)
    rows[id_] = row


def _end_hayfrp_session(service: AnyService) -> None:
    service.account.csrf = None


LIVES: Mapping[str, Life] = {
    "hayfrp": Life(
        kind="tunnel",
        rows=lambda service: service.state.tunnels,
        add=lambda service, n: _another(
            service.state.tunnels, f"{100 + n}", id=f"{100 + n}", proxy_name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(
            service.state.tunnels[id_], "proxy_name", f"other{n}"
        ),
        end_tokens=_end_hayfrp_session,
    ),
    "chmlfrp": Life(
        kind="tunnel",
        rows=lambda service: service.state.tunnels,
        add=lambda service, n: _another(
            service.state.tunnels, f"{10_000 + n}", id=10_000 + n, name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.tunnels[id_], "name", f"other{n}"),
    ),
    "hy2scale": Life(
        kind="user",
        rows=lambda service: service.state.users,
        add=lambda service, n: _another(
            service.state.users, f"user{n}", id=f"user{n}", username=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.users[id_], "username", f"other{n}"),
        end_tokens=lambda service: service.state.tokens.clear(),
        daily=False,
    ),
    "easytier": Life(
        kind="relay_node",
        rows=lambda service: service.state.nodes,
        is_ours=lambda node: node.user_email == "demo@example.com",
        add=lambda service, n: _another(
            service.state.nodes, f"{100 + n}", id=100 + n, node_name=f"new{n}"
        ),
        rename=lambda service, id_, n: setattr(service.state.nodes[id_], "node_name", f"other{n}"),
        end_tokens=lambda service: service.refuse_tokens(),
        daily=False,
    ),
}
