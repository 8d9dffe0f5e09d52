"""Commands of an ordinary user, each a process of its own, forked from an interpreter that has its modules already."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Start = Callable[..., "subprocess.Popen[str]"]

# Reads orders; runs each in a child, as if a shell had started it, and answers with how it ended and what it said.
PROGRAM = """
import atexit, gc, importlib, json, os, pkgutil, runpy, sys, tempfile, traceback
import sciflow

for module in pkgutil.walk_packages(sciflow.__path__, "sciflow."):
    if not module.name.startswith(("sciflow.testing", "sciflow.__main__")):
        importlib.import_module(module.name)
sys.path.remove("")
gc.freeze()  # so that children share what is there
for line in sys.stdin:
    order = json.loads(line)
    said = [tempfile.TemporaryFile() for _ in range(2)]
    child = os.fork()
    if not child:
        os.setsid()
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        for number, file in enumerate([open(os.devnull), *said]):
            os.dup2(file.fileno(), number)
        sys.argv = order["argv"]
        sys.path.insert(0, os.path.dirname(sys.argv[0]))
        code = 0
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
            if isinstance(code, str):
                print(code, file=sys.stderr)
                code = 1
        except BaseException:
            traceback.print_exc()
            code = 1
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # taking all modules apart takes longer than the command
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for file in said:
        file.seek(0)
    print(json.dumps([code, *(file.read().decode() for file in said)]), flush=True)
    for file in said:
        file.close()
"""


class WarmPython:
    """An interpreter that has loaded all of sciflow, and runs Python programs in children of its own.

    Loading takes longer than what most commands do; the tests type a thousand of them.

    Parameters
    ----------
    start
        Starts a program as the user: `Account.popen`.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python program, named by its path, to its end.

        Raises
        ------
        subprocess.TimeoutExpired
            When it takes longer; it is killed then, as is the interpreter.
        """
        if self._process is None:
            self._process = self._start("python", "-c", PROGRAM)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"argv": [*argv], "folder": str(folder), "environment": dict(environment)}
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], timeout)[0]:
            self.close()
            raise subprocess.TimeoutExpired([*argv], timeout)
        answer = process.stdout.readline()
        assert answer, f"the interpreter is gone: {process.stderr.read() if process.stderr else ''}"
        return subprocess.CompletedProcess([*argv], *json.loads(answer))

    def close(self) -> None:
        """End the interpreter."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
