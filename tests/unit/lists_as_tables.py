"""Tables of a results file, from lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sciflow.store.columns import Table
from sciflow.store.results import Tables


def tables_of(
    combinations: Mapping[str, Sequence[Any]],
    instances: Mapping[str, Sequence[Any]],
    parameters: Sequence[str],
    metrics: Sequence[str],
    facts: Mapping[str, Any],
) -> Tables:
    """Make tables of combinations and of instances, with their facts."""
    named = {"parameters": list(parameters), "metrics": list(metrics), **facts}
    table = Table.of(combinations, exact=parameters)
    return Tables({"combinations": table, "instances": Table.of(instances)}, named)
