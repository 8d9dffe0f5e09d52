"""The options of `sbatch`, on the command line and in `#SBATCH` lines, as what a job asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sciflow.schedulers.fake.request import Condition, Dependency, Kind, Request
from sciflow.schedulers.fake.slurm.lists import read_list

MIB = 1 << 20
# Known, and without a meaning on this cluster.
_IGNORED = ("signal", "mail-type", "mail-user", "ntasks-per-node", "parsable", "export", "comment", "chdir", "nodes")
_FLAGS = ("requeue", "no-requeue", "hold", "parsable", "exclusive")
_KNOWN = (
    *("job-name", "array", "output", "error", "open-mode", "requeue", "no-requeue", "cpus-per-task", "ntasks", "mem"),
    *("gres", "time", "partition", "account", "qos", "reservation", "constraint", "begin", "exclude", "nice", "hold"),
    *("dependency", "kill-on-invalid-dep", *_IGNORED),
)


class Wrong(Exception):
    """An option that `sbatch` does not take, in its own words; the code is 1 where the controller refuses."""

    def __init__(self, words: str, code: int = 255) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Read:
    """What a call of `sbatch` means."""

    request: Request
    dependency: Dependency


def split_call(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The options of a call, and what stands behind them: the script and its arguments."""
    given: dict[str, str] = {}
    for place, one in enumerate(arguments):
        if not one.startswith("--"):
            return given, list(arguments[place:])
        given.update([_option(one)])
    return given, []


def read_directives(text: str) -> dict[str, str]:
    """The options in a job script; Slurm reads no further than the first command."""
    given: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#SBATCH "):
            given.update([_option(line.removeprefix("#SBATCH ").strip())])
        elif line and not line.startswith("#"):
            break
    return given


def read_options(given: Mapping[str, str], script: str) -> Read:
    """What options ask for.

    Raises
    ------
    Wrong
        In the words of `sbatch`.
    """
    text = given.get("array", "")
    gpus = re.search(r"gpu(?::[\w.-]+)?:(\d+)", given.get("gres", ""))
    request = Request(
        name=given.get("job-name", script),
        indices=tuple(read_list(text)) if text else None,
        throttle=int(text.partition("%")[2] or 0),
        output=given.get("output", "slurm-%A_%a.out" if text else "slurm-%j.out"),
        error=given.get("error", ""),
        is_appended=given.get("open-mode") == "append",
        is_requeued="no-requeue" not in given,
        cores=int(given.get("cpus-per-task", 1)) * int(given.get("ntasks", 1)),
        memory=int(given.get("mem", "0").removesuffix("M")) * MIB,
        gpus=int(gpus[1]) if gpus else 0,
        seconds=_seconds(given.get("time", "0")),
        begin=float(given.get("begin", "0").removeprefix("uts")),
        partition=given.get("partition", ""),
        account=given.get("account", ""),
        qos=given.get("qos", ""),
        reservation=given.get("reservation", ""),
        features=tuple(one for one in given.get("constraint", "").split("&") if one),
        excluded=tuple(given["exclude"].split(",")) if given.get("exclude") else (),
        nice=int(given.get("nice", 0)),
        is_held="hold" in given,
        is_removed_when_hopeless=given.get("kill-on-invalid-dep") == "yes",
    )
    return Read(request, read_dependency(given.get("dependency", "")))


def read_dependency(text: str) -> Dependency:
    """What stands in ``--dependency=``.

    Raises
    ------
    Wrong
        For a kind that there is not.
    """
    conditions: list[Condition] = []
    kinds: dict[str, Kind] = {
        one: one for one in ("after", "afterany", "afterok", "afternotok", "aftercorr", "singleton")
    }
    for part in re.split(r"[,?]", text) if text else ():
        word, *jobs = part.split(":")
        if word not in kinds:
            raise Wrong("sbatch: error: Batch job submission failed: Job dependency problem", 1)
        if word == "singleton":
            conditions.append(Condition("singleton"))
        for one in jobs:
            job, _, index = one.partition("_")
            number, plus, minutes = index.partition("+") if index else job.partition("+")
            if index:
                place = int(number) if number.isdecimal() else None
                conditions.append(Condition(kinds[word], job, place, 60.0 * float(minutes or 0)))
            else:
                conditions.append(Condition(kinds[word], number, None, 60.0 * float(minutes or 0) if plus else 0.0))
    return Dependency(tuple(conditions), "?" in text)


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    known = name.removeprefix("--")
    if not name.startswith("--") or known not in _KNOWN:
        raise Wrong(f"sbatch: unrecognized option '{name}'")
    return known, value


def _seconds(text: str) -> float:
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return float(total)
