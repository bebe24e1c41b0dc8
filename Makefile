# Everything a developer types. `make up` and `make test` need Python >= 3.11 with venv, Node >= 20 with npm;
# `make test` also needs Redis, PostgreSQL and Chromium, and installs them where it can (see tests/services.sh).
PORT ?= 8000
DATA_DIR ?= data
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := sdk webapp workers tests manage.py
TEMPLATES := webapp/tidelog_server/ui/templates
# Tests start servers and workers of their own; what the caller's shell says of a server must not reach them.
UNSET := -u TIDELOG_URL -u TIDELOG_API_KEY -u TIDELOG_PROJECT -u TIDELOG_DIR -u TIDELOG_MODE -u TIDELOG_RUN_ID
CLEAN := env $(UNSET) TIDELOG_DATA_DIR=$(abspath $(VENV))/scratch
ALONE := env $(UNSET) -u DATABASE_URL -u REDIS_URL TIDELOG_DATA_DIR=$(abspath $(VENV))/scratch

.PHONY: up demo test faults check bench format assets lock clean

up: $(VENV)/.serve assets
	@exec $(BIN)/tidelog up --port $(PORT) --data-dir $(DATA_DIR)

demo: $(VENV)/.serve assets
	@exec $(BIN)/tidelog demo --port $(PORT) --data-dir $(DATA_DIR)

test: $(VENV)/.develop node_modules/.develop assets
	sh tests/services.sh
	npm test --silent
	$(ALONE) $(BIN)/python -m pytest -n 2 --ignore tests/e2e --cov --cov-report= --cov-fail-under=0
	$(CLEAN) $(BIN)/python tests/with_services.py $(BIN)/python -m pytest -n 2 tests/server tests/contracts --cov --cov-append --cov-report= --cov-fail-under=0
	$(ALONE) $(BIN)/python -m pytest tests/e2e
	$(BIN)/coverage report --format=total

check: $(VENV)/.develop node_modules/.develop assets
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(ALONE) $(BIN)/mypy sdk webapp workers
	$(BIN)/lint-imports --no-logo
	$(ALONE) $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files '$(TEMPLATES)/*.html')
	$(BIN)/djlint --lint --quiet $(TEMPLATES)
	npm run --silent lint
	npm run --silent types

faults: $(VENV)/.develop
	$(ALONE) $(BIN)/python -m tests.faults.run --long

bench: $(VENV)/.develop node_modules/.develop assets
	for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(CLEAN) $(BIN)/python $$bench || exit 1; done

format: $(VENV)/.develop node_modules/.develop
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/djade --target-version 5.2 $$(git ls-files '$(TEMPLATES)/*.html')
	npx biome check --write .

# The front-end libraries and fonts that we serve ourselves, out of the locked npm packages.
assets: node_modules/.serve
	@npm run --silent assets

# Renews every locked version, with hashes. Read the difference before you commit it.
lock:
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra server --extra demo --group build -o requirements.lock pyproject.toml
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra server --extra demo --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	rm -f package-lock.json && npm install --package-lock-only --loglevel=error

clean:
	rm -rf $(VENV) node_modules webapp/tidelog_server/ui/static/vendor .mypy_cache .ruff_cache .pytest_cache .coverage

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tidelog needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the server into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.develop: requirements-dev.lock $(VENV)/.serve
	@echo "Installing the development tools into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Not `npm ci`: it refuses a lock that lacks the binaries of a platform which the mirror does not carry.
node_modules/.serve: package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing. On Debian: apt-get install npm (Node 20 or newer)"; exit 1; }
	@echo "Installing the front-end libraries"
	@npm install --no-save --loglevel=error --omit=dev
	@touch $@

node_modules/.develop: package-lock.json node_modules/.serve
	@echo "Installing the front-end tools"
	@npm install --no-save --loglevel=error
	@touch node_modules/.serve $@
