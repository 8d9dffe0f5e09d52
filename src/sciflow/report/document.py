"""A report as JSON has it."""

from __future__ import annotations

import math
from typing import Any

from sciflow.analysis.optima.best import Best
from sciflow.report.write import Written


def report_document(written: Written) -> dict[str, Any]:
    """What a report that was written says, without its tables."""
    facts = written.facts
    total = facts.efficiency.get("")
    return {
        "run": facts.run,
        "workflow": facts.workflow,
        "report": str(written.path),
        "as_of": facts.as_of,
        "situation": facts.situation,
        "is_over": facts.is_over,
        "combinations": {"completed": facts.coverage.present, "total": facts.coverage.total},
        "tasks": {one.name: {state.value: count for state, count in one.states.items()} for one in facts.tasks},
        "best": [_best(one) for one in facts.best],
        "metrics": {
            one.metric.name: {
                "unit": one.metric.unit,
                "measured": one.coverage.present,
                "total": one.coverage.total,
                "mean": one.mean,
                "sd": one.sd,
                "smallest": one.smallest,
                "median": one.median,
                "largest": one.largest,
            }
            for one in facts.described
        },
        "figures": [
            {"name": one.name, "kind": one.picture.kind, "title": one.title} for one in written.figures.pictures
        ],
        "missing_figures": dict(written.figures.missing),
        "failures": [
            {
                "task": one.task,
                "state": one.state.value,
                "cause": one.cause,
                "count": one.count,
                "indices": one.places,
                "error": one.error,
            }
            for one in facts.failures.kinds
        ],
        "seconds": None if math.isnan(facts.span.seconds) else facts.span.seconds,
        "core_hours": total.core_hours if total else None,
    }


def _best(one: Best) -> dict[str, Any]:
    first = one.rows(1)[0]
    return {
        "metric": one.metric.name,
        "maximize": one.maximize,
        **{name: first[name] for name in ("parameters", "value", "count", "sd", "low", "high")},
        "notes": one.described(),
    }
