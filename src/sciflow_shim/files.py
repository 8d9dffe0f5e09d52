"""The names that both sides share: files of a run directory and what stands in them."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

FORMAT = 1
BLOCK = 1000  # lines of an array job between two of which it is known where in the file they begin
SHARD = 1000  # records in one folder: file systems slow down beyond some thousands

MANIFEST = "manifest.json"
PLAN = "plan.json"
JOURNAL = "journal.jsonl"
OBSERVED = "observed.json"
COMBINATIONS = "combinations.jsonl"
RESULTS = "results.h5"
TEMPLATES = "scripts/templates.json"  # the texts of which the scripts were made, and are made when they run again
LOCK = "driver.lock"
CODE = "code"
WORKFLOW = "workflow.json"  # what a workflow file would say, whatever the workflow was written in
SHIM = "shim"
RECORDS = "records"
ENVIRONMENTS = "environments"
CHECKPOINT = "checkpoint"  # the folder in an instance's working directory
SEALED = "sealed"
COLLECTED = "collected.json"
BRAKES = "brakes"
JOINED_ARRAYS = "arrays.h5"
MOST_FILES = 4096  # descriptors that a driver may have open and hand on
HELD_BACK = "held back: "  # how it is said of an index that a brake does not let start
HELD_CODE = 75  # … and its exit code
FUSED = "fused"  # the variant that runs more than one task, one after another, in each array index
GRACE = 10.0  # seconds that a program gets between the polite signal and the other


def grace_seconds() -> float:
    """How long programs that are to end are waited for: `SCIFLOW_GRACE_SECONDS`, or ten.

    Raises
    ------
    ValueError
        Where that is no number of seconds.
    """
    text = os.environ.get("SCIFLOW_GRACE_SECONDS", "")
    try:
        seconds = float(text or GRACE)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"the environment variable `SCIFLOW_GRACE_SECONDS` is `{text}`, which is no number of seconds")
    return seconds


def array_header(array: str) -> str:
    """What all indices of an array job have in common."""
    return f"arrays/{array}.json"


def array_lines(array: str) -> str:
    """One line per array index."""
    return f"arrays/{array}.jsonl"


def variant_name(array: str, variant: str = "") -> str:
    """What the job script of an array job, or of a variant of it, calls it."""
    return f"{array}@{variant}" if variant else array


def array_variant(array: str, variant: str) -> str:
    """What an array job does otherwise when it is tried again: another request, or fewer indices."""
    return array_header(variant_name(array, variant))


def script(array: str, variant: str = "") -> str:
    """The job script."""
    return f"scripts/{variant_name(array, variant)}.sh"


def brake(array: str) -> str:
    """What holds an array job back: it is there once nearly all that has ended has failed."""
    return f"{BRAKES}/{array}.json"


def released_brake(array: str, number: int) -> str:
    """A brake that was released, the how-manieth one of its array job."""
    return f"{BRAKES}/{array}.{number}.released.json"


def index_map(submission: str) -> str:
    """Which index is at which place of a submission, for schedulers that take no lists of indices."""
    return f"arrays/{submission}.map"


def task_file(task: str) -> str:
    """What a task runs, and with what."""
    return f"{CODE}/{task}.json"


def record(array: str, index: int, attempt: int) -> str:
    """The record of one attempt."""
    return f"{RECORDS}/{array}/{index // SHARD:04d}/{index}.{attempt}.h5"


def outcome(array: str, index: int, attempt: int) -> str:
    """What the user's program hands to the supervisor; gone when the record is written."""
    return f"{RECORDS}/{array}/{index // SHARD:04d}/.{index}.{attempt}.outcome"


def logs(array: str) -> str:
    """The folder of all that an array job's indices printed."""
    return f"logs/{array}"


def log(array: str, index: int, attempt: int) -> str:
    """What an attempt printed."""
    return f"logs/{array}/{index}.{attempt}.out"


def member_log(array: str, element: int, attempt: int, index: int) -> str:
    """What one of several that run in one array index prints, until it is part of that index's log."""
    return f"logs/{array}/{element}.{attempt}.{index}.part"


def member_outcome(array: str, element: int, attempt: int, index: int) -> str:
    """What the program of one of several that run in one array index hands to the supervisor."""
    return f"{RECORDS}/{array}/{element // SHARD:04d}/.{element}.{attempt}.{index}.outcome"


def job_log(array: str, index: int, job: str) -> str:
    """What the job script of an index printed around the program, and what the scheduler says there."""
    return f"logs/{array}/{index}.{job}.job"


def work(task: str, instance: str) -> str:
    """The working directory of a task instance, the same for all attempts."""
    return f"work/{task}/{instance}"


def environment(digest: str) -> str:
    """What was captured of one distinct environment."""
    return f"{ENVIRONMENTS}/{digest}.h5"


def sealed_records(array: str) -> str:
    """The records of an array job, folded into one file."""
    return f"{SEALED}/{array}.records.zip"


def sealed_logs(array: str) -> str:
    """All that an array job's indices printed, folded into one file."""
    return f"{SEALED}/{array}.logs.zip"


RUN_MARK = "\x02run\x03"  # stands in rendered files for the run directory, which may have been moved
INPUT_MARK = "\x02input:%s?%s\x03"  # … and for a variable with a result of an earlier task; if it is unset, a message


def input_variable(task: str, name: str) -> str:
    """The environment variable that holds one result of an earlier task."""
    import re
    import zlib  # only commands that read results name them so

    digest = zlib.crc32(f"{task}\0{name}".encode())  # `a_b` and `c` look like `a` and `b_c`
    return re.sub(r"[^A-Za-z0-9_]", "_", f"SCIFLOW_INPUT_{task}_{name}_{digest:08x}")


def as_text(value: Any) -> str:
    """A parameter's value as environment variables, command lines and input decks have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def read_json(path: str) -> Any:
    """Read a JSON file of a run directory, refusing a newer format.

    Raises
    ------
    ValueError
        For a file that a newer sciflow wrote.
    """
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if isinstance(document, dict) and document.get("format", FORMAT) > FORMAT:
        raise ValueError(f"`{path}` has format {document['format']}, this sciflow knows {FORMAT}: use a newer sciflow")
    return document


def format_ranges(indices: Iterable[int]) -> str:
    """Write indices as schedulers do: ``0-4,7``; runs in the order given."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def parse_ranges(text: str) -> Iterator[int]:
    """Read ``0-4,7`` back.

    Raises
    ------
    ValueError
        For text that is no such list.
    """
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        yield from range(int(first), int(last if dash else first) + 1)


def split_attempt(name: str) -> tuple[int, int]:
    """Index and attempt of a record's file name; (-1, -1) for any other name."""
    index, _, rest = name.partition(".")
    attempt, _, kind = rest.partition(".")
    is_record = kind == "h5" and index.isdecimal() and attempt.isdecimal()
    return (int(index), int(attempt)) if is_record else (-1, -1)
