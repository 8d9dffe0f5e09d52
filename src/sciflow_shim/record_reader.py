"""Reads records back without h5py, and tells whether their seal holds."""

# Importing pathlib takes longer than reading a record.

from __future__ import annotations

import os
import struct

from sciflow_shim import record_format as h5
from sciflow_shim.record import Dataset, ExternalLink, FileSlice, Group

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes longer than reading a record
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Message = tuple[int, int, bytes]  # kind, address of the body, body

HEAD = 1 << 16  # bytes; holds all that describes the data in any usual record


def read_record(
    path: str | os.PathLike[str], offset: int = 0, size: int | None = None, is_verified: bool = False
) -> RecordGroup:
    """Open a record and return its root.

    Headers and data are read when they are asked for; the file stays open as long as anything read from it lives.

    Parameters
    ----------
    path
        The file.
    offset, size
        Where in the file the record lies; by default it is all of it.
    is_verified
        Its seal has just been found to hold, so that the checksums within need no second look.

    Raises
    ------
    ValueError
        For a file that `write_record` did not write, or that is cut off.
    """
    file = _File(os.fspath(path), offset, size, is_verified)
    return RecordGroup(file, file.header(file.root))


def verify_seal(path: str | os.PathLike[str], offset: int = 0, size: int | None = None) -> str:
    """Check every byte of a record, of which a file may hold others before and after it, against its seal.

    Returns
    -------
    str
        ``"sealed"``: as it was written. ``"unsealed"``: whole, but written without a seal. ``"torn"``: anything else,
        so also a file that `write_record` did not write.
    """
    with open(path, "rb") as file:
        if size is None:
            size = os.fstat(file.fileno()).st_size - offset
        file.seek(offset)
        head = file.read(h5.SUPERBLOCK_SIZE)
        if _root_address(head, size) is None:
            return "torn"
        digest = h5.sha256(size)
        digest.update(head)
        left = size - len(head) - len(h5.UNSEALED)
        while block := file.read(min(left, h5.BLOCK)):
            digest.update(block)
            left -= len(block)
        stated = file.read(len(h5.UNSEALED))
    if stated == h5.UNSEALED:
        return "unsealed"
    return "sealed" if stated == digest.hexdigest().encode() else "torn"


def as_group(stored: RecordGroup) -> Group:
    """Make of a group of a record what `write_record` takes; the data of datasets stays where it is until then."""
    members: dict[str, Any] = {}
    for name, member in stored.members.items():
        if isinstance(member, RecordGroup):
            members[name] = as_group(member)
        elif isinstance(member, RecordDataset):
            data: Any = member.value if member.dtype == h5.TEXT else member.slice
            members[name] = Dataset(data, member.dtype, member.shape, dict(member.attributes))
        else:
            members[name] = member
    return Group(dict(stored.attributes), members)


def _root_address(head: bytes, size: int) -> int | None:
    """Return where the root group is, or None where the superblock is not that of a whole record."""
    if len(head) < h5.SUPERBLOCK_SIZE or size < h5.SUPERBLOCK_SIZE + h5.SEAL_SIZE:
        return None
    signature, version, end, root, check = struct.unpack("<8sB19xQQI", head)
    whole = (signature, version, end) == (h5.SIGNATURE, 3, size) and check == h5.checksum(head[:-4])
    return root if whole else None


