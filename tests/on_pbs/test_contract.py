"""A real PBS does what every scheduler must do: the tests of `tests/contract`, word for word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.conftest import notebook  # noqa: F401 - a fixture of the tests below
from contract.test_cancel import *  # noqa: F403
from contract.test_scheduler import *  # noqa: F403
from on_pbs.site import PbsSite
from sciflow.model.workflow import ExperimentalWorkflow


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder in which programs on the node and the tests can write."""
    return tmp_path


@pytest.fixture
def impossible() -> list[dict[str, int]]:
    """Return requests over what the queue allows; more cores than its node has PBS takes, and never starts."""
    return [{"memory_bytes": 5 << 30}, {"gpus": 3}]


@pytest.fixture
def make_site(desk: Path) -> Callable[[ExperimentalWorkflow], PbsSite]:
    """Return a function that stages a workflow and gives the site on which it can run."""
    return lambda workflow: PbsSite(workflow, desk)
