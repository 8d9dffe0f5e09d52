"""Bash's quoting, followed through a text."""

from __future__ import annotations

import pytest

from sciflow.planning.shell_text import ShellText


def after(text: str) -> ShellText:
    """Read a text."""
    shell = ShellText()
    shell.read(text)
    return shell


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("echo ", ""),
        ('echo "', '"'),
        ('echo "a" ', ""),
        ('echo "\\"', '"'),
        ("echo '", "'"),
        ("echo '\\' ", ""),
        ("echo \\'", ""),
        ("echo $'", "$'"),
        ("echo $'\\'", "$'"),
        ("echo $'\\'' ", ""),
        ("echo \"'", '"'),
        ("echo '\"", "'"),
        ("echo `a ", "`"),
        ("echo `a` ", ""),
        ("echo $(a ", "$("),
        ('echo "$(a ', "$("),
        ('echo "$(a "b', '"'),
        ('echo "$(a) ', '"'),
        ('echo "$(a (b) ', "$("),
        ("(a; ", "("),
        ("(a) ", ""),
        ("f() { a; ", ""),
        ("echo ${x", "${"),
        ("echo ${x} ", ""),
        ("echo ${x:-'}'", "${"),
        ("echo $(( 1 + ", "$(("),
        ("echo $(( (1) + 2 )) ", ""),
        ("(( i = (2) )) ", ""),
        ('"$(( ', "$(("),
        ('"$(( 1 ))', '"'),
        ("a) b) ", ""),
        ("echo $[ 1 + ", "$["),
        ("echo $[ a[1] ] ", ""),
        ("a[", "["),
        ("a[b[1] + ", "["),
        ("a[1]=", ""),
        ("a=( ", "=("),
        ("a=([", "["),
        ("a=([x]=1) ", ""),
        ("echo [", ""),
        ("[[ ", "[["),
        ("! [[ (a = ", "[["),
        ("[[ a =~ ^(b|c)$ ]] ", ""),
        ('"$(echo [[ ) ', '"'),
    ],
)
def test_what_is_open(text: str, inside: str) -> None:
    """Quotes, brackets and substitutions nest as they do in bash."""
    shell = after(text)
    assert shell.inside == inside
    assert (shell.comment, shell.escaped, shell.unclear) == (False, False, "")


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("# a", True),
        ("a # it's", True),
        ("a;#b", True),
        ("(a)#b", True),
        ("(( 1 ))#b", True),
        ("$(#a", True),
        ("a \\\n# b", True),
        ("a#b", False),
        ("a \\ #b", False),
        ('"a"#b', False),
        ('"# a', False),
        ("$(a)#b", False),
        ("${#a", False),
        ("$((16#f", False),
        ("# a\nb", False),
    ],
)
def test_a_number_sign_at_the_start_of_a_word_begins_a_comment(text: str, comment: bool) -> None:
    """It ends with the line, and nothing in it is a quote."""
    shell = after(text)
    assert shell.comment is comment


def test_what_comes_right_before() -> None:
    """A backslash or a dollar sign would change what follows."""
    assert after("a \\").escaped
    assert after("a $").follows_dollar
    assert after('a "$').follows_dollar
    assert not after("a \\$").follows_dollar
    assert not after("a '$").follows_dollar
    shell = after("a $")
    shell.read_value()
    assert not shell.follows_dollar


@pytest.mark.parametrize(
    ("text", "heredoc"),
    [
        *(("cat <<E", True), ("cat 3<<-1", True), ("cat <<", True), ('"$(cat <<=', True), ("`cat <<$E", True)),
        *(("cat <<< a", False), ("$((1 << 2))", False), ("((a<<=1))", False), ("$[1<<2]", False), ("a[1<<2]=1", False)),
        *(("'<<'", False), ("# <<E", False), ("\\<\\<E", False)),
    ],
)
def test_a_here_document_is_noticed(text: str, heredoc: bool) -> None:
    """Any `<<` that is no here-string and no shift."""
    assert after(text).heredoc is heredoc


def test_a_text_may_come_in_pieces() -> None:
    """What was open stays open."""
    shell = ShellText()
    for piece in ('a "', "$(", "b '", "c"):
        shell.read(piece)
    assert shell.inside == "'"


@pytest.mark.parametrize("text", ["$(case x in ", "(case\tx in", "\"${x:-it's", "$(( 'a' ))", "$((cd x; ls) | wc)"])
def test_what_is_not_followed_is_said(text: str) -> None:
    """Better no answer than a wrong one."""
    assert after(text).unclear


def test_case_outside_of_brackets_is_followed() -> None:
    """Its closing brackets close nothing there."""
    shell = after('case x in x) echo "')
    assert (shell.inside, shell.unclear) == ('"', "")
