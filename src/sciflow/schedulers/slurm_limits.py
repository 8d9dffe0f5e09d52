"""Limits of accounts and QOS with their values and what is used of them, as `scontrol show assoc_mgr` tells anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sciflow.schedulers.reasons import Limit

_VALUE = re.compile(r"(?P<most>N|[\d.]+)?(?:\((?P<used>[\d.]+)\))?")
# Of what a limit is counted → what the names of its fields end with, in a QOS.
_SUFFIX = {"user": "PU", "account": "PA", "job": "PJ", "node": "PN"}


def limits_command(limit: Limit, account: str, qos: str) -> list[str]:
    """The call that shows the records in which a limit stands."""
    of = ["flags=qos", f"qos={qos}"] if limit.holder == "QOS" else ["flags=assoc", f"accounts={account}"]
    return ["scontrol", "-o", "show", "assoc_mgr", *of]


def read_limit(text: str, limit: Limit, name: str, user: str, number: int) -> str:
    """Say a limit's value and what is used of it; empty where it is not told.

    Parameters
    ----------
    text
        The answer to `limits_command`.
    limit, name
        Which limit, and of which account or QOS.
    user, number
        Whose jobs they are.
    """
    for record in text.splitlines():
        fields = _fields(record, limit, name, user, number)
        value = _value(fields, limit)
        if value is not None:
            return value
    return ""


def _fields(record: str, limit: Limit, name: str, user: str, number: int) -> Mapping[str, str]:
    """The fields of a record that are about this limit; none where it is another's record."""
    head, *parts = re.split(r" (?:Account|User) Limits=", record)
    found = dict(re.findall(r"(\S+?)=(\S*)", head))
    if limit.holder == "QOS":
        if not str(found.get("QOS", "")).startswith(f"{name}("):
            return {}
        inner = {who: text for part in parts for who, text in re.findall(r"(\S+)=\{([^}]*)\}", part)}
        mine = inner.get(str(number)) or inner.get(f"{user}({number})") or inner.get(user, "")
        chosen = {"user": mine, "account": next((text for one, text in inner.items() if one not in (user,)), "")}
        more = chosen.get(limit.of, "")
        return {**found, **dict(re.findall(r"(\S+?)=(\S*)", more))}
    is_own = found.get("UserName", "") == f"{user}({number})"
    is_whole = "UserName" in found and not found["UserName"]
    fits = is_whole if limit.of == "all" else is_own or is_whole
    return found if fits and found.get("Account") == name else {}


def _value(fields: Mapping[str, str], limit: Limit) -> str | None:
    suffix = "" if limit.of == "all" else _SUFFIX.get(limit.of, "")
    is_of_user = limit.holder == "account" and limit.of == "user"
    kind = "Grp" if limit.of == "all" else "Min" if limit.is_least else "Max"
    if limit.resource in ("jobs", "submit"):
        word = "Jobs" if limit.resource == "jobs" else "SubmitJobs"
        found = fields.get(f"{kind}{word}{'' if is_of_user else suffix}", "")
    elif limit.resource == "wall":
        found = fields.get(f"{kind}Wall{suffix}", "")
    else:
        times = {"spent": "Mins", "reserved": "RunMins"}.get(limit.minutes, "")
        amounts = fields.get(f"{kind}TRES{times}{suffix}", "")
        pairs = dict(one.split("=", 1) for one in amounts.split(",") if "=" in one)
        key = next((one for one in pairs if one.split(":")[0].split("/")[0] == limit.resource), "")
        keys = [one for one in pairs if one.startswith(f"{key.split('/')[0]}/")] if limit.resource == "gres" else []
        found = next((pairs[one] for one in (*keys, key) if one and not pairs[one].startswith("N")), "")
    return _said(found, limit)


def _said(text: str, limit: Limit) -> str | None:
    match = _VALUE.fullmatch(text)
    if match is None or match["most"] in (None, "N"):
        return None
    unit = " MB" if limit.resource == "mem" and not limit.minutes else " min" if limit.resource == "wall" else ""
    word = "least" if limit.is_least else "limit"
    used = f", {match['used']}{unit} in use" if match["used"] is not None else ""
    return f"{word} {match['most']}{unit}{used}"
