"""Turn a workflow and a parameter grid into job arrays, follow them, and keep what happened.

Names are resolved on first use, so that `import sciflow` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Engine": "sciflow.engine",
    "ExperimentalWorkflow": "sciflow.model.workflow",
    "ParameterSpace": "sciflow.model.parameters",
    "Results": "sciflow.results",
    "Run": "sciflow.execution",
    "SciflowError": "sciflow.errors",
    "SciflowWarning": "sciflow.errors",
    "State": "sciflow.model.state",
    "create_reproducibility_package": "sciflow.package.of_workflow",
    "join_runs": "sciflow.joining",
    "load_workflow": "sciflow.loading",
    "open_run": "sciflow.execution",
    "workflow_schema": "sciflow.model.workflow_file",
}

__all__ = [
    "Engine",
    "ExperimentalWorkflow",
    "ParameterSpace",
    "Results",
    "Run",
    "SciflowError",
    "SciflowWarning",
    "State",
    "__version__",
    "create_reproducibility_package",
    "join_runs",
    "load_workflow",
    "open_run",
    "workflow_schema",
]

if TYPE_CHECKING:
    from sciflow.engine import Engine
    from sciflow.errors import SciflowError, SciflowWarning
    from sciflow.execution import Run, open_run
    from sciflow.joining import join_runs
    from sciflow.loading import load_workflow
    from sciflow.model.parameters import ParameterSpace
    from sciflow.model.state import State
    from sciflow.model.workflow import ExperimentalWorkflow
    from sciflow.model.workflow_file import workflow_schema
    from sciflow.package.of_workflow import create_reproducibility_package
    from sciflow.results import Results
else:

    def __getattr__(name: str) -> Any:
        if name not in _PUBLIC:
            raise AttributeError(f"module 'sciflow' has no attribute {name!r}")
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return __all__
