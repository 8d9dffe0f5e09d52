"""How the environment here differs from the one that was recorded, and what each difference may affect."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

SAME, COMPATIBLE, DIFFERENT, MISSING = "same", "compatible", "different", "missing"
GRADES = (MISSING, DIFFERENT, COMPATIBLE, SAME)  # the worst first

# Variables that change what numerical programs compute, or in which order.
_MATTERING = re.compile(
    r"PYTHONHASHSEED|TZ|(?:OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB|JULIA_NUM)_\w+"
    r"|CUBLAS_WORKSPACE_CONFIG|NVIDIA_TF32_OVERRIDE|CUDA_LAUNCH_BLOCKING"
)
# Instructions that compute with several numbers at once, or with one rounding less: libraries choose by them.
_VECTOR_FLAG = re.compile(r"(?:avx|fma|sse|ssse|amx|f16c|asimd|sve|neon|vfp).*")
_DIGITS = "the last digits of floating point numbers may differ, since libraries choose their instructions by it"
_OF_SYSTEM = "system libraries and programs may be other versions"
_MOST_FLAGS = 8


@dataclass(frozen=True)
class Difference:
    """One thing in which two environments differ, or not.

    Attributes
    ----------
    subject
        What it is about: ``python``, ``os``, ``kernel``, ``architecture``, ``cpu``, ``gpu``, ``gpu driver``,
        ``container``, ``locale``, ``distribution numpy``, ``conda package zlib``, ``module gcc``, ``compiler gcc``,
        ``mpi mpirun``, ``variable OMP_NUM_THREADS``.
    grade
        ``same``, ``compatible``, ``different`` or ``missing``.
    recorded, present
        What was recorded and what is here; empty for nothing.
    affects
        What that may affect, as a part of a sentence; empty where nothing.
    """

    subject: str
    grade: str
    recorded: str
    present: str
    affects: str = ""

    @property
    def what(self) -> str:
        """The difference in one sentence."""
        values = f"{self.recorded or 'nothing'} there, {self.present or 'nothing'} here"
        values = self.recorded if self.grade == SAME else values
        return f"{self.subject}: {values}" + (f"; {self.affects}" if self.affects else "")

    def to_document(self) -> dict[str, str]:
        """The difference as JSON has it."""
        return {**asdict(self), "what": self.what}


def matters(name: str) -> bool:
    """Whether a variable of that name changes what numerical programs compute."""
    return _MATTERING.fullmatch(name) is not None


def present(python: str = sys.executable) -> dict[str, Any]:
    """The environment here and now, as an attempt of a run would record it.

    Parameters
    ----------
    python
        The interpreter whose distributions count.
    """
    # What is captured here is compared with what the same code has captured there.
    from sciflow_shim.environment import capture

    return capture(interpreter=python)


def distributions_in(folders: Iterable[Path]) -> dict[str, str]:
    """Distribution → version, of what is installed in folders, as a capture has it; no program is started for it."""
    from sciflow_shim.environment import distributions

    return distributions([str(folder) for folder in folders])


def differences(
    recorded: Mapping[str, Any], present: Mapping[str, Any], *, with_same: bool = False
) -> list[Difference]:
    """Compare two environments, subject by subject.

    Parameters
    ----------
    recorded, present
        As `sciflow_shim.environment.capture` gives them. What the first does not know is not compared.
    with_same
        Whether also those subjects are told that are the same.

    Returns
    -------
    list
        The worst first.
    """
    found = [
        *_machine(recorded, present),
        *_python(recorded, present),
        *_distributions(recorded, present),
        *_conda(recorded, present),
        *_modules(recorded, present),
        *_programs("compiler", "compilers", recorded, present),
        *_programs("mpi", "mpi", recorded, present),
        *_variables(recorded, present),
    ]
    order = {grade: place for place, grade in enumerate(GRADES)}
    return sorted((one for one in found if with_same or one.grade != SAME), key=lambda one: order[one.grade])


def part(captured: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One part of what was captured; what a stranger's file has in its place counts as nothing."""
    found = captured.get(name)
    return found if isinstance(found, Mapping) else {}


