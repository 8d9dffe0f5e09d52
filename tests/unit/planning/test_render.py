"""An array job and a template become a job script."""

from __future__ import annotations

import pytest

from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.planning.render import script_renderer

ARRAY = ArrayJob("train.0", "train", 4, Resources())


def rendered(texts: dict[str, str], **said: str) -> str:
    """Render one array job with templates of these texts."""
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **said})
    found = {name: (text, f"/site/{name}") for name, text in texts.items()}
    return script_renderer(profile, "/opt/my python", found.get)(ARRAY)


def test_templates_get_the_array_the_profile_and_the_interpreter() -> None:
    """Values are put in as they are, or quoted where the template asks for it; lines of statements leave no blank."""
    text = "{% if array.count > 1 %}\n{{ array.name }} {{ profile.name }}\n{% endif %}\n{{ python | quote }}\n"
    assert rendered({"slurm/array.sh.j2": text}) == "train.0 site\n'/opt/my python'\n"


def test_a_template_may_extend_another() -> None:
    """A site changes one block and keeps the rest; the profile may choose another folder."""
    templates = {
        "bundled/array.sh.j2": "a\n{% block header %}\nb\n{% endblock %}\nc\n",
        "ours/array.sh.j2": "{% extends 'bundled/array.sh.j2' %}{% block header %}\n{{ super() }}d\n{% endblock %}",
    }
    assert rendered(templates, templates="ours") == "a\nb\nd\nc\n"


@pytest.mark.parametrize(
    ("templates", "reason", "hint"),
    [
        (
            {},
            "there is no template `slurm/array.sh.j2`",
            "templates are looked for in `templates/` beside the workflow",
        ),
        ({"slurm/array.sh.j2": "{% extends 'no.j2' %}"}, "there is no template `no.j2`", "templates"),
        ({"slurm/array.sh.j2": "a\n{% if %}"}, "`/site/slurm/array.sh.j2`, line 2: ", ""),
        (
            {"slurm/array.sh.j2": "{{ aray.name }}"},
            "`slurm/array.sh.j2`: 'aray' is undefined",
            "templates get `array`, `profile` and `python`",
        ),
        ({"slurm/array.sh.j2": "{{ profile.queue }}"}, "has no attribute 'queue'", "templates get"),
    ],
)
def test_what_is_wrong_with_a_template(templates: dict[str, str], reason: str, hint: str) -> None:
    """File and line or name are in the message."""
    with pytest.raises(TemplateError) as caught:
        rendered(templates)
    assert reason in caught.value.message
    assert hint in caught.value.hint
