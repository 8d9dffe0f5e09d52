import pytest

from sciflow.schedulers.fake.request import Condition, Dependency
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.dependency import read_dependency
from unit.schedulers.fake.slurm.conftest import Terminal


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        ("afterok:1:2", [Condition("afterok", "1"), Condition("afterok", "2")]),
        ("AfterAny:1_3,singleton", [Condition("afterany", "1", 3), Condition("singleton")]),
        ("after:1+5", [Condition("after", "1", None, 300.0)]),
        ("afternotok:1_[2-3]", [Condition("afternotok", "1", 2), Condition("afternotok", "1", 3)]),
        ("aftercorr:1_*", [Condition("aftercorr", "1")]),
    ],
)
def test_what_is_waited_for(text: str, conditions: list[Condition]) -> None:
    """Kinds in any case, several jobs, some of their indices, and minutes after a start."""
    assert read_dependency(text) == Dependency(tuple(conditions))


def test_any_of_them_is_enough() -> None:
    """Where there is one question mark."""
    assert read_dependency("afterok:1,afterany:2?after:3").is_any


@pytest.mark.parametrize("text", ["afterok", "foo:1", "afterok:x", "afterburst:1", "singleton:1", "afterok:1,"])
def test_what_cannot_be_waited_for(text: str) -> None:
    """Is a problem."""
    with pytest.raises(Wrong, match="Job dependency problem"):
        read_dependency(text)


def test_how_it_stands_is_told(terminal: Terminal) -> None:
    """Whether it has not come true yet, or never will; what has come true is left out."""
    terminal.body.codes = {("first", 1): 3}
    first, held = terminal.submit("--array=0-1", name="first"), terminal.submit("--hold")
    job = terminal.submit(f"--dependency=afterok:{first},afterany:{first}_0,after:{held}+5")
    each = terminal.submit(f"--dependency=aftercorr:{first}", "--array=0-1")
    command = ("squeue", "-h", "-o", "%E", "-j")
    assert terminal.says(*command, job) == ["afterok:1_*(unfulfilled),afterany:1_0(unfulfilled),after:2+5(unfulfilled)"]
    terminal.run(700.0)
    assert terminal.says(*command, job) == ["afterok:1_*(failed),after:2+5(unfulfilled)"]
    assert set(terminal.says(*command, each)) == {"aftercorr:1_*(failed)"}
    assert terminal.says(*command, held) == ["(null)"]
