"""Who made what is packaged, under which licence, and how it is cited."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered.people import Author, author_of, gather_people, orcid_of
from sciflow.package.packaged_run import PackagedRun

_CFF = """
cff-version: 1.2.0
title: Spins
message: cite it
doi: https://doi.org/10.5281/zenodo.1234
license: BSD-3-Clause
authors:
  - given-names: Ada
    family-names: Lovelace
    orcid: https://orcid.org/0000-0002-1825-0097
  - name: The Spin Collaboration
"""

_MIT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy"
    " of this software … The above copyright notice"
)


def _packaged(metadata: dict[str, Any] | None = None) -> PackagedRun:
    nothing, plan = cast("Any", None), cast("Any", SimpleNamespace(workflow="spins"))
    manifest = {"user": "ada", "metadata": metadata or {}}
    return PackagedRun("spins", nothing, manifest, plan, nothing, datetime(2026, 3, 4, tzinfo=timezone.utc))


def _with(**files: str) -> Contents:
    contents = Contents()
    for name, text in files.items():
        contents.add(f"project/{name.replace('_', '.')}", text.encode())
    return contents


def test_an_author_is_read_from_one_line() -> None:
    """Name, address and ORCID can stand in one line."""
    said = author_of("Ada  Lovelace <ada@example.org> (0000-0002-1825-0097)")
    assert said == Author("Ada Lovelace", "Ada", "Lovelace", "https://orcid.org/0000-0002-1825-0097", "ada@example.org")
    assert author_of("Lovelace, Ada") == author_of("Ada Lovelace")
    assert author_of("Plato") == Author("Plato")


@pytest.mark.parametrize("said", ["", "  ", "<ada@example.org>", 17, "Ada <ada", {"orcid": "0000-0002-1825-0097"}])
def test_what_is_no_author_is_refused(said: Any) -> None:
    """An author without a name is an error that shows what was said."""
    with pytest.raises(PackageError):
        author_of(said)


def test_an_orcid_with_a_wrong_digit_is_refused() -> None:
    """The last character of an ORCID checks the others."""
    assert orcid_of("https://orcid.org/0000-0002-1694-233X") == "https://orcid.org/0000-0002-1694-233X"
    for said in ("0000-0002-1825-0098", "0000-0002-1825-009", "1825"):
        with pytest.raises(PackageError, match="no ORCID"):
            orcid_of(said)


def test_a_projects_citation_is_taken_in_as_it_is() -> None:
    """`CITATION.cff` tells authors, licence and DOI, and is in the package byte for byte."""
    contents = _with(CITATION_cff=_CFF)
    people = gather_people(_packaged(), contents)
    assert [one.name for one in people.authors] == ["Ada Lovelace", "The Spin Collaboration"]
    assert people.authors[1].family == ""
    assert (people.license, people.doi, people.title) == ("BSD-3-Clause", "10.5281/zenodo.1234", "Spins")
    assert contents.entries[layout.CITATION].source == _CFF.encode()


def test_what_is_said_comes_before_the_workflow_and_that_before_files() -> None:
    """`--author` and `--license` win over `metadata`, that over `CITATION.cff`, and that over `pyproject.toml`."""
    project = '[project]\nauthors = [{name = "Grace Hopper"}]\nlicense = "MIT"\ndescription = "of the project"\n'
    contents = _with(CITATION_cff=_CFF, pyproject_toml=project)
    said = {"authors": ["Emmy Noether"], "license": "CC-BY-4.0", "description": "of the workflow"}
    people = gather_people(_packaged(said), contents, authors=["Ada Lovelace"])
    assert [one.name for one in people.authors] == ["Ada Lovelace"]
    assert (people.license, people.description) == ("CC-BY-4.0", "of the workflow")
    assert gather_people(_packaged(), _with(pyproject_toml=project)).authors[0].name == "Grace Hopper"


def test_a_citation_is_made_only_where_authors_are_known() -> None:
    """Without authors there is no citation; with them it has the run's date, and nothing of whoever packages."""
    contents = Contents()
    assert gather_people(_packaged(), contents).user == "ada"
    assert layout.CITATION not in contents.entries
    gather_people(_packaged(), contents, authors=["Ada Lovelace"], license="MIT")
    made = yaml.safe_load(cast("bytes", contents.entries[layout.CITATION].source))
    assert made["authors"] == [{"given-names": "Ada", "family-names": "Lovelace"}]
    assert (str(made["date-released"]), made["license"]) == ("2026-03-04", "MIT")


def test_a_licence_is_known_by_its_text() -> None:
    """The text of a licence goes into the package, and tells which it is."""
    contents = _with(LICENSE=_MIT)
    assert gather_people(_packaged(), contents).license == "MIT"
    assert contents.entries[layout.LICENSE].source == _MIT.encode()


@pytest.mark.parametrize("name", ["CITATION_cff", "pyproject_toml"])
def test_a_file_that_cannot_be_read_is_a_warning(name: str) -> None:
    """A damaged file about people does not stop a package, and is told."""
    contents = _with(**{name: "[project\n authors: {"})
    assert gather_people(_packaged(), contents).authors == ()
    assert "cannot be read" in contents.warnings[0]


def test_what_the_projects_files_say_otherwise_is_told() -> None:
    """Authors and a licence that are not those of `CITATION.cff` and `LICENSE` are warned of, both by name."""
    contents = _with(CITATION_cff=_CFF, LICENSE=_MIT)
    people = gather_people(_packaged(), contents, authors=["Wei Chen"], license="GPL-3.0-or-later")
    assert people.license_text == "MIT"
    text = "\n".join(contents.warnings)
    for said in ("`project/LICENSE` is the text of `MIT`", "says `BSD-3-Clause`", "names Ada Lovelace, The Spin"):
        assert said in text
    assert "to be Wei Chen" in text


def test_what_agrees_is_not_warned_of() -> None:
    """The project's own word, and one licence of several, are no contradiction."""
    contents = _with(CITATION_cff=_CFF.replace("BSD-3-Clause", "MIT OR Apache-2.0"), LICENSE=_MIT)
    assert gather_people(_packaged(), contents).license_text == ""
    assert contents.warnings == []
