"""The parts of HDF5 that a record is made of: types, values, messages, texts, checksums."""

from __future__ import annotations

import struct
import sys

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes longer than writing a record
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable, Optional

    Shape = Optional[tuple[int, ...]]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_SIZE = 48
BLOCK = 1 << 20  # bytes; what is copied or hashed at a time
UNDEFINED = 0xFFFFFFFFFFFFFFFF
DATASPACE, LINK_INFO, DATATYPE, FILL_VALUE, LINK, LAYOUT, GROUP_INFO, ATTRIBUTE = 1, 2, 3, 5, 6, 8, 10, 12
EXTERNAL = 64

SEAL = b"sciflow-record1\n"  # followed by the SHA-256 of all bytes before it, as 64 hexadecimal digits
UNSEALED = b"0" * 64
SEAL_SIZE = len(SEAL) + len(UNSEALED)

MESSAGE_LIMIT = 65_535  # bytes
HEAP_MINIMUM = 4096  # bytes
HEAP_TEXTS = 65_535

TEXT = "str"
CODES = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "f2": "e", "f4": "f", "f8": "d", "c8": "ff", "c16": "dd",
}  # fmt: skip
_FLOATS = {2: (10, 5, 15), 4: (23, 8, 127), 8: (52, 11, 1023)}  # size → bits of mantissa and exponent, bias
_encoded: dict[str, bytes] = {}
_types: dict[tuple[str, Shape], tuple[bytes, bytes]] = {}
_decoded: dict[bytes, str] = {}
# Of short headers: empty groups and series without points come again in every record.
_checksums: dict[bytes, int] = {}
SHORT, MOST_CHECKSUMS = 128, 256


def split_dtype(dtype: str) -> tuple[str, str, int]:
    """Return byte order (``<`` or ``>``), kind with size (``f8``), and bytes per element of a NumPy-style dtype.

    Raises
    ------
    ValueError
        For a dtype that a record cannot hold.
    """
    if dtype == TEXT:
        return "<", TEXT, 16
    order = dtype[:1] if dtype[:1] in ("<", ">", "=", "|") else ""
    name = dtype[len(order) :]
    if name in CODES or (name[:1] == "S" and name[1:].isdecimal() and int(name[1:]) > 0):
        big = order == ">" or (order == "=" and sys.byteorder == "big")
        return (">" if big else "<"), name, int(name[1:])
    raise ValueError(f"`{dtype}` is not a dtype that a record can hold")


def encode_datatype(dtype: str) -> bytes:
    """Return the datatype message of a NumPy-style dtype, as h5py would choose it."""
    if dtype not in _encoded:
        _encoded[dtype] = _datatype(dtype)
    return _encoded[dtype]


