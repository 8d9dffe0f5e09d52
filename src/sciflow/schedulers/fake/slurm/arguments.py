"""Arguments of commands, as the C library's `getopt_long` reads them, with its complaints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Literal

from sciflow.schedulers.fake.face import Call, Command
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


class Wrong(Exception):
    """What a command does not take, in its own words.

    Parameters
    ----------
    words
        What it says.
    code
        With which exit code it ends.
    """

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


def complains(command: Command) -> Command:
    """Let a command say what it does not take, and end with the exit code for it."""

    @wraps(command)
    def answer(cluster: VirtualCluster, call: Call) -> Answer:
        try:
            return command(cluster, call)
        except Wrong as wrong:
            return Answer(wrong.code, "", f"{wrong}\n")

    return answer


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes
    ----------
    name, letter
        Its long name, and its short one if it has one.
    takes
        Whether a value belongs to it.
    """

    name: str
    letter: str = ""
    takes: Literal["value", "nothing", "perhaps a value"] = "value"


@dataclass(frozen=True)
class Arguments:
    """What a command was called with.

    Attributes
    ----------
    given
        Option and value, in their order; an empty value where it has none.
    rest
        What is no option.
    """

    given: tuple[tuple[str, str], ...]
    rest: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return any(one == name for one, _ in self.given)

    def get(self, name: str, otherwise: str = "") -> str:
        """The value of an option; the last one counts."""
        return dict(self.given).get(name, otherwise)

    def names(self, name: str) -> set[str] | None:
        """The parts of a value with commas; None where the option was not given."""
        return {one for one in self.get(name).split(",") if one} if name in self else None


class Parser:
    """Reads the arguments of one command.

    Parameters
    ----------
    program
        The name of the command.
    options
        All that it knows.
    code
        With which exit code it ends for what it does not know.
    stops
        Whether what stands behind the first word that is no option is not for this command.
    help
        Whether it says where to find help.
    """

    def __init__(
        self, program: str, options: Sequence[Option], code: int = 1, stops: bool = False, help: bool = True
    ) -> None:
        self.program, self.code, self.stops = program, code, stops
        self.long = {one.name: one for one in options}
        self.short = {one.letter: one for one in options if one.letter}
        self._way_out = f'\nTry "{program} --help" for more information' if help else ""

    def read(self, words: Sequence[str]) -> Arguments:
        """Read arguments.

        Raises
        ------
        Wrong
            In the words of the C library.
        """
        given: list[tuple[str, str]] = []
        rest: list[str] = []
        waiting = iter(words)
        for word in waiting:
            if word == "--":
                rest += waiting
            elif word.startswith("--"):
                given.append(self._long(word[2:], waiting))
            elif word.startswith("-") and word != "-":
                given += self._short(word[1:], waiting)
            else:
                rest.append(word)
                if self.stops:
                    rest += waiting
        return Arguments(tuple(given), tuple(rest))

    def wrong(self, words: str) -> Wrong:
        """A complaint about the arguments."""
        return Wrong(f"{self.program}: {words}{self._way_out}", self.code)

    def _long(self, text: str, waiting: Iterator[str]) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        option = self.long.get(name) or self._abbreviated(name, text)
        if option.takes == "nothing":
            if equals:
                raise self.wrong(f"option '--{option.name}' doesn't allow an argument")
            return option.name, ""
        if equals or option.takes == "perhaps a value":
            return option.name, value
        return option.name, self._next(waiting, f"option '--{option.name}' requires an argument")

    def _abbreviated(self, name: str, text: str) -> Option:
        fitting = sorted(one for one in self.long if one.startswith(name))
        if not fitting:
            raise self.wrong(f"unrecognized option '--{name}'")
        if len(fitting) > 1:
            names = " ".join(f"'--{one}'" for one in fitting)
            raise self.wrong(f"option '--{text}' is ambiguous; possibilities: {names}")
        return self.long[fitting[0]]

    def _short(self, letters: str, waiting: Iterator[str]) -> Iterator[tuple[str, str]]:
        while letters:
            letter, letters = letters[0], letters[1:]
            option = self.short.get(letter)
            if option is None:
                raise self.wrong(f"invalid option -- '{letter}'")
            if option.takes == "nothing":
                yield option.name, ""
                continue
            if letters or option.takes == "perhaps a value":
                yield option.name, letters
            else:
                yield option.name, self._next(waiting, f"option requires an argument -- '{letter}'")
            return

    def _next(self, waiting: Iterator[str], complaint: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise self.wrong(complaint) from None
