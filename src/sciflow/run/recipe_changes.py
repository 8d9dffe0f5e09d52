"""What has changed of the recipes of tasks since a run was made, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sciflow.planning.compiled import Compiled
from sciflow.run.inputs import describe_inputs
from sciflow.store.digests import FileDigest, KnownDigests

_WORDS = {
    "kind": "what kind of task it is",
    "profile": "what the profile sets up",
    "environment": "its environment variables",
    "success": "its rule for success",
    "missing": "what it does where upstream is missing",
    "over": "what it gathers over",
    "setup": "its modules or set-up lines",
    "function": "the code of its function",
    "command": "its command",
    "files": "its input decks",
    "extract": "what it extracts",
    "outputs": "its outputs",
    "results": "its declared results",
}
_FILES = ("programs", "inputs")
_MOST_FILES = 3


def changed_recipes(compiled: Compiled, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Task → what has changed of its recipe since a run was made, of those whose recipe is another one.

    Parameters
    ----------
    compiled
        What would run now.
    manifest
        That of the run.
    """
    told: dict[str, Any] = manifest["tasks"]
    others = [task for task, recipe in compiled.recipes.items() if task in told and told[task]["recipe"] != recipe]
    found = {}
    inputs: dict[str, Any] | None = None
    for task in others:
        parts = told[task].get("recipe_parts", {})  # a run of an earlier sciflow has none
        now = compiled.recipe_parts[task]
        changed = changed_parts(parts, now) if parts else []
        said = in_words(changed)
        if not parts or set(changed) & set(_FILES):
            inputs = inputs or describe_inputs(compiled.uses, compiled.workflow.directory, KnownDigests())
            said += _files(manifest, told[task].get("inputs", ()), inputs[task])
        said += _upstream(compiled, told, task)
        found[task] = ", ".join(said) or "its code, or how it is set up"
    return found


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Which parts of a recipe are others than before."""
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def in_words(parts: Sequence[str]) -> list[str]:
    """What parts of a recipe are, but for the files that are read, which have names of their own."""
    return [_WORDS[name] for name in parts if name in _WORDS]


def _files(manifest: Mapping[str, Any], names: Sequence[str], now: Mapping[str, FileDigest]) -> Iterator[str]:
    """The input files of a task that are others than before."""
    before = {name: manifest["inputs"].get(name) for name in names}
    digests = {name: facts.sha256 for name, facts in now.items()}
    changed = [name for name in {**before, **digests} if before.get(name) != digests.get(name)]
    if changed:
        more = f" and {len(changed) - _MOST_FILES} more" if len(changed) > _MOST_FILES else ""
        shown = ", ".join(f"`{name}`" for name in changed[:_MOST_FILES])
        yield f"the file{'s' if len(changed) > 1 else ''} {shown}{more}"


def _upstream(compiled: Compiled, told: Mapping[str, Any], task: str) -> Iterator[str]:
    """The tasks that it reads whose recipes are others, or which it did not read before."""
    reads = compiled.uses[task].reads
    changed = [
        one
        for one in dict.fromkeys([*told[task]["reads"], *reads])
        if one not in reads
        or one not in told[task]["reads"]
        or told.get(one, {}).get("recipe") != compiled.recipes[one]
    ]
    if changed:
        yield f"{', '.join(f'`{one}`' for one in changed)}, which it reads"