def _datatype(dtype: str) -> bytes:
    order, name, size = split_dtype(dtype)
    big, kind = order == ">", name[0]
    if name == TEXT:
        return struct.pack("<BBBBI", 0x19, 1, 1, 0, size) + _datatype("u1")
    if kind == "S":
        return struct.pack("<BBBBI", 0x13, 1, 0, 0, size)
    if kind == "b":
        return struct.pack("<BBBBI", 0x38, 2, 0, 0, size) + _datatype("i1") + b"FALSE\0TRUE\0\0\1"
    if kind == "c":
        part = _datatype(f"{order}f{size // 2}")
        return struct.pack("<BBBBI", 0x36, 2, 0, 0, size) + b"r\0\0" + part + b"i\0" + bytes([size // 2]) + part
    if kind == "f":
        mantissa, exponent, bias = _FLOATS[size]
        bits = (0, size * 8, mantissa, exponent, 0, mantissa, bias)
        return struct.pack("<BBBBIHHBBBBI", 0x11, 0x20 | big, size * 8 - 1, 0, size, *bits)
    return struct.pack("<BBBBIHH", 0x10, (8 if kind == "i" else 0) | big, 0, 0, size, 0, size * 8)


def decode_datatype(message: bytes) -> str:
    """Return the dtype of a datatype message that `encode_datatype` made.

    Raises
    ------
    ValueError
        For any other message.
    """
    if not _decoded:
        for name in [*CODES, TEXT]:
            orders = ("",) if name == TEXT else ("|",) if name[1:] == "1" else ("<", ">")
            _decoded.update({encode_datatype(order + name): order + name for order in orders})
    if len(message) == 8 and message[:4] == b"\x13\1\0\0":
        return f"|S{struct.unpack_from('<I', message, 4)[0]}"
    if message not in _decoded:
        raise ValueError("a datatype that sciflow does not write")
    return _decoded[message]


def encode_type(dtype: str, shape: Shape) -> tuple[bytes, bytes]:
    """Return the sizes that an attribute states, and the datatype and dataspace messages that it holds."""
    known = _types.get((dtype, shape))
    if known is None:
        datatype, dataspace = encode_datatype(dtype), encode_dataspace(shape)
        known = struct.pack("<HHB", len(datatype), len(dataspace), 1), datatype + dataspace
        if not shape:  # lists are of many lengths, and would fill the memory of a long-lived process
            _types[dtype, shape] = known
    return known


def encode_dataspace(shape: Shape) -> bytes:
    """Return the dataspace message of a shape; None is the empty value."""
    if shape is None:
        return b"\2\0\0\2"
    return struct.pack(f"<BBBB{len(shape)}Q", 2, len(shape), 0, 1 if shape else 0, *shape)


def decode_dataspace(message: bytes) -> Shape:
    """Return the shape of a dataspace message that `encode_dataspace` made."""
    shape = struct.unpack_from(f"<{message[1]}Q", message, 4)
    return None if message[3] == 2 else shape


def encode_values(
    value: Any, dtype: str | None, add_text: Callable[[str], bytes]
) -> tuple[str, tuple[int, ...], bytes]:
    """Return dtype, shape and bytes of a scalar or of a list of scalars; `add_text` keeps a text and refers to it."""
    if dtype is None and type(value) is float:  # most values of most records, worth a short cut
        return "<f8", (), struct.pack("<d", value)
    if dtype is None and type(value) is str:
        return TEXT, (), add_text(value)
    alone = isinstance(value, (bool, int, float, complex, str))
    values: Sequence[Any] = (value,) if alone else value
    if not isinstance(values, (list, tuple, range)):
        raise TypeError(f"`{type(value).__name__}` is not a type that a record can hold")
    dtype = dtype or _dtype_of(values)
    shape = () if alone else (len(values),)
    order, name, size = split_dtype(dtype)
    if name == TEXT:
        return dtype, shape, b"".join([add_text(v if isinstance(v, str) else str(v)) for v in values])
    if name[0] == "S":
        return dtype, shape, b"".join([_fixed(v, size) for v in values])
    if name[0] == "c":
        values = [part for v in values for part in (complex(v).real, complex(v).imag)]
    return dtype, shape, struct.pack(f"{order}{len(values)}{CODES[name][0]}", *values)


def _fixed(text: Any, size: int) -> bytes:
    data = encode_text(text) if isinstance(text, str) else bytes(memoryview(text))
    if len(data) > size:
        raise ValueError(f"a text of {len(data)} bytes where {size} are kept")
    return data.ljust(size, b"\0")


def _dtype_of(values: Sequence[Any]) -> str:
    kinds = set(map(type, values))
    if kinds <= {bool} and kinds:
        return "|b1"
    if all(issubclass(kind, int) for kind in kinds) and kinds:
        low, high = min(values), max(values)
        return "<i8" if low >= -(2**63) and high < 2**63 else "<u8" if low >= 0 and high < 2**64 else TEXT
    if all(issubclass(kind, (int, float)) for kind in kinds):
        return "<f8"
    if all(issubclass(kind, (int, float, complex)) for kind in kinds):
        return "<c16"
    if all(issubclass(kind, str) for kind in kinds):
        return TEXT
    names = ", ".join(sorted(f"`{kind.__name__}`" for kind in kinds))
    raise TypeError(f"{names}: a record holds bool, int, float, complex or str, of one kind in a list")


def decode_values(dtype: str, shape: Shape, data: memoryview, text: Callable[[bytes], str]) -> Any:
    """Return what `encode_values` stored: a scalar, None, or lists as deep as the shape; `text` follows a reference."""
    if shape is None:
        return None
    order, name, size = split_dtype(dtype)
    count = 1
    for extent in shape:
        count *= extent
    if count * size != len(data):
        raise ValueError(f"{len(data)} bytes of data for shape {shape} of `{dtype}`")
    if name == TEXT:
        values: list[Any] = [text(bytes(data[start : start + 16])) for start in range(0, len(data), 16)]
    elif name[0] == "S":
        values = [bytes(data[start : start + size]).rstrip(b"\0") for start in range(0, len(data), size)]
    else:
        values = list(struct.unpack(f"{order}{count * len(CODES[name])}{CODES[name][0]}", data))
        if name[0] == "c":
            values = [complex(real, imaginary) for real, imaginary in zip(values[::2], values[1::2])]
    return _nest(values, shape) if shape else values[0]


def _nest(values: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(shape) == 1:
        return values
    step = len(values) // shape[0] if shape[0] else 0
    return [_nest(values[row * step : (row + 1) * step], shape[1:]) for row in range(shape[0])]


def buffer_dtype(view: memoryview) -> str:
    """Return the dtype that a buffer says it has.

    Raises
    ------
    ValueError
        For a buffer of anything but numbers, truth values or fixed-length bytes.
    """
    code = view.format.lstrip("@=<>!")
    big = view.format[0] in ">!" or (view.format[0] not in "<" and sys.byteorder == "big")
    kinds = {"?": "b", **dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQN", "u"), **dict.fromkeys("efd", "f")}
    kinds.update({"Zf": "c", "Zd": "c", "c": "S"})
    kind = "S" if code[:-1].isdecimal() and code[-1] == "s" else kinds.get(code)
    dtype = f"{kind}{view.itemsize}"
    if dtype not in CODES and kind != "S":
        raise ValueError(f"the buffer's format `{view.format}` has no dtype here: give one")
    return ("|" if kind == "S" or view.itemsize == 1 else ">" if big else "<") + dtype


def width_code(size: int) -> int:
    """Return the code for the width of a field that states this size: it is ``1 << code`` bytes wide."""
    return 0 if size < 1 << 8 else 1 if size < 1 << 16 else 2


def message(kind: int, body: bytes, order: int = 0) -> bytes:
    """Return a message of an object header; `order` counts the attributes."""
    if len(body) > MESSAGE_LIMIT:
        raise ValueError(f"it takes {len(body)} bytes, and a header of HDF5 holds {MESSAGE_LIMIT}: make it a dataset")
    return struct.pack("<BHBH", kind, len(body), 0, order) + body


def contiguous_layout(address: int, size: int) -> bytes:
    """Return the message that says where the data of a dataset lies."""
    return message(LAYOUT, struct.pack("<BBQQ", 3, 1, address, size))


class TextHeap:
    """Texts of any length; the heap comes before what refers to it, so a text's address is known when it is added."""

    def __init__(self, start: int = SUPERBLOCK_SIZE) -> None:
        self.address = start
        self.full: list[bytes] = []
        self.texts: list[bytes] = []
        self.size = 16

    def add(self, text: str) -> bytes:
        """Keep a text and return the reference to it."""
        data = encode_text(text)
        if not data:
            return bytes(16)
        if len(self.texts) == HEAP_TEXTS:
            self.close()
        index = len(self.texts) + 1
        self.texts.append(struct.pack("<HHIQ", index, 1, 0, len(data)) + data + bytes(-len(data) % 8))
        self.size += len(self.texts[-1])
        return struct.pack("<IQI", len(data), self.address, index)

    def close(self) -> bytes:
        """End the present collection and return all of them."""
        if self.texts:
            free = HEAP_MINIMUM - self.size
            if free >= 16:
                self.texts.append(struct.pack("<HHIQ", 0, 0, 0, free))
            size = max(self.size, HEAP_MINIMUM)
            collection = b"".join((b"GCOL\1\0\0\0", struct.pack("<Q", size), *self.texts))
            self.full.append(collection.ljust(size, b"\0"))
            self.address += size
            self.texts, self.size = [], 16
        return b"".join(self.full)


def encode_name(name: str) -> bytes:
    """Return the bytes of a name of an attribute, member or file; a TypeError or ValueError says why it is none."""
    if not isinstance(name, str):
        raise TypeError(f"a name is a str, and not `{type(name).__name__}`")
    encoded = name.encode("utf-8", "surrogateescape")
    if not encoded or b"\0" in encoded:
        raise ValueError("a name is neither empty nor holds a NUL")
    return encoded


def encode_text(text: str) -> bytes:
    """Return the bytes of a text, with what HDF5 cannot hold escaped as Python writes it."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "backslashreplace")
    return data.replace(b"\0", b"\\x00") if b"\0" in data else data


def checksum(data: bytes) -> int:
    """Return Bob Jenkins' lookup3 hash of `data`, with which HDF5 guards its metadata."""
    if len(data) > SHORT:
        return _lookup3(data)
    known = _checksums.get(data)
    if known is None:
        known = _lookup3(data)
        if len(_checksums) < MOST_CHECKSUMS:
            _checksums[data] = known
    return known


def _lookup3(data: bytes) -> int:
    a = b = c = 0xDEADBEEF + len(data) & 0xFFFFFFFF
    words = struct.unpack(f"<{(len(data) + 11) // 12 * 3}I", data + bytes(-len(data) % 12))
    # x * 0x100000001 >> 32 - k is x rotated left by k, once it is cut to 32 bits. Only what is rotated must have been
    # cut: the sums may run over, and are cut where they are rotated next.
    for x, y, z in zip(words[:-3:3], words[1:-3:3], words[2:-3:3]):
        a += x
        b += y
        c = c + z & 0xFFFFFFFF
        a = (a - c ^ c * 0x100000001 >> 28) & 0xFFFFFFFF
        c += b
        b = (b - a ^ a * 0x100000001 >> 26) & 0xFFFFFFFF
        a += c
        c = (c - b ^ b * 0x100000001 >> 24) & 0xFFFFFFFF
        b += a
        a = (a - c ^ c * 0x100000001 >> 16) & 0xFFFFFFFF
        c += b
        b = (b - a ^ a * 0x100000001 >> 13) & 0xFFFFFFFF
        a += c
        c = (c - b ^ b * 0x100000001 >> 28) & 0xFFFFFFFF
        b += a
    a += words[-3]
    b = b + words[-2] & 0xFFFFFFFF
    c += words[-1]
    c = (c ^ b) - (b * 0x100000001 >> 18) & 0xFFFFFFFF
    a = (a ^ c) - (c * 0x100000001 >> 21) & 0xFFFFFFFF
    b = (b ^ a) - (a * 0x100000001 >> 7) & 0xFFFFFFFF
    c = (c ^ b) - (b * 0x100000001 >> 16) & 0xFFFFFFFF
    a = (a ^ c) - (c * 0x100000001 >> 28) & 0xFFFFFFFF
    b = (b ^ a) - (a * 0x100000001 >> 18) & 0xFFFFFFFF
    return (c ^ b) - (b * 0x100000001 >> 8) & 0xFFFFFFFF


def sha256(size: int) -> Any:
    """Return a SHA-256: loading OpenSSL takes 10 ms, as long as the built-in one takes for some MB."""
    if size < 4 * BLOCK and "hashlib" not in sys.modules:
        try:
            return __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256()
        except ImportError:  # some builds of Python leave it out
            pass
    import hashlib

    return hashlib.sha256()
