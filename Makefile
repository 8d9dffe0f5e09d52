# Two commands are enough: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
UV := $(shell command -v uv 2>/dev/null || echo $(VENV)/bin/uv)
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: demo test lint types layers coverage benchmarks clean
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
	$(VENV)/bin/python -m pytest -n auto

lint: $(VENV)/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(VENV)/.ready
	$(VENV)/bin/pyright

layers: $(VENV)/.ready
	$(VENV)/bin/lint-imports

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
