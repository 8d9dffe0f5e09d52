"""Who made what is packaged, under which licence it may be used, and how it is cited."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered.licences import is_text_of, licence_in
from sciflow.package.packaged_run import PackagedRun

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TEXTS_OF_LICENCES = re.compile(r"(LICEN[CS]E|COPYING)([.-].*)?", re.IGNORECASE)
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")
_WRITTEN = re.compile(
    r"\s*(?P<name>[^<(\s][^<(]*?)\s*(?:<(?P<email>[^<>\s]+@[^<>\s]+)>)?\s*(?:\((?P<orcid>[^()]*)\))?\s*"
)
_LARGEST = 1_000_000  # bytes of a file that tells of people


@dataclass(frozen=True)
class Author:
    """Somebody who made it.

    Attributes
    ----------
    name
        As one writes it: ``Ada Lovelace``.
    given, family
        Its parts, where they are known; both empty for an organisation.
    orcid
        The whole address, ``https://orcid.org/0000-…``, or empty.
    """

    name: str
    given: str = ""
    family: str = ""
    orcid: str = ""
    email: str = ""
    affiliation: str = ""


@dataclass(frozen=True)
class People:
    """Who made it, what it is called, and how it may be used.

    Attributes
    ----------
    authors
        Those who are named; empty where nobody is.
    user
        The login name of whoever made the run: who ran it, and the only one known where there are no authors.
    license
        As SPDX has it (``MIT``), or the address of a licence, or what was said; empty where nothing is.
    title, description, keywords
        What it is.
    doi
        Its address, without ``https://doi.org/``; empty where there is none.
    source
        Where the code is kept; empty where nobody said.
    license_text
        Which licence the project's `LICENSE` is, where that is known to be another one; else empty.
    """

    authors: tuple[Author, ...] = ()
    user: str = ""
    license: str = ""
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    doi: str = ""
    source: str = ""
    license_text: str = ""


def gather_people(packaged: PackagedRun, contents: Contents, authors: Sequence[str] = (), license: str = "") -> People:
    """Find out who made it, and take in its licence and its citation; after the project was gathered.

    What is said here comes before what the workflow says under `metadata`, that before the project's `CITATION.cff`,
    and that before its `pyproject.toml`. Whoever packages is not asked, and neither is the configuration of git: a
    package is the same whoever makes it.

    Parameters
    ----------
    authors
        ``Ada Lovelace <ada@example.org> (0000-0002-1825-0097)``; address and ORCID may be left out.
    license
        As `People.license`.

    Raises
    ------
    PackageError
        For an author that cannot be read.
    """
    given: dict[str, Any] = {"authors": [author_of(one) for one in authors], "license": license.strip()}
    cff, cff_text = _citation(contents)
    licence_path, licence_text = _licence_text(contents)
    sources = [
        given,
        _of_metadata(packaged.manifest.get("metadata") or {}, contents),
        cff,
        _of_pyproject(contents),
        {"license": (of_text := licence_in(licence_text))},
    ]
    found: dict[str, Any] = {name: next((one[name] for one in sources if one.get(name)), "") for name in _FIELDS}
    people = People(
        authors=tuple(found["authors"] or ()),
        user=str(packaged.manifest.get("user", "")),
        license=found["license"],
        title=found["title"] or packaged.plan.workflow,
        description=found["description"],
        keywords=tuple(found["keywords"] or ()),
        doi=found["doi"],
        source=found["source"],
        license_text="" if is_text_of(found["license"], of_text) else of_text,
    )
    _tell_disagreement(people, cff, licence_path, contents)
    if licence_text:
        contents.add(layout.LICENSE, licence_text.encode(), f"the licence, as in `{licence_path}`")
    if cff_text:
        contents.add(layout.CITATION, cff_text.encode(), "how to cite it, as the project has it")
    elif people.authors:
        contents.add(layout.CITATION, _made_citation(people, packaged).encode(), "how to cite it")
    return people


def _tell_disagreement(people: People, cff: Mapping[str, Any], licence_path: str, contents: Contents) -> None:
    """Tell where the project's own files say otherwise than the package does: readers find both."""
    if people.license_text:
        contents.warnings.append(
            f"the licence is said to be `{people.license}`, but `{licence_path}` is the text of `{people.license_text}`"
        )
    theirs = str(cff.get("license") or "")
    if theirs and people.license.casefold() != theirs.casefold():
        contents.warnings.append(
            f"the licence is said to be `{people.license}`, but the project's `{layout.CITATION}` says `{theirs}`"
        )
    cited = [one.name for one in cff.get("authors") or ()]
    named = [one.name for one in people.authors]
    if cited and sorted(cited) != sorted(named):
        contents.warnings.append(
            f"the authors are said to be {', '.join(named)}, but the project's `{layout.CITATION}`, which is in the "
            f"package as it is, names {', '.join(cited)}"
        )


