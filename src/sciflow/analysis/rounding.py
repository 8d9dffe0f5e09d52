"""Numbers with no more digits than their uncertainty allows.

The uncertainty has two significant digits, and the value ends where it ends, as the Guide to the Expression of
Uncertainty in Measurement has it (JCGM 100:2008, 7.2.6); written in short, the uncertainty stands in parentheses and
counts the last digits of the value (7.2.2). Halves go to the even digit. (The Particle Data Group keeps one digit where
the first three are 355 to 949; two never say less.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

_DIGITS = 2  # significant ones, of an uncertainty
_UNKNOWN = 6  # significant digits of a value whose uncertainty nobody knows
_FLOAT = 17  # more digits a float does not have
_SMALLEST, _LARGEST = -4, 6  # powers of ten that are written out
_EXACT = Context(prec=2000, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Rounded:
    """A value and its uncertainty, rounded.

    Attributes
    ----------
    value
        The digits of the value.
    uncertainty
        The digits of its uncertainty, to the same place; None where it is not known.
    exponent
        The power of ten by which both are multiplied.
    """

    value: str
    uncertainty: str | None = None
    exponent: int = 0

    @property
    def plain(self) -> str:
        """``1.234 ± 0.012``, or ``(1.234 ± 0.012)e-07``."""
        if self.uncertainty is None:
            return f"{self.value}{self._power}"
        text = f"{self.value} ± {self.uncertainty}"
        return f"({text}){self._power}" if self.exponent else text

    @property
    def alone(self) -> str:
        """``1.234``, or ``1.234e-07``: the value without its uncertainty."""
        return f"{self.value}{self._power}"

    @property
    def of_uncertainty(self) -> str:
        """``0.012``, or ``0.012e-07``: the uncertainty alone; nothing where it is not known."""
        return "" if self.uncertainty is None else f"{self.uncertainty}{self._power}"

    @property
    def short(self) -> str:
        """``1.234(12)``, or ``1.234(12)e-07``; with ``±`` where one of both is not finite."""
        if self.uncertainty is None or not self._is_short:
            return self.plain
        return f"{self.value}({self._last_digits}){self._power}"

    @property
    def latex(self) -> str:
        r"""``$1.234(12)$``, or ``$1.234(12) \times 10^{-7}$``."""
        power = rf" \times 10^{{{self.exponent}}}" if self.exponent else ""
        if self.value == "nan":
            return "nan"
        value, uncertainty = (one and one.replace("inf", r"\infty") for one in (self.value, self.uncertainty))
        if uncertainty is None:
            return f"${value}{power}$"
        if self._is_short:
            return f"${value}({self._last_digits}){power}$"
        return rf"$({value} \pm {uncertainty}){power}$" if power else rf"${value} \pm {uncertainty}$"

    @property
    def _is_short(self) -> bool:
        return self.uncertainty is not None and all(
            one.lstrip("-").replace(".", "", 1).isdigit() for one in (self.value, self.uncertainty)
        )

    @property
    def _last_digits(self) -> str:
        """The uncertainty, counted in units of the last digit of the value where that has decimals."""
        assert self.uncertainty is not None
        return self.uncertainty.replace(".", "").lstrip("0") or "0"

    @property
    def _power(self) -> str:
        return f"e{self.exponent:+03d}" if self.exponent else ""


def rounded(value: float, uncertainty: float | None = None) -> Rounded:
    """A value, rounded by its uncertainty.

    Parameters
    ----------
    value
        Any number; NaN and infinities are told as such.
    uncertainty
        Its standard uncertainty, or another; None and NaN for one that is not known: then the value has six
        significant digits. An uncertainty of 0 says that the value is exact: it is not rounded beyond these either.

    Raises
    ------
    ValueError
        For an uncertainty below 0.
    """
    value = float(value)
    if uncertainty is not None and uncertainty < 0:
        raise ValueError(f"an uncertainty is not negative: {uncertainty!r}")
    if not math.isfinite(value):
        return Rounded(f"{value}")
    if uncertainty is None or math.isnan(uncertainty):
        return _alone(value, None)
    if uncertainty == 0 or math.isinf(uncertainty):
        return _alone(value, "0" if uncertainty == 0 else "inf")
    return _together(Decimal(repr(value)), Decimal(repr(float(uncertainty))))


def _alone(value: float, uncertainty: str | None) -> Rounded:
    digits, _, power = f"{value + 0.0:.{_UNKNOWN}g}".partition("e")
    return Rounded("0" if digits == "-0" else digits, uncertainty, int(power or 0))


def _together(value: Decimal, uncertainty: Decimal) -> Rounded:
    short = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN).create_decimal(uncertainty)
    place = short.adjusted() - (_DIGITS - 1)  # the power of ten of the last digit
    largest = max(value.adjusted() if value else short.adjusted(), short.adjusted())
    step = Decimal((0, (1,), place))
    short = short.quantize(step, context=_EXACT)
    if largest - place >= _FLOAT:  # the float has no such digits, so none are made up
        return Rounded(f"{float(value)}", f"{short:e}")
    value = value.quantize(step, context=_EXACT)
    largest = max(value.adjusted() if value else short.adjusted(), short.adjusted())
    exponent = 0 if _SMALLEST <= largest < _LARGEST else largest
    texts = [f"{one.scaleb(-exponent, context=_EXACT):f}" for one in (abs(value), short)]
    if place > exponent:  # digits before the point that nobody knows are written as zeros
        texts = [f"{int(Decimal(one))}" for one in texts]
    return Rounded("-" + texts[0] if value < 0 else texts[0], texts[1], exponent)
