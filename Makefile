# Two commands are enough: `make up` serves the default config, `make test` proves it. Both set up what they need.
.DEFAULT_GOAL := help
.PHONY: help setup setup-aws setup-translator setup-dev up wheel chromium inotify test check lint parity clients lambda-runtime emulator prove-on-aws mutate bench audit format docs lock clean

# Where it is set, each of a thousand programs that the tests start would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= config/models.json
UP ?=
BENCH ?=
ROOMS ?= local/run plan aws/document config/checks
FLAGS ?=
PIP_AUDIT := 2.9.0
INSTALL := $(BIN)/python tools/install_lock.py
# Whoever interrupts the first set-up leaves a .venv without pip, or with half of it: venv completes it.
HAS_PIP := $(BIN)/python -c 'import importlib.metadata, pip._internal.cli.main; importlib.metadata.version("pip")'
VENV_WITH_PIP = $(HAS_PIP) 2>/dev/null || $(PYTHON) -m venv $(VENV)

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

# A stamp stands for "the packages of this lock are installed"; it is older than the lock when the lock changed.
$(VENV)/local.stamp: requirements/local.txt pyproject.toml
	@echo "==> Setting up $(VENV) for serving (122 MB to download, 350 MB of disk, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@$(VENV_WITH_PIP)
	@$(INSTALL) requirements/local.txt --project
	@touch $@

# For deploying alone; whoever has the tools for tests has this too.
$(VENV)/aws.stamp: requirements.txt package-lock.json pyproject.toml
	@echo "==> Setting up $(VENV) for AWS (about 700 MB, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@$(VENV_WITH_PIP)
	@$(INSTALL) requirements.txt --project
	@$(BIN)/npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# Node alone. Whoever deploys to AWS has it already.
$(VENV)/translator.stamp: requirements/translator.txt $(VENV)/local.stamp
	@echo "==> Adding Node.js to $(VENV), which translates between APIs (about 210 MB, once)"
	@$(INSTALL) requirements/translator.txt --quiet
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/local.stamp $(VENV)/aws.stamp
	@echo "==> Adding the tools for tests and checks to $(VENV)"
	@$(INSTALL) requirements/dev.txt --quiet
	@touch $@

setup: $(VENV)/local.stamp ## Only set up, into .venv

setup-aws: $(VENV)/aws.stamp ## Only set up for deploying to AWS, Node and the CDK CLI included

setup-translator: $(VENV)/translator.stamp ## Set up for serving, with what translates between clients' and servers' APIs

setup-dev: $(VENV)/dev.stamp ## Set up, with the tools for tests and checks

up: setup ## Serve CONFIG (config/models.json) on one machine; UP="--port 9000" passes flags on
	@trap : INT; $(BIN)/mlapi up $(CONFIG) $(UP) || [ $$? -eq 130 ]  # Ctrl-C is no error

wheel: setup ## Build the wheel into dist/, for pip, pipx and uv
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# The page is tried in a real browser. Where there is none, only root can add it; without, those tests say so.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "==> Adding chromium" \
		&& apt-get update -qq && apt-get install -qq --no-install-recommends -y chromium >/dev/null; } \
		|| echo "==> No chromium: the tests of the page are left out (apt-get install chromium)"

# Envoy holds an inotify instance for each model that it knows, and most systems allow 128 to a user. The Envoys of all
# workers together need more. Only root can allow more; without, fewer workers run the tests.
INSTANCES := /proc/sys/fs/inotify/max_user_instances
inotify:
	@[ ! -e $(INSTANCES) ] || [ "$$(cat $(INSTANCES))" -ge 1024 ] \
		|| { [ "$$(id -u)" = 0 ] && echo "==> Allowing 1024 inotify instances to a user" \
		&& { echo 1024 > $(INSTANCES); } 2>/dev/null; } \
		|| echo "==> Two workers, for want of inotify instances (as root: sysctl fs.inotify.max_user_instances=1024)"

