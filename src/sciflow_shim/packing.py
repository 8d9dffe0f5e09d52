"""Python values to what a record can hold, and back.

Scalars become metrics; arrays and tables become datasets; paths become artifacts; what is left becomes JSON where that
gives the same value back, and a pickle for the next task where it does not.
"""

from __future__ import annotations

import json
import os

from sciflow_shim.outcome import Outcome

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

_TYPECODES = {int: ("q", "<i8"), float: ("d", "<f8")}
_INT64 = 2**63
_LONG_TEXT = 32_000
_DEEPEST = 100  # levels of a nested value that become JSON


def pack_returned(outcome: Outcome, value: Any, base: str) -> None:
    """Put what a function returned into an outcome.

    Parameters
    ----------
    outcome
        Receives it.
    value
        A mapping of name → value; anything else is kept under the name ``result``.
    base
        The directory from which relative paths start.
    """
    if value is None:
        return
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        outcome.returned = "mapping"
        for name, one in value.items():
            pack(outcome, name, one, base)
        return
    outcome.returned = "value"
    pack(outcome, "result", value, base)


def pack(outcome: Outcome, name: str, value: Any, base: str) -> None:
    """Put one value into an outcome under a name.

    Raises
    ------
    ValueError
        For a name that a record cannot hold.
    FileNotFoundError
        For a path where there is nothing.
    """
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise ValueError(f"a result cannot be named {name!r}: names have no `/` and are not empty")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"a result cannot be named {name!r}: that is no text") from None
    outcome.forget(name)
    outcome.order.append(name)
    if _is_scalar(value):
        value = value.item()
    if _is_metric(value):
        outcome.metrics[name] = value
    elif isinstance(value, os.PathLike):
        from sciflow_shim.artifacts import describe_file

        outcome.artifacts.append(describe_file(name, os.path.join(base, os.fspath(value))))
    elif not (_pack_array(outcome, name, value) or _pack_table(outcome, name, value)):
        _pack_object(outcome, name, value)


def _is_scalar(value: Any) -> bool:
    """Whether it is a number of NumPy, PyTorch and the like, and not a date, a record or a masked value."""
    if not (hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "shape", None) == ()):
        return False
    return getattr(value.dtype, "kind", "f") not in "mMV" and not hasattr(value, "mask")


