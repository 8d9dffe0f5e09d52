"""A command whose files lie elsewhere is the same command; one that names other files is not."""

from __future__ import annotations

import pytest

from sciflow.package.again.moved_paths import is_only_moved


def _manifest(command: str, directory: str, inputs: dict[str, str]) -> dict[str, object]:
    return {"directory": directory, "inputs": inputs, "tasks": {"t": {"command": command}}}


_THERE = {"/data/a.csv": "1", "/data/b.csv": "2", "note.txt": "3"}
_HERE = {"outside/1-data/a.csv": "1", "outside/1-data/b.csv": "2", "note.txt": "3"}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("wc /data/a.csv", "wc {{ workflow_dir }}/outside/1-data/a.csv"),
        ("wc /data", "wc {{workflow_dir}}/outside/1-data"),
        ("wc /data/{{ x }}.csv", "wc {{ workflow_dir }}/outside/1-data/{{ x }}.csv"),
        ("wc {{ workflow_dir }}/../../data/a.csv", "wc {{ workflow_dir }}/outside/1-data/a.csv"),
        ("wc /home/exp/note.txt /bin/sh", "wc {{ workflow_dir }}/note.txt /bin/sh"),
        ("wc /home/exp/other.txt", "wc {{ workflow_dir }}/other.txt"),
    ],
)
def test_a_file_in_another_place_is_the_same_file(there: str, here: str) -> None:
    """Files and folders of inputs are known by what is in them."""
    assert is_only_moved(_manifest(there, "/home/exp", _THERE), _manifest(here, "/again/project", _HERE), "t")


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("wc /data/a.csv", "wc {{ workflow_dir }}/outside/1-data/b.csv"),
        ("wc /data/a.csv", "cat {{ workflow_dir }}/outside/1-data/a.csv"),
        ("wc /data/{{ x }}.csv", "wc {{ workflow_dir }}/outside/1-data/{{ y }}.csv"),
        ("wc /bin/sh", "wc /bin/bash"),
        ("wc /data/a.csv", ""),
    ],
)
def test_another_file_or_another_program_is_a_difference(there: str, here: str) -> None:
    """What else stands in the command counts, and so does which file it names."""
    assert not is_only_moved(_manifest(there, "/home/exp", _THERE), _manifest(here, "/again/project", _HERE), "t")


def test_a_file_of_other_bytes_is_a_difference() -> None:
    """A file that has changed is no moved one."""
    here = _manifest("wc /data/a.csv", "/home/exp", {"/data/a.csv": "9"})
    assert not is_only_moved(_manifest("wc /data/a.csv", "/home/exp", _THERE), here, "t")