_FIELDS = ("authors", "license", "title", "description", "keywords", "doi", "source")


def author_of(said: Any) -> Author:
    """An author as somebody wrote it down: text, or a mapping with `name`, `orcid`, `email` and `affiliation`.

    Raises
    ------
    PackageError
        Where it has no name, or an ORCID that is none.
    """
    if isinstance(said, Mapping):
        return _from_mapping(said)
    match = _WRITTEN.fullmatch(str(said)) if isinstance(said, str) else None
    if match is None:
        raise PackageError(
            f"`{said}` cannot be read as an author", hint="write it as `Ada Lovelace <ada@example.org> (0000-0002-…)`"
        )
    name, email, orcid = match["name"], match["email"] or "", match["orcid"] or ""
    return _named(name, orcid=orcid_of(orcid) if orcid else "", email=email)


def orcid_of(said: str) -> str:
    """The whole address of an ORCID.

    Raises
    ------
    PackageError
        Where it is none: its last character is a check of the others.
    """
    match = _ORCID.fullmatch(said.strip())
    if match is None or not _is_checked(match[1]):
        raise PackageError(f"`{said}` is no ORCID", hint="one looks like `0000-0002-1825-0097`")
    return f"https://orcid.org/{match[1]}"


def _is_checked(orcid: str) -> bool:
    total = 0
    digits = orcid.replace("-", "")
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == digits[-1]


def _named(name: str, **more: str) -> Author:
    """An author whose name is one text: `Lovelace, Ada`, or given names and then the family's."""
    name = " ".join(name.split())
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        given, _, family = name.rpartition(" ")
    return Author(f"{given} {family}".strip(), given, family if given else "", **more)


def _from_mapping(said: Mapping[str, Any]) -> Author:
    texts = {str(key): " ".join(str(value).split()) for key, value in said.items() if value is not None}
    more = {name: texts[name] for name in ("email", "affiliation") if name in texts}
    if texts.get("orcid"):
        more["orcid"] = orcid_of(texts["orcid"])
    given = texts.get("given-names") or texts.get("given") or ""
    family = " ".join(filter(None, (texts.get("name-particle"), texts.get("family-names") or texts.get("family"))))
    if given or family:
        return Author(f"{given} {family}".strip(), given, family, **more)
    if not texts.get("name"):
        raise PackageError(f"an author has no `name`: {dict(said)}")
    is_organisation = not (set(texts) & {"orcid", "affiliation"}) and "," not in texts["name"]
    if is_organisation and len(texts["name"].split()) != 2:
        return Author(texts["name"], **more)
    return _named(texts["name"], **more)


def _of_metadata(said: Mapping[str, Any], contents: Contents) -> dict[str, Any]:
    """What a workflow file says under `metadata`."""
    authors = said.get("authors") or said.get("author") or ()
    if isinstance(authors, str | Mapping):
        authors = (authors,)
    return {
        "authors": _readable(authors, "the workflow's `metadata`", contents),
        "license": str(said.get("license") or said.get("licence") or ""),
        "title": str(said.get("title") or ""),
        "description": str(said.get("description") or ""),
        "keywords": _words(said.get("keywords")),
        "doi": _doi(said.get("doi")),
        "source": str(said.get("url") or ""),
    }


