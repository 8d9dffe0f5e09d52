"""The sciflow that is running becomes a wheel."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from sciflow.errors import PackageError
from sciflow.package.environments.installers import uv_program
from sciflow.package.environments.wheel import sciflow_wheel


def test_it_can_be_installed_and_makes_the_same_wheel_again(tmp_path: Path) -> None:
    """Installed from it, sciflow starts with its own files, and packs the same bytes as this one does."""
    name, packed = sciflow_wheel()
    (tmp_path / name).write_bytes(packed)
    target = tmp_path / "installed"
    install = ["pip", "install", "-q", "--offline", "--no-index", "--no-deps", "--python", sys.executable, "--target"]
    subprocess.run([uv_program() or "uv", *install, str(target), str(tmp_path / name)], check=True)
    environ = {**os.environ, "PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}
    program = (
        "import sciflow, sys; from sciflow.package.environments.wheel import sciflow_wheel; from sciflow import assets;"
        "print(sciflow.__file__, assets.bundled('templates'));"
        "open(sys.argv[1], 'wb').write(sciflow_wheel()[1])"
    )
    again = tmp_path / "again.whl"
    told = subprocess.run(
        [sys.executable, "-c", program, str(again)],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [str(target / "sciflow/__init__.py"), str(target / "sciflow/_bundled/templates")]
    assert again.read_bytes() == packed
    said = subprocess.run(
        [sys.executable, "-m", "sciflow", "--version"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert metadata.version("sciflow") in said.stdout


def test_it_says_what_is_in_it() -> None:
    """Its record has the size and digest of each file; nothing compiled is in it, and all files are plain."""
    name, packed = sciflow_wheel()
    assert sciflow_wheel() == (name, packed)
    archive = zipfile.ZipFile(io.BytesIO(packed))
    about = f"sciflow-{metadata.version('sciflow')}.dist-info"
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(f"{about}/RECORD").decode()))}
    assert set(rows) == set(archive.namelist())
    for member, (digest, size) in rows.items():
        text = archive.read(member)
        found = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
        assert (digest, size) == (("", "") if member.endswith("/RECORD") else (f"sha256={found}", str(len(text))))
    assert not [member for member in rows if "__pycache__" in member]
    assert {
        "sciflow_shim/__main__.py",
        "sciflow/_bundled/templates/package/README.md.j2",
        "sciflow/_bundled/cluster_profiles/local.yaml",
        f"{about}/entry_points.txt",
        f"{about}/licenses/LICENSE",
    } <= set(rows)


def test_a_sciflow_that_is_not_installed_is_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says then what it needs."""

    def none(_: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError("sciflow")

    monkeypatch.setattr(metadata, "distribution", none)
    with pytest.raises(PackageError, match="not installed"):
        sciflow_wheel()
