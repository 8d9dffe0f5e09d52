"""`sciflow report`."""

from pathlib import Path

from unit.cli.conftest import Command


def test_it_writes_a_file_and_says_what_is_in_it(finished: Path, sciflow: Command) -> None:
    """The file is named after the run, and as JSON the command tells what it says."""
    answer = sciflow("report", finished, "--maximize", "y", "--figures", "1", "--json")
    assert answer.code == 0
    told = answer.json
    assert told["report"] == f"squares-{finished.name}.html"
    assert Path(told["report"]).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert told["combinations"] == {"completed": 3, "total": 4}
    assert told["situation"] == "ended with failures"
    assert [(one["metric"], one["parameters"], one["value"]) for one in told["best"]] == [("y", {"x": 4}, 16.0)]
    assert "without repeats" in told["best"][0]["notes"][0]
    assert len(told["figures"]) == 1
    assert [(one["task"], one["count"], one["indices"]) for one in told["failures"]] == [
        ("square", 1, "square.0[2]"),
        ("half", 1, "half.0[2]"),
    ]


def test_it_says_where_it_is(finished: Path, sciflow: Command) -> None:
    """In words the command tells how the run is and where the report is."""
    answer = sciflow("report", finished, "-o", "mine.html", "--figures", "0")
    assert answer.code == 0
    assert "is ended with failures" not in answer.out
    assert "3 of 4 combinations completed" in answer.out
    assert "report: mine.html" in answer.out
    assert Path("mine.html").is_file()


def test_one_page_of_paper(finished: Path, sciflow: Command) -> None:
    """By its ending the file is one page, and of a kind that printers take."""
    answer = sciflow("report", finished, "-o", "mine.pdf", "--figures", "1")
    assert answer.code == 0
    assert Path("mine.pdf").read_bytes().startswith(b"%PDF-")


def test_what_cannot_be_written_is_said_before_anything_is_read(sciflow: Command) -> None:
    """A format that there is not is refused, with those that there are."""
    answer = sciflow("report", "nowhere", "-o", "mine.docx")
    assert answer.code == 1
    assert ".html" in answer.err
