"""Upgrades a node step by step: check, download, install, restart."""

from asyncio import sleep
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .. import coerce
from ..errors import InvalidInputError, Reason, RejectedError, UnavailableError
from ..models.mesh import NodeAfterRestart, UpgradeState
from ..rows import Row
from .client import Hy2ScaleClient
from .models import progress

_LOOK = 2.0
"""Seconds between two checks of the progress."""
_LONGEST_DOWNLOAD = 900
"""The number of checks: half an hour."""
_LONGEST_RESTART = 60
"""The number of checks: two minutes."""


async def install(client: Hy2ScaleClient, on_progress: Callable[[float | None], None]) -> None:
    """Download and install the newest version, and wait until the node has restarted."""
    status = await client.upgrade_status()
    if status.get("state") not in (UpgradeState.DOWNLOADING, UpgradeState.READY):
        await client.check_upgrade()
        await client.download_upgrade()
        status = await client.upgrade_status()
    for _ in range(_LONGEST_DOWNLOAD):
        if status.get("state") != UpgradeState.DOWNLOADING:
            break
        on_progress(progress(status.get("progress")))
        await sleep(_LOOK)
        status = await client.upgrade_status()
    if status.get("state") != UpgradeState.READY:
        raise RejectedError(_words(status))
    on_progress(None)
    await client.apply_upgrade()
    await _come_back(client, coerce.text(status.get("latest")))


async def restarted(
    client: Hy2ScaleClient, command: Callable[[], Awaitable[None]]
) -> NodeAfterRestart:
    """Send a command that restarts the node, and wait until it has restarted.

    The session shows this, because it ends with the process.
    """
    before = coerce.text((await client.node()).get("version"))
    lost: UnavailableError | None = None
    logins = client.logins
    try:
        await command()
    except UnavailableError as err:
        # The process may have ended before the answer was sent.
        if err.reason not in (Reason.CONNECTION, Reason.TIMEOUT, Reason.SERVER_ERROR):
            raise
        lost = err
    for _ in range(_LONGEST_RESTART):
        with suppress(UnavailableError, InvalidInputError):
            row = await client.node()
            if client.logins > logins:
                return NodeAfterRestart(
                    name=coerce.text(row.get("node_id")),
                    version=coerce.text(row.get("version")),
                    version_before=before,
                )
        await sleep(_LOOK)
    raise lost or UnavailableError(Reason.TIMEOUT, "restart")


async def _come_back(client: Hy2ScaleClient, version: str | None) -> None:
    for _ in range(_LONGEST_RESTART):
        # A proxy in front of the node may report that the node is missing.
        with suppress(UnavailableError, InvalidInputError):
            if coerce.text((await client.node()).get("version")) == version:
                return
        await sleep(_LOOK)
    raise UnavailableError(Reason.TIMEOUT, "restart")


def _words(status: Row) -> str:
    return coerce.text(status.get("error")) or coerce.text(status.get("state")) or ""
