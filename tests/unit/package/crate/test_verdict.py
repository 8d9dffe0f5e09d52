"""Verdicts in a crate."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sciflow.package import layout
from sciflow.package.crate.verdict import VerdictFacts, add_verdict

WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)


def _read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / layout.CRATE).read_text(encoding="utf-8"))


def test_a_verdict_is_added_and_all_else_stays_as_it_is(unpacked: Path, tmp_path: Path) -> None:
    """Its file, the action, and who did it; a second one stands beside the first."""
    (tmp_path / layout.VERDICTS).mkdir()
    shutil.copy(unpacked / layout.CRATE, tmp_path)
    before = {one["@id"]: one for one in _read(tmp_path)["@graph"]}
    for name, word in (("a", "reproduced"), ("b", "different")):
        (tmp_path / layout.VERDICTS / f"{name}.json").write_text("{}")
        facts = VerdictFacts(word, f"It is {word}.", WHEN, WHEN, "9.9", "grace" if name == "a" else "")
        add_verdict(tmp_path, f"{layout.VERDICTS}/{name}.json", facts)
    document = _read(tmp_path)
    after = {one["@id"]: one for one in document["@graph"]}
    assert document["@context"] == _read(unpacked)["@context"]
    changed = {id for id, one in before.items() if after[id] != one}
    assert changed == {"./"}
    for name, who in (("a", "#user/grace"), ("b", "#not-stated")):
        action = after[f"#verdict/{name}"]
        assert action["result"] == {"@id": f"verdicts/{name}.json"}
        assert action["agent"] == {"@id": who}
        assert action["endTime"] == "2026-03-01T12:30:00.000+00:00"
        assert action["object"] == before["./"]["mainEntity"]
        assert {"@id": action["@id"]} in after["./"]["mentions"]
        assert {"@id": f"verdicts/{name}.json"} in after["./"]["hasPart"]
    assert after["#sciflow/9.9"]["softwareVersion"] == "9.9"
    assert len(after) == len(before) + 6  # two files, two actions, sciflow and Grace
