"""The parameter space of a run, from its manifest."""

from __future__ import annotations

import json
from typing import Any

from sciflow.errors import RunError
from sciflow.model.parameters import ParameterSpace
from sciflow.store.layout import RunDirectory


def read_space(run: RunDirectory, manifest: dict[str, Any]) -> ParameterSpace:
    """Rebuild the space: from its rules, or from the table of its combinations where rules cannot say it.

    Raises
    ------
    RunError
        Where the table is missing.
    """
    document = manifest["space"]
    if "table" not in document:
        return ParameterSpace.from_document(**document)
    try:
        with (run / document["table"]).open(encoding="utf-8") as file:
            rows = [tuple(hashable(value) for value in json.loads(line)) for line in file]
    except FileNotFoundError:
        raise RunError(f"`{run.path}` has no `{document['table']}`") from None
    return ParameterSpace.from_table(document["names"], rows)


def hashable(value: Any) -> Any:
    """A parameter's value as it was before JSON, which has no tuples."""
    return tuple(hashable(one) for one in value) if isinstance(value, list) else value
