# Every target is self-explaining in `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test soak check audit format bench clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "synthgen needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

install: $(STAMP) ## make .venv and install synthgen with its development tools

demo: $(STAMP) ## train, edit, render, write shards and a report, in about five minutes
	$(BIN)/synthgen demo

test: $(STAMP) ## the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not soak and not alone"
	RAY_AUTH_MODE=disabled OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -q -m "alone and not soak"

soak: $(STAMP) ## the long reliability tests that `make test` leaves out
	RAY_AUTH_MODE=disabled OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -q -m soak

check: $(STAMP) ## format, lint, types, layers, generated docs, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pipeline.recipe_docs --check
	$(BIN)/python -m generators.parameter_table --check
	$(BIN)/python infra/audit_dependencies.py

audit: $(STAMP) ## ask the package index for known holes in the pinned dependencies (needs a network)
	$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install --quiet "pip-audit>=2.9"
	$(VENV)/audit/bin/pip-audit --no-deps --disable-pip -r constraints.txt

format: $(STAMP) ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## every benchmark, each as a ratio to its baseline
	@set -e; for bench in benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench; done

clean: ## remove the environment and caches; models and data sets in runs/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
