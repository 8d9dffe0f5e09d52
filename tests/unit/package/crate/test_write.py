"""The crate of a package: what is in it, who made it, and what was done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from rocrate.rocrate import ROCrate

from sciflow.package import layout
from sciflow.store.results import read_tables
from unit.package.spins import SECRETS

Entities = dict[str, dict[str, Any]]
UNTOLD = ("run/records/", "run/arrays/", "run/logs/", "run/shim/", "run/environments/", "run/work/", layout.WHEELS)


@pytest.fixture(scope="module")
def entities(unpacked: Path) -> Entities:
    """Return id → entity, of the crate."""
    document = json.loads((unpacked / layout.CRATE).read_text(encoding="utf-8"))
    return {one["@id"]: one for one in document["@graph"]}


def _of(entities: Entities, kind: str) -> list[dict[str, Any]]:
    return [one for one in entities.values() if kind in _list(one["@type"])]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["@id"]] if set(value) == {"@id"} else [])
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        yield from _references(one)


def test_the_root_says_what_it_is_who_made_it_and_how_it_may_be_used(entities: Entities, unpacked: Path) -> None:
    """Its date is the run's, and its author has an ORCID."""
    root = entities["./"]
    assert root["name"] == "spins"
    assert "complete, with 6 task instances for 4 combinations" in root["description"]
    assert root["datePublished"] == json.loads((unpacked / layout.FACTS).read_text())["when"]
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert entities[root["author"]["@id"]]["name"] == "Ada Lovelace"
    assert root["author"]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert root["keywords"] == "spins, energy"
    profiles = {one["@id"].rpartition("/")[0].rpartition("/")[2] for one in root["conformsTo"]}
    assert profiles == {"process", "workflow", "provenance", "workflow-ro-crate"}
    assert "ComputationalWorkflow" in entities[root["mainEntity"]["@id"]]["@type"]


def test_every_file_that_is_told_is_there_and_every_file_is_told_or_its_folder(
    entities: Entities, unpacked: Path
) -> None:
    """Sizes and digests are right; nothing but the metadata itself is left out."""
    told = {unquote(one["@id"]): one for one in _of(entities, "File")}
    for path, one in told.items():
        data = (unpacked / path).read_bytes()
        assert one["contentSize"] == str(len(data)), path
        assert one["sha256"] == hashlib.sha256(data).hexdigest(), path
        assert one["description"], path
        assert "/" in one["encodingFormat"], path
    there = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {path for path in there if not path.startswith(UNTOLD)} == {
        *(path for path in told if not path.startswith(UNTOLD)),
        layout.CRATE,
    }
    folders = {one["@id"] for one in _of(entities, "Dataset")}
    assert {"run/records/", "run/shim/", "run/"} <= folders


def test_nothing_is_empty_and_every_reference_leads_somewhere(entities: Entities) -> None:
    """No entity has a null or an empty list, and none refers to another that is not there."""
    for one in entities.values():
        assert all(value not in (None, "", []) for value in one.values()), one
    elsewhere = {one for one in _references(list(entities.values())) if one not in entities}
    terms = ("https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/terms/workflow-run#")
    assert {one for one in elsewhere if not one.startswith(terms)} == set()


def test_the_library_opens_a_crate(unpacked: Path) -> None:
    """`ROCrate` finds the workflow and all files in it."""
    crate = ROCrate(str(unpacked))
    assert crate.mainEntity is not None
    assert crate.mainEntity["name"] == "spins"
    assert all((unpacked / unquote(one.id)).exists() for one in crate.data_entities)


