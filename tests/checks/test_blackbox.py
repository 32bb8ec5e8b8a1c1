"""Compares our check with Prometheus's blackbox exporter (Debian's package)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
import shutil

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.checks.addresses import Protocol
from demo.hass import free_port

from .rows import ROWS, Row, table
from .servers import Authorities

EXPORTER = shutil.which("prometheus-blackbox-exporter")
DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"

needs_exporter = pytest.mark.skipif(
    EXPORTER is None,
    reason="NOT RUN: there is no prometheus-blackbox-exporter (Debian: apt-get install)",
)


def _modules(authority: Path) -> dict[str, object]:
    """Returns the exporter's modules: two with our criteria, one that validates certificates."""
    statuses = list(range(200, 600))
    http = {
        "method": "GET",
        "valid_status_codes": statuses,
        "follow_redirects": False,
        "valid_http_versions": ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"],
    }
    return {
        "tcp": {"prober": "tcp", "timeout": "3s"},
        "http": {
            "prober": "http",
            "timeout": "3s",
            "http": http | {"tls_config": {"insecure_skip_verify": True}},
        },
        "trusted": {
            "prober": "http",
            "timeout": "3s",
            "http": http | {"tls_config": {"ca_file": str(authority)}},
        },
    }


class Exporter:
    """A client of a running exporter."""

    def __init__(self, session: ClientSession, port: int) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}"

    async def probe(self, module: str, target: str) -> tuple[bool, int | None]:
        """Probes a target; returns whether that succeeded, and the HTTP status."""
        query = {"module": module, "target": target}
        async with self._session.get(f"{self._url}/probe", params=query) as response:
            metrics = dict(re.findall(r"^(probe_\w+) (\S+)$", await response.text(), re.MULTILINE))
        status = int(float(metrics.get("probe_http_status_code", 0)))
        return metrics["probe_success"] == "1", status or None


@asynccontextmanager
async def exporting(folder: Path, authorities: Authorities) -> AsyncIterator[Exporter]:
    assert EXPORTER
    authority = folder / "ca.pem"
    authority.write_text(authorities.trusted.cert)
    config = folder / "blackbox.yml"
    config.write_text(json.dumps({"modules": _modules(authority)}))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        EXPORTER,
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        async with asyncio.timeout(30):
            while b"Listening on" not in await process.stderr.readline():
                assert process.returncode is None
        async with ClientSession() as session:
            yield Exporter(session, port)
    finally:
        process.terminate()
        await process.wait()


def _target(row: Row, port: int) -> str:
    host = f"[{row.host}]" if ":" in row.host else row.host
    return f"{host}:{port}" if row.protocol is Protocol.TCP else f"{row.protocol}://{host}:{port}/"


@needs_exporter
async def test_exporter_results(tmp_path: Path, authorities: Authorities) -> None:
    """Compares success, HTTP status and trust in the certificate for all targets."""

    async def _compare(exporter: Exporter, row: Row) -> None:
        async with row.server(authorities) as server:
            target = _target(row, server.port)
            module = "tcp" if row.protocol is Protocol.TCP else "http"
            succeeds, status = await exporter.probe(module, target)
            assert succeeds is row.blackbox, row.name
            if succeeds:
                assert status == row.status, row.name
            if row.trusted is not None:
                trusted, _ = await exporter.probe("trusted", target)
                assert trusted is row.trusted, row.name

    async with exporting(tmp_path, authorities) as exporter, asyncio.TaskGroup() as group:
        for row in ROWS:
            group.create_task(_compare(exporter, row))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_difference_has_a_reason(row: Row) -> None:
    differs = row.blackbox is not (row.outcome == "reached")
    assert differs is bool(row.because)


def test_the_table_is_in_the_documents() -> None:
    assert table() in DOCUMENT.read_text("utf-8")
