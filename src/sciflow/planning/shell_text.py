"""Follows bash's quoting through a text, far enough to know how a value must be quoted at its end."""

from __future__ import annotations

_COMMANDS = ("", "(", "$(", "`")  # inside these, text is read as commands are
ARITHMETIC = ("$((", "((", "brackets of arithmetic")
_BREAKS = " \t\n;&|()<>"


class ShellText:
    """Bash's quoting at the end of what was read so far.

    Attributes
    ----------
    escaped, comment : bool
        Whether a backslash comes right before, or a ``#`` on the same line.
    unclear : str
        What was read that this reader does not follow; empty if there was nothing of that kind.
    """

    def __init__(self) -> None:
        self.escaped = False
        self.comment = False
        self.unclear = ""
        self._open: list[str] = []
        self._previous = "\n"

    @property
    def inside(self) -> str:
        """What is open, innermost: ``'``, ``$'``, ``"``, a backquote, ``(``, ``$(``, ``${``, one of `ARITHMETIC`."""
        return self._open[-1] if self._open else ""

    @property
    def follows_dollar(self) -> bool:
        """Whether bash would read a ``$`` and what comes next together."""
        return self._previous == "$" and self.inside not in ("'", "$'")

    def read(self, text: str) -> None:
        """Read on."""
        position = 0
        while position < len(text):
            position += self._step(text, position)

    def read_value(self) -> None:
        """Pass over a value, which is quoted and thus part of a word."""
        self._previous = "x"

    def _step(self, text: str, position: int) -> int:
        """Read what comes next, and say how many characters that was."""
        character, previous, length = text[position], self._previous, 1
        self._previous = character
        if self.comment:
            self.comment = character != "\n"
        elif self.inside == "'":
            self._close(character == "'")
        elif self.escaped:
            self.escaped = False
            # A line that goes on in the next one is as if it had not been broken.
            self._previous = previous if character == "\n" else "x"
        elif character == "\\":
            self.escaped = True
            self._previous = previous
        elif self.inside == "$'":
            self._close(character == "'")
        elif character in ('"', "`"):
            self._toggle(character)
        elif opened := next((mark for mark in ("$((", "$(", "${") if text.startswith(mark, position)), ""):
            length = len(opened)
            self._enter(opened)
        elif self.inside != '"':
            length = self._outside_quotes(text, position, previous)
        return length

    def _outside_quotes(self, text: str, position: int, previous: str) -> int:
        character = text[position]
        if character == "'":
            self._single_quote(previous)
        elif self.inside == "${":
            self._close(character == "}")
        elif self.inside in ARITHMETIC:
            return self._arithmetic(text, position)
        elif character == "(":
            return self._bracket(text, position)
        elif character == ")":
            self._close_bracket()
        elif character == "#" and previous in _BREAKS:
            self.comment = True
        elif previous in _BREAKS and text.startswith(("case ", "case\t"), position) and self._has_open("$(", "("):
            self.unclear = "`case` in brackets"
        return 1

    def _single_quote(self, previous: str) -> None:
        # Whether it quotes there depends on what is expanded, and how.
        if self.inside in ARITHMETIC or (self.inside == "${" and self._has_open('"')):
            self.unclear = "a single quote in an expansion"
        else:
            self._enter("$'" if previous == "$" else "'")

    def _arithmetic(self, text: str, position: int) -> int:
        if text[position] == "(":
            self._enter("brackets of arithmetic")
        elif text[position] == ")":
            if self.inside != "brackets of arithmetic" and not text.startswith("))", position):
                self.unclear = "`((` that is no arithmetic (write `( (`)"
            length = 1 if self.inside == "brackets of arithmetic" else 2
            self._close(True)
            return length
        return 1

    def _bracket(self, text: str, position: int) -> int:
        opened = "((" if text.startswith("((", position) else "("
        self._enter(opened)
        return len(opened)

    def _close_bracket(self) -> None:
        if self.inside in ("(", "$("):
            self._close(True)

    def _toggle(self, mark: str) -> None:
        if self.inside == mark:
            self._close(True)
        else:
            self._enter(mark)

    def _enter(self, mark: str) -> None:
        self._open.append(mark)
        self._previous = "\n" if mark in _COMMANDS else mark[-1]

    def _close(self, ends: bool) -> None:
        if ends:
            # After `(…)` a new word begins; after everything else the word goes on.
            self._previous = ")" if self._open.pop() in ("(", "((") else "x"

    def _has_open(self, *marks: str) -> bool:
        return any(mark in self._open for mark in marks)
