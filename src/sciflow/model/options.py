"""What a site's scheduler and the job script are told of an array job beyond amounts."""

from __future__ import annotations

from typing import Any, NamedTuple


class Options(NamedTuple):
    """Words for the scheduler and lines for the job script; empty means not said."""

    partition: str = ""
    account: str = ""
    qos: str = ""
    reservation: str = ""
    constraint: str = ""
    licenses: str = ""
    gpu_type: str = ""
    directives: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Options:
        """Read options back from JSON."""
        said: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in document.items()}
        return cls(**said)

    def to_document(self) -> dict[str, Any]:
        """The options that are said, as JSON has them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in self._asdict().items() if v}

    def says(self, option: str) -> bool:
        """Whether one of the directives is, or sets, an option of the scheduler such as ``--signal``."""
        return any(one.split("=")[0].split()[0] == option for one in self.directives)

    def described(self) -> list[str]:
        """The words that decide where it runs, for people."""
        named = ("partition", "account", "qos", "reservation", "constraint", "licenses")
        return [f"{name} {getattr(self, name)}" for name in named if getattr(self, name)]
