"""Scripts and documents by which an array job is tried again under another request."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB
from sciflow.run.track import read_plan
from sciflow.run.variants import next_of, read_variant, renderer_of, write_variant
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files


def grown(run: RunDirectory, variant: str = "r1") -> ArrayJob:
    """Return an array job that gets more memory."""
    array = read_plan(run).array("a.0")
    return replace(array, variant=variant, resources=array.resources._replace(memory_bytes=3 * GIB))


def test_a_variant_has_a_script_and_a_document(chain: RunDirectory) -> None:
    """The script can be run; the document has the request, and what else the indices are to know."""
    write_variant(chain.path, grown(chain), lambda array: f"echo {array.name_on_node}\n", only="3,5", members=2)
    script = chain.script("a.0@r1")
    assert script.read_text() == "echo a.0@r1\n"
    assert script.stat().st_mode & 0o111
    assert read_document(chain.header("a.0@r1")) == {
        "format": files.FORMAT,
        "request": grown(chain).resources._asdict(),
        "only": "3,5",
        "members": 2,
    }


def test_a_variant_comes_back_with_its_request(chain: RunDirectory) -> None:
    """All else is that of the plan."""
    write_variant(chain.path, grown(chain), renderer_of(chain))
    assert read_variant(chain, read_plan(chain).array("a.0"), "r1") == grown(chain)


def test_a_variant_that_is_not_there_is_an_error_of_the_run(chain: RunDirectory) -> None:
    """The file is named."""
    with pytest.raises(RunError, match=r"`a\.0@r1\.json`"):
        read_variant(chain, read_plan(chain).array("a.0"), "r1")


def test_a_script_that_cannot_be_written_leaves_none(chain: RunDirectory) -> None:
    """Its document alone is no variant: whoever tries again writes both anew."""

    def refuse(array: ArrayJob) -> str:
        raise RunError("no")

    with pytest.raises(RunError, match="no"):
        write_variant(chain.path, grown(chain), refuse)
    assert not chain.script("a.0@r1").exists()


def test_links_after_the_first_have_a_name_of_their_own() -> None:
    """In each round of a chain that is tried again."""
    assert (next_of(""), next_of("r3")) == ("next", "r3-next")


def test_scripts_are_made_of_the_templates_that_were_used(chain: RunDirectory, tmp_path: Path) -> None:
    """The same array job has the same script, whatever has become of the templates and the profile since."""
    before = chain.script("a.0").read_text()
    (tmp_path / "templates" / "slurm").mkdir(parents=True)
    (tmp_path / "templates" / "slurm" / "array.sh.j2").write_text("echo changed\n")
    (tmp_path / "site.yaml").write_text("name: site\nscheduler: slurm\naccount: other\n")
    render, array = renderer_of(chain), read_plan(chain).array("a.0")
    assert render(array) == before
    assert "a.0@r1" in render(replace(array, variant="r1"))


def test_where_no_templates_were_kept_those_of_now_are_used(chain: RunDirectory, tmp_path: Path) -> None:
    """A run of an earlier sciflow has kept none."""
    (chain / files.TEMPLATES).unlink()
    array = read_plan(chain).array("a.0")
    assert renderer_of(chain)(array) == chain.script("a.0").read_text()
    (tmp_path / "templates" / "slurm").mkdir(parents=True)
    (tmp_path / "templates" / "slurm" / "array.sh.j2").write_text("echo changed\n")
    assert renderer_of(chain)(array) == "echo changed\n"


def test_a_template_that_was_not_kept_is_looked_for(chain: RunDirectory, tmp_path: Path) -> None:
    """That of the job that tends a run is used by runs which were made without it."""
    assert not any("tend" in name for name in json.loads((chain / files.TEMPLATES).read_text()))
    (tmp_path / "templates" / "slurm").mkdir(parents=True)
    (tmp_path / "templates" / "slurm" / "tend.sh.j2").write_text("tend {{ what }}\n")
    assert renderer_of(chain).errand(what="it") == "tend it\n"


def test_scripts_are_run_by_the_interpreter_that_the_run_was_made_with(chain: RunDirectory) -> None:
    """Or by that which its profile names."""
    manifest = read_document(chain.manifest)
    assert renderer_of(chain).python == manifest["interpreter"]
    manifest["profile"]["python"] = "/opt/python"
    chain.manifest.write_text(json.dumps(manifest))
    assert renderer_of(chain).python == "/opt/python"
