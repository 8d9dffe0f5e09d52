"""Wheels and packages made by hand, so that nothing is downloaded."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sciflow.package import layout


def make_wheel(folder: Path, name: str, version: str, needs: Sequence[str] = ()) -> Path:
    """Write the wheel of a distribution that is one empty module."""
    folder.mkdir(parents=True, exist_ok=True)
    path, about = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
    members = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in [*members, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{about}/RECORD": record}.items():
            archive.writestr(member, text)
    return path


def make_payload(folder: Path, captured: Mapping[str, Any], lock: str | None = None) -> Path:
    """Write what of a package its environment is built from."""
    document = {
        "format": 1,
        "locked": "d",
        "not_on_index": {},
        "environments": {"d": {"attempts": 1, "hosts": [], "captured": captured}},
    }
    pinned = "".join(f"{name}=={version}\n" for name, version in captured.get("distributions", {}).items())
    (folder / layout.WHEELS).mkdir(parents=True)
    (folder / layout.ENVIRONMENT_FACTS).write_text(json.dumps(document))
    (folder / layout.REQUIREMENTS).write_text("# made by hand\n" + (pinned if lock is None else lock))
    return folder
