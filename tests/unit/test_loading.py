"""Workflows and profiles from files."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sciflow.errors import ProfileError, WorkflowError, WorkflowFileError
from sciflow.loading import is_workflow_module, load_profile, load_workflow, stop_if_loading
from sciflow.model.workflow import ExperimentalWorkflow

PROGRAM = """
import sciflow
{name} = sciflow.ExperimentalWorkflow("{title}")
{name}.add_task("task", lambda x: None)
{name}.add_parameter_space({{"x": [1, 2]}})
"""


@pytest.fixture(autouse=True)
def _same_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a test has imported, and where it looked."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and "/pytest-of-" in str(sys.modules[name].__file__):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> str:
    """Write a file and give its path as people type it."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_program_is_loaded(tmp_path: Path) -> None:
    """The only workflow of a program is taken, by whatever name it has, and twice the same one is one."""
    path = write(tmp_path, "experiment.py", PROGRAM.format(name="w", title="first") + "\nalso = w\n")
    workflow = load_workflow(path)
    assert workflow.name == "first"
    assert len(workflow.space) == 2


def test_a_program_that_changes_twice_within_a_second_is_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytecode that Python keeps is told from a later source by whole seconds and the size only."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(name="one", title="before"))
    os.utime(path, (1000, 1000))
    assert load_workflow(str(path)).name == "before"
    path.write_text(PROGRAM.format(name="one", title="behind"))
    os.utime(path, (1000, 1000))
    assert load_workflow(str(path)).name == "behind"


def test_a_workflow_is_named_after_a_colon(tmp_path: Path) -> None:
    """Of several workflows one is named; without a name the error lists them."""
    text = PROGRAM.format(name="one", title="first") + PROGRAM.format(name="two", title="second")
    path = write(tmp_path, "experiment.py", text)
    assert load_workflow(f"{path}:two").name == "second"
    with pytest.raises(WorkflowFileError, match="has several workflows: `one`, `two`") as caught:
        load_workflow(path)
    assert caught.value.hint == f"name one: `{path}:one`"
    with pytest.raises(WorkflowFileError, match="has no workflow named `tow`") as caught:
        load_workflow(f"{path}:tow")
    assert "`two`" in caught.value.hint


def test_a_program_that_runs_its_workflow_is_only_loaded(tmp_path: Path) -> None:
    """Loading ends where the program would run its workflow, which is the one that is meant."""
    text = PROGRAM.format(name="other", title="first") + PROGRAM.format(name="used", title="second")
    text += "import pathlib\nresults = sciflow.Engine().execute_parameter_sweep(used)\n"
    text += "pathlib.Path(__file__).with_name('ran').touch()\n"
    path = write(tmp_path, "experiment.py", text)
    assert load_workflow(path).name == "second"
    assert load_workflow(f"{path}:other").name == "first"
    assert [one.name for one in tmp_path.iterdir() if one.name != "__pycache__"] == ["experiment.py"]


def test_only_a_loading_program_is_stopped() -> None:
    """A program that runs by itself goes on."""
    stop_if_loading(ExperimentalWorkflow("w"))


def test_a_program_sees_its_own_folder(tmp_path: Path) -> None:
    """Modules beside it are imported, before others of that name; `__name__` is not `__main__`."""
    write(tmp_path, "statistics.py", "title = 'mine'\n")
    text = "from statistics import title\nassert __name__ != '__main__'\n" + PROGRAM.format(name="w", title="x")
    path = write(tmp_path, "experiment.py", text + "w.metadata['title'] = title\n")
    had = sys.modules.pop("statistics", None)
    try:
        workflow = load_workflow(path)
    finally:
        if had:
            sys.modules["statistics"] = had
    assert workflow.metadata["title"] == "mine"
    assert is_workflow_module(workflow.tasks["task"].function.__module__)