def _is_metric(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONG_TEXT and "\0" not in value and _is_text(value)
    return isinstance(value, (bool, float)) or (isinstance(value, int) and -_INT64 <= value < _INT64)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: a file name in another encoding, say
        return False
    return True


def _pack_array(outcome: Outcome, name: str, value: Any) -> bool:
    if isinstance(value, (list, tuple)) and value and type(value[0]) in _TYPECODES:
        kind = type(value[0])
        if all(type(one) is kind for one in value):
            import array

            typecode, dtype = _TYPECODES[kind]
            try:
                data = array.array(typecode, value)
            except OverflowError:
                return False
            outcome.add_result(name, dtype, [len(value)], data, kind=type(value).__name__)
            return True
    return _is_ndarray(value) and _pack_ndarray(outcome, name, value)


def _is_ndarray(value: Any) -> bool:
    # Others mean more than their numbers: a mask, a matrix product.
    return type(value).__module__.partition(".")[0] == "numpy" and type(value).__name__ in ("ndarray", "memmap")


def _pack_ndarray(outcome: Outcome, name: str, value: Any, **attributes: Any) -> bool:
    import numpy

    if type(value) is not numpy.ndarray:
        value = numpy.asarray(value)
    if value.dtype.kind in "mM":
        value = numpy.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        attributes["stored_as"] = value.dtype.str
        value = value.view("<i8")
    elif value.dtype.kind == "U":
        attributes["stored_as"] = value.dtype.str
        try:
            value = numpy.char.encode(value, "utf-8") if value.size else value.astype("S1")
        except UnicodeEncodeError:
            return False
    if not _is_storable(value.dtype):
        return False
    data = numpy.ascontiguousarray(value)
    shape = list(value.shape)
    attributes.setdefault("kind", "array")
    outcome.add_result(name, data.dtype.str, shape, data.reshape(-1).view("u1") if data.size else b"", **attributes)
    return True


def _is_storable(dtype: Any) -> bool:
    if dtype.kind in "fc":  # what is longer is a matter of the machine
        return dtype.itemsize <= (8 if dtype.kind == "f" else 16)
    return dtype.kind in "biuS" and dtype.itemsize > 0


def _pack_table(outcome: Outcome, name: str, value: Any) -> bool:
    if type(value).__module__.partition(".")[0] != "pandas" or type(value).__name__ != "DataFrame":
        return False
    import pandas

    default = isinstance(value.index, pandas.RangeIndex) and value.index.equals(pandas.RangeIndex(len(value)))
    columns = [str(column) for column in value.columns]
    plain = default and columns and len(set(columns)) == len(columns) and columns == list(value.columns)
    if not plain or not all(map(_fits_a_column, columns, value.dtypes)):
        return False
    for column in columns:
        _pack_ndarray(outcome, f"{name}/{column}", value[column].to_numpy(), kind="column")
    return True


def _fits_a_column(column: str, dtype: Any) -> bool:
    # pandas' own dtypes can hold missing values that no dataset can.
    return bool(column) and "/" not in column and type(dtype).__module__.startswith("numpy") and dtype.kind in "biuf"


def _pack_object(outcome: Outcome, name: str, value: Any) -> None:
    if _survives_json(value):
        data, kind = json.dumps(value).encode(), "json"
    else:
        data, kind = _pickled(name, value), "pickle"
    outcome.add_result(
        name, "|u1", [len(data)], data, kind=kind, type=f"{type(value).__module__}.{type(value).__qualname__}"
    )


def _survives_json(value: Any, depth: int = 0) -> bool:
    if depth > _DEEPEST:  # a list that holds itself, say
        return False
    if value is None or type(value) in (bool, int, float, str):
        return True
    if type(value) is list:
        return all(_survives_json(one, depth + 1) for one in value)
    return type(value) is dict and all(
        type(name) is str and _survives_json(one, depth + 1) for name, one in value.items()
    )


def _pickled(name: str, value: Any) -> bytes:
    import pickle

    try:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        try:
            import cloudpickle  # takes some of what pickle refuses: lambdas, local classes

            return cloudpickle.dumps(value)
        except Exception as second:
            error = error if isinstance(second, ImportError) else second
            raise TypeError(f"result `{name}` cannot be kept: {error}") from error


def unpack_array(path: str, offset: int, dtype: str, shape: list[int], attributes: dict[str, Any]) -> Any:
    """Give back an array, list or tuple that lies in a file; large arrays are read as they are used."""
    kind = attributes.get("kind")
    if kind in ("list", "tuple"):
        import array

        values = array.array(next(code for code, name in _TYPECODES.values() if name == dtype))
        with open(path, "rb") as file:
            file.seek(offset)
            values.frombytes(file.read(8 * shape[0]))
        return values.tolist() if kind == "list" else tuple(values)
    import numpy

    if 0 in shape:
        stored = numpy.empty(shape, dtype)
    else:
        # Copy on write: a task may change what it got without changing the record.
        stored = numpy.memmap(path, dtype, mode="c", offset=offset, shape=tuple(shape)).view(numpy.ndarray)
    as_dtype = attributes.get("stored_as")
    if as_dtype is None:
        return stored
    if "U" in as_dtype:
        return numpy.char.decode(stored, "utf-8").astype(as_dtype)
    return stored.view(as_dtype)


def unpack_object(data: bytes, kind: str) -> Any:
    """Give back a value that was kept as JSON or as a pickle; only a task of the same workflow does this."""
    if kind == "json":
        return json.loads(data)
    import pickle

    return pickle.loads(data)
