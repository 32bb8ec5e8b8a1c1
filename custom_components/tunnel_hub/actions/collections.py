"""Actions that create, change and delete the rows of a mesh node: one table row for each kind."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from homeassistant.const import CONF_ID, CONF_NAME, CONF_PASSWORD, CONF_PROTOCOL
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.models.base import Resource
from ..api.models.mesh import (
    ClientUpdate,
    Edited,
    Link,
    MeshUpdate,
    Proxy,
    ProxyUpdate,
    Rule,
    RuleUpdate,
    User,
    UserUpdate,
    WireGuardPeer,
    WireGuardPeerUpdate,
)
from ..api.models.tunnels import Tunnel
from ..number_validators import AMOUNT, COUNT, number_of
from .base import Action, ActionTarget, payload_of

_BYTES_IN_GIB = 1024**3
_BYTES_IN_MEGABIT = 125_000
NEVER = "never"

_GIB = vol.All(AMOUNT, number_of(lambda gib: round(gib * _BYTES_IN_GIB)))
_MBIT_PER_SECOND = vol.All(AMOUNT, number_of(lambda mbit: round(mbit * _BYTES_IN_MEGABIT)))
_DATE = vol.Any(vol.All(NEVER, lambda _: date.max), cv.date)
_TEXTS = vol.All(cv.ensure_list, [cv.string], vol.Coerce(tuple))

_EXIT = {"exit_paths": _TEXTS, "exit_mode": vol.In(("", "aggregate", "quality"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of editable row.

    of: the class of its resources. payload: the class of its payloads.
    needed: the required fields of a new row. fields: the others.
    fixed: fields that cannot be changed later.
    also: further resources that change with it.
    """

    of: Edited
    payload: type[MeshUpdate]
    needed: dict[str, Any]
    fields: dict[str, Any]
    fixed: tuple[str, ...] = ()
    also: tuple[type[Resource], ...] = ()


_KINDS = {
    "client": _Kind(
        of=Tunnel,
        payload=ClientUpdate,
        needed={CONF_NAME: cv.string, "addresses": _TEXTS, CONF_PASSWORD: cv.string},
        fields={
            "server_name": cv.string,
            "insecure": cv.boolean,
            "ca": cv.string,
            "max_rate_in": _MBIT_PER_SECOND,
            "max_rate_out": _MBIT_PER_SECOND,
        },
        also=(Link,),
    ),
    "proxy": _Kind(
        of=Proxy,
        payload=ProxyUpdate,
        needed={CONF_ID: cv.string, CONF_PROTOCOL: cv.string, "listen": cv.string},
        fields={
            "enabled": cv.boolean,
            "method": cv.string,
            "certificate": cv.string,
            **_EXIT,
        },
        fixed=(CONF_ID,),
    ),
    "rule": _Kind(
        of=Rule,
        payload=RuleUpdate,
        needed={
            CONF_ID: cv.string,
            CONF_NAME: cv.string,
            "type": vol.In(("domain", "ip")),
            "targets": _TEXTS,
            "exit_paths": _TEXTS,
        },
        fields={
            "exit_mode": _EXIT["exit_mode"],
            "enabled": cv.boolean,
            "priority": COUNT,
            "use_tun": cv.boolean,
        },
        fixed=(CONF_ID,),
    ),
    "user": _Kind(
        of=User,
        payload=UserUpdate,
        needed={CONF_NAME: cv.string, CONF_PASSWORD: cv.string},
        fields={"enabled": cv.boolean, "traffic_limit": _GIB, "expires": _DATE, **_EXIT},
    ),
    "wireguard_peer": _Kind(
        of=WireGuardPeer,
        payload=WireGuardPeerUpdate,
        needed={CONF_NAME: cv.string, "address": cv.string},
        fields={
            "keepalive": COUNT,
            "public_key": cv.string,
            "private_key": cv.string,
            **_EXIT,
        },
    ),
}


def _creating(kind: _Kind) -> Action:
    async def _create(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
        payload = payload_of(kind.payload, data)
        return {CONF_ID: await target.collection(kind.payload).create(payload)}

    return Action(
        run=_create,
        edits=kind.payload,
        fields={
            **{vol.Required(name): check for name, check in kind.needed.items()},
            **{vol.Optional(name): check for name, check in kind.fields.items()},
        },
        admin=True,
        changes=(kind.of, *kind.also),
        response=SupportsResponse.OPTIONAL,
    )


def _updating(kind: _Kind) -> Action:
    async def _update(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
        payload = payload_of(kind.payload, data)
        await target.collection(kind.payload).update(target.key.id, payload)
        return None

    fields = kind.needed | kind.fields
    return _of_one(
        kind,
        _update,
        {vol.Optional(name): fields[name] for name in fields if name not in kind.fixed},
    )


def _deleting(kind: _Kind) -> Action:
    async def _delete(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
        await target.collection(kind.payload).delete(target.key.id)
        return None

    return _of_one(kind, _delete, {})


def _of_one(
    kind: _Kind,
    run: Callable[[ActionTarget, dict[str, Any]], Awaitable[ServiceResponse]],
    fields: dict[vol.Marker, Any],
) -> Action:
    return Action(
        run=run,
        edits=kind.payload,
        kinds=(kind.of.kind,),
        fields=fields,
        admin=True,
        changes=(kind.of, *kind.also),
    )


COLLECTION_ACTIONS: dict[str, Action] = {
    f"{verb}_{name}": action(kind)
    for name, kind in _KINDS.items()
    for verb, action in (("create", _creating), ("delete", _deleting), ("update", _updating))
}