def worst(found: Iterable[Difference]) -> str:
    """The worst grade; ``same`` where there is no difference."""
    grades = {one.grade for one in found}
    return next((grade for grade in GRADES if grade in grades), SAME)


def _told(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return str(value) if isinstance(value, str | int | float) and value != "" else ""


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _graded(subject: str, there: str, here: str, grade: str, affects: str) -> Iterator[Difference]:
    """The difference of two values; nothing where nothing was recorded."""
    if there and there == here:
        yield Difference(subject, SAME, there, here)
    elif there:
        yield Difference(subject, grade if here else MISSING, there, here, affects)


def _machine(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    there, here = part(recorded, "os"), part(present, "os")
    is_same_system = _told(there, "id") == _told(here, "id")
    names = [_told(one, "name") or _told(one, "system") for one in (there, here)]
    yield from _graded("os", names[0], names[1], COMPATIBLE if is_same_system else DIFFERENT, _OF_SYSTEM)
    kernels = _told(there, "kernel"), _told(here, "kernel")
    yield from _graded("kernel", *kernels, COMPATIBLE, "programs see little of it but their timing")
    machines = _told(there, "machine"), _told(here, "machine")
    yield from _graded("architecture", *machines, DIFFERENT, f"compiled programs do not run there; {_DIGITS}")
    yield from _cpu(part(recorded, "cpu"), part(present, "cpu"))
    yield from _gpu(part(recorded, "gpu"), part(present, "gpu"))
    yield from _container(part(recorded, "container"), part(present, "container"))
    there, here = part(recorded, "locale"), part(present, "locale")
    names = [
        next((_told(one, name) for name in ("LC_ALL", "LANG", "LC_CTYPE") if name in one), "") for one in (there, here)
    ]
    yield from _graded("locale", names[0], names[1], COMPATIBLE, "how texts are sorted and written may differ")


def _cpu(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Difference]:
    flags = [{flag for flag in _texts(one.get("flags")) if _VECTOR_FLAG.fullmatch(flag)} for one in (there, here)]
    models = _told(there, "model"), _told(here, "model")
    if flags[0] and flags[0] != flags[1]:
        parts = [
            f"{word} {', '.join(sorted(names)[:_MOST_FLAGS])}{' …' if len(names) > _MOST_FLAGS else ''}"
            for word, names in (("without", flags[0] - flags[1]), ("with", flags[1] - flags[0]))
            if names
        ]
        yield Difference("cpu", DIFFERENT, models[0], f"{models[1]} {' and '.join(parts)}".strip(), _DIGITS)
        return
    yield from _graded(
        "cpu", *models, COMPATIBLE, "times differ; numbers hardly do, since it has the same instructions"
    )


def _gpu(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Difference]:
    models = [", ".join(sorted(set(_texts(one.get("models"))))) for one in (there, here)]
    affects = "the last digits of what is computed on it may differ" if models[1] else "programs that need it fail"
    yield from _graded("gpu", models[0], models[1], DIFFERENT, affects)
    if models[1] or not models[0]:
        drivers = _told(there, "driver"), _told(here, "driver")
        yield from _graded("gpu driver", *drivers, COMPATIBLE, "libraries may need a newer one")


def _container(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Difference]:
    names = [" ".join(filter(None, (_told(one, "kind"), _told(one, "image")))) for one in (there, here)]
    kinds = _told(there, "kind"), _told(here, "kind")
    if kinds[0] and names[0] == names[1]:
        yield Difference("container", SAME, names[0], names[1])
    elif kinds[0] or kinds[1]:
        affects = "what is installed beside Python may be another version"
        grade = DIFFERENT if all(kinds) or not kinds[0] else MISSING
        yield Difference("container", grade, names[0], names[1], affects)


def _python(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    parts = [part(one, "python") for one in (recorded, present)]
    there, here = (" ".join(filter(None, (_told(one, "implementation"), _told(one, "version")))) for one in parts)
    if _told(parts[0], "implementation") != _told(parts[1], "implementation"):
        yield from _graded("python", there, here, DIFFERENT, "compiled libraries do not fit it")
        return
    grade = _grade_of(_told(parts[0], "version"), _told(parts[1], "version"))
    affects = {
        COMPATIBLE: "only mistakes were mended between the two",
        DIFFERENT: "its library may behave differently, and other versions of libraries may be needed",
    }
    yield from _graded("python", there, here, grade, affects.get(grade, "nothing can be run"))


def _distributions(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    here = part(present, "distributions")
    for name, version in sorted(part(recorded, "distributions").items()):
        yield from _package("distribution", str(name), str(version), name in here, _told(here, name))


def _package(kind: str, name: str, there: str, is_here: bool, here: str) -> Iterator[Difference]:
    subject = f"{kind} {name}"
    if not is_here:
        yield Difference(subject, MISSING, there, "", f"code that imports or starts what `{name}` brings fails")
    elif there == here:
        yield Difference(subject, SAME, there, here)
    else:
        grade = _grade_of(there, here)
        is_close = "only mistakes should have been mended between the two, or it was built in another way"
        is_far = f"results may differ, and functions of `{name}` may be called in another way or be gone"
        yield Difference(subject, grade, there, here, is_close if grade == COMPATIBLE else is_far)


def _grade_of(there: str, here: str) -> str:
    """Compatible where no more than the third number, or what a builder adds, is another."""
    if there == here:
        return SAME
    try:
        numbers = [Version(one) for one in (there, here)]
    except InvalidVersion:
        return DIFFERENT
    is_pre = [one.is_prerelease for one in numbers]
    heads = [(one.epoch, *(*one.release, 0, 0)[:2]) for one in numbers]
    return COMPATIBLE if heads[0] == heads[1] and not any(is_pre) else DIFFERENT


def _conda(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    there, here = (part(part(one, "conda"), "packages") for one in (recorded, present))
    if there and not here:
        affects = "programs and libraries that conda has installed are others, or not there"
        yield Difference("conda", MISSING, f"{len(there)} packages", "", affects)
        return
    known = part(recorded, "distributions")
    for name, told in sorted(there.items()):
        if name not in known:
            versions = [str(one).partition("=")[0] for one in (told, here.get(name, ""))]
            yield from _package("conda package", str(name), versions[0], name in here, versions[1])


def _modules(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    here = {one.partition("/")[0]: one for one in _texts(present.get("modules"))}
    loaded = set(_texts(present.get("modules")))
    for one in _texts(recorded.get("modules")):
        name = one.partition("/")[0]
        other = one if one in loaded else here.get(name, "")
        affects = "programs and libraries may be other versions" if other else "its programs may not be found"
        yield from _graded(f"module {name}", one, other, DIFFERENT, affects)


def _programs(word: str, kind: str, recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    there, here = part(recorded, kind), part(present, kind)
    affects = (
        "what is compiled with it may compute other last digits"
        if kind == "compilers"
        else "sums over ranks may be added in another order"
    )
    for name in sorted(there):
        versions = [_told(part(one, name), "version") for one in (there, here)]
        if name in here and not versions[1]:
            versions[1] = "there, of unknown version"
        lacking = "what is compiled or started with it fails" if name not in here else affects
        yield from _graded(f"{word} {name}", versions[0], versions[1], DIFFERENT, lacking)


def _variables(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    there, here = part(recorded, "variables"), part(present, "variables")
    for name in sorted({*there, *here}):
        if matters(name):
            values = _told(there, name), _told(here, name)
            grade = SAME if values[0] == values[1] else DIFFERENT if name in here else MISSING
            affects = "" if grade == SAME else _of_variable(name)
            yield Difference(f"variable {name}", grade, values[0], values[1], affects)


def _of_variable(name: str) -> str:
    if name == "PYTHONHASHSEED":
        return "the order of sets may differ, and what depends on it"
    if name == "TZ":
        return "local times differ"
    return "how work is divided among threads may differ, and with it the last digits of sums"