# Real servers and deployments are waited for a third of the time: two workers more than there are cores.
test: setup-dev chromium inotify ## Every test, real servers included
	@echo "==> Running every test (real Envoy, real models; some minutes)"
	@workers=$$(( $$(getconf _NPROCESSORS_ONLN) + 2 )); \
		[ "$$(cat $(INSTANCES) 2>/dev/null || echo 1024)" -ge 1024 ] || workers=2; \
		$(BIN)/python -m pytest -n $$workers --dist worksteal

check: lint ## The linters and the fast tests: the tests take 140 seconds of CPU time
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
	@$(BIN)/python -m docs.generate --check

# The SageMaker SDK brings 450 MB and other versions of what we use: an environment of its own, only for this.
$(VENV)/parity/parity.stamp: requirements/parity.txt pyproject.toml | $(VENV)/local.stamp
	@echo "==> Setting up $(VENV)/parity with the SageMaker SDK (about 450 MB, once)"
	@test -x $(VENV)/parity/bin/python || $(PYTHON) -m venv --without-pip $(VENV)/parity
	@$(INSTALL) requirements/parity.txt --quiet --project --into $(VENV)/parity
	@touch $@

parity: $(VENV)/parity/parity.stamp ## Compare the catalogue's rules with the SageMaker SDK (under 3 minutes)
	@$(VENV)/parity/bin/python -m pytest -q tests/parity -o filterwarnings=default

# SDKs and frameworks, in environments of their own, only for this: two, since some want an older SDK of OpenAI.
$(VENV)/clients/clients.stamp: tests/clients/requirements.txt tests/clients/openai2/requirements.txt tests/clients/package-lock.json | $(VENV)/dev.stamp
	@echo "==> Setting up $(VENV)/clients and $(VENV)/clients-openai2 with SDKs and frameworks (about 640 MB, once)"
	@test -x $(VENV)/clients/bin/python || $(PYTHON) -m venv --without-pip $(VENV)/clients
	@$(INSTALL) tests/clients/requirements.txt --quiet --into $(VENV)/clients
	@test -x $(VENV)/clients-openai2/bin/python || $(PYTHON) -m venv --without-pip $(VENV)/clients-openai2
	@$(INSTALL) tests/clients/openai2/requirements.txt --quiet --into $(VENV)/clients-openai2
	@$(BIN)/npm ci --silent --no-audit --no-fund --ignore-scripts --prefix tests/clients
	@touch $@

clients: setup-dev $(VENV)/clients/clients.stamp ## Call both targets by the SDKs and frameworks that people use (2 minutes)
	@$(BIN)/python -m pytest -q tests/clients

# AWS's runtime client is compiled where it is installed: an environment of its own, only for this.
$(VENV)/lambda-runtime/lambda-runtime.stamp: tests/lambda_runtime/build.sh tests/lambda_runtime/package-lock.json | $(VENV)/dev.stamp
	@echo "==> Compiling AWS's runtime client for Lambda's Node.js into $(VENV)/lambda-runtime (2 to 4 minutes, once)"
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/lambda_runtime/build.sh $(VENV)/lambda-runtime
	@touch $@

lambda-runtime: setup-dev $(VENV)/lambda-runtime/lambda-runtime.stamp ## Run the function that streams under AWS's own runtime client (4 minutes, once)
	@MLAPI_LAMBDA_RUNTIME_CLIENT=$(CURDIR)/$(VENV)/lambda-runtime/node_modules/aws-lambda-ric/index.mjs $(BIN)/python -m pytest -q tests/unit/aws/stream_function

