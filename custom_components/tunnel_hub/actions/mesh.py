"""Actions for a mesh node: queries and one-time commands."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
import io
from pathlib import Path
import re
import tarfile
from typing import Any, Literal

from homeassistant.const import CONF_NAME
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util, slugify
import voluptuous as vol

from ..api.capabilities.mesh import MeshNode
from ..api.models.mesh import (
    Hub,
    NodeAfterRestart,
    Peer,
    PeerKind,
    Port,
    Position,
    User,
    UserSessions,
    WireGuardPeer,
)
from ..api.models.tunnels import Tunnel
from ..const import DOMAIN
from ..number_validators import NUMBER
from .base import Action, ActionTarget, to_response

_PORT = re.compile(r"(\d+)/(tcp|udp)")
_BACKUPS = f"{DOMAIN}_backups"
_LARGEST_ARCHIVE = 256 * 1024**2


def _port(text: str) -> Port:
    """Return a port such as "5565/udp"."""
    if not (found := _PORT.fullmatch(text)):
        raise vol.Invalid("expected a port such as 5565/udp")
    return Port(port=cv.port(found[1]), protocol=found[2])


async def _kick_session(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    kick = await target.capable(MeshNode).kick_sessions(target.key.id, data.get("key"))
    return {
        "sessions": list(kick.keys),
        "locked_until": kick.locked_until.isoformat() if kick.locked_until else None,
    }


async def _get_sessions(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    sessions = await target.capable(MeshNode).sessions_of(target.key.id)
    return {"sessions": [to_response(session) for session in sessions]}


async def _check_ports(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    free = await target.capable(MeshNode).check_ports(data["ports"])
    return {"ports": [{**asdict(port), "free": is_free} for port, is_free in free.items()]}


async def _resolve_name(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    service = target.capable(MeshNode)
    return {"addresses": list(await service.resolve_name(data[CONF_NAME], data.get("exit_path")))}


_PEER_KINDS: Mapping[str, PeerKind] = {Peer.kind: Peer, Tunnel.kind: Tunnel}


async def _get_latency_history(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    link = await target.capable(MeshNode).link_history(_PEER_KINDS[target.key.kind], target.key.id)
    return {
        "connected": link.connected,
        "rebinds": link.rebinds,
        "samples": [
            {"time": sample.time.isoformat(), "latency": sample.latency} for sample in link.samples
        ],
    }


async def _get_peers(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    peers = await target.capable(MeshNode).peers_of(_PEER_KINDS[target.key.kind], target.key.id)
    return {"peers": [to_response(peer) for peer in peers]}


async def _describe_node(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    return {
        subject: dict(words)
        for subject, words in (await target.capable(MeshNode).describe_node()).items()
    }


async def _create_backup(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    archive = await target.capable(MeshNode).backup()
    folder = Path(target.hass.config.path(_BACKUPS))
    name = f"{slugify(target.entry.title)}_{dt_util.now():%Y-%m-%d_%H-%M-%S}"
    try:
        path = await target.hass.async_add_executor_job(_save, folder, name, archive)
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="backup_not_saved",
            translation_placeholders={"reason": err.strerror or ""},
        ) from err
    return {"path": str(path)}


async def _restore_backup(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    return await _replace(target, data, target.capable(MeshNode).restore_backup, "r:*")


async def _upload_upgrade(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    return await _replace(target, data, target.capable(MeshNode).upload_upgrade, "r:gz")


async def _replace(
    target: ActionTarget,
    data: dict[str, Any],
    replace: Callable[[bytes], Awaitable[NodeAfterRestart]],
    mode: Literal["r:*", "r:gz"],
) -> ServiceResponse:
    """Replace a node's program or configuration with a file, after a backup; return the result.

    mode: of the archive.
    """
    hubs = [hub for feed in target.feeds_of(Hub) for hub in feed.data.values()]
    name = hubs[0].name if hubs else None
    if name is None or data["confirm"] != name:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="confirmation_differs",
            translation_placeholders={"name": name or target.entry.title},
        )
    folder = Path(target.hass.config.path(_BACKUPS))
    try:
        archive = await target.hass.async_add_executor_job(_load, folder, data["file"], mode)
    except ValueError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_archive",
            translation_placeholders={"file": data["file"], "folder": str(folder)},
        ) from err
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="archive_not_read",
            translation_placeholders={"file": data["file"], "reason": err.strerror or ""},
        ) from err
    backup = await _create_backup(target, {})
    return {"backup": backup and backup["path"], **to_response(await replace(archive))}


def _load(folder: Path, file: str, mode: Literal["r:*", "r:gz"]) -> bytes:
    """Read an archive from the integration's own folder; links to other folders are refused.

    Raises ValueError if there is no such archive, and OSError if it cannot be read.
    """
    path = (folder / file).resolve()
    is_ours = path.parent == folder.resolve() and path.is_file()
    if not is_ours or path.stat().st_size > _LARGEST_ARCHIVE:
        raise ValueError
    content = path.read_bytes()
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode=mode) as archive:
            archive.getnames()
    except (EOFError, OSError, tarfile.TarError) as err:
        raise ValueError from err
    return content


def _save(folder: Path, name: str, content: bytes) -> Path:
    """Write a new file that only its owner can read; an existing file is not replaced."""
    folder.mkdir(mode=0o700, exist_ok=True)
    number = 1
    while True:
        path = folder / (f"{name}.tar" if number == 1 else f"{name}_{number}.tar")
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            path.write_bytes(content)
            return path


async def _get_wireguard_config(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    service = target.capable(MeshNode)
    return {"config": await service.wireguard_config(target.key.id, data.get("endpoint"))}


# Graph layout


async def _get_graph_layout(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    positions = await target.capable(MeshNode).graph_layout()
    return {"positions": {name: asdict(position) for name, position in positions.items()}}


async def _set_graph_layout(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(MeshNode).set_graph_layout(
        {name: Position(**position) for name, position in data["positions"].items()}
    )
    return None


_REPLACE: dict[vol.Marker, Any] = {
    vol.Required("file"): cv.string,
    vol.Required("confirm"): cv.string,
}

MESH_ACTIONS: dict[str, Action] = {
    "check_ports": Action(
        run=_check_ports,
        fields={vol.Required("ports"): vol.All(cv.ensure_list, [vol.All(cv.string, _port)])},
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "create_backup": Action(run=_create_backup, admin=True, response=SupportsResponse.OPTIONAL),
    "describe_node": Action(run=_describe_node, admin=True, response=SupportsResponse.ONLY),
    "get_graph_layout": Action(run=_get_graph_layout, response=SupportsResponse.ONLY),
    "get_latency_history": Action(
        run=_get_latency_history,
        kinds=tuple(_PEER_KINDS),
        response=SupportsResponse.ONLY,
    ),
    "get_peers": Action(run=_get_peers, kinds=tuple(_PEER_KINDS), response=SupportsResponse.ONLY),
    "get_wireguard_config": Action(
        run=_get_wireguard_config,
        kinds=(WireGuardPeer.kind,),
        fields={vol.Optional("endpoint"): cv.string},
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "get_sessions": Action(
        run=_get_sessions, kinds=(User.kind,), admin=True, response=SupportsResponse.ONLY
    ),
    "kick_session": Action(
        run=_kick_session,
        kinds=(User.kind,),
        fields={vol.Optional("key"): cv.string},
        admin=True,
        changes=(Hub, UserSessions),
        response=SupportsResponse.OPTIONAL,
    ),
    "resolve_name": Action(
        run=_resolve_name,
        fields={vol.Required(CONF_NAME): cv.string, vol.Optional("exit_path"): cv.string},
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "restore_backup": Action(
        run=_restore_backup,
        fields=_REPLACE,
        admin=True,
        changes=(Hub,),
        response=SupportsResponse.OPTIONAL,
    ),
    "set_graph_layout": Action(
        run=_set_graph_layout,
        fields={
            vol.Required("positions"): {
                cv.string: {
                    vol.Required("x"): NUMBER,
                    vol.Required("y"): NUMBER,
                }
            }
        },
        admin=True,
    ),
    "upload_upgrade": Action(
        run=_upload_upgrade,
        fields=_REPLACE,
        admin=True,
        changes=(Hub,),
        response=SupportsResponse.OPTIONAL,
    ),
}
