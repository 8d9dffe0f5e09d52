"""Files of figures: what they say of where they come from, and those that LaTeX draws."""

import pytest

from sciflow.figures.files import escaped, origin


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("doubling_time", r"doubling\_time"),
        ("a & b # c", r"a \& b \# c"),
        (r"5 \$", r"5 \$"),
        (r"C:\temp", r"C:\textbackslash{}temp"),
        ("{x}~", r"\{x\}\textasciitilde{}"),
        (r"$\mathdefault{10^{-2}}$", r"$\mathdefault{10^{-2}}$"),
        (r"a_1 $x_1$ b_1", r"a\_1 $x_1$ b\_1"),
        ("", ""),
    ],
)
def test_labels_are_no_commands(label: str, latex: str) -> None:
    """What has a meaning in LaTeX is escaped, but in formulas."""
    assert escaped(label) == latex


def test_what_is_not_known_is_not_said() -> None:
    """No title and no run: nothing stands for them; dates are taken away by name."""
    assert set(origin(".png", "", ())) == {"Software"}
    assert origin(".pdf", "", ())["CreationDate"] is None
    assert origin(".svg", "t", ("a", "b"))["Source"] == "run a, b"
