"""The front door: its names, and how little it loads."""

import subprocess
import sys

import pytest

import sciflow

HEAVY = {"pydantic", "numpy", "pandas", "matplotlib", "h5py", "paramiko", "click", "jinja2", "yaml", "rich", "psutil"}
HEAVY |= {"scipy", "statsmodels"}


def loaded_by(program: str) -> set[str]:
    """Run a program in a fresh interpreter; gives the top-level modules that it has loaded."""
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules, sep='\\n')"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in answer.stdout.split()}


def test_all_names_are_there_and_sorted() -> None:
    """`__all__` is complete and sorted, and every name of it can be had."""
    assert sciflow.__all__ == sorted(sciflow.__all__)
    assert set(sciflow.__all__) == {*sciflow._PUBLIC, "__version__"}
    for name in sciflow.__all__:
        assert getattr(sciflow, name) is not None
    assert dir(sciflow) == sciflow.__all__


@pytest.mark.parametrize("name", sorted(sciflow._PUBLIC))
def test_a_name_is_where_it_is_said_to_be(name: str) -> None:
    """Each public name is defined in the module that is named for it, under the same name, with a docstring."""
    found = getattr(sciflow, name)
    assert (found.__module__, found.__name__) == (sciflow._PUBLIC[name], name)
    assert found.__doc__


def test_star_imports_all() -> None:
    """`from sciflow import *` gives all public names."""
    space: dict[str, object] = {}
    exec("from sciflow import *", space)
    assert set(space) - {"__builtins__"} == set(sciflow.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is told as of any module."""
    with pytest.raises(AttributeError, match="module 'sciflow' has no attribute 'Workflow'"):
        _ = sciflow.Workflow  # type: ignore[attr-defined]


def test_the_version_is_the_installed_one() -> None:
    """`__version__` and the metadata agree."""
    from importlib.metadata import version

    assert version("sciflow") == sciflow.__version__


def test_import_loads_nothing_heavy() -> None:
    """`import sciflow` is next to nothing."""
    assert loaded_by("import sciflow") & HEAVY == set()


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import sciflow; sciflow.State.FAILED; sciflow.SciflowError", HEAVY),
        ("import sciflow; sciflow.ParameterSpace", HEAVY - {"numpy"}),
        ("import sciflow.cli.main", HEAVY - {"click"}),
        ("from sciflow.store.layout import RunDirectory; import sciflow.run.track", HEAVY),
        ("import sciflow; sciflow.Engine", HEAVY - {"pydantic", "numpy", "jinja2", "yaml"}),
        ("import sciflow; sciflow.Results, sciflow.join_runs", {"pandas", "matplotlib", "scipy", "statsmodels"}),
    ],
    ids=["states", "space", "command", "status", "engine", "results"],
)
def test_a_name_loads_only_what_it_needs(program: str, unwanted: set[str]) -> None:
    """What is seldom used is loaded when it is used."""
    assert loaded_by(program) & unwanted == set()
