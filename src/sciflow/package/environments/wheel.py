"""The sciflow that is running as a wheel, so that a package needs no index to be run again."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from sciflow import assets
from sciflow.errors import PackageError

_PACKAGES = ("sciflow", "sciflow_shim")
_BUNDLED = ("cluster_profiles", "templates")
_WHEEL = "Wheel-Version: 1.0\nGenerator: sciflow\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LICENCES = ("licenses/LICENSE",)
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


def sciflow_wheel() -> tuple[str, bytes]:
    """Make a wheel of the sciflow that is running, installed or from its source tree: the same bytes each time.

    Returns
    -------
    tuple
        The file's name, and what stands in it.

    Raises
    ------
    PackageError
        Where sciflow runs without being installed, so that nothing says what it needs.
    """
    try:
        installed = metadata.distribution("sciflow")
    except metadata.PackageNotFoundError:
        raise PackageError("this sciflow is not installed", hint="`pip install` it, so that it can be packed") from None
    about = f"sciflow-{installed.version}.dist-info"
    members = dict(_code())
    for name in ("METADATA", "entry_points.txt", *_LICENCES):
        if text := installed.read_text(name):
            members[f"{about}/{name}"] = text.encode()
    members[f"{about}/WHEEL"] = _WHEEL.encode()
    members[f"{about}/RECORD"] = _record(members, f"{about}/RECORD")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(members, key=lambda name: (name.startswith(f"{about}/"), name)):
            member = zipfile.ZipInfo(name, _TIME)
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, members[name], compresslevel=6)
    return f"sciflow-{installed.version}-py3-none-any.whl", packed.getvalue()


def _code() -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise PackageError(f"`{package}` is not where it was installed", hint="install sciflow again")
        for name, path in _files(Path(spec.origin).parent):
            if not name.startswith("_bundled/"):
                yield f"{package}/{name}", path.read_bytes()
    for kind in _BUNDLED:
        for name, path in _files(assets.bundled(kind)):
            yield f"sciflow/_bundled/{kind}/{name}", path.read_bytes()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in name and path.suffix not in (".pyc", ".pyo"):
            yield name, path


def _record(members: dict[str, bytes], own: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name in sorted(members):
        digest = base64.urlsafe_b64encode(hashlib.sha256(members[name]).digest()).rstrip(b"=").decode()
        writer.writerow([name, f"sha256={digest}", len(members[name])])
    writer.writerow([own, "", ""])
    return text.getvalue().encode()
