# Each target sets up .venv on first use, and again when a lock file changes.
# Nothing but Python (3.11 or newer, with venv), make and git is needed.

PYTHON ?= python3
WORKERS ?= auto
ROWS ?= 10000000
FILES ?= daily
WORLDS ?= 3
USUAL ?= 2
CLEAN ?= 40
ACCESSES ?= 1900
PICTURES ?= demo
YEAR ?= bench-year
SOAK ?= 1
BIN := .venv/bin
READY := .venv/.ready
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

.PHONY: help demo test lint node lab bench evaluate quiet ablate soak screenshots lock clean

help:
	@echo "make demo    set up a made-up municipality, take its logs in, run last month's control"
	@echo "make test    everything that is checked: style, types, tests"
	@echo "make lab     open the investigator's page over the demo in JupyterLab"
	@echo "make lint    style and types only"
	@echo "make node    what the tests of pages need beside Python: npm, Java"
	@echo "make bench   speed against peers, then a large month (ROWS=$(ROWS) FILES=$(FILES))"
	@echo "make evaluate  what the control finds and misses (WORLDS=$(WORLDS) USUAL=$(USUAL) CLEAN=$(CLEAN))"
	@echo "make quiet     how often the controlled checks alert where nothing happened (CLEAN=$(CLEAN))"
	@echo "make ablate  which figure gets worse without each check and each reason (WORLDS=$(WORLDS))"
	@echo "make soak    tampering, killing, Firefox: in full what \`make test\` samples (SOAK=$(SOAK) times)"
	@echo "make screenshots  the pictures of docs/pages.md and docs/tutorial.md"
	@echo "make lock    resolve the dependencies again"
	@echo "make clean   remove .venv, demo and caches"

.venv/.packages: requirements/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "audit-kernel needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

$(READY): .venv/.packages pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	$(BIN)/audit-kernel demo demo

lab: $(READY)
	@test -e demo/site || $(BIN)/audit-kernel demo demo
	$(BIN)/audit-kernel lab --site demo/site

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The Nu HTML checker and a driver for Firefox; without them their tests are skipped with a word. Needs npm.
node:
	npm ci --silent --ignore-scripts --no-audit --no-fund --prefix tests/node

# Types are looked at beside the tests: each alone would leave a core idle.
test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy & types=$$!; $(BIN)/pytest -n $(WORKERS); tests=$$?; wait $$types && exit $$tests

.venv/.bench: $(READY) requirements/bench.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.lock
	@touch $@

bench: .venv/.bench
	$(BIN)/python -m benchmarks.bench_store --rows $(ROWS) --files $(FILES) --folder $(YEAR)
	$(BIN)/python -m benchmarks.bench_page --folder $(YEAR)
	$(BIN)/python -m benchmarks.bench_month

evaluate: $(READY)
	$(BIN)/python -m evaluation.evaluate --worlds $(WORLDS) --usual $(USUAL) --clean $(CLEAN) --accesses $(ACCESSES)

quiet: $(READY)
	$(BIN)/python -m evaluation.quiet --worlds $(CLEAN)

ablate: $(READY)
	$(BIN)/python -m evaluation.ablate --worlds $(WORLDS)

soak: $(READY) node
	SOAK=$(SOAK) $(BIN)/pytest -n 0 -m soak

screenshots: $(READY)
	$(BIN)/python -m benchmarks.screenshots --folder $(PICTURES)-se
	for country in NO SE; do \
	    rm -rf "$(PICTURES)-tutorial-$$country" && $(BIN)/audit-kernel demo "$(PICTURES)-tutorial-$$country" --country $$country && \
	    $(BIN)/python -m benchmarks.tutorial --folder "$(PICTURES)-tutorial-$$country" --pictures docs/tutorial || exit 1; \
	done

# run: the scheduled control. lab: the same and JupyterLab. dev: all that the tests need. bench: dev and the peers.
lock: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/$(COMPILE) --extra lab --extra demo --extra serve --extra spark --extra dev pyproject.toml --output-file requirements/dev.lock
	$(BIN)/$(COMPILE) --extra lab --constraint requirements/dev.lock --no-annotate pyproject.toml --output-file requirements/lab.lock
	$(BIN)/$(COMPILE) --extra lab --extra serve --constraint requirements/dev.lock --no-annotate pyproject.toml --output-file requirements/serve.lock
	$(BIN)/$(COMPILE) --constraint requirements/dev.lock --no-annotate pyproject.toml --output-file requirements/run.lock
	$(BIN)/$(COMPILE) --extra lab --extra demo --extra serve --extra spark --extra dev --extra bench --constraint requirements/dev.lock --no-annotate pyproject.toml --output-file requirements/bench.lock

clean:
	rm -rf .venv tests/node/node_modules dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@for each in demo demo-se; do if [ -e $$each/.audit-kernel-demo ]; then rm -rf $$each; fi; done
