"""Records become tables: one row per combination, per task instance, per attempt, per environment."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sciflow.errors import SciflowWarning
from sciflow.model.plan import Plan
from sciflow.run.known_records import KnownRecords
from sciflow.run.status import RunStatus
from sciflow.run.track import Reader, observe, read_plan
from sciflow.store.collected import Collected, read_collected, write_collected
from sciflow.store.inventory import inventory, stamp_of
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.run.catalog import Catalog
    from sciflow.store.columns import Table
    from sciflow.store.results import Tables

Look = Callable[[Reader], RunStatus]


def collect(run: RunDirectory, look: Look | None = None, verify: bool = False, join_arrays: bool = False) -> Tables:
    """Join all records, and write `results.h5`, where that is allowed; also while indices still run.

    Records that have not changed since the last time are not read again, and where nothing has, nothing is written.

    Parameters
    ----------
    run
        The run.
    look
        Gives the status, by what records tell; by default it asks no scheduler.
    verify
        Read every byte of every record again.
    join_arrays
        Also join result arrays of the same shape into one dataset each, in `arrays.h5`.

    Raises
    ------
    RunError
        Where the run directory is damaged or of a newer format.
    """
    listed = inventory(run)
    known = Collected() if verify else read_collected(run)
    made_of = _made_of(run)
    is_same = bool(known.digest) and {name: one.stamp for name, one in known.files.items()} == listed
    if is_same and known.made_of == made_of and known.is_settled and not join_arrays and not is_held(run.lock):
        return _stored(run, known)
    manifest = read_document(run.manifest)
    plan = read_plan(run)
    look = look or (lambda read: observe(run, plan, read=read))
    status, catalog = None, KnownRecords(run, plan, manifest["run"], known.files)
    if is_same:
        status = look(catalog.read_states)
    if status is not None and (digest := _digest(status)) == known.digest and not join_arrays:
        tables = _stored(run, known)
    else:
        from sciflow.run.catalog import Catalog  # which takes a while to load

        catalog = Catalog(run, plan, manifest["run"], listed, known, _stored(run, known))
        status = status or look(catalog.read_states)
        digest = _digest(status)
        tables = _collected(run, plan, manifest, status, catalog)
        if join_arrays:
            from sciflow.run.joined_arrays import join_arrays as join

            tables.facts["joined"] = join(run, tables)
        _write(run, tables, manifest)
    settled = status.is_settled and not status.is_driven
    is_noted = is_same and (made_of, digest, settled) == (known.made_of, known.digest, known.is_settled)
    if tables.is_kept and not (is_noted and tables.facts is known.facts):
        _note(run, Collected(catalog.files, made_of, digest, settled, tables.facts))
    return tables


def _note(run: RunDirectory, collected: Collected) -> None:
    try:
        write_collected(run, collected)
    except OSError as error:
        text = f"`{run.collected}` cannot be written: {error.strerror}; the next time all records are read again"
        warnings.warn(text, SciflowWarning, stacklevel=4)


def _stored(run: RunDirectory, known: Collected) -> Tables:
    from sciflow.store.results import Tables

    return Tables({}, known.facts, run.results if known.files or known.facts else None)


def _made_of(run: RunDirectory) -> list[Any]:
    """Stamps of what decides what is known of a run, beside its records."""
    there = (run.manifest, run.plan, run.journal, run.observed, run / files.JOINED_ARRAYS)
    return [list(stamp_of(path)) for path in there]


def _digest(status: RunStatus) -> str:
    digest = hashlib.sha256()
    for array, indices in status.indices.items():
        digest.update(array.encode())
        for one in indices.values():
            facts = (one.state.value, one.attempt, one.error, one.seconds, one.reason, one.damage, one.skipped)
            digest.update(repr((*facts, one.changed)).encode(errors="surrogatepass"))
    return digest.hexdigest()


def _collected(run: RunDirectory, plan: Plan, manifest: dict[str, Any], status: RunStatus, catalog: Catalog) -> Tables:
    from sciflow.run import completeness
    from sciflow.run.environments import environments_of
    from sciflow.run.instances import instances_of
    from sciflow.run.join import incomplete_gathering, join
    from sciflow.run.soundness import described_changes
    from sciflow.store import results
    from sciflow.store.space import read_space

    rows = catalog.rows()
    instances = instances_of(run, plan, status, catalog, rows.attempts)
    space = read_space(run, manifest)
    combinations, task_of = join(space, manifest, instances, rows)
    last = {(array, index): one.attempt for array, known in status.indices.items() for index, one in known.items()}
    apart = [*instances.apart, *completeness.files_apart(catalog, last)]
    tables = {
        results.COMBINATIONS: combinations,
        results.INSTANCES: instances.table,
        results.ATTEMPTS: rows.attempts,
        results.ENVIRONMENTS: environments_of(run, rows.attempts),
        results.ARRAYS: rows.arrays,
        results.APART: completeness.to_table(apart),
        **{f"{results.METRICS}/{task}": table for task, table in rows.metrics.items()},
    }
    facts = {
        "run": manifest["run"],
        "workflow": plan.workflow,
        "parameters": list(space.names),
        "metrics": list(task_of),
        "combinations": len(space),
        "completed": combinations["state"].count("COMPLETED"),
        "gathering": incomplete_gathering(manifest, instances),
        "states": dict(Counter(instances.table.columns["state"].values.tolist()) if instances.table.count else {}),
        "completeness": completeness.summary(instances.kinds, apart),
        "changed": described_changes(status),
        "metric_tasks": task_of,
        "task_parameters": {task: manifest["tasks"][task]["parameters"] for task in plan.tasks},
        "units": {name: unit for one in manifest["tasks"].values() for name, unit in one["units"].items()},
    }
    return results.Tables(tables, facts)


def _write(run: RunDirectory, tables: Tables, manifest: dict[str, Any]) -> None:
    from sciflow.run.descriptions import described
    from sciflow.store import results

    attempts = tables.attempts
    numbers = {
        f"{results.METRICS}/{task}": _rows_of(attempts, task)
        for task in manifest["tasks"]
        if f"{results.METRICS}/{task}" in tables.by_name
    }
    links = {
        f"environment_files/{name}": (files.environment(name), "/")
        for name in tables.table(results.ENVIRONMENTS).get("environment", [])
        if (run / files.environment(name)).is_file()
    }
    joined: dict[str, Any] = tables.facts.get("joined") or {}
    links.update({f"joined/{place}": (files.JOINED_ARRAYS, f"/{place}") for place in joined.get("joined", {})})
    results.write_tables(run.results, tables, described(tables), numbers, links)


def _rows_of(attempts: Table, task: str) -> Any:
    import numpy as np

    return np.flatnonzero(attempts.columns["task"].values == task) if attempts.count else np.empty(0, dtype=np.int64)
