"""uv or pip is started as the user has set it up, and with nothing that a package says."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sciflow.package.environments.installers import Pip, Uv, installer, uv_program

_INDEX = "https://index.example.org/simple"


def test_the_index_that_the_user_has_chosen_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set for pip counts for uv as well, unless uv has a choice of its own; other paths are not passed on."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", _INDEX)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    made = Uv("uv", tmp_path / "env")
    assert made.environment()["UV_DEFAULT_INDEX"] == _INDEX
    assert "PYTHONPATH" not in made.environment()
    assert Pip(tmp_path / "env").environment()["PIP_INDEX_URL"] == _INDEX
    monkeypatch.setenv("UV_INDEX_URL", "https://other.example.org")
    assert "UV_DEFAULT_INDEX" not in made.environment()


def test_a_folder_of_wheels_is_the_only_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither variables nor files of the user add another."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/elsewhere")
    monkeypatch.setenv("UV_FIND_LINKS", "/elsewhere")
    made = installer(tmp_path / "env", tmp_path, offline=False, build_sources=False)
    assert not {"PIP_FIND_LINKS", "UV_FIND_LINKS"} & set(made.environment())
    assert made.environment()["UV_NO_CONFIG"] == "true"


def test_uv_is_found_on_the_path_or_beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it there is pip."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert uv_program() is None
    assert isinstance(installer(tmp_path / "env", None, offline=False, build_sources=False), Pip)
    (tmp_path / "uv").touch(mode=0o755)
    assert uv_program() == str(tmp_path / "uv")


def test_pythons_are_tried_from_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the very version, which is not downloaded, then its minor one, then those that are here."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name != "python3.12" else None)
    monkeypatch.setattr(sys, "executable", "/this/python")
    made = Uv("uv", tmp_path / "env")
    found = list(made._candidates("3.12.4"))
    assert found[:2] == ["3.12.4", "3.12"]
    assert [one for one in found[2:] if one != "/this/python"][:3] == [
        "/bin/python3.11",
        "/bin/python3.13",
        "/bin/python3.10",
    ]
    assert "--no-python-downloads" in made._making("3.12.4")
    assert "--no-python-downloads" not in made._making("3.12")
    assert list(made._candidates("/opt/python")) == ["/opt/python"]
    here = ".".join(map(str, sys.version_info[:3]))
    assert next(Pip(tmp_path / "env")._candidates(here)) == "/this/python"


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    """What was started stands in the log."""
    made = Uv("/none/uv", tmp_path / "env")
    assert "/none/uv" in made.install(["spin==1.0"], with_needed=False)
    assert made.log.read_text().startswith("$ /none/uv pip install")
    assert "--only-binary spin spin==1.0" in made.log.read_text()
