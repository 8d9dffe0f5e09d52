import hashlib
import json
from pathlib import Path
from typing import Any

from sciflow.package.checks.code_that_ran import check_code
from sciflow.package.checks.verification import Problem

CODE = b"def f(x):\n    return x\n"
MODULES = {"/home/a/f.py": hashlib.sha256(CODE).hexdigest()}


def payload_of(folder: Path, modules: dict[str, str], files: dict[str, bytes]) -> Path:
    """Lay out the files of a package that tell which code ran, and the code."""
    files["run/manifest.json"] = b'{"format": 1, "directory": "/home/a", "code": {}, "tasks": {"t": {}}}'
    files["run/code/t.json"] = json.dumps({"function": {"modules": modules}}).encode()
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_code_that_is_not_what_ran_is_told(tmp_path: Path):
    """The run itself has digests of its code."""
    assert check_code(payload_of(tmp_path / "same", MODULES, {"project/f.py": CODE}), {}) == (1, [], [])
    payload = payload_of(tmp_path / "other", MODULES, {"project/f.py": CODE + b"# more"})
    why = "`f.py` is not the file that the run had"
    assert check_code(payload, {}) == (1, [Problem("other code", "data/project/f.py", why)], [])


def test_code_from_elsewhere_is_compared_too(tmp_path: Path):
    """Modules of other folders lie in a place of their own, under the name of their folder."""
    digest = MODULES["/home/a/f.py"]
    modules = {"/opt/lab/lib/pkg/m.py": digest, "/opt/lab/other/m.py": digest}
    files = {"project/outside/1-lib/pkg/m.py": CODE, "project/outside/2-other/m.py": b"y = 2\n"}
    count, problems, _ = check_code(payload_of(tmp_path, modules, files), {})
    assert count == 2
    assert [(one.kind, one.path) for one in problems] == [("other code", "data/project/outside/2-other/m.py")]


def test_code_without_its_secrets_is_no_other_code(tmp_path: Path):
    """What was redacted is said, and is no problem."""
    facts: dict[str, Any] = {"redacted": {"project/f.py": 2}}
    payload = payload_of(tmp_path, MODULES, {"project/f.py": b"def f(x):\n    return '[redacted]'\n"})
    told = "`project/f.py` had 2 secrets, which were taken out: it cannot be compared with what ran"
    assert check_code(payload, facts) == (1, [], [told])
    (payload / "project/f.py").write_text("def f(x):\n    return 'nothing'\n")
    assert [(one.kind, one.path) for one in check_code(payload, facts)[1]] == [("other code", "data/project/f.py")]
