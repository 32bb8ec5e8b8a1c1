"""The endpoints for sign-in, settings, ports, backups, diagnostics and program information."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
import io
import json
import tarfile
from typing import TYPE_CHECKING

from aiohttp import web
from mashumaro.codecs.basic import decode as load

from simulator.hy2scale.initial_state import hashed
from simulator.hy2scale.state import Config, Peer, UiSettings
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, body_of, decode, given, refuse, shown
from simulator.service import Answer, Call

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

DEFAULT_PASSWORD = hashed("admin")
RESTART_FIELDS = ("listen", "base_path", "force_https", "https_cert_id")
CONFIG_FILE = "config.yaml"
BACKUP_FIELDS = tuple(field.name for field in fields(Config))


@dataclass(slots=True)
class Login:
    """Credentials; the password is sent as its SHA-256."""

    username: str = ""
    password: str = ""


@dataclass(slots=True)
class PasswordForm:
    """New credentials; the passwords are sent as their SHA-256."""

    current_password: str = ""
    new_username: str = ""
    new_password: str = ""


@ROUTES.on("POST", "/api/login")
def login(service: Hy2ScaleService, call: Call) -> Answer:
    """Return a session token."""
    form, state = decode(Login, call), service.state
    if (form.username, form.password) != (state.username, state.password_hash):
        raise refuse(401, "invalid credentials")
    token = f"{service.random.getrandbits(128):032x}"
    state.tokens[token] = service.token_end()
    return {"token": token, "force_password_change": state.password_hash == DEFAULT_PASSWORD}


@ROUTES.on("PUT", "/api/settings/password")
def put_password(service: Hy2ScaleService, call: Call) -> Answer:
    """Change username and password, which invalidates all session tokens."""
    form, state = decode(PasswordForm, call), service.state
    if form.current_password != state.password_hash:
        raise refuse(403, "current password incorrect")
    state.username = form.new_username or state.username
    state.password_hash = form.new_password or state.password_hash
    state.tokens.clear()
    return OK


@ROUTES.on("GET", "/api/settings/ui")
def get_ui(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the settings."""
    return shown(service.state.ui)


@ROUTES.on("PUT", "/api/settings/ui")
def put_ui(service: Hy2ScaleService, call: Call) -> Answer:
    """Change the given settings; some apply after a restart."""
    changes = given(decode(UiSettings, call), call)
    service.state.ui = replace(service.state.ui, **changes)
    waits = any(name in changes for name in RESTART_FIELDS)
    note = "restart to take this up" if waits else "in effect"
    return {**OK, "note": note}


@ROUTES.on("POST", "/api/check-ports")
def check_ports(service: Hy2ScaleService, call: Call) -> Answer:
    """Return which of the ports are in use, null for none."""
    wanted = body_of(call)
    if not isinstance(wanted, list):
        raise refuse(400, "json: cannot unmarshal object into Go value of type []app.PortConflict")
    busy = _busy_ports(service)
    conflicts = [row for row in wanted if f"{row['port']}/{row['proto']}" in busy]
    return {"conflicts": conflicts or None}


def _busy_ports(service: Hy2ScaleService) -> set[str]:
    """Return the ports in use, as "5565/udp"."""
    state = service.state
    tcp = [state.ui.listen, *(proxy.listen for proxy in state.proxies.values() if proxy.enabled)]
    udp = [
        *([state.server.listen] if state.server else []),
        *([str(state.wireguard.listen_port)] if state.wireguard.enabled else []),
        *([state.l2tp.listen] if state.l2tp.enabled else []),
        *(["500", "4500"] if state.ikev2.enabled else []),
    ]
    return {
        *state.busy_ports,
        *(f"{listen.rpartition(':')[2]}/tcp" for listen in tcp),
        *(f"{listen.rpartition(':')[2]}/udp" for listen in udp),
    }


# Backups


