"""Numbers with no more digits than their uncertainty allows."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.analysis.rounding import Rounded, rounded

VALUES = st.floats(allow_nan=False, allow_infinity=False)
UNCERTAINTIES = st.floats(min_value=5e-324, allow_infinity=False, exclude_min=False)


@pytest.mark.parametrize(
    ("value", "uncertainty", "short", "plain"),
    [
        (1.2345, 0.0123, "1.234(12)", "1.234 ± 0.012"),
        (-1.2345, 0.0123, "-1.234(12)", "-1.234 ± 0.012"),
        (10.05762, 0.027, "10.058(27)", "10.058 ± 0.027"),  # the guide's own example
        (1.0, 0.0996, "1.00(10)", "1.00 ± 0.10"),
        (2.0, 0.5, "2.00(50)", "2.00 ± 0.50"),
        (0.012, 1.5, "0.0(15)", "0.0 ± 1.5"),
        (-0.04, 1.5, "0.0(15)", "0.0 ± 1.5"),
        (12.34, 3.21, "12.3(32)", "12.3 ± 3.2"),
        (1234.5, 123.0, "1230(120)", "1230 ± 120"),
        (3.0, 1234.0, "0(1200)", "0 ± 1200"),
        (0.0, 0.0123, "0.000(12)", "0.000 ± 0.012"),
        (1.2345e-9, 1.2e-11, "1.234(12)e-09", "(1.234 ± 0.012)e-09"),
        (9.9999e5, 1.0e2, "999990(100)", "999990 ± 100"),
        (9.999999e5, 1.0e2, "1.00000(10)e+06", "(1.00000 ± 0.00010)e+06"),
        (6.02214076e23, 3.0e16, "6.02214076(30)e+23", "(6.02214076 ± 0.00000030)e+23"),
        (1.23456789, None, "1.23457", "1.23457"),
        (1.23456789, math.nan, "1.23457", "1.23457"),
        (1.5, 0.0, "1.5(0)", "1.5 ± 0"),
        (-0.0, None, "0", "0"),
        (1e-300, None, "1e-300", "1e-300"),
        (1.5, math.inf, "1.5 ± inf", "1.5 ± inf"),
        (math.nan, 0.1, "nan", "nan"),
        (-math.inf, 0.1, "-inf", "-inf"),
        (7, 2, "7.0(20)", "7.0 ± 2.0"),
        (1e300, 1e-300, "1e+300 ± 1.0e-300", "1e+300 ± 1.0e-300"),
    ],
)
def test_the_uncertainty_has_two_digits(value: float, uncertainty: float | None, short: str, plain: str) -> None:
    """The value ends where its uncertainty ends; halves go to the even digit."""
    assert (rounded(value, uncertainty).short, rounded(value, uncertainty).plain) == (short, plain)


@pytest.mark.parametrize(
    ("value", "uncertainty", "latex"),
    [
        (1.2345, 0.0123, "$1.234(12)$"),
        (1.2345e-9, 1.2e-11, r"$1.234(12) \times 10^{-9}$"),
        (1.5, None, "$1.5$"),
        (1.5, math.inf, r"$1.5 \pm \infty$"),
        (-math.inf, None, r"$-\infty$"),
        (math.nan, None, "nan"),
    ],
)
def test_latex_has_it_as_mathematics(value: float, uncertainty: float | None, latex: str) -> None:
    """A minus is one, and powers of ten are written out."""
    assert rounded(value, uncertainty).latex == latex


def test_a_negative_uncertainty_is_refused() -> None:
    """It would be somebody's mistake."""
    with pytest.raises(ValueError, match=r"not negative: -0\.1"):
        rounded(1.0, -0.1)


def _numbers(text: str) -> list[Decimal]:
    """Both numbers of `(1.2 ± 0.3)e+05`."""
    body, _, power = text.replace("(", "").partition(")")
    return [Decimal(one.strip()).scaleb(int(power[1:] or 0)) for one in body.split("±")]


@given(VALUES, UNCERTAINTIES)
def test_nothing_moves_by_more_than_half_of_the_last_digit(value: float, uncertainty: float) -> None:
    """Value and uncertainty are within half a unit of the place that the uncertainty has last."""
    got = rounded(value, uncertainty)
    near, about = _numbers(got.plain)
    half = Decimal(repr(uncertainty))
    half = Decimal((0, (5,), half.adjusted() - 2))
    assert abs(about - Decimal(repr(uncertainty))) <= half
    assert abs(near - Decimal(repr(value))) <= half * 10  # 0.0996 becomes 0.10, and the value follows


@given(VALUES, UNCERTAINTIES)
def test_both_end_at_the_same_place(value: float, uncertainty: float) -> None:
    """As many decimals for the one as for the other, and two significant digits of the uncertainty."""
    got = rounded(value, uncertainty)
    assert got.uncertainty is not None
    if "e" in got.value + got.uncertainty:
        return  # further apart than the digits of a float
    decimals = [len(one.partition(".")[2]) for one in (got.value, got.uncertainty)]
    assert decimals[0] == decimals[1]
    digits = got.uncertainty.replace(".", "").lstrip("0")
    assert len(digits) == 2 or (decimals[0] == 0 and set(digits[2:]) <= {"0"})


@given(VALUES, UNCERTAINTIES)
def test_what_is_rounded_stays_so(value: float, uncertainty: float) -> None:
    """To round once more changes nothing."""
    once = rounded(value, uncertainty)
    near, about = map(float, _numbers(once.plain))
    if math.isfinite(near) and math.isfinite(about) and about >= 1e-300:
        assert rounded(near, about) == once


@given(VALUES)
def test_without_uncertainty_six_digits_are_left(value: float) -> None:
    """Which are the value, to one in a hundred thousand."""
    got = rounded(value)
    assert isinstance(got, Rounded)
    assert math.isclose(float(got.plain), value, rel_tol=1e-5) or math.isinf(float(got.plain))
