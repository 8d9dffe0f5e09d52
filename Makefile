# Two commands are enough: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
UV := $(shell command -v uv 2>/dev/null || echo $(VENV)/bin/uv)
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Trust the certificates that the system trusts, as pip does: some sites have their own.
export UV_NATIVE_TLS ?= true
# Hundreds of programs are started here: each would compile its libraries again where nothing may be kept.
export PYTHONDONTWRITEBYTECODE :=
# What starts pytest; `make coverage` gives another one.
RUN_MODULE ?= $(VENV)/bin/python -m
# What runs whole programs takes its time, and is not measured: all of it is tested part by part besides.
WHOLE := tests/integration tests/contract tests/docs tests/examples tests/faults tests/browser tests/validator
PARTS = $(RUN_MODULE) pytest -n auto --ignore=tests/live $(WHOLE:%=--ignore=%)
# Each worker starts a Slurm of its own, so that two are enough; they wait most of the time.
LIVE = $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/live
COVERAGE := $(VENV)/bin/coverage
# The parts that decide which combinations there are and who needs them, and those that capture, are covered in full.
CAPTURE := artifacts cgroup checkpoints environment environment_record fingerprint gpu gpu_use inputs kernel_files \
	redaction requested sampler site_commands usage
COVERED_IN_FULL := src/sciflow/model/parameters.py src/sciflow/planning/projection.py \
	$(CAPTURE:%=src/sciflow_shim/%.py)

comma := ,
space := $(subst ,, )

.PHONY: demo test test-many test-slurm lint types layers coverage benchmarks pictures check clean
.DEFAULT_GOAL := test

# Without uv on PATH it is installed into the project's own environment.
$(VENV)/.ready: pyproject.toml
	@command -v uv >/dev/null 2>&1 || test -x $(VENV)/bin/uv || \
		{ $(PYTHON) -m venv $(VENV) && $(VENV)/bin/python -m pip install --quiet uv; }
	$(UV) sync --quiet --all-extras --inexact
	@touch $@

demo: $(VENV)/.ready
	$(VENV)/bin/python examples/neural_network/experiment.py

test: $(VENV)/.ready
	$(PARTS)
	$(VENV)/bin/python -m pytest -n auto --dist worksteal $(WHOLE)
	$(LIVE)

# Thousands of random cases where `make test` has hundreds.
test-many: $(VENV)/.ready
	SCIFLOW_MANY=1 $(RUN_MODULE) pytest -n auto -m slow --ignore=tests/live
	SCIFLOW_MANY=1 $(RUN_MODULE) pytest -n auto tests/property/test_records_like_h5py.py

# On a real Slurm, which the tests start by themselves once its packages are here.
test-slurm: $(VENV)/.ready
	bash .ci/install-slurm
	SCIFLOW_REQUIRE_SLURM=1 $(LIVE)

lint: $(VENV)/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(VENV)/.ready
	$(VENV)/bin/pyright

layers: $(VENV)/.ready
	$(VENV)/bin/lint-imports

coverage: $(VENV)/.ready
	$(COVERAGE) erase
	$(MAKE) --no-print-directory test RUN_MODULE="$(COVERAGE) run -m"
	$(COVERAGE) combine --quiet
	$(COVERAGE) report --skip-covered --fail-under=90 --include='src/*'  # not what tests have staged
	$(COVERAGE) report --include="$(subst $(space),$(comma),$(COVERED_IN_FULL))" --fail-under=100

# Each prints what it measured beside its floor; `measure.py` is what they measure with.
benchmarks: $(VENV)/.ready
	@set -e; for program in $(filter-out benchmarks/measure.py benchmarks/workload.py,$(wildcard benchmarks/*.py)); do \
		echo "== $$program"; $(VENV)/bin/python $$program; \
	done

# The pictures of the guide, from a run of the demo.
pictures: $(VENV)/.ready
	$(VENV)/bin/python docs/pictures/make.py

check: lint types layers coverage demo

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
