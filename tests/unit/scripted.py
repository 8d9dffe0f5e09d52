"""A transport whose answers are written down beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sciflow.errors import TransportError
from sciflow.model.profile import ClusterProfile
from sciflow.planning.render import ScriptRenderer
from sciflow.transport.base import Answer


class Call(NamedTuple):
    """One command that was run, and how."""

    command: list[str]
    cwd: Path | None
    variables: Mapping[str, str]
    seconds: float


class ScriptedTransport:
    """Answers commands as it was told to, and notes them.

    Parameters
    ----------
    **answers
        Program → what it prints, or an answer of its own, or a list of them, one for each call. Programs that are not
        there cannot be run.
    """

    def __init__(self, **answers: str | Answer | list[str | Answer]) -> None:
        self.answers = {name: list(said) if isinstance(said, list) else said for name, said in answers.items()}
        self.calls: list[Call] = []

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> Answer:
        """Answer a command."""
        self.calls.append(Call(list(command), cwd, variables or {}, seconds))
        if command[0] not in self.answers:
            raise TransportError(f"there is no command `{command[0]}` on this machine")
        said = self.answers[command[0]]
        answer = said.pop(0) if isinstance(said, list) else said
        return answer if isinstance(answer, Answer) else Answer(0, answer, "")

    @property
    def programs(self) -> list[str]:
        """The programs that were run, in order."""
        return [call.command[0] for call in self.calls]


def refusal(text: str, code: int = 1) -> Answer:
    """Make the answer of a command that fails and says why."""
    return Answer(code, "", text)


def blank_scripts() -> ScriptRenderer:
    """Return what renders scripts that hold nothing."""
    profile = ClusterProfile(name="blank", scheduler="local")
    return ScriptRenderer(profile, "python3", {"local/array.sh.j2": ("", "a template")}.get)
