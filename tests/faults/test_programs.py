"""A user's program goes wrong in every way: its own index fails, the record says why, and all others go on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sciflow_shim import files
from sciflow_shim.record_reader import read_record, verify_seal

GROW = "blocks = []\nfor _ in range(60):\n    blocks.append(b'x' * 20_000_000)\n    time.sleep(0.03)\n"
FUNCTIONS = {
    "is fine": "return {'y': 2.5}",
    "raises": "raise ValueError('no convergence')  # the user's line",
    "exits with 0": "sys.exit(0)",
    "exits with 3": "sys.exit(3)",
    "exits with text": "sys.exit('bad input')",
    "ends with 0": "os._exit(0)",
    "ends with 7": "os._exit(7)",
    "segfaults": "ctypes.string_at(0)",
    "aborts": "os.abort()",
    "is killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "is interrupted": "raise KeyboardInterrupt",
    "asks for too much": "return bytearray(1 << 60)",
    "eats memory": GROW,
    "never ends": "time.sleep(1000)",
    "never ends and is deaf": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)",
    "leaves programs": "left(subprocess.Popen(['sleep', '1000']), "
    "subprocess.Popen(['sleep', '1000'], start_new_session=True))",
    "leaves processes": "process = multiprocessing.Process(target=time.sleep, args=(1000,))\n"
    "process.start()\nleft(process)",
    "leaves a thread": "threading.Thread(target=time.sleep, args=(1000,)).start()",
    "closes what it prints to": "sys.stdout.close()\nsys.stderr.close()\nraise OSError('still heard')",
    "closes its files": "os.closerange(0, 1000)\nreturn 1",
    "replaces what it prints to": "sys.stdout = sys.stderr = object()\nreturn 1",
    "prints 10 MB": "for _ in range(10): print('x' * 999_999)",
    "prints no text": "os.write(1, b'\\xff\\xfe broken\\n')\nos._exit(4)",
    "returns a lock": "return {'model': 1, 'lock': threading.Lock()}",
    "returns a generator": "return (i for i in range(3))",
    "returns a slash": "return {'a/b': 1}",
    "returns a missing file": "return Path('nowhere.txt')",
    "recurses": "def down(n): return down(n + 1)\ndown(0)",
    "nests": "nested = []\nfor _ in range(100_000): nested = [nested]\nreturn {'nested': nested}",
    "reads standard input": "input()",
    "speaks badly of itself": "class Odd(Exception):\n    def __str__(self): raise TypeError\nraise Odd",
    "shouts": "raise ValueError('x' * 1_000_000)",
    "uses threads": "with concurrent.futures.ThreadPoolExecutor(4) as pool: return sum(pool.map(abs, range(-9, 0)))",
    "uses a pool": "with multiprocessing.get_context('fork').Pool(2) as pool: return sum(pool.map(abs, range(-9, 0)))",
    "uses a fresh pool": "with multiprocessing.get_context('spawn').Pool(1) as pool: return sum(pool.map(abs, [-45]))",
    "uses processes": "with concurrent.futures.ProcessPoolExecutor(2) as pool: return sum(pool.map(abs, range(-9, 0)))",
    "changes directory": "os.chdir('/')\nreturn os.getcwd()",
    "loses its directory": "os.mkdir('lost')\nos.chdir('lost')\nos.rmdir('../lost')\nreturn 1",
    "runs a program": "return subprocess.run(['echo', 'hi'], capture_output=True, text=True, check=True).stdout",
    "forks": "if os.fork(): os.wait()\nreturn 5",
    "ignores its children": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nreturn os.system('true')",
}
COMMANDS = {
    "is fine": "echo y=2.5",
    "exits with 3": "echo 'no licence' >&2; exit 3",
    "segfaults": "kill -SEGV $$",
    "is killed": "kill -KILL $$",
    "is no program": "no_such_program_at_all",
    "is no bash": "eval 'if then ('",
    "eats memory": "python3 grow.py",
    "never ends": "sleep 1000",
    "never ends and is deaf": "trap '' TERM; while true; do sleep 0.1; done",
    "leaves programs": "sleep 1000 & p=$!; setsid sleep 1000 & echo $p $! > $LEFT; echo y=2.5",
    "closes what it prints to": "exec >&- 2>&-; exit 5",
    "prints 10 MB": "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo y=2.5",
    "prints no text": "printf '\\xff\\xfe broken\\n'; exit 4",
    "prints no metric": "echo nothing",
    "prints a wrong metric": "echo y=high",
    "reads standard input": "cat; echo y=2.5",
    "loses its directory": 'rm -rf "$PWD"; echo y=2.5',
    "breaks a pipe": "false | true",
    "fails on its way": "false; echo y=2.5",
}
NO_RESULT = r"it ended without leaving a result"
EXPECTED_FUNCTIONS: dict[str, tuple[str, str]] = {
    "raises": ("FAILED", "ValueError: no convergence"),
    "exits with 0": ("FAILED", r"SystemExit: the function called sys\.exit\(0\) instead of returning"),
    "exits with 3": ("FAILED", r"SystemExit: the function called sys\.exit\(3\) instead of returning"),
    "exits with text": ("FAILED", r"SystemExit: the function called sys\.exit\('bad input'\) instead of returning"),
    "ends with 0": ("FAILED", NO_RESULT),
    "ends with 7": ("FAILED", "ended with exit code 7"),
    "segfaults": ("FAILED", r"was killed by signal 11 \(SIGSEGV\)"),
    "aborts": ("FAILED", r"was killed by signal 6 \(SIGABRT\)"),
    "is killed": ("FAILED", r"was killed by signal 9 \(SIGKILL\)"),
    "is interrupted": ("FAILED", "KeyboardInterrupt"),
    "asks for too much": ("OUT_OF_MEMORY", "MemoryError"),
    "eats memory": ("OUT_OF_MEMORY", r"used 0\.\d+ GB of the 0\.30 GB it asked for"),
    "never ends": ("TIMEOUT", "ran longer than the 2 s it asked for"),
    "never ends and is deaf": ("TIMEOUT", "ran longer than the 2 s it asked for"),
    "closes what it prints to": ("FAILED", "OSError: still heard"),
    "prints no text": ("FAILED", "ended with exit code 4; the last it printed: �� broken"),
    "returns a lock": ("FAILED", r"TypeError: result `lock` cannot be kept: cannot pickle .*lock.*"),
    "returns a generator": ("FAILED", "TypeError: result `result` cannot be kept: cannot pickle 'generator' object"),
    "returns a slash": ("FAILED", r"ValueError: a result cannot be named 'a/b'.*"),
    "returns a missing file": ("FAILED", r"FileNotFoundError: .*nowhere\.txt.*"),
    "recurses": ("FAILED", "RecursionError: maximum recursion depth exceeded.*"),
    "nests": ("FAILED", "TypeError: result `nested` cannot be kept: .*"),
    "reads standard input": ("FAILED", "EOFError.*"),
    "speaks badly of itself": ("FAILED", "Odd: <its text cannot be made: TypeError>"),
    "shouts": ("FAILED", "ValueError: x{2000}"),
}
EXPECTED_COMMANDS: dict[str, tuple[str, str]] = {
    "exits with 3": ("FAILED", "ended with exit code 3; the last it printed: no licence"),
    "segfaults": ("FAILED", r"was killed by signal 11 \(SIGSEGV\)"),
    "is killed": ("FAILED", r"was killed by signal 9 \(SIGKILL\)"),
    "is no program": ("FAILED", "ended with exit code 127; the last it printed: .*not found"),
    "is no bash": ("FAILED", "ended with exit code 2; the last it printed: .*"),
    "eats memory": EXPECTED_FUNCTIONS["eats memory"],
    "never ends": EXPECTED_FUNCTIONS["never ends"],
    "never ends and is deaf": EXPECTED_FUNCTIONS["never ends and is deaf"],
    "closes what it prints to": ("FAILED", "ended with exit code 5"),
    "prints no text": ("FAILED", "ended with exit code 4; the last it printed: �� broken"),
    "prints no metric": ("FAILED", r"ValueError: nothing in what it printed matches `y=\(\\S\+\)`"),
    "prints a wrong metric": ("FAILED", "ValueError: metric `y` is 'high', which is no float"),
    "breaks a pipe": ("FAILED", "ended with exit code 1"),
    "fails on its way": ("FAILED", "ended with exit code 1"),
}
RETURNED: dict[str, Any] = {
    "is fine": {"y": 2.5},
    "closes its files": {"result": 1},
    "replaces what it prints to": {"result": 1},
    "uses threads": {"result": 45},
    "uses a pool": {"result": 45},
    "uses a fresh pool": {"result": 45},
    "uses processes": {"result": 45},
    "changes directory": {"result": "/"},
    "loses its directory": {"result": 1},
    "runs a program": {"result": "hi\n"},
    "forks": {"result": 5},
    "ignores its children": {"result": -1},
}
EXPERIMENT = """
import sciflow
import programs
workflow = sciflow.ExperimentalWorkflow("odd")
workflow.add_parameter_space({"case": programs.CASES})
workflow.add_task(
    "program",
    resources={
        "memory_gb": lambda case: 0.3 if case == "eats memory" else 1.5,
        "max_runtime_hours": lambda case: 2 / 3600 if case.startswith("never") else 0.1,
    },
    **programs.TASK,
)
workflow.set_recovery_policy({"brake": "off"})  # most of them are to fail
"""
PROGRAMS = """
import concurrent.futures, ctypes, multiprocessing, os, signal, subprocess, sys, threading, time
from pathlib import Path

