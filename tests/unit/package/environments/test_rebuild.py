"""An environment is built again from what a package's lock names, and from nothing else that its files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.environments import installers
from sciflow.package.environments.rebuild import build_environment, read_lock
from sciflow.package.environments.surroundings import COMPATIBLE, MISSING
from unit.package.wheelhouse import make_payload, make_wheel

_HERE = {"implementation": "CPython", "version": ".".join(map(str, sys.version_info[:3]))}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of four wheels, two of them of one distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for name, version in (("spin", "1.0"), ("spin", "2.0"), ("lattice", "0.3.1")):
        make_wheel(folder, name, version)
    make_wheel(folder, "torchlike", "2.1+cu118", ["not-there-at-all>=1"])
    return folder


def test_what_the_lock_names_is_installed_from_a_folder_of_wheels(tmp_path: Path, wheels: Path) -> None:
    """The recorded versions are there, nothing is looked up that they need, and there is no difference."""
    distributions = {"lattice": "0.3.1", "spin": "1.0", "torchlike": "2.1"}
    captured = {"python": _HERE, "distributions": {**distributions, "torchlike": "2.1+cu118"}, "cpu": {"model": "?"}}
    payload = make_payload(
        tmp_path / "bag" / "data", captured, "".join(f"{n}=={v}\n" for n, v in distributions.items())
    )
    make_wheel(payload / layout.WHEELS, "private", "0.1", ["spin"])
    built = build_environment(tmp_path / "bag", tmp_path / "env", wheels=wheels, python=sys.executable)
    assert list(built.differences) == []
    assert built.not_installed == {}
    asked = "import spin, lattice, torchlike, private, sys; print(sys.prefix)"
    said = subprocess.run([built.python, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert Path(said.strip()) == tmp_path / "env"
    assert "lattice==0.3.1" in built.log.read_text()


def test_what_cannot_be_installed_is_named(tmp_path: Path, wheels: Path) -> None:
    """It is an error with all names, which leaves no environment behind; when allowed, all else is installed."""
    recorded = {"absent": "4.0", "lattice": "0.3.1", "pip": "999", "spin": "3.0", "torchlike": "2.1"}
    payload = make_payload(tmp_path / "data", {"python": _HERE, "distributions": recorded})
    with pytest.raises(PackageError, match="2 distributions of the package cannot be installed") as caught:
        build_environment(payload, tmp_path / "env", wheels=wheels, python=sys.executable)
    assert "  absent: " in caught.value.message
    assert "  spin: " in caught.value.message
    assert "wheels" in caught.value.hint
    assert not (tmp_path / "env").exists()
    built = build_environment(payload, tmp_path / "env", wheels=wheels, python=sys.executable, allow_different=True)
    assert set(built.not_installed) == {"absent", "spin", "pip"}
    grades = {one.subject: (one.grade, one.present) for one in built.differences}
    assert grades == {
        "distribution absent": (MISSING, ""),
        "distribution pip": (MISSING, ""),
        "distribution spin": (MISSING, ""),
        "distribution torchlike": (COMPATIBLE, "2.1+cu118"),
    }
    assert built.not_installed["absent"] in built.differences[0].what


@pytest.mark.slow
def test_pip_does_it_where_uv_is_not(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same comes of it, but that pip is installed too."""
    monkeypatch.setattr(installers, "uv_program", lambda: None)
    payload = make_payload(tmp_path / "data", {"python": _HERE, "distributions": {"spin": "2.0"}})
    built = build_environment(payload, tmp_path / "env", wheels=wheels, python=sys.executable)
    assert list(built.differences) == []
    subprocess.run([built.python, "-c", "import spin"], check=True)


def test_another_python_is_a_difference(tmp_path: Path, wheels: Path) -> None:
    """Where the recorded one is not there, the nearest is taken, and the difference says so."""
    payload = make_payload(tmp_path / "data", {"python": {**_HERE, "version": "3.99.1"}, "distributions": {}})
    built = build_environment(payload, tmp_path / "env", wheels=wheels)
    assert [one.subject for one in built.differences] == ["python"]
    assert "3.99.1" in built.differences[0].recorded


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example.org/simple",
        "-e .",
        "-r other.txt",
        "./spin-1.0-py3-none-any.whl",
        "/tmp/spin-1.0-py3-none-any.whl",
        "https://evil.example.org/spin-1.0-py3-none-any.whl",
        "spin @ https://evil.example.org/spin-1.0-py3-none-any.whl",
        "spin @ file:///etc/passwd",
        "spin[extra]==1.0",
        "spin==1.0; python_version > '3'",
        "spin==1.*",
        "spin===1.0",
        "spin>=1.0",
        "spin==1.0,!=1.1",
        "spin==1.0 --hash=sha256:00",
        "spin==1.0 --config-settings=x",
        "spin==1.0 \\",
        "spin",
        "$(touch x)",
        "spin==1.0\nspin==2.0",
        "spin==1.0\r--index-url=x",
    ],
)
def test_a_lock_that_says_more_than_versions_is_refused(tmp_path: Path, line: str) -> None:
    """A stranger's file gives no options, addresses or paths to an installer; nothing is made."""
    payload = make_payload(tmp_path / "data", {}, f"lattice==0.3.1\n{line}\n")
    with pytest.raises(PackageError, match=r"line [234] of `environment/requirements\.txt`"):
        build_environment(payload, tmp_path / "new" / "env")
    assert not (tmp_path / "new").exists()


def test_what_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """A folder that is there, wheels that are not, and files among the wheels that are none."""
    payload = make_payload(tmp_path / "data", {})
    with pytest.raises(PackageError, match="is there already"):
        build_environment(payload, tmp_path)
    with pytest.raises(PackageError, match="is no folder of wheels"):
        build_environment(payload, tmp_path / "env", wheels=tmp_path / "none")
    (payload / layout.WHEELS / "setup.py").touch()
    with pytest.raises(PackageError, match=r"wheels/setup\.py` is no wheel"):
        build_environment(payload, tmp_path / "env")
    (payload / layout.REQUIREMENTS).write_bytes(b"\xff\xfe")
    with pytest.raises(PackageError, match="is no text"):
        read_lock(payload / layout.REQUIREMENTS)
    with pytest.raises(PackageError, match=r"has no `environment/environments\.json`"):
        build_environment(tmp_path / "none", tmp_path / "env")
    assert not (tmp_path / "env").exists()


def test_there_may_be_no_python_at_all(tmp_path: Path) -> None:
    """A Python that is named and is not there is an error with what was said."""
    with pytest.raises(PackageError, match="no environment can be made with Python /none/python"):
        build_environment(make_payload(tmp_path / "data", {}), tmp_path / "env", python="/none/python", offline=True)
    assert not (tmp_path / "env").exists()
