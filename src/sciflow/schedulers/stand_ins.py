"""Names that stand for those in a scheduler's answers, so that these can be shown to others.

The same name has the same stand-in in all answers, so that they still fit together.
"""

from __future__ import annotations

import re

from sciflow_shim.redaction import REDACTED, redact

# What can be kept of an attribute that nobody knows: a list of what is allowed, as nobody knows all that is not.
_HARMLESS = re.compile(
    r"(?!\d+\.\d+\.\d+\.\d+)[-+]?[\d.:,-]+ ?(?:sec|seconds|min|minutes|hours?|days?|[kmgtp]?[bw]|%|bytes)?"
    r"|\(null\)|yes|no|true|false|none|n/?a|all|any|infinite|unlimited|unknown|default|normal|up|down|inactive|drain|linux"
    r"|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}|\d{4}-\d\d-\d\d(?:T[\d:]+)?",
    re.IGNORECASE,
)
_PLUGIN = re.compile(r"[a-z]\w*/[a-z]\w*")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_PATH = re.compile(r"(?<![\w./\]~^*])~?/(?=[\w.~])[^\s,;:'\"()=\\]*")
_BETWEEN_NODES = re.compile(r"([,\s]+)(?![^\[\]]*\])")
_OWN = re.compile(r"/path\d+|(?:host|user|account|cluster|job)\d+|node[a-z]*[\d\[,\]-]+")
_SEARCHED = ("user", "account", "host", "cluster", "job")  # kinds of names that may stand anywhere in a text
_NO_NODE = ("none assigned", "(null)", "n/a", "none", "all")
_KEPT_SHAPES = r"\\u[0-9a-fA-F]{4}|\\."


class StandIns:
    """Names, and what stands for them."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def count(self, kind: str) -> int:
        """How many names of a kind have a stand-in."""
        return len(self._known.get(kind, ()))

    def of(self, kind: str, name: str) -> str:
        """What stands for a name of some kind, such as ``user``: ``user1``."""
        if not name or _OWN.fullmatch(name):
            return name
        names = self._known.setdefault(kind, {})
        return names.setdefault(name, f"{kind}{len(names) + 1}")

    def number(self, number: str) -> str:
        """What stands for the number of a user."""
        return str(1000 + int(self.of("number", number).removeprefix("number")))

    def host(self, name: str) -> str:
        """What stands for a host: its number stays, and says which are alike."""
        match = re.fullmatch(r"(.*?)(\d*|\[[\d,-]+\])", name.partition(".")[0])
        if match is None or not match[1] or not match[2] or _OWN.fullmatch(name):
            return self.of("host", name)
        rank = int(self.of("kind", match[1]).removeprefix("kind"))
        return "node" + ("" if rank == 1 else _letters(rank)) + match[2]

    def hosts(self, text: str) -> str:
        """What stands for a list such as ``n[1-4],gpu1``."""
        if text.lower() in _NO_NODE:
            return text
        return "".join(
            self.host(one) if place % 2 == 0 else one for place, one in enumerate(_BETWEEN_NODES.split(text))
        )

    def owner(self, text: str) -> str:
        """What stands for ``user@host``."""
        user, at, host = text.partition("@")
        sign = "+" if user.startswith("+") else ""
        return sign + self.of("user", user[len(sign) :]) + at + (self.host(host) if host != "*" else host)

    def path(self, path: str) -> str:
        """What stands for a path."""
        return "/" + self.of("path", path) if path and not _OWN.fullmatch(path) else path

    def job_ids(self, text: str) -> str:
        """What stands for ids such as ``123[4].server``, however many there are in a text."""
        shape = r"(\b\d+(?:\[\d*\])?\.)([A-Za-z][\w-]*)((?:\.[A-Za-z][\w-]*)*)"
        return re.sub(shape, lambda match: match[1] + self.host(match[2] + match[3]), text)

    def harmless(self, text: str) -> str:
        """The text itself where it can tell nothing."""
        return text if not text.strip() or _HARMLESS.fullmatch(text.strip()) else REDACTED

    def plugin(self, text: str) -> str:
        """The name of a plugin of Slurm's, such as ``sched/backfill``, or what is harmless besides."""
        return text if _PLUGIN.fullmatch(text) else self.harmless(text)

    @staticmethod
    def shape(text: str) -> str:
        """A text of the same length, of which only its punctuation is left: that is what parsers stumble over."""
        return re.sub(rf"({_KEPT_SHAPES})|(\d)|[^\W_]", lambda match: match[1] or ("0" if match[2] else "x"), text)

    def text(self, text: str) -> str:
        """Replace in any text what is known by now, and what looks like an address, a path or a secret."""
        text = _MAIL.sub(lambda match: self.of("user", match[0]) + "@example.org", redact(text))
        text = _ADDRESS.sub(lambda match: self.of("host", match[0]), text)
        text = _PATH.sub(lambda match: self.path(match[0]), text)
        for kind in _SEARCHED:
            for name, instead in sorted(self._known.get(kind, {}).items(), key=lambda pair: -len(pair[0])):
                if len(name) > 1 and not _HARMLESS.fullmatch(name):
                    text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", instead, text)
        for stem in self._known.get("kind", ()):
            shape = rf"(?<![\w.-]){re.escape(stem)}(?:\d+|\[[\d,-]+\])(?![\w-])(?:\.[A-Za-z][\w.-]*)?"
            text = re.sub(shape, lambda match: self.host(match[0]), text)
        return text


def _letters(rank: int) -> str:
    """``b`` for 2, ``c`` for 3, ``ba`` for 27, as hosts are told apart that are of another kind."""
    letters = ""
    while rank:
        rank, last = divmod(rank - 1, 26)
        letters = chr(ord("a") + last) + letters
    return letters
