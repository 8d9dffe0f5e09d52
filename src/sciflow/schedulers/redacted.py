"""What Slurm and PBS answer, with stand-ins for names: each of their formats by its own rule.

Of what is not known, only numbers, times, sizes and a few words are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sciflow.schedulers.stand_ins import StandIns

_PAIR = re.compile(r"([\w.\[\]]+)(=)(.*)")

_OF_THE_SCHEDULER = re.compile(r"Job |Not Running|Can Never Run|node down|Queue |Array job|Request |Held |Draining")

Role = Callable[[StandIns, str], str]
Redact = Callable[[str, StandIns], str]


def kept(_names: StandIns, text: str) -> str:
    """The text as it is."""
    return text


def name_of(kind: str) -> Role:
    """A name of that kind."""
    return lambda names, text: names.of(kind, text)


JOB_NAME = name_of("job")


def canceller(names: StandIns, text: str) -> str:
    """A state, perhaps with the number of who has cancelled a job."""
    return re.sub(r"(?<=by )\d+", lambda match: names.number(match[0]), text)


def reason(names: StandIns, text: str) -> str:
    """Why a job waits, perhaps with the names of nodes."""
    return re.sub(r"(?<=:)[^)\s]+", lambda match: names.hosts(match[0]), text)


def _places(names: StandIns, text: str) -> str:
    return re.sub(r"([^+/]+)(/[\d*]+)?", lambda match: names.host(match[1]) + (match[2] or ""), text)


def _chunks(names: StandIns, text: str) -> str:
    """``(node:ncpus=4)+(node:ncpus=2)``, or ``2:ncpus=4+1:host=node``."""

    def one(match: re.Match[str]) -> str:
        part = match[0]
        key, sign, value = part.partition("=")
        if sign:
            return key + sign + (names.host(value) if key in ("host", "vnode") else names.harmless(value))
        return part if part.isdecimal() else names.host(part)

    return re.sub(r"[^:+()]+", one, text)


def _ids(names: StandIns, text: str) -> str:
    """Ids of jobs, perhaps with what is waited for of them: ``afterok:123.server@server``."""

    def one(match: re.Match[str]) -> str:
        part = match[0]
        if re.fullmatch(r"(?:after|before)\w*|on|\d+(?:\[[\d,-]*\])?", part):
            return part
        known = names.job_ids(part)
        return known if known != part else names.host(part)

    return re.sub(r"[^,:@\s]+", one, text)


def _comment(names: StandIns, text: str) -> str:
    """What the scheduler says of a job or a node; anybody else may have written anything there."""
    return names.text(text) if _OF_THE_SCHEDULER.match(text) else StandIns.shape(text)


def _project(names: StandIns, text: str) -> str:
    return text if text == "_pbs_project_default" else names.of("account", text)


def _limits(names: StandIns, text: str) -> str:
    """``[u:PBS_GENERIC=3],[u:somebody=5]``."""
    shape = r"\[([ugop]):(PBS_GENERIC|PBS_ALL)?([^=\]]*)=(\d+)\]"

    def one(match: re.Match[str]) -> str:
        return f"[{match[1]}:{match[2] or names.of('user', match[3])}={match[4]}]"

    is_list = re.fullmatch(rf"(?:\s*{shape}\s*,?)+", text)
    return re.sub(shape, one, text) if is_list else names.harmless(text)


def _one_host(names: StandIns, text: str) -> str:
    return text if text == "(null)" else names.of("host", text)


def _owners(names: StandIns, text: str) -> str:
    return ",".join(names.owner(one.strip()) for one in text.split(","))


def _table(*roles: tuple[Role, str]) -> dict[str, Role]:
    return {key: role for role, keys in roles for key in keys.split()}


_OF_SLURM: Mapping[str, Role] = _table(
    (name_of("cluster"), "ClusterName"),
    (StandIns.hosts, "Nodes AllocNodes"),
    (
        StandIns.text,
        "SLURM_VERSION PartitionName SchedulerParameters SelectTypeParameters PriorityFlags State PreemptMode TRES "
        "AccountingStorageTRES AccountingStorageEnforce TaskPlugin LaunchParameters GresTypes PropagateResourceLimits "
        "DependencyParameters PriorityParameters OverSubscribe JobAcctGatherParams PreemptParameters OverTimeLimit "
        "ReturnToService",
    ),
)
_OF_PBS: Mapping[str, Role] = _table(
    (JOB_NAME, "Job_Name"),
    (StandIns.owner, "Job_Owner"),
    (name_of("user"), "euser"),
    (name_of("account"), "Account_Name"),
    (StandIns.host, "server pbs_server Mom host vnode Submit_Host submit_host server_host mom_service_name"),
    (_places, "exec_host"),
    (_chunks, "exec_vnode select neednodes"),
    (_ids, "array_id depend Job_Id jobs"),
    (_owners, "acl_users managers operators"),
    (_limits, "max_run max_queued max_run_res max_queued_res max_run_subjobs"),
    (_comment, "comment"),
    (_project, "project"),
    (StandIns.path, "Output_Path Error_Path jobdir"),
    (lambda _, text: StandIns.shape(text), "Submit_arguments submit_args"),
    (
        kept,
        "job_state queue pbs_version Checkpoint Hold_Types Join_Path Keep_Files Mail_Points array_indices_submitted "
        "array_indices_remaining array_state_count state_count queue_type state ntype sharing place arch "
        "default_queue server_state license node_group_key scheduling Rerunable job_array_request np properties",
    ),
)


def columns(*roles: Role) -> Redact:
    """Lines with ``|`` between their columns; others are free text.

    Where a line has more columns than there are, the name of a job has such a sign in it.
    """

    def line(text: str, names: StandIns) -> str:
        cells = text.split("|")
        if len(cells) < len(roles):
            return names.text(text)
        more = len(cells) - len(roles)
        if more and JOB_NAME in roles:
            place = roles.index(JOB_NAME)
            cells[place : place + more + 1] = ["|".join(cells[place : place + more + 1])]
        return "|".join(role(names, cell) for role, cell in zip((*roles, *[_unknown] * more), cells, strict=False))

    return lambda text, names: "\n".join(line(one, names) for one in text.split("\n"))


def settings(text: str, names: StandIns) -> str:
    """``Key = value``, or ``Key=value`` with spaces between them, as `scontrol show` writes them."""

    def one(match: re.Match[str]) -> str:
        key, sign, value = match[1], match[2], match[3]
        role = _OF_SLURM.get(key) or (_one_host if re.search("Host|Addr|Controller", key) else _unknown_setting)
        return key + sign + role(names, value)

    def line(bare: str) -> str:
        whole = re.fullmatch(r"([\w.\[\]]+)(\s*= ?)(.*)", bare)
        if whole is not None and " =" in bare:
            return one(whole)
        words = re.split(r"(\s+)", bare)
        return "".join(one(match) if (match := _PAIR.fullmatch(word)) else names.text(word) for word in words)

    return "\n".join(line(bare) for bare in text.split("\n"))


def attributes(text: str, names: StandIns) -> str:
    """What `qstat` and `pbsnodes` print as JSON: line by line, since what is no JSON is worth most."""
    above: list[str] = []

    def line(bare: str) -> str:
        match = re.fullmatch(r'(\s*")((?:[^"\\]|\\.)*)("\s*:\s*)(.*?)(,?\s*)', bare)
        if match is None:
            if re.fullmatch(r"[\s{}\],]*", bare):
                del above[len(above) - bare.count("}") :]
                return bare
            return StandIns.shape(bare)
        key, value = match[2], match[4]
        shown = _key(names, above[-1] if above else "", key)
        if value == "{":
            above.append(key)
        elif value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = f'"{_attribute(names, above, key, value[1:-1])}"'
        elif not re.fullmatch(r"-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\]", value):
            value = StandIns.shape(value)
        return match[1] + shown + match[3] + value + match[5]

    return "\n".join(line(bare) for bare in text.split("\n"))


def separated(text: str, names: StandIns) -> str:
    """What `qstat -F dsv` prints: one job a line, its attributes separated by a sign that no value has."""

    def part(bare: str) -> str:
        if bare.startswith("Job Id: "):
            return names.job_ids(bare)
        key, sign, value = bare.partition("=")
        *above, last = key.split(".")
        return key + sign + _attribute(names, above, last, value) if sign else StandIns.shape(bare)

    return "\n".join(
        "\x1f".join(part(one) for one in line.split("\x1f")) if line else line for line in text.split("\n")
    )


def free(text: str, names: StandIns) -> str:
    """Any text, in which ids of jobs may stand."""
    return names.text(names.job_ids(text))


def _key(names: StandIns, above: str, key: str) -> str:
    if above == "Jobs":
        return names.job_ids(key)
    return names.host(key) if above in ("nodes", "Server") else key


def _attribute(names: StandIns, above: Iterable[str], key: str, value: str) -> str:
    if "Variable_List" in above or key == "Variable_List":
        return StandIns.shape(value)
    return _OF_PBS.get(key, _unknown)(names, value)


def _unknown(names: StandIns, text: str) -> str:
    return names.path(text) if text.startswith("/") else names.harmless(text)


def _unknown_setting(names: StandIns, text: str) -> str:
    return names.path(text) if text.startswith("/") else names.plugin(text)
