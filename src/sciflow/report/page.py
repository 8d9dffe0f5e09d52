"""One HTML file that holds all of a report: it needs no network, no server and no other file."""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from sciflow import assets
from sciflow.analysis.rounding import rounded
from sciflow.errors import TemplateError
from sciflow.model.units import format_duration, format_memory
from sciflow.report.facts import Facts
from sciflow.report.shown import Shown
from sciflow.report.text import counted, hours, percent, plain, value_text

TEMPLATE = "report/report.html.j2"


def page(
    facts: Facts,
    figures: Sequence[Shown],
    missing: Mapping[str, str],
    methods: str,
    project: Path,
    made: float | None = None,
) -> str:
    """The text of the file.

    Parameters
    ----------
    facts
        What is said of the run.
    figures
        Its figures.
    missing
        Name → why a figure could not be made.
    methods
        A paragraph for a paper; empty for none.
    project
        The folder whose templates come before the user's and the bundled ones.
    made
        When it was made, in seconds since the epoch; by default now.

    Raises
    ------
    TemplateError
        Where a template is missing, or cannot be rendered.
    """
    script = _text(project, "report/tables.js")
    where = str(assets.find("templates", TEMPLATE, project) or TEMPLATE)
    try:
        return (
            _environment(project)
            .get_template(TEMPLATE)
            .render(
                facts=facts,
                figures=figures,
                missing=missing,
                methods=methods,
                made=time.time() if made is None else made,
                style=Markup(_text(project, "report/style.css")),  # noqa: S704 - files of templates, not text of runs
                script=Markup(script),  # noqa: S704
                policy=_policy(script),
            )
        )
    except jinja2.TemplateError as error:
        line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        raise TemplateError(f"`{where}`{line} cannot be rendered: {error}") from error


def _policy(script: str) -> str:
    """What a browser may do with the page: show images that are in it, and run this script, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _text(project: Path, name: str) -> str:
    found = assets.read_template(project, name)
    if found is None:
        raise TemplateError(f"there is no template `{name}`", hint="install sciflow again: it is one of its own")
    return found[0]


def _environment(project: Path) -> jinja2.Environment:
    def load(name: str) -> tuple[str, str, Any]:
        found = assets.read_template(project, name)
        if found is None:
            raise jinja2.TemplateNotFound(name)
        return found[0], found[1], lambda: True

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(load),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        value=value_text,
        coded=_coded,
        percent=percent,
        hours=hours,
        duration=lambda seconds: "unknown" if math.isnan(seconds) else format_duration(seconds),
        memory=format_memory,
        when=_when,
    )
    made.globals.update(counted=counted, rounded=rounded)
    return made


def _shown(value: Any) -> Any:
    """What stands in the page for a value: text of whatever origin is made plain before it is escaped."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else plain(value, len(value)) if isinstance(value, str) else value


def _when(seconds: float) -> str:
    """A time as text: that of the clock in Greenwich, since a report is read anywhere."""
    return "unknown" if math.isnan(seconds) else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _coded(text: str) -> Markup:
    """A message with what stands between backticks as code, as in messages on a terminal."""
    parts = [escape(part) for part in plain(text).split("`")]
    if len(parts) % 2 == 0:
        return escape(plain(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )
