"""An array job and a template become a job script."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import jinja2

from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile

_MEBIBYTE = 1024**2
Finder = Callable[[str], "tuple[str, str] | None"]


class ScriptRenderer:
    """Renders array jobs' scripts.

    Parameters
    ----------
    profile
        Chooses the template, ``<scheduler>/array.sh.j2``, and supplies what it sets up.
    python
        The interpreter that runs the shim.
    find
        Template name → its text and where it was found; None if there is no such template.

    Attributes
    ----------
    templates : dict
        Name → text of each template that was used so far.
    """

    def __init__(self, profile: ClusterProfile, python: str, find: Finder) -> None:
        self.profile = profile
        self.python = python
        self.templates: dict[str, str] = {}
        self._find = find
        self._folder = profile.templates or profile.scheduler
        self._environment = jinja2.Environment(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._environment.filters["quote"] = lambda value: shlex.quote(str(value))
        self._environment.filters["mebibytes"] = lambda size: -(-size // _MEBIBYTE)
        self._environment.filters["clock"] = _clock

    def __call__(self, array: ArrayJob) -> str:
        """The job script of an array job.

        Raises
        ------
        TemplateError
            For a template that is missing or wrong, naming file and line.
        """
        return self.fill("array.sh.j2", "templates get `array`, `profile` and `python`", array=array)

    def fill(self, kind: str, hint: str, **values: Any) -> str:
        """Fill one of the scheduler's templates, such as ``array.sh.j2``; `hint` says which words it may use.

        Raises
        ------
        TemplateError
            For a template that is missing or wrong, naming file and line.
        """
        name = f"{self._folder}/{kind}"
        try:
            return self._environment.get_template(name).render(profile=self.profile, python=self.python, **values)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(
                f"there is no template `{error.name}`",
                hint="templates are looked for in `templates/` beside the workflow",
            ) from None
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"`{error.filename or name}`, line {error.lineno}: {error.message}") from None
        except jinja2.UndefinedError as error:
            raise TemplateError(f"`{name}`: {error.message}", hint=hint) from None

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = self._find(name)
        if found is None:
            return None
        self.templates[name] = found[0]
        return (*found, lambda: True)


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
