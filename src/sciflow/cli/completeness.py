"""How complete what was collected is, in words and as a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sciflow.results import Results

_ALWAYS = ("expected", "sealed", "missing", "torn")
_MOST = 3  # groups that are shown of each kind; `--json` has all
_MOST_PATHS = 2
_TOLD = ("torn", "missing", "unsealed", "duplicate", "foreign")  # with their places; the others are as they should be


def describe_completeness(results: Results) -> str:
    """Counts of combinations and records, and where those are that should not be as they are."""
    counts: dict[str, int] = results.tables.facts["completeness"]
    shown = [name for name in counts if name in _ALWAYS or counts[name]]
    told = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in sorted(shown, key=_rank))
    lines = [f"{results.described_count()}; records: {told}"]
    if any(counts[kind] for kind in _TOLD):
        for kind, groups in completeness_document(results).items():
            if kind in _TOLD:
                lines += [f"{kind}: {_group(one)}" for one in groups[:_MOST]]
                if len(groups) > _MOST:
                    lines.append(f"{kind}: … and {len(groups) - _MOST} more (`--json` has all)")
    lines += [f"note: {text}" for text in results.tables.facts.get("changed", ())]
    return "\n".join(lines)


def _rank(name: str) -> int:
    return _ALWAYS.index(name) if name in _ALWAYS else len(_ALWAYS)


def _group(one: dict[str, Any]) -> str:
    place = f"{one['array']}[{one['indices']}]" if one["indices"] else one["array"]
    paths = ", ".join(one["paths"][:_MOST_PATHS]) + (", …" if len(one["paths"]) > _MOST_PATHS else "")
    return " ".join(part for part in (place, f"({one['why']})" if one["why"] else "", paths) if part)


def completeness_document(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Kind → array job, index ranges, why, and paths."""
    from sciflow.run.completeness import to_document

    counts: dict[str, int] = results.tables.facts["completeness"]
    if not any(count for kind, count in counts.items() if kind not in ("expected", "sealed", "waiting")):
        return {}
    return to_document(results.tables.table("apart"))


def describe_joined(run: Path, joined: dict[str, Any]) -> list[str]:
    """What became of result arrays that were to be joined."""
    lines = []
    if joined["joined"]:
        shown = ", ".join(f"{place} ({count} rows)" for place, count in joined["joined"].items())
        lines.append(f"arrays: {run / 'arrays.h5'}: {shown}")
    return lines + [f"arrays of {place} stay in their records: {why}" for place, why in joined["apart"].items()]
