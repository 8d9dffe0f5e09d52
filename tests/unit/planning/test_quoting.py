"""Values in shell text: how they are quoted, and where they cannot stand."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.planning.quoting import Raw, RunPath, RunValue, fill_in
from sciflow_shim.files import input_variable

RESULT = f"${{{input_variable('a', 'm')}?task a returned no m}}"
HOSTILE = "$(x)}\"'"


def filled(text: str, *values: Any) -> str:
    """Fill in values for `@`, one after the other."""
    parts = text.split("@")
    marked = "".join(f"{part}\x02{number}\x03" for number, part in enumerate(parts[:-1])) + parts[-1]
    return fill_in(marked, values or ("it's $x",) * (len(parts) - 1), "the command of task `a`")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run @", "run 'it'\"'\"'s $x'"),
        ('run "@"', 'run "it\'s \\$x"'),
        ("run '@'", "run 'it'\\''s $x'"),
        ("run $'@'", "run $'it\\'s $x'"),
        ("# @\nrun @", "# \nrun 'it'\"'\"'s $x'"),
        ('"$(run @)"', "\"$(run 'it'\"'\"'s $x')\""),
        ('"${x} @"', '"${x} it\'s \\$x"'),
        ("run", "run"),
    ],
)
def test_a_value_is_quoted_for_its_place(text: str, expected: str) -> None:
    """Bare, in quotes of all kinds, in comments and in substitutions."""
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "3"),
        (-1.5, "-1.5"),
        (True, "true"),
        (None, "''"),
        ("", "''"),
        ("abc", "abc"),
        ("a,b", "'a,b'"),
        ("a=b", "'a=b'"),
        ("~", "'~'"),
        ((1, "a"), "'[1, \"a\"]'"),
        (Raw("a | b"), "a | b"),
        (RunPath("work/a/1/out file"), "\"${SCIFLOW_RUN_DIR}\"'/work/a/1/out file'"),
        (RunValue("a", "m"), f'"{RESULT}"'),
        (RunValue("a", HOSTILE), f'"${{{input_variable("a", HOSTILE)}?task a returned no __x____}}"'),
        *((word, f"'{word}'") for word in ("if", "time", "done", "function")),
        (f"{RunPath('work/a/1/x')}.log", '"${SCIFLOW_RUN_DIR}"/work/a/1/x.log'),
        (Raw(str(RunPath("work/a/1/x"))), "${SCIFLOW_RUN_DIR}/work/a/1/x"),
    ],
)
def test_values_of_every_kind(value: Any, expected: str) -> None:
    """Numbers and plain words stay readable; what the run decides becomes a variable, also within a text."""
    assert filled("@", value) == expected


def test_what_the_run_decides_inside_quotes() -> None:
    """Variables are expanded in double quotes, and between single quotes that are closed for them."""
    assert filled('"@"', RunValue("a", "m")) == f'"{RESULT}"'
    assert filled("'a @ b'", RunPath("w x")) == "'a '\"${SCIFLOW_RUN_DIR}\"'/w x b'"
    assert filled("$'@'", RunValue("a", "m")) == f"$''\"{RESULT}\"$''"
    assert filled('"@ $x"', f"a {RunPath('w')}$") == '"a ${SCIFLOW_RUN_DIR}/w\\$ $x"'
    assert filled("echo $(( @ + 1 ))", 5) == "echo $(( 5 + 1 ))"
    assert filled("echo $(( @ + 1 ))", RunValue("a", "m")) == f"echo $(( {RESULT} + 1 ))"


def test_a_value_beside_a_variable_or_a_redirection_is_kept_apart() -> None:
    """`$name` would take it for more of the name, and `>` a number for a file descriptor."""
    assert filled("out_$RUN@", 16) == "out_$RUN'16'"
    assert filled('"out_$RUN@"', 16) == '"out_$RUN""16"'
    assert filled("echo @>out", 2) == "echo '2'>out"
    assert filled("echo @ >out", 2) == "echo 2 >out"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("a \\@", "has a backslash right before a value", "values are quoted already"),
        ("a $@", "has a `$` right before a value", "write `\\$` for a dollar sign"),
        ('"$@"', "has a `$` right before a value", "write `\\$`"),
        ("a `b @`", "has a value between backquotes", "use `$(…)`"),
        ("cat <<EOF\n@\nEOF", "has values and a here-document (`<<`)", "render the text as a file with `files:`"),
        ("cat << 'E'\n@\nE", "has values and a here-document", "files"),
        ("cat <<-!\n@\n!", "has values and a here-document", "files"),
        ("cat <<1\n@\n1", "has values and a here-document", "files"),
        ("cat <<=\n@\n=", "has values and a here-document", "files"),
        ("cat <<$E\n@\n$E", "has values and a here-document", "files"),
        ("cat <<@\n@\nE", "has values and a here-document", "files"),
        ("echo @; cat <<1\nx\n1", "has values and a here-document", "files"),
        ("$(( @ ))", 'has the value "it\'s $x" inside `${…}` or `$((…))`', "name={{ value }}"),
        ("$(( (1 + @) ))", "where only numbers and words can stand", "give the value to a variable first"),
        ("(( @ ))", "where only numbers and words can stand", "variable"),
        ("${x:-@}", "where only numbers and words can stand", "variable"),
        ('"$(case x in x) echo @;; esac)"', "has a value after `case` in brackets", "variable"),
        ('"${x:-it\'s} @"', "has a value after a single quote in an expansion", "variable"),
        ("$((a) | b) @", "after `((` that is no arithmetic", "variable"),
    ],
)
def test_where_a_value_cannot_stand(text: str, reason: str, hint: str) -> None:
    """The command is named, and the way out; nothing is passed on that bash would read in another way."""
    with pytest.raises(WorkflowError) as caught:
        filled(text)
    assert caught.value.message.startswith("the command of task `a` ")
    assert reason in caught.value.message
    assert hint in caught.value.hint


EVALUATED = [
    *(
        "[[ @ -eq 0 ]]",
        '[[ 1 -lt "@" ]]',
        "if [[ -v @ ]]; then :; fi",
        "function f { [[ -v @ ]]; }",
        "true && \\\n [[ -v @ ]]",
        "[[ ( @ -ge 1 ) ]]",
    ),
    *("a[@]=1", 'a["@"]=1', "a['@']=1", "a[1 + @]=1", "a=([@]=1)", "a=(1 [@]=1)", "b[a[@]]=1"),
    *("echo $[ @ ]", 'echo "$[ 1 + @ ]"', 'echo $(( "@" + 1 ))', "(( x = 1, @ ))", "echo ${a['@']}"),
    *("declare -i n=@", "typeset -ri n=@", "f() { local -i n=@; }; f", "declare -i n; n=@", "declare -ai a=(1 @)"),
    *("declare @=1", "declare -p @", "local @", "let n=@", "let 'n=@'", "X=1 let n=@", "if let n=@; then :; fi"),
    *("read @ <<< x", "read -r -a @ <<< x", "while read @; do :; done", "x=$(read -r @)", "a | read '@'", "\\read @"),
    *(
        "printf -v @ x",
        "test -v @",
        "[ -v @ ]",
        "[ ! -v @ ]",
        "unset @",
        "case a in a) let n=@;; esac",
        "(a) && let n=@",
    ),
]


@pytest.mark.parametrize("text", EVALUATED)
def test_where_bash_evaluates_text_only_words_can_stand(text: str) -> None:
    """Quotes do not keep bash from running what stands in a subscript, or in an expression."""
    with pytest.raises(WorkflowError, match="where only numbers and words can stand"):
        filled(text, *["a[$(touch hit)]"] * text.count("@"))
    assert filled(text, *[7] * text.count("@")).count("7")


@pytest.mark.parametrize(
    "text",
    [
        *("[[ @ = x ]]", "[[ x == @ && -f @ ]]", "[ @ -eq 0 ]", "echo [[ @ -eq 0 ]]", "[[ 1 -eq 1 ]] && echo @"),
        *("export X=@", "local X='@'", 'declare -r x="@"', "declare -a x=(1 @)", "readonly @", "n=@"),
        *("read x <<< @", "read -r x y < @", 'read -p "@" x', "while read x; do echo @; done < @", "read x; echo @"),
        *("printf @", "printf -v x @", "test @ -nt @", "let n=1; echo @", "let n=1\necho @", "let n=1 && echo @"),
        *("let n=1 # x\necho @", "let n=1 > @", "echo let @", "a=(@ @)", "echo *.[ch] @", "let n=1 &> @", "x[1]=@"),
        *("cat <(let x=1) @", "(let x=1) ; echo @", 'echo "${x:-"@"}"', "declare -i n; echo @", "$(let n=1) @"),
    ],
)
def test_where_bash_takes_text_as_it_is(text: str) -> None:
    """Beside such places any value can stand."""
    value = "a[$(touch hit)]"
    assert value.replace("$", "") in filled(text, *[value] * text.count("@")).replace("\\", "").replace("$", "")


def test_a_value_in_a_pattern_is_no_pattern() -> None:
    """After `=~` a dot means a dot."""
    assert filled("[[ 1x5 =~ ^@$ ]]", "1.5") == "[[ 1x5 =~ ^'1.5'$ ]]"
    assert filled("[[ @ -eq 5 ]]", 5) == "[[ 5 -eq 5 ]]"
    with pytest.raises(WorkflowError, match="numbers and words"):
        filled("[[ 1 @ @ ]]", "-eq", "a[$(touch hit)]")


def test_marks_in_values_are_refused() -> None:
    """A value that looks like what the run decides is none."""
    for value in ("\x02input:HOME\x03", "\x02", "a\x03"):
        with pytest.raises(WorkflowError, match="holds a control character"):
            filled("@", value)


@pytest.mark.parametrize("text", ["cat <<<@", "cat <<< word @", "echo $((1<<4)) @", "cat < @", "x=$((1 << 2)) @"])
def test_what_only_looks_like_a_here_document(text: str) -> None:
    """Here-strings, shifts and plain input are none."""
    assert filled(text, 5).endswith("5")


def test_what_no_command_can_be_given() -> None:
    """A NUL, and the text of a macro that holds values of its own."""
    with pytest.raises(WorkflowError, match="holds a NUL"):
        filled("@", "a\0b")
    with pytest.raises(WorkflowError, match="a macro or block with values") as caught:
        filled("@", "--x=\x020\x03")
    assert caught.value.hint == "write the values in place"


def test_raw_text_is_read_like_the_text_around_it() -> None:
    """A quote that an author opens in raw text counts for the values after it."""
    assert filled("@ @ @", Raw('"'), "it's", Raw('"')) == '" it\'s "'
