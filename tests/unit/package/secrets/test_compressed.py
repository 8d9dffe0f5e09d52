import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest

from sciflow.package.secrets import compressed
from sciflow.package.secrets.cleaning import SecretFoundError, cleaned
from sciflow.package.secrets.compressed import unpacked

LOG = b"step 1\npassword=hunter2\n"


def zip_with(name: str, data: bytes) -> bytes:
    """A zip of one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("path", "data", "name"),
    [
        ("work/a.log.gz", gzip.compress(LOG), "a.log"),
        ("work/a.log.bz2", bz2.compress(LOG), "a.log"),
        ("work/a.log.xz", lzma.compress(LOG), "a.log"),
        ("work/a.zip", zip_with("in/b.log", LOG), "in/b.log"),
    ],
    ids=["gz", "bz2", "xz", "zip"],
)
def test_a_secret_in_a_compressed_file_is_found(path: str, data: bytes, name: str):
    """Compressing a log does not hide what stands in it; others are left as they are."""
    assert list(unpacked(path, data)) == [(name, LOG)]
    with pytest.raises(SecretFoundError, match=rf"holds a secret in its compressed `{name}`"):
        cleaned(path, data, {})
    with pytest.raises(SecretFoundError, match="compressed"):
        cleaned("a.gz", gzip.compress(b"x = my own secret 1"), {"OWN_SECRET": "my own secret 1"})
    fine = gzip.compress(b"step 1\n" * 1000)
    assert cleaned("work/b.gz", fine, {}) == (fine, 0)


def test_arrays_and_damaged_files_pass():
    """What holds none, what cannot be unpacked, and code within an archive."""
    file = io.BytesIO()
    np.savez_compressed(file, x=np.arange(5000.0))
    code = zip_with("a.py", b"token = next(tokens)\nkey=lambda x: x\n")
    for data in (file.getvalue(), code, gzip.compress(LOG)[:-30], b"PK\x03\x04" + b"x" * 50, b"BZhx", b"\x1f\x8b"):
        assert cleaned("work/a.npz", data, {}) == (data, 0)


def test_a_bomb_is_looked_at_only_in_part(monkeypatch: pytest.MonkeyPatch):
    """No more is unpacked than is said."""
    monkeypatch.setattr(compressed, "_MOST", 1000)
    zeros = bytes(1 << 20)
    for data in (gzip.compress(zeros), bz2.compress(zeros), zip_with("a", zeros)):
        assert sum(len(inner) for _, inner in unpacked("a", data)) == 1000
