"""Instances whose parameters have values that a run has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.model.advice import Advice, Seen, Told
from sciflow.model.axes import repeated
from sciflow.planning.projection import Projection

_NAMED = 3  # values that are named before the others are counted


@dataclass(frozen=True)
class Unseen:
    """What is known less of than of others.

    Attributes
    ----------
    is_unknown, is_guess
        Of which instances nothing is known; and of which what is known of others is carried on far beyond them.
    warnings
        What is to be said of that.
    """

    is_unknown: NDArray[np.bool_]
    is_guess: NDArray[np.bool_]
    warnings: tuple[str, ...]


def unseen_of(task: str, projection: Projection, advice: Advice) -> Unseen:
    """Compare the parameters of a task with what a run has seen of them."""
    is_unknown, is_guess = (np.zeros(len(projection), dtype=bool) for _ in range(2))
    warnings: list[str] = []
    for column in projection.columns:
        if (seen := advice.seen.get(task, {}).get(column.name)) is None or _is_repetition(column.values, seen):
            continue
        told = np.array([seen.tells(value).value for value in column.values])[column.codes(projection.first)]
        new = told == Told.NOTHING.value
        is_unknown |= new
        is_guess |= told == Told.GUESS.value
        warnings += _warnings(task, column.name, column.values, seen, advice.run, int(new.sum()))
    return Unseen(is_unknown, is_guess & ~is_unknown, tuple(warnings))


def _is_repetition(values: Sequence[Any], seen: Seen) -> bool:
    """Whether they are the seeds of `repeat`: these are unlike each other only by chance."""
    first = list(values[:2])
    return not seen.effect and len(first) == 2 and first == repeated(2)


def _warnings(task: str, name: str, values: Sequence[Any], seen: Seen, run: str, count: int) -> Iterator[str]:
    told = [(value, seen.tells(value)) for value in values]
    if any(one is Told.GUESS for _, one in told):
        numbers = [value for value, _ in told if isinstance(value, int | float) and not isinstance(value, bool)]
        yield (
            f"`{name}` of `{task}` goes from {min(numbers):g} to {max(numbers):g}, and run `{run}` has seen "
            f"{_range(seen)}: what is asked for outside is a guess"
        )
    if new := [value for value, one in told if one is Told.NOTHING]:
        asks = "1 instance asks" if count == 1 else f"{count} instances ask"
        yield (
            f"run `{run}` tells nothing of `{task}` where `{name}` is {_listed([_spelt(value) for value in new])}: it "
            f"has seen {_range(seen)}; {asks} for what the workflow says"
        )


def _range(seen: Seen) -> str:
    numbers = [f"from {seen.least:g} to {seen.most:g}"] if seen.least < seen.most else []
    if seen.least == seen.most:
        numbers = [f"{seen.least:g}{'' if seen.others else ' alone'}"]
    alone = " alone" if seen.count == 1 and not numbers else ""
    return _listed([*numbers, *(text.strip('"') for text in seen.others)]) + alone


def _spelt(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(texts: Sequence[str]) -> str:
    texts = list(dict.fromkeys(texts))
    named, more = texts[:_NAMED], len(texts) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
