from pathlib import Path

import pytest

from sciflow.model.statement import CONTROLLER
from unit.schedulers.fake.slurm.conftest import NOW, Terminal

FAILED = "sbatch: error: Batch job submission failed: "


def test_where_a_script_comes_from(terminal: Terminal) -> None:
    """A file with arguments, the standard input, or one line of the call."""
    Path(terminal.folder, "a.sh").write_text("#!/bin/sh\n#SBATCH -J first\n")
    assert terminal.says("sbatch", "a.sh", "one", "--two") == ["Submitted batch job 1"]
    assert terminal.says("sbatch", "--parsable", stdin="#!/bin/sh\necho\n") == ["2"]
    assert terminal.says("sbatch", "-Q", "--wrap=echo x") == []
    jobs = list(terminal.cluster.jobs.values())
    assert [one.name for one in jobs] == ["first", "sbatch", "wrap"]
    assert jobs[0].ordered.arguments == ("one", "--two")
    assert jobs[2].ordered.text == "#!/bin/sh\n# This script was created by sbatch --wrap.\n\necho x\n"
    assert jobs[0].ordered.call == "sbatch a.sh one --two"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "sbatch: error: Batch script is empty!"),
        ("hello\n", "sbatch: error: This does not look like a batch script.  The first"),
        ("#!/bin/sh\r\ntrue\r\n", "sbatch: error: Batch script contains DOS line breaks (\\r\\n)"),
        ("#!/bin/sh\n" + "#" * (1 << 22), f"{FAILED}Pathname of a file, directory or other parameter too long"),
    ],
)
def test_what_is_no_script(terminal: Terminal, text: str, complaint: str) -> None:
    """Is refused, before anybody is asked."""
    code, lines = terminal.complains("sbatch", stdin=text)
    assert (code, lines[0]) == (1, complaint)
    assert not terminal.cluster.jobs


def test_a_file_that_is_not_there_and_arguments_without_one(terminal: Terminal) -> None:
    """Are refused."""
    assert terminal.complains("sbatch", "no.sh") == (1, ["sbatch: error: Unable to open file no.sh"])
    words = "sbatch: error: Script arguments not permitted with --wrap option"
    assert terminal.complains("sbatch", "--wrap=true", "no.sh") == (1, [words])


def test_a_test_takes_nothing(terminal: Terminal) -> None:
    """It says when it could start and where, or why not."""
    said = terminal.type("sbatch", "--test-only", "-c", "2", "-p", "short", "--wrap=true")
    words = "sbatch: Job 1 to start at 2026-11-25T03:28:12 using 2 processors on nodes n1 in partition short\n"
    assert (said.code, said.out, said.err) == (0, "", words)
    code, lines = terminal.complains("sbatch", "--test-only", "-p", "nope", "--wrap=true")
    assert (code, lines[-1]) == (1, "allocation failure: Invalid partition name specified")
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    words = "allocation failure: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("sbatch", "--test-only", "--wrap=true") == (1, [words])
    assert not terminal.cluster.jobs


def test_longest_list_of_indices(terminal: Terminal) -> None:
    """4,096 characters; the indices of a list are taken once each."""
    fits, longer = "1,1," * 1_023 + "1,22", "1,1," * 1_024 + "1"
    assert len(fits), len(longer) == (4_096, 4_097)
    assert terminal.cluster.jobs[terminal.submit(f"--array={fits}")].request.indices == (1, 22)
    words = f"{FAILED}Pathname of a file, directory or other parameter too long"
    assert terminal.complains("sbatch", f"--array={longer}", "--wrap=true") == (1, [words])


@pytest.mark.parametrize(
    ("export", "taken"),
    [
        ("ALL", {"FOO": "1", "BAR": "2", "USER": "chen"}),
        ("NONE", {"USER": "chen", "SLURM_EXPORT_ENV": "NONE"}),
        ("FOO,BAZ=3", {"FOO": "1", "BAZ": "3", "USER": "chen", "SLURM_EXPORT_ENV": "FOO,BAZ=3"}),
        ("ALL,BAZ=3", {"FOO": "1", "BAR": "2", "BAZ": "3", "USER": "chen", "SLURM_EXPORT_ENV": "ALL,BAZ=3"}),
    ],
)
def test_the_environment_that_is_taken_along(terminal: Terminal, export: str, taken: dict[str, str]) -> None:
    """All of it, that of a login, or what is named."""
    terminal.says("sbatch", f"--export={export}", "--wrap=true", FOO="1", BAR="2")
    [job] = terminal.cluster.jobs.values()
    names = ("FOO", "BAR", "BAZ", "USER", "SLURM_EXPORT_ENV")
    assert {name: value for name, value in job.ordered.variables.items() if name in names} == taken


def test_a_job_that_begins_later(terminal: Terminal) -> None:
    """Waits until then; a time that is past is none."""
    later, past = terminal.submit("--begin=now+1hour"), terminal.submit("--begin=2020-01-01")
    assert terminal.cluster.jobs[later].request.begin == NOW + 3_600
    assert terminal.cluster.jobs[past].request.begin == 0.0


def test_a_test_guesses_as_slurm_does(terminal: Terminal) -> None:
    """When what runs leaves room, and after that all that waits before it on whole nodes; gaps are not looked for."""

    def guess(*options: str) -> str:
        said = terminal.type("sbatch", "--test-only", "--wrap=true", *options, SLURM_TIME_FORMAT="%s").err
        return str(int(said.split("start at ")[1].split()[0]) - int(terminal.cluster.clock()))

    nodes, cores = len(terminal.cluster.nodes), next(iter(terminal.cluster.nodes.values())).cores
    for _ in range(nodes):
        terminal.submit(f"--cpus-per-task={cores - 1}", "--time=10", "--array=0")
    terminal.run(1.0)
    assert guess("--time=60", "-c1") == "0"
    assert guess("--time=60", "-c2") == "599"
    terminal.submit(f"--cpus-per-task={cores}", f"--time={30 * nodes}", "--array=0-5")
    terminal.run(1.0)
    assert guess("--time=1", "-c2") == guess("--time=60", "-c2") == str(598 + 30 * 60)
    assert guess("--time=1", "-c1") == str(30 * 60)
    assert terminal.says("squeue", "-h", "-t", "PD", "-o", "%S", SLURM_TIME_FORMAT="%s") == [
        str(int(terminal.cluster.clock()) + 598)
    ]
