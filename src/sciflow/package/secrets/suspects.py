"""Where in a long text secrets may be: few lines are looked at closely, so that large logs take seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sciflow_shim.redaction import REDACTED, redact

# Parts of secrets that are known by themselves, in small letters: rare enough to be looked at wherever they are.
RARE = (
    *("hooks.slack.com", "/api/webhooks/", "sig=", "akia", "asia", "age-secret-key", "xox", "aiza", "sk-", "eyj"),
    *("authorization", "cookie:", "bearer", "sshpass", "mysql", "mariadb", "identified by", "pwd="),
    *("github_pat_", "hf_", "npm_", "pypi-", "k_live_", "k_test_", "dop_", "dapi", "ya29.", "sg.", "r8_"),
)
# Words that are common, and what must follow for them to tell of a secret: words are found fast, and shapes slowly.
_IS = r"""\d*(?:\\*["']?]?[ \t]*[?+]?[:=]|>|["'](?:,|[ \t]+value=))"""
_SETS = r"[ \t]+\w*(?:pass|token|secret|key|jwt)\w*[ \t]"
_COMMON = {
    "pass": re.compile(rf"\w*[ \t]*:[ \t]*[|>][-+0-9]*[ \t]*\n([ \t]+)[^\n]+(?:\n\1[^\n]+)*|\w*{_IS}"),
    **dict.fromkeys(("setenv", "env", "arg"), re.compile(_SETS)),
    "set -": re.compile(rf"\w+(?:[ \t]+-\w+)*{_SETS}"),
    "--": re.compile(r"[a-z0-9_-]*(?:pass|token|secret|key|mysql_pwd)\w*(?:[ \t]|\\*[\"'],)"),
    "://": re.compile(r"[^\s/]{1,400}@"),
    "access": re.compile(r"[_-]?key[_-]?id" + _IS),
    "mysql_pwd": re.compile(""),
    "curl": re.compile(r"[ \t][^\n]{0,400}?(?:-u|--user|--proxy-user)"),
    "wget": re.compile(r"[ \t][^\n]{0,400}?(?:-u|--user|--proxy-user)"),
    "gh": re.compile(r"[pousr]_"),
    "gl": re.compile(r"[a-z]{2,5}-"),
    **dict.fromkeys(("token", "secret", "key", "jwt", "auth", "cookie", "credential", "credentials"), re.compile(_IS)),
    **dict.fromkeys(("signature", "sig"), re.compile(_IS)),
}
_NETRC = re.compile(r"machine\s+\S+\s+login\s+\S+\s+password\s+\S+")
_PRIVATE_KEY = re.compile(
    r"-----begin [a-z0-9 ]*private key(?: block)?-----.*?(?:-----end [a-z0-9 ]*-----|\Z)", re.DOTALL
)
_LONG_LINE = 1 << 16
_AROUND = 1 << 12


def is_suspect(text: str) -> bool:
    """Whether there is anything that should be looked at closely."""
    return next(suspects(text), None) is not None


def suspects(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of what should be looked at closely: whole lines, in their order, and none twice."""
    searched = text.lower()
    if len(searched) != len(text):  # few letters have small ones of another length
        searched = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    found: list[tuple[int, int]] = []
    for part in RARE:
        found += ((place, place + len(part)) for place in _places(searched, part))
    for part, follows in _COMMON.items():
        for place in _places(searched, part):
            if match := follows.match(searched, place + len(part)):
                found.append((place, match.end()))
    if "private key" in searched:
        found += (match.span() for match in _PRIVATE_KEY.finditer(searched))
    if "machine" in searched:
        found += (match.span() for match in _NETRC.finditer(searched))
    yield from _lines(text, sorted(found))


def _places(text: str, part: str) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + len(part))


def _lines(text: str, found: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    begin = end = -1
    for first, last in found:
        if last <= end:
            continue
        # A line that is a whole file is looked at around what was found.
        new = max(text.rfind("\n", max(0, first - _LONG_LINE), first) + 1, first - _AROUND if first > _LONG_LINE else 0)
        stop = text.find("\n", last, last + _LONG_LINE)
        stop = stop if stop >= 0 else min(len(text), last + _LONG_LINE)
        if new > end:
            if begin >= 0:
                yield begin, end
            begin = new
        end = stop
    if begin >= 0:
        yield begin, end


def replaced(line: str) -> list[tuple[int, int]]:
    """Begin and end of each secret in a line: what `redact` takes out."""
    after = redact(line)
    if after == line:
        return []
    kept = after.split(REDACTED)
    if not line.startswith(kept[0]):
        return [(0, len(line))]
    found, place = [], len(kept[0])
    for number, part in enumerate(kept[1:], 2):
        end = len(line) - len(part) if number == len(kept) else line.find(part, place) if part else place
        if end < place or line[end : end + len(part)] != part:
            return [(0, len(line))]
        if line[place:end] != REDACTED:
            found.append((place, end))
        place = end + len(part)
    return found