def test_a_program_under_main_is_loaded(tmp_path: Path) -> None:
    """What stands under `if __name__ == "__main__"` is not run."""
    text = PROGRAM.format(name="w", title="guarded") + "if __name__ == '__main__':\n    raise SystemExit(3)\n"
    assert load_workflow(write(tmp_path, "experiment.py", text)).name == "guarded"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 / 0\n", "fails when it is loaded: ZeroDivisionError: division by zero"),
        ("def broken(:\n", "fails when it is loaded: SyntaxError"),
        ("raise SystemExit('bye')\n", "fails when it is loaded: SystemExit: bye"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("x = 1\n", "has no workflow\nhint: make one"),
    ],
)
def test_a_program_that_fails_says_how(tmp_path: Path, text: str, told: str) -> None:
    """The error names the file and what went wrong in it."""
    path = write(tmp_path, "experiment.py", text)
    with pytest.raises(WorkflowFileError, match=told) as caught:
        load_workflow(path)
    assert path in caught.value.message


def test_a_mistake_in_a_workflow_is_passed_on(tmp_path: Path) -> None:
    """What sciflow says of the workflow is said as it is."""
    path = write(tmp_path, "experiment.py", "import sciflow\nsciflow.ExperimentalWorkflow('a/b')\n")
    with pytest.raises(WorkflowError, match="cannot be the name of a workflow"):
        load_workflow(path)


def test_a_failed_program_leaves_nothing_behind(tmp_path: Path) -> None:
    """After a program that failed, the next one is loaded and the next sweep runs."""
    with pytest.raises(WorkflowFileError):
        load_workflow(write(tmp_path, "bad.py", "1 / 0\n"))
    stop_if_loading(ExperimentalWorkflow("w"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing.yaml", "there is no workflow file"),
        ("nothing.py:name", "there is no workflow file"),
        ("folder", "there is no workflow file"),
        ("notes.txt", "is neither `.yaml` nor `.py`"),
        ("latin.yaml", "cannot be read"),
    ],
)
def test_what_is_no_workflow_file_is_told(tmp_path: Path, name: str, told: str) -> None:
    """Missing files, folders, other endings and other encodings are named."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(WorkflowFileError, match=told):
        load_workflow(str(tmp_path / name))


def test_a_file_has_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of a workflow file start at the file, from wherever it is loaded."""
    (tmp_path / "sub").mkdir()
    text = "name: w\ntasks:\n  - {name: task, python: 'steps:run'}\nparameters: {x: [1]}\n"
    write(tmp_path / "sub", "w.yaml", text)
    write(tmp_path / "sub", "steps.py", "def run(x):\n    return {'y': x}\n")
    monkeypatch.chdir(tmp_path)
    workflow = load_workflow("sub/w.yaml")
    assert workflow.directory == tmp_path / "sub"
    function = workflow.tasks["task"].function
    assert function is not None
    assert function(3) == {"y": 3}


SCHEDULED = """name: w
tasks:
  - name: a
    command: 'true'
    schedule:
      policy: off_peak
      preferred_hours: 22:00-08:00
      holidays: {holidays}
schedule:
  policy: immediate
  blackouts: {blackouts}
"""


