"""Writes a record: one small HDF5 file, with nothing but the standard library.

The file is laid out as superblock, texts (a global heap), object headers, data from small to large, seal. All that
describes the data lies at the start, so whoever collects ten thousand records reads one block of each.
"""

# Importing pathlib takes longer than writing a record.

from __future__ import annotations

import os
import struct

from sciflow_shim import record_format as h5

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes longer than writing a record
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, BinaryIO, Callable, TypeVar, Union

    T = TypeVar("T")
    Data = Union[bytes, memoryview, "FileSlice"]

SUPERBLOCK_SIZE = h5.SUPERBLOCK_SIZE
TRACK_ORDER = 4  # flag of an object header: attributes come back in the order in which they were given
COMPACT_LIMIT = 64  # bytes; what lies in a header is checksummed in Python, what lies outside is not


class Group:
    """A group of the record: values by name and members by name, both in order.

    Parameters
    ----------
    attributes
        Name → bool, int, float, complex, str, None, or a list of values of one kind. A text may be of any length, a
        list takes at most 64 kB (8 bytes a number, 16 a text). An integer beyond 64 bits is stored as its decimal
        text, None as an empty value.
    members
        Name → Group, Dataset, ExternalLink or Placed.
    """

    __slots__ = ("attributes", "members")

    def __init__(self, attributes: dict[str, Any] | None = None, members: dict[str, Any] | None = None) -> None:
        self.attributes: dict[str, Any] = {} if attributes is None else attributes
        self.members: dict[str, Any] = {} if members is None else members


