"""A verdict becomes a part of the package that it is on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sciflow.errors import PackageError
from sciflow.package.again.adding import add_to_package
from sciflow.package.again.reproduce import content_digest
from sciflow.package.again.verdict import Asked, Package, Verdict
from sciflow.package.checks.verify import verify

_WHEN = "2026-01-02T03:04:05+00:00"


def _verdict(run: str, *reasons: str) -> Verdict:
    return Verdict(Package("spins_v1", run, "spins", "ab" * 32), Asked(), _WHEN, _WHEN, reasons=reasons)


def test_a_verdict_is_added_to_a_folder_where_it_is(unpacked: Path, tmp_path: Path) -> None:
    """The file has the day and a digest in its name, secrets are taken out, and the package is still whole."""
    package = shutil.copytree(unpacked.parent, tmp_path / "spins_v1")
    run = json.loads((package / "data" / "package.json").read_bytes())["run"]
    digest = content_digest(package)
    path = add_to_package(package, _verdict(run, "https://me:hunter2hunter2@example.org did not answer"))
    assert path.startswith("verdicts/2026-01-02-")
    text = (package / "data" / path).read_text()
    assert json.loads(text)["verdict"] == "not run"
    assert "hunter2" not in text
    assert verify(package).is_valid
    assert content_digest(package) == digest  # so that who has run it again can go on in the same folder
    assert add_to_package(package, _verdict(run, "another one")) != path
    assert len(list((package / "data" / "verdicts").iterdir())) == 2


def test_a_verdict_on_another_run_is_refused(packed: Path) -> None:
    """A verdict is not added to a package of another run, which stays as it is."""
    before = packed.read_bytes()
    with pytest.raises(PackageError, match="and the verdict is on `20200101-000000-aa`"):
        add_to_package(packed, _verdict("20200101-000000-aa"))
    assert packed.read_bytes() == before
