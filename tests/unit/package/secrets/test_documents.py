import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.package.secrets.documents import (
    clean_csv,
    clean_json,
    clean_json_lines,
    clean_notebook,
    clean_yaml,
    is_secret_value,
)
from sciflow_shim.redaction import REDACTED
from shim.test_redaction import ORDINARY, SECRETS

TEXTS = st.sampled_from([text for text, _ in SECRETS] + ORDINARY) | st.text(max_size=12)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("api_key"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(VALUES, st.sampled_from([None, 1, 2]), st.booleans())
def test_json_stays_json_and_holds_no_secret(value: Any, indent: int | None, ascii_only: bool):
    """Whatever is in a document: it can be read, its keys are the same, and no text in it is a known secret."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    cleaned, count = clean_json(text)
    after = json.loads(cleaned)
    assert (after == value) == (count == 0)
    assert count or cleaned == text
    assert not [(one, text) for one in _strings(after) for text, secret in SECRETS if one == text and secret in one]


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def test_names_tell_of_secrets_below_them():
    """Texts, lists and numbers below the name of a secret go; the manner of writing stays."""
    text = '{\n "api_key": [\n  "hunter2hunter2"\n ],\n "password": 12345678,\n "x": [\n  1,\n  0.5\n ]\n}\n'
    cleaned, count = clean_json(text)
    assert cleaned == text.replace("hunter2hunter2", REDACTED).replace("12345678", f'"{REDACTED}"')
    assert count == 2


def test_arguments_after_an_option_are_known():
    """A list of arguments is read as the shell would."""
    cleaned, _ = clean_json('["prog", "--password", "hunter2", "--n", "3"]')
    assert json.loads(cleaned) == ["prog", "--password", REDACTED, "--n", "3"]


def test_lines_that_hold_none_stay_to_the_letter():
    """Of many documents, one a line, only those with a secret are written anew."""
    text = '{"x":1.0e0}\n{"api_key": "abcdefgh1","n":2}\n{ "y" : 3 }\n'
    cleaned, count = clean_json_lines(text)
    assert cleaned.split("\n")[0::2] == text.split("\n")[0::2]
    assert (json.loads(cleaned.split("\n")[1]), count) == ({"api_key": REDACTED, "n": 2}, 1)


def test_what_is_no_json_is_cleaned_as_text():
    """A document that was cut off holds no secret either."""
    assert clean_json('{"password": "hunter2", ')[0] == '{"password": "[redacted]", '


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("password: hunter2\nn: 1\n", {"password": REDACTED, "n": 1}),
        ("a: {password: hunter2, n: 1}\n", {"a": {"password": REDACTED, "n": 1}}),
        ("password: |\n  two\n  words\nn: 1\n", {"password": REDACTED, "n": 1}),
        ("api_key: [abcdefgh1, abcdefgh2]\n", {"api_key": [REDACTED, REDACTED]}),
        ("x: 'mysql --password=hunter2 -h db'\n", {"x": f"mysql --password={REDACTED} -h db"}),
        ("x: 1 # password: hunter2\n", {"x": 1}),
        (
            "url: https://a:hunter2@b.org/\nkey: temperature\n",
            {"url": f"https://a:{REDACTED}@b.org/", "key": "temperature"},
        ),
    ],
)
def test_yaml_stays_yaml(text: str, wanted: Any):
    """Block and flow, literals and comments: the secret goes, and the rest means what it meant."""
    cleaned, count = clean_yaml(text)
    assert yaml.safe_load(cleaned) == wanted
    assert count == cleaned.count(REDACTED)
    assert "hunter2" not in cleaned


def test_a_template_of_yaml_is_cleaned_as_text():
    """What is YAML only after it was rendered."""
    assert clean_yaml("{% if x %}\npassword: hunter2\n{% endif %}\n")[0].splitlines()[1] == f"password: {REDACTED}"


def test_tables_keep_their_columns():
    """A secret within a cell, and cells below a name that tells of secrets."""
    text = 'x,api_key,note\n1,abcdefgh,"token=abcdefg1,5"\n2,,fine\n'
    cleaned, count = clean_csv(text)
    assert list(csv.reader(io.StringIO(cleaned)))[1:] == [["1", REDACTED, f"token={REDACTED}"], ["2", "", "fine"]]
    assert count == 2
    assert clean_csv("x,y\n1,2\n") == ("x,y\n1,2\n", 0)


def test_notebooks_stay_notebooks():
    """Code carefully, output as any text."""
    cells = [
        {"cell_type": "code", "source": ["token = tokenizer.next()\n", "password = 'hunter2'"], "outputs": []},
        {"cell_type": "code", "source": "x", "outputs": [{"text": ["password=hunter2\n"]}]},
    ]
    cleaned, count = clean_notebook(json.dumps({"cells": cells, "nbformat": 4}, indent=1))
    first, second = json.loads(cleaned)["cells"]
    assert first["source"] == ["token = tokenizer.next()\n", f"password = '{REDACTED}'"]
    assert second["outputs"] == [{"text": [f"password={REDACTED}\n"]}]
    assert count == 2


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("api_key", "abcdefgh", True),
        ("x", "abcdefgh", False),
        ("x", "AKIA" + "IOSFODNN7EXAMPLE", True),
        ("password", 12345, True),
        ("token", True, False),
        ("token", 123456789, False),
        ("x", 12345, False),
        ("learning_rate", 0.1, False),
    ],
)
def test_values_are_secret_by_themselves_or_by_their_names(name: str, value: Any, wanted: bool):
    """As of parameters."""
    assert is_secret_value(name, value) is wanted
