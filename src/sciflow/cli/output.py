"""What commands print: data on standard output, the rest on standard error, as text or JSON."""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sciflow.run.status import RunStatus

DONE, ERROR, USAGE, SOME_FAILED, NOT_FINISHED = 0, 1, 2, 3, 4
INTERRUPTED = 130
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, direction, half a sign, other line breaks
LAYOUT = "\n\t"  # signs that stay in texts of several lines
_MOST_OF_RANGES = 60  # characters


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def learn_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--learn-from`."""
    text = "Ask for what this earlier run has measured: a directory, a run id, or `latest`."
    return click.option("--learn-from", metavar="RUN", help=text)(command)


def emit(as_json: bool, document: Any, text: str) -> None:
    """Print the answer of a command."""
    if as_json:
        click.echo(json.dumps(_plain(document), ensure_ascii=False, indent=1))
    elif text:
        click.echo(text)


def escaped(text: str, kept: str = "") -> str:
    """A text from elsewhere, with signs escaped that would steer a terminal, or hide in a line or begin another one.

    Parameters
    ----------
    kept
        Signs that stay as they are, such as line breaks.
    """
    return "".join(
        sign if sign in kept or unicodedata.category(sign) not in _STEERING else sign.encode("unicode_escape").decode()
        for sign in text
    )


def say(text: str) -> None:
    """Tell a person something that is no data."""
    click.echo(text, err=True)


def exit_code(status: RunStatus) -> int:
    """The exit code that tells how a run is."""
    return NOT_FINISHED if not status.is_finished else SOME_FAILED if status.has_failures else DONE


def report(error: BaseException, hint: str, as_json: bool) -> None:
    """Say what went wrong and the way out."""
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    if as_json:
        click.echo(json.dumps({"error": message, "hint": hint}, ensure_ascii=False))
    label = click.style("error:", fg="red", bold=True) if sys.stderr.isatty() else "error:"
    say(f"{label} {escaped(message, LAYOUT)}")
    if hint:
        say(f"hint: {escaped(hint, LAYOUT)}")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns aligned for reading; numbers to the right."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    right = [all(_is_number(line[i]) for line in cells) and bool(cells) for i in range(len(header))]
    lines = [
        "  ".join(v.rjust(w) if r else v.ljust(w) for v, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in [list(header), *cells]
    ]
    return "\n".join(lines)


def shortened(indices: str) -> str:
    """Ranges of indices, with the first of them where there are many."""
    return indices if len(indices) <= _MOST_OF_RANGES else indices[:_MOST_OF_RANGES].rpartition(",")[0] + ",…"


def cell(value: Any) -> str:
    """One value for a table."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "").replace("e", "").isdigit() or text in ("", "nan")


def _plain(value: Any) -> Any:
    # JSON has no NaN; what is missing is null.
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
