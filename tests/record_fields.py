"""Compares what stands in records with the page that lists it, `docs/reference/record.md`, in both directions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "record.md"
HEADER = "| field | type | unit | when | meaning |"
TYPES = {"any", "boolean", "dataset", "group", "integer", "link", "number", "text", "texts"}


class Field(NamedTuple):
    """A row of the page: the group it belongs to, its name, and what is said of it."""

    group: str
    name: str
    type: str
    unit: str
    when: str
    meaning: str


class Found(NamedTuple):
    """Something in a file: the group it belongs to, its name and its type."""

    group: str
    name: str
    type: str


def listed(title: str) -> list[Field]:
    """Read the rows below a heading of the page, `Record` or `Environment`."""
    text = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)
    [part] = [one for one in text if one.startswith(f"{title}\n")]
    fields = []
    for section in re.split(r"^### ", part, flags=re.M)[1:]:
        group = section.splitlines()[0].strip("`")
        lines = [line for line in section.splitlines() if line.startswith("|")]
        assert lines[0] == HEADER, f"{group}: {lines[0]}"
        for line in lines[2:]:
            name, kind, unit, when, meaning = (cell.strip() for cell in line.strip("|").split("|"))
            assert kind in TYPES, f"`{name}` of `{group}` has the type {kind}"
            assert when, f"`{name}` of `{group}` does not say when it is there"
            assert meaning, f"`{name}` of `{group}` does not say what it means"
            fields.append(Field(group, name.strip("`").removesuffix("/"), kind, unit, when, meaning))
    return fields


def found(path: Path) -> list[Found]:
    """List all that stands in a file; what it links to is another file."""
    with h5py.File(path) as file:
        return list(_members(file, "/"))


def _members(group: Any, path: str) -> Iterator[Found]:
    for name, value in group.attrs.items():
        yield Found(path, name, _type(value))
    if isinstance(group, h5py.Dataset):
        return
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            yield Found(path, name, "link")
            continue
        member = group[name]
        yield Found(path, name, "group" if isinstance(member, h5py.Group) else "dataset")
        yield from _members(member, f"{path.rstrip('/')}/{name}")


def _type(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "texts" if value.dtype.kind == "O" else f"{value.dtype.kind} array"
    kinds = {bool: "boolean", np.bool_: "boolean", str: "text", np.int64: "integer", np.float64: "number"}
    return kinds.get(type(value), type(value).__name__)


def differences(fields: Collection[Field], things: Collection[Found], holds: Collection[str] = ()) -> list[str]:
    """Say where a file and its page differ; nothing if they agree.

    Parameters
    ----------
    fields
        What is listed.
    things
        What was found.
    holds
        What the page says under *when* and is so of this file, besides `always`: those fields must be there too.
    """
    wrong = [
        f"`{one.name}` of `{one.group}`, a {one.type}, is not listed"
        for one in things
        if not any(_is(field, one) for field in fields)
    ]
    if unknown := set(holds) - {field.when for field in fields}:
        wrong.append(f"no field is there when {sorted(unknown)}")
    groups = {"/", *(f"{one.group.rstrip('/')}/{one.name}" for one in things if one.type in ("group", "dataset"))}
    for field in fields:
        if (field.when != "always" and field.when not in holds) or field.name.startswith("<"):
            continue
        for group in groups:
            if _matches(field.group, group) and not any(one.group == group and _is(field, one) for one in things):
                wrong.append(f"`{field.name}` of `{group}` is not there")
    return wrong


def met(fields: Collection[Field], things: Collection[Found]) -> set[Field]:
    """Give those of the fields that were found."""
    return {field for field in fields if any(_is(field, one) for one in things)}


def _is(field: Field, one: Found) -> bool:
    types = {field.type, "dataset" if field.type == "text" and field.group != "/" else field.type}
    is_value = one.type not in ("group", "dataset", "link")
    of_type = one.type in types or (field.type == "any" and is_value)
    return of_type and _matches(field.group, one.group) and _matches(field.name, one.name)


def _matches(pattern: str, text: str) -> bool:
    parts, words = pattern.split("/"), text.split("/")
    if len(parts) != len(words):
        return False
    return all(a == b or re.fullmatch(r"<[^<>]+>", a) for a, b in zip(parts, words, strict=True))