def left(*processes):
    with open(os.environ["LEFT"], "a") as file:
        print(*(one.pid for one in processes), file=file)
"""


@dataclass
class Ran:
    """What a run of all cases has left."""

    path: Path
    places: dict[str, tuple[str, int]]
    exit_code: int
    left: Path

    def facts(self, case: str) -> dict[str, Any]:
        """The attributes of the record of a case."""
        return dict(self.record(case).attributes)

    def record(self, case: str) -> Any:
        """The sealed record of a case, of its first attempt."""
        array, index = self.places[case]
        path = self.path / files.record(array, index, 1)
        assert verify_seal(path) == "sealed"
        assert not (self.path / files.record(array, index, 2)).exists()
        return read_record(path)

    def log(self, case: str) -> Path:
        """What a case printed."""
        return self.path / files.log(*self.places[case], 1)


def run_all(folder: Path, programs: str) -> Ran:
    """Run all cases by the real driver."""
    (folder / "programs.py").write_text(PROGRAMS + programs, encoding="utf-8")
    (folder / "experiment.py").write_text(EXPERIMENT, encoding="utf-8")
    left = folder / "left.txt"
    done = subprocess.run(
        [sys.executable, "-m", "sciflow", "run", "experiment.py"],
        cwd=folder,
        env={**os.environ, "SCIFLOW_GRACE_SECONDS": "0.5", "LEFT": str(left)},
        capture_output=True,
        timeout=180,
        check=False,
    )
    path = (folder / "sciflow-runs" / "latest").resolve()
    places = {}
    for lines in sorted((path / "arrays").glob("*.jsonl")):
        for index, text in enumerate(lines.read_text(encoding="utf-8").splitlines()):
            places[json.loads(text)["parameters"]["case"]] = (lines.stem, index)
    return Ran(path, places, done.returncode, left)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run all functions, each in an index of its own."""
    lines = ["", "def program(case):"]
    for case, body in FUNCTIONS.items():
        lines += [f"    if case == {case!r}:", *(f"        {line}" for line in body.splitlines())]
    text = "\n".join(lines) + f"\nCASES = {list(FUNCTIONS)!r}\nTASK = {{'function': program}}\n"
    return run_all(tmp_path_factory.mktemp("functions"), text)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run all commands, each in an index of its own."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "grow.py").write_text("import time\n" + GROW)
    lines = [f'"{case}") {body.replace("grow.py", str(folder / "grow.py"))};;' for case, body in COMMANDS.items()]
    (folder / "cases.sh").write_text("\n".join(['case "$case" in', *lines, "esac", ""]))
    task = {"command": f". {folder}/cases.sh", "parameters": ["case"], "extract": {"y": {"stdout": r"y=(\S+)"}}}
    text = f"CASES = {list(COMMANDS)!r}\nTASK = {task!r}\n"
    return run_all(folder, text)