def _of_pyproject(contents: Contents) -> dict[str, Any]:
    text = _text(contents, "pyproject.toml")[1]
    if not text:
        return {}
    try:
        said = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError as error:
        contents.warnings.append(f"the project's `pyproject.toml` cannot be read: {error}")
        return {}
    license = said.get("license") or ""
    if isinstance(license, Mapping):  # as it was written before it was an SPDX expression
        license = str(license.get("text", "")).partition("\n")[0]
    return {
        "authors": _readable(said.get("authors", ()), "`pyproject.toml`", contents),
        "license": license,
        "description": str(said.get("description", "")),
        "keywords": _words(said.get("keywords")),
    }


def _citation(contents: Contents) -> tuple[dict[str, Any], str]:
    """What the project's `CITATION.cff` says, and its text; nothing of one that cannot be read."""
    path, text = _text(contents, "CITATION.cff")
    if not text:
        return {}, ""
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = f"it is no YAML: {error}"
    if not isinstance(said, dict):
        contents.warnings.append(f"`{path}` cannot be read: {said if isinstance(said, str) else 'it holds no mapping'}")
        return {}, ""
    license = said.get("license") or said.get("license-url") or ""
    identifiers = [one for one in said.get("identifiers") or () if isinstance(one, Mapping)]
    doi = said.get("doi") or next((one.get("value") for one in identifiers if one.get("type") == "doi"), "")
    return {
        "authors": _readable(said.get("authors") or (), f"`{path}`", contents),
        "license": str(license[0] if isinstance(license, list) else license),
        "title": str(said.get("title") or ""),
        "description": str(said.get("abstract") or ""),
        "keywords": _words(said.get("keywords")),
        "doi": _doi(doi),
        "source": str(said.get("repository-code") or said.get("url") or ""),
    }, text


def _readable(said: Any, where: str, contents: Contents) -> list[Author]:
    """Those authors that can be read; of the others there is a warning, since the package can do without them."""
    found = []
    for one in said if isinstance(said, list | tuple) else (said,):
        try:
            found.append(author_of(one))
        except PackageError as error:
            contents.warnings.append(f"{where}: {error.message}")
    return found


def _words(said: Any) -> list[str]:
    if isinstance(said, str):
        return [word.strip() for word in said.split(",") if word.strip()]
    return [str(one) for one in said] if isinstance(said, list | tuple) else []


def _doi(said: Any) -> str:
    return re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", str(said or "").strip(), flags=re.IGNORECASE)


def _licence_text(contents: Contents) -> tuple[str, str]:
    for path in _project_files(contents):
        if _TEXTS_OF_LICENCES.fullmatch(path.rpartition("/")[2]):
            return path, _read(contents.entries[path].source)
    return "", ""


def _text(contents: Contents, name: str) -> tuple[str, str]:
    path = next((path for path in _project_files(contents) if path.rpartition("/")[2] == name), "")
    return (path, _read(contents.entries[path].source)) if path else ("", "")


def _project_files(contents: Contents) -> Iterator[str]:
    """The project's files, those of its top first."""
    inside = (path for path in contents.entries if path.startswith(f"{layout.PROJECT}/"))
    return iter(sorted(inside, key=lambda path: (path.count("/"), path)))


def _read(source: Path | bytes) -> str:
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(_LARGEST)
    return source.decode("utf-8", errors="replace")


def _made_citation(people: People, packaged: PackagedRun) -> str:
    """A `CITATION.cff` for a project that has none: of what is known."""
    said: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these results, please cite them as below.",
        "type": "dataset",
        "title": people.title,
        "authors": [_in_cff(one) for one in people.authors],
        "date-released": packaged.when.date(),
        "abstract": people.description,
        "keywords": list(people.keywords),
        "doi": people.doi,
        "repository-code": people.source,
    }
    if re.fullmatch(r"[A-Za-z0-9.+-]+", people.license):
        said["license"] = people.license
    return yaml.safe_dump({key: value for key, value in said.items() if value}, sort_keys=False, allow_unicode=True)


def _in_cff(author: Author) -> dict[str, str]:
    name = {"given-names": author.given, "family-names": author.family} if author.family else {"name": author.name}
    facts = {**name, "orcid": author.orcid, "email": author.email, "affiliation": author.affiliation}
    return {key: value for key, value in facts.items() if value}
