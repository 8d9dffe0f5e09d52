"""The wheel, installed where nobody has seen the source tree, is whole."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, directory: Path) -> str:
    """Run a command with nothing of this environment on its paths; gives what it prints."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "SCIFLOW", "COV", "XDG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment that has the wheel, and the packages that it depends on from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    isolated = [] if importlib.util.find_spec("hatchling") is None else ["--no-isolation"]
    run(sys.executable, "-m", "build", "--wheel", *isolated, "--outdir", folder, ROOT, directory=folder)
    run(sys.executable, "-m", "venv", folder / "venv", directory=folder)
    programs = folder / "venv" / "bin"
    (wheel,) = folder.glob("*.whl")
    run(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, directory=folder)
    # A folder named in a .pth file has its own .pth files passed over, so the source tree stays out of sight.
    packages = run(
        programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", directory=folder
    )
    Path(packages.strip(), "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return programs


def files_below(folder: Path) -> set[str]:
    """The files below a folder, but for what Python leaves there."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.parametrize("kind", ["templates", "cluster_profiles"])
def test_what_is_bundled_is_found(installed: Path, tmp_path: Path, kind: str) -> None:
    """The installed package finds every template and profile of the source tree, in itself."""
    program = f"import sciflow, sciflow.assets as a; print(sciflow.__file__); print(a.bundled({kind!r}))"
    package, bundled = map(Path, run(installed / "python", "-c", program, directory=tmp_path).splitlines())
    assert installed.parent in package.parents
    assert package.parent in bundled.parents
    assert files_below(bundled) == files_below(ROOT / kind)


def test_nothing_of_the_source_tree_is_loaded(installed: Path, tmp_path: Path) -> None:
    """Every module of sciflow comes from the wheel, and none lies in the source tree."""
    program = (
        "import sys, sciflow.cli.workflows, sciflow.engine, sciflow_shim.files\n"
        "files = [getattr(m, '__file__', None) or '' for name, m in sys.modules.items() if 'sciflow' in name]\n"
        "print(*sys.path, *files, sep='\\n')"
    )
    seen = run(installed / "python", "-c", program, directory=tmp_path).splitlines()
    assert sum("sciflow" in line for line in seen) > 20
    assert not [line for line in seen if Path(line).is_relative_to(ROOT / "src")]


def test_the_starter_runs(installed: Path, tmp_path: Path) -> None:
    """`sciflow init` and `sciflow run` do there what the README says."""
    run(installed / "sciflow", "init", "darts", directory=tmp_path)
    printed = run(installed / "sciflow", "run", "workflow.yaml", directory=tmp_path / "darts")
    assert "15 of 15 combinations completed" in printed
    assert "spread" in run(installed / "sciflow", "best", "spread", "--minimize", directory=tmp_path / "darts")
    (script,) = tmp_path.glob("darts/sciflow-runs/darts/*/scripts/throw.0.sh")
    assert str(ROOT / "src") not in script.read_text()