def test_calendars_are_read_with_the_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its folder, for the workflow and for its tasks; later they are needed no more."""
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "days.txt", "2030-12-25\n")
    write(tmp_path / "sub", "w.yaml", SCHEDULED.format(holidays="days.txt", blackouts="../sub/days.txt"))
    monkeypatch.chdir(tmp_path)
    policies = load_workflow("sub/w.yaml").policies
    assert policies.general.blackouts == policies.of("a").holidays == ("2030-12-25",)


@pytest.mark.parametrize(
    ("holidays", "blackouts", "told"),
    [
        ("gone.txt", "2030-12-25", "w.yaml, line 8: `holidays`: there is no file `"),
        ("2030-12-25", "days.txt", "w.yaml, line 11: .*/days.txt, line 2: `2030-13-25` is no date"),
        ("2030-13-25", "2030-12-25", "w.yaml, line 8: .*: `2030-13-25` is no date"),
    ],
)
def test_a_calendar_that_is_wrong_says_where(tmp_path: Path, holidays: str, blackouts: str, told: str) -> None:
    """The line of the workflow, and that of the calendar."""
    write(tmp_path, "days.txt", "# days\n2030-13-25\n")
    path = write(tmp_path, "w.yaml", SCHEDULED.format(holidays=holidays, blackouts=blackouts))
    with pytest.raises(WorkflowFileError, match=told):
        load_workflow(path)


def test_modules_of_two_workflows_are_told_apart(tmp_path: Path) -> None:
    """Two workflows with a module of the same name each get their own."""
    text = "name: w\ntasks:\n  - {name: task, python: 'steps:run'}\n"
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "steps.py", f"def run():\n    return '{name}'\n")
        function = load_workflow(write(tmp_path / name, "w.yaml", text)).tasks["task"].function
        assert function is not None
        found.append(function())
    assert found == ["a", "b"]


def test_packages_of_two_workflows_are_told_apart(tmp_path: Path) -> None:
    """A package of the same name, its modules and what they import are each workflow's own, whatever comes between."""
    text = "name: w\ntasks:\n  - {name: a, python: 'models.train:run'}\n  - {name: b, python: 'models.train:run'}\n"
    (tmp_path / "between").mkdir()
    write(tmp_path / "between", "other.py", "def run():\n    return 1\n")
    for name in ("one", "two"):
        (tmp_path / name / "models").mkdir(parents=True)
        write(tmp_path / name, "beside.py", f"who = '{name}'\n")
        write(tmp_path / name / "models", "__init__.py", "")
        write(tmp_path / name / "models", "train.py", "import beside\ndef run():\n    return beside.who\n")
        write(tmp_path / name, "w.yaml", text)
    plain = write(tmp_path / "between", "w.yaml", "name: w\ntasks:\n  - {name: a, python: 'other:run'}\n")
    found = []
    for path in (str(tmp_path / "one" / "w.yaml"), plain, str(tmp_path / "two" / "w.yaml")):
        functions = [task.function for task in load_workflow(path).tasks.values()]
        assert len(set(functions)) == 1
        assert functions[0] is not None
        found.append(functions[0]())
    assert found == ["one", 1, "two"]


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("nowhere:run", "`nowhere:run` cannot be imported: No module named 'nowhere'"),
        ("steps:walk", "module `steps` has no `walk`"),
        ("broken:run", "`broken` fails when imported: ZeroDivisionError"),
    ],
)
def test_a_function_that_is_not_there_is_told(tmp_path: Path, reference: str, told: str) -> None:
    """The error says where the reference stands and what is wrong with it."""
    write(tmp_path, "steps.py", "def run():\n    pass\n")
    write(tmp_path, "broken.py", "1 / 0\n")
    path = write(tmp_path, "w.yaml", f"name: w\ntasks:\n  - name: task\n    python: {reference}\n")
    with pytest.raises(WorkflowFileError, match=told) as caught:
        load_workflow(path)
    assert "w.yaml" in caught.value.message


def test_a_profile_is_found_by_name_or_file(tmp_path: Path) -> None:
    """The bundled one by its name, the project's instead of it, and any file by its path."""
    assert load_profile("local", tmp_path).shared is False
    (tmp_path / "cluster_profiles").mkdir()
    own = "name: local\nscheduler: local\ncapacity: {cpu_cores: 3}\n"
    path = write(tmp_path / "cluster_profiles", "local.yaml", own)
    assert load_profile("local", tmp_path).capacity.cpu_cores == 3
    assert load_profile(path, tmp_path / "elsewhere").capacity.cpu_cores == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "holds no mapping"),
        ("name: x\nscheduler: local\ncores: 3\n", "cores"),
        ("name: x\n", "scheduler"),
        ("name: [unclosed\n", "line"),
    ],
)
def test_a_profile_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    """The file, and the field or line, are named."""
    path = write(tmp_path, "site.yaml", text)
    with pytest.raises(ProfileError, match=told) as caught:
        load_profile(path, tmp_path)
    assert "site.yaml" in str(caught.value)


@pytest.mark.parametrize("name", ["lokal", "site.yaml"])
def test_a_profile_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    """By name or by file, the error offers what there is."""
    with pytest.raises(ProfileError, match=f"there is no cluster profile `{name}`") as caught:
        load_profile(name, tmp_path)
    assert "local" in caught.value.hint
