"""Tariffs from CSV: prices, or grams of carbon, by the hour of the day, or from moment to moment."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from typing import TypeVar

from sciflow.errors import WorkflowError
from sciflow.model.nearest import nearest
from sciflow.model.tariff import DAY, WEEK, GapError, Rows, read_moment, steps_of

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAYOUTS = (("hour",), ("weekday", "hour"), ("start",))
V = TypeVar("V")
_HINT = "the first line is `hour,price`, `weekday,hour,price` or `start,price`"


def read_tariff(text: str, name: str, zone: tzinfo | None) -> Rows:
    """Read a table.

    Parameters
    ----------
    text, name
        The text, and the file's name for messages.
    zone
        The zone of times without one, as far as it is known; None for this machine's.

    Returns
    -------
    tuple
        24 prices from midnight on, 168 from Monday on, or pairs of a moment and a price.

    Raises
    ------
    WorkflowError
        Naming file and line.
    """
    lines = _lines(text)
    layout, delimiter = _layout(lines, name)
    table = list(_cells(lines[1:], name, len(layout) + 1, delimiter))
    if not table:
        raise WorkflowError(f"{name} holds no prices", hint=_HINT)
    if layout == ("start",):
        return _by_moment(table, name, zone)
    return _by_hour(table, name, len(layout) == 2)


Cells = tuple[int, list[str], float]  # line number, what is before the price, price


def _lines(text: str) -> list[tuple[int, str]]:
    numbered = ((number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in numbered if line]


def _layout(lines: list[tuple[int, str]], name: str) -> tuple[tuple[str, ...], str]:
    if not lines:
        raise WorkflowError(f"{name} is empty", hint=_HINT)
    number, header = lines[0]
    delimiter = next((one for one in ";\t" if one in header), ",")
    columns = [column.strip().strip('"').lower() for column in header.split(delimiter)]
    for layout in _LAYOUTS:
        if tuple(columns[:-1]) == layout:
            return layout, delimiter
    raise WorkflowError(f"{name}, line {number}: `{header}` does not name the columns", hint=_HINT)


def _cells(lines: Iterable[tuple[int, str]], name: str, width: int, delimiter: str) -> Iterator[Cells]:
    for number, line in lines:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        if len(cells) != width:
            raise WorkflowError(
                f"{name}, line {number}: `{line}` has {len(cells)} columns instead of {width}", hint=_HINT
            )
        said = cells[-1].replace(",", ".") if delimiter == ";" else cells[-1]
        yield number, cells[:-1], _read(_price, said, name, number)


def _price(said: str) -> float:
    try:
        price = float(said)
    except ValueError:
        price = math.nan
    if not math.isfinite(price):
        raise ValueError(f"`{said}` is no price" if said else "there is no price")
    return price


def _by_moment(table: list[Cells], name: str, zone: tzinfo | None) -> Rows:
    rows = tuple((_moment(cells[0], name, number), price) for number, cells, price in table)
    if len(rows) < 2:
        raise WorkflowError(
            f"{name} has one row", hint="a price holds until the next row; two rows say how long that is"
        )
    try:
        steps_of(rows, zone)
    except GapError as error:
        raise WorkflowError(
            f"{name}, line {table[error.row][0]}: {error}",
            hint="give every step a row, in order; a time may have an offset",
        ) from None
    return rows


def _moment(said: str, name: str, number: int) -> str:
    _read(read_moment, said, name, number)
    return said


def _by_hour(table: list[Cells], name: str, is_of_weekdays: bool) -> Rows:
    prices: dict[tuple[int, int], float] = {}
    seen: dict[tuple[int, int], int] = {}
    for number, cells, price in table:
        day = _read(_weekday, cells[0], name, number) if is_of_weekdays else 0
        place = (day, _read(_hour, cells[-1], name, number))
        if place in prices:
            raise WorkflowError(
                f"{name}, line {number}: {_said(place, is_of_weekdays)} stands in line {seen[place]} as well"
            )
        prices[place], seen[place] = price, number
    days = range(WEEK // DAY) if is_of_weekdays else range(1)
    wanted = [(day, hour) for day in days for hour in range(DAY)]
    if missing := [place for place in wanted if place not in prices]:
        some = ", ".join(_said(place, is_of_weekdays) for place in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise WorkflowError(f"{name}: there is no price for {some}{more}", hint="every hour from 0 to 23 needs one")
    return tuple(prices[place] for place in wanted)


def _said(place: tuple[int, int], is_of_weekdays: bool) -> str:
    return f"{_WEEKDAYS[place[0]].title()} {place[1]}:00" if is_of_weekdays else f"hour {place[1]}"


def _hour(said: str) -> int:
    if not said.isdigit() or int(said) >= DAY:
        raise ValueError(f"`{said}` is no hour from 0 to 23")
    return int(said)


def _weekday(said: str) -> int:
    word = said.lower()
    if word.isdigit() and 1 <= int(word) <= len(_WEEKDAYS):
        return int(word) - 1
    for number, day in enumerate(_WEEKDAYS):
        if len(word) >= 3 and day.startswith(word):
            return number
    hint = nearest(word, _WEEKDAYS)
    raise ValueError(f"`{said}` is no weekday from Monday to Sunday, or from 1 to 7; {hint}")


def _read(read: Callable[[str], V], said: str, name: str, number: int) -> V:
    try:
        return read(said)
    except ValueError as error:
        raise WorkflowError(f"{name}, line {number}: {error}") from None
