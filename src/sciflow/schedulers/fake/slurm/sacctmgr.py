"""`sacctmgr`: what accounts a user may charge; there is nothing to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.model.statement import ACCOUNTING
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.arguments import Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.sacct import NO_DATABASE
from sciflow.schedulers.fake.slurm.words import CLUSTER, VERSION
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "sacctmgr",
    [
        Option("immediate", "i", NOTHING), Option("noheader", "n", NOTHING), Option("parsable", "p", NOTHING),
        Option("parsable2", "P", NOTHING), Option("quiet", "Q", NOTHING), Option("readonly", "r", NOTHING),
        Option("version", "V", NOTHING),
    ],
    help=False,
)  # fmt: skip
_WIDTHS = {"Cluster": 10, "Account": 10, "User": 10, "QOS": 20, "MaxSubmitJobs": 13, "MaxJobs": 7, "Share": 9}
_DEFAULT = "Cluster,Account,User,Share,MaxJobs,MaxSubmitJobs,QOS"


@complains
def sacctmgr(cluster: VirtualCluster, call: Call) -> Answer:
    """Show associations: each user has one with the account of the site."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if cluster.faults.is_silent(ACCOUNTING):
        raise Wrong(NO_DATABASE.format("sacctmgr").rstrip())
    rows, names = _rows(cluster, arguments.rest)
    titles = [] if "noheader" in arguments else [names]
    cells = [*titles, *([row[name] for name in names] for row in rows)]
    if "parsable2" in arguments or "parsable" in arguments:
        end = "" if "parsable2" in arguments else "|"
        return Answer(0, "".join("|".join(one) + end + "\n" for one in cells), "")
    rule = [["-" * _WIDTHS[name] for name in names]] if titles else []
    lines = [*cells[: len(titles)], *rule, *cells[len(titles) :]]
    return Answer(
        0,
        "".join(
            "".join(f"{text:>{_WIDTHS[name]}} " for text, name in zip(one, names, strict=True)) + "\n" for one in lines
        ),
        "",
    )


def _rows(cluster: VirtualCluster, words: tuple[str, ...]) -> tuple[list[dict[str, str]], list[str]]:
    if len(words) < 2 or words[0] not in ("show", "list"):
        raise Wrong("sacctmgr: error: the virtual cluster has associations to show, and nothing else")
    if not "associations".startswith(words[1].lower()):
        raise Wrong("sacctmgr: error: the virtual cluster has associations to show, and nothing else")
    filters = dict(word.lower().split("=", 1) for word in words[2:] if "=" in word)
    names = []
    for asked in filters.get("format", _DEFAULT.lower()).split(","):
        fitting = [name for name in _WIDTHS if name.lower().startswith(asked.partition("%")[0])]
        if not fitting:
            raise Wrong(f" Unknown field '{asked}'")
        names.append(fitting[0])
    users = [one for one in filters.get("user", filters.get("users", "")).split(",") if one]
    most = cluster.rules.submitted_indices
    limit = "" if most is None else str(most)
    row = {
        "Cluster": CLUSTER,
        "Account": "project",
        "Share": "1",
        "MaxJobs": "",
        "MaxSubmitJobs": limit,
        "QOS": "normal",
    }
    return [{**row, "User": user} for user in users], names
