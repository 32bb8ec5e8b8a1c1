"""A program that runs beside the demo and never outlives it."""

from collections.abc import Sequence
from contextlib import suppress
import os
from pathlib import Path
import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

from .progress import DemoError

_STOPPING = 30.0
"""Seconds that a program gets to end by itself: Home Assistant saves what it knows."""


class Program:
    """A Python module that runs as long as its context; a file takes what it says.

    It has a session of its own, so that Ctrl-C reaches only the demo, which then stops things in
    their order. Stopping is not a coroutine: a second Ctrl-C cannot interrupt it.
    """

    def __init__(self, module: str, arguments: Sequence[str], *, home: Path, log: Path) -> None:
        """Prepare; `home` is the working directory."""
        self.module = module
        self._command = [sys.executable, "-m", module, *arguments]
        self._home = home
        self._log = log

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def start(self) -> None:
        """Start it, for the first time or once more."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """Stop it and whatever it has started, by force if need be."""
        if self.exit_code is not None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOPPING)
        self.kill()

    def kill(self) -> None:
        """End it and whatever it has started without a warning, as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        return self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._log.read_text(errors="replace")

    def require_running(self) -> None:
        """Raise DemoError if it has ended."""
        if self.exit_code is not None:
            raise DemoError(f"{self.module} ended by itself with exit code {self.exit_code}")
