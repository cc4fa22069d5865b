.PHONY: setup demo serve test test-services fuzz chaos chaos-quick screenshots messages lint format bench bench-quick lock clean

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

# Django's driver for MariaDB has to be built, so only the tests that need it ask for it.
$(VENV)/mariadb: $(VENV)/development requirements-mariadb.lock
	$(PYTHON) -c "from tests.services.packages import install; install('gcc', 'pkg-config', 'libmariadb-dev')"
	$(PIP) -r requirements-mariadb.lock
	touch $@

# The suite on servers of its own, twice; installs them from Debian's packages where they are missing. What asks for
# neither database nor broker, or brings its own, is the same on all: `make test` has it.
SERVICES := $(PYTHON) -m tests.services
SERVED := -m "not services and not once"
test-services: setup $(VENV)/mariadb
	$(SERVICES) --database mariadb --broker rabbitmq $(PYTHON) -m pytest -n 2 $(SERVED) $(TESTS)
	$(SERVICES) --database postgresql --broker redis $(PYTHON) -m pytest -n 2 $(SERVED) $(TESTS)
	$(MAKE) fuzz FUZZ="--requests 500"
	$(PYTHON) -m chaos all --quick
	$(PYTHON) -m pytest -m services tests/services tests/system tests/browser tests/chaos tests/exports/storage

# Thousands of requests that nobody would send, to an installation of its own.
fuzz: setup
	DJANGO_SETTINGS_MODULE=rowferry.config.settings $(PYTHON) -m tests.support.fuzz_server $(FUZZ)

# Real processes, killed on purpose, on servers of their own; the first writes its table into docs/reliability.md.
chaos: setup $(VENV)/mariadb
	$(PYTHON) -m chaos all

chaos-quick: setup $(VENV)/mariadb
	$(PYTHON) -m chaos all --quick

# Pictures of every page for the docs, taken by Debian's Chromium.
screenshots: setup
	DJANGO_SETTINGS_MODULE=rowferry.config.settings $(PYTHON) -m tests.browser.screenshots

# The page's texts in German: collects what is new, compiles what is written. Needs GNU gettext.
messages: setup
	cd src/rowferry && DJANGO_SETTINGS_MODULE=rowferry.config.settings $(CURDIR)/$(PYTHON) -m django makemessages -l de --no-location --no-wrap
	cd src/rowferry/web && $(CURDIR)/$(PYTHON) -m django compilemessages -l de

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
	uv pip compile --group mariadb $(LOCKED) --output-file requirements-mariadb.lock

clean:
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
