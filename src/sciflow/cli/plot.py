"""The verb that draws figures of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import DONE, SOME_FAILED, emit, json_option

if TYPE_CHECKING:
    from sciflow.execution import Run
    from sciflow.figures.gallery import Gallery, Wish
    from sciflow.results import Results

# Options that are those of a visualization → what the option is called here.
_OPTIONS = {
    "values": ("--value", "A metric to show; several for parallel, pairs and pareto.", {"multiple": True}),
    "x_axis": ("--x", "The parameter along the horizontal axis.", {}),
    "y_axis": ("--y", "The parameter along the vertical axis.", {}),
    "series": ("--series", "The parameter whose values are told apart by colour.", {}),
    "facet_by": ("--facet", "A parameter with a panel for each value.", {"multiple": True}),
    "title": ("--title", "What stands above it.", {}),
    "x_scale": ("--x-scale", "The horizontal axis.", {"type": click.Choice(["linear", "log"])}),
    "y_scale": ("--y-scale", "The vertical axis.", {"type": click.Choice(["linear", "log"])}),
    "value_scale": ("--value-scale", "The metric.", {"type": click.Choice(["linear", "log"])}),
    "interval": ("--interval", "What bands show.", {"type": click.Choice(["t", "bootstrap", "sd", "range", "none"])}),
    "confidence": ("--confidence", "Of an interval, between 0 and 1.", {"type": float}),
    "maximize": ("--maximize", "A metric that is better when larger.", {"multiple": True}),
    "minimize": ("--minimize", "A metric that is better when smaller.", {"multiple": True}),
    "task": ("--task", "The task that is shown.", {}),
}
# Options that say how large it is.
_MEASURES = {
    "journal": ("--journal", "As wide as a column of: nature, science, pnas, aps, ieee, elsevier, springer, acs.", {}),
    "columns": ("--columns", "So many columns of the journal wide.", {"type": float}),
    "width_mm": ("--width", "So wide, in millimetres.", {"type": float, "metavar": "MM"}),
    "dpi": ("--dpi", "Dots per inch.", {"type": int}),
    "notes": (
        "--notes/--no-notes",
        "Keep title and notes in the figure.  [default: without a journal]",
        {"default": None},
    ),
}


def _figure_options(command: Any) -> Any:
    for name, (option, text, more) in reversed((_OPTIONS | _MEASURES).items()):
        metavar = {} if "type" in more or "default" in more else {"metavar": "NAME"}
        command = click.option(option, name, help=text, **metavar, **more)(command)
    return command


@click.command()
@click.argument("run_and_names", nargs=-1, metavar="[RUN] [NAME]…")
@click.option("--type", "kind", metavar="KIND", help="Draw one figure of this kind: line, heatmap, scatter, …")
@_figure_options
@click.option(
    "--select", "selected", metavar="NAME=VALUE", multiple=True, help="Only where a parameter has this value."
)
@click.option("--automatic", is_flag=True, help="Choose figures, also where the workflow declares some.")
@click.option("-o", "--output", metavar="PATH", help="A file, or a folder.  [default: figures/ in the run]")
@click.option(
    "--format", "endings", metavar="NAME", multiple=True, help="png, pdf, svg, …; may be given several times."
)
@click.option("--data", metavar="FILE.csv", help="Write the numbers of the figure, too.")
@json_option
@click.pass_obj
@click.pass_context
def plot(
    context: click.Context,
    obj: dict[str, Any],
    run_and_names: tuple[str, ...],
    kind: str | None,
    selected: tuple[str, ...],
    automatic: bool,
    output: str | None,
    endings: tuple[str, ...],
    data: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw figures of RUN: those of these names or kinds, or those that the workflow declares, or chosen ones.

    What has been measured by now is collected first, also while the run goes on.
    """
    from sciflow.figures.journals import style_of
    from sciflow.figures.saving import saved, targets
    from sciflow.model.visualization import KINDS

    style = style_of(**{name: options.pop(name) for name in _MEASURES})
    said = {name: value for name, value in options.items() if value not in (None, ())}
    opened, names = _opened(run_and_names, obj["runs"])
    if kind is None and (said or selected) and len(names) == 1 and names[0] in KINDS:
        (kind,), names = names, ()
    _check_options(kind, said, selected, automatic, names)
    folder, pattern = targets(output, endings, opened.path / "figures")
    if kind is not None:
        _one(kind, said, {})  # what does not fit is said before anything is read
    results = opened.collect()
    gallery = _gallery(results, kind, said, selected, automatic, names)
    written = saved(gallery, folder, pattern, data, style)
    document = {
        "run": opened.run_id,
        "combinations": {"completed": results.completed, "total": len(results)},
        "figures": [
            {
                "name": name,
                "type": one.kind,
                "files": [str(path) for path in written.files[name]],
                "notes": list(one.notes),
                "caption": one.caption(),
                "reason": gallery.reasons[name],
            }
            for name, one in gallery.items()
        ],
        "missing": gallery.missing,
        "data": str(written.data) if written.data else None,
    }
    emit(as_json, document, "\n".join(_lines(results, gallery, document, style.has_notes)))
    context.exit(SOME_FAILED if gallery.missing else DONE)


