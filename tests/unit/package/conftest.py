"""One small run for all tests of packages, and the package of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.package.bags.archive import opened
from sciflow.package.build import create_package
from unit.package.spins import make_spins


@pytest.fixture(scope="session")
def spins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a complete run; no test changes it."""
    return make_spins(tmp_path_factory.mktemp("spins"))


@pytest.fixture(scope="session")
def packed(spins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of that run in one file, with figures; no test changes it."""
    return create_package(spins, "spins_v1").export(tmp_path_factory.mktemp("packed") / "spins.zip")


@pytest.fixture(scope="session")
def unpacked(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the payload of that package; no test changes it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with opened(packed) as bag:
        bag.rename(folder / bag.name)
    return folder / "spins_v1" / "data"
