"""The verb that checks a package."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import DONE, SOME_FAILED, emit, escaped, json_option

if TYPE_CHECKING:
    from sciflow.package.checks.verification import Verification

_MOST = 20  # that are shown of each kind; `--json` has all


@click.command()
@click.argument("file", metavar="FILE")
@json_option
def verify(file: str, as_json: bool) -> None:
    """Check the package FILE: every byte, what it promises, and how this machine differs from where it was made.

    Nothing in it is run. Exit code 3 where it is damaged or incomplete; differences of the machine are no failure.
    """
    from sciflow.package.checks.verify import verify as check

    found = check(file)
    emit(as_json, found.to_document(), _text(found))
    raise click.exceptions.Exit(DONE if found.is_valid else SOME_FAILED)


def _text(found: Verification) -> str:
    lines = [f"package {found.package}: {found.verdict}"]
    if facts := found.facts:
        run, workflow, by = (facts.get(name, "?") for name in ("run", "workflow", "sciflow"))
        made = f"run {run} of {workflow}, packed by sciflow {by}"
        lines.append(f"{made}{_state(facts)}")
    lines += [
        f"{'ok ' if check.is_well else 'BAD'} {check.count} {check.what}" for check in found.checks if check.count
    ]
    told = [f"{one.kind}: {f'{one.path}: ' if one.path else ''}{one.why}" for one in found.problems]
    lines += _first(told)
    lines += _first([f"note: {text}" for text in found.notes])
    left_out = [one for one in found.facts.get("left_out", ()) if isinstance(one, dict)]
    lines += _first([f"left out: {one.get('path')}: {one.get('why')}" for one in left_out])
    return "\n".join(escaped(line) for line in [*lines, *_environment(found.environment)])


def _environment(environment: dict[str, Any]) -> list[str]:
    """How this machine differs, the worst first; what is only compatible is counted."""
    if not environment.get("compared"):
        return []
    told = environment["differences"]
    if not told:
        return ["environment: the same as the run had"]
    counts = Counter(one["grade"] for one in told)
    lines = [f"environment: {environment['grade']} ({', '.join(f'{n} {grade}' for grade, n in counts.items())})"]
    return lines + _first([f"{one['grade']}: {one['what']}" for one in told if one["grade"] != "compatible"])


def _state(facts: Any) -> str:
    state = facts.get("state")
    if not isinstance(state, dict) or "combinations" not in state:
        return ""
    return f"; {state.get('completed')} of {state['combinations']} combinations completed"


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST
    return lines if more <= 0 else [*lines[:_MOST], f"… and {more} more (`--json` has all)"]
