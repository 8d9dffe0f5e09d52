"""The names that both sides share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow_shim import files


def test_names_of_a_run_do_not_meet() -> None:
    """Every file of an array index has a place of its own, inside the run directory."""
    places = [one("a.0", 7, 2) for one in (files.record, files.outcome, files.log)]
    places += [one("a.0") for one in (files.array_header, files.array_lines, files.script, files.environment)]
    places += [files.task_file("a"), files.work("a", "7"), files.brake("a.0"), files.released_brake("a.0", 1)]
    places += [files.array_variant("a.0", "r1"), files.script("a.0", "r1")]
    assert len(set(places)) == len(places)
    assert not any(place.startswith("/") or ".." in place for place in places)


def test_a_variant_is_named_behind_its_array_job() -> None:
    """Without one, all names are those of the array job itself."""
    assert files.variant_name("a.0") == "a.0"
    assert files.script("a.0") == "scripts/a.0.sh"
    assert files.script("a.0", "r1") == "scripts/a.0@r1.sh"
    assert files.array_variant("a.0", "r1") == "arrays/a.0@r1.json"


def test_a_folder_holds_a_thousand_records() -> None:
    """Indices are spread over folders."""
    folders = {files.record("a.0", index, 1).rpartition("/")[0] for index in range(3000)}
    assert folders == {"records/a.0/0000", "records/a.0/0001", "records/a.0/0002"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("17.2.h5", (17, 2)),
        ("0.0.h5", (0, 0)),
        (".17.2.outcome", (-1, -1)),
        ("17.2.h5.partial", (-1, -1)),
        ("a.1.h5", (-1, -1)),
        ("17.h5", (-1, -1)),
        ("-1.1.h5", (-1, -1)),
    ],
)
def test_record_names_are_read_back(name: str, expected: tuple[int, int]) -> None:
    """Index and attempt stand in a record's name, and nothing else is taken for one."""
    assert files.split_attempt(name) == expected


def test_a_record_name_round_trips() -> None:
    """What names a record is read from its name."""
    assert files.split_attempt(files.record("a.0", 123456, 78).rpartition("/")[2]) == (123456, 78)


@pytest.mark.parametrize(
    ("indices", "text"),
    [([], ""), ([5], "5"), ([0, 1, 2], "0-2"), ([0, 2, 3, 7], "0,2-3,7"), ([3, 2, 1], "3,2,1"), ([1, 1], "1,1")],
)
def test_ranges_are_written_and_read(indices: list[int], text: str) -> None:
    """A list of indices is written short, in its order, and read back."""
    assert files.format_ranges(indices) == text
    assert list(files.parse_ranges(text)) == indices


@pytest.mark.parametrize("text", ["a", "1-", "1,,2", "1-x"])
def test_other_text_is_no_range(text: str) -> None:
    """What is no list of indices is refused."""
    with pytest.raises(ValueError, match="invalid literal"):
        list(files.parse_ranges(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        ("a b", "a b"),
        ([1, "ü"], '[1, "ü"]'),
        ((1, 2), "[1, 2]"),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    """A value has one text wherever a program meets it."""
    assert files.as_text(value) == text


def test_variables_of_inputs_are_names() -> None:
    """What is no letter or digit of a result's name becomes an underscore."""
    assert files.input_variable("pre-process", "mean value") == "SCIFLOW_INPUT_pre_process_mean_value_72672c4c"
    assert files.input_variable("train", "best_loss") != files.input_variable("train_best", "loss")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """A file that a newer sciflow wrote is a clear error; an older one opens."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"format": files.FORMAT + 1}))
    with pytest.raises(ValueError, match="use a newer sciflow"):
        files.read_json(str(path))
    path.write_text(json.dumps({"a": 1}))
    assert files.read_json(str(path)) == {"a": 1}


def test_grace_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds, unless the environment says otherwise; nonsense is an error that names it."""
    monkeypatch.delenv("SCIFLOW_GRACE_SECONDS", raising=False)
    assert files.grace_seconds() == files.GRACE
    monkeypatch.setenv("SCIFLOW_GRACE_SECONDS", "2.5")
    assert files.grace_seconds() == 2.5
    for text in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv("SCIFLOW_GRACE_SECONDS", text)
        with pytest.raises(ValueError, match=f"`SCIFLOW_GRACE_SECONDS` is `{text}`"):
            files.grace_seconds()
