"""The files that a scheduling policy names, read once, so that a run needs them no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sciflow.calendars.days import read_days_text
from sciflow.calendars.ics import is_ics, read_ics
from sciflow.calendars.tariffs import read_tariff
from sciflow.errors import WorkflowError
from sciflow.model.policy import SchedulingPolicy

Guard = Callable[[str, Callable[[], object]], object]


def filled(
    policy: SchedulingPolicy,
    directory: Path,
    guard: Guard = lambda _field, read: read(),
    today: date | None = None,
) -> SchedulingPolicy:
    """A policy with what its files say.

    Parameters
    ----------
    policy
        The policy.
    directory
        Where relative paths start from.
    guard
        Is given each field and what reads it, and may say in an error where the field stands.
    today
        The present day: from its year on events that come again are read.

    Raises
    ------
    WorkflowError
        For a file that is not there, or holds something else.
    """
    day = today or date.today()
    read = {
        field: guard(field, lambda f=field, n=name: _read(f, directory / Path(n).expanduser(), policy, day))
        for field, name in policy.files().items()
    }
    return policy.filled(**read) if read else policy


def _read(field: str, path: Path, policy: SchedulingPolicy, today: date) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise WorkflowError(
            f"`{field}`: there is no file `{path}`", hint="paths start from the workflow's folder"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(
            f"`{field}`: `{path}` cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    name = str(path)
    if field == "tariff":
        return read_tariff(text, name, ZoneInfo(policy.timezone) if policy.timezone else None)
    if is_ics(text, name):
        return read_ics(text, name, field == "holidays", today)
    return read_days_text(text, name, field == "holidays")
