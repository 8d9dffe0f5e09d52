import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.package.checks.crate import check_crate


def test_the_crate_of_a_package_is_well(unpacked: Path):
    """It is about the package, and all that it tells of is there."""
    count, problems = check_crate(unpacked)
    assert problems == []
    assert count > 20


ROOT = {"@id": "./", "@type": "Dataset"}
ABOUT = {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        ([], "does not say that it is about the package"),
        (3, "it has no list `@graph`"),
        ([ROOT, {**ABOUT, "about": {"@id": "other/"}}], "does not say that it is about the package"),
        ([ROOT, ABOUT, {"@id": "../../etc/passwd"}], "names `../../etc/passwd`, which is outside"),
        ([ROOT, ABOUT, {"@id": "%2e%2e/x"}], "names `%2e%2e/x`, which is outside"),
        ([ROOT, ABOUT, {"@id": "file:///etc/passwd"}], "which is outside"),
        ([ROOT, ABOUT, {"@id": "//host/x"}], "which is outside"),
        ([{**ROOT, "hasPart": [{"@id": "/etc/passwd"}]}, ABOUT], "`/etc/passwd` cannot be a part"),
    ],
)
def test_a_crate_that_is_about_something_else_is_told(tmp_path: Path, graph: Any, why: str):
    """No root, names that lead out of the package, and parts that are not there."""
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}))
    [problem] = check_crate(tmp_path)[1]
    assert problem.path == "data/ro-crate-metadata.json"
    assert why in problem.why


def test_parts_that_are_not_there_are_missing(tmp_path: Path):
    """By the names that they have in the package."""
    root = {**ROOT, "hasPart": [{"@id": "no%20thing.txt"}, {"@id": "ro-crate-metadata.json"}]}
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps({"@graph": [root, ABOUT]}))
    assert [(one.kind, one.path) for one in check_crate(tmp_path)[1]] == [("missing", "data/no thing.txt")]
