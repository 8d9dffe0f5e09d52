"""Compares a record with what h5py writes of the same tree, and with the tree."""

import math
import os
from typing import Any

import h5py
import numpy as np

from sciflow_shim.record import ExternalLink, Group
from sciflow_shim.record_reader import RecordDataset, RecordGroup

MANY = os.environ.get("SCIFLOW_MANY", "") not in ("", "0")  # thousands of cases instead of some hundreds


def write_with_h5py(group: h5py.Group, tree: Group) -> None:
    """Write the same tree as the record's writer."""
    for name, value in tree.attributes.items():
        group.attrs[name] = h5py.Empty("f8") if value is None else value
    for name, member in tree.members.items():
        if isinstance(member, Group):
            write_with_h5py(group.create_group(name), member)
        elif isinstance(member, ExternalLink):
            group[name] = h5py.ExternalLink(member.filename, member.path)
        else:
            data = member.data
            group[name] = np.array(data, h5py.string_dtype()) if isinstance(data, list) else data
            for key, value in member.attributes.items():
                group[name].attrs[key] = h5py.Empty("f8") if value is None else value


def seen(group: Any) -> dict[str, Any]:
    """All that h5py sees of a group: values as bytes where they are numbers, types, shapes, links."""
    found: dict[str, Any] = {f"@{name}": plain(value) for name, value in group.attrs.items()}
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            found[name] = (link.filename, link.path)
        elif isinstance(group[name], h5py.Dataset):
            attributes = {key: plain(value) for key, value in group[name].attrs.items()}
            found[name] = (str(group[name].dtype), group[name].shape, plain(group[name][()]), attributes)
        else:
            found[name] = seen(group[name])
    return found


def plain(value: Any) -> Any:
    """Return a value that compares as equal where type, shape and bits are, so also for NaN."""
    if isinstance(value, h5py.Empty):
        return ("empty", str(value.dtype))
    if isinstance(value, (str, bytes)):
        return value
    value = np.asarray(value)
    return (value.dtype.str, value.shape, value.tolist() if value.dtype == object else value.tobytes())


def same(found: Any, given: Any) -> bool:
    """Whether two Python values are equal, where NaN equals itself."""
    if isinstance(given, list):
        return len(found) == len(given) and all(map(same, found, given))
    if isinstance(given, complex):
        return same(found.real, given.real) and same(found.imag, given.imag)
    if isinstance(given, float) and math.isnan(given):
        return math.isnan(found)
    return found == given


def check_read(found: RecordGroup, tree: Group) -> None:
    """Compare what our reader sees with what was written."""
    check_attributes(found.attributes, tree.attributes)
    assert list(found) == list(tree.members)
    for name, member in tree.members.items():
        read = found[name]
        if isinstance(member, Group):
            check_read(read, member)
        elif isinstance(member, ExternalLink):
            assert (read.filename, read.path) == (member.filename, member.path)
        else:
            assert isinstance(read, RecordDataset)
            check_attributes(read.attributes, member.attributes)
            data = member.data
            if isinstance(data, np.ndarray):
                assert (read.dtype, read.shape, bytes(read.read())) == (data.dtype.str, data.shape, data.tobytes())
                data = data.tolist()
            assert same(read.value, data)


def check_attributes(found: dict[str, Any], given: dict[str, Any]) -> None:
    """Compare attributes, types and order too."""
    assert list(found) == list(given)
    assert [type(value) for value in found.values()] == [type(value) for value in given.values()]
    assert all(same(found[name], value) for name, value in given.items())