def test_the_others_go_on(functions: Ran, commands: Ran) -> None:
    """Every index has come to its end, those that are well with success, and the driver says that some are not."""
    for ran, expected, cases in (
        (functions, EXPECTED_FUNCTIONS, FUNCTIONS),
        (commands, EXPECTED_COMMANDS, COMMANDS),
    ):
        assert ran.exit_code == 3
        states = {case: ran.facts(case)["state"] for case in cases}
        assert states == {case: expected.get(case, ("COMPLETED", ""))[0] for case in cases}


@pytest.mark.parametrize("case", EXPECTED_FUNCTIONS)
def test_a_function_that_fails_says_why(functions: Ran, case: str) -> None:
    """Type and message of what went wrong are in its record."""
    facts = functions.facts(case)
    said = ": ".join(part for part in (facts["error_type"], facts["error"]) if part)
    assert re.fullmatch(EXPECTED_FUNCTIONS[case][1], said, re.DOTALL)


@pytest.mark.parametrize("case", EXPECTED_COMMANDS)
def test_a_command_that_fails_says_why(commands: Ran, case: str) -> None:
    """Exit code or signal, and the last it printed, are in its record."""
    facts = commands.facts(case)
    said = ": ".join(part for part in (facts["error_type"], facts["error"]) if part)
    assert re.fullmatch(EXPECTED_COMMANDS[case][1], said, re.DOTALL)


