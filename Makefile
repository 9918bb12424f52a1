# Two commands are enough: `make up` serves the default config, `make test` proves it. Both set up what they need.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev up test check lint format docs bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= config/models.json
UP ?=

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# A stamp stands for "the packages of this lock are installed"; it is older than the lock when the lock changed.
$(VENV)/local.stamp: requirements/local.txt pyproject.toml
	@echo "==> Setting up $(VENV) for serving (about 310 MB, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/local.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/local.stamp
	@echo "==> Adding the tools for tests and checks to $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

setup: $(VENV)/local.stamp ## Only set up, into .venv

setup-dev: $(VENV)/dev.stamp ## Set up, with the tools for tests and checks

up: setup ## Serve CONFIG (config/models.json) on one machine; UP="--port 9000" passes flags on
	@$(BIN)/mlapi up $(CONFIG) $(UP)

test: setup-dev ## Every test, real servers included
	@echo "==> Running every test (real Envoy, real models; some minutes)"
	@$(BIN)/python -m pytest -n auto --dist worksteal

check: lint ## The linters and the fast tests: under a minute
	@echo "==> Running the fast tests"
	@$(BIN)/python -m pytest -q -n auto -m "not slow"

lint: setup-dev ## Ruff, mypy, import directions, stale generated files
	@echo "==> Ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> mypy"
	@$(BIN)/mypy
	@echo "==> Import directions"
	@$(BIN)/lint-imports --cache-dir .cache/import-linter
	@echo "==> Generated files"
	@$(BIN)/python docs/generate.py --check

format: setup-dev ## Let Ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup-dev ## Generate docs/reference and the JSON Schema anew
	@$(BIN)/python docs/generate.py

lock: setup-dev ## Pin the dependencies anew, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra local --extra install pyproject.toml -o requirements/local.txt $(LOCK)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev -c requirements/local.txt pyproject.toml -o requirements/dev.txt $(LOCK)

clean: ## Remove what the targets above made here
	@rm -rf $(VENV) .cache .hypothesis
