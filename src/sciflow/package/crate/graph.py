"""The entities of an RO-Crate: each once, without what is not known, in an order that is always the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sciflow.package import layout
from sciflow_shim.redaction import redact

VERSION = "1.1"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
ROOT = "./"
_TERMS = {"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}  # not known to the contexts
Reference = dict[str, str]
_ORDERED = ("hasPart", "mentions")  # in which nothing says what comes first


class Graph:
    """The entities of a crate.

    Parameters
    ----------
    crate
        A crate of the library's; a new one where it is not given.
    """

    def __init__(self, crate: Any = None) -> None:
        if crate is None:
            from rocrate.rocrate import ROCrate

            crate = ROCrate(version=VERSION)
        # The library forgets both when it reads a crate.
        crate.metadata.extra_contexts = [RUN_TERMS]
        crate.metadata.extra_terms = dict(_TERMS)
        self._crate = crate

    def add(self, id: str, kind: str | Sequence[str], **facts: Any) -> Reference:
        """Add an entity that is no file; one that is there already stays as it is."""
        if id not in self:
            from rocrate.model.contextentity import ContextEntity

            types = {"@type": kind if isinstance(kind, str) else list(kind)}
            self._crate.add(ContextEntity(self._crate, id, properties={**types, **known(facts)}))
        return {"@id": id}

    def add_file(self, path: str, kind: Sequence[str] = (), **facts: Any) -> Reference:
        """Add a file of the payload, by its place; what is said of one that is there already is added to it."""
        if quote(path) not in self:
            from rocrate.model.file import File

            types = {"@type": ["File", *kind]} if kind else {}
            self._crate.add(File(self._crate, dest_path=path, properties=types))
        return self.say(quote(path), **facts)

    def add_folder(self, path: str, **facts: Any) -> Reference:
        """Add a folder of the payload, by its place."""
        id = f"{quote(path.rstrip('/'))}/"
        if id not in self:
            from rocrate.model.dataset import Dataset

            self._crate.add(Dataset(self._crate, dest_path=path, properties=known(facts)))
        return {"@id": id}

    def say(self, id: str, **facts: Any) -> Reference:
        """Say more of an entity."""
        entity = self._crate.get(id)
        for name, value in known(facts).items():
            entity[name] = value
        return {"@id": id}

    def said(self, id: str, name: str) -> Any:
        """What is said of an entity; references as they are, and None for nothing."""
        return self._crate.get(id).properties().get(name)

    def link(self, id: str, name: str, to: Iterable[Reference]) -> None:
        """Let an entity refer to others, besides those to which it does already."""
        properties = self._crate.get(id).properties()
        before = properties.get(name, [])
        before = before if isinstance(before, list) else [before]
        if after := before + [one for one in to if one not in before]:
            properties[name] = after

    def __contains__(self, id: str) -> bool:
        return self._crate.get(id) is not None

    def write(self, folder: Path) -> Path:
        """Write the crate's metadata, with its entities in order."""
        document = self._crate.metadata.generate()
        first = {layout.CRATE: 0, ROOT: 1}
        document["@graph"].sort(key=lambda entity: (first.get(entity["@id"], 2), entity["@id"]))
        document["@graph"] = [_written(entity) for entity in document["@graph"]]
        path = folder / layout.CRATE
        lines = ",\n".join(_line(entity) for entity in document["@graph"])
        context = _line(document["@context"])
        path.write_text(f'{{"@context": {context}, "@graph": [\n{lines}\n]}}\n', encoding="utf-8")
        return path


def _line(value: Any) -> str:
    """An entity on a line of its own, which is small, and can still be read and compared."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _written(entity: dict[str, Any]) -> dict[str, Any]:
    """An entity as it is written: its parts in order, and no list around a single value."""
    found = {}
    for name, value in entity.items():
        if name in _ORDERED:
            value = sorted(as_list(value), key=lambda one: one["@id"])
        found[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def opened(folder: Path) -> Graph:
    """The crate of a payload.

    Raises
    ------
    ValueError
        Where there is none.
    """
    from rocrate.rocrate import ROCrate

    return Graph(ROCrate(str(folder)))


def as_list(value: Any) -> list[Any]:
    """One reference, or several, as a list."""
    return value if isinstance(value, list) else [value]


def known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is known, without secrets: nothing in a crate is null or empty."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, datetime):
            found[name] = moment(value)
        elif isinstance(value, str):
            if value:
                found[name] = redact(value)
        elif isinstance(value, list | tuple):
            if value:
                found[name] = [redact(one) if isinstance(one, str) else one for one in value]
        elif value is not None:
            found[name] = value
    return found


def moment(when: datetime | float) -> str:
    """A time as the profiles want it: ISO 8601, to the millisecond, in UTC."""
    if not isinstance(when, datetime):
        when = datetime.fromtimestamp(when, timezone.utc)
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def fragment(*parts: Any) -> str:
    """The id of an entity that is no file, without secrets: ``#action/train/17``."""
    return "#" + "/".join(quote(redact(str(part)), safe="") for part in parts)
