"""Cells of tables: what pandas has in them as Python has it, and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd


def rows_of(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    """The rows as Python has the values; None for what is missing."""
    columns = [[plain(value) for value in frame.iloc[:, place]] for place in range(frame.shape[1])]
    return zip(*columns, strict=True)


def plain(value: Any) -> Any:
    """A value as Python has it, and None for what pandas has as missing."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return [plain(one) for one in value]
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def text_of(value: Any) -> str:
    """A value as text: nothing for None, lists and mappings as JSON has them."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
