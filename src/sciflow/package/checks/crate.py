"""Whether the crate of a package describes this package, and names nothing outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sciflow.package import layout
from sciflow.package.checks.promises import document_of
from sciflow.package.checks.verification import Problem

_ROOT = "./"
_PLACE = f"{layout.PAYLOAD}/{layout.CRATE}"


def check_crate(payload: Path) -> tuple[int, list[Problem]]:
    """The crate's root, what is said to be part of it, and where its names lead."""
    if not (payload / layout.CRATE).is_file():
        return 0, []  # which the promises tell
    graph = document_of(payload / layout.CRATE).get("@graph")
    if not isinstance(graph, list):
        return 0, [Problem("unreadable", _PLACE, "it holds no crate: it has no list `@graph`")]
    entities = {one["@id"]: one for one in graph if isinstance(one, dict) and isinstance(one.get("@id"), str)}
    told = list(dict.fromkeys(_wrong(entities)))
    more = f"; and {len(told) - 5} more" if len(told) > 5 else ""
    problems = [Problem("contradiction", _PLACE, "; ".join(told[:5]) + more)] if told else []
    return len(entities), problems + [
        Problem("missing", f"{layout.PAYLOAD}/{path}", f"`{layout.CRATE}` tells of it")
        for path in (unquote(name) for name in _parts(entities) if not _leads_out(name) and not urlsplit(name).scheme)
        if not (payload / path).exists()
    ]


def _wrong(entities: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    about = entities.get(layout.CRATE, {}).get("about")
    if _ROOT not in entities or about != {"@id": _ROOT}:
        yield "it does not say that it is about the package, which has the name `./`"
    for name in entities:
        if _leads_out(name):
            yield f"it names `{name}`, which is outside of the package"
    for name in _parts(entities):
        if _leads_out(name):
            yield f"`{name}` cannot be a part of the package"


def _parts(entities: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is said to be in the package."""
    parts = entities.get(_ROOT, {}).get("hasPart", [])
    for part in parts if isinstance(parts, list) else [parts]:
        yield str(part.get("@id") if isinstance(part, dict) else part)


def _leads_out(name: str) -> bool:
    try:
        parsed = urlsplit(name)
    except ValueError:
        return True
    if parsed.scheme and parsed.scheme != "file":
        return False
    path = PurePosixPath(unquote(parsed.path))
    return parsed.scheme == "file" or bool(parsed.netloc) or path.is_absolute() or ".." in path.parts
