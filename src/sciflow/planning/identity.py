"""What a result depends on: digests of code and input files, so that what is done already is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sciflow.errors import WorkflowError
from sciflow.model.profile import ClusterProfile
from sciflow.model.values import canonical_text
from sciflow.planning.code_digest import function_digest
from sciflow.planning.uses import TaskUse
from sciflow.store.digests import FileDigest, KnownDigests


class Recipe(NamedTuple):
    """What the results of a task depend on.

    Attributes
    ----------
    digest
        Of all of it, with the recipes of the tasks that it reads.
    parts
        Short digests of what it is made of besides, so that it can be said what has changed.
    """

    digest: str
    parts: dict[str, str]


def recipes(uses: Mapping[str, TaskUse], directory: Path, profile: ClusterProfile) -> dict[str, Recipe]:
    """Task → digest of its code, its input files, what the profile sets up, and the recipes of all tasks it reads.

    Two instances with the same recipe, the same parameters and the same upstream instances give the same results, as
    far as their code is deterministic.

    Raises
    ------
    WorkflowError
        For an input file that is not there.
    """
    found: dict[str, Recipe] = {}
    known = KnownDigests()
    around = [list(profile.modules), list(profile.setup), sorted(profile.environment.items())]
    for name, use in uses.items():
        parts = dict(_parts(use, directory, around, known))
        everything = [*parts.values(), *((before, found[before].digest) for before in use.reads)]
        found[name] = Recipe(_digest(everything)[:16], {part: _digest(value)[:8] for part, value in parts.items()})
    return found


def _parts(use: TaskUse, directory: Path, around: list[Any], known: KnownDigests) -> Iterator[tuple[str, Any]]:
    """What a recipe is made of, by name. The order counts: with another one nothing of earlier runs is known again."""
    task = use.task
    yield "kind", task.kind
    yield "profile", around
    yield "environment", sorted(task.environment.items())
    yield from (("success", task.success), ("missing", task.missing), ("over", task.over))
    yield "setup", [list(task.modules), list(task.setup)]
    if task.function is not None:
        yield "function", function_digest(task.function)
    else:
        assert use.template is not None
        yield "command", task.command
        yield "files", {target: use.template.sources[source] for target, source in task.files.items()}
        yield "extract", {metric: rule.model_dump(exclude_none=True) for metric, rule in task.extract.items()}
        yield "outputs", sorted(task.outputs)
        yield "programs", file_digests(use.template.code_files, directory, known)
    if task.results:
        yield "results", {result: declared.model_dump() for result, declared in task.results.items()}
    yield "inputs", file_digests(task.inputs, directory, known)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_text(_plain(value)).encode()).hexdigest()


def file_digests(names: Iterable[str], directory: Path, known: KnownDigests) -> dict[str, str]:
    """Path → SHA-256 of its bytes; folders by all their files.

    Raises
    ------
    WorkflowError
        For a file that is not there.
    """
    return {path: facts.sha256 for path, facts in describe_files(names, directory, known).items()}


def describe_files(names: Iterable[str], directory: Path, known: KnownDigests) -> dict[str, FileDigest]:
    """Path → size, time and SHA-256; folders by all their files.

    Parameters
    ----------
    names
        Files and folders.
    directory
        Where relative ones start from.
    known
        What is remembered of files.

    Raises
    ------
    WorkflowError
        For a file that is not there.
    """
    found = {}
    try:
        for name in names:
            path = directory / name
            members = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
            for member in members:
                try:
                    found[str(member)] = known.digest(member)
                except OSError as error:
                    problem = f"the input `{name}` cannot be read: {error.strerror}: `{member}`"
                    raise WorkflowError(problem) from None
    finally:
        known.save()  # what was read before one that is missing need not be read again
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