def _check_options(
    kind: str | None, said: dict[str, Any], selected: tuple[str, ...], automatic: bool, names: tuple[str, ...]
) -> None:
    if kind is None:
        rest = [_OPTIONS[name][0] for name in said if name != "values"]
        if rest:
            raise click.UsageError(f"{rest[0]} is of a figure of one kind: give --type, too")
        if names and (said or selected or automatic):
            raise click.UsageError("a figure that is named has its own options: leave the names or the options out")
    elif names:
        raise click.UsageError(f"--type draws one figure, and {' '.join(names)} names others: leave one of them out")
    elif automatic:
        raise click.UsageError("--type says what to draw, and --automatic leaves it open: leave one of them out")


def _opened(words: tuple[str, ...], runs: str | None) -> tuple[Run, tuple[str, ...]]:
    """The run, and the names of figures: the first word is a run where there is such a run."""
    from sciflow.errors import RunError
    from sciflow.execution import open_run

    if not words:
        return open_run(None, runs), ()
    try:
        return open_run(words[0], runs), words[1:]
    except RunError:
        return open_run(None, runs), words


def _gallery(
    results: Results,
    kind: str | None,
    said: dict[str, Any],
    selected: tuple[str, ...],
    is_automatic: bool,
    names: tuple[str, ...],
) -> Gallery:
    from sciflow.figures.asked import asked, selection
    from sciflow.figures.automatic import automatic
    from sciflow.figures.gallery import gallery_of
    from sciflow.figures.numbers import Source

    source = Source(results.observations, results)
    chosen = selection(source.observations, selected)
    if kind is not None:
        return gallery_of(source, [_one(kind, said, chosen)])
    if not (said or chosen or is_automatic):
        return gallery_of(source, *asked(source, names))
    if chosen:
        from sciflow.analysis.choice import selected as part_of

        source = Source(part_of(source.observations, chosen))
    return gallery_of(source, automatic(source, said.get("values")))


def _one(kind: str, said: dict[str, Any], chosen: dict[str, Any]) -> Wish:
    from sciflow.errors import ResultError
    from sciflow.figures.asked import wished

    options = {"type": kind, **said, "select": chosen}
    if len(said.get("values", ())) == 1:
        options["value"], options["values"] = said["values"][0], ()
    try:
        return wished(options)
    except ResultError as error:
        raise ResultError(_spoken(error.message), hint=_spoken(error.hint)) from error


def _spoken(text: str) -> str:
    """A message about a figure with options as they are called here, not as in a workflow's file."""
    for name in ("type", "value", "select"):
        text = text.replace(f"`{name}`", f"`--{name}`")
    for name, (option, *_) in _OPTIONS.items():
        text = text.replace(f"`{name}`", f"`{option}`")
    return text


def _lines(results: Results, gallery: Gallery, document: dict[str, Any], has_notes: bool) -> list[str]:
    lines = []
    for one in document["figures"]:
        told = f" ({one['reason']})" if one["reason"] else ""
        lines.append(f"{one['name']}: {', '.join(one['files'])}{told}")
        lines += [f"  {note}" for note in one["notes"]] if has_notes else [f"  caption: {one['caption']}"]
    lines += [f"{name}: not made: {reason}" for name, reason in gallery.missing.items()]
    if document["data"]:
        lines.append(f"numbers: {document['data']}")
    if not document["figures"] and not gallery.missing:
        lines.append("there is nothing to show: no metric differs by any parameter")
    if results.completed < len(results):
        lines.append(f"({results.described_count()})")
    return lines
