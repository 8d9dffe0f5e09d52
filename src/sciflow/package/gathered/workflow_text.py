"""A workflow document as the text of a workflow file that people can read."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

# Texts that no version of YAML reads as anything else; all others stand in quotes.
_SAFE = re.compile(r"[A-Za-z_][\w/.-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WIDTH = 118
_FIRST = ("name", "metadata", "parameters", "zip", "sample", "constraints", "derived", "include", "exclude")


class _Dumper(yaml.SafeDumper):
    """Writes texts in quotes, or in blocks, wherever a reader might take them for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if _SAFE.fullmatch(text) and text.lower() not in _WORDS:
        style = None
    else:
        style = "|" if "\n" in text and _is_block(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_block(text: str) -> bool:
    lines = text.split("\n")
    return all(line.isprintable() and line == line.rstrip() for line in lines) and not text.startswith((" ", "\n"))


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    if math.isfinite(value):
        text = re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))  # without a point, YAML 1.1 reads `1e-05` as a text
    else:
        text = ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _float)


def workflow_text(document: Mapping[str, Any], run: str, notes: Iterable[str]) -> str:
    """Write a workflow document as a workflow file.

    Parameters
    ----------
    document
        The document.
    run
        The run that it is of.
    notes
        What is otherwise than in that run.
    """
    head = [f"The workflow of run {run}, as it is run again: sciflow run packaged-workflow.yaml"]
    said = ("".join(char if char.isprintable() else " " for char in text) for text in (*head, *notes))
    lines = [line for text in said for line in textwrap.wrap(text, _WIDTH - 2, break_on_hyphens=False)]
    order = sorted(document, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    sorted_document = {key: document[key] for key in order}
    comment = "".join(f"# {line}\n" for line in lines)
    return comment + yaml.dump(sorted_document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
