"""Two values that should be the same: a number, an array, a file, a stored object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.package.again.tolerances import Rule
from sciflow_shim.record_reader import RecordDataset

REPRODUCED, WITHIN, DIFFERENT, IGNORED = "reproduced", "within tolerance", "different", "not compared"
_BLOCK = 1 << 18  # elements that are compared at a time
_LONGEST = 60  # characters of a value that is shown
_NUMBERS = "biufc"


@dataclass(frozen=True)
class Compared:
    """What comes of the comparison of two values.

    Attributes
    ----------
    verdict
        ``reproduced`` where they are identical, ``within tolerance``, ``different``, or ``not compared`` where
        somebody asked for that.
    absolute, relative
        By how much they differ; of arrays the largest difference, and that of all elements by the Euclidean norm.
    why
        In words, where numbers do not say it.
    there, here
        The values, as they can be shown.
    """

    verdict: str
    absolute: float = 0.0
    relative: float = 0.0
    why: str = ""
    there: Any = None
    here: Any = None


SAME = Compared(REPRODUCED)


def _unlike(why: str, there: Any = None, here: Any = None) -> Compared:
    """A difference that is no number."""
    return Compared(DIFFERENT, math.nan, math.nan, why, there, here)


def compare_scalars(there: Any, here: Any, rule: Rule) -> Compared:
    """Compare two metrics: whole numbers, texts and truth values exactly, floats within their tolerance."""
    are_numbers = _is_number(there) and _is_number(here)
    if type(there) is not type(here) and not are_numbers:
        return Compared(
            DIFFERENT, math.nan, math.nan, f"{_word(there)} became {_word(here)}", _shown(there), _shown(here)
        )
    if not are_numbers:
        return SAME if there == here else _unlike("", _shown(there), _shown(here))
    if there == here or (there != there and here != here):
        return SAME
    absolute, size = abs(here - there), abs(float(there))
    relative = absolute / size if size else math.inf
    if not math.isfinite(absolute):
        return _unlike("", there, here)
    is_free = isinstance(there, float) or isinstance(here, float) or rule.is_given
    verdict = WITHIN if is_free and rule.allows(absolute, size) else DIFFERENT
    return Compared(verdict, float(absolute), float(relative), "", there, here)


def compare_files(there: dict[str, Any], here: dict[str, Any]) -> Compared:
    """Compare two files, or folders of them, by what their records say: they are the same byte for byte, or not."""
    if (there["sha256"], there["files"]) == (here["sha256"], here["files"]):
        return SAME
    why = f"different bytes: {there['size']} bytes there, {here['size']} here"
    return _unlike(why, there["sha256"], here["sha256"])


def compare_datasets(there: RecordDataset, here: RecordDataset, rule: Rule) -> Compared:
    """Compare two results: arrays by shape, kind and norm, what is JSON value by value, other objects by their bytes.

    Nothing is unpickled.
    """
    kinds = [str(one.attributes.get("kind", "array")) for one in (there, here)]
    objects = [kind if kind in ("json", "pickle") else "" for kind in kinds]
    if objects[0] != objects[1]:
        told = [kind or "an array" for kind in objects]
        return _unlike(f"{told[0]} became {told[1]}")
    if objects[0] == "pickle":
        return _compare_bytes(there, here)
    if objects[0] == "json":
        return _compare_trees(json.loads(bytes(there.read())), json.loads(bytes(here.read())), rule)
    return _compare_arrays(there, here, rule)


def _compare_bytes(there: RecordDataset, here: RecordDataset) -> Compared:
    digests = [hashlib.sha256(one.read()).hexdigest() for one in (there, here)]
    if digests[0] == digests[1]:
        return SAME
    why = "other bytes of a stored object, which is not loaded to be compared"
    return _unlike(why, *digests)


def _compare_trees(there: Any, here: Any, rule: Rule) -> Compared:
    """Compare lists and dictionaries leaf by leaf; the worst leaf counts."""
    worst = SAME
    for place, one, other in _leaves(there, here, ""):
        found = compare_scalars(one, other, rule)
        if _severity(found) > _severity(worst):
            worst = Compared(
                found.verdict, found.absolute, found.relative, f"at {place}" if place else "", found.there, found.here
            )
    return worst


def _severity(one: Compared) -> tuple[int, float]:
    order = (REPRODUCED, WITHIN, DIFFERENT).index(one.verdict)
    return order, math.inf if math.isnan(one.relative) else one.relative


def _leaves(there: Any, here: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(there, dict) and isinstance(here, dict) and there.keys() == here.keys():
        for name, one in there.items():
            yield from _leaves(one, here[name], f"{place}.{name}" if place else name)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from _leaves(one, other, f"{place}[{number}]")
    elif isinstance(there, dict | list) or isinstance(here, dict | list):
        yield place, _outline(there), _outline(here)
    else:
        yield place, there, here


def _outline(value: Any) -> Any:
    """What there is of something that has no counterpart of the same shape."""
    if isinstance(value, dict):
        return f"entries {', '.join(map(str, value))}"
    return f"{len(value)} entries" if isinstance(value, list) else value


def _compare_arrays(there: RecordDataset, here: RecordDataset, rule: Rule) -> Compared:
    if there.shape != here.shape:
        return _unlike(f"shape {_extent(there)} became {_extent(here)}")
    meant = [str(one.attributes.get("stored_as", "")) for one in (there, here)]
    if there.dtype == "str" or here.dtype == "str":
        return SAME if there.dtype == here.dtype and there.value == here.value else _other_elements(0)
    dtypes = [np.dtype("?" if one.dtype == "|b1" else one.dtype) for one in (there, here)]
    kinds = [_kind(dtype, said) for dtype, said in zip(dtypes, meant, strict=True)]
    if kinds[0] != kinds[1]:
        return _unlike(f"elements of {kinds[0]} became {kinds[1]}")
    arrays = [np.frombuffer(one.read(), dtype) for one, dtype in zip((there, here), dtypes, strict=True)]
    if dtypes[0].kind not in _NUMBERS or dtypes[0].kind == "b" or any(meant):
        count = sum(int(np.count_nonzero(a != b)) for a, b in _blocks(*arrays))
        return _other_elements(count) if count else SAME
    return _compare_numbers(arrays[0], arrays[1], rule)


def _compare_numbers(there: NDArray[Any], here: NDArray[Any], rule: Rule) -> Compared:
    largest = squares = size = 0.0
    count = odd = beyond = 0
    for a, b in _blocks(there, here):
        is_same = (a == b) | ((a != a) & (b != b))
        if not is_same.all():
            count += int(np.count_nonzero(~is_same))
            a, b, whole = a[~is_same], b[~is_same], a
            is_finite = np.isfinite(a) & np.isfinite(b)
            odd += int(np.count_nonzero(~is_finite))
            gap = np.abs(_wide(b[is_finite]) - _wide(a[is_finite])).astype(float)
            size_of = np.abs(_wide(a[is_finite])).astype(float)
            beyond += int(np.count_nonzero((gap > rule.absolute) & (gap > rule.relative * size_of)))
            largest, squares = max(largest, float(gap.max(initial=0.0))), squares + float(np.square(gap).sum())
            a = whole
        size += float(np.square(np.abs(_wide(a[np.isfinite(a)])).astype(float)).sum())
    if not count:
        return SAME
    if odd:
        return _unlike(f"{odd} elements are not finite there or here, and not the same")
    distance, norm = math.sqrt(squares), math.sqrt(size)
    relative = distance / norm if norm else math.inf
    is_free = there.dtype.kind in "fc" or rule.is_given
    is_within = is_free and (largest <= rule.absolute or distance <= rule.relative * norm)
    why = f"{count} of {there.size} elements differ"
    if is_within and beyond:  # as small ones beside large ones do
        why += f", of which {beyond} by more than is allowed for their own size: an array is compared by its norm"
    return Compared(WITHIN if is_within else DIFFERENT, largest, relative, why)


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    """Values of which the difference neither overflows nor wraps around."""
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.longdouble)


def _blocks(there: NDArray[Any], here: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    for start in range(0, there.size, _BLOCK):
        yield there[start : start + _BLOCK], here[start : start + _BLOCK]


def _kind(dtype: np.dtype[Any], meant: str) -> str:
    names = {"b": "truth values", "i": "whole numbers", "u": "whole numbers", "f": "floats", "c": "complex numbers"}
    if meant:
        return "texts" if "U" in meant else meant.lstrip("<>|=")
    return names.get(dtype.kind, "bytes")


def _other_elements(count: int) -> Compared:
    return _unlike(f"{count} elements differ" if count else "its elements differ")


def _extent(one: RecordDataset) -> str:
    return "×".join(map(str, one.shape)) or "of a single value"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Any) -> str:
    kinds = ((bool, "a truth value"), (int, "a whole number"), (float, "a float"), (str, "a text"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "nothing" if value is None else "something")


def _shown(value: Any) -> Any:
    return value if not isinstance(value, str) or len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
