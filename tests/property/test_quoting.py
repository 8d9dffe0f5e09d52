"""Values in commands against real bash: each argument is exactly the value, and nothing else happens."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sciflow.errors import WorkflowError
from sciflow.planning.quoting import fill_in

BUILDING_BLOCKS = st.sampled_from(
    [
        *"'\"`$\\(){}[]<>|&;#!*?~ \t\n\r=,:%^@-+0aé漢\u2028",
        *("$(touch hit)", "`touch hit`", "; touch hit;", "\ntouch hit\n", "&& touch hit", "> hit", "a[$(touch hit)]"),
        *("$HOME", "${HOME}", "${x:-", "-rf", "--", "~root", "{a,b}", "a=b", "EOF", "%s", "\\n", "\\", "$'", '$"'),
    ]
)
TEXTS = st.one_of(
    st.lists(BUILDING_BLOCKS, max_size=6).map("".join),
    st.text(st.characters(exclude_characters="\0\x02\x03", exclude_categories=["Cs"]), max_size=12),
)
# Where a value can stand, with the argument that bash must make of it; `@` is the value.
PLACES = [
    ("@", "@"),
    ('"@"', "@"),
    ("'@'", "@"),
    ("$'@'", "@"),
    ("--opt=@", "--opt=@"),
    ("a@b@c", "a@b@c"),
    ('"a $H@ $((1 + 1)) \\" @"', 'a h@ 2 " @'),
    ("$H@", "h@"),
    ("\\$@", None),
    ("\"a\"@'b'\"@\"'@'", "a@b@@"),
    ('"${H}@"', "h@"),
    ("x\\ @", "x @"),
    ("\\#@", "#@"),
    ("a#@", "a#@"),
    ("$(:)#@", "#@"),
    ("@ # it's @", "@"),
    ("'it'\\''s @'", "it's @"),
]
# The same, where the value passes through a command substitution, which drops newlines at its end.
NESTED = [
    ("\"$(printf '%s.' @)\"", "@."),
    ('"$(printf "%s." "@")"', "@."),
    ("\"$(printf '%s.' '@')\"", "@."),
    ('"x $(printf %s. "$(printf \'%s\' @)")$(printf \'%s.\' "a @")"', None),
    ("\"$( (printf '%s.' @) )\"", "@."),
    ("\"$(: $((1 + (2))); printf '%s.' @)\"", "@."),
    ("\"$(printf '%s.' @ # it's\n)\"", "@."),
]


def _arguments(command: str, folder: Path) -> list[str]:
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={"H": "h", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    assert done.stderr == b"", command
    return done.stdout.decode().split("\0")[:-1]


def _filled(place: str, value: str) -> tuple[str, int]:
    parts = place.split("@")
    text = "".join(f"{part}\x02{number}\x03" for number, part in enumerate(parts[:-1])) + parts[-1]
    return fill_in(text, [value] * (len(parts) - 1), "here"), len(parts) - 1


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
@example(value="")
@example(value="(touch hit)")
@example(value="*")
@example(value='it\'s "$(touch hit)" `touch hit` \\ \n!')
def test_an_argument_is_exactly_the_value(tmp_path: Path, value: str) -> None:
    """Unquoted, in double, single and ANSI quotes, beside other text and in comments, the value arrives as it is."""
    wanted, commands = [], []
    for place, argument in PLACES:
        if argument is not None:
            commands.append(f"printf '%s\\0' {_filled(place, value)[0]}")
            wanted.append(argument.replace("@", value))
    assert _arguments("\n".join(commands), tmp_path) == wanted
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
@example(value="' \" $(touch hit)")
def test_values_pass_through_command_substitutions(tmp_path: Path, value: str) -> None:
    """Inside `$(…)`, in quotes or not, the value is quoted as the innermost place needs."""
    wanted, commands = [], []
    for place, argument in NESTED:
        commands.append(f"printf '%s\\0' {_filled(place, value)[0]}")
        wanted.append(argument.replace("@", value) if argument else f"x {value}.a {value}.")
    # A substitution inside the other one drops what `printf` left at the end of the value.
    wanted[3] = "x " + value.rstrip("\n") + ".a " + value + "."
    assert _arguments("\n".join(commands), tmp_path) == wanted
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.booleans()))
def test_numbers_are_passed_as_they_are_written(tmp_path: Path, number: float) -> None:
    """Numbers and truth values arrive as text, also before a redirection."""
    text = fill_in("printf '%s\\0' \x020\x03 > out; cat out; printf '%s\\0' \x020\x03>&1", [number], "here")
    expected = str(number).lower() if isinstance(number, bool) else str(number)
    assert _arguments(text, tmp_path) == [expected, expected]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("place", ["echo $(( @ + 1 ))", "(( @ ))", "echo ${H:-@}", "echo ${H[@]}", 'echo "${x:-@}"'])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
def test_where_quotes_do_not_help_only_words_are_let_through(tmp_path: Path, place: str, value: str) -> None:
    """In arithmetic and parameter expansions a value is a number or a word, or an error; no command ever runs."""
    try:
        command, _ = _filled(place, value)
    except WorkflowError:
        return
    subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, timeout=20, check=False)
    assert list(tmp_path.iterdir()) == []
