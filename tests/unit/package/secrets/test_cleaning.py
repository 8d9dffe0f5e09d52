import io
import json
import pickle
from pathlib import Path

import h5py
import pytest

from sciflow.errors import PackageError
from sciflow.package.secrets import cleaning as secrets
from sciflow.package.secrets.cleaning import (
    SecretFoundError,
    clean_file,
    cleaned,
    refuse_secret_parameters,
    secret_values,
)
from sciflow_shim.redaction import REDACTED

GITHUB = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("run/logs/a.0/0.1.out", "password=hunter2 ok", f"password={REDACTED} ok"),
        ("run/manifest.json", '{"remote": "https://u:pw1@x.org/r"}', f'{{"remote": "https://u:{REDACTED}@x.org/r"}}'),
        ("run/arrays/a.0.jsonl", '{"api_key":"abcdefgh1"}\n', f'{{"api_key":"{REDACTED}"}}\n'),
        ("project/a.py", "token = next(tokens)\nsecret = 'x'", f"token = next(tokens)\nsecret = '{REDACTED}'"),
        ("project/w.yaml", "password: a", f'password: "{REDACTED}"'),
        ("results/combinations.csv", "password,x\na,1\n", f"password,x\n{REDACTED},1\n"),
        ("project/deck.in", "password = a", f"password = {REDACTED}"),
    ],
)
def test_files_are_cleaned_by_their_kind(path: str, before: str, after: str):
    """Logs, documents, tables and code each stay what they are."""
    assert cleaned(path, before.encode(), {}) == (after.encode(), 1)


def test_what_holds_no_secret_stays_to_the_byte():
    """Also what is in no known encoding."""
    for data in (b"", b"\xff\xfa caf\xe9\r\n", "ü key: x\n".encode(), "﻿a,b\n".encode("utf-16")):
        assert cleaned("run/logs/a", data, {}) == (data, 0)


def test_text_in_other_encodings_is_cleaned():
    """Bytes that are no UTF-8 do not hide what stands beside them."""
    assert cleaned("a.log", b"caf\xe9 password=hunter2\n", {}) == (b"caf\xe9 password=[redacted]\n", 1)
    utf16 = "password=hunter2\n".encode("utf-16")
    assert cleaned("a.log", utf16, {})[0].decode("utf-16") == f"password={REDACTED}\n"


def test_values_of_secret_variables_are_found_wherever_they_are():
    """What the present environment calls a secret is replaced as it is, in JSON, and in a URL."""
    environ = {
        "APP_TOKEN": 'corr"ect/horse',
        "KEYBOARD": "qwertyqwerty",
        "SSH_AUTH_SOCK": "/tmp/agent.sock.1",
        "PASS": "x",
    }
    text = 'x = corr"ect/horse\ny = {"a": "corr\\"ect/horse"}\n'
    text += "https://x/?q=corr%22ect%2Fhorse qwertyqwerty /tmp/agent.sock.1"
    after, count = cleaned("a.out", text.encode(), environ)
    assert count == 3
    assert "horse" not in after.decode()
    assert b"qwertyqwerty /tmp/agent.sock.1" in after


def test_which_variables_count_as_secret():
    """By their names; short values, files, and names of people do not."""
    environ = {"GIT_AUTHOR_NAME": "Anna Example", "WANDB_API_KEY": "0123456789", "DB_PASSWORD": "onlyletters"}
    environ |= {"SSH_KEY": "/home/a/.ssh/id_x", "SORT_KEY": "temperature", "TOKEN": "short", "HOME_DIR": "0123456789"}
    assert secret_values(environ) == ["onlyletters", "0123456789"]


def record(value: str, name: str = "y", other: str = "") -> bytes:
    """A record whose parameters have these values."""
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["parameters"] = json.dumps({"x": 1, "api_key": value, name: other})
        h5.create_group("metrics").attrs["y"] = 3.0
        h5["image"] = list(range(2000))
    return file.getvalue()


