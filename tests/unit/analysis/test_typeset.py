"""Tables as text that is typeset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.analysis.typeset import escaped_latex, escaped_markdown, latex_table, markdown_table
from sciflow.errors import ResultError

# Letters with a meaning in LaTeX, which nothing but a command may have behind it.
_COMMANDS = ("textbackslash", "textasciitilde", "textasciicircum", "textbar", "textless", "textgreater", "char34")


@given(st.text(alphabet='ab\\{}$&%#_^~|<>"\n±−', max_size=20))
def test_no_text_is_a_command(text: str) -> None:
    """What is left, once all that is known to be escaped is taken away, has no meaning in LaTeX."""
    rest = escaped_latex(text)
    for known in (*(rf"\{name}{{}}" for name in _COMMANDS), *(rf"\{one}" for one in "&%$#_{}"), r"$\pm$", "$-$"):
        rest = rest.replace(known, "")
    assert not set(rest) & set('\\{}$&%#_^~|<>"\n')


@given(st.lists(st.text(alphabet="ab|\\\n<*", max_size=8), min_size=1, max_size=4))
def test_a_row_of_markdown_has_as_many_cells(cells: list[str]) -> None:
    """Whatever is in them."""
    table = markdown_table([f"c{place}" for place in range(len(cells))], [cells])
    header, _, row = table.splitlines()
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == header.count("|")


def test_markdown_is_shown_as_it_is() -> None:
    """No emphasis, no link, no tag."""
    assert escaped_markdown("*a* <b> [c](d) 1_000") == r"\*a\* &lt;b> \[c\](d) 1\_000"


def test_numbers_stand_to_the_right() -> None:
    """Those with their uncertainty, too; a column with one text does not."""
    table = latex_table(["a", "b", "c", "d"], [["1.0(2)", r"$-1.5(2) \times 10^{-7}$", "x", ""], ["", "nan", "1", ""]])
    assert r"\begin{tabular}{rrll}" in table


def test_a_caption_makes_a_float() -> None:
    """With its label."""
    table = latex_table(["a"], [["1"]], "What it shows", "tab:a")
    assert table.startswith("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n\\caption{What it shows}\n")
    assert table.endswith(
        "\\label{tab:a}\n\\begin{tabular}{r}\n\\toprule\na \\\\\n\\midrule\n1 \\\\\n\\bottomrule\n"
        "\\end{tabular}\n\\end{table}\n"
    )


def test_a_row_is_no_option_of_the_line_before() -> None:
    """`[` after a line break would be a length."""
    assert "\n{}[1, 2] & 3 \\\\" in latex_table(["a", "b"], [["[1, 2]", "3"]])


def test_too_many_columns_are_refused() -> None:
    """They would not fit on any page."""
    with pytest.raises(ResultError, match="21 columns is too large for LaTeX, which gets 20 at most"):
        latex_table(["a"] * 21, [])
