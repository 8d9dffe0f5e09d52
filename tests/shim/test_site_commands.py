"""Commands that tell of a node are run in a login shell, for a while, and what they print is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sciflow_shim import site_commands
from sciflow_shim.site_commands import run_commands


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home whose profile defines a function, prints, and sets a path of its own."""
    (tmp_path / ".bash_profile").write_text(
        'module() { echo "loaded: $LOADED" >&2; }\necho welcome; echo warned >&2\nPATH=/usr/bin:/bin\n'
    )
    return tmp_path


def run(home: Path, command: str, timeout: float = 30.0, **variables: str) -> dict[str, Any]:
    """Run one command at home."""
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    return run_commands({"it": command}, environ, timeout)["it"]


def test_a_login_shell_knows_what_profiles_define(home: Path) -> None:
    """`module` is a function of the site's; what it says on either stream is kept, what the profile says is not."""
    told = run(home, "module list; echo done", LOADED="gcc/12")
    assert told == {"command": "module list; echo done", "output": "loaded: gcc/12\ndone", "exit_code": 0}


def test_the_path_is_that_of_the_run(home: Path) -> None:
    """A profile that sets it anew would tell of other programs than those that run."""
    path = f"{home}:{os.environ['PATH']}"
    assert run(home, 'echo "$PATH"', PATH=path)["output"] == path


def test_a_command_that_fails_is_told_by_its_exit_code(home: Path) -> None:
    """What it printed until then stays, and the others are run."""
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    found = run_commands({"a": "echo no; exit 3", "b": "nonsense-command", "c": "echo 'it''s'"}, environ)
    assert (found["a"]["output"], found["a"]["exit_code"]) == ("no", 3)
    assert found["b"]["exit_code"] == 127
    assert "nonsense-command" in found["b"]["output"]
    assert found["c"]["output"] == "its"


def test_a_command_that_hangs_is_ended_with_all_that_it_started(home: Path) -> None:
    """Its output until then is kept."""
    command = f"echo began; (trap '' TERM; echo $BASHPID > {home}/pid; exec sleep 1000) & wait"
    told = run(home, command, timeout=1.0)
    assert told == {"command": command, "output": "began", "error": "not done within 1 s"}
    pid = int((home / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1]


def test_a_command_that_closes_its_output_and_stays_is_ended(home: Path) -> None:
    """Nobody waits for it longer than for another."""
    told = run(home, "exec >&- 2>&-; exec sleep 1000", timeout=1.0)
    assert told["error"] == "not done within 1 s"


def test_only_so_much_of_the_output_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is read and dropped, so that the command can end."""
    monkeypatch.setattr(site_commands, "LONGEST_OUTPUT", 10)
    told = run(home, "seq 100000")
    assert (told["output"], told["exit_code"]) == ("1\n2\n3\n4\n5\n[…]", 0)


def test_all_commands_have_so_much_time_together(home: Path) -> None:
    """An index may wait for the capture: what comes too late is not begun."""
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    found = run_commands({"a": "sleep 1000", "b": "echo b"}, environ, timeout=10.0, altogether=0.5)
    assert found["a"]["error"] == "not done within 0.5 s"
    assert found["b"] == {"command": "echo b", "error": "the commands before it took too long"}


def test_a_machine_without_bash_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the environment is captured all the same."""
    monkeypatch.setenv("PATH", str(home))
    assert "bash" in run(home, "true", PATH=str(home))["error"]


def test_bytes_that_are_no_text_do_no_harm(home: Path) -> None:
    """They are replaced."""
    assert run(home, r"printf 'a\377b'")["output"] == "a\ufffdb"
