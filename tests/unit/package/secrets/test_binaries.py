import io
import json
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from sciflow.package.secrets.binaries import whose
from sciflow.package.secrets.cleaning import SecretFoundError, cleaned

GITHUB = "ghp_" + "a1B2" * 9
SECRET = "password=plantE01Secret9x"


def sqlite(folder: Path, text: str) -> bytes:
    """A database with this text in it."""
    connection = sqlite3.connect(folder / "a.sqlite")
    connection.execute("create table t (x text)")
    connection.execute("insert into t values (?)", [text])
    connection.commit()
    connection.close()
    return (folder / "a.sqlite").read_bytes()


def array(text: str) -> bytes:
    """An array of such texts."""
    file = io.BytesIO()
    np.save(file, np.array([text, "b"]))
    return file.getvalue()


def zipped(text: str, name: str = "a.txt") -> bytes:
    """A zip within a zip."""
    data = text.encode()
    for inner in (name, "inner.zip"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(inner, data)
        data = file.getvalue()
    return data


def tarred(text: str) -> bytes:
    """A compressed archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
    return file.getvalue()


def record(text: str) -> bytes:
    """A record with a text among its metrics."""
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["metrics"] = json.dumps({"y": 1.5, "said": text})
    return file.getvalue()


@pytest.mark.parametrize("kind", ["sqlite", "npy", "zip", "tar.gz", "pkl", "h5"])
def test_secrets_in_files_that_are_no_text_are_found(kind: str, tmp_path: Path):
    """Databases, arrays, archives in archives, pickles and records; the same without a secret passes."""
    make = {"npy": array, "zip": zipped, "tar.gz": tarred, "pkl": pickle.dumps, "h5": record}
    with pytest.raises(SecretFoundError):
        cleaned(f"run/work/a.{kind}", make.get(kind, lambda text: sqlite(tmp_path, text))(f"x {SECRET} y"), {})
    (tmp_path / "a.sqlite").unlink(missing_ok=True)
    innocent = "the password is asked for, key=temperature, token: word"
    data = make.get(kind, lambda text: sqlite(tmp_path, text))(innocent)
    assert cleaned(f"run/work/a.{kind}", data, {}) == (data, 0)


def test_a_token_that_a_metric_tells_is_found():
    """A text among results that says `token=…` is one that lets somebody in; a parameter `token: character` is none."""
    with pytest.raises(SecretFoundError, match="after `token`"):
        cleaned("run/records/a.0/0.1.h5", record("session token=plantF03x1abc"), {})
    data = record("token=character")
    assert cleaned("run/records/a.0/0.1.h5", data, {}) == (data, 0)


def test_the_task_the_kind_and_the_place_of_a_secret_are_told_and_never_the_secret():
    """With the way out, which for a stored function is another than for a record."""
    with pytest.raises(
        SecretFoundError, match=r"`run/code/work\.pickle` \(of task `work`\) holds .* known by its shape, at byte \d+"
    ) as error:
        cleaned("run/code/work.pickle", pickle.dumps({"x": GITHUB}), {})
    assert "when it runs" in error.value.hint
    assert GITHUB not in str(error.value)
    with pytest.raises(SecretFoundError, match=r"\(of task `train`\) .* after `password`") as error:
        cleaned("run/records/train.0/3.1.h5", record(SECRET), {})
    assert "plantE01" not in f"{error.value}{error.value.hint}"
    assert whose("run/manifest.json") == ""
