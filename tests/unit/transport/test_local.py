"""Commands on this machine, really run."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from sciflow.errors import TransportError
from sciflow.store.lock import hold, is_held
from sciflow.transport.base import Answer
from sciflow.transport.local import LocalTransport


@pytest.fixture
def here() -> LocalTransport:
    """Return a transport whose commands hold nothing."""
    return LocalTransport()


@pytest.mark.parametrize("code", [0, 1, 255])
def test_the_exit_code_and_both_outputs_come_back(here: LocalTransport, code: int) -> None:
    """A command that fails has answered, too."""
    assert here.run(["sh", "-c", f"echo out; echo err >&2; exit {code}"]) == Answer(code, "out\n", "err\n")


def test_a_command_that_is_killed_has_the_signal_for_its_code(here: LocalTransport) -> None:
    """As Python tells it."""
    assert here.run(["sh", "-c", "kill -9 $$"]).code == -9


def test_arguments_are_not_read_by_a_shell(here: LocalTransport) -> None:
    """Blanks, quotes and newlines arrive as they are."""
    words = ["a b", "'", '"$HOME"', "line\nline", "*", ""]
    assert here.run(["printf", "%s|", *words]).out == "".join(f"{word}|" for word in words)


def test_variables_are_added_to_those_that_are_there(here: LocalTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only for this command."""
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("CHANGED", "1")
    answer = here.run(["sh", "-c", "echo $KEPT $CHANGED $NEW"], variables={"CHANGED": "2", "NEW": "3"})
    assert answer.out == "1 2 3\n"
    assert "NEW" not in os.environ


def test_it_runs_in_the_folder_that_is_named(here: LocalTransport, tmp_path: Path) -> None:
    """Or in the current one."""
    assert here.run(["pwd", "-P"], tmp_path).out == f"{tmp_path.resolve()}\n"
    assert here.run(["pwd", "-P"]).out == f"{Path.cwd().resolve()}\n"


def test_it_has_nothing_to_read(here: LocalTransport) -> None:
    """A command that asks a question ends instead of waiting for an answer."""
    assert here.run(["cat"]) == Answer(0, "", "")


def test_output_that_is_no_text_is_shown_all_the_same(here: LocalTransport) -> None:
    """What cannot be read is replaced."""
    assert here.run(["printf", r"caf\303\251 \377"]).out == "café \N{REPLACEMENT CHARACTER}"


def test_a_command_has_a_session_of_its_own(here: LocalTransport) -> None:
    """Ctrl-C at the terminal does not reach it."""
    answer = here.run([sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"])
    assert answer.out == "True\n"


def test_a_command_that_is_not_there_is_told(here: LocalTransport, tmp_path: Path) -> None:
    """With the way out; a folder that is missing is another matter."""
    with pytest.raises(TransportError) as caught:
        here.run(["no-such-command"], tmp_path)
    assert caught.value.message == "there is no command `no-such-command` on this machine"
    assert "login node" in caught.value.hint
    with pytest.raises(TransportError) as caught:
        here.run(["true"], tmp_path / "gone")
    assert caught.value.message == f"`true` cannot run in `{tmp_path / 'gone'}`, which is no folder"


def test_a_folder_that_is_a_file_is_told(here: LocalTransport, tmp_path: Path) -> None:
    """In the words of the system."""
    (tmp_path / "file").touch()
    with pytest.raises(TransportError, match="`true` cannot be started: Not a directory"):
        here.run(["true"], tmp_path / "file")


def test_a_file_that_is_no_program_is_told(here: LocalTransport, tmp_path: Path) -> None:
    """It cannot be started."""
    path = tmp_path / "program"
    path.write_text("nothing\n")
    path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(TransportError, match="cannot be started: Exec format error"):
        here.run([str(path)])


def test_arguments_that_are_too_long_are_told(here: LocalTransport) -> None:
    """Linux takes 128 KiB in one."""
    with pytest.raises(TransportError, match="`true` cannot be started: Argument list too long"):
        here.run(["true", "x" * 200_000])


def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started(here: LocalTransport, tmp_path: Path) -> None:
    """What it had said is told; nothing of it lives on."""
    note = tmp_path / "pids"
    script = f"sleep 1000 & echo $$ $! > {note}; echo sleeping and retrying >&2; wait"
    with pytest.raises(TransportError) as caught:
        here.run(["sh", "-c", script], seconds=0.5)
    assert caught.value.message == "`sh` did not answer within 0.5 s: sleeping and retrying"
    assert caught.value.hint == "the scheduler may be overloaded; try again later"
    pids = note.read_text().split()
    assert len(pids) == 2
    until = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < until


def is_alive(pid: str) -> bool:
    """Whether a process is there, and not just waiting to be reaped."""
    try:
        return (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_that_is_killed_in_silence_is_told_shortly(here: LocalTransport) -> None:
    """There is nothing to add."""
    with pytest.raises(TransportError, match=r"^`sleep` did not answer within 0.05 s\nhint: "):
        here.run(["sleep", "1000"], seconds=0.05)


def test_a_lock_is_held_as_long_as_a_command_lives(tmp_path: Path) -> None:
    """Whoever was killed while `sbatch` ran still holds the run, until that has ended."""
    lock, gate = tmp_path / "lock", tmp_path / "gate"
    os.mkfifo(gate)
    with hold(lock) as descriptor:
        # A child of the command outlives it, as the command outlives a driver that was killed.
        LocalTransport((descriptor,)).run(["sh", "-c", f"cat {gate} > /dev/null 2>&1 &"])
    assert is_held(lock)
    gate.write_text("")
    until = time.monotonic() + 10
    while is_held(lock):
        assert time.monotonic() < until


def test_other_descriptors_are_not_held(here: LocalTransport, tmp_path: Path) -> None:
    """Only those that it was told to keep open."""
    lock, gate = tmp_path / "lock", tmp_path / "gate"
    os.mkfifo(gate)
    with hold(lock):
        here.run(["sh", "-c", f"cat {gate} > /dev/null 2>&1 &"])
    assert not is_held(lock)
    gate.write_text("")


# --- what an answer complains of


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(1, "out\n", "  one\n\n two \n"), "one two"),
        (Answer(1, "out\nmore\n", ""), "out more"),
        (Answer(7, "", ""), "it ended with code 7 and said nothing"),
        (Answer(7, "\n", " \n"), "it ended with code 7 and said nothing"),
    ],
)
def test_a_complaint_is_one_line(answer: Answer, expected: str) -> None:
    """Standard error first; where there is none, what it printed, and else its code."""
    assert answer.complaint == expected
