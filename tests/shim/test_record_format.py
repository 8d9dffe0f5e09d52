import hashlib
import random
import sys

import pytest

from sciflow_shim import record_format as h5

DTYPES = [f"|{name}" for name in ("b1", "i1", "u1", "S1", "S77")] + [
    f"{order}{name}" for order in "<>" for name in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
]


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hashlittle, word for word from lookup3.c."""

    def cut(value: int) -> int:
        return value & 0xFFFFFFFF

    def rot(value: int, bits: int) -> int:
        return cut(value << bits | value >> 32 - bits)

    def words(at: int) -> list[int]:
        piece = data[at : at + 12].ljust(12, b"\0")
        return [int.from_bytes(piece[start : start + 4], "little") for start in (0, 4, 8)]

    a = b = c = cut(0xDEADBEEF + len(data))
    at = 0
    while len(data) - at > 12:
        a, b, c = (cut(left + right) for left, right in zip((a, b, c), words(at), strict=True))
        for bits in (4, 6, 8, 16, 19, 4):
            a = cut(a - c) ^ rot(c, bits)
            c = cut(c + b)
            a, b, c = b, c, a
        at += 12
    if not data:
        return c
    a, b, c = (cut(left + right) for left, right in zip((a, b, c), words(at), strict=True))
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = cut((c ^ b) - rot(b, bits))
        a, b, c = b, c, a
    return b


def test_checksum_is_lookup3_on_known_input() -> None:
    """The checksum of the sentence in lookup3.c is the one that is stated there."""
    assert h5.checksum(b"Four score and seven years ago") == lookup3(b"Four score and seven years ago") == 0x17770551


def test_checksum_is_lookup3_at_every_length() -> None:
    """The fast checksum is the plain one for every length of the last block, and over many blocks."""
    source = random.Random(1)
    for length in [*range(1, 100), 255, 1000, 4099]:
        for data in (source.randbytes(length), b"\xff" * length, bytes(length)):
            assert h5.checksum(data) == lookup3(data)


@pytest.mark.parametrize("dtype", [*DTYPES, "str"])
def test_datatype_comes_back(dtype: str) -> None:
    """A datatype that is encoded decodes to the same dtype."""
    assert h5.decode_datatype(h5.encode_datatype(dtype)) == dtype


@pytest.mark.parametrize("dtype", ["", "<", "<U4", "O", "f16", "S", "S0", "S-1", "<M8[s]", "i3", "V8", "float64"])
def test_unknown_dtype_is_refused_by_name(dtype: str) -> None:
    """A dtype that a record cannot hold is an error that names it."""
    with pytest.raises(ValueError, match=r"^`.*` is not a dtype that a record can hold$") as caught:
        h5.split_dtype(dtype)
    assert f"`{dtype}`" in str(caught.value)


@pytest.mark.parametrize("missing", [[], ["_sha256", "_sha2"]], ids=["built in", "left out"])
@pytest.mark.parametrize("size", [10, 1 << 40])
def test_every_sha256_is_the_same(monkeypatch: pytest.MonkeyPatch, missing: list[str], size: int) -> None:
    """Python's own SHA-256, OpenSSL's, and what stands in for a missing one give the same digest."""
    expected = hashlib.sha256(b"text").hexdigest()
    monkeypatch.delitem(sys.modules, "hashlib")
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    digest = h5.sha256(size)
    digest.update(b"text")
    assert digest.hexdigest() == expected
