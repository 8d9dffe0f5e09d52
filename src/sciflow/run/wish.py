"""What somebody wants to be tried again, and how: as it is typed, and as it is asked of each failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sciflow.errors import RunError
from sciflow.model.cause import Cause
from sciflow.model.nearest import nearest
from sciflow.run.needs import Place

SCALED = ("memory", "runtime")
LARGEST = 1000.0  # factor: what is more is a slip


@dataclass(frozen=True)
class Wish:
    """What of a run is to be tried again, and how.

    Attributes
    ----------
    only
        These causes; None for all that are tried again by themselves.
    places
        These indices; None for all.
    scale
        Factors for what is asked for: ``memory``, ``runtime``.
    is_forced
        Whether also what would be given up is tried again.
    is_released
        Whether array jobs that a brake holds back go on.
    trusted
        Nodes that are used again although they were avoided.
    """

    only: frozenset[Cause] | None = None
    places: Mapping[str, set[int]] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    is_forced: bool = False
    is_released: bool = False
    trusted: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether not everything is meant."""
        return self.only is not None or self.places is not None

    def names(self, cause: Cause, place: Place) -> bool:
        """Whether something is asked for that is otherwise left alone."""
        return (self.only is not None and cause in self.only) or (self.places is not None and self.wants(place))

    def wants(self, place: Place) -> bool:
        """Whether an index is among those that are meant."""
        return self.places is None or place[1] in self.places.get(place[0], ())


def make_wish(
    only: str | Iterable[str] | None = None,
    places: Mapping[str, set[int]] | None = None,
    scale: Iterable[str] | Mapping[str, float] = (),
    is_forced: bool = False,
    is_released: bool = False,
    trusted: Iterable[str] = (),
) -> Wish:
    """Read a wish as it is typed: ``out_of_memory,timeout`` and ``memory=2``.

    Raises
    ------
    RunError
        For a cause that there is not, or a factor that is none.
    """
    causes = None
    if only is not None:
        words = only.split(",") if isinstance(only, str) else list(only)
        causes = frozenset(_cause(word.strip()) for word in words)
    pairs = list(scale.items()) if isinstance(scale, Mapping) else [_pair(text) for text in scale]
    names = [what for what, _ in pairs]
    if twice := next((what for what in names if names.count(what) > 1), ""):
        raise RunError(f"`{twice}` is scaled twice", hint=f"give one `{twice}=…`")
    factors = {what: _factor(what, text) for what, text in pairs}
    return Wish(causes, places, factors, is_forced, is_released, tuple(trusted))


def _cause(word: str) -> Cause:
    known = [cause.value for cause in Cause]
    if word not in known:
        raise RunError(f"`{word}` is no cause of a failure", hint=nearest(word, known))
    return Cause(word)


def _pair(text: str) -> tuple[str, str]:
    what, _, factor = text.partition("=")
    return what, factor


def _factor(what: str, text: str | float) -> float:
    if what not in SCALED:
        raise RunError(f"`{what}` cannot be scaled", hint=f"write {' or '.join(f'`{one}=2`' for one in SCALED)}")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise RunError(f"`{text}` is no factor for `{what}`", hint=f"write it like `{what}=2`")
    if not 1 / LARGEST <= factor <= LARGEST:
        raise RunError(
            f"`{text}` is no sensible factor for `{what}`", hint=f"it is between {1 / LARGEST:g} and {LARGEST:g}"
        )
    return factor
