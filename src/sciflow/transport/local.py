"""Commands on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sciflow.errors import TransportError
from sciflow.transport.base import Answer


class LocalTransport:
    """Runs commands here.

    Parameters
    ----------
    keep_open
        File descriptors that commands hold as long as they live: a lock among them is held until a command that its
        caller did not live to see the end of has ended, too.
    """

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        self.keep_open = tuple(keep_open)

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> Answer:
        """Run a command to its end; see `Transport.run`."""
        try:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env={**os.environ, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C must not cut off an answer that is on its way
                pass_fds=self.keep_open,
            )
        except FileNotFoundError:
            if cwd is not None and not cwd.is_dir():
                raise TransportError(f"`{command[0]}` cannot run in `{cwd}`, which is no folder") from None
            raise TransportError(
                f"there is no command `{command[0]}` on this machine",
                hint="run sciflow where the scheduler's commands are, such as a login node, or use the profile `local`",
            ) from None
        except OSError as error:
            raise TransportError(f"`{command[0]}` cannot be started: {error.strerror}") from None
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            said = err.decode(errors="replace").strip()
            raise TransportError(
                f"`{command[0]}` did not answer within {seconds:g} s" + (f": {said}" if said else ""),
                hint="the scheduler may be overloaded; try again later",
            ) from None
        return Answer(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