@pytest.mark.parametrize("case", RETURNED)
def test_an_unusual_function_has_its_result(functions: Ran, case: str) -> None:
    """Threads, processes, forks, closed files and lost directories do not cost a result."""
    assert dict(functions.record(case).members["metrics"].attributes) == RETURNED[case]


def test_the_traceback_names_the_users_line(functions: Ran) -> None:
    """Who reads the record sees where it was, and nothing of sciflow."""
    text = functions.facts("raises")["traceback"]
    assert "raise ValueError('no convergence')  # the user's line" in text
    assert "sciflow_shim" not in text


def test_exit_codes_and_signals_are_kept(functions: Ran, commands: Ran) -> None:
    """As the kernel told them."""
    assert functions.facts("ends with 7")["exit_code"] == 7
    assert functions.facts("exits with 3")["exit_code"] == 3
    assert functions.facts("segfaults")["signal"] == 11
    assert commands.facts("exits with 3")["exit_code"] == 3
    assert commands.facts("is killed")["signal"] == 9


def test_nothing_is_left_running(functions: Ran, commands: Ran) -> None:
    """What programs have put into the background is gone when the run is over."""
    for ran in (functions, commands):
        pids = [int(word) for word in ran.left.read_text().split()]
        assert len(pids) >= 2
        for pid in pids:
            command = Path(f"/proc/{pid}/cmdline")
            assert not command.exists() or b"1000" not in command.read_bytes()


def test_all_that_was_printed_is_kept(functions: Ran, commands: Ran) -> None:
    """Ten megabytes are ten megabytes, and the metric after them is found."""
    assert functions.log("prints 10 MB").stat().st_size == 10_000_000
    assert commands.log("prints 10 MB").stat().st_size > 10_000_000
    assert dict(commands.record("prints 10 MB").members["metrics"].attributes) == {"y": 2.5}


def test_limits_are_kept_to_the_second(functions: Ran, commands: Ran) -> None:
    """A program over its time is gone soon, whether it listens or not."""
    for ran in (functions, commands):
        for case in ("never ends", "never ends and is deaf"):
            facts = ran.facts(case)
            assert 1.9 < facts["end"] - facts["start"] < 8
