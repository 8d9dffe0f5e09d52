"""Which law describes best what instances have needed, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.advice.fitting import fit
from sciflow.analysis.advice.law import Floats, Law
from sciflow.analysis.advice.terms import Power, Term, terms_for

FEWEST = 6  # known values below which nothing is fitted
BETTER = 4.0  # by how much Akaike's criterion has to be less for one more term
MATTERS = 0.05  # of what an instance needs: what changes nothing by more than that may be true, and is left out
_MOST_TERMS = 3
_STRANGE = 4.0  # standard errors that the middle of a third of the values may lie above the law


def best_law(parameters: Mapping[str, Sequence[Any]], values: Floats, is_least: NDArray[np.bool_]) -> Law | None:
    """The law that says most with least; None where no parameter says anything, or too little is known.

    Terms are added one by one, each that makes Akaike's criterion least, as long as that gains something.
    """
    if int((~is_least).sum()) < FEWEST:
        return None
    found = fit((), False, parameters, values, is_least)
    offers = [term for name, column in parameters.items() for term in terms_for(name, column)]
    while found is not None and len(found.terms) < _MOST_TERMS:
        fits = [
            law
            for term in offers
            if term.name not in found.names
            for law in _fits((*found.terms, term), parameters, values, is_least)
        ]
        best = found
        for law in sorted(fits, key=lambda law: (len(law.coefficients), law.score)):
            more = max(1, len(law.coefficients) - len(best.coefficients))
            if law.score < best.score - BETTER * more and np.abs(law.fitted - best.fitted).max() >= MATTERS:
                best = law
        if best is found:
            break
        found = best
    return found if found is not None and found.terms and not _is_strange(found) else None


def _fits(
    terms: tuple[Term, ...], parameters: Mapping[str, Sequence[Any]], values: Floats, is_least: NDArray[np.bool_]
) -> list[Law]:
    found = [fit(terms, False, parameters, values, is_least)]
    if any(isinstance(term, Power) and not term.is_curved for term in terms):
        found.append(fit(terms, True, parameters, values, is_least))
    return [law for law in found if law is not None]


def _is_strange(law: Law) -> bool:
    """Whether a third of the values, by size, lies above the law all together: then it holds for the others only."""
    order = np.argsort(law.fitted[~law.is_least], kind="stable")
    residuals = law.residuals[~law.is_least][order]
    for part in np.array_split(residuals, 3):
        if len(part) >= 3 and part.mean() * np.sqrt(len(part)) > _STRANGE * law.error:
            return True
    return False
