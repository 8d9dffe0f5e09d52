"""What the command line prints, as plain files; times, ids and paths are replaced."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sciflow.cli.main import _VERBS, main

GOLDEN = Path(__file__).parent / "cli"
Same = Callable[[Path, str], None]
Say = Callable[..., str]

WORKFLOW = {
    "name": "ising",
    "parameters": {"temperature": [1.5, 2.25, 3.0], "size": [16, 32], "seed": [1, 2, 3]},
    "constraints": ["size < 32 or temperature < 3"],
    "tasks": [
        {"name": "prepare", "command": "true"},
        {
            "name": "simulate",
            "depends_on": ["prepare"],
            "command": "echo M=$(( {{ size }} * {{ seed }} )); test {{ temperature }}-{{ seed }} != 3.0-2",
            "resources": {"cpu_cores": 2, "memory_gb": "size / 64", "max_runtime_hours": 1},
            "extract": {"magnetisation": {"stdout": r"M=(\S+)", "type": "int"}},
            "success": "magnetisation < 96",
        },
        {
            "name": "measure",
            "depends_on": ["simulate"],
            "command": "echo twice=$(( 2 * {{ inputs.simulate.magnetisation }} ))",
            "resources": {"cpu_cores": 1, "memory_gb": 0.125, "max_runtime": "10 min"},
            "extract": {"twice": {"stdout": r"twice=(\S+)", "type": "int"}},
        },
        {"name": "average", "depends_on": ["measure"], "over": ["seed"], "missing": "skip", "command": "true"},
    ],
    "schedule": {"policy": "off_peak", "preferred_hours": "22:00-08:00"},
}
PROFILE = "name: tiny\nscheduler: local\nshared: false\ncapacity: {cpu_cores: 1, memory_gb: 0.25, gpus: 0}\n"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    """Return a function that runs `sciflow` in a project, and gives the command, all that it said, and its code."""
    (tmp_path / "cluster_profiles").mkdir()
    (tmp_path / "cluster_profiles" / "tiny.yaml").write_text(PROFILE)
    (tmp_path / "ising.yaml").write_text(json.dumps(WORKFLOW))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    terminate = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsys.readouterr()
        said = " ".join(f"'{one}'" if set(one) & set("[ ") else one for one in arguments)
        errors = "".join(f"2> {line}\n" for line in printed.err.splitlines())
        return filtered(f"$ sciflow {said}\n{printed.out}{errors}(exit code {ended.value.code})\n", tmp_path)

    yield run
    signal.signal(signal.SIGTERM, terminate)


def filtered(text: str, folder: Path) -> str:
    """Replace what differs from run to run."""
    text = text.replace(str(folder), "<project>")
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{5}", "<run>", text)
    text = re.sub(r'("(?:start|end)": ")\d{4}[^"]+', r"\1<time>", text)
    return re.sub(r"; it took [0-9.]+ \w+", "; it took <time>", text)


def test_help(say: Say, same_as_golden: Same) -> None:
    """The help of the command and of every verb."""
    texts = [say("--help"), *(say(verb, "--help") for verb in _VERBS)]
    same_as_golden(GOLDEN / "help.txt", "\n".join(texts))


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_plan(say: Say, same_as_golden: Same, more: list[str]) -> None:
    """A plan with projections, chunks by request, gathering, and a request that had to be reduced."""
    name = "plan.json.txt" if more else "plan.txt"
    same_as_golden(GOLDEN / name, say("plan", "ising.yaml", "--profile", "tiny", *more))


def test_a_plan_of_chains(say: Say, same_as_golden: Same, tmp_path: Path) -> None:
    """A task that takes longer than the site allows, what comes after it, and the calls of the scheduler for both."""
    tasks = [
        {
            "name": "relax",
            "command": "./relax {{ seed }}",
            "checkpoints": True,
            "resources": {"cpu_cores": 4, "memory_gb": 8, "max_runtime_hours": 60},
        },
        {
            "name": "show",
            "command": "./show {{ seed }}",
            "depends_on": ["relax"],
            "resources": {"max_runtime_hours": 1},
        },
    ]
    document = {"name": "long", "parameters": {"seed": list(range(40))}, "tasks": tasks}
    (tmp_path / "long.yaml").write_text(json.dumps(document))
    (tmp_path / "cluster_profiles" / "site.yaml").write_text(
        "name: site\nscheduler: slurm\npartitions: {short: {max_runtime: 24 h, default: true}}\n"
    )
    shown = [say("plan", "long.yaml", "--profile", "site"), say("submit", "long.yaml", "--profile", "site", "-n")]
    del tasks[0]["checkpoints"]
    (tmp_path / "long.yaml").write_text(json.dumps(document))
    shown.append(say("plan", "long.yaml", "--profile", "site"))
    same_as_golden(GOLDEN / "chain.txt", "\n".join(shown))


def test_a_plan_of_many_array_jobs(
    say: Say, same_as_golden: Same, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 array jobs on a terminal of 80 columns: those that ask for the same are one row, with all that they cost."""
    monkeypatch.setenv("COLUMNS", "80")
    tasks = [
        {"name": "mesh", "command": "./mesh {{ n }}", "resources": {"max_runtime": "10 min"}},
        {
            "name": "solve",
            "command": "./solve {{ n }} {{ nu }}",
            "depends_on": ["mesh"],
            "resources": {"cpu_cores": 8, "memory_gb": "8 + 8 * (nu > 0.5)", "gpus": 1, "max_runtime_hours": 3},
        },
        {
            "name": "mean",
            "command": "./mean {{ n }}",
            "depends_on": ["solve"],
            "over": ["nu"],
            "resources": {"memory_gb": 2, "max_runtime": "5 min"},
        },
    ]
    document = {"name": "flow", "parameters": {"n": list(range(1500)), "nu": [0.1, 1.0]}, "tasks": tasks}
    (tmp_path / "flow.yaml").write_text(json.dumps(document))
    (tmp_path / "cluster_profiles" / "site.yaml").write_text(
        "name: site\nscheduler: slurm\npartition: gpus\nlimits: {highest_index: 99, running_indices: 20}\n"
        "partitions: {gpus: {nodes: 16, cpu_cores: 64, gpus: 4}}\n"
    )
    same_as_golden(GOLDEN / "many_array_jobs.txt", say("plan", "flow.yaml", "--profile", "site"))


