"""An array job and a template become a job script."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest

from sciflow import assets
from sciflow.errors import TemplateError
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.render import ScriptRenderer, extension_of

ARRAY = ArrayJob("train.0", "train", 4, Resources())


def rendered(texts: dict[str, str], **said: str) -> str:
    """Render one array job with templates of these texts."""
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **said})
    found = {name: (text, f"/site/{name}") for name, text in texts.items()}
    return ScriptRenderer(profile, "/opt/my python", found.get)(ARRAY)


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


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00:00"), (59, "00:00:59"), (60, "00:01:00"), (129_600, "36:00:00"), (3_599_999, "999:59:59")],
)
def test_a_walltime_is_a_clock(seconds: int, shown: str) -> None:
    """Hours go on after a day."""
    assert rendered({"slurm/array.sh.j2": f"{{{{ {seconds} | clock }}}}"}) == shown


@pytest.mark.parametrize(("size", "shown"), [(1, "1"), (1024**2, "1"), (1024**2 + 1, "2"), (GIB, "1024"), (0, "0")])
def test_memory_is_in_whole_mebibytes(size: int, shown: str) -> None:
    """Never less than was asked for."""
    assert rendered({"slurm/array.sh.j2": f"{{{{ {size} | mebibytes }}}}"}) == shown


def renderer(texts: dict[str, str], **said: str) -> ScriptRenderer:
    """Return what renders scripts from templates of these texts."""
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **said})
    return ScriptRenderer(profile, "python3", {name: (text, name) for name, text in texts.items()}.get)


def test_the_templates_that_were_used_are_known() -> None:
    """With all that they include or extend, as they were read, and nothing that was not needed."""
    texts = {
        "slurm/array.sh.j2": "{% extends 'base.j2' %}{% block a %}{% include 'setup.j2' %}{% endblock %}",
        "base.j2": "{% block a %}{% endblock %}",
        "setup.j2": "{{ array.name }}",
        "slurm/tend.sh.j2": "{{ request.cpu_cores }}",
    }
    render = renderer(texts)
    assert render.templates == {}
    render(ARRAY)
    assert render.templates == {name: text for name, text in texts.items() if name != "slurm/tend.sh.j2"}
    render.errand(request=Resources(2))
    assert render.templates == texts


def test_from_the_templates_that_were_used_the_same_comes_again() -> None:
    """Whatever has become of the files since."""
    texts = {"slurm/array.sh.j2": "{% include 'setup.j2' %} {{ array.name_on_node }}", "setup.j2": "{{ profile.name }}"}
    first = renderer(texts)
    before = first(ARRAY)
    assert renderer(first.templates)(ARRAY) == before
    assert renderer(first.templates)(replace(ARRAY, variant="r1")) == before + "@r1"


def test_a_small_job_has_the_template_of_the_lab_or_that_of_the_scheduler() -> None:
    """Most labs have none for it."""
    texts = {"slurm/tend.sh.j2": "theirs: {{ what }} {{ python }} {{ profile.name }}"}
    assert renderer(texts, templates="lab").errand(what="x") == "theirs: x python3 site"
    assert renderer({**texts, "lab/tend.sh.j2": "ours: {{ what }}"}, templates="lab").errand(what="x") == "ours: x"


def test_what_is_wrong_with_the_template_of_a_small_job() -> None:
    """That there is none, or what it asks for in vain."""
    with pytest.raises(TemplateError) as caught:
        renderer({}, templates="lab").errand(what="x")
    assert caught.value.message == "there is no template `lab/tend.sh.j2`"
    with pytest.raises(TemplateError) as caught:
        renderer({"slurm/tend.sh.j2": "{{ array.name }}"}).errand(what="x", more="y")
    assert caught.value.message == "`slurm/tend.sh.j2`: 'array' is undefined"
    assert caught.value.hint == "templates get `what`, `more`, `profile` and `python`"


ARRAYS = [
    ARRAY,
    ArrayJob(
        "train.1",
        "train",
        3,
        Resources(4, GIB, 2, 5400, nodes=2, mpi_tasks=8),
        (Dependency("a.0", "element"), Dependency("b.0", "whole")),
        datetime(2031, 5, 14, 22, tzinfo=timezone.utc),
        Options(partition="short", gpu_type="a100", directives=("--exclusive",), modules=("gcc",), setup=("true",)),
    ),
]


@pytest.mark.parametrize("scheduler", ["slurm", "local"])
def test_an_exported_template_changes_nothing_yet(scheduler: str, tmp_path: Path) -> None:
    """It extends the bundled one, which it shows for reading; its scripts are the same, byte by byte."""
    profile = ClusterProfile.model_validate(
        {
            "name": "site",
            "scheduler": scheduler,
            "environment": {"A": "it's"},
            "limits": {"running_indices": 5, "seconds_to_kill": 30},
        }
    )
    find = partial(assets.read_template, tmp_path)
    before = [ScriptRenderer(profile, "/usr/bin/python3", find)(array) for array in ARRAYS]
    bundled = (assets.bundled("templates") / scheduler / "array.sh.j2").read_text()
    target = tmp_path / "templates" / scheduler / "array.sh.j2"
    target.parent.mkdir(parents=True)
    target.write_text(extension_of(scheduler, bundled))
    assert '{% extends "bundled/job/array.sh.j2" %}' in target.read_text()
    assert find(f"{scheduler}/array.sh.j2") == (target.read_text(), str(target))
    assert [ScriptRenderer(profile, "/usr/bin/python3", find)(array) for array in ARRAYS] == before


def test_a_block_of_an_exported_template_can_be_filled(tmp_path: Path) -> None:
    """As its own example shows."""
    bundled = (assets.bundled("templates") / "slurm" / "array.sh.j2").read_text()
    target = tmp_path / "templates" / "slurm" / "array.sh.j2"
    target.parent.mkdir(parents=True)
    example = "{% block directives %}\n{{ super() -}}\n#SBATCH --mail-type=FAIL\n{% endblock %}\n"
    text = extension_of("slurm", bundled)
    assert example.strip() in text
    target.write_text(text + example)
    profile = ClusterProfile(name="site", scheduler="slurm")
    script = ScriptRenderer(profile, "python3", partial(assets.read_template, tmp_path))(ARRAY).splitlines()
    place = script.index("#SBATCH --mail-type=FAIL")
    assert script[place - 1].startswith("#SBATCH --")
    assert script.count("#SBATCH --array=0-3") == 1
