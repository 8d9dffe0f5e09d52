"""Secrets in JSON, YAML and tables: what is there besides stays readable by the programs that read it."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from sciflow.package.secrets.code import clean_code
from sciflow.package.secrets.names import is_any_token, is_token
from sciflow.package.secrets.suspects import is_suspect, replaced, suspects
from sciflow_shim.redaction import REDACTED, redact

_LARGEST_YAML = 1 << 20  # characters; reading YAML part by part takes long


def clean_text(text: str) -> tuple[str, int]:
    """Take secrets out of any text; gives it back with how many there were."""
    parts, place, count = [], 0, 0
    for begin, end in suspects(text):
        for first, last in replaced(text[begin:end]):
            parts += [text[place : begin + first], REDACTED]
            place, count = begin + last, count + 1
    return "".join([*parts, text[place:]]), count


def clean_json(text: str) -> tuple[str, int]:
    """Take secrets out of a JSON document, also those that a name tells of: ``{"api_key": ["…"]}``."""
    if not is_suspect(text):
        return text, 0
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return clean_text(text)
    count = [0]
    cleaned = _value(document, "", count)
    return (_written(cleaned, text), count[0]) if count[0] else (text, 0)


def clean_json_lines(text: str) -> tuple[str, int]:
    """Take secrets out of lines that are each a JSON document."""
    parts, place, count = [], 0, 0
    for begin, end in suspects(text):
        lines = [clean_json(line) for line in text[begin:end].split("\n")]
        parts += [text[place:begin], "\n".join(line for line, _ in lines)]
        place, count = end, count + sum(number for _, number in lines)
    return "".join([*parts, text[place:]]), count


def clean_notebook(text: str) -> tuple[str, int]:
    """Take secrets out of a notebook: carefully in its code, and in all that was printed."""
    if not is_suspect(text):
        return text, 0
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return clean_text(text)
    count = [0]
    if isinstance(document, dict):
        for cell in document.get("cells") or ():
            if isinstance(cell, dict) and "source" in cell:
                lines = cell["source"]
                source, number = clean_code("cell.py", "".join(lines))
                if number:
                    cell["source"] = source.splitlines(keepends=True) if isinstance(lines, list) else source
                    count[0] += number
            if isinstance(cell, dict) and "outputs" in cell:
                cell["outputs"] = _value(cell["outputs"], "", count)
    return (_written(document, text), count[0]) if count[0] else (text, 0)


def clean_yaml(text: str) -> tuple[str, int]:
    """Take secrets out of YAML; where it is no YAML by itself, as a template, out of its text."""
    import yaml

    if not is_suspect(text):
        return text, 0
    if len(text) > _LARGEST_YAML:
        return clean_text(text)
    places: list[tuple[int, int, str]] = []
    key, was_key = "", False
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.ScalarToken):
                if was_key:
                    key = token.value
                elif (new := _string(token.value, key)) != token.value:
                    end = token.end_mark.index
                    line = "\n" if text[:end].endswith("\n") else ""
                    places.append((token.start_mark.index, end, json.dumps(new, ensure_ascii=False) + line))
            elif isinstance(token, yaml.BlockEndToken):
                key = ""
            was_key = isinstance(token, yaml.KeyToken)
    except yaml.YAMLError:
        return clean_text(text)
    for begin, end, new in reversed(places):
        text = text[:begin] + new + text[end:]
    # What is left is in comments.
    comments = re.sub(r"(?m)(?:^|(?<=\s))#.*$", lambda match: clean_text(match[0])[0], text)
    return comments, len(places) + comments.count(REDACTED) - text.count(REDACTED)


def clean_csv(text: str) -> tuple[str, int]:
    """Take secrets out of a table, also where the name of a column tells of them."""
    header = text.partition("\n")[0]
    if not is_suspect(text) and not _names_secrets(next(csv.reader([header]), [])):
        return text, 0
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return clean_text(text)
    count = 0
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            name = rows[0][column] if number and column < len(rows[0]) else ""
            if (new := _string(cell, name)) != cell:
                row[column] = new
                count += 1
    if not count:
        return text, 0
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n" if "\r\n" in text else "\n").writerows(rows)
    return written.getvalue(), count


def is_secret_value(name: str, value: Any) -> bool:
    """Whether a value is a secret by itself or by its name."""
    if isinstance(value, str):
        return _string(value, name) != value
    if is_any_token(name, value):
        return False
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and redact(f"{name}: {value}") != f"{name}: {value}"


def _names_secrets(names: list[str]) -> bool:
    return any(is_secret_value(name, "aB3dE6gH9kL2nP5rS8") for name in names)


def _string(value: str, name: str) -> str:
    if name and value != REDACTED and not is_any_token(name, value):
        quote = '"' if '"' not in value else "'"
        plain = value.replace("\n", " ").replace(quote, " ")
        if redact(f"{name}: {quote}{plain}{quote}").startswith(f"{name}: {quote}{REDACTED}"):
            return REDACTED
    return clean_text(value)[0]


def _value(value: Any, name: str, count: list[int]) -> Any:
    """The same document without secrets; adds to the count what was replaced."""
    if isinstance(value, dict):
        return {key: _value(one, str(key), count) for key, one in value.items()}
    if isinstance(value, list):
        return [_value(one, name or _option(value, place), count) for place, one in enumerate(value)]
    if is_secret_value(name, value):
        count[0] += 1
        return _string(value, name) if isinstance(value, str) else REDACTED
    return value


def _option(values: list[Any], place: int) -> str:
    """The option before, in a list of arguments: `["--password", "…"]`."""
    before = values[place - 1] if place else ""
    if not isinstance(before, str) or not re.fullmatch(r"--?[\w-]+", before):
        return ""
    name = before.lstrip("-")
    return "access_token" if is_token(name) else name  # what a program is given so is one


def _written(document: Any, before: str) -> str:
    """As text, in the manner in which it was written before."""
    indent = re.match(r"\s*[\[{]\r?\n([ \t]+)", before)
    between = (",", ": ") if indent else (", ", ": ")
    if not re.search(r'": ', before):
        between = (",", ":")
    text = json.dumps(document, indent=indent[1] if indent else None, separators=between, ensure_ascii=before.isascii())
    return text + ("\n" if before.endswith("\n") else "")
