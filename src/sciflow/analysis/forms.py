"""Observations as data frames: wide, a column for each metric, or long, a row for each of its values."""

from __future__ import annotations

from typing import Literal, get_args

import pandas as pd

from sciflow.analysis.observations import STATE, Observations
from sciflow.errors import ResultError

Form = Literal["wide", "long"]
RUN = "run"  # where a row is from, of several runs
_LONG = ("metric", "task", "unit", "value")


def frame_of(observations: Observations, form: Form = "wide") -> pd.DataFrame:
    """One row per combination, or per combination and metric.

    Parameters
    ----------
    observations
        Of one run or several.
    form
        ``wide``: parameters, metrics, state. ``long``: parameters, then ``metric``, its ``task`` and ``unit``, its
        ``value``, and the state; a metric that several combinations share is there with each.

    Raises
    ------
    ResultError
        For another form, and where a parameter has the name of a column of the long form.
    """
    if form not in get_args(Form):
        raise ResultError(f"`form` is {form!r}", hint="known are wide and long")
    if form == "wide":
        return observations.frame.copy()
    for name in _LONG:
        if name in observations.parameters:
            raise ResultError(
                f"there is no long form: `{name}` is a parameter and a column of it", hint='use `form="wide"`'
            )
    frame = observations.frame
    own = frame.reindex(columns=list(observations.parameters))
    rest = frame.reindex(columns=[name for name in (STATE, RUN) if name in frame and name not in own])
    parts = [
        pd.concat(
            [own, _named(frame, name=metric.name, task=metric.task, unit=metric.unit), rest],
            axis=1,
        )
        for metric in observations.metrics.values()
    ]
    if not parts:
        return pd.concat([own, pd.DataFrame(columns=list(_LONG)), rest], axis=1).iloc[:0]
    return pd.concat(parts, ignore_index=True)


def _named(frame: pd.DataFrame, name: str, task: str, unit: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {"metric": name, "task": task, "unit": unit or "", "value": frame[name]}, index=frame.index, columns=list(_LONG)
    )
