"""Files of figures: what they say of where they come from, and those that LaTeX draws."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from sciflow.errors import ResultError, SciflowWarning
from sciflow.figures.style import Style, applied
from sciflow.store.layout import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg", ".pgf")
# The engines, the first of which understand every letter, and what each has to read first.
_PREAMBLES = {
    "xelatex": r"\usepackage{fontspec}",
    "lualatex": r"\usepackage{fontspec}",
    "pdflatex": r"\usepackage[T1]{fontenc}",
}
# A dollar sign, a formula, or a letter with a meaning; `^` and `%` are left to matplotlib, which escapes them.
_PARTS = re.compile(r"\\\$|\$(?:[^$\\]|\\.)*\$|[_&#~{}\\]", re.DOTALL)
_MEANT = {
    **{letter: rf"\{letter}" for letter in "_&#{}"},
    "~": r"\textasciitilde{}",
    "\\": r"\textbackslash{}",
}
_LETTER = re.compile(r"Glyph (\d+) ")


def keep(path: Path, content: bytes | str) -> None:
    """Write a file, which replaces what is there once it is whole.

    Raises
    ------
    ResultError
        Where it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"make the folder first: mkdir -p {path.parent}"
        raise ResultError(f"`{path}` cannot be written: {error.strerror}", hint=hint) from error


def origin(ending: str, title: str, runs: tuple[str, ...]) -> Mapping[str, Any]:
    """What a file says of itself: title, program and runs, and no date: the same figure is the same file."""
    program, source = f"sciflow {version('sciflow')}", f"run {', '.join(runs)}" if runs else None
    told = {
        ".png": {"Title": title, "Software": program, "Source": source},
        ".pdf": {"Title": title, "Creator": program, "Subject": source, "CreationDate": None},
        ".svg": {"Title": title, "Creator": program, "Source": source, "Date": None},
    }[ending]
    return {key: value for key, value in told.items() if value or key in ("CreationDate", "Date")}


@contextmanager
def told_letters() -> Iterator[None]:
    """Say once which letters no font has, and what would help."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield
    absent: dict[str, None] = {}
    for one in heard:
        letter = _LETTER.match(str(one.message))
        if letter is None:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        else:
            absent[chr(int(letter[1]))] = None
    if absent:
        shown = [one if one.isprintable() and not one.isspace() else f"U+{ord(one):04X}" for one in absent]
        letters = " ".join(shown[:10])
        text = f"no font that is installed has {letters}: install one, as the Noto fonts are, or give `labels`"
        warnings.warn(text, SciflowWarning, stacklevel=4)


def as_pgf(figure: Figure, path: Path, style: Style) -> dict[Path, bytes]:
    """A figure as commands of LaTeX, and the pictures that these include, by their paths.

    Raises
    ------
    ResultError
        Where there is no LaTeX, which alone knows how wide its letters are, or it fails.
    """
    engine = next((one for one in _PREAMBLES if shutil.which(one)), None)
    if engine is None:
        raise ResultError(
            f"`{path.name}` needs LaTeX, which measures its letters, and none of {', '.join(_PREAMBLES)} is there",
            hint="install one, as `apt-get install texlive-xetex` or `module load texlive` does, or save a .pdf",
        )
    from matplotlib.backends.backend_pgf import LatexError

    with tempfile.TemporaryDirectory() as folder, applied(style):
        # Labels are LaTeX from here on, and nothing that matplotlib would read as a formula of its own.
        mpl.rcParams |= {"pgf.texsystem": engine, "pgf.preamble": _PREAMBLES[engine], "text.parse_math": False}
        _escape(figure)
        try:
            figure.savefig(Path(folder) / path.name, format="pgf")
        except (LatexError, ValueError, RuntimeError, OSError) as error:
            lines = [line for line in str(error).splitlines() if line.startswith("!")]
            raise ResultError(
                f"{engine} cannot set the text of `{path.name}`: {(lines or str(error).splitlines())[0]}",
                hint="give `labels` that LaTeX understands, or save a .pdf",
            ) from error
        made = sorted(Path(folder).iterdir(), key=lambda one: one.name != path.name)
        # Only a preamble of matplotlib's knows that command, which does nothing.
        return {path.with_name(one.name): one.read_bytes().replace(rb"\mathdefault{", b"{") for one in made}


def _escape(figure: Figure) -> None:
    from matplotlib.axis import Axis
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
        text.set_text(escaped(text.get_text()))
    for axis in figure.findobj(Axis):
        assert isinstance(axis, Axis)
        names = axis.get_major_formatter()  # ticks are labelled anew when they are drawn
        if isinstance(names, (FixedFormatter, FuncFormatter, StrCategoryFormatter)):
            axis.set_major_formatter(FuncFormatter(partial(_escaped_tick, names)))


def _escaped_tick(names: Callable[[float, int | None], str], value: float, place: int | None = None) -> str:
    return escaped(names(value, place))


def escaped(text: str) -> str:
    """A label for LaTeX, of which only formulas are commands."""
    return _PARTS.sub(lambda part: _MEANT.get(part[0], part[0]), text)