def test_a_simulation(say: Say, same_as_golden: Same, tmp_path: Path) -> None:
    """Tasks that are short, wide and gathered, on nodes of two kinds: times, use, waits, and what would change them."""
    tasks = [
        {"name": "prepare", "command": "true"},
        {
            "name": "sample",
            "command": "echo {{ seed }}",
            "depends_on": ["prepare"],
            "resources": {"max_runtime": "5 min"},
        },
        {
            "name": "solve",
            "command": "echo {{ seed }}",
            "depends_on": ["sample"],
            "resources": {"cpu_cores": 3, "memory_gb": 6, "max_runtime_hours": "1 + seed % 3"},
        },
        {
            "name": "report",
            "command": "true",
            "depends_on": ["solve"],
            "over": "all",
            "resources": {"max_runtime": "1 h"},
        },
    ]
    document = {"name": "mixed", "parameters": {"seed": list(range(48))}, "tasks": tasks}
    (tmp_path / "mixed.yaml").write_text(json.dumps(document))
    simulated = ["plan", "mixed.yaml", "--simulate", "nodes=2x4c,16g+1x8c,16g"]
    shown = [say(*simulated), say(*simulated, "--runtime", "solve=0.5 + seed / 96", "--runtime", "prepare=10 min")]
    text = re.sub(r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d", "<day and time>".ljust(20), "\n".join(shown))
    same_as_golden(GOLDEN / "simulation.txt", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "<day and time>".ljust(16), text))


def test_a_run_and_its_status(say: Say, same_as_golden: Same) -> None:
    """A run with failures and what is held back by them, its status, a log, the best, and the run again."""
    same_as_golden(GOLDEN / "run.txt", say("run", "ising.yaml", "--profile", "tiny"))
    same_as_golden(GOLDEN / "status.txt", say("status"))
    answers: list[Any] = [
        say("logs", "simulate.0[7]"),
        say("collect"),
        say("best", "magnetisation", "-n", "3"),
        say("exec", "latest", "simulate", "0"),
    ]
    same_as_golden(GOLDEN / "answers.txt", "\n".join(answers))


def test_errors(say: Say, same_as_golden: Same) -> None:
    """What people mistype, and what they are told."""
    texts = [
        say("status"),
        say("plan", "isign.yaml"),
        say("plan", "ising.yaml", "--profile", "tinny"),
        say("plan", "ising.yaml", "--profile", "tiny", "--strict"),
        say("status", "--json"),
    ]
    same_as_golden(GOLDEN / "errors.txt", "\n".join(texts))
