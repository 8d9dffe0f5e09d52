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
        self._environment.globals["refuse"] = _refuse

    def __call__(self, array: ArrayJob) -> str:
        """The job script of an array job.

        Raises
        ------
        TemplateError
            For a template that is missing or wrong, naming file and line.
        """
        return self._filled([f"{self._folder}/array.sh.j2"], {"array": array})

    def errand(self, **values: Any) -> str:
        """The job script of the small job that tends a run; where a lab's templates have none, that of the scheduler.

        Raises
        ------
        TemplateError
            For a template that is missing or wrong, naming file and line.
        """
        return self._filled([f"{self._folder}/tend.sh.j2", f"{self.profile.scheduler}/tend.sh.j2"], values)

    def _filled(self, names: list[str], values: dict[str, Any]) -> str:
        name = names[0]
        try:
            template = self._environment.select_template(names)
            return template.render(profile=self.profile, python=self.python, **values)
        except jinja2.TemplateNotFound as error:
            missing = name if isinstance(error, jinja2.TemplatesNotFound) else error.name
            raise TemplateError(
                f"there is no template `{missing}`",
                hint="templates are looked for in `templates/` beside the workflow",
            ) from None
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"`{error.filename or name}`, line {error.lineno}: {error.message}") from None
        except jinja2.UndefinedError as error:
            words = ", ".join(f"`{word}`" for word in (*values, "profile"))
            raise TemplateError(f"`{name}`: {error.message}", hint=f"templates get {words} and `python`") from None

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


def _refuse(text: str, hint: str) -> None:
    """What a template calls where it cannot do what is asked for."""
    raise TemplateError(text, hint=hint)


def _clock(seconds: int) -> str:
    """Seconds as schedulers write a walltime: ``36:00:00``."""
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
