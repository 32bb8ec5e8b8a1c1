"""Runs a program in parallel with the demo and stops it at the end."""

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
"""Seconds to wait after a signal, in which Home Assistant saves its data."""


class Program:
    """A Python module that runs as a context manager; its output is written to a file.

    It has its own session, so that Ctrl-C only reaches the demo, which then stops programs in
    order. Stopping is not a coroutine, so a second Ctrl-C cannot interrupt it.
    """

    def __init__(self, module: str, arguments: Sequence[str], *, home: Path, log: Path) -> None:
        """Prepares the program; `home` is the working directory."""
        self.module = module
        self._command = [sys.executable, "-m", module, *arguments]
        self._home = home
        self._log = log

    def __enter__(self) -> Self:
        """Starts the program."""
        self.start()
        return self

    def start(self) -> None:
        """Starts the program, also repeatedly."""
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
        """Stops the program."""
        self.stop()

    def stop(self) -> None:
        """Stops the program and its children, if necessary by force."""
        if self.exit_code is not None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOPPING)
        self.kill()

    def kill(self) -> None:
        """Kills the program and its children, like a power failure."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Waits for the end and returns the exit code."""
        return self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it is running."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """The output so far."""
        return self._log.read_text(errors="replace")

    def require_running(self) -> None:
        """Raises DemoError if the program has ended."""
        if self.exit_code is not None:
            raise DemoError(f"{self.module} ended with exit code {self.exit_code}")
