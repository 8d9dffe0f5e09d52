"""The verb on results: collect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sciflow.cli.completeness import completeness_document, describe_completeness, describe_joined
from sciflow.cli.output import DONE, NOT_FINISHED, SOME_FAILED, emit, json_option


@click.command()
@click.argument("run", required=False)
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    help="Write the combinations to this file: .csv, .tsv, .json, .md, .tex, .parquet or .xlsx.",
)
@click.option(
    "--join-arrays", is_flag=True, help="Join result arrays of one shape into one dataset each, in arrays.h5."
)
@click.option("--verify", is_flag=True, help="Read every byte of every record again.")
@click.option("--seal", "to_seal", is_flag=True, help="Fold records and logs of a run that has ended into few files.")
@click.option("--unseal", "to_unseal", is_flag=True, help="Give back what was folded.")
@json_option
@click.pass_obj
@click.pass_context
def collect(
    context: click.Context,
    obj: dict[str, Any],
    run: str | None,
    export: Path | None,
    join_arrays: bool,
    verify: bool,
    to_seal: bool,
    to_unseal: bool,
    as_json: bool,
) -> None:
    """Join all records of RUN into results.h5; also while it runs, and where it has been copied to."""
    from sciflow.execution import open_run

    if to_seal and to_unseal:
        raise click.UsageError("--seal and --unseal are opposites")
    if export is not None:
        from sciflow.analysis.export import check_format

        check_format(export)
    opened = open_run(run, obj["runs"])
    given_back = opened.unseal() if to_unseal else 0
    results = opened.collect(verify, join_arrays)
    facts = results.tables.facts
    document = {
        "run": opened.run_id,
        "results": str(results.path) if results.tables.is_kept else None,
        "combinations": {"completed": results.completed, "total": len(results)},
        "gathering": results.gathering,
        "records": facts["completeness"],
        "changed": facts.get("changed", []),
    }
    lines = [describe_completeness(results)]
    if as_json:
        document["apart"] = completeness_document(results)
    if results.tables.is_kept:
        lines.append(f"results: {results.path}")
    if joined := facts.get("joined"):
        document["arrays"] = joined
        lines += describe_joined(opened.path, joined)
    if export is not None:
        from sciflow.analysis.export import export_combinations

        export_combinations(results, export)
        document["exported"] = str(export)
        lines.append(f"exported: {export}")
    if to_unseal:
        document["unsealed"] = given_back
        lines.append(f"unsealed: {given_back} files are back")
    if to_seal:
        done = opened.seal()
        document["sealed"] = {"folded": done.folded, "left": done.left, "files": done.files, "bytes": done.bytes}
        lines.append(f"sealed: {done.folded} files are folded; the run has {done.files} files now")
        lines += [f"left, since another one of this name is folded: {name}" for name in done.left]
    emit(as_json, document, "\n".join(lines))
    states = set(facts["states"])
    waiting = states & {"PENDING", "RUNNING", "UNKNOWN"}
    context.exit(NOT_FINISHED if waiting else SOME_FAILED if states - {"COMPLETED"} else DONE)
