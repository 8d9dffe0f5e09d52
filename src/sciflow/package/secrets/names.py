"""Which names speak of secrets, and which values only stand for one."""

from __future__ import annotations

import re

# Parts of texts are called tokens as well: `token: character`. Those of sites are long, and have digits.
_SITES = (
    "auth|oauth|access|api|bearer|refresh|session|bot|hub|lab|private|deploy|user|client|service|admin|job|ci|"
    "hf|hugging_?face|gh|git|wandb|aws|slack|discord|zenodo|osf|dataverse|pypi|npm|vault|influx"
)
_ANY_TOKEN = re.compile(rf"(?:(?!(?:auth|access|private|git)|(?:{_SITES})_?token$)[a-z]+_?)?token")
_LONG_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{16,}")
# In source: `token` before a value, alone or as the last word of a name.
_TOKEN_BEFORE = re.compile(r"([\w.]*token)\d*\\?[\"']?]?\s*(?::?=>?|:|[ \t])\s*[rbuf]{0,2}[\"']*$", re.IGNORECASE)
# What stands for a value in a text: `{token}`, `%s`, `$TOKEN`, `<token>`, `...`.
_PLACEHOLDER = re.compile(r"[{<$%*.…(\[].*|none|null|true|false", re.IGNORECASE | re.DOTALL)
# The same in what configures programs, where a password may begin with any sign.
_VARIABLE = re.compile(
    r"\$(?:\{.*\}|\(.*\)|[A-Z_][A-Z0-9_]*|\$.*)|%\(.*\)s|%\w+%|"
    r"\{\{.*\}\}|\{[\w.:]*\}|\{(?: .*)?|\[.*|<[\w .-]*>|@\w+@|\*+|[.…]+"
    r"|(?i:none|null|true|false|yes|no|unset)"
)


def is_token(name: str) -> bool:
    """Whether a name is that of any token: hardly of one that lets anybody in."""
    return bool(_ANY_TOKEN.fullmatch(name.lower()))


def is_any_token(name: str, value: object) -> bool:
    """Whether something is called a token, and is hardly one that lets anybody in."""
    return is_token(name) and not _LONG_TOKEN.fullmatch(str(value))


def is_token_of_text(before: str, value: str) -> bool:
    """Whether what stands before a value in source calls it a token as parts of texts are called so."""
    found = _TOKEN_BEFORE.search(before)
    if not found or not is_token(found[1].rpartition(".")[2]):
        return False
    # What is given to other programs by the environment is none of a text.
    if re.search(r"\b(?:environ|export|setenv|putenv|ENV|ARG)\b", before[: found.start()]):
        return False
    return not (len(value) >= 8 and re.search(r"\d", value))


def stands_for_a_value(value: str) -> bool:
    """Whether it is a variable or a gap to be filled, such as `${TOKEN}`, or says that there is none."""
    return _PLACEHOLDER.fullmatch(value) is not None


def is_variable(value: str) -> bool:
    """The same of a value in what configures programs."""
    return _VARIABLE.fullmatch(value) is not None