class RecordGroup:
    """A group of a record that was read.

    A member is had by its name or path, ``record["results/energy"]``; `attributes` maps names to values.
    """

    __slots__ = ("_file", "_links", "attributes")

    def __init__(self, file: _File, messages: list[Message]) -> None:
        self._file = file
        self._links = file.decode(_links, messages)
        self.attributes: dict[str, Any] = file.decode(_attributes, messages, file.text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __contains__(self, name: object) -> bool:
        return name in self._links

    def __getitem__(self, path: str) -> Any:
        name, _, rest = path.strip("/").partition("/")
        if not name:
            return self
        target = self._links[name]
        member = target if isinstance(target, ExternalLink) else self._file.member(target)
        if not rest:
            return member
        if not isinstance(member, RecordGroup):
            raise KeyError(path)
        return member[rest]

    def reopened(self) -> RecordGroup:
        """The same group by a descriptor of its own: one that was inherited may have been closed."""
        again = RecordGroup.__new__(RecordGroup)
        again._file, again._links, again.attributes = self._file.reopened(), self._links, self.attributes
        return again

    @property
    def digest(self) -> str:
        """The SHA-256 that the record's seal states; zeros where it was written without one."""
        size = len(h5.UNSEALED)
        return self._file.decode(self._file.piece, self._file.size - size, size).decode("ascii", "replace")

    @property
    def members(self) -> dict[str, Any]:
        """Name → RecordGroup, RecordDataset or ExternalLink, in order."""
        return {name: self[name] for name in self._links}

    def follow(self, name: str) -> Any:
        """Return what an external link stands for, from the file that it names.

        Raises
        ------
        ValueError
            Where that file is not one that `write_record` wrote.
        """
        link = self._links[name]
        if not isinstance(link, ExternalLink):
            return self[name]
        directory = os.path.dirname(self._file.path)
        return read_record(os.path.join(directory, link.filename))[link.path]


class RecordDataset:
    """An array, text or number of a record that was read.

    `dtype` is as NumPy writes it, or ``"str"`` for text. `offset` is where in the file its `length` bytes lie.
    """

    __slots__ = ("_file", "attributes", "dtype", "length", "offset", "shape")

    def __init__(self, file: _File, messages: list[Message]) -> None:
        self._file = file
        self.attributes: dict[str, Any] = file.decode(_attributes, messages, file.text)
        self.dtype: str
        self.shape: tuple[int, ...]
        self.dtype, self.shape, self.offset, self.length = file.decode(_array, messages)

    @property
    def slice(self) -> FileSlice | bytes:
        """The bytes as a part of the file that holds them."""
        return self._file.slice(self.offset, self.length) if self.length else b""

    def read(self) -> memoryview:
        """Return the bytes as they are stored; large ones are mapped from the file, not read at once."""
        read = self._file.piece if self.length <= HEAD else self._file.mapped
        return memoryview(self._file.decode(read, self.offset, self.length))

    @property
    def value(self) -> Any:
        """The data as Python values: a scalar, or lists as deep as the shape."""
        return self._file.decode(h5.decode_values, self.dtype, self.shape, self.read(), self._file.text)


class _File:
    """An open record: pieces of it by address, each checked."""

    def __init__(self, path: str, offset: int, size: int | None, is_verified: bool) -> None:
        self.path = path
        self._offset = offset
        self._is_verified = is_verified
        self._texts: dict[int, dict[int, bytes]] = {}
        self._process = os.getpid()
        self._descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size - offset if size is None else size
        self._head = os.pread(self._descriptor, min(HEAD, max(0, self.size)), offset)
        root = _root_address(self._head[: h5.SUPERBLOCK_SIZE], self.size)
        if root is None or self.piece(self.size - h5.SEAL_SIZE, len(h5.SEAL)) != h5.SEAL:
            raise ValueError(f"`{path}` is not a record, or it is cut off")
        self.root = root
        self._is_whole = is_verified or self._has_seal()

    def __del__(self) -> None:
        # In a process that was forked since, the number may stand for another file.
        if hasattr(self, "_descriptor") and self._process == os.getpid():
            os.close(self._descriptor)

    def reopened(self) -> _File:
        """The same file by a descriptor of its own."""
        return _File(self.path, self._offset, self.size, self._is_verified)

    def slice(self, address: int, size: int) -> FileSlice:
        """Some bytes of the file, for another one."""
        return FileSlice(self.path, self._offset + address, size)

    def _has_seal(self) -> bool:
        """Whether a small file is as it was sealed: one digest in C tells sooner than a checksum of each header."""
        if len(self._head) != self.size:
            return False
        end = self.size - len(h5.UNSEALED)
        stated = self._head[end:]
        if stated == h5.UNSEALED:
            return False
        digest = h5.sha256(self.size)
        digest.update(self._head[:end])
        return stated == digest.hexdigest().encode()

    def decode(self, decode: Any, *arguments: Any) -> Any:
        """Decode, and name the file where that cannot be done."""
        try:
            return decode(*arguments)
        except (ValueError, IndexError, KeyError, struct.error) as error:
            raise ValueError(f"`{self.path}` is damaged, or not a record that sciflow wrote: {error}") from error

    def piece(self, address: int, size: int) -> bytes:
        """Return some bytes of the file."""
        if address + size > self.size:
            raise ValueError(f"{size} bytes at {address} lie beyond its end")
        if address + size <= len(self._head):
            return self._head[address : address + size]
        return os.pread(self._descriptor, size, self._offset + address)

    def mapped(self, address: int, size: int) -> memoryview:
        """Return some bytes of the file without reading them yet."""
        if address + size > self.size:
            raise ValueError(f"{size} bytes at {address} lie beyond its end")
        import mmap

        start = self._offset + address
        skipped = start % mmap.ALLOCATIONGRANULARITY
        whole = mmap.mmap(self._descriptor, size + skipped, access=mmap.ACCESS_READ, offset=start - skipped)
        return memoryview(whole)[skipped:]

    def header(self, address: int) -> list[Message]:
        """Return the messages of an object header."""
        return self.decode(self._header, address)

    def _header(self, address: int) -> list[Message]:
        signature, flags = struct.unpack("<5sB", self.piece(address, 6))
        width = 1 << (flags & 3)
        size = int.from_bytes(self.piece(address + 6, width), "little")
        header = self.piece(address, 6 + width + size + 4)
        is_whole = self._is_whole or h5.checksum(header[:-4]) == int.from_bytes(header[-4:], "little")
        if signature != b"OHDR\2" or flags & ~3 != 4 or not is_whole:
            raise ValueError(f"no object header at {address}")
        messages, position = [], 6 + width
        while position < len(header) - 4:
            kind, length = struct.unpack_from("<BH", header, position)
            position += 6
            messages.append((kind, address + position, header[position : position + length]))
            position += length
        return messages

    def member(self, address: int) -> RecordGroup | RecordDataset:
        """Return the group or dataset whose header is there."""
        messages = self.header(address)
        is_group = any(kind == h5.LINK_INFO for kind, _, _ in messages)
        return RecordGroup(self, messages) if is_group else RecordDataset(self, messages)

    def text(self, reference: bytes) -> str:
        """Return the text that a reference into a heap stands for."""
        length, address, index = struct.unpack("<IQI", reference)
        if address == 0:
            return ""
        if address not in self._texts:
            self._texts[address] = self._collection(address)
        return _text(self._texts[address][index][:length])

    def _collection(self, address: int) -> dict[int, bytes]:
        signature, size = struct.unpack("<8sQ", self.piece(address, 16))
        if signature != b"GCOL\1\0\0\0":
            raise ValueError(f"no texts at {address}")
        heap = self.piece(address, size)
        texts, position = {}, 16
        while position + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", heap, position)
            if index == 0:
                break
            texts[index] = heap[position + 16 : position + 16 + length]
            position += 16 + length + -length % 8
        return texts


def _links(messages: list[Message]) -> dict[str, Any]:
    """Return name → address or ExternalLink, in order."""
    links = []
    for kind, _, body in messages:
        if kind != h5.LINK:
            continue
        flags = body[1]
        external = flags & 8
        position = 3 if external else 2
        order, width = struct.unpack_from("<Q", body, position)[0], 1 << (flags & 3)
        start = position + 9 + width
        end = start + int.from_bytes(body[position + 9 : start], "little")
        name = _text(body[start:end])
        if external:
            filename, path, _ = body[end + 3 :].split(b"\0")
            links.append((order, name, ExternalLink(_text(filename), _text(path))))
        else:
            links.append((order, name, struct.unpack_from("<Q", body, end)[0]))
    return {name: target for _, name, target in sorted(links, key=lambda link: link[0])}


_numbers = {
    b"".join(h5.encode_type(dtype, ())[1:]): struct.Struct(f"<{h5.CODES[dtype[1:]]}") for dtype in ("<f8", "<i8")
}


def _attributes(messages: list[Message], text: Any) -> dict[str, Any]:
    values = {}
    for kind, _, body in messages:
        if kind == h5.ATTRIBUTE:
            name_size, type_size, space_size = struct.unpack_from("<HHH", body, 2)
            types = 9 + name_size
            data = types + type_size + space_size
            name = _text(body[9 : types - 1])
            number = _numbers.get(body[types:data])  # most values of most records, worth a short cut
            if number is not None:
                values[name] = number.unpack_from(body, data)[0]
                continue
            dtype = h5.decode_datatype(body[types : types + type_size])
            shape = h5.decode_dataspace(body[types + type_size : data])
            values[name] = h5.decode_values(dtype, shape, memoryview(body)[data:], text)
    return values


def _array(messages: list[Message]) -> tuple[str, tuple[int, ...], int, int]:
    """Return dtype and shape of a dataset, and where its data lies and its size."""
    parts = {kind: body for kind, _, body in messages}
    dtype, shape = h5.decode_datatype(parts[h5.DATATYPE]), h5.decode_dataspace(parts[h5.DATASPACE])
    layout = parts[h5.LAYOUT]
    if shape is None or layout[:2] not in (b"\3\0", b"\3\1"):
        raise ValueError("a dataspace or layout that sciflow does not write")
    if layout[1] == 0:
        start = next(address for kind, address, _ in messages if kind == h5.LAYOUT)
        return dtype, shape, start + 4, len(layout) - 4
    address, size = struct.unpack_from("<QQ", layout, 2)
    return dtype, shape, address if size else 0, size


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
