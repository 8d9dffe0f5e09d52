"""Several figures: those that a workflow declares, or that were chosen; and why one of them cannot be made."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.figures.style import DEFAULT, Style
from sciflow.model.validation import validated
from sciflow.model.visualization import Visualization
from sciflow.store.layout import read_document


@dataclass(frozen=True)
class Wish:
    """A figure that is wanted: its name, what it is, and why it was chosen where nobody has asked for it."""

    name: str
    wanted: Visualization
    reason: str = ""


class Gallery(Mapping[str, Picture]):
    """Figures by their names, which notebooks show below each other.

    Attributes
    ----------
    reasons
        Name → why it was chosen; empty for one that was asked for.
    missing
        Name → why it could not be made.
    """

    def __init__(self, pictures: Mapping[str, Picture], reasons: Mapping[str, str], missing: Mapping[str, str]) -> None:
        self._pictures = dict(pictures)
        self.reasons = dict(reasons)
        self.missing = dict(missing)

    def __getitem__(self, name: str) -> Picture:
        if name in self.missing:
            raise ResultError(f"figure `{name}` could not be made: {self.missing[name]}")
        return self._pictures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def __repr__(self) -> str:
        lines = [f"{name}: {one.kind}{_told(self.reasons.get(name))}" for name, one in self.items()]
        lines += [f"{name}: not made: {reason}" for name, reason in self.missing.items()]
        return "\n".join(lines) or "no figure"

    def _repr_html_(self) -> str:
        parts = []
        for name, one in self.items():
            told = html.escape(f"{name}{_told(self.reasons.get(name))}")
            images = (base64.b64encode(one.image(page=page)).decode() for page in range(one.pages))
            shown = "".join(f'<img alt="{told}" src="data:image/png;base64,{image}"/>' for image in images)
            parts.append(f"<figure>{shown}<figcaption>{told}</figcaption></figure>")
        parts += [f"<p>{html.escape(f'{name}: {reason}')}</p>" for name, reason in self.missing.items()]
        return "\n".join(parts)

    def save(self, folder: str | Path, ending: str = ".png", style: Style = DEFAULT) -> list[Path]:
        """Write each figure into a folder, under its name.

        Returns
        -------
        list of pathlib.Path
            What was written.

        Raises
        ------
        ResultError
            For an ending that is no format, or where it cannot be written.
        """
        make_folder(Path(folder))
        return [path for name, one in self.items() for path in one.save(Path(folder) / f"{name}{ending}", style)]


def _told(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def make_folder(folder: Path) -> None:
    """Make a folder for figures.

    Raises
    ------
    ResultError
        Where that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(
            f"nothing can be written to `{folder}`: {error.strerror}", hint="name another folder"
        ) from error


def gallery_of(source: Source, wishes: Iterable[Wish], missing: Mapping[str, str] | None = None) -> Gallery:
    """Compute figures; one that cannot be made does not stop the others, and is told where somebody has asked for it.

    Parameters
    ----------
    source
        What they are made of.
    wishes
        What is wanted.
    missing
        Name → why it cannot be made, of those for which that is known before.
    """
    pictures, reasons, missing = {}, {}, dict(missing or {})
    for one in wishes:
        try:
            pictures[one.name] = picture(source, one.wanted)
        except ResultError as error:
            if one.reason:
                continue  # nobody misses a figure that nobody has asked for
            missing[one.name] = f"{error.message}{f'; {error.hint}' if error.hint else ''}"
        else:
            reasons[one.name] = one.reason
    return Gallery(pictures, reasons, missing)


def declared(table: RunTable) -> tuple[list[Wish], dict[str, str]]:
    """The figures that the workflow of a run declares; and why what stands in its manifest cannot be understood."""
    manifest = read_document(table.run.manifest) if table.run.manifest.is_file() else {}
    wishes, missing = [], {}
    for name, said in manifest.get("visualizations", {}).items():
        try:
            wishes.append(Wish(name, validated(Visualization, said, f"visualization `{name}`", ResultError)))
        except ResultError as error:
            missing[name] = error.message
    return wishes, missing
