.PHONY: setup demo serve test test-services lint format bench bench-quick lock clean

VENV := .venv
BENCH_VENV := .venv-bench
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes

# What runs the program: enough for `make demo` and `make serve`.
$(VENV)/runtime: requirements.lock pyproject.toml
	python3 -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# What tests and checks need on top.
$(VENV)/development: $(VENV)/runtime requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	touch $@

setup: $(VENV)/development

demo: $(VENV)/runtime
	$(VENV)/bin/rowferry demo

serve: $(VENV)/runtime
	$(VENV)/bin/rowferry migrate
	$(VENV)/bin/rowferry up

test: setup
	$(PYTHON) -m pytest -n 2 $(TESTS)

# The whole suite on a PostgreSQL of its own; installs it from Debian's packages where it is missing.
test-services: setup
	$(PYTHON) -m tests.services $(PYTHON) -m pytest -n 2 $(TESTS)

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# What `make bench` compares with, in an environment that the product never sees.
$(BENCH_VENV)/ready: requirements-bench.lock
	python3 -m venv $(BENCH_VENV)
	echo '*' > $(BENCH_VENV)/.gitignore
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	touch $@

bench: setup $(BENCH_VENV)/ready
	$(PYTHON) -m bench $(BENCH)

bench-quick: setup $(BENCH_VENV)/ready
	$(PYTHON) -m bench --quick $(BENCH)

# Needs `uv`; the locks hold versions and hashes, and no addresses.
LOCKED := --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --upgrade
COMPILE := uv pip compile pyproject.toml --extra postgresql --extra redis $(LOCKED)
lock:
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --group dev --output-file requirements-dev.lock
	uv pip compile --group bench $(LOCKED) --output-file requirements-bench.lock
	uv pip compile --group bench-mariadb $(LOCKED) --output-file requirements-bench-mariadb.lock

clean:
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
