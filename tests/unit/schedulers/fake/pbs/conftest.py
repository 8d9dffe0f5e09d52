"""A virtual PBS for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.schedulers.fake.pbs_desk import PbsDesk


@pytest.fixture
def desk(tmp_path: Path) -> PbsDesk:
    """Return a desk in front of a PBS that knows for two weeks what is over."""
    return PbsDesk(tmp_path)


@pytest.fixture
def forgetful(tmp_path: Path) -> PbsDesk:
    """Return a desk in front of a PBS that knows nothing of what is over."""
    return PbsDesk(tmp_path, has_history=False)