def test_a_record_with_a_secret_is_refused_by_its_name():
    """Records are not changed: the parameter is named, and what to do."""
    with pytest.raises(
        SecretFoundError, match=r"`run/records/a\.h5` holds what looks like a secret, after `api_key`"
    ) as e:
        cleaned("run/records/a.h5", record("hunter2hunter2"), {})
    assert "environment variables or files" in e.value.hint
    assert e.value.path == "run/records/a.h5"
    data = record("")
    assert cleaned("run/records/a.h5", data, {}) == (data, 0)


def test_a_pickle_with_a_secret_is_refused_and_others_pass():
    """Known shapes and values of the environment are found in bytes; nothing is unpickled."""

    class Evil:
        def __reduce__(self):
            raise AssertionError

    for value in (GITHUB, "postgres://anna:hunter2@db/x"):
        with pytest.raises(SecretFoundError, match=r"in/a\.pickle"):
            cleaned("in/a.pickle", pickle.dumps({"x": value}), {})
    with pytest.raises(SecretFoundError, match="environment variable"):
        cleaned("in/a.bin", b"\0\1my own secret 1\0", {"OWN_SECRET": "my own secret 1"})
    data = pickle.dumps({"password": None, "key": "temperature", "token": 3})
    assert cleaned("in/a.pickle", data, {}) == (data, 0)


def test_a_secret_parameter_is_refused_with_its_tasks():
    """Before anything is packed."""
    with pytest.raises(PackageError, match=r"parameter `api_key` \(of `train`\) look like secrets") as error:
        refuse_secret_parameters({"x": [1], "api_key": ["abcdefgh1"]}, {"train": ["x", "api_key"], "b": ["x"]})
    assert "another name" in error.value.hint
    refuse_secret_parameters({"x": [1], "key": ["a", "b"], "max_tokens": [512]}, {})


def test_parts_of_texts_are_no_secrets(tmp_path: Path):
    """A parameter that is called a token, as parts of texts are, is packed as it is, in records and everywhere."""
    values = ["character", "word2vec-300"]
    refuse_secret_parameters({"token": values, "start_token": ["<start-of-text>"]}, {})
    kinds = {"a.json": '{"token": "word2vec-300"}', "a.yaml": "token: character\n", "a.csv": "token\ncharacter\n"}
    for path, text in kinds.items():
        assert cleaned(path, text.encode(), {}) == (text.encode(), 0)
    data = record("x", "token", "character")
    assert cleaned("run/records/a.h5", data, {}) == (data, 0)
    with pytest.raises(SecretFoundError):
        cleaned("run/records/a.h5", record("x", "token", "a1b2c3d4e5f6g7h8i9"), {})
    with pytest.raises(PackageError, match="`access_token`"):
        refuse_secret_parameters({"access_token": ["abcdefghi"]}, {})


def test_large_logs_are_cleaned_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same as in one go, also where a private key stands at the border of two parts."""
    monkeypatch.setattr(secrets, "_CHUNK", 1 << 16)
    monkeypatch.setattr(secrets, "_LARGE", 1 << 17)
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7\n" * 40 + "-----END RSA PRIVATE KEY-----\n"
    line = "12:00 step 17 loss=0.125\n"
    text = line * ((1 << 16) // len(line) - 10) + key + line * 10_000 + "password=hunter2\n"
    (tmp_path / "log").write_text(text)
    assert clean_file("run/logs/log", tmp_path / "log", tmp_path / "out", {}) == 2
    wanted = text.replace(key.rstrip("\n"), REDACTED).replace("hunter2", REDACTED)
    assert (tmp_path / "out").read_text() == wanted


def test_a_small_file_is_copied_clean(tmp_path: Path):
    """As `cleaned` does it, and nothing is written where it is refused."""
    (tmp_path / "a.json").write_text('{"password": "x1"}')
    assert clean_file("a.json", tmp_path / "a.json", tmp_path / "b.json", {}) == 1
    assert json.loads((tmp_path / "b.json").read_text()) == {"password": REDACTED}
    (tmp_path / "a.h5").write_bytes(record("hunter2hunter2"))
    with pytest.raises(SecretFoundError):
        clean_file("a.h5", tmp_path / "a.h5", tmp_path / "c.h5", {})
    assert not (tmp_path / "c.h5").exists()
