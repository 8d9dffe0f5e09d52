"""Follows bash's quoting through a text, far enough to know how a value must be quoted at its end."""

from __future__ import annotations

import re

_COMMANDS = ("", "(", "$(", "`")  # inside these, text is read as commands are
ARITHMETIC = ("$((", "((", "brackets of arithmetic", "$[", "[")
_QUOTES = ("'", "$'", '"')
_BREAKS = " \t\n;&|()<>"
# What may come before the name of a command.
_BEFORE_COMMAND = frozenset(
    (
        *("!", "{", "if", "then", "elif", "else", "while", "until", "do"),
        *("time", "-p", "coproc", "builtin", "command", "exec"),
    )
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_INTEGER_FLAG = re.compile(r"-[A-Za-z]*i[A-Za-z]*")
_READ_OPTION = re.compile(r"-[A-Za-z]*[dinNptu]")  # the next word is its text, and no name of a variable
_DECLARING = ("declare", "typeset", "local", "readonly", "export")


class _Command:
    """The words of the command that is being read, without their quotes."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.word: str | None = None
        self.is_file = False  # the word names where input or output goes, and is no argument

    def add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def end_word(self) -> None:
        if self.word is not None:
            if not self.is_file:
                self.words.append(self.word)
                if self.word == "{" and self.words[0] == "function":
                    self.words.clear()
            self.word, self.is_file = None, False

    def parts(self) -> list[str]:
        """The command's name and its arguments."""
        words = self.words
        first = next((i for i, w in enumerate(words) if not (w in _BEFORE_COMMAND or _ASSIGNMENT.match(w))), len(words))
        return words[first:]

    def declares_integers(self) -> bool:
        name, *arguments = self.parts() or [""]
        return name in _DECLARING and any(_INTEGER_FLAG.fullmatch(one) for one in arguments)

    def evaluates(self, in_array: bool, has_integers: bool) -> str:
        """What would take the current word for an expression or a variable's name; empty if nothing would."""
        word, parts = self.word or "", self.parts()
        if self.is_file:
            return ""
        if not parts:
            return "the value of an integer variable" if has_integers and _ASSIGNMENT.match(word) else ""
        name, *arguments = parts
        before = arguments[-1] if arguments else ""
        if name in _DECLARING:
            is_name = name in ("declare", "typeset", "local") and not in_array and "=" not in word
            risky = is_name or self.declares_integers()
        elif name == "read":
            risky = not (_READ_OPTION.fullmatch(before) or _READ_OPTION.match(word))
        elif name == "printf":
            risky = arguments == ["-v"] or (not arguments and word.startswith("-v"))
        else:
            risky = name in ("let", "unset") or (name in ("test", "[") and before == "-v")
        return f"an argument of `{name}`" if risky else ""


class ShellText:
    """Bash's quoting at the end of what was read so far.

    Attributes
    ----------
    escaped, comment : bool
        Whether a backslash comes right before, or a ``#`` on the same line.
    unclear : str
        What was read that this reader does not follow; empty if there was nothing of that kind.
    heredoc : bool
        Whether a here-document was read.
    """

    def __init__(self) -> None:
        self.escaped = False
        self.comment = False
        self.unclear = ""
        self.heredoc = False
        self._open: list[str] = []
        self._previous = "\n"
        self._commands = [_Command()]
        self._has_integers = False

    @property
    def inside(self) -> str:
        """What is open, innermost: a quote, a backquote, ``(``, ``=(``, ``$(``, ``${``, ``[[``, one of `ARITHMETIC`."""
        return self._open[-1] if self._open else ""

    @property
    def follows_dollar(self) -> bool:
        """Whether bash would read a ``$`` and what comes next together."""
        return self._previous == "$" and self.inside not in ("'", "$'")

    @property
    def in_test(self) -> bool:
        """Whether ``[[`` is open here, with quotes or without."""
        return next((mark for mark in reversed(self._open) if mark not in _QUOTES), "") == "[["

    @property
    def evaluated(self) -> str:
        """Where this is, if bash evaluates text here even between quotes; empty elsewhere."""
        around = next((mark for mark in reversed(self._open) if mark not in _QUOTES), "")
        if around in ("[", "$["):
            return "`[…]`"
        if around == "${" and self.inside == '"':
            return ""  # bash takes what is escaped there as it is
        if around in (*ARITHMETIC, "${"):
            return "`${…}` or `$((…))`"
        return "" if around == "[[" else self._commands[-1].evaluates(around == "=(", self._has_integers)

    def read(self, text: str) -> None:
        """Read on."""
        position = 0
        while position < len(text):
            position += self._step(text, position)

    def read_value(self, text: str = "x") -> None:
        """Pass over a value, which is quoted and thus part of a word."""
        self._previous = "x"
        self._commands[-1].add(text)

    def _step(self, text: str, position: int) -> int:
        """Read what comes next, and say how many characters that was."""
        character, previous, length = text[position], self._previous, 1
        self._previous = character
        if self.comment:
            self.comment = character != "\n"
            self._end_command(not self.comment and self.inside in _COMMANDS)
        elif self.inside == "'":
            self._quoted(character)
        elif self.escaped:
            self.escaped = False
            # A line that goes on in the next one is as if it had not been broken.
            self._previous = previous if character == "\n" else "x"
            if character != "\n":
                self._commands[-1].add(character)
        elif character == "\\":
            self.escaped = True
            self._previous = previous
        elif self.inside == "$'":
            self._quoted(character)
        elif character in ('"', "`"):
            self._commands[-1].add("")
            self._toggle(character)
        elif opened := next((mark for mark in ("$((", "$(", "${", "$[") if text.startswith(mark, position)), ""):
            length = len(opened)
            self._commands[-1].add(opened)
            self._enter(opened)
        elif self.inside != '"':
            length = self._outside_quotes(text, position, previous)
        else:
            self._commands[-1].add(character)
        return length

    def _quoted(self, character: str) -> None:
        if character == "'":
            self._close(True)
        else:
            self._commands[-1].add(character)

    def _outside_quotes(self, text: str, position: int, previous: str) -> int:
        character = text[position]
        if character == "'":
            self._commands[-1].add("")
            self._single_quote(previous)
        elif self.inside == "${":
            self._close(character == "}")
        elif self.inside in ARITHMETIC:
            return self._arithmetic(text, position)
        elif self.inside == "[[":
            return self._test(text, position, previous)
        elif character == "(":
            return self._bracket(text, position, previous)
        elif character == ")":
            self._close_bracket()
        elif character == "#" and previous in _BREAKS:
            self.comment = True
        elif character == "[" and (previous.isalnum() or previous == "_" or self._starts_element(previous)):
            self._commands[-1].add(character)
            self._enter("[")
        else:
            return self._plain(text, position, previous)
        return 1

    def _plain(self, text: str, position: int, previous: str) -> int:
        """Read a part of a word, or what stands between words."""
        character, command = text[position], self._commands[-1]
        if previous in _BREAKS and text.startswith(("case ", "case\t"), position) and self._has_open("$(", "("):
            self.unclear = "`case` in brackets"
        if previous in _BREAKS and re.match(r"\[\[\s", text[position : position + 3]):
            command.end_word()
            if not command.parts() and self.inside in _COMMANDS:
                self._enter("[[")
                return 2
        if character in "<>":
            self.heredoc |= text.startswith("<<", position) and not text.startswith("<<<", position)
            command.end_word()
            command.is_file = True
            return 3 if text.startswith("<<<", position) else 1
        if character in " \t":
            self._end_word()
        elif character in ";|&\n" and self.inside in _COMMANDS:
            # `>&`, `&>` and `>|` are parts of one redirection.
            self._end_command(previous not in ("<", ">") and not text.startswith("&>", position))
        elif character == "\n":
            self._end_word()
        else:
            command.add(character)
        return 1

    def _starts_element(self, previous: str) -> bool:
        return self.inside == "=(" and previous in _BREAKS

    def _end_word(self) -> None:
        if self._commands[-1].word is not None:
            self._commands[-1].end_word()
            self._has_integers |= self._commands[-1].declares_integers()

    def _end_command(self, ends: bool) -> None:
        if ends:
            self._end_word()
            self._commands[-1] = _Command()

    def _test(self, text: str, position: int, previous: str) -> int:
        if text.startswith("]]", position) and previous in _BREAKS:
            self._close(True)
            self._commands[-1].words.append("[[")
            return 2
        self.comment = text[position] == "#" and previous in _BREAKS
        if text[position] == "[" and (previous.isalnum() or previous == "_"):
            self._enter("[")
        return 1

    def _single_quote(self, previous: str) -> None:
        # Whether it quotes there depends on what is expanded, and how.
        if (self.inside in ARITHMETIC and self.inside != "[") or (self.inside == "${" and self._has_open('"')):
            self.unclear = "a single quote in an expansion"
        else:
            self._enter("$'" if previous == "$" else "'")

    def _arithmetic(self, text: str, position: int) -> int:
        if self.inside in ("$[", "["):
            if text[position] == "[":
                self._enter("[")
            self._close(text[position] == "]")
            return 1
        if text[position] == "(":
            self._enter("brackets of arithmetic")
        elif text[position] == ")":
            if self.inside != "brackets of arithmetic" and not text.startswith("))", position):
                self.unclear = "`((` that is no arithmetic (write `( (`)"
            length = 1 if self.inside == "brackets of arithmetic" else 2
            self._close(True)
            return length
        return 1

    def _bracket(self, text: str, position: int, previous: str) -> int:
        opened = "=(" if previous == "=" else "((" if text.startswith("((", position) else "("
        self._enter(opened)
        return 1 if opened == "=(" else len(opened)

    def _close_bracket(self) -> None:
        if self.inside in ("(", "$(", "=("):
            self._close(True)
        else:
            self._end_command(self.inside in _COMMANDS)  # after the pattern of a `case`

    def _toggle(self, mark: str) -> None:
        if self.inside == mark:
            self._close(True)
        else:
            self._enter(mark)

    def _enter(self, mark: str) -> None:
        self._open.append(mark)
        self._previous = "\n" if mark in (*_COMMANDS, "=(") else mark[-1]
        if mark in _COMMANDS:
            self._commands.append(_Command())

    def _close(self, ends: bool) -> None:
        if ends:
            mark = self._open.pop()
            # After `(…)` a new word begins; after everything else the word goes on.
            self._previous = ")" if mark in ("(", "((") else "x"
            if mark in _COMMANDS:
                self._end_word()
                self._commands.pop()
            if mark in ("(", "((") and self._commands[-1].is_file:
                self._commands[-1].is_file = False  # `<(…)` is an argument
                self._commands[-1].add("x")
            elif mark in ("(", "(("):
                self._end_command(self.inside in _COMMANDS)

    def _has_open(self, *marks: str) -> bool:
        return any(mark in self._open for mark in marks)
