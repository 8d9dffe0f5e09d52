"""Copies of one package, which tests change and bag again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.package.bags.bag import make_bag
from sciflow.package.checks.verification import Verification
from sciflow.package.checks.verify import check_package
from unit.package.bags import WHEN


def rebagged(payload: Path) -> Verification:
    """Make a bag of a payload, as anybody can who has changed it, and check it."""
    make_bag(payload, {"External-Identifier": "spins_v1"}, WHEN)
    found = Verification("here")
    check_package(payload, found)
    return found


@pytest.fixture
def payload(unpacked: Path, tmp_path: Path) -> Path:
    """Return a copy of the payload of a package."""
    return Path(shutil.copytree(unpacked, tmp_path / "spins_v1"))


@pytest.fixture
def facts(unpacked: Path) -> dict[str, Any]:
    """Return what its `package.json` says."""
    return json.loads((unpacked / "package.json").read_bytes())


@pytest.fixture
def bag_anew(payload: Path) -> Callable[[], Verification]:
    """Return a function that makes a valid bag of the changed payload, and checks it."""
    return lambda: rebagged(payload)


def edit(path: Path, old: str, new: str) -> None:
    """Replace what stands in a file, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, path
    path.write_text(text.replace(old, new), encoding="utf-8")
