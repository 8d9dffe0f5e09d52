import pytest

from sciflow.schedulers.fake.slurm.arguments import Option, Parser, Wrong

PARSER = Parser(
    "sbatch",
    [Option("time", "t"), Option("time-min"), Option("hold", "H", "nothing"), Option("nice", "", "perhaps a value")],
    code=255,
    stops=True,
)


def test_all_spellings() -> None:
    """Long and short, with the value beside it or behind it, abbreviated, together behind one dash."""
    words = ["--time=1", "--time", "2", "-t3", "-t", "4", "-Ht5", "--ho", "--nice", "--nice=7", "--time-m", "6"]
    given = [
        *(("time", one) for one in "1234"),
        *(("hold", ""), ("time", "5"), ("hold", ""), ("nice", ""), ("nice", "7"), ("time-min", "6")),
    ]
    assert list(PARSER.read(words).given) == given
    assert PARSER.read(words).get("time") == "5"


def test_what_is_no_option_is_left() -> None:
    """All from the script on for `sbatch`; other commands read on, until two dashes."""
    assert PARSER.read(["-t", "1", "script", "--time=2"]).rest == ("script", "--time=2")
    reader = Parser("squeue", [Option("user", "u")])
    assert reader.read(["1", "-u", "x", "2", "--", "-u"]).rest == ("1", "2", "-u")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--foo=3"], "unrecognized option '--foo'"),
        (["-Y"], "invalid option -- 'Y'"),
        (["--time"], "option '--time' requires an argument"),
        (["-t"], "option requires an argument -- 't'"),
        (["--tim=1"], "option '--tim=1' is ambiguous; possibilities: '--time' '--time-min'"),
        (["--hold=1"], "option '--hold' doesn't allow an argument"),
    ],
)
def test_complaints_are_those_of_the_c_library(words: list[str], complaint: str) -> None:
    """With the name of the command, where to find help, and its exit code."""
    with pytest.raises(Wrong) as wrong:
        PARSER.read(words)
    assert str(wrong.value) == f'sbatch: {complaint}\nTry "sbatch --help" for more information'
    assert wrong.value.code == 255
