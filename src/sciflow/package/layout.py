"""Every path of a package; all but those of the bag itself start from the payload, which is the crate's root."""

from __future__ import annotations

FORMAT = 1  # of `package.json` and of where things are; a newer one is refused with its number

PAYLOAD = "data"  # as BagIt has it
CRATE = "ro-crate-metadata.json"
FACTS = "package.json"  # what is in the package, what was left out and why, and how it is run again
README = "README.md"
REPRODUCE = "reproduce.sh"
LICENSE = "LICENSE"
CITATION = "CITATION.cff"

PROJECT = "project"  # the code, laid out as it was around the workflow's directory, which is this folder
WORKFLOW = "project/packaged-workflow.yaml"  # says all that was run, whatever the workflow was written in
FUNCTIONS = "project/packaged_functions.py"  # gives the functions that could not be imported, and were stored
STORED = "project/stored_functions"  # … where each of these is
OUTSIDE = "project/outside"  # files from elsewhere: modules on other folders of the import path, inputs

RUN = "run"  # the run directory, with the names that it has there; see `sciflow.store.layout`
TABLE = "results/combinations.csv"
ATTEMPTS = "results/attempts.csv"  # every attempt: what the crate does not tell one by one
FIGURES = "figures"
REPORT = "report.html"

REQUIREMENTS = "environment/requirements.txt"  # exact versions, for `uv pip install -r` and `pip install -r`
ENVIRONMENT_FACTS = "environment/environments.json"  # everything that was captured, by environment
CONDA = "environment/conda.yaml"
MODULES = "environment/modules.txt"
DOCKERFILE = "environment/Dockerfile"
APPTAINER = "environment/apptainer.def"
WHEELS = "environment/wheels"  # sciflow itself, and what else is on no index

VERDICTS = "verdicts"  # what those who ran it again have found