@ROUTES.on("GET", "/api/backup")
def backup(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the configuration as a tar archive."""
    config = {name: value for name, value in asdict(service.state).items() if name in BACKUP_FIELDS}
    # JSON is valid YAML.
    files = {"node-id": service.state.node_id, CONFIG_FILE: json.dumps(config)}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content.encode()), int(service.now())
            tar.addfile(member, io.BytesIO(content.encode()))
    return web.Response(
        body=archive.getvalue(),
        content_type="application/x-tar",
        headers={"Content-Disposition": "attachment; filename=hy2scale-backup.tar"},
    )


@ROUTES.on("POST", "/api/restore")
def restore(service: Hy2ScaleService, call: Call) -> Answer:
    """Restore the configuration of a backup and restart."""
    try:
        with tarfile.open(fileobj=io.BytesIO(call.body), mode="r:") as tar:
            file = tar.extractfile(CONFIG_FILE)
            content = file.read() if file else b""
    except (tarfile.TarError, TypeError) as error:
        raise refuse(400, "invalid tar: unexpected EOF") from error
    except KeyError:
        content = b""
    if content:
        config = load(json.loads(content), Config)
        for name in BACKUP_FIELDS:
            setattr(service.state, name, getattr(config, name))
    service.reboot()
    return OK


# Diagnostics


@ROUTES.on("GET", "/api/diag/resolve")
def diag_resolve(service: Hy2ScaleService, call: Call) -> Answer:
    """Resolve a host name through an exit."""
    name = call.query.get("name", "")
    if not name:
        raise refuse(400, "name required")
    addresses = service.state.names.get(name)
    return {
        "name": name,
        "exit_via": call.query.get("exit_via", ""),
        "ips": addresses,
        **({} if addresses else {"error": f"lookup {name}: no such host"}),
    }


@ROUTES.on("GET", "/api/diag/peer-health")
def diag_peer_health(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the successes and failures on the connections to direct peers."""
    counts = {"ping_fail": 0, "fail_count": 0, "tx_bytes": 0, "rx_bytes": 0}
    return _of_connected(service, lambda peer: {"ping_ok": len(peer.latencies), **counts})


@ROUTES.on("GET", "/api/diag/peer-rebinds")
def diag_peer_rebinds(service: Hy2ScaleService, _: Call) -> Answer:
    """Return how often streams on the connections to direct peers were repaired."""
    return _of_connected(service, lambda peer: {"rebind_checks": peer.rebinds})


@ROUTES.on("GET", "/api/diag/peer-latency")
def diag_peer_latency(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the latencies of the last ten minutes to direct peers."""

    def _history(peer: Peer) -> dict[str, object]:
        samples = [{"at": _rfc_3339(at), "ms": latency} for at, latency in peer.latencies]
        return {"latency_ms": peer.latency_ms, "history": samples}

    return _of_connected(service, _history)


def _of_connected(
    service: Hy2ScaleService, describe: Callable[[Peer], dict[str, object]]
) -> Answer:
    return {
        "peers": [
            {"name": path, "direction": peer.direction, **describe(peer)}
            for path, peer in service.state.peers.items()
            if "/" not in path and service.connected(path)
        ]
    }


def _rfc_3339(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.995743687Z"


# The program


@ROUTES.on("GET", "/api/system/arch")
def get_arch(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the architecture of the machine."""
    return {
        "os": "linux",
        "arch": "amd64",
        "version": service.state.version,
        "binary": "hy2scale",
        "in_docker": service.state.settings.in_docker,
    }


@ROUTES.on("GET", "/api/build-info")
def get_build_info(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the components of the program."""
    return {
        "version": service.state.version,
        "license": "GPL-3.0-or-later",
        "repository": "https://github.com/FrankoonG/hy2scale",
        "go_deps": [
            {"path": "example.com/quic", "version": "v0.52.0"},
            {"path": "example.com/yaml", "version": "v3.0.1"},
        ],
        "natives": [
            {
                "name": "strongSwan",
                "version": "5.8.4",
                "license": "GPL-2.0-or-later",
                "source": "https://www.strongswan.org/",
            },
            {
                "name": "iptables (nf_tables backend)",
                "version": "distro-packaged",
                "license": "GPL-2.0-or-later",
                "source": "https://www.netfilter.org/projects/iptables/",
            },
        ],
    }


@ROUTES.on("GET", "/api/build-id")
def get_build_id(service: Hy2ScaleService, _: Call) -> Answer:
    """Return an id that changes with the pages."""
    return {"build_id": sha256(service.state.version.encode()).hexdigest()[:16]}
