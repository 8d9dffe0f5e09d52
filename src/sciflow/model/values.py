"""What a parameter may be: its name, its value, and the id of a combination of them."""

from __future__ import annotations

import hashlib
import json
import keyword
import math
import sys
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sciflow.errors import WorkflowError

RESERVED = frozenset(
    {"params", "parameters", "config", "inputs", "upstream", "context", "ctx", "workflow_dir", "self", "pi", "state"}
)
LARGEST_INTEGER_BITS = 4096
ID_LENGTH = 16  # hexadecimal digits: among a million combinations, two share an id once in 37 million sweeps
canonical_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_PLAIN_KINDS: dict[str, Any] = {"b": bool, "i": int, "u": int, "f": float, "U": str}


def checked_name(name: object, where: str) -> str:
    """Let through what can name a parameter in Python, in expressions and in templates.

    Raises
    ------
    WorkflowError
        For anything else, and for words that have a meaning already.
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise WorkflowError(
            f"{where}: {name!r} cannot be the name of a parameter",
            hint="use letters, digits and `_`, not starting with a digit, and no word of Python's own",
        )
    if name in RESERVED:
        raise WorkflowError(
            f"{where}: `{name}` cannot be the name of a parameter",
            hint="functions, expressions or results use that word",
        )
    # Python reads identifiers in this form, so that `µ` in a function's signature is the `µ` of the file.
    return unicodedata.normalize("NFKC", name)


def unknown_name(name: object, known: Iterable[str], where: str) -> WorkflowError:
    """Say that a name is not known, and which ones come close."""
    # Imported where it is needed: it brings pydantic, which a sound space does without.
    from sciflow.model.nearest import nearest

    return WorkflowError(f"{where} names `{name}`, which is no parameter", hint=nearest(str(name), known))


def checked_value(value: Any, where: str) -> Any:
    """Return a value as None, bool, int, float, str or a tuple of these.

    Parameters
    ----------
    value
        Anything; NumPy scalars become Python's.
    where
        What the value belongs to, for the message.

    Raises
    ------
    WorkflowError
        For anything that has no plain Python form, naming the value.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        if value.bit_length() > LARGEST_INTEGER_BITS:
            raise WorkflowError(f"{where} is an integer of more than {LARGEST_INTEGER_BITS} binary digits")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise WorkflowError(f"{where} is {value!r}, which is not a finite number", hint="leave it out, or use None")
        return value
    if kind is str:
        if not value.isascii() or "\x02" in value or "\x03" in value:
            _check_text(value, where)
        return value
    if isinstance(value, tuple):
        return tuple(checked_value(item, where) for item in value)
    return checked_value(_plain(value, where), where)


def _check_text(value: str, where: str) -> None:
    if "\x02" in value or "\x03" in value:  # they mark values in commands and decks
        raise WorkflowError(f"{where} is {value!r}, which holds a control character (\\x02 or \\x03)")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WorkflowError(f"{where} is {value!r}, which is no valid text (half of a surrogate pair)") from None


def _plain(value: Any, where: str) -> Any:
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind in _PLAIN_KINDS and getattr(value, "ndim", None) == 0:
        return _PLAIN_KINDS[kind](value.item())
    for base in (int, float):
        if isinstance(value, base):
            return base(value)
    if isinstance(value, str):
        return str.__str__(value)
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    if isinstance(value, (list, dict, set, bytearray)):
        raise WorkflowError(
            f"{where} is {shown}, an unhashable value ({type(value).__name__})",
            hint="use a tuple (in a file: `{tuple: [1, 2]}`), or a name that your function looks up",
        )
    raise WorkflowError(
        f"{where} is {shown}, of type {type(value).__name__}",
        hint="use None, a bool, a number, a text, a tuple of these, or a name that your function looks up",
    )


def value_document(value: Any) -> Any:
    """Write a value for JSON, where a tuple is ``{"tuple": [...]}``."""
    return {"tuple": [value_document(item) for item in value]} if isinstance(value, tuple) else value


def read_value(document: Any, where: str) -> Any:
    """Read a value as `value_document` writes it, or as Python has it; see `checked_value`."""
    if isinstance(document, Mapping) and set(document) == {"tuple"} and isinstance(document["tuple"], (list, tuple)):
        return tuple(read_value(item, where) for item in document["tuple"])
    return checked_value(document, where)


def is_number(value: object) -> bool:
    """Whether a value is an integer or float, no bool, within the range of floats."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def whole_number(value: Any, least: int, most: int, where: str) -> int:
    """Let through an integer, NumPy's too, between two bounds.

    Raises
    ------
    WorkflowError
        For anything else.
    """
    number = checked_value(value, where)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise WorkflowError(f"{where} is {number!r}", hint=f"give a whole number from {least} to {most}")
    return number


def nearest_values(value: Any, known: Collection[Any]) -> str:
    """A hint that offers the values next to one that is not there."""
    if is_number(value):
        numbers = sorted((item for item in known if is_number(item)), key=lambda item: abs(item - value))
        offered = sorted(numbers[:2])
    else:
        import difflib

        offered = difflib.get_close_matches(str(value), [item for item in known if isinstance(item, str)], n=2)
    shown = offered or list(known)[:5]
    return f"the nearest are {', '.join(repr(item) for item in shown)}" if offered else f"known are {shown!r}"


def combination_id(values: Mapping[str, Any]) -> str:
    """Name a combination by its values, whatever their order.

    The id is the start of the SHA-256 of canonical JSON, so that ``1``, ``1.0``, ``True`` and ``"1"`` are told apart.

    Parameters
    ----------
    values
        Parameter name → allowed value.
    """
    return hashlib.sha256(canonical_text(dict(values)).encode()).hexdigest()[:ID_LENGTH]
