"""Whether the files that are results are those that the records tell of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sciflow.package import layout
from sciflow.package.checks.verification import Problem
from sciflow.package.gathered.run_files import Result, results_of
from sciflow.package.packaged_run import PackagedRun
from sciflow_shim.artifacts import describe_file
from sciflow_shim.redaction import REDACTED


def check_result_files(packaged: PackagedRun, payload: Path, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """Each by the digest that its record has, but for what the package itself says is not as it was."""
    left_out = [str(one["path"]) for one in facts.get("left_out", ())]
    warned = [text for text in facts.get("warnings", ()) if "has changed since its record was written" in text]
    for one in results_of(packaged):
        path = PurePosixPath(one.path)
        place = f"{layout.RUN}/{one.path}"
        if path.is_absolute() or ".." in path.parts or any(_is_below(said, place) for said in left_out):
            continue
        if not (payload / place).exists():
            why = f"a record has it as the result `{one.name}`, and the package does not say that it was left out"
            yield Problem("missing", f"{layout.PAYLOAD}/{place}", why)
        elif not any(text.startswith(f"`{one.path}`") for text in warned) and not _is_cleaned(payload, place, facts):
            yield from _compared(one, payload / place, f"{layout.PAYLOAD}/{place}")


def _compared(one: Result, path: Path, place: str) -> Iterator[Problem]:
    if describe_file(one.name, str(path))["sha256"] != one.sha256:
        why = f"it is not the result `{one.name}` that a record has, which had the SHA-256 {one.sha256}"
        yield Problem("contradiction", place, why)


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/") or (place.startswith(f"{path}/") and path.count("/") > 1)


def _is_cleaned(payload: Path, place: str, facts: Mapping[str, Any]) -> bool:
    """Whether secrets were taken out of a result, or of a file in the folder that it is."""
    cleaned = [path for path in facts.get("redacted", {}) if _is_below(path, place) and (payload / path).is_file()]
    return any(REDACTED.encode() in (payload / path).read_bytes() for path in cleaned)
