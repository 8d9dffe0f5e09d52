"""An array job and a template become a job script."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import jinja2

from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile

Finder = Callable[[str], "tuple[str, str] | None"]


def script_renderer(profile: ClusterProfile, python: str, find: Finder) -> Callable[[ArrayJob], str]:
    """Make the function that renders one array job's script.

    Parameters
    ----------
    profile
        Chooses the template, ``<scheduler>/array.sh.j2``, and supplies what it sets up.
    python
        The interpreter that runs the shim.
    find
        Template name → its text and where it was found; None if there is no such template.

    Raises
    ------
    TemplateError
        For a template that is missing or wrong, naming file and line.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _loaded(find, name)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    name = f"{profile.templates or profile.scheduler}/array.sh.j2"

    def render(array: ArrayJob) -> str:
        try:
            return environment.get_template(name).render(array=array, profile=profile, python=python)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(
                f"there is no template `{error.name}`",
                hint="templates are looked for in `templates/` beside the workflow",
            ) from None
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"`{error.filename or name}`, line {error.lineno}: {error.message}") from None
        except jinja2.UndefinedError as error:
            raise TemplateError(
                f"`{name}`: {error.message}", hint="templates get `array`, `profile` and `python`"
            ) from None

    return render


def _loaded(find: Finder, name: str) -> tuple[str, str, Callable[[], bool]] | None:
    found = find(name)
    return (*found, lambda: True) if found else None
