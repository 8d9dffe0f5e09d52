"""Where figures are written: one to a file, several into a folder, each under its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sciflow.errors import ResultError
from sciflow.figures.files import FORMATS, keep
from sciflow.figures.gallery import Gallery, make_folder
from sciflow.figures.style import DEFAULT, Style


@dataclass(frozen=True)
class Pattern:
    """Which files one figure becomes: of what stem, where that is given, and with which endings."""

    stem: str | None
    endings: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What was written: name of a figure → its files; and the numbers, where they were asked for."""

    files: dict[str, list[Path]]
    data: Path | None


def targets(output: str | None, formats: Sequence[str], default: Path) -> tuple[Path, Pattern]:
    """The folder to write to, and how files are called there.

    Parameters
    ----------
    output
        A file, where it ends as one; else a folder.
    formats
        Endings, with or without their dot.
    default
        The folder where nothing else is said.

    Raises
    ------
    ResultError
        For a format that there is not, and an output that ends otherwise.
    """
    endings = tuple(dict.fromkeys(f".{one.lower().removeprefix('.')}" for one in formats))
    for ending in endings:
        _check_ending(ending)
    if output is None:
        return default, Pattern(None, endings or (".png",))
    path = Path(output)
    if path.is_dir() or not path.suffix or output.endswith("/"):
        return path, Pattern(None, endings or (".png",))
    _check_ending(path.suffix.lower())
    if endings and endings != (path.suffix.lower(),):
        raise ResultError(
            f"`{output}` is one file, and the formats are {', '.join(endings)}", hint="name a folder, or no format"
        )
    return path.parent, Pattern(path.stem, (path.suffix,))


def _check_ending(ending: str) -> None:
    if ending not in FORMATS:
        raise ResultError(f"`{ending}` is no format of figures", hint=f"known are {', '.join(FORMATS)}")


def saved(
    gallery: Gallery, folder: Path, pattern: Pattern, data: str | Path | None = None, style: Style = DEFAULT
) -> Written:
    """Write the figures that could be made, and where it is asked for, the numbers of the only one.

    Raises
    ------
    ResultError
        Where there is one file for several figures; where the only figure could not be made; or where nothing can be
        written.
    """
    everything = [*gallery, *gallery.missing]
    if len(everything) > 1 and (pattern.stem is not None or data is not None):
        raise ResultError(
            f"there are {len(everything)} figures, and one file for them: {', '.join(everything)}",
            hint="name one figure, or a folder for all of them" if data is None else "name one figure",
        )
    if len(everything) == 1 and gallery.missing:
        [(name, reason)] = gallery.missing.items()
        raise ResultError(f"figure `{name}` could not be made: {reason}")
    if gallery:
        make_folder(folder)
    files = {
        name: [
            path
            for ending in pattern.endings
            for path in one.save(folder / f"{pattern.stem if pattern.stem is not None else name}{ending}", style)
        ]
        for name, one in gallery.items()
    }
    return Written(files, _save_numbers(gallery, Path(data)) if data is not None and gallery else None)


def _save_numbers(gallery: Gallery, path: Path) -> Path:
    [one] = gallery.values()
    keep(path, one.numbers.frame().to_csv(index=False))
    return path
