"""A daemon in the foreground, as a child of the tests: started, asked whether it is ready, stopped."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from live.processes import PATIENCE, wait_until

# Where daemons live; an ordinary user often lacks it in PATH.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class DaemonError(RuntimeError):
    """A daemon ended, or did not answer in time; the message has the end of what it said."""


class Daemon:
    """One daemon.

    Parameters
    ----------
    name
        For messages, and of its log.
    argv
        What starts it so that it stays in the foreground.
    environment
        All that it finds in its environment.
    log
        Receives what it prints.
    is_ready
        Says whether it answers.
    """

    def __init__(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], log: Path, is_ready: Callable[[], bool]
    ) -> None:
        self.name, self.argv, self.environment, self.log, self.is_ready = name, argv, environment, log, is_ready
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Start it, and do not wait."""
        # Killed together with the tests, it must not stay behind.
        shield = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*shield, *self.argv],
                cwd="/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        DaemonError
            When it ended before, or never did.
        """

        def ready_or_gone() -> bool:
            return not self.is_running or self.is_ready()

        try:
            wait_until(ready_or_gone, f"an answer of {self.name}")
        except AssertionError as error:
            raise DaemonError(f"{error}\n{self.tail()}") from None
        if not self.is_running:
            status = self.process.returncode if self.process else "nothing"
            raise DaemonError(f"{self.name} ended with {status} at its start\n{self.tail()}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.wait()

    def ask_to_end(self) -> None:
        """Send it SIGTERM, and do not wait."""
        if self.process is not None:
            self.process.terminate()

    def stop(self, kill: bool = False) -> None:
        """End it, with SIGKILL if `kill`, and wait for its end; nothing happens if it does not run."""
        if self.process is None:
            return
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise DaemonError(f"{self.name} did not end when told to\n{self.tail()}") from None
        finally:
            self.process = None

    def tail(self, lines: int = 30) -> str:
        """Return the end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"{self.log}:\n" + "\n".join(text.splitlines()[-lines:])
