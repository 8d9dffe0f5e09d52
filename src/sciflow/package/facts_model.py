"""What `package.json` has to say, and in which types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sciflow.errors import PackageError
from sciflow.package.bags.bag import name_problem
from sciflow.package.opened_run import checked_name


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} leaves the package")
    return path


def _file(path: str) -> str:
    if why := name_problem(_inside(path).rstrip("/")):
        raise ValueError(f"{path!r} is no file of a package: {why}")
    return path


def _name(name: str) -> str:
    try:
        return checked_name(name)
    except PackageError as error:
        raise ValueError(error.message) from error


Inside = Annotated[str, AfterValidator(_inside)]
File = Annotated[str, AfterValidator(_file)]
Count = Annotated[int, Field(ge=0)]


class _Facts(BaseModel):
    # Readers tolerate more keys: later versions of sciflow say more.
    model_config = ConfigDict(strict=True, extra="allow")


class FactsOfState(_Facts):
    """How complete the run is."""

    complete: bool
    counts: dict[str, Count]
    missing: dict[str, dict[str, str]]
    combinations: Count
    completed: Count


class FactsOfLeftOut(_Facts):
    """One file that is not in the package."""

    path: Inside
    original: str
    why: str
    size: int
    sha256: str
    where: str


class FactsOfFile(_Facts):
    """One file that is in the package."""

    path: File
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PackageFacts(_Facts):
    """What `package.json` has to say."""

    format: Count
    name: Annotated[str, AfterValidator(_name)]
    sciflow: str
    run: str
    workflow: str
    created: str
    when: str
    state: FactsOfState
    environment: str
    import_path: list[Inside]
    functions: dict[str, dict[str, str]]
    reproducible: bool
    why_not: list[str]
    left_out: list[FactsOfLeftOut]
    redacted: dict[File, Count]
    warnings: list[str]
    contents: dict[str, list[File]]
    files: list[FactsOfFile]


def split_facts(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a `package.json` says that can be relied on, and what is wrong with the rest.

    Returns
    -------
    tuple
        The document without what is of another type or leaves the package, and one sentence for each of these.
    """
    whole = {name: value for name, value in document.items() if _is_text({name: value})}
    told = [
        f"`{name!a}` holds half a sign, which is no text".replace("'", "") for name in document if name not in whole
    ]
    try:
        PackageFacts.model_validate(whole)
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False, include_input=False) if one["loc"][0] in whole]
        lacking = [one for one in error.errors(include_url=False) if one["loc"][0] not in document]
        told += [f"`{'.'.join(str(part) for part in one['loc'])}`: {one['msg']}" for one in (*found, *lacking)]
        broken = {one["loc"][0] for one in found}
        return {name: value for name, value in whole.items() if name not in broken}, told
    return whole, told


def _is_text(value: Any) -> bool:
    """Whether all texts in a value can be written: JSON can hold halves of signs, which nothing can print."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