def test_each_instance_is_an_action_with_what_it_was_given_and_what_it_used(entities: Entities, unpacked: Path) -> None:
    """Times, status and resources are those that were collected."""
    table = read_tables(unpacked / "run" / "results.h5").instances
    for row in range(table.count):
        action = entities[f"#action/{table['array'][row]}/{table['index'][row]}"]
        assert action["instrument"] == {"@id": f"#task/{table['task'][row]}"}
        assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
        assert action["startTime"].endswith("+00:00")
        assert action["startTime"] <= action["endTime"]
        used = {entities[one["@id"]]["name"]: entities[one["@id"]]["value"] for one in action["resourceUsage"]}
        assert used["peak memory"] == table["peak_rss_bytes"][row]
        cpu = table["user_cpu_seconds"][row] + table["system_cpu_seconds"][row]
        assert used["CPU time"] == pytest.approx(cpu, abs=1e-5)
        given = {entities[one["@id"]]["name"]: entities[one["@id"]].get("value") for one in _list(action["object"])}
        assert given["size"] == table["parameters.size"][row]
        assert f"run/{table['record'][row]}" in [one["@id"] for one in action["result"]]
    assert len([one for one in entities if one.startswith("#action/") and one.count("/") == 2]) == table.count


def test_what_a_task_read_is_an_object_of_its_action(entities: Entities) -> None:
    """The record of the instance upstream that has its size: `simulate` does not depend on the temperature."""
    for index, upstream in ((1, 0), (2, 1)):
        read = [one["@id"] for one in entities[f"#action/analyse.0/{index}"]["object"]]
        assert f"run/records/simulate.0/0000/{upstream}.1.h5" in read


def test_the_workflow_has_steps_in_order_and_connections_between_them(entities: Entities) -> None:
    """Each step names its tool; parameters, records and metrics are connected."""
    workflow = entities[entities["./"]["mainEntity"]["@id"]]
    steps = [entities[one["@id"]] for one in workflow["step"]]
    assert [(one["position"], one["name"]) for one in steps] == [("1", "simulate"), ("2", "analyse")]
    assert [one["workExample"]["@id"] for one in steps] == ["#task/simulate", "#task/analyse"]
    pairs = {
        (one["sourceParameter"]["@id"], one["targetParameter"]["@id"]) for one in _of(entities, "ParameterConnection")
    }
    assert ("#parameter/size", "#task/simulate/parameter/size") in pairs
    assert ("#task/simulate/record", "#task/analyse/reads/simulate") in pairs
    assert ("#task/analyse/metric/heat", "#metric/heat") in pairs
    kinds = {one["name"]: one["additionalType"] for one in _of(entities, "FormalParameter")}
    assert (kinds["size"], kinds["temperature"], kinds["heat"]) == ("Integer", "Float", "Float")


def test_the_run_as_a_whole_was_carried_out_by_sciflow_for_a_person(entities: Entities) -> None:
    """The engine's action has the run as its result, and a control action for each step."""
    engine = next(iter(_of(entities, "OrganizeAction")))
    assert entities[engine["instrument"]["@id"]]["name"] == "sciflow"
    run = entities[engine["result"]["@id"]]
    assert run["instrument"] == entities["./"]["mainEntity"]
    assert entities[run["agent"]["@id"]]["@type"] == "Person"
    assert {one["@id"] for one in engine["object"]} == {one["@id"] for one in _of(entities, "ControlAction")}
    assert {one["@id"] for one in entities["./"]["mentions"]} >= {run["@id"], engine["@id"]}


def test_no_secret_is_in_the_metadata(unpacked: Path) -> None:
    """Neither as it is, nor where it would be part of an id."""
    text = unquote((unpacked / layout.CRATE).read_text(encoding="utf-8"))
    assert [where for where, secret in SECRETS.items() if secret in text] == []


def test_the_metadata_names_no_place_of_this_machine(unpacked: Path, spins: Path) -> None:
    """Neither the folder of the run nor the home of whoever ran it."""
    text = (unpacked / layout.CRATE).read_text(encoding="utf-8")
    assert str(spins.parent) not in text
    assert os.path.expanduser("~/") not in text  # noqa: PTH111 - as a text
