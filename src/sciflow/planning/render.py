"""An array job and a template become a job script."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import jinja2

from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile

_MEBIBYTE = 1024**2
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
    environment.filters["mebibytes"] = lambda size: -(-size // _MEBIBYTE)
    environment.filters["clock"] = _clock
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


def extension_of(scheduler: str, text: str) -> str:
    """The text of a template that extends the bundled one of a scheduler and changes nothing yet.

    Parameters
    ----------
    scheduler
        Its folder among the templates.
    text
        The bundled template, which is shown for reading.
    """
    shown = text.replace("{#-", "").replace("-#}", "").replace("{#", "").replace("#}", "")
    return (
        "{#- Fill a block to change it; {{ super() }} puts in what the bundled template has there. For example:\n\n"
        "{% block directives %}\n{{ super() -}}\n#SBATCH --mail-type=FAIL\n{% endblock %}\n\n"
        f"The bundled template:\n\n{shown.strip()}\n-#}}\n"
        f'{{% extends "bundled/{scheduler}/array.sh.j2" %}}\n'
    )


def _clock(seconds: int) -> str:
    """Seconds as schedulers write a walltime: ``36:00:00``."""
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def _loaded(find: Finder, name: str) -> tuple[str, str, Callable[[], bool]] | None:
    found = find(name)
    return (*found, lambda: True) if found else None
