"""The environment in which a package is run again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PackageError
from sciflow.package.again.environment import WantedEnvironment, built, check_here
from sciflow.package.environments.surroundings import present

_HERE = WantedEnvironment("here")


def _recorded(**more: str) -> dict[str, Any]:
    found = {name: one for name, one in present().items() if name in ("python", "distributions")}
    found["distributions"] = {**found["distributions"], **more}
    return found


def test_the_environment_here_is_taken_where_it_is_the_recorded_one(tmp_path: Path) -> None:
    """With the same Python and versions it is taken; what is installed in the package's own folders counts too."""
    assert check_here(_recorded(), [], _HERE).python == Path(sys.executable)
    (tmp_path / "gauge-1.0.dist-info").mkdir()
    assert check_here(_recorded(gauge="1.0"), [tmp_path], _HERE).differences == []


def test_another_environment_is_refused_unless_it_may_differ() -> None:
    """What is missing or has another version is named, with the ways out; allowed, it is taken and told."""
    recorded = _recorded(gauge="1.0", click="0.1")
    with pytest.raises(PackageError, match=r"distribution gauge: 1\.0 there, nothing here") as refused:
        check_here(recorded, [], _HERE)
    assert "distribution click: 0.1 there" in refused.value.message
    assert "--environment build" in refused.value.hint
    ready = check_here(recorded, [], WantedEnvironment("here", allow_different=True))
    assert {one.subject for one in ready.differences} == {"distribution gauge", "distribution click"}


def test_an_environment_is_built_once(tmp_path: Path) -> None:
    """What an earlier call has built is taken as it is; where its building was cut off, it is built anew."""
    facts = {"format": 1, "locked": "", "not_on_index": {}, "variables": {}, "environments": {}}
    (tmp_path / "data" / "environment").mkdir(parents=True)
    (tmp_path / "data" / "environment" / "environments.json").write_text(json.dumps(facts))
    folder = tmp_path / "again" / "environment"
    (folder / "half").mkdir(parents=True)
    first = built(tmp_path / "data", folder, WantedEnvironment(offline=True))
    assert first.python.is_file()
    assert not (folder / "half").exists()
    (folder / "added").write_text("by hand")
    assert built(tmp_path / "data", folder, WantedEnvironment(offline=True)).python == first.python
    assert (folder / "added").is_file()
