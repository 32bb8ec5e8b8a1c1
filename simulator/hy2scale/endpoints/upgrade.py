"""The endpoints for upgrades: check, download, install and upload."""

from email import message_from_bytes
import io
import tarfile
from typing import TYPE_CHECKING

from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import refuse
from simulator.service import Answer, Call

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

ASSET = "hy2scale-linux-amd64.tar.gz"
SIZE = 25_165_824
NO_INTERNET = (
    'Get "https://api.github.com/repos/FrankoonG/hy2scale/releases/latest": dial tcp: lookup '
    "api.github.com on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable"
)
BUSY = ("downloading", "applying")


@ROUTES.on("GET", "/api/upgrade/check")
def check_upgrade(service: Hy2ScaleService, _: Call) -> Answer:
    """Check for the newest release, which discards a finished download."""
    state, upgrade = service.state, service.state.upgrade
    if upgrade.state in BUSY:
        return _status(service)
    if not state.settings.internet:
        upgrade.state, upgrade.error = "error", f"check failed: {NO_INTERNET}"
        raise refuse(502, NO_INTERNET)
    upgrade.state, upgrade.error = "idle", ""
    upgrade.latest, upgrade.asset = state.latest_version, ASSET
    published = state.settings.published_for_platform
    upgrade.bytes_total = SIZE if published else 0
    upgrade.download_url = (
        f"https://example.com/releases/v{upgrade.latest}/{ASSET}" if published else ""
    )
    return {
        "current": state.version,
        "latest": upgrade.latest,
        "asset": upgrade.asset,
        "download_url": upgrade.download_url,
        "size": upgrade.bytes_total,
        "update_available": published and _numbers(upgrade.latest) > _numbers(state.version),
    }


@ROUTES.on("GET", "/api/upgrade/status")
def get_upgrade_status(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the status of the upgrade."""
    return _status(service)


@ROUTES.on("POST", "/api/upgrade/download")
def download_upgrade(service: Hy2ScaleService, _: Call) -> Answer:
    """Start to download the release that the last check found."""
    _need_docker(service)
    upgrade = service.state.upgrade
    if upgrade.state not in BUSY:
        if not upgrade.download_url:
            raise refuse(400, "check for an update first")
        upgrade.state, upgrade.bytes_done, upgrade.error = "downloading", 0, ""
    return _status(service)


@ROUTES.on("POST", "/api/upgrade/apply")
def apply_upgrade(service: Hy2ScaleService, _: Call) -> Answer:
    """Install the download and restart."""
    _need_docker(service)
    upgrade = service.state.upgrade
    if upgrade.state != "ready":
        raise refuse(400, "no downloaded update ready to apply")
    service.state.version = upgrade.latest
    service.reboot()
    return {"status": "ok", "message": "applied, restarting"}


@ROUTES.on("POST", "/api/upgrade")
def upload_upgrade(service: Hy2ScaleService, call: Call) -> Answer:
    """Install an uploaded archive and restart. The documented generation expects a form."""
    _need_docker(service)
    try:
        archive = _form_file(call) if service.documented else call.body
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            names = [name.rpartition("/")[2] for name in tar.getnames()]
    except (tarfile.TarError, TypeError) as error:
        raise refuse(400, "invalid gzip") from error
    if not any(name.startswith("hy2scale") for name in names):
        raise refuse(400, "the archive has no program for linux-amd64")
    service.reboot()
    return {"status": "ok", "message": "applied, restarting"}


def _form_file(call: Call) -> bytes:
    head = f"Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + call.body).walk()
    files = (part.get_payload(decode=True) for part in parts if part.get_filename())
    content = next(files, b"")
    return content if isinstance(content, bytes) else b""


def _status(service: Hy2ScaleService) -> dict[str, object]:
    upgrade = service.state.upgrade
    total = upgrade.bytes_total
    return {
        "state": upgrade.state,
        "current": service.state.version,
        "latest": upgrade.latest,
        "asset": upgrade.asset,
        "download_url": upgrade.download_url,
        "progress": upgrade.bytes_done / total * 100 if total else 0,
        "bytes_done": int(upgrade.bytes_done),
        "bytes_total": total,
        **({"error": upgrade.error} if upgrade.error else {}),
    }


def _need_docker(service: Hy2ScaleService) -> None:
    if not service.state.settings.in_docker:
        raise refuse(403, "only a node in Docker upgrades itself")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