class Dataset:
    """An array, a text or a number.

    Parameters
    ----------
    data
        A C-contiguous buffer (written without a copy), a FileSlice, a str, a scalar, or a list of such scalars.
    dtype
        As NumPy writes it: ``"<f8"``, ``">i4"``, ``"|b1"``, ``"<c16"``, ``"S12"``; ``"str"`` is text of any length.
        Taken from the data where it is not given.
    shape
        Taken from the data where it is not given.
    attributes
        As of a Group.
    """

    __slots__ = ("attributes", "data", "dtype", "shape")

    def __init__(
        self,
        data: Any,
        dtype: str | None = None,
        shape: tuple[int, ...] | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> None:
        self.data = data
        self.dtype = dtype
        self.shape = shape
        self.attributes: dict[str, Any] = {} if attributes is None else attributes


class ExternalLink:
    """A name that stands for an object in another HDF5 file, found from the record's own directory."""

    __slots__ = ("filename", "path")

    def __init__(self, filename: str, path: str = "/") -> None:
        self.filename = filename
        self.path = path


class Placed:
    """A group that was laid out for its place in a file, with all that is in it; it is a member like others.

    What was laid out once is not laid out again, however often the file around it is written anew.

    Parameters
    ----------
    group
        What it holds.
    start
        Where in the file it begins: `SUPERBLOCK_SIZE`, or the end of the one before.
    """

    __slots__ = ("address", "end", "parts")

    def __init__(self, group: Group, start: int) -> None:
        self.parts, self.address, self.end = _lay_out(group, start)


class FileSlice:
    """Bytes of another file as the data of a Dataset: copied by blocks, never held in memory."""

    __slots__ = ("length", "offset", "path")

    def __init__(self, path: str | os.PathLike[str], offset: int, length: int) -> None:
        self.path = path
        self.offset = offset
        self.length = length

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes, a block at a time.

        Raises
        ------
        ValueError
            Where the file ends before the slice does.
        """
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset)
            left = self.length
            while left:
                block = file.read(min(left, h5.BLOCK))
                if not block:
                    raise ValueError(f"`{os.fspath(self.path)}` ends {left} bytes before the data to be copied")
                left -= len(block)
                yield block


def write_record(
    path: str | os.PathLike[str],
    root: Group,
    *,
    seal: bool = True,
    fsync: bool = False,
    placed: Iterable[Placed] = (),
) -> str:
    """Write a record beside its place, then rename it into place.

    Text that HDF5 cannot hold is written escaped: a NUL as ``\\x00``, half of a surrogate pair as ``\\ud800``.

    Parameters
    ----------
    path
        Where the record shall be; ``path + ".partial"`` is written first.
    root
        What it shall hold.
    seal
        End the file with the SHA-256 of its bytes, so that a torn or changed one is found.
    fsync
        Wait until the bytes are on the disk before the rename.
    placed
        The members of the root, or of its groups, that were laid out before, in the order of their places.

    Returns
    -------
    str
        The SHA-256 in hexadecimal, or an empty string without a seal.

    Raises
    ------
    ValueError
        For a value that cannot be stored; the message names its place in the record.
    """
    target = os.fspath(path)
    partial = target + ".partial"
    before = list(placed)
    placed_parts = [part for one in before for part in one.parts]
    parts, root_address, end = _lay_out(root, before[-1].end if before else SUPERBLOCK_SIZE)
    size = end + h5.SEAL_SIZE
    superblock = h5.SIGNATURE + struct.pack("<BBBBQQQQ", 3, 8, 8, 0, 0, h5.UNDEFINED, size, root_address)
    superblock += struct.pack("<I", h5.checksum(superblock))
    everything = [superblock, *placed_parts, *parts, h5.SEAL]
    try:
        with open(partial, "wb") as file:
            digest = _write(file, everything, size, seal)
            if fsync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:
        if os.path.lexists(partial):
            os.unlink(partial)
        raise
    return digest


def _write(file: BinaryIO, parts: Iterable[Data], size: int, seal: bool) -> str:
    digest = h5.sha256(size) if seal else None
    for part in parts:
        for block in part.blocks() if isinstance(part, FileSlice) else _blocks(part):
            if digest is not None:
                digest.update(block)
            file.write(block)
    text = "" if digest is None else digest.hexdigest()
    file.write(text.encode() or h5.UNSEALED)
    return text


def _blocks(data: bytes | memoryview) -> Iterable[bytes | memoryview]:
    """Cut large data, so that a block is still in the processor's cache when it is written after it was hashed."""
    if len(data) <= h5.BLOCK:
        return (data,)
    view = memoryview(data)
    return (view[start : start + h5.BLOCK] for start in range(0, len(view), h5.BLOCK))


class _Object:
    """A group or dataset on its way into the file: its messages, complete but for the addresses in them."""

    __slots__ = ("address", "children", "data", "data_address", "messages", "size")

    def __init__(self, messages: list[bytes]) -> None:
        self.messages = messages
        self.children: list[tuple[bytes, _Object | Placed]] = []  # link messages without the address they end with
        self.data: Data = b""
        self.size = 0
        self.address = self.data_address = h5.UNDEFINED

    def header_size(self) -> int:
        size = sum(map(len, self.messages)) + sum([len(link) + 8 for link, _ in self.children])
        size += len(h5.contiguous_layout(0, 0)) if self.size else 0
        return 10 + (1 << h5.width_code(size)) + size

    def header(self) -> bytes:
        messages = self.messages + [link + struct.pack("<Q", child.address) for link, child in self.children]
        if self.size:
            messages.append(h5.contiguous_layout(self.data_address, self.size))
        body = b"".join(messages)
        width = h5.width_code(len(body))
        header = b"OHDR\2" + bytes((TRACK_ORDER | width,)) + len(body).to_bytes(1 << width, "little") + body
        return header + struct.pack("<I", h5.checksum(header))


def _lay_out(root: Group, start: int) -> tuple[list[Data], int, int]:
    """Return a group and all that is in it as parts in order, the address of its header, and where they end."""
    heap = h5.TextHeap(start)
    objects: list[_Object] = []
    _add_group(root, "", heap, objects)
    texts = heap.close()
    address = start + len(texts)
    for item in objects:
        item.address = address
        address += item.header_size()
    data: list[Data] = []
    for item in sorted([item for item in objects if item.size], key=lambda item: item.size):
        data += (bytes(-address % 8), item.data)
        item.data_address = address + -address % 8
        address = item.data_address + item.size
    head = b"".join((texts, *[o.header() for o in objects]))
    return [head, *data, bytes(-address % 8)], objects[0].address, address + -address % 8


def _add_group(group: Group, path: str, heap: h5.TextHeap, objects: list[_Object]) -> _Object:
    info = struct.pack("<BBQQQ", 0, 1, len(group.members), h5.UNDEFINED, h5.UNDEFINED)
    item = _Object([h5.message(h5.LINK_INFO, info), h5.message(h5.GROUP_INFO, b"\0\0")])
    objects.append(item)
    item.messages += _attributes(group.attributes, path, heap)
    for order, (name, member) in enumerate(group.members.items()):
        place = f"{path}/{name}"
        link = _at(place, _link, name, member, order)
        if isinstance(member, ExternalLink):
            item.messages.append(link)
        elif isinstance(member, Group):
            item.children.append((link[:-8], _add_group(member, place, heap, objects)))
        elif isinstance(member, Placed):
            item.children.append((link[:-8], member))
        else:
            child = _at(place, _dataset, member, heap)
            child.messages += _attributes(member.attributes, place, heap)
            objects.append(child)
            item.children.append((link[:-8], child))
    return item


def _at(place: str, encode: Callable[..., T], *arguments: Any) -> T:
    """Encode, and name the place in the record where that cannot be done."""
    try:
        return encode(*arguments)
    except (TypeError, ValueError, OverflowError, struct.error) as error:
        raise ValueError(f"`{place}` cannot be stored: {error}") from error


def _link(name: str, member: Group | Dataset | ExternalLink | Placed, order: int) -> bytes:
    """Return a link message; a link within the file ends with 8 bytes for the address."""
    encoded = h5.encode_name(name)
    if b"/" in encoded or encoded == b".":
        raise ValueError("a name is neither `.` nor holds a `/`")
    kind, target = b"", bytes(8)
    if isinstance(member, ExternalLink):
        place = b"\0" + h5.encode_name(member.filename) + b"\0" + h5.encode_name(member.path) + b"\0"
        kind, target = bytes((h5.EXTERNAL,)), struct.pack("<H", len(place)) + place
    width = h5.width_code(len(encoded))
    flags = 0x14 | (8 if kind else 0) | width
    length = len(encoded).to_bytes(1 << width, "little")
    return h5.message(
        h5.LINK, b"".join((bytes((1, flags)), kind, struct.pack("<QB", order, 1), length, encoded, target))
    )


def _attributes(attributes: dict[str, Any], path: str, heap: h5.TextHeap) -> list[bytes]:
    return [
        _at(f"{path or '/'}@{name}", _attribute, name, value, order, heap)
        for order, (name, value) in enumerate(attributes.items())
    ]


def _attribute(name: str, value: Any, order: int, heap: h5.TextHeap) -> bytes:
    encoded = h5.encode_name(name) + b"\0"
    dtype, shape, data = ("<f8", None, b"") if value is None else h5.encode_values(value, None, heap.add)
    sizes, types = h5.encode_type(dtype, shape)
    start = struct.pack("<BBH", 3, 0, len(encoded))
    return h5.message(h5.ATTRIBUTE, b"".join((start, sizes, encoded, types, data)), order)


def _dataset(dataset: Dataset, heap: h5.TextHeap) -> _Object:
    if not isinstance(dataset, Dataset):
        raise TypeError(f"a member is a Group, a Dataset or an ExternalLink, and not `{type(dataset).__name__}`")
    dtype, shape, data = _data(dataset, heap)
    size = data.length if isinstance(data, FileSlice) else len(data)
    shape = shape if dataset.shape is None else dataset.shape
    count, width = 1, h5.split_dtype(dtype)[2]
    for extent in shape:
        count *= extent
    if count * width != size:
        raise ValueError(f"{size} bytes of data, but shape {shape} of `{dtype}` takes {count * width}")
    messages = [
        h5.message(h5.DATASPACE, h5.encode_dataspace(shape)),
        h5.message(h5.DATATYPE, h5.encode_datatype(dtype)),
        h5.message(h5.FILL_VALUE, b"\3\x0a"),
    ]
    item = _Object(messages)
    if size == 0:
        messages.append(h5.contiguous_layout(h5.UNDEFINED, 0))
    elif size <= COMPACT_LIMIT and not isinstance(data, FileSlice):
        messages.append(h5.message(h5.LAYOUT, struct.pack("<BBH", 3, 0, size) + data))
    else:
        item.data, item.size = data, size
    return item


def _data(dataset: Dataset, heap: h5.TextHeap) -> tuple[str, tuple[int, ...], Data]:
    data, dtype = dataset.data, dataset.dtype
    if isinstance(data, (bool, int, float, complex, str, list, tuple, range)):
        return h5.encode_values(data, dtype, heap.add)
    if dtype == h5.TEXT:
        raise ValueError(f"the data of `{dtype}` is a str or a list of str")
    if isinstance(data, FileSlice):
        if dtype is None or data.offset < 0 or data.length < 0:
            raise ValueError("data in another file needs a dtype, and an offset and length of at least 0")
        return dtype, (data.length // h5.split_dtype(dtype)[2],), data
    view = memoryview(data)
    dtype = dtype or h5.buffer_dtype(view)
    width = h5.split_dtype(dtype)[2]
    shape = view.shape or () if view.itemsize == width else (view.nbytes // width,)
    return dtype, shape, _raw(view)


def _raw(view: memoryview) -> memoryview:
    """Return the bytes of a buffer in C order, without a copy where they lie so."""
    if not view.c_contiguous:
        return memoryview(view.tobytes())
    try:
        return view.cast("B")
    except (TypeError, ValueError):  # big-endian, half, complex and empty ones: `cast` does not know them
        from pickle import PickleBuffer

        return PickleBuffer(view).raw()