# LocalStack's API Gateway wants other versions of what we use, old ones too: an environment of its own, only for this,
# which `audit` leaves out. Some of its packages have no wheels; the lock also pins what builds them.
$(VENV)/emulator/emulator.stamp: tests/emulator/requirements.txt | $(VENV)/dev.stamp
	@echo "==> Setting up $(VENV)/emulator with another API Gateway (about 140 MB, once)"
	@test -x $(VENV)/emulator/bin/python || $(PYTHON) -m venv --without-pip $(VENV)/emulator
	@$(BIN)/uv pip install --quiet --python $(VENV)/emulator/bin/python --require-hashes --build-constraints tests/emulator/requirements.txt -r tests/emulator/requirements.txt
	@touch $@

emulator: setup-dev $(VENV)/emulator/emulator.stamp ## Compare the tests' API Gateway with LocalStack's (under 3 minutes)
	@$(BIN)/python -m pytest -q tests/emulator

# It asks before it deploys; FLAGS="--yes" does not. Whatever happens, it destroys what it made.
prove-on-aws: setup-dev ## Deploy to a real AWS account, check everything, destroy it, report (about 2 USD; asks first)
	@cd tests && ../$(BIN)/python -m prove $(FLAGS)

mutate: setup-dev ## Count the small faults that the fast tests notice; ROOMS="local/run plan" picks
	@$(BIN)/python tools/mutate.py $(ROOMS) $(FLAGS)

bench: setup setup-aws ## Measure beside what people would use instead; BENCH="gateway synth" picks, FLAGS="--rounds 9" passes on
	@$(BIN)/python -m bench $(BENCH) $(FLAGS)

# Beside the project, so that what looks for faults brings none into it. --strict: a package that the service
# does not know is a failure, not a line among others.
$(VENV)/audit/audit.stamp:
	@echo "==> Setting up $(VENV)/audit with pip-audit (about 50 MB, once)"
	@test -x $(VENV)/audit/bin/python || $(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: pip-audit==$(PIP_AUDIT)
	@touch $@

audit: setup-aws $(VENV)/audit/audit.stamp ## Ask PyPI and npm for known faults of what the locks pin (needs the network)
	@for lock in requirements.txt requirements/*.txt models/*/requirements.txt tests/clients/requirements.txt tests/clients/openai2/requirements.txt; do echo "==> $$lock"; \
		$(VENV)/audit/bin/pip-audit --strict --disable-pip $$(grep -q -- --hash= $$lock && echo --require-hashes || echo --no-deps) -r $$lock || exit 1; done
	@for folder in . tests/lambda_runtime tests/clients; do echo "==> npm, $$folder"; $(BIN)/npm audit --prefix $$folder || exit 1; done

format: setup-dev ## Let Ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup-dev ## Generate docs/reference and the JSON Schema anew
	@$(BIN)/python -m docs.generate

lock: setup-dev ## Pin the dependencies anew, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra local --extra install pyproject.toml -o requirements/local.txt $(LOCK)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra aws --extra install -c requirements/local.txt pyproject.toml -o requirements.txt $(LOCK)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev -c requirements/local.txt -c requirements.txt pyproject.toml -o requirements/dev.txt $(LOCK)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra translator -c requirements.txt pyproject.toml -o requirements/translator.txt $(LOCK)
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements/dev.txt - -o requirements/uv.txt $(LOCK)
	@$(BIN)/npm install --silent --package-lock-only --omit-lockfile-registry-resolved
	@for folder in tests/lambda_runtime tests/clients bench/peers/portkey; do $(BIN)/npm install --silent --package-lock-only --omit-lockfile-registry-resolved --prefix $$folder || exit 1; done
	@for model in models/*/requirements.in bench/peers/*/requirements.in tests/clients/requirements.in tests/clients/openai2/requirements.in tests/emulator/requirements.in; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $$model -o $${model%.in}.txt $(LOCK) || exit 1; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra parity --extra install pyproject.toml -o requirements/parity.txt $(LOCK)

clean: ## Remove what the targets above made here
	@rm -rf $(VENV) .cache .hypothesis cdk.out dist node_modules tests/clients/node_modules
