"""The brake: what holds an array job back once nearly all of it that has ended has failed."""

from __future__ import annotations

import json
import os
import sys
import time

from sciflow_shim import files
from sciflow_shim.attempt import FAILURES
from sciflow_shim.record_reader import read_record
from sciflow_shim.record_shelf import MEMBERS, PACKED

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes longer than reading a record
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sciflow_shim.array import Array
    from sciflow_shim.attempt import Ending

WELL = 10  # one in so many may have ended well
MOST = 4  # times the brake's number; what has come so far has shown that it is no beginning that fails
LONGEST = 200  # characters of an error


def why(array: Array) -> str:
    """What holds an array job back, in words; empty where it has just been released."""
    path = array.path(files.brake(array.name))
    try:
        found = files.read_json(path)
        text = f"{found['failed']} of the first {found['ended']} failed: {found['error']}"
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = f"`{path}` cannot be read: {error}"
    return files.HELD_BACK + text


def apply(array: Array, element: int, attempt: int, own: Iterable[Ending]) -> None:
    """Hold back what has not begun, where nearly all that has ended so far has failed.

    What has started before a brake was released does not count any more, and what was taken over from another run never
    does. A brake that cannot be set is said, and no failure.

    Parameters
    ----------
    array
        The array job.
    element, attempt
        The scheduler's index in which something has failed, and its attempt: their record is not read.
    own
        What has ended in it.
    """
    try:
        if os.path.exists(array.path(files.brake(array.name))):
            return
        ended = _ended(array, element, attempt, own)
        failures = [error for error in ended if error is not None]
        if len(ended) >= array.brake and WELL * (len(ended) - len(failures)) <= len(ended):
            _write(array, len(ended), failures)
    except OSError as error:
        sys.stderr.write(f"sciflow_shim: the brake of `{array.name}` cannot be set: {error}\n")


def _ended(array: Array, element: int, attempt: int, own: Iterable[Ending]) -> list[str | None]:
    """What went wrong with each that has ended among the neighbours of an index, None where nothing did.

    Nothing at all as soon as there are too many, or too many that went well: most of the time few records are read.
    """
    since, most = _released(array), MOST * array.brake
    ended: list[str | None] = []
    well = 0
    for ending in _endings(array, element, attempt, own, since):
        start, state, leaves_checkpoint, error = ending
        if start < since or state == "RUNNING":
            continue
        has_failed = state in FAILURES and not (state == "TIMEOUT" and leaves_checkpoint)
        well += not has_failed
        ended.append(error if has_failed else None)
        if len(ended) > most or WELL * well > most:
            return []
    return ended


def _endings(array: Array, element: int, attempt: int, own: Iterable[Ending], since: float) -> Iterator[Ending]:
    """What has ended in an index, and then what the records of its neighbours tell, first indices first."""
    yield from own
    folder = os.path.dirname(array.path(files.record(array.name, element, attempt)))
    for name in sorted(os.listdir(folder), key=files.split_attempt):
        index, number = files.split_attempt(name)
        if number > 0 and (index, number) != (element, attempt):
            path = os.path.join(folder, name)
            try:
                if os.stat(path).st_mtime >= since:
                    yield from _recorded(path)
            except (FileNotFoundError, ValueError, KeyError):  # folded meanwhile, or torn
                continue


def _recorded(path: str) -> Iterator[Ending]:
    root = read_record(path)
    for one in root[MEMBERS].members.values() if PACKED in root.attributes else (root,):
        facts = one.attributes
        left = "checkpoint" in one and "left_files" in one["checkpoint"].attributes
        yield facts["start"], facts["state"], left, f"{facts['error_type']}: {facts['error']}".strip(": ")


def _released(array: Array) -> float:
    """When a brake was last released; 0 if none was."""
    newest = 0.0
    folder = array.path(files.BRAKES)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        number = name[len(array.name) + 1 :].partition(".")[0]
        if number.isdecimal() and f"{files.BRAKES}/{name}" == files.released_brake(array.name, int(number)):
            newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime)
    return newest


def _write(array: Array, ended: int, failures: list[str]) -> None:
    """Write the brake, whole; the first of several who do it at once wins."""
    error = max(failures, key=failures.count).partition("\n")[0][:LONGEST]
    document = {"format": files.FORMAT, "array": array.name, "time": time.time()}
    document.update(ended=ended, failed=len(failures), error=error)
    path = array.path(files.brake(array.name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = os.path.join(os.path.dirname(path), f".{array.name}.{os.uname().nodename}.{os.getpid()}")
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links: of two at once, the last one wins
            os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
