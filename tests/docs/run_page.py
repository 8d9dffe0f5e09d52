"""Runs every fenced block of a page in the current directory, in order: ``run_page.py PAGE``.

What a block does follows from the line that opens it:

- ``python``: it is run, all blocks of a page in one namespace; a ``text`` block right after it is what it prints;
- ``console``: its lines that start with ``$ `` are run by one bash; what stands below them is what they print;
- ``yaml``: a workflow or cluster profile is loaded and the workflow planned; a part of a workflow is completed first;
- any language and a file name: it is written to that file (and a workflow is planned as well);
- ``json`` and ``text``: it is only shown.

In what is printed, ``…`` stands for anything, and any white space for any other. A block after a comment
``<!-- not run: reason -->`` is not run. What was done is counted and printed as JSON.
"""

from __future__ import annotations

import collections
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_FENCE = re.compile(r"^```(\S*) *(\S*)\s*$")
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
_MARK = "\x1e"


class Block(NamedTuple):
    """A fenced block, where its text begins, what stands right before it, and why it is not run."""

    language: str
    file: str
    text: str
    line: int
    follows: str
    reason: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    found: list[Block] = []
    inside: tuple[str, str, int] | None = None
    text: list[str] = []
    follows = reason = ""
    for number, line in enumerate(page.splitlines(), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, text = (fence[1], fence[2], number + 1), []
        elif inside is not None and line == "```":
            found.append(Block(*inside[:2], "\n".join(text) + "\n", inside[2], follows, reason))
            follows, reason, inside = inside[0] if not inside[1] else "", "", None
        elif inside is not None:
            text.append(line)
        elif line.strip():
            follows, reason = "", _NOT_RUN.sub(r"\1", line) if _NOT_RUN.fullmatch(line) else ""
    assert inside is None, "the last block is not closed"
    return found


class Page:
    """A page that is being run."""

    def __init__(self) -> None:
        # As if the page were a script that somebody runs.
        sys.modules["__main__"] = program = types.ModuleType("__main__")
        self.namespace: dict[str, Any] = vars(program)
        self.printed = ""
        self.done: collections.Counter[str] = collections.Counter()

    def run(self, block: Block) -> None:
        """Do what a block is there for."""
        if block.reason:
            self.done["not run"] += 1
            return
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
            self.done["written"] += 1
            if block.language == "yaml":
                plan(block.file)
            return
        self.done[block.language] += 1
        match block.language:
            case "python":
                self._python(block)
            case "console":
                console(block.text)
            case "yaml":
                load(block.text)
            case "text":
                if block.follows == "python":
                    compare(block.text, self.printed)
            case "json":
                json.loads(block.text)
            case other:
                raise AssertionError(f"nobody knows what to do with a block of `{other}`")

    def _python(self, block: Block) -> None:
        code = compile("\n" * (block.line - 1) + block.text, "<page>", "exec")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(code, self.namespace)
        self.printed = output.getvalue()


def console(text: str) -> None:
    """Run the commands of a session, and compare what they print with what is shown."""
    commands: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    mark = f"__status=$?; printf '{_MARK}%s{_MARK}' $__status; (exit $__status)"
    script = "\n".join(f"{command}\n{mark}" for command, _ in commands) + '\nprintf %s "$PWD"'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "PATH": path}
    )
    parts = answer.stdout.decode().split(_MARK)
    outputs, codes = parts[:-1:2], [int(code) for code in parts[1::2]]
    assert len(outputs) == len(commands), f"the session ended early: {answer.stdout.decode()}"
    os.chdir(parts[-1])  # a `cd` holds for the blocks that follow
    for number, (command, shown) in enumerate(commands):
        is_told = number + 1 < len(commands) and commands[number + 1][0] == "echo $?"
        assert is_told or codes[number] == 0, f"`{command}` ended with {codes[number]}: {outputs[number]}"
        if shown:
            compare("\n".join(shown), outputs[number])


def compare(shown: str, printed: str) -> None:
    """Whether a page shows what was printed."""
    words = r"\s+".join(re.escape(word).replace("…", r".*?") for word in shown.split())
    assert re.fullmatch(words, printed.strip(), re.DOTALL), f"shown:\n{shown}\nprinted:\n{printed}"


def load(text: str) -> None:
    """Load a workflow, a part of one, or a cluster profile."""
    document = yaml.safe_load(text)
    name = f"part-{abs(hash(text))}.yaml"
    if "scheduler" in document:
        from sciflow.loading import load_profile

        Path(name).write_text(text, encoding="utf-8")
        load_profile(name, Path())
        return
    if "tasks" not in document:
        # A task that mentions every parameter shows that the space can be compiled.
        names = [*document.get("parameters", ()), *document.get("derived", ())]
        mention = " ".join("{{ " + one + " }}" for one in names)
        text += f"\ntasks: [{{name: part, command: 'echo {mention}'}}]\n"
    if "name" not in document:
        text = f"name: part\n{text}"
    Path(name).write_text(text, encoding="utf-8")
    plan(name)


def plan(file: str) -> None:
    """Load a workflow file and plan it."""
    from sciflow import Engine, load_workflow

    Engine().compile(load_workflow(file))


def main(page: Path) -> int:
    """Run a page; the exit code says whether all went well."""
    sys.path.insert(0, "")
    running = Page()
    for block in blocks(page.read_text(encoding="utf-8")):
        try:
            running.run(block)
        except Exception as error:
            if not isinstance(error, AssertionError):
                import traceback

                traceback.print_exc()
            sys.stderr.write(f"{page.name}, line {block.line}: {type(error).__name__}: {error}\n")
            return 1
    sys.stdout.write(json.dumps(running.done) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
