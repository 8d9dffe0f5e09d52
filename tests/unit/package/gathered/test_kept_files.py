"""The files of a run's project by their digests."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from sciflow.package.gathered.kept_files import DIGESTS, kept_files
from sciflow.store.layout import PROJECT, PROJECT_FACTS, RunDirectory


def test_a_package_says_what_its_project_was(spins: Path, unpacked: Path, tmp_path: Path) -> None:
    """The digests in the package are those of the files that the run has kept, as `sha256sum` has them."""
    with zipfile.ZipFile(spins / PROJECT) as archive:
        names = [name for name in archive.namelist() if name != PROJECT_FACTS]
        expected = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
    assert expected
    assert kept_files(RunDirectory(spins)) == expected
    assert kept_files(RunDirectory(unpacked / "run")) == expected
    assert (unpacked / "run" / DIGESTS).read_text().splitlines() == [f"{d}  {n}" for n, d in sorted(expected.items())]
    assert kept_files(RunDirectory(tmp_path)) == {}
